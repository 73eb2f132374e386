//! Invariant 12: a store that is moved, removed or replaced in use is no longer used.

use std::fs;
use std::io::Write as _;

use ream::{Error, Follower, Options, Query, Store};

use crate::support::{Home, Running, numbered, position, read, until};

const WORDS: [&str; 1] = ["was moved, removed or replaced"];

/// What may happen to a store, and how.
type Fate = (&'static str, fn(&Home));

const FATES: [Fate; 4] = [
    ("moved", |home| fs::rename(home.store(), home.place().join("away")).unwrap()),
    ("removed", |home| fs::remove_dir_all(home.store()).unwrap()),
    ("replaced", |home| {
        fs::rename(home.store(), home.place().join("away")).unwrap();
        let (mut other, _) = Store::init(&home.store(), &Options::default()).unwrap();
        other.append(&numbered("other", 2)).unwrap();
    }),
    ("given another database", |home| {
        let other = Home::with(2);
        fs::rename(other.file("db"), home.file("db")).unwrap();
    }),
];

#[test]
fn a_follower_stops_loudly() {
    for (fate, befall) in FATES {
        let home = Home::with(1);
        let mut tail = Running::start(&mut home.ream(&["tail"]));
        let lines = tail.lines();
        lines.take(1);
        befall(&home);
        assert_eq!(lines.next(), None, "{fate}");
        tail.end().failed(1, &WORDS);
    }
}

#[test]
fn a_follower_that_is_never_idle_stops_as_well() {
    let script = "while IFS=:, read -r _ position _; do echo \"{\\\"ack\\\":$position}\"; done";
    for args in [&["tail"][..], &["tail", "--as", "x", "--", "sh", "-c", script]] {
        let home = Home::with(1);
        let mut tail = Running::start(&mut home.ream(args));
        let lines = tail.lines();
        if args.len() == 1 {
            lines.take(1);
        } else {
            let at_one =
                |store: &Store| store.subscription("x").is_ok_and(|x| x.checkpoint.position.0 == 1);
            until("the first ack", || at_one(&home.open()).then_some(()));
        }
        FATES[2].1(&home);
        // The bell that it watches is rung on, and what it has open grows.
        let mut away = Store::open(&home.place().join("away"), &Options::default()).unwrap();
        until("the follower ends", || {
            away.append(&numbered("s", 1)).unwrap();
            tail.has_ended().then_some(())
        });
        tail.end().failed(1, &WORDS);
    }
}

#[test]
fn a_follower_in_the_library_stops_as_well() {
    let home = Home::with(1);
    let mut follower = Follower::new(&home.open(), &Query::default()).unwrap();
    while !follower.next_batch(|_| {}).unwrap().caught_up {}
    FATES[2].1(&home);
    assert!(matches!(follower.wait(), Err(Error::Replaced { .. })));
}

#[test]
fn an_open_store_takes_nothing_more() {
    for (fate, befall) in FATES {
        for has_written in [true, false] {
            let home = Home::with(1);
            let mut store = home.open();
            if has_written {
                store.append(&numbered("s", 1)).unwrap();
            }
            befall(&home);
            for _ in 0..2 {
                let refused = store.append(&numbered("s", 1));
                let refused_so = matches!(refused, Err(Error::Replaced { .. }))
                    // Where nothing is there to open, it may say just that.
                    || !has_written && fate != "replaced" && refused.is_err();
                assert!(refused_so, "{fate}, {has_written}: {refused:?}");
            }
        }
    }
}

#[test]
fn the_store_that_took_the_place_is_left_alone() {
    for has_written in [true, false] {
        let home = Home::with(1);
        let mut store = home.open();
        if has_written {
            store.append(&numbered("s", 1)).unwrap();
        }
        FATES[2].1(&home);
        assert!(matches!(store.append(&numbered("s", 1)), Err(Error::Replaced { .. })));
        assert!(matches!(store.remove(&["other".parse().unwrap()]), Err(Error::Replaced { .. })));
        let events = read(&home.open());
        assert!(events.iter().all(|event| event.stream.as_str() == "other"));
        assert_eq!(events.len(), 2);
        assert_eq!(home.append("other"), 3);
    }
}

#[test]
fn a_streamed_append_stops_and_what_it_acknowledged_is_where_it_was() {
    let home = Home::with(1);
    let mut append = Running::start(&mut home.ream(&["append", "--jsonl", "-"]));
    let (mut stdin, lines) = (append.stdin(), append.lines());
    writeln!(stdin, r#"{{"stream":"s","type":"T"}}"#).unwrap();
    assert_eq!(position(&lines.next().unwrap()), 2);
    FATES[2].1(&home);
    writeln!(stdin, r#"{{"stream":"s","type":"T"}}"#).unwrap();
    append.end().failed(1, &[WORDS[0], "stopped at line 2: 1 event is stored"]);
    let away = Store::open(&home.place().join("away"), &Options::default()).unwrap();
    assert_eq!(read(&away).len(), 2);
    assert_eq!(home.positions(), [1, 2]);
}
