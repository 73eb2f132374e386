//! `ream append` of one event. Many events, and data that is no JSON, are in `append/`.

mod conditions;
mod data;
mod jsonl;
mod lines;
mod live;
mod matrix;
mod names;
mod tags;

use std::fs;

use serde_json::json;

use crate::harness::ream;

const ACK: &str = "{\"stream\":\"cart-1\",\"version\":1,\"position\":1,\"id\":\"[link]/1\"}\n";

#[test]
fn an_event_is_acknowledged_in_a_line_of_json_and_read_back() {
    let shop = ream();
    shop.append("cart-1", "ItemAdded", r#"{"n":1}"#).stdout(ACK);
    shop.run(["read"]).stdout(concat!(
        r#"{"position":1,"stream":"cart-1","version":1,"id":"[link]/1","type":"ItemAdded","#,
        r#""time":"[time]","data":{"n":1}}"#,
        "\n"
    ));
}

#[test]
fn data_is_an_empty_object_where_none_is_given() {
    let shop = ream();
    shop.run(["append", "cart-1", "Opened"]).stdout(ACK);
    assert_eq!(shop.run(["read"]).value()["data"], json!({}));
}

#[test]
fn versions_count_within_the_stream_and_positions_within_the_store() {
    let shop = ream();
    shop.append("a", "T", "1").ok().append("b", "T", "1").ok();
    shop.append("a", "T", "1")
        .stdout("{\"stream\":\"a\",\"version\":2,\"position\":3,\"id\":\"[link]/3\"}\n");
}

#[test]
fn dash_reads_the_data_from_stdin() {
    let shop = ream();
    shop.run(["append", "cart-1", "T", "-"]).stdin("{\n  \"n\": 1\n}\n").stdout(ACK);
    assert_eq!(shop.run(["read"]).text().matches(r#""data":{"n":1}}"#).count(), 1);
}

#[test]
fn stdin_belongs_to_the_loop_that_appends() {
    let shop = ream();
    shop.sh("while read -r n; do \"$REAM\" append s T \"$n\" || exit; done >/dev/null")
        .stdin("1\n2\n3\n")
        .stdout("");
    let data: Vec<_> = shop.run(["read"]).values().iter().map(|e| e["data"].clone()).collect();
    assert_eq!(data, [1, 2, 3]);
}

#[test]
fn an_append_does_not_wait_for_a_stdin_that_stays_open() {
    let shop = ream();
    let mut append = shop.append("cart-1", "T", "1").stdin("").start();
    append.hears(ACK.trim_end());
    append.ends(0);
}

#[test]
fn an_id_makes_an_append_repeatable() {
    let shop = ream();
    let pay = |data: &str| shop.run(["append", "order-1", "Paid", data, "--id", "payment-7"]);
    let ack = r#"{"stream":"order-1","version":1,"position":1,"id":"payment-7""#;
    pay(r#"{"n":1}"#).stdout(&format!("{ack}}}\n"));
    let again = format!("{ack},\"duplicate\":true}}\n");
    pay(r#"{"n":1}"#).stdout(&again);
    // White space outside strings is no difference; nor is what is expected, or when.
    pay(r#" { "n" : 1 } "#).stdout(&again);
    pay(r#"{"n":1}"#).args(["--expect", "no-stream"]).stdout(&again);
    pay(r#"{"n":1}"#).args(["--expect", "17", "--time", "2020-01-01T00:00:00Z"]).stdout(&again);
    assert_eq!(shop.positions(&[]), [1]);
}

#[test]
fn an_id_with_other_content_is_refused() {
    let shop = ream();
    shop.run(["append", "order-1", "Paid", "1", "--id", "p", "--meta", r#"{"a":1}"#]).ok();
    let same = ["append", "order-1", "Paid", "1", "--id", "p", "--meta", r#"{"a":1}"#];
    for (at, other) in [(1, "order-2"), (2, "Refunded"), (3, "2"), (3, "1.0"), (7, r#"{"a":2}"#)] {
        let mut args = same;
        args[at] = other;
        shop.run(args).fails(
            6,
            "error: id reused: `p` is the event at position 1 (`order-1`, version 1), with other content\n\
             hint: an id stands for one event for ever; see it: ream read --from 1 --until 1\n",
        );
    }
    shop.run(same).stdout_has(["\"duplicate\":true"]);
    assert_eq!(shop.positions(&[]), [1]);
}

#[test]
fn the_id_of_a_removed_event_stays_spent() {
    let shop = ream();
    shop.run(["append", "order-1", "Paid", "1", "--id", "p"]).ok();
    shop.run(["stream", "rm", "order-1", "--yes"]).ok();
    shop.run(["append", "order-1", "Paid", "1", "--id", "p", "--expect", "exists"]).stdout(concat!(
        r#"{"stream":"order-1","version":1,"position":1,"id":"p","duplicate":true,"removed":true}"#,
        "\n"
    ));
    shop.run(["append", "order-2", "Paid", "1", "--id", "p"])
        .code(6)
        .stderr_has(["error: id reused: `p` is the event at position 1"])
        .stdout("");
}

#[test]
fn an_id_that_is_made_of_a_link_and_a_position_finds_the_event_there() {
    let shop = ream();
    shop.append("s", "T", "1").ok();
    let own = shop.run(["read"]).value()["id"].as_str().unwrap().to_owned();
    shop.run(["append", "s", "T", "1", "--id", &own]).stdout_has(["\"duplicate\":true"]);
    shop.run(["append", "s", "T", "2", "--id", &own]).code(6).stderr_has(["id reused"]).ok();
    assert_eq!(shop.positions(&[]), [1]);
    // Any other is one as writers give them.
    let (link, _) = own.split_once('/').unwrap();
    for other in [format!("{link}/2"), format!("{link}/01"), "0000000000000/1".into()] {
        let stored = shop.run(["append", "s", "T", "1", "--id", &other]).value();
        assert_eq!(
            (&stored["id"], &stored["duplicate"]),
            (&other.into(), &serde_json::Value::Null)
        );
    }
    assert_eq!(shop.positions(&[]), [1, 2, 3, 4]);
}

#[test]
fn each_form_of_expect_holds_or_conflicts() {
    let shop = ream();
    let conflict = |expect: &str, actual: u32| {
        let hint = match expect {
            "exists" => "ream stream show s",
            _ => "read what came in between, decide again: ream read s",
        };
        let error =
            format!("wrong expected version of the stream `s`: expected {expect}, actual {actual}");
        shop.run(["append", "s", "T", "--expect", expect])
            .fails(3, &format!("error: {error}\nhint: {hint}\n"));
    };
    let holds = |expect: &str| shop.run(["append", "s", "T", "--expect", expect]).ok();
    conflict("exists", 0);
    conflict("1", 0);
    holds("0");
    conflict("no-stream", 1);
    conflict("0", 1);
    conflict("2", 1);
    holds("exists");
    holds("2");
    holds("any");
    assert_eq!(shop.positions(&[]), [1, 2, 3, 4]);
    shop.run(["append", "new", "T", "--expect", "no-stream"]).ok();
}

#[test]
fn an_expectation_that_is_none_is_a_usage_error() {
    let shop = ream();
    for expect in ["some", "-1", "+1", "1.0", "ANY", "no_stream", "continues", "{}", ""] {
        shop.run(["append", "s", "T", "--expect", expect])
            .code(2)
            .stderr_has(["unknown expectation", "any, no-stream, exists or a version"])
            .stdout("");
    }
    shop.run(["read"]).stdout("");
}

#[test]
fn metadata_is_kept_as_it_is_written() {
    let shop = ream();
    shop.run(["append", "s", "T", "--meta", r#"{"b": 1.0, "a": 2, "b": 3}"#]).ok();
    shop.run(["read"]).stdout_has([r#","data":{},"metadata":{"b":1.0,"a":2,"b":3}}"#]);
    for (meta, error) in [
        ("1", "--meta must be a JSON object"),
        ("[]", "--meta must be a JSON object"),
        ("{", "--meta is not valid JSON: it ends within an object at line 1 column 1"),
    ] {
        shop.run(["append", "s", "T", "--meta", meta]).fails(6, &format!("error: {error}\n"));
    }
}

#[test]
fn correlation_and_causation_go_into_the_metadata() {
    let shop = ream();
    shop.run(["append", "s", "T", "--correlation", "c\"1", "--causation", "e2"]).ok();
    shop.run(["append", "s", "T", "--causation", "e2", "--meta", r#"{"who":"me"}"#]).ok();
    let metadata: Vec<_> =
        shop.run(["read"]).values().iter().map(|e| e["metadata"].to_string()).collect();
    assert_eq!(
        metadata,
        [r#"{"causation_id":"e2","correlation_id":"c\"1"}"#, r#"{"causation_id":"e2","who":"me"}"#]
    );
    shop.run(["append", "s", "T", "--correlation", "2", "--meta", r#"{"correlation_id":1}"#])
        .fails(6, "error: --meta has `correlation_id` already\n");
}

#[test]
fn a_time_of_any_offset_comes_out_in_utc_beside_ours() {
    let shop = ream();
    shop.run(["append", "s", "T", "--time", "2010-10-02T09:20:39.266+02:00"]).ok();
    shop.run(["read"]).stdout(concat!(
        r#"{"position":1,"stream":"s","version":1,"id":"[link]/1","type":"T","#,
        r#""time":"2010-10-02T07:20:39.266000Z","recorded":"[time]","data":{}}"#,
        "\n"
    ));
}

#[test]
fn without_a_time_it_is_when_it_was_recorded() {
    let shop = ream();
    let before = jiff::Timestamp::now().as_microsecond();
    shop.append("s", "T", "1").ok();
    let after = jiff::Timestamp::now().as_microsecond();
    let event = shop.run(["read"]).value();
    assert_eq!(event.get("recorded"), None);
    let time: jiff::Timestamp = event["time"].as_str().unwrap().parse().unwrap();
    assert!((before..=after).contains(&time.as_microsecond()), "{time}");
}

#[test]
fn a_time_may_lie_a_day_ahead_and_no_more() {
    let shop = ream();
    let ahead =
        |hours| (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours)).to_string();
    shop.run(["append", "s", "T", "--time", &ahead(23)]).ok();
    for hours in [25, 24 * 7] {
        shop.run(["append", "s", "T", "--time", &ahead(hours)])
            .code(6)
            .stderr_has(["error: the time ", " is more than a day after the store's clock, "])
            .stdout("");
    }
    let week = format!(r#"{{"stream":"s","type":"T","time":"{}"}}"#, ahead(24 * 7));
    shop.append_lines(&week).code(6).stderr_has(["at line 1", "more than a day after"]).stdout("");
    assert_eq!(shop.positions(&[]), [1]);
}

#[test]
fn a_time_that_is_none_is_refused() {
    let shop = ream();
    for time in
        ["soon", "", "2026-11-23", "2026-11-23T04:49:13", "2026-13-01T00:00:00Z", "1795409353"]
    {
        shop.run(["append", "s", "T", "--time", time])
            .code(6)
            .stderr_has(["is not a valid time (RFC 3339, such as 2026-11-23T04:49:13Z)"])
            .stdout("");
        let line = format!(r#"{{"stream":"s","type":"T","time":"{time}"}}"#);
        shop.append_lines(&line)
            .code(6)
            .stderr_has([
                "line 1, column ",
                "is not a valid time (RFC 3339, such as 2026-11-23T04:49:13Z)",
            ])
            .stdout("");
    }
    shop.run(["read"]).stdout("");
}

#[test]
fn negative_numbers_are_data() {
    let shop = ream();
    for number in ["-5", "-0", "-1.50", "-12e3", "-1E2"] {
        shop.append("s", "T", number).ok();
        shop.run(["read", "-n", "1"]).stdout_has([&format!("\"data\":{number}}}")]);
    }
}

#[test]
fn a_negative_number_may_have_an_exponent_with_a_sign() {
    let shop = ream();
    for number in ["-1e-2", "-1E-2", "-1.5E+3", "-1e+2"] {
        shop.append("s", "T", number).ok();
        shop.run(["read", "-n", "1"]).stdout_has([&format!("\"data\":{number}}}")]);
    }
}

#[test]
fn atomic_without_jsonl_is_a_usage_error() {
    let shop = ream();
    shop.run(["append", "s", "T", "--atomic"]).fails_with(2, ["error: --atomic needs --jsonl"]);
    shop.run(["read"]).stdout("");
}

#[test]
fn an_unknown_flag_near_a_known_one_names_it() {
    let shop = ream();
    for (flag, meant) in
        [("--expct", "--expect"), ("--metadata", "--meta"), ("--base46", "--base64")]
    {
        shop.run(["append", "s", "T", flag, "1"])
            .code(2)
            .stderr_has([&format!("unexpected argument '{flag}'"), &format!("'{meant}'")])
            .stdout("");
    }
    shop.run(["read"]).stdout("");
}

#[test]
fn what_makes_no_sense_together_is_a_usage_error() {
    let shop = ream();
    shop.write("f", "");
    for (args, message) in [
        (&["append"][..], "required arguments were not provided"),
        (&["append", "s"], "<TYPE>"),
        (&["append", "s", "T", "1", "2"], "unexpected argument '2'"),
        (&["append", "s", "T", "--jsonl", "f"], "cannot be used with"),
        (
            &["append", "--jsonl", "f", "--id", "x"],
            "'--jsonl <FILE>' cannot be used with '--id <KEY>'",
        ),
        (&["append", "--jsonl", "f", "--meta", "{}"], "cannot be used with"),
        (&["append", "--jsonl", "f", "--correlation", "x"], "cannot be used with"),
        (&["append", "--jsonl", "f", "--causation", "x"], "cannot be used with"),
        (&["append", "--jsonl", "f", "--base64"], "cannot be used with"),
        (&["append", "--jsonl", "f", "--time", "2020-01-01T00:00:00Z"], "cannot be used with"),
        (&["append", "s", "T", "-", "--meta", "-"], "`-` is given twice"),
        (&["append", "-", "--jsonl", "-"], "`-` is given twice"),
        (&["append", "-", "T", "--jsonl=-"], "`-` is given twice"),
    ] {
        shop.run(args).code(2).stderr_has(["error: ", message]).stdout("");
    }
    shop.run(["append", "--jsonl", "f", "--expect", "3"]).fails(
        2,
        "error: --expect needs STREAM; with several streams, a line says \"expect\" itself\n\
         hint: ream append --help\n",
    );
    shop.run(["read"]).stdout("");
}

#[test]
fn a_stdout_that_nobody_reads_does_not_undo_an_append() {
    let shop = ream();
    shop.sh("{ \"$REAM\" append s T 1; echo $? >code; } | true").stdout("");
    assert_eq!(fs::read_to_string(shop.path("code")).unwrap(), "0\n");
    assert_eq!(shop.positions(&[]), [1]);
}

#[test]
fn a_readable_line_says_where_an_event_stands() {
    let shop = ream();
    let table = |args: &[&str]| shop.run(["append", "--format=table", "s", "T", "1"]).args(args);
    table(&["--id", "a"]).stdout("s@1 at position 1\n");
    table(&["--id", "a"]).stdout("s@1 at position 1 (stored before)\n");
    table(&["--quiet"]).stdout("");
    shop.run(["stream", "rm", "s", "--yes"]).ok();
    table(&["--id", "a"]).stdout("s@1 at position 1 (stored before, and removed since)\n");
}
