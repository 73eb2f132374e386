//! Names of streams and types, and ids: the good and the bad.

use crate::harness::ream;

#[test]
fn names_of_any_script_and_of_255_bytes_are_taken() {
    let shop = ream();
    let long = "x".repeat(255);
    for (number, name) in
        ["order-42", "Zoë's order", "東京-1", "a$b", "%_?[a]\\", "\"q\"", "-1", &long]
            .into_iter()
            .enumerate()
    {
        let id = format!("id {number}");
        shop.run(["append", "--id", &id, "--", name, name]).ok();
        let event = shop.run(["read", "--", name]).value();
        assert_eq!((&event["stream"], &event["type"]), (&name.into(), &name.into()));
        assert_eq!(event["id"], id);
    }
}

#[test]
fn bad_names_are_refused_on_the_command_line_and_in_a_line() {
    let shop = ream();
    let long = "é".repeat(128);
    for (name, problem) in [
        ("", "is empty"),
        (&*long, "has 256 bytes; 255 are allowed"),
        ("$ream", "begins with `$`, which is reserved"),
        ("a\u{7}b", "has the control character U+0007 at character 2"),
        ("a\nb", "has the control character U+000A at character 2"),
        ("\u{85}", "has the control character U+0085 at character 1"),
        ("order-*", "has `*` at character 7"),
        (" a", "begins or ends with white space"),
        ("a\u{3000}", "begins or ends with white space"),
    ] {
        let json = serde_json::to_string(name).unwrap();
        for (what, args, line) in [
            ("the stream name", [name, "T"], format!(r#"{{"type":"T","stream":{json}}}"#)),
            ("the event type", ["s", name], format!(r#"{{"stream":"s","type":{json}}}"#)),
        ] {
            let problem = format!("{what} {problem}");
            shop.run(["append"]).args(args).fails_with(6, [&problem]);
            shop.append_lines(&line).fails_with(
                6,
                ["stopped at line 1: 0 events are stored", "line 1, column ", &problem],
            );
        }
    }
    shop.run(["read"]).stdout("");
}

#[test]
fn bad_ids_are_refused_on_the_command_line_and_in_a_line() {
    let shop = ream();
    let long = "x".repeat(256);
    for (id, problem) in [
        ("", "the id is empty"),
        (&*long, "the id has 256 bytes; 255 are allowed"),
        ("a\tb", "the id has the control character U+0009 at character 2"),
        ("a ", "the id begins or ends with white space"),
    ] {
        shop.run(["append", "s", "T", "--id", id]).fails_with(6, [problem]);
        let json = serde_json::to_string(id).unwrap();
        let line = format!(r#"{{"stream":"s","type":"T","id":{json}}}"#);
        shop.append_lines(&line).fails_with(6, [problem]);
    }
    shop.run(["read"]).stdout("");
    // What a stream may not hold, an id may.
    shop.run(["append", "s", "T", "--id", "$import/*/1"]).ok();
}

#[test]
fn bad_patterns_are_refused() {
    let shop = ream();
    for (pattern, problem) in [
        ("", "the pattern is empty"),
        ("a\u{1b}b", "the pattern has the control character U+001B at character 2"),
        (" *", "the pattern begins or ends with white space"),
    ] {
        for command in [&["read"][..], &["tail"], &["stream", "list"]] {
            shop.run(command).args([pattern]).fails_with(6, [problem]);
        }
    }
}
