//! `ream append --jsonl`: many events, from a file or a pipe.

use std::fmt::Write as _;
use std::fs;

use crate::harness::{Ream, line, list, ream};

/// The acknowledgement of an event without an id.
fn ack(stream: &str, version: u64, position: u64) -> String {
    format!(
        "{{\"stream\":\"{stream}\",\"version\":{version},\"position\":{position},\"id\":\"[link]/{position}\"}}\n"
    )
}

const THREE: &str = concat!(
    "{\"stream\":\"a\",\"type\":\"T\"}\n",
    "{\"stream\":\"b\",\"type\":\"T\"}\n",
    "{\"stream\":\"a\",\"type\":\"T\"}\n",
);

fn three_acks() -> String {
    ack("a", 1, 1) + &ack("b", 1, 2) + &ack("a", 2, 3)
}

#[test]
fn several_streams_in_one_pipe_are_acknowledged_in_order() {
    let shop = ream();
    shop.append_lines(THREE).stdout(&three_acks());
    assert_eq!(shop.positions(&["a"]), [1, 3]);
}

#[test]
fn a_file_is_appended_as_a_pipe_is() {
    let shop = ream();
    shop.write("events.jsonl", THREE);
    shop.run(["append", "--jsonl", "events.jsonl"]).stdout(&three_acks());
    shop.run(["append", "--atomic", "--jsonl", "events.jsonl"])
        .stdout(&(ack("a", 3, 4) + &ack("b", 2, 5) + &ack("a", 4, 6)));
}

#[test]
fn a_file_that_is_missing_is_told() {
    ream().run(["append", "--jsonl", "no.jsonl"]).fails(
        1,
        "error: can't open no.jsonl\n\
         caused by: No such file or directory (os error 2)\n",
    );
}

#[test]
fn an_empty_input_stores_nothing() {
    let shop = ream();
    for input in ["", "\n", "\n \r\n\t\n"] {
        shop.append_lines(input).stdout("");
        shop.append_lines(input).args(["--atomic"]).stdout("");
    }
    shop.append_lines("").args(["--json"]).stdout("[]\n");
    shop.run(["read"]).stdout("");
}

#[test]
fn blank_lines_are_passed_over_and_counted() {
    let shop = ream();
    shop.append_lines("\n{\"stream\":\"a\",\"type\":\"T\"}\n\n   \n{\"stream\":\"a\"}\n")
        .code(6)
        .stderr(
            "error: stopped at line 5: 1 event is stored\n\
             caused by: line 5, column 14: no `type`\n",
        )
        .stdout(&ack("a", 1, 1));
}

#[test]
fn lines_may_end_in_cr_lf_and_the_last_one_in_nothing() {
    let shop = ream();
    shop.append_lines(THREE.replace('\n', "\r\n").trim_end()).stdout(&three_acks());
    assert_eq!(shop.run(["read"]).values().len(), 3);
}

#[test]
fn the_commands_stream_holds_for_lines_that_name_none() {
    let shop = ream();
    shop.run(["append", "a", "--jsonl", "-"])
        .stdin("{\"type\":\"T\"}\n{\"type\":\"T\",\"stream\":\"a\"}\n")
        .stdout(&(ack("a", 1, 1) + &ack("a", 2, 2)));
    shop.run(["append", "a", "--jsonl", "-"])
        .stdin("{\"type\":\"T\"}\n{\"type\":\"T\",\"stream\":\"b\"}\n")
        .code(6)
        .stderr(
            "error: stopped at line 2: 1 event is stored\n\
             caused by: line 2, column 25: the line is for the stream `b`, the command for `a`\n",
        )
        .stdout(&ack("a", 3, 3));
}

#[test]
fn the_first_failure_stops_and_says_what_is_stored() {
    let shop = ream();
    let lines = concat!(
        "{\"stream\":\"a\",\"type\":\"T\"}\n",
        "{\"stream\":\"b\",\"type\":\"T\",\"expect\":\"exists\"}\n",
        "{\"stream\":\"c\",\"type\":\"T\"}\n",
    );
    shop.append_lines(lines)
        .code(3)
        .stderr(
            "error: stopped at line 2: 1 event is stored\n\
             caused by: wrong expected version of the stream `b`: expected exists, actual 0\n\
             hint: ream stream show b\n",
        )
        .stdout(&ack("a", 1, 1));
    shop.append_lines(lines).args(["--atomic"]).fails(
        3,
        "error: stopped at line 2: 0 events are stored\n\
         caused by: wrong expected version of the stream `b`: expected exists, actual 0\n\
         hint: ream stream show b\n",
    );
    assert_eq!(shop.positions(&[]), [1]);
}

#[test]
fn what_was_there_already_is_told_beside_what_is_stored() {
    let shop = ream();
    let event = |id: &str| format!("{{\"stream\":\"a\",\"type\":\"T\",\"id\":\"{id}\"}}\n");
    shop.append_lines(&event("1")).ok();
    shop.append_lines(&(event("1") + &event("2") + "{}\n"))
        .code(6)
        .stderr(
            "error: stopped at line 3: 1 event is stored, 1 were there already\n\
             caused by: line 3, column 2: no `stream`\n",
        )
        .stdout_has(["\"id\":\"1\",\"duplicate\":true}\n", "\"id\":\"2\"}\n"]);
}

#[test]
fn an_atomic_input_with_an_id_twice_names_both_lines() {
    let shop = ream();
    let event = |id: &str| format!("{{\"stream\":\"a\",\"type\":\"T\",\"id\":\"{id}\"}}\n");
    let twice = |lines: &str, told: &str| {
        let stopped = "0 events are stored\ncaused by: ";
        shop.append_lines(lines)
            .args(["--atomic"])
            .fails(6, &format!("error: stopped at line {}: {stopped}{told}\n", &told[12..13]));
    };
    twice(&event("x").repeat(2), "lines 1 and 2 have the same id, `x`");
    // Lines are counted as they are in the input, and what else differs does not matter.
    let other = event("x").replace("\"a\"", "\"b\",\"expect\":9");
    twice(&(event("y") + "\n" + &event("x") + &other), "lines 3 and 4 have the same id, `x`");
    assert_eq!(shop.positions(&[]), [0; 0]);
    shop.append_lines(&event("x").repeat(2)).ok();
    twice(&event("x").repeat(2), "lines 1 and 2 have the same id, `x`");
    assert_eq!(shop.positions(&[]), [1]);
}

#[test]
fn a_bad_line_keeps_an_atomic_input_out() {
    let shop = ream();
    shop.append_lines(&(THREE.to_owned() + "{]\n")).args(["--atomic"]).fails(
        6,
        "error: stopped at line 4: 0 events are stored\n\
         caused by: line 4, column 2: expected a key in double quotes\n",
    );
    shop.run(["read"]).stdout("");
}

#[test]
fn an_expectation_in_a_line_counts_the_lines_before_it() {
    let shop = ream();
    let expecting =
        |expect: &str| format!("{{\"stream\":\"a\",\"type\":\"T\",\"expect\":{expect}}}\n");
    let lines =
        expecting("\"no-stream\"") + &expecting("1") + &expecting("\"exists\"") + &expecting("3");
    shop.append_lines(&lines).args(["--atomic"]).ok();
    shop.append_lines(&(expecting("4") + &expecting("5") + &expecting("5")))
        .code(3)
        .stderr_has(["stopped at line 3: 2 events are stored", "expected 5, actual 6"])
        .stdout(&(ack("a", 5, 5) + &ack("a", 6, 6)));
}

#[test]
fn an_expectation_that_is_none_is_refused_in_a_line() {
    let shop = ream();
    for expect in ["\"some\"", "\"3\"", "-1", "1.0", "[]", "true", "\"continues\""] {
        shop.append_lines(&format!(r#"{{"stream":"a","type":"T","expect":{expect}}}"#))
            .fails_with(6, ["line 1, column ", "unknown expectation"]);
    }
    shop.run(["read"]).stdout("");
}

#[test]
fn expect_holds_for_the_first_line_and_the_later_ones_follow_on() {
    let shop = ream();
    let many = |expect: &str, lines: usize| {
        let lines = "{\"type\":\"T\"}\n".repeat(lines);
        shop.run(["append", "a", "--jsonl", "-", "--expect", expect]).stdin(lines)
    };
    many("no-stream", 3).ok();
    many("no-stream", 3)
        .code(3)
        .stderr_has(["stopped at line 1: 0 events", "expected no-stream, actual 3"])
        .stdout("");
    many("3", 2).ok();
    many("5", 2).args(["--atomic"]).ok();
    many("exists", 2).ok();
    many("any", 1).ok();
    many("3", 2).args(["--atomic"]).fails_with(3, ["stopped at line 1", "expected 3, actual 10"]);
    assert_eq!(shop.positions(&[]), list(1..=10));
}

/// A batch that is sent again after a part of it got through picks up where it stopped.
#[test]
fn a_batch_with_ids_and_an_expectation_can_be_sent_again() {
    let shop = ream();
    let line = |n: u32| format!("{{\"type\":\"T\",\"id\":\"{n}\"}}\n");
    let send = |lines: &str| {
        shop.run(["append", "a", "--jsonl", "-", "--expect", "no-stream"]).stdin(lines)
    };
    send(&(line(1) + &line(2))).ok();
    send(&(line(1) + &line(2) + &line(3))).ok();
    assert_eq!(shop.positions(&[]), [1, 2, 3]);
    // Someone else came in between: what would follow on doesn't any more.
    shop.append("a", "T", "1").ok();
    send(&(line(1) + &line(2) + &line(3) + &line(4)))
        .code(3)
        .stderr_has([
            "stopped at line 4: 0 events are stored, 3 were there already",
            "expected 3, actual 4",
        ])
        .ok();
}

#[test]
fn a_long_input_loses_and_doubles_nothing() {
    let shop = ream();
    let mut lines = String::new();
    for n in 1..=25_000 {
        writeln!(lines, "{}", line(&format!("s-{}", n % 7), "T", &n.to_string())).unwrap();
    }
    let acks = shop.append_lines(&lines).values();
    let positions: Vec<_> = acks.iter().map(|ack| ack["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, list(1..=25_000));
    let data: Vec<_> =
        shop.run(["read"]).values().iter().map(|event| event["data"].as_u64().unwrap()).collect();
    assert_eq!(data, list(1..=25_000));
}

#[test]
fn acknowledgements_may_be_one_json_value() {
    let shop = ream();
    let acks: serde_json::Value =
        serde_json::from_slice(&shop.append_lines(THREE).args(["--json"]).bytes()).unwrap();
    let positions: Vec<_> = acks.as_array().unwrap().iter().map(|ack| &ack["position"]).collect();
    assert_eq!(positions, [1, 2, 3]);
    shop.append_lines(THREE).args(["--format", "table"]).stdout("3 events are stored\n");
    shop.append_lines(THREE).args(["--format", "table", "-q"]).stdout("");
}

#[test]
fn an_append_goes_on_when_nobody_reads_its_acknowledgements() {
    for atomic in ["", "--atomic"] {
        let shop = ream();
        let lines = THREE.repeat(10_000);
        shop.sh(&format!("{{ \"$REAM\" append --jsonl - {atomic}; echo $? >code; }} | head -n 1"))
            .stdin(lines)
            .stdout(&ack("a", 1, 1));
        assert_eq!(fs::read_to_string(shop.path("code")).unwrap(), "0\n");
        assert_eq!(shop.positions(&["-n", "1"]), [30_000]);
    }
}

/// What `ream read` gives can be appended again, wherever.
#[test]
fn a_store_is_copied_once_however_often_it_is_copied() {
    let shop = ream();
    copied_events(&shop);
    shop.run(["init", "other"]).ok();
    let copy = || shop.sh("\"$REAM\" read | \"$REAM\" append --store other --jsonl -").text();
    let first = copy();
    assert!(!first.contains("duplicate"), "{first}");
    let again = copy();
    assert_eq!(again.matches("\"duplicate\":true").count(), 5, "{again}");
    let here = shop.run(["read"]).values();
    let there = shop.run(["read", "--store", "other"]).values();
    for (here, there) in here.iter().zip(&there) {
        for key in [
            "position",
            "stream",
            "version",
            "id",
            "type",
            "time",
            "data",
            "data_base64",
            "metadata",
        ] {
            assert_eq!(here.get(key), there.get(key), "{key}");
        }
    }
    assert_eq!((here.len(), there.len()), (5, 5));
}

#[test]
fn a_store_that_is_copied_into_itself_stays_as_it_is() {
    let shop = ream();
    copied_events(&shop);
    let before = shop.run(["read"]).bytes();
    for atomic in ["", "--atomic"] {
        let acks = shop
            .sh(&format!("\"$REAM\" read >copy && \"$REAM\" append {atomic} --jsonl copy"))
            .text();
        assert_eq!(acks.matches("\"duplicate\":true").count(), 5, "{acks}");
        assert_eq!(shop.run(["read"]).bytes(), before);
    }
}

/// Five events with all that an event can have.
fn copied_events(shop: &Ream) {
    shop.append("a", "T", r#"{"n":1.0,"n":2}"#).ok();
    shop.run(["append", "b", "T", "AP8=", "--base64", "--meta", r#"{"k":1}"#]).ok();
    shop.run(["append", "a", "T", "2", "--id", "own"]).ok();
    shop.run(["append", "a", "T", "--time", "2010-10-02T09:20:39+02:00"]).ok();
    shop.run(["append", "東京", "U", "\"\\u00e9\""]).ok();
}
