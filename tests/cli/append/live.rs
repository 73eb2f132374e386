//! An input that stays open: what has arrived is stored and acknowledged before more comes.

use rustix::process::Signal;

use crate::harness::{list, ream};

const LINE: &str = r#"{"stream":"s","type":"T"}"#;

fn ack(number: u64) -> String {
    format!(r#"{{"stream":"s","version":{number},"position":{number},"id":"[link]/{number}"}}"#)
}

#[test]
fn each_line_is_acknowledged_while_the_input_stays_open() {
    let shop = ream();
    let mut append = shop.run(["append", "--jsonl", "-"]).stdin("").start();
    for number in 1..=3 {
        append.say(LINE).hears(&ack(number));
        // What is acknowledged is there for everyone.
        assert_eq!(shop.positions(&[]), list(1..=number));
    }
    append.hang_up();
    append.ends(0);
}

#[test]
fn half_a_line_waits_for_its_other_half() {
    let shop = ream();
    let mut append = shop.run(["append", "--jsonl", "-"]).stdin("").start();
    append.say(LINE).hears(&ack(1));
    append.write(r#"{"stream":"s","#);
    append.say(r#""type":"T"}"#).hears(&ack(2));
    append.ends(0);
}

#[test]
fn what_arrived_before_a_failure_is_acknowledged_before_it_is_told() {
    let shop = ream();
    let mut append = shop.run(["append", "--jsonl", "-"]).stdin("").start();
    append.say(LINE).hears(&ack(1));
    append.say("{}");
    append.ends_saying(
        6,
        "",
        "error: stopped at line 2: 1 event is stored\n\
         caused by: line 2, column 2: no `stream`\n",
    );
}

#[test]
fn an_atomic_input_is_seen_by_no_one_before_its_end() {
    let shop = ream();
    let mut append = shop.run(["append", "--jsonl", "-", "--atomic"]).stdin("").start();
    append.say(LINE).say(LINE);
    // Another writer is not held up meanwhile, and goes first.
    shop.append("other", "T", "1").ok();
    assert_eq!(shop.positions(&[]), [1]);
    append.hang_up();
    append.hears(r#"{"stream":"s","version":1,"position":2,"id":"[link]/2"}"#);
    append.hears(r#"{"stream":"s","version":2,"position":3,"id":"[link]/3"}"#);
    append.ends(0);
}

#[test]
fn an_open_input_holds_no_other_writer_up() {
    let shop = ream();
    let mut first = shop.run(["append", "--jsonl", "-"]).stdin("").start();
    let mut second = shop.run(["append", "--jsonl", "-"]).stdin("").start();
    for number in [1, 3, 5] {
        first.say(LINE).hears(&ack(number));
        second.say(LINE).hears(&ack(number + 1));
    }
    first.ends(0);
    second.ends(0);
}

#[test]
fn expect_follows_on_across_the_batches_of_an_open_input() {
    let shop = ream();
    let mut append =
        shop.run(["append", "s", "--jsonl", "-", "--expect", "no-stream"]).stdin("").start();
    append.say(LINE).hears(&ack(1));
    append.say(LINE).hears(&ack(2));
    // Someone else comes in between.
    shop.append("s", "T", "1").ok();
    append.say(LINE);
    append.ends_saying(
        3,
        "",
        "error: stopped at line 3: 2 events are stored\n\
         caused by: wrong expected version of the stream `s`: expected 2, actual 3\n\
         hint: read what came in between, decide again: ream read s\n",
    );
}

#[test]
fn a_signal_while_the_input_pauses_leaves_what_is_acknowledged() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let shop = ream();
        let mut append = shop.run(["append", "--jsonl", "-"]).stdin("").start();
        append.say(LINE).hears(&ack(1));
        append.signal(signal);
        let (ended, rest, _) = append.end();
        assert_eq!((ended, &*rest), (code, ""));
        shop.append("s", "T", "1").stdout(&(ack(2) + "\n"));
    }
}

#[test]
fn a_signal_in_a_batch_loses_nothing_that_is_acknowledged() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let shop = ream();
        // More than a batch holds, and an input that does not end: the signal comes in between.
        let lines = format!("{LINE}\n").repeat(400_000);
        let mut append = shop.sh("exec \"$REAM\" append --jsonl -").stdin("").start();
        append.pour(lines);
        append.hears(&ack(1));
        append.signal(signal);
        let (ended, acknowledged, _) = append.end();
        assert_eq!(ended, code);
        let acknowledged = 1 + acknowledged.lines().count() as u64;
        let stored = shop.positions(&[]);
        assert_eq!(stored, list(1..=stored.len() as u64));
        assert!(acknowledged <= stored.len() as u64, "{acknowledged} of {} stored", stored.len());
        assert!(stored.len() < 400_000, "the signal came too late to say anything");
        let next = stored.len() as u64 + 1;
        shop.append("s", "T", "1").stdout(&(ack(next) + "\n"));
    }
}

#[test]
fn a_signal_before_the_end_of_an_atomic_input_stores_nothing() {
    let shop = ream();
    let mut append = shop.run(["append", "--jsonl", "-", "--atomic"]).stdin("").start();
    append.say(LINE).say(LINE);
    append.signal(Signal::TERM);
    assert_eq!(append.end().0, 143);
    shop.run(["read"]).stdout("");
}
