//! Reading by tags and queries, and up to where: `--tag`, `--query`, `--markers`.

use serde_json::{Value, json};

use crate::harness::{Ream, ream};

/// A shop with events of two courses.
fn courses() -> Ream {
    let shop = ream();
    for (stream, event_type, tags) in [
        ("c1", "Opened", &["course:c1"][..]),
        ("c2", "Opened", &["course:c2"]),
        ("s1", "Subscribed", &["course:c1", "student:s1"]),
        ("s1", "Subscribed", &["course:c2", "student:s1"]),
        ("s2", "Subscribed", &["course:c1", "student:s2"]),
        ("s2", "Paid", &[]),
    ] {
        let tags = tags.iter().flat_map(|tag| ["--tag", tag]);
        shop.run(["append", stream, event_type]).args(tags).ok();
    }
    shop
}

fn positions(events: &[Value]) -> Vec<u64> {
    events.iter().map(|event| event["position"].as_u64().unwrap()).collect()
}

#[test]
fn tags_all_and_types_any_choose_with_patterns() {
    let shop = courses();
    for (args, expected) in [
        (&["--tag", "course:c1"][..], &[1, 3, 5][..]),
        (&["--tag", "course:c1", "--tag", "student:s1"], &[3]),
        (&["--tag", "course:c1", "--type", "Opened", "--type", "Paid"], &[1]),
        (&["s*", "--tag", "course:c1"], &[3, 5]),
        (&["s1", "--tag", "course:c1"], &[3]),
        (&["--tag", "none"], &[]),
        (&["--tag", "course:c1", "-n", "2"], &[3, 5]),
        (&["--tag", "course:c1", "--limit", "2"], &[1, 3]),
        (&["--tag", "course:c1", "--after", "1", "--until", "3"], &[3]),
        (&["s1", "--tag", "course:c2", "--after", "@1"], &[4]),
        (&["--query", "tag=course:c1 type=Opened"], &[1]),
        (&["--query", r#"[{"tags":["course:c2"]},{"types":["Paid"]}]"#], &[2, 4, 6]),
        (&["--query", r#"{"streams":["c*","s2"]}"#, "--after", "1"], &[2, 5, 6]),
    ] {
        let read = shop.run(["read"]).args(args).values();
        assert_eq!(positions(&read), expected, "{args:?}");
        let tail = ["tail", "--until", "6"];
        if !args.contains(&"--until") && !args.contains(&"--limit") {
            assert_eq!(positions(&shop.run(tail).args(args).values()), expected, "{args:?}");
        }
    }
    for args in [["s1", "--query"], ["--type=T", "--query"], ["--tag=t", "--query"]] {
        shop.run(["read"]).args(args).args(["tag=x"]).fails_with(2, ["--query <QUERY>"]);
    }
    shop.run(["read", "--query", "x"]).fails_with(6, ["--query is no query: `x` is none of type="]);
    shop.run(["read", "--tag", "a b"]).fails_with(6, ["the tag has ` ` at character 2"]);
    shop.run(["read", "--query", "tag=x", "--after", "@1"])
        .fails_with(2, ["a version (`@N`) needs"]);
}

#[test]
fn marks_say_from_where_and_up_to_where() {
    let shop = courses();
    let marks = |args: &[&str]| {
        let lines = shop.run(["read", "--markers"]).args(args).values();
        let (first, last) = (lines[0].clone(), lines[lines.len() - 1].clone());
        let head = first["head"].as_u64().unwrap();
        assert!(first["cursor"].as_str().unwrap().starts_with(&format!("{head}-")), "{first}");
        assert_eq!(last, json!({"caught_up": head}));
        let events = positions(&lines[1..lines.len() - 1]);
        (first["from"].as_u64().unwrap(), head, events)
    };
    assert_eq!(marks(&["--tag", "course:c2"]), (1, 6, vec![2, 4]));
    assert_eq!(marks(&["--tag", "none"]), (1, 6, vec![]));
    assert_eq!(marks(&["--tag", "course:c2", "--after", "2"]), (3, 6, vec![4]));
    assert_eq!(marks(&["--tag", "course:c2", "--until", "3"]), (1, 3, vec![2]));
    assert_eq!(marks(&["--until", "99", "--limit", "1"]), (1, 6, vec![1]));
    assert_eq!(marks(&["-n", "1"]).1, 6);
    assert_eq!(marks(&["s1", "--until", "@1"]), (1, 3, vec![3]));
    let empty = ream();
    let lines = empty.run(["read", "--markers"]).values();
    assert_eq!((&lines[0]["from"], &lines[0]["head"]), (&json!(1), &json!(0)));
    // What it says is taken as a condition.
    let cursor = lines[0]["cursor"].as_str().unwrap();
    empty.run(["append", "a", "T", "--none", "tag=x", "--none-after", cursor]).ok();
    for (args, told) in [
        (&["--since", "1d"][..], "--markers does not go with --since and --until TIME"),
        (
            &["--until", "2030-01-01T00:00:00Z"],
            "--markers does not go with --since and --until TIME",
        ),
        (&["--json"], "--markers needs --format jsonl"),
        (&["--format", "table"], "--markers needs --format jsonl"),
        (&["--format", "cloudevents"], "--markers needs --format jsonl"),
    ] {
        shop.run(["read", "--markers"]).args(args).fails_with(2, [told]);
    }
}

#[test]
fn a_subscription_remembers_all_that_it_follows_by() {
    let shop = courses();
    let run = |args: &[&str]| {
        let tail = ["tail", "--until-caught-up"];
        shop.run(tail).args(args).args(["--", "sh", "-c", "cat >>got"])
    };
    run(&["s*", "--tag", "course:c1", "--as", "c1"]).ok();
    let query = r#"[{"tags":["course:c2"]},{"types":["Paid"]}]"#;
    run(&["--query", query, "--as", "two"]).ok();
    let got = shop.sh("cat got").text();
    let got: Vec<Value> = got.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(positions(&got), [3, 5, 2, 4, 6]);
    // What is remembered holds, and nothing else.
    run(&["--as", "c1"]).ok();
    run(&["--as", "two"]).ok();
    run(&["s*", "--as", "c1"])
        .fails_with(6, ["the subscription `c1` follows s*, with the tags course:c1"]);
    run(&["--tag", "course:c1", "--as", "two"]).fails_with(6, ["follows what [{", "chooses"]);
    let told = |name: &str| shop.run(["subscription", "show", name, "--json"]).value();
    assert_eq!(told("c1")["tags"], json!(["course:c1"]));
    assert_eq!(told("two")["query"], serde_json::from_str::<Value>(query).unwrap());
    shop.run(["subscription", "show", "c1", "--format", "table"])
        .stdout_has(["from s*", "with the tags course:c1"]);
    // And goes with an export.
    let exported = shop.run(["export"]).bytes();
    let other = ream();
    other.run(["import", "-"]).stdin(exported).ok();
    for name in ["c1", "two"] {
        let of = |shop: &Ream| {
            let shown = shop.run(["subscription", "show", name, "--json"]).value();
            ["from", "tags", "query", "checkpoint"].map(|key| shown[key].clone())
        };
        assert_eq!(of(&other), of(&shop), "{name}");
    }
    shop.append("s9", "Subscribed", "1").ok();
    assert_eq!(told("c1")["lag"], json!(0));
    shop.run(["append", "s9", "T", "--tag", "course:c1"]).ok();
    assert_eq!(told("c1")["lag"], json!(1));
}
