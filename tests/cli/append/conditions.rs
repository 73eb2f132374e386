//! `ream append --none`, and conditions in lines.

use serde_json::json;

use crate::harness::{Ream, ream};

/// A shop where `ann` is a taken name.
fn taken() -> Ream {
    let shop = ream();
    shop.run(["append", "user-1", "Taken", "--tag", "name:ann", "--none", "tag=name:ann"]).ok();
    shop
}

#[test]
fn what_must_not_be_there_is_looked_for_in_all_streams() {
    let shop = taken();
    let taking = ["append", "user-2", "Taken", "--tag", "name:ann", "--none", "tag=name:ann"];
    shop.run(taking).fails(
        3,
        "error: the condition does not hold: Taken at position 1 (`user-1`, version 1) is among `tag=name:ann`\n\
         hint: read what is there, decide again: ream read --query tag=name:ann\n",
    );
    shop.run(taking).args(["--none-after", "1"]).ok();
    shop.run(["append", "user-3", "Taken", "--none", "stream=user-*", "--none-after", "1"]).fails(
        3,
        "error: the condition does not hold: Taken at position 2 (`user-2`, version 1) is among `stream=user-*`, \
         behind position 1\n\
         hint: read what came in between, decide again: ream read --after 1 --query 'stream=user-*'\n",
    );
    let query = r#"[{"types":["Renamed"]},{"streams":["user-2"],"types":["Taken"]}]"#;
    shop.run(["append", "user-3", "Taken", "--none", query]).fails_with(
        3,
        ["Taken at position 2 (`user-2`, version 1) is among item 2 of `[{\"types\":[\"Renamed\"]},"],
    );
    shop.write("query.json", query);
    shop.run(["append", "user-3", "Taken", "--none", "@query.json"]).fails_with(3, ["position 2"]);
    shop.run(["append", "user-3", "Taken", "--none", "@none.json"]).fails_with(1, ["none.json"]);
}

#[test]
fn a_place_is_a_position_or_a_cursor_of_this_log() {
    let shop = taken();
    let cursor = shop.run(["read", "--markers"]).values()[0]["cursor"].clone();
    let cursor = cursor.as_str().unwrap();
    let behind = |place: &str| {
        shop.run(["append", "a", "T", "--none", "tag=name:ann", "--none-after", place])
    };
    behind(cursor).ok();
    let other = format!("1-{}", if cursor.ends_with("00000000") { "11111111" } else { "00000000" });
    behind(&other).fails(
        3,
        &format!(
            "error: the cursor {other} is no place in this store's log: the log is another one\n\
             hint: read what is there anew, and decide on that\n"
        ),
    );
    behind("3").fails_with(6, ["position 3 is beyond the head, 2"]);
    behind("0").fails_with(3, ["position 1"]);
    for none in ["-1", "x", "1-", "1-0000000", "@1", "9223372036854775808"] {
        behind(none).fails_with(6, ["--none-after"]);
    }
}

#[test]
fn a_query_by_types_alone_is_noted() {
    let shop = taken();
    let note = "note: --none looks at every event of the store, since it names no tag and no stream; with one, or with \
                --none-after, it does not\n";
    let typed = ["append", "a", "T", "--none", "type=Other"];
    shop.run(typed).stderr(note).ok();
    shop.run(typed).args(["-q"]).stderr("").ok();
    shop.run(typed).args(["--none-after", "1"]).stderr("").ok();
    shop.run(["append", "a", "T", "--none", "type=Other tag=x"]).stderr("").ok();
}

#[test]
fn what_is_no_query_is_refused_before_anything_is_stored() {
    let shop = taken();
    for (none, told) in [
        ("", "--none is no query: the query is empty at column 1"),
        (
            "name:ann",
            "--none is no query: `name:ann` is none of type=, tag= and stream= at column 1",
        ),
        ("[]", "--none is no query: the query is empty at column 2"),
        (r#"[{"tags":null}]"#, "--none is no query: invalid type: null"),
        (r#"{"tags":["a b"]}"#, "the tag has ` ` at character 2"),
    ] {
        shop.run(["append", "a", "T", "--none", none]).fails_with(6, [told]);
    }
    shop.run(["append", "a", "T", "--none", "[{tags:[x]}]"])
        .fails_with(6, ["hint: the shell took the quotes of the JSON: ream append a T --none '[{\"tags\":[\"x\"]}]'"]);
    shop.run(["append", "a", "T", "--none-after", "1"]).fails_with(2, ["--none <QUERY>"]);
    assert_eq!(shop.run(["read"]).values().len(), 1);
}

#[test]
fn a_condition_in_a_line_is_an_object() {
    let shop = taken();
    let line = |stream: &str, expect: &str| {
        format!(r#"{{"stream":"{stream}","type":"T","tags":["t"],"expect":{expect}}}"#) + "\n"
    };
    let lines = line("a", r#"{"versions":{"user-1":1,"b":"no-stream"},"none":[{"tags":["t"]}]}"#)
        + &line("a", r#"{"versions":{"a":1},"none":[{"tags":["name:ann"]}],"after":1}"#)
        + &line("b", r#"{"none":[{"types":["T"]}],"after":3}"#);
    shop.append_lines(&lines).ok();
    // The line before it counts.
    let lines = line("c", r#"{"none":[{"tags":["t"]}],"after":4}"#).repeat(2);
    shop.append_lines(&lines)
        .code(3)
        .stderr_has(["stopped at line 2: 1 event is stored", "T at position 5 (`c`, version 1)"])
        .stdout_has(["\"position\":5"]);
    // Its own do not.
    let lines = line("d", r#"{"none":[{"tags":["t"]}],"after":5}"#).repeat(2);
    shop.append_lines(&lines).args(["--atomic"]).ok();
    // A state takes a version of its stream that is said so.
    let with_state = |expect: &str| {
        shop.append_lines(&format!(r#"{{"stream":"d","type":"T","state":1,"expect":{expect}}}"#))
    };
    with_state(r#"{"versions":{"c":1}}"#)
        .fails_with(6, ["the state of `d` needs an expected version"]);
    with_state(r#"{"versions":{"c":1,"d":2}}"#).ok();
    for (expect, told) in [
        ("{}", "a condition needs `versions` or `none`"),
        (r#"{"after":1}"#, "`after` needs `none`"),
        (r#"{"version":3}"#, "column 57: unknown key `version`; did you mean `versions`?"),
        (r#"{"none":[{}]}"#, "an item of a query needs `types`, `tags` or `streams`"),
        (r#"{"none":null}"#, "invalid type: null"),
        (r#"{"none":[{"tags":["t"]}],"after":99}"#, "position 99 is beyond the head, 8"),
    ] {
        shop.append_lines(&line("e", expect)).fails_with(6, ["line 1", told]);
    }
    assert_eq!(shop.run(["read", "-n", "1"]).value()["position"], json!(8));
}

#[test]
fn a_condition_of_the_command_line_holds_for_all_lines_or_none() {
    let shop = taken();
    let lines = "{\"stream\":\"a\",\"type\":\"T\",\"tags\":[\"name:ann\"]}\n".repeat(2);
    let append = |args: &[&str]| shop.append_lines(&lines).args(args);
    append(&["--none", "tag=name:ann"]).fails_with(2, ["--none needs --atomic with --jsonl"]);
    append(&["--none", "tag=name:ann", "--atomic"])
        .fails_with(3, ["stopped at line 1: 0 events are stored", "position 1"]);
    append(&["--none", "tag=name:ann", "--none-after", "1", "--atomic"]).ok();
    let own = r#"{"stream":"a","type":"T","expect":{"none":[{"tags":["x"]}]}}"#;
    shop.append_lines(own)
        .args(["--atomic", "--none", "tag=y"])
        .fails_with(6, ["the line says `none`, as the command line does with --none"]);
    let versions = r#"{"stream":"a","type":"T","expect":{"versions":{"a":9}}}"#;
    shop.append_lines(versions)
        .args(["--atomic", "--none", "tag=y"])
        .fails_with(3, ["expected 9, actual 2"]);
    assert_eq!(shop.run(["read"]).values().len(), 3);
}
