//! Data that is JSON, that is bytes, and that is neither.

use std::fmt::Write as _;

use crate::harness::{Ream, line, ream};

/// 16 MiB, the most that a store takes unless it is told otherwise.
const MOST: usize = 16 * 1024 * 1024;

/// A JSON string of `bytes` bytes.
fn text_of(bytes: usize) -> String {
    format!("\"{}\"", "x".repeat(bytes - 2))
}

/// Arrays in arrays.
fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

/// Refuses the data wherever it comes from, with that message, and stores nothing.
#[track_caller]
fn check_refused(shop: &Ream, data: &[u8], message: &str) {
    shop.run(["append", "s", "T", "-"]).stdin(data).code(6).stderr_has([message]).stdout("");
    let lines = [br#"{"stream":"s","type":"T","data":"#, data, b"}\n"].concat();
    for atomic in [&[][..], &["--atomic"]] {
        let parts = ["error: stopped at line 1: 0 events are stored", message];
        let run = shop.run(["append", "--jsonl", "-"]).args(atomic).stdin(&*lines);
        run.code(6).stderr_has(parts).stdout("");
    }
    shop.run(["read"]).stdout("");
}

#[test]
fn every_payload_comes_back_byte_for_byte() {
    let payloads = [
        "null",
        "-0",
        "1.10",
        "1E+2",
        "12345678901234567890.000",
        "0.1e-7",
        r#"{"b":1,"a":2,"b":3}"#,
        r#"{"":{"é":"東京","\u00e9":"\/\b\f"}}"#,
        r#"" two  spaces ""#,
        r#""😀\ud83d\ude00""#,
        r#"["\u0000","\u202e"]"#,
        "[[],{},[{}]]",
    ];
    let shop = ream();
    for payload in payloads {
        shop.append("s", "T", payload).ok();
    }
    let mut lines = String::new();
    for payload in payloads {
        writeln!(lines, "{}", line("s", "T", payload)).unwrap();
    }
    shop.append_lines(&lines).ok();
    let read = shop.run(["read"]).text();
    for (event, payload) in read.lines().zip(payloads.iter().chain(&payloads)) {
        assert!(event.ends_with(&format!(",\"data\":{payload}}}")), "{event} is not {payload}");
    }
    assert_eq!(read.lines().count(), 2 * payloads.len());
}

#[test]
fn only_white_space_outside_strings_is_dropped() {
    let shop = ream();
    shop.append("s", "T", " {\t\"a b\" : [ 1 ,\r\n2 ] } ").ok();
    shop.run(["read"]).stdout_has([r#","data":{"a b":[1,2]}}"#]);
}

#[test]
fn a_bare_word_is_answered_with_the_quoted_string() {
    let shop = ream();
    for (word, column, hint) in [
        ("hello", 1, r#"ream append s T '"hello"'"#),
        ("two words", 2, r#"ream append s T '"two words"'"#),
        ("it's", 1, r#"ream append s T '"it'\''s"'"#),
        ("True", 1, r#"ream append s T '"True"'"#),
    ] {
        shop.append("s", "T", word).fails_with(
            6,
            [
                "error: DATA is not valid JSON: expected ",
                &format!(" at line 1 column {column}\nhint: a JSON string has quotes: {hint}\n"),
            ],
        );
        // The command of the hint does what was meant.
        shop.sh(&hint.replacen("ream", "\"$REAM\"", 1)).ok();
        assert_eq!(shop.run(["read", "-n1"]).value()["data"], word);
    }
}

#[test]
fn json_comes_from_a_file_wherever_it_is_taken() {
    let shop = ream();
    shop.write("data.json", "{\n  \"n\": 1.50\n}\n").write("meta.json", "{\"by\":\"ann\"}");
    shop.run(["append", "s", "T", "@data.json", "--meta", "@meta.json"]).ok();
    shop.run(["append", "s", "T", "--meta", "-"]).stdin("{\"by\":\"bob\"}").ok();
    let stored = shop.run(["read"]).text();
    assert!(stored.contains(r#""data":{"n":1.50},"metadata":{"by":"ann"}"#), "{stored}");
    assert!(stored.contains(r#""data":{},"metadata":{"by":"bob"}"#), "{stored}");
    let script = r#"read -r line; echo "$line" >> heard; echo '{"append":{"type":"Done"}}'"#;
    shop.run(["decide", "s", "@data.json", "--", "sh", "-c", script]).ok();
    let heard = std::fs::read_to_string(shop.path("heard")).unwrap();
    assert!(heard.contains(r#""command":{"n":1.50}"#), "{heard}");
    shop.run(["project", "create", "rows", "n:decimal:3:2:key"]).ok();
    shop.run(["project", "set", "rows", "@data.json"]).ok();
    shop.run(["project", "select", "rows"]).stdout("{\"n\":1.50}\n");
    // A file that is not there is not taken for a text.
    shop.append("s", "T", "@none.json").fails(
        1,
        "error: can't read none.json\ncaused by: No such file or directory (os error 2)\n",
    );
    shop.run(["append", "s", "T", "-", "--meta=-"]).fails_with(2, ["`-` is given twice"]);
    shop.write("bad.json", "{amount:1}");
    let refused = shop.append("s", "T", "@bad.json").code(6).stderr_has(["DATA is not valid JSON"]);
    assert_eq!(refused.bytes(), b"");
}

#[test]
fn data_that_is_no_json_is_refused_with_its_place() {
    let shop = ream();
    for (data, error) in [
        (r#"{"a":1"#, "it ends within an object at line 1 column 6"),
        ("[1,\n2,]", "expected value at line 2 column 3"),
        ("{} {}", "trailing characters at line 1 column 4"),
        ("", "it ends where a value is expected at line 1 column 0"),
        ("01", "invalid number at line 1 column 2"),
        ("{'a':1}", "expected a key in double quotes at line 1 column 2"),
    ] {
        let error = error.replace("column 0", "column 1");
        shop.run(["append", "s", "T", "-"])
            .stdin(data)
            .fails(6, &format!("error: DATA is not valid JSON: {error}\n"));
    }
    shop.run(["read"]).stdout("");
}

#[test]
fn truncated_data_is_refused_wherever_it_comes_from() {
    let shop = ream();
    shop.append("s", "T", r#"{"a":[1,2"#).fails_with(6, ["DATA is not valid JSON: it ends within"]);
    shop.append_lines(r#"{"stream":"s","type":"T","data":{"a":[1,2"#).fails_with(
        6,
        ["stopped at line 1: 0 events are stored", "line 1, column 41: it ends within"],
    );
    shop.run(["read"]).stdout("");
}

#[test]
fn half_a_surrogate_pair_is_refused() {
    for half in [r#""\ud800""#, r#""\udc00\ud800""#, r#"["ok",{"k":"\ud83dx"}]"#] {
        check_refused(&ream(), half.as_bytes(), "half of a surrogate pair");
    }
}

#[test]
fn a_nul_is_refused() {
    check_refused(&ream(), b"\"a\0b\"", "control character");
    check_refused(&ream(), b"1\0", "");
}

#[test]
fn invalid_utf_8_is_refused() {
    check_refused(&ream(), b"\"a\xff\"", "invalid UTF-8");
    check_refused(&ream(), b"\"\xed\xa0\x80\"", "invalid UTF-8");
}

#[test]
fn a_byte_order_mark_is_refused() {
    let shop = ream();
    shop.run(["append", "s", "T", "-"]).stdin("\u{feff}{}").fails(
        6,
        "error: DATA is not valid JSON: a byte order mark is not JSON at line 1 column 1\n",
    );
    shop.append_lines(&format!("\u{feff}{}\n", line("s", "T", "1"))).fails(
        6,
        "error: stopped at line 1: 0 events are stored\n\
         caused by: line 1, column 1: a byte order mark is not JSON\n",
    );
    shop.run(["read"]).stdout("");
}

#[test]
fn arrays_nest_128_deep_and_no_deeper() {
    check_refused(&ream(), nested(129).as_bytes(), "nested deeper than 128");
    check_refused(&ream(), nested(100_000).as_bytes(), "nested deeper than 128");
    let shop = ream();
    shop.append("s", "T", &nested(128)).ok();
    shop.append_lines(&line("s", "T", &nested(128))).ok();
    assert_eq!(shop.run(["read"]).text().matches(&nested(128)).count(), 2);
    let meta = format!(r#"{{"a":{}}}"#, nested(128));
    shop.run(["append", "s", "T", "--meta", &meta]).fails_with(6, ["nested deeper than 128"]);
}

#[test]
fn data_of_16_mib_is_taken_and_more_is_not() {
    let shop = ream();
    let too_much = text_of(17 * 1024 * 1024);
    let message = "the data has 17825792 bytes; this store takes 16777216";
    check_refused(&shop, too_much.as_bytes(), message);
    let one_more = format!("the data has {} bytes; this store takes {MOST}", MOST + 1);
    shop.run(["append", "s", "T", "-"])
        .stdin(text_of(MOST + 1))
        .fails_with(6, [&format!("error: {one_more}\n"), "hint: ", "max-data-bytes"]);
    shop.run(["append", "s", "T", "-"]).stdin(text_of(MOST)).ok();
    let read = shop.run(["read"]).bytes();
    let end = text_of(MOST) + "}\n";
    assert!(read.ends_with(end.as_bytes()), "16 MiB did not come back as they were");
}

#[test]
fn a_line_that_is_too_large_leaves_those_before_it() {
    let shop = ream();
    let lines = format!("{}\n{}\n", line("s", "T", "1"), line("s", "T", &text_of(MOST + 1)));
    shop.append_lines(&lines)
        .code(6)
        .stderr_has(["error: stopped at line 2: 1 event is stored\n", "this store takes 16777216"])
        .stdout("{\"stream\":\"s\",\"version\":1,\"position\":1,\"id\":\"[link]/1\"}\n");
}

#[test]
fn bytes_that_are_no_json_travel_as_base64() {
    let shop = ream();
    shop.run(["append", "s", "T", "AP8=", "--base64"]).ok();
    shop.run(["append", "s", "T", "-", "--base64"]).stdin("AP8=\n").ok();
    shop.run(["append", "s", "T", "--base64"]).ok();
    shop.append_lines(r#"{"stream":"s","type":"T","data_base64":"AP8="}"#).ok();
    let data: Vec<_> =
        shop.run(["read"]).values().iter().map(|e| e["data_base64"].clone()).collect();
    assert_eq!(data, ["AP8=", "AP8=", "", "AP8="]);
    assert!(!shop.run(["read"]).text().contains("\"data\":"));
}

#[test]
fn what_is_no_base64_is_refused() {
    let shop = ream();
    for text in ["AP8", "A?==", "AP9=", "{}"] {
        shop.run(["append", "s", "T", text, "--base64"])
            .fails_with(6, ["error: not valid base64: "]);
        shop.append_lines(&format!(r#"{{"stream":"s","type":"T","data_base64":"{text}"}}"#))
            .fails_with(6, ["line 1, column ", "not valid base64: "]);
    }
    shop.run(["read"]).stdout("");
}

#[test]
fn bytes_and_text_of_the_same_spelling_are_different_events() {
    let shop = ream();
    shop.run(["append", "s", "T", "1", "--id", "a"]).ok();
    // The byte 0x31 is the text 1.
    shop.run(["append", "s", "T", "MQ==", "--base64", "--id", "a"]).fails_with(6, ["id reused"]);
}
