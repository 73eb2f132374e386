//! Nothing that acts on a terminal, and nothing invisible, reaches one: from names, types, data,
//! arguments, replies and what programs say, in each format, however slowly the terminal takes it.

use std::ops::RangeInclusive;

use crate::harness::{Ream, Run, line, ream};

/// Control characters that may stand in a text but not in a name.
const CONTROLS: [RangeInclusive<u32>; 2] = [0x01..=0x1f, 0x7f..=0x9f];
/// Bidirectional marks, and what shows as nothing.
const INVISIBLE: [RangeInclusive<u32>; 17] = [
    0xad..=0xad,
    0x34f..=0x34f,
    0x61c..=0x61c,
    0x115f..=0x1160,
    0x17b4..=0x17b5,
    0x180b..=0x180f,
    0x200b..=0x200f,
    0x2028..=0x202e,
    0x2060..=0x2064,
    0x2066..=0x2069,
    0x3164..=0x3164,
    0xfe00..=0xfe0f,
    0xfeff..=0xfeff,
    0xffa0..=0xffa0,
    0xe0001..=0xe0001,
    0xe0020..=0xe007f,
    0xe0100..=0xe01ef,
];

fn characters(ranges: &[RangeInclusive<u32>]) -> String {
    ranges.iter().flat_map(Clone::clone).filter_map(char::from_u32).collect()
}

/// Some of the invisible characters at a time, as many as a name holds with a letter at each end.
fn names() -> Vec<String> {
    let all: Vec<char> = characters(&INVISIBLE).chars().collect();
    all.chunks(40).map(|some| format!("x-{}x", some.iter().collect::<String>())).collect()
}

/// Text with everything that must not reach a terminal.
fn everything() -> String {
    characters(&CONTROLS) + &characters(&INVISIBLE)
}

/// What a terminal shows of a command; nothing dangerous is in it.
#[track_caller]
fn screen(run: Run<'_>) -> String {
    let screen = run.env("NO_COLOR", "1").on_terminal().text();
    check(&screen);
    screen
}

#[track_caller]
fn check(screen: &str) {
    let dangerous = |character: char| {
        let number = u32::from(character);
        let mut all = CONTROLS.iter().chain(&INVISIBLE);
        number < 0x20 || number >= 0x7f && all.any(|range| range.contains(&number))
    };
    for character in screen.chars().filter(|character| *character != '\n') {
        assert!(!dangerous(character), "{character:?} in {screen:?}");
    }
    assert!(!screen.contains('\u{fffd}'), "cut within a character: {screen:?}");
}

/// A store with all of it in names, types, data, metadata and states.
fn filled() -> Ream {
    let shop = ream();
    let raw = characters(&CONTROLS[1..]) + &characters(&INVISIBLE);
    for name in names() {
        let data = format!(r#"{{"{name}":"{raw}"}}"#);
        shop.run(["append", &name, &name, &data, "--meta", &data, "--id", &name])
            .args(["--expect", "no-stream", "--state", &data])
            .ok();
    }
    shop
}

#[test]
fn what_is_stored_is_escaped() {
    let shop = filled();
    let first = &names()[0];
    for format in ["table", "json", "jsonl"] {
        let shows = |args: &[&str]| screen(shop.run(args).args(["--format", format]));
        for args in [
            &["read"][..],
            &["tail", "--limit", "2"],
            &["stream", "list"],
            &["state", "list", "*"],
            &["state", "get", first],
            &["state", "get", first, "--data"],
            &["append", first, first, "--id", "other"],
            &["stream", "protect", first],
            &["stream", "unprotect", first],
            &["state", "rm", first, "--yes"],
            &["stream", "rm", first, "--dry-run"],
        ] {
            let screen = shows(args);
            let seen = screen.contains("\\u00ad") || args[0] == "tail";
            assert!(seen, "{format} {args:?}: {screen}");
        }
        let data = format!("{{\"{first}\":1}}");
        shop.run(["state", "set", first, &data]).ok();
    }
    // In a pipe it is as it was written.
    let read = shop.run(["read", first]).text();
    assert!(read.contains(first), "{read}");
}

#[test]
fn what_programs_say_is_escaped_where_it_is_quoted() {
    let shop = ream();
    shop.append("order-1", "T", "1").ok();
    let said = characters(&CONTROLS[1..]) + &characters(&INVISIBLE);
    shop.write("said", &said);
    let reject = format!("{{\"reject\":\"{said}\"}}\n");
    shop.write("reject", reject);
    // A program's stderr is its own log, so it is sent elsewhere; what is quoted of it is not.
    let decide = |script: &str, code: i32| {
        let run = shop.run(["decide", "s", "{}", "--", "sh", "-c", script]);
        screen(run.code(code))
    };
    assert!(decide("cat reject", 8).contains("\\u00ad"));
    assert!(decide("cat said", 7).contains("\\u00ad"));
    let react = |script: &str, code: i32| {
        let run = shop.run(["tail", "--as", "echo", "--retries", "0", "--", "sh", "-c", script]);
        run.args(["\u{202e}"]).code(code)
    };
    assert!(screen(react("cat said", 7)).contains("\\u00ad"));
    react("cat said >&2; exit 1", 7).stderr_has(["caused by: ", "\\u00ad"]).stdout("");
    for format in ["table", "json", "jsonl"] {
        for command in ["list", "show"] {
            let name = (command == "show").then_some("echo");
            let run = shop.run(["subscription", command]).args(name);
            assert!(screen(run.args(["--format", format])).contains("\\u00ad"), "{command}");
        }
    }
}

#[test]
fn arguments_are_escaped_where_an_error_quotes_them() {
    let shop = ream();
    shop.run(["project", "create", "users", "id:text:key"]).ok();
    shop.append("s", "T", "1").ok();
    let bad = format!("x{}x", everything());
    let name = &names()[0];
    let option = format!("--{bad}");
    for (args, code) in [
        (&["read", &option][..], 2),
        (&[&bad], 2),
        (&["stream", &bad], 2),
        (&["read", &bad], 6),
        (&["read", "--since", &bad], 6),
        (&["read", "--until", &bad], 6),
        (&["read", "--after", &bad], 6),
        (&["read", "--limit", &bad], 2),
        (&["read", "--format", &bad], 2),
        (&["append", "s", &bad], 6),
        (&["append", "s", "T", &bad], 6),
        (&["append", "s", "T", "{}", &bad], 2),
        (&["append", "s", "T", "{}", "--meta", &bad], 6),
        (&["append", "s", "T", "{}", "--expect", &bad], 2),
        (&["append", "s", "T", "{}", "--expect", "0", "--state", &bad], 6),
        (&["append", "--jsonl", &bad], 1),
        (&["append", name, "T", "{}", "--expect", "7"], 3),
        (&["stream", "show", name], 4),
        (&["stream", "rm", "s", name, "--dry-run"], 0),
        (&["state", "get", &bad], 4),
        (&["state", "set", name, &bad], 6),
        (&["--store", name, "read"], 4),
        (&["decide", "s", &bad, "--", "true"], 6),
        (&["decide", "s", "{}", "--", &bad], 7),
        (&["tail", "--as", &bad, "--", "true"], 6),
        (&["subscription", "show", &bad], 4),
        (&["subscription", "seek", "x", &bad], 6),
        (&["project", "create", &bad, "id:text:key"], 6),
        (&["project", "create", "p", &bad], 6),
        (&["project", "create", "p", "--schema", &bad], 1),
        (&["project", "set", "users", &bad], 6),
        (&["project", "select", &bad], 4),
        (&["project", "select", "users", &bad], 6),
        (&["project", "select", "users", "--fields", &bad], 6),
        (&["project", "select", "users", "--order-by", &bad], 6),
        (&["project", "select", "users", "--with", &bad], 2),
        (&["project", "update", "users", "--set", &bad], 6),
        (&["project", "delete", "users", &bad], 6),
        (&["completions", &bad], 2),
    ] {
        screen(shop.run(args).code(code));
        // Nor where errors are written into a file that a terminal shows later.
        let errors = shop.sh("exec 2>&1; \"$REAM\" \"$@\"").args(["sh"]).args(args).code(code);
        if code != 0 {
            check(&errors.text());
        }
    }
}

/// A projection of so many texts.
fn projected(rows: usize, text: &str) -> Ream {
    let shop = ream();
    shop.run(["project", "create", "texts", "id:integer:key", "text:text"]).ok();
    let text = serde_json::to_string(text).unwrap();
    let rows = (0..rows).map(|id| format!("{{\"id\":{id},\"text\":{text}}}\n"));
    shop.run(["project", "set", "texts", "--jsonl", "-"]).stdin(rows.collect::<String>()).ok();
    shop
}

#[test]
fn rows_are_escaped_for_a_fast_terminal() {
    let shop = projected(3, &everything());
    let select = |format| shop.run(["project", "select", "texts", "--format", format]);
    for format in ["table", "csv", "json", "jsonl"] {
        assert!(screen(select(format)).contains("\\u202e"), "{format}");
    }
    // A record is a line on a terminal. In a pipe it is as it was written.
    assert_eq!(screen(select("csv")).lines().count(), 4);
    assert!(select("csv").text().contains(&everything()));
}

#[test]
fn rows_are_escaped_for_a_slow_terminal() {
    // More than is kept in memory, in characters that pieces of a file would cut.
    let rows = 12_000;
    let shop = projected(rows, &format!("{}\u{1b}[2J\u{9b}\u{202e}é", "東京".repeat(10)));
    for format in ["csv", "json", "jsonl", "table"] {
        let run = shop.run(["project", "select", "texts", "--format", format]);
        let screen = run.on_slow_terminal().text();
        check(&screen);
        assert_eq!(screen.matches("\\u202e").count(), rows, "{format}");
    }
}

#[test]
fn bytes_are_not_written_to_a_terminal() {
    let shop = ream();
    shop.run(["state", "set", "s", "G1tqYg==", "--base64"]).ok();
    let get = || shop.run(["state", "get", "s", "--data"]);
    let refused = screen(get().code(2));
    assert!(refused.starts_with("error: 4 bytes that are not text are not written"), "{refused}");
    assert_eq!(get().bytes(), b"\x1b[jb");
    shop.append_lines(&line("s", "T", "1")).ok();
}
