//! `ream append --tag`, and tags in lines.

use serde_json::json;

use crate::harness::ream;

#[test]
fn tags_are_given_by_option_or_line_and_read_back_as_a_set() {
    let shop = ream();
    shop.run(["append", "a", "T", "--tag", "course:c1", "--tag", "b", "--tag", "course:c1"]).ok();
    let lines = concat!(
        r#"{"stream":"a","type":"T","tags":["z","y","z"]}"#,
        "\n",
        r#"{"stream":"a","type":"T","tags":[]}"#,
        "\n",
        r#"{"stream":"a","type":"T","tags":null}"#,
        "\n",
    );
    shop.run(["append", "--jsonl", "-"]).stdin(lines).ok();
    let read = shop.run(["read"]).values();
    let tags: Vec<_> = read.iter().map(|event| event["tags"].clone()).collect();
    assert_eq!(tags, [json!(["b", "course:c1"]), json!(["y", "z"]), json!(null), json!(null)]);
    // And by a copy, which has the same.
    let other = ream();
    let lines = shop.run(["read"]).bytes();
    other.run(["append", "--jsonl", "-"]).stdin(lines).ok();
    assert_eq!(other.run(["read"]).values()[0]["tags"], json!(["b", "course:c1"]));
    shop.run(["verify"]).ok();
}

#[test]
fn what_is_no_tag_is_refused_by_name() {
    let shop = ream();
    for (tag, error) in [
        ("", "the tag is empty"),
        ("a b", "the tag has ` ` at character 2"),
        ("a,b", "the tag has `,` at character 2"),
        ("$x", "the tag begins with `$`, which is reserved"),
    ] {
        shop.run(["append", "a", "T", "--tag", tag]).fails_with(6, [error]);
    }
    let many: Vec<String> = (0..33).flat_map(|tag| ["--tag".into(), format!("t{tag}")]).collect();
    let args = ["append", "a", "T"].into_iter().map(String::from).chain(many);
    shop.run(args).fails_with(6, ["an event has 32 tags at most"]);
    let line = r#"{"stream":"a","type":"T","tags":["a b"]}"#;
    shop.run(["append", "--jsonl", "-"])
        .stdin(line)
        .fails_with(6, ["the tag has ` ` at character 2"]);
    shop.run(["append", "--tag", "x", "--jsonl", "-"]).fails_with(2, ["--jsonl"]);
    assert_eq!(shop.run(["read"]).text(), "");
}

#[test]
fn what_erases_says_what_becomes_of_tags() {
    let shop = ream();
    shop.run(["append", "a", "T", "--tag", "x"]).ok();
    shop.run(["append", "a", "T"]).ok();
    shop.run(["append", "a", "T", "--tag", "x"]).ok();
    let rm = ["stream", "rm", "a", "--dry-run"];
    assert_eq!(shop.run(rm).value()["tagged"], json!(2));
    shop.run(rm).args(["--format", "table"]).stdout("a: would remove 3 events, 2 with tags\n");
    let truncate = ["stream", "truncate", "a", "--before", "@3", "--yes"];
    assert_eq!(shop.run(truncate).value()["tagged"], json!(1));
    shop.run(["redact", "a@3", "--tags", "--reason", "r"]).fails_with(
        2,
        ["error: erasing what 1 event says, and the tags of 1 event, needs to be confirmed\n"],
    );
    let redact = ["redact", "a@3", "--reason", "r", "--yes"];
    assert_eq!(shop.run(redact).value()["tags"], json!(null));
    assert_eq!(shop.run(["read"]).value()["tags"], json!(["x"]));
    let with_tags = shop.run(redact).args(["--tags"]).value();
    assert_eq!(with_tags["tags"], json!(true));
    assert_eq!(shop.run(["read"]).value()["tags"], json!(null));
    let acts = shop.run(["read", "$ream"]).values();
    assert_eq!(acts.last().unwrap()["data"]["tags"], json!(true));
    // None has any by now.
    assert_eq!(shop.run(rm).value()["tagged"], json!(null));
    shop.run(["verify"]).ok();
}

#[test]
fn a_decision_tags_its_events() {
    let shop = ream();
    let program = r#"cat >/dev/null; echo '{"append":{"type":"T","tags":["x"]}}'"#;
    shop.run(["decide", "a", "{}", "--", "sh", "-c", program]).ok();
    assert_eq!(shop.run(["read"]).value()["tags"], json!(["x"]));
}

#[test]
fn tags_go_out_and_come_in_as_cloud_events() {
    let shop = ream();
    shop.run(["append", "a", "T", "--tag", "x", "--tag", "y"]).ok();
    let cloud = shop.run(["read", "--format", "cloudevents"]).bytes();
    let told: serde_json::Value = serde_json::from_slice(&cloud).unwrap();
    assert_eq!(told["tags"], json!("x y"));
    let other = ream();
    other.run(["import", "--from", "cloudevents", "-"]).stdin(cloud).ok();
    let read = other.run(["read"]).value();
    assert_eq!((&read["tags"], &read["metadata"]), (&json!(["x", "y"]), &json!(null)));
    // What another system calls so is none of them.
    let foreign = r#"{"specversion":"1.0","id":"1","source":"/s","type":"T","tags":["not ours"]}"#;
    other.run(["import", "--from", "cloudevents", "-"]).stdin(foreign).ok();
    let read = &other.run(["read"]).values()[1];
    assert_eq!((&read["tags"], &read["metadata"]["tags"]), (&json!(null), &json!(["not ours"])));
}
