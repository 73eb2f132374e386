//! Invariant 14: when nobody reads the output any more, that is a quiet end.

use std::io::Write as _;
use std::process::Command;

use crate::support::{Home, Running, clean, ended, position, sized, text_of};

#[test]
fn a_read_whose_reader_has_gone_ends_quietly() {
    for args in [&["read"][..], &["read", "s"], &["read", "--json"], &["stream", "list"]] {
        let home = Home::new();
        let mut events = vec![sized("s", &text_of(1000)); 500];
        for (number, event) in (0..).zip(&mut events) {
            if args[0] == "stream" {
                event.stream = format!("{}-{number}", "x".repeat(200)).parse().unwrap();
            }
        }
        home.open().append(&events).unwrap();
        let mut reader = Running::start(&mut home.ream(args));
        drop(reader.stdout());
        reader.end().done();
    }
}

#[test]
fn a_tail_whose_reader_goes_while_it_is_idle_ends_quietly() {
    for args in [&["tail"][..], &["tail", "--new"], &["tail", "nothing"]] {
        let home = Home::with(1);
        let mut tail = Running::start(&mut home.ream(args));
        drop(tail.stdout());
        tail.end().done();
    }
}

#[test]
fn a_tail_whose_reader_goes_between_events_ends_quietly() {
    let home = Home::with(1);
    let mut shell = Command::new("sh");
    let script = "'{ream}' tail --store '{store}' | { read -r one; printf '%s\\n' \"$one\"; }";
    let script = script
        .replace("{ream}", env!("CARGO_BIN_EXE_ream"))
        .replace("{store}", home.store().to_str().unwrap());
    shell.arg("-c").arg(script);
    clean(&mut shell, home.place());
    assert_eq!(position(&ended(&mut shell).done()), 1);
}

#[test]
fn an_append_that_nobody_listens_to_goes_on_storing() {
    let home = Home::new();
    let mut append = Running::start(&mut home.ream(&["append", "--jsonl", "-"]));
    drop(append.stdout());
    let mut stdin = append.stdin();
    for _ in 0..3 {
        writeln!(stdin, r#"{{"stream":"s","type":"T"}}"#).unwrap();
    }
    drop(stdin);
    append.end().done();
    assert_eq!(home.positions(), [1, 2, 3]);
}
