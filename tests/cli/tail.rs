//! `ream tail`: history, then what comes. How it fares with dying writers and replaced stores is in
//! `tests/invariants`.

mod ends;
mod programs;

use std::fs;
use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{Ream, Running, list, ream};

/// An event of the stream `s`, as it is read.
fn event(position: u64, data: u64) -> String {
    format!(
        r#"{{"position":{position},"stream":"s","version":{position},"id":"[link]/{position}","type":"T","time":"[time]","data":{data}}}"#
    )
}

/// Stops a follower: it is still following.
#[track_caller]
fn stop(mut tail: Running<'_>) {
    tail.signal(Signal::TERM);
    tail.ends(143);
}

#[test]
fn history_comes_first_and_then_what_is_stored() {
    let shop = ream();
    shop.fill("s", 2);
    let mut tail = shop.run(["tail"]).start();
    tail.hears(&event(1, 1)).hears(&event(2, 2));
    for position in 3..=5 {
        shop.append("s", "T", "7").ok();
        tail.hears(&event(position, 7));
    }
    stop(tail);
}

#[test]
fn an_empty_store_is_followed_from_its_first_event() {
    let shop = ream();
    let mut tail = shop.run(["tail", "s"]).start();
    shop.append("other", "T", "1").ok();
    shop.fill("s", 1);
    assert!(tail.hear().contains(r#""position":2,"stream":"s","version":1"#));
    stop(tail);
}

#[test]
fn new_leaves_history_out() {
    let shop = ream();
    shop.fill("s", 3);
    let mut tail = shop.run(["tail", "--new", "--limit", "1"]).start();
    // When it has begun to follow can't be seen from outside: an event is sent until one comes.
    let mut sent = 3;
    loop {
        shop.append("s", "T", "7").ok();
        sent += 1;
        if let Some(line) = tail.hears_within(Duration::from_millis(100)) {
            let found: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert!((4..=sent).contains(&found["position"].as_u64().unwrap()), "{line}");
            break;
        }
    }
    tail.ends(0);
}

#[test]
fn the_last_of_history_come_before_what_follows() {
    let shop = ream();
    shop.fill("s", 5);
    let mut tail = shop.run(["tail", "-n", "2"]).start();
    tail.hears(&event(4, 4)).hears(&event(5, 5));
    shop.append("s", "T", "6").ok();
    tail.hears(&event(6, 6));
    stop(tail);
}

#[test]
fn after_and_from_say_where_to_begin() {
    let shop = ream();
    shop.fill("s", 3);
    for (place, first) in [("--after=2", 3), ("--from=3", 3), ("--after=@2", 3), ("--from=@1", 1)] {
        let mut tail = shop.run(["tail", "s", place]).start();
        for number in first..=3 {
            tail.hears(&event(number, number));
        }
        stop(tail);
    }
    // The next place waits for what comes.
    for place in ["--after=3", "--from=4", "--after=@3", "--from=@4"] {
        let mut tail = shop.run(["tail", "s", place, "--limit=1"]).start();
        let position = shop.positions(&["-n", "1"])[0] + 1;
        if position == 4 {
            shop.append("s", "T", "4").ok();
        }
        tail.hears(&event(4, 4)).ends_by_itself();
    }
}

#[test]
fn patterns_and_types_choose_what_is_followed() {
    let shop = ream();
    shop.append("a-1", "T", "1").ok();
    let mut tail = shop.run(["tail", "a-*", "--type", "T", "--limit", "3"]).start();
    assert!(tail.hear().contains(r#""stream":"a-1""#));
    for (stream, event_type) in [("b", "T"), ("a-2", "U"), ("a-2", "T"), ("$", "T"), ("a-1", "T")] {
        if stream != "$" {
            shop.append(stream, event_type, "1").ok();
        }
    }
    assert!(tail.hear().contains(r#""position":4,"stream":"a-2""#));
    assert!(tail.hear().contains(r#""position":5,"stream":"a-1""#));
    tail.ends(0);
}

#[test]
fn removals_can_be_followed() {
    let shop = ream();
    shop.fill("s", 1);
    let mut all = shop.run(["tail"]).start();
    all.hears(&event(1, 1));
    let mut removals = shop.run(["tail", "$ream"]).start();
    shop.run(["stream", "rm", "s", "--yes"]).ok();
    assert!(
        removals.hear().contains(r#""data":{"stream":"s","version":1,"events":1},"metadata":{"#)
    );
    shop.append("t", "T", "1").ok();
    assert!(all.hear().contains(r#""position":3,"stream":"t""#));
    stop(removals);
    stop(all);
}

#[test]
fn nothing_is_left_out_or_repeated_while_others_write() {
    let shop = ream();
    let mut tail = shop.run(["tail", "--limit", "3000"]).start();
    shop.sh("for writer in 1 2 3; do \
           { seq 1000 | sed 's/.*/{\"stream\":\"s\",\"type\":\"T\",\"data\":&}/' | \
             \"$REAM\" append --jsonl - >/dev/null; } & \
         done; wait")
        .stdout("");
    let positions: Vec<u64> = (1..=3000)
        .map(|_| {
            let event: serde_json::Value = serde_json::from_str(&tail.hear()).unwrap();
            event["position"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(positions, list(1..=3000));
    tail.ends(0);
}

#[test]
fn a_bell_that_cannot_be_rung_does_not_keep_events_from_followers() {
    let shop = without_bell();
    let mut tail = shop.run(["tail"]).start();
    // It has begun: who begins while another writes warns that the end may not be on the disk.
    tail.hears(&event(1, 1));
    for position in 2..=3 {
        shop.append("s", "T", "1").code(0).stderr_has([]).ok();
        tail.hears(&event(position, 1));
    }
    stop(tail);
}

#[test]
fn a_bell_that_cannot_be_rung_is_a_warning() {
    let shop = without_bell();
    shop.append("s", "T", "1").stderr_has(["warning: ", "bell"]).ok();
    shop.append_lines("{\"stream\":\"s\",\"type\":\"T\"}\n").stderr_has(["warning: ", "bell"]).ok();
    shop.append("s", "T", "1").args(["--quiet"]).ok();
}

/// A store with an event, in which the bell's directory is missing.
fn without_bell() -> Ream {
    let shop = ream();
    shop.fill("s", 1);
    fs::remove_dir_all(shop.path(".ream/bell")).unwrap();
    shop
}

#[test]
fn a_table_or_a_json_value_can_be_followed_too() {
    let shop = ream();
    shop.fill("s", 1);
    let mut table = shop.run(["tail", "--format", "table"]).start();
    table.hears("     1  [time]  s@1  T  1");
    let mut json = shop.run(["tail", "--json", "--limit", "2"]).start();
    // The end of its line comes with what follows: a comma or the bracket.
    json.hears("[");
    shop.append("s", "T", "2").ok();
    table.hears("     2  [time]  s@2  T  2");
    json.hears(&format!("{},", event(1, 1))).hears(&event(2, 2)).hears("]").ends_by_itself();
    stop(table);
}
