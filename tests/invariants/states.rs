//! States: there with their events or not at all, and never other than they were stored.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::support::{Home, copy, ended, traced};

const ARGS: [&str; 9] =
    ["append", "s", "T", "{}", "--id=once", "--expect", "2", "--state", r#"{"n":3}"#];

/// A store in which the stream `s` is at version 2, and its state as well.
fn prepared() -> Home {
    let home = Home::with(1);
    home.run(&["append", "s", "T", "{}", "--expect", "1", "--state", r#"{"n":2}"#]).done();
    home
}

/// The versions of the stream and of its state.
#[track_caller]
fn versions(home: &Home) -> (u64, u64) {
    let store = home.open();
    store.check().unwrap();
    let state = store.state("s").unwrap();
    (state.stream_version.0, state.version.0)
}

/// A copy of a store that no process uses.
fn copied(from: &Home) -> Home {
    let home = Home::new();
    std::fs::remove_dir_all(home.store()).unwrap();
    copy(&from.store(), &home.store());
    home
}

#[test]
fn a_kill_at_any_call_leaves_event_and_state_together() {
    let prepared = prepared();
    let mut calls: HashMap<String, usize> = HashMap::new();
    for call in traced(&copied(&prepared), "all", &ARGS) {
        *calls.entry(call.name().to_owned()).or_default() += 1;
    }
    let (mut before, mut after) = (0, 0);
    for (name, count) in calls {
        for when in 1..=count {
            let home = copied(&prepared);
            let inject = format!("inject={name}:signal=KILL:when={when}");
            let trace = format!("trace={name}");
            let strace = ["strace", "-f", "-o", "/dev/null", "-e", &trace, "-e", &inject];
            let end = ended(&mut home.wrapped(&strace, &ARGS));
            let found = versions(&home);
            match found {
                (2, 2) => before += 1,
                (3, 3) => after += 1,
                _ => panic!("killed at call {when} of {name}: {found:?}"),
            }
            assert!(end.stdout.is_empty() || found == (3, 3), "told before it was stored: {name}");
            // With its id it can be sent again, and is stored once.
            let again = home.run(&ARGS).done();
            assert!(again.contains("\"version\":3"), "{again}");
            assert_eq!(again.contains("\"duplicate\":true"), found == (3, 3), "{again}");
            assert_eq!(versions(&home), (3, 3));
        }
    }
    assert!(before > 50 && after > 5, "{before} {after}");
}

#[test]
fn a_state_that_was_changed_by_another_hand_is_not_given_out() {
    for change in [
        "UPDATE states SET data = '{\"n\":9}'",
        "UPDATE states SET version = 1",
        "UPDATE states SET position = 1",
        "UPDATE states SET data = CAST(data AS BLOB)",
        "UPDATE states SET checksum = zeroblob(16)",
    ] {
        let home = prepared();
        home.run(&["state", "get", "s"]).done();
        Connection::open(home.file("db")).unwrap().execute_batch(change).unwrap();
        home.run(&["state", "get", "s"])
            .failed(1, &["the store is damaged: the state of `s` is not what was stored"]);
        // A new one takes its place.
        home.run(&["state", "set", "s", "{}"]).done();
        home.run(&["state", "get", "s"]).done();
    }
}
