//! `ream decide --query`: decisions on events of whatever streams.

use serde_json::json;

use crate::harness::{Ream, ream};

/// An aggregator of courses, each with two places: subscribes a student, or rejects.
const COURSE: &str = r#"
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    print(line, file=sys.stderr, end="")
    student = asked["command"]
    if len(asked["events"]) == 2:
        print(json.dumps({"reject": "the course is full"}), flush=True)
        continue
    event = {"stream": student, "type": "Subscribed", "tags": ["course:c1", "student:" + student]}
    print(json.dumps({"append": event}))
    print(json.dumps({"ack": asked["head"]}), flush=True)
"#;

fn school() -> Ream {
    let shop = ream();
    shop.write("course.py", COURSE);
    shop.append("elsewhere", "T", "1").ok();
    shop
}

#[test]
fn a_command_is_decided_on_all_that_a_query_chooses() {
    let shop = school();
    let decide =
        |args: &[&str]| shop.run(["decide"]).args(args).args(["--", "python3", "course.py"]);
    decide(&["--tag", "course:c1", "\"s1\""])
        .stderr("{\"query\":[{\"tags\":[\"course:c1\"]}],\"head\":1,\"events\":[],\"command\":\"s1\"}\n")
        .stdout("{\"stream\":\"s1\",\"version\":1,\"position\":2,\"id\":\"[link]/2\"}\n");
    decide(&[
        "--query",
        "tag=course:c1 type=Subscribed",
        "\"s2\"",
        "--id",
        "k",
        "--format",
        "table",
    ])
    .stderr_has(["\"head\":2,\"events\":[{\"position\":2,\"stream\":\"s1\","])
    .stdout("s2@1 at position 3\n");
    for again in
        ["tag=course:c1 type=Subscribed", r#"[{"types":["Subscribed"],"tags":["course:c1"]}]"#]
    {
        decide(&["--query", again, "\"s2\"", "--id", "k"]).stderr("").stdout(
            "{\"stream\":\"s2\",\"version\":1,\"position\":3,\"id\":\"[link]/3\",\"duplicate\":true}\n",
        );
    }
    decide(&["--tag", "course:c1", "\"s3\""])
        .code(8)
        .stderr_has(["rejected: the course is full"])
        .stdout("");
    decide(&["--query", "tag=course:c1", "\"s2\"", "--id", "k"]).fails(
        6,
        "error: id reused: `k` is a decision on a query, about another command\n\
         hint: an id stands for one command on one stream or query, for ever\n",
    );
    assert_eq!(shop.run(["read", "--tag", "course:c1"]).values().len(), 2);
    shop.run(["verify"]).ok();
}

#[test]
fn a_plan_is_what_append_stores_under_its_condition() {
    let shop = school();
    let plan = || {
        let args = ["decide", "--tag", "course:c1", "\"s1\"", "--dry-run", "-q", "--"];
        shop.run(args).args(["sh", "-c", "python3 course.py 2>/dev/null"])
    };
    let line = plan().value();
    assert_eq!(line["expect"]["none"], json!([{"tags": ["course:c1"]}]));
    assert!(line["expect"]["after"].as_str().unwrap().starts_with("1-"), "{line}");
    shop.run(["decide", "--tag", "x", "1", "--dry-run", "--"])
        .args(["sh", "-c", "cat >/dev/null; for s in a b; do echo \"{\\\"append\\\":{\\\"stream\\\":\\\"$s\\\",\\\"type\\\":\\\"T\\\"}}\"; done"])
        .stderr("note: the condition on the first line holds for all of them with append --jsonl --atomic\n")
        .ok();
    let planned = plan().bytes();
    let append = || shop.run(["append", "--jsonl", "-", "--atomic"]).stdin(planned.clone());
    append().ok();
    append().fails_with(3, ["Subscribed at position 2 (`s1`, version 1) is among `tag=course:c1`"]);
}

#[test]
fn one_program_decides_on_streams_and_queries() {
    let shop = ream();
    shop.write("course.py", COURSE.replace("print(line", "0 and print(line"));
    let commands = concat!(
        r#"{"query":[{"tags":["course:c1"]}],"command":"s1","id":"k"}"#,
        "\n",
        r#"{"query":{"tags":["course:c1"]},"command":"s1","id":"k"}"#,
        "\n",
        r#"{"query":[{"tags":["course:c1"]}],"command":"s2"}"#,
        "\n",
        r#"{"query":[{"tags":["course:c1"]}],"command":"s3"}"#,
        "\n",
        r#"{"query":[{"tags":["course:c2"]}],"command":"s1","id":"k"}"#,
        "\n",
    );
    shop.run(["decide", "--serve", "--", "python3", "course.py"]).stdin(commands).stdout(concat!(
        r#"{"query":[{"tags":["course:c1"]}],"id":"k","stored":[{"stream":"s1","version":1,"position":1,"id":"[link]/1"}]}"#,
        "\n",
        r#"{"query":[{"tags":["course:c1"]}],"id":"k","stored":[{"stream":"s1","version":1,"position":1,"id":"[link]/1","duplicate":true}],"duplicate":true}"#,
        "\n",
        r#"{"query":[{"tags":["course:c1"]}],"stored":[{"stream":"s2","version":1,"position":2,"id":"[link]/2"}]}"#,
        "\n",
        r#"{"query":[{"tags":["course:c1"]}],"rejected":"the course is full"}"#,
        "\n",
        r#"{"query":[{"tags":["course:c2"]}],"id":"k","error":"id reused: `k` is a decision on a query, about another command"}"#,
        "\n",
    ));
    let both = r#"{"query":[{"tags":["x"]}],"stream":"s","command":1}"#;
    shop.run(["decide", "--serve", "--", "python3", "course.py"])
        .stdin(both)
        .fails_with(6, ["line 1, column", "a command is about a `stream` or a `query`, not both"]);
}

#[test]
fn what_is_no_answer_about_a_query_is_refused() {
    let shop = school();
    let decide = |reply: &str| {
        let script = format!("cat >/dev/null; echo '{reply}'");
        shop.run(["decide", "--tag", "x", "1", "--", "sh", "-c", &script])
    };
    for (reply, told) in [
        (r#"{"state":1}"#, "a state has no place here without an event"),
        (r#"{"append":{"type":"T"}}"#, "no `stream`"),
        (r#"{"append":{"stream":"a","type":"T","expect":1}}"#, "`expect` has no place here"),
        (r#"{"append":{"stream":"a","type":"T","expect":{"none":[{"tags":["x"]}]}}}"#, "`expect`"),
        (r#"{"ack":2}"#, "acknowledges position 2, but was told of 1"),
        (r#"{"set":{}}"#, "`set` is no reply of an aggregator"),
        ("half", "expected value"),
    ] {
        decide(reply).fails_with(7, [told, "nothing is stored in any stream"]);
    }
    decide(r#"{"ack":1}"#).stdout("{\"query\":[{\"tags\":[\"x\"]}],\"head\":1}\n");
    decide(r#"{"append":{"stream":"a","type":"T","state":{"n":1}}}"#).ok();
    assert_eq!(shop.run(["state", "get", "a"]).value()["version"], json!(1));
    shop.run(["decide", "--tag", "x", "1", "--", "sh", "-c", "cat >/dev/null; exit 3"])
        .fails_with(7, ["`sh` failed with exit code 3; nothing is stored in any stream"]);
}

#[test]
fn what_is_decided_on_is_a_stream_or_a_query() {
    let shop = school();
    let decide = |args: &[&str]| shop.run(["decide"]).args(args).args(["--", "true"]);
    decide(&[]).fails_with(2, ["STREAM is needed, or --query, --tag or --type"]);
    for command in ["{\"n\":1}", "[1]"] {
        decide(&[command]).fails_with(2, ["a command needs the STREAM that it is about before it"]);
    }
    decide(&["a", "1", "--tag", "x"])
        .fails_with(2, ["a command is about STREAM or about a query, not both"]);
    decide(&["a*", "1"]).fails_with(6, ["STREAM can't be used: the stream name has `*`"]);
    for other in [["--tag", "y"], ["--type", "T"]] {
        decide(&["--query", "tag=x", other[0], other[1], "1"]).fails_with(2, ["--query <QUERY>"]);
        shop.run(["decide", "--serve", other[0], other[1], "--", "true"])
            .fails_with(2, ["--serve"]);
    }
    decide(&["--query", "x", "1"]).fails_with(6, ["--query is no query: `x` is none of type="]);
    decide(&["--tag", "x", "{n:1}"])
        .fails_with(6, ["COMMAND is not valid JSON", "ream decide --tag x '{\"n\":1}' -- true"]);
}
