//! `ream count`.

use serde_json::{Value, json};

use crate::harness::{Ream, ream};

/// A shop with six events of four streams, one of them reserved, on two days.
fn shop() -> Ream {
    let shop = ream();
    for (stream, event_type, time, tags) in [
        ("order-1", "Placed", "2026-03-01T23:59:59Z", &["region:eu"][..]),
        ("order-1", "Paid", "2026-03-02T00:00:00Z", &[]),
        ("order-2", "Placed", "2026-03-01T12:00:00Z", &["region:us"]),
        ("cart", "Placed", "2026-03-02T01:30:00+02:00", &["region:eu"]),
        ("gone-1", "Placed", "2026-03-02T12:00:00Z", &["region:eu"]),
    ] {
        let tags = tags.iter().flat_map(|tag| ["--tag", tag]);
        shop.run(["append", stream, event_type, "--time", time]).args(tags).ok();
    }
    shop.run(["stream", "rm", "gone-1", "--yes"]).ok();
    shop
}

fn groups(shop: &Ream, args: &[&str]) -> Vec<(String, u64)> {
    let lines = shop.run(["count"]).args(args).values();
    let group = |line: &Value| {
        let object = line.as_object().unwrap();
        let (name, _) = object.iter().find(|(name, _)| *name != "count").unwrap();
        (line[name].as_str().unwrap().to_owned(), line["count"].as_u64().unwrap())
    };
    lines.iter().map(group).collect()
}

#[test]
fn events_are_counted_as_they_are_read_up_to_a_head() {
    let shop = shop();
    for (args, count) in [
        (&[][..], 4),
        (&["order-*"], 3),
        (&["--type", "Placed"], 3),
        (&["--tag", "region:eu"], 2),
        (&["--query", "tag=region:eu stream=order-*"], 1),
        (&["--after", "1", "--until", "3"], 2),
        (&["--since", "2026-03-02T00:00:00Z"], 1),
        (&["order-1", "--from", "@2"], 1),
        (&["none"], 0),
    ] {
        let told = shop.run(["count"]).args(args).value();
        assert_eq!(told["count"], json!(count), "{args:?}");
        let head = told["head"].as_u64().unwrap();
        assert!(told["cursor"].as_str().unwrap().starts_with(&format!("{head}-")), "{told}");
        assert_eq!(shop.run(["read"]).args(args).values().len(), count, "{args:?}");
    }
    assert_eq!(shop.run(["count", "--until", "3"]).value()["head"], json!(3));
    shop.run(["count", "--format", "table"]).stdout("4\n");
    ream().run(["count"]).stdout_has(["{\"count\":0,\"head\":0,\"cursor\":\"0-"]);
    // What it says holds until something is added.
    let told = shop.run(["count", "--tag", "region:us"]).value();
    let cursor = told["cursor"].as_str().unwrap();
    let append = ["append", "order-3", "Placed", "--tag", "region:us", "--none", "tag=region:us"];
    shop.run(append).args(["--none-after", cursor]).ok();
    shop.run(append).args(["--none-after", cursor]).fails_with(3, ["the condition does not hold"]);
}

#[test]
fn groups_are_in_order() {
    let shop = shop();
    let of = |pairs: &[(&str, u64)]| -> Vec<(String, u64)> {
        pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    assert_eq!(groups(&shop, &["--by", "type"]), of(&[("Paid", 1), ("Placed", 3)]));
    assert_eq!(
        groups(&shop, &["--by", "stream"]),
        of(&[("cart", 1), ("order-1", 2), ("order-2", 1)])
    );
    assert_eq!(groups(&shop, &["--by", "category"]), of(&[("cart", 1), ("order", 3)]));
    assert_eq!(groups(&shop, &["--by", "day"]), of(&[("2026-03-01", 3), ("2026-03-02", 1)]));
    let by_count = ["--by", "stream", "--order-by", "-count"];
    assert_eq!(groups(&shop, &by_count), of(&[("order-1", 2), ("cart", 1), ("order-2", 1)]));
    assert_eq!(
        groups(&shop, &["--by", "stream", "--order-by", "-stream", "--limit", "2"]),
        of(&[("order-2", 1), ("order-1", 2)])
    );
    assert_eq!(groups(&shop, &["none", "--by", "type"]), of(&[]));
    shop.run(["count", "$ream", "--by", "type"])
        .stdout("{\"type\":\"StreamRemoved\",\"count\":1}\n");
    shop.run(["count", "--by", "type", "--json"])
        .stdout("[\n{\"type\":\"Paid\",\"count\":1},\n{\"type\":\"Placed\",\"count\":3}\n]\n");
    shop.run(["count", "--by", "type", "--format", "table"])
        .stdout_has(["type", "count", "Paid", "1", "Placed", "3"]);
    let marked = shop.run(["count", "--by", "type", "--markers"]).values();
    assert_eq!((&marked[0]["from"], &marked[0]["head"]), (&json!(1), &json!(6)));
    assert_eq!(marked.len(), 3);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let shop = shop();
    for (args, told) in [
        (&["--by", "data.x"][..], "type, stream, category, day"),
        (&["--order-by", "count"], "--by <WHAT>"),
        (&["--limit", "1"], "--by <WHAT>"),
        (&["--markers"], "--by <WHAT>"),
        (
            &["--by", "type", "--order-by", "stream"],
            "--order-by is count or type, with or without `-`",
        ),
        (&["--by", "type", "--markers", "--since", "1d"], "--markers does not go with --since"),
        (&["--by", "type", "--markers", "--json"], "--markers needs --format jsonl"),
        (&["--query", "tag=x", "--tag", "y"], "--query <QUERY>"),
        (&["--format", "cloudevents"], "cloudevents is a format of `read` and `tail` alone"),
        (&["--after", "@1"], "a version (`@N`) needs exactly one stream"),
    ] {
        shop.run(["count"]).args(args).fails_with(2, [told]);
    }
    shop.run(["count", "--after", "99"]).fails_with(6, ["position 99 is beyond the head, 6"]);
    shop.run(["count", "--from", "99"]).fails_with(6, ["position 99 is beyond the head, 6"]);
    shop.run(["count", "--query", "x"]).fails_with(6, ["--query is no query"]);
}
