//! States: there with their events or not at all, and never other than they were stored.

use rusqlite::Connection;

use crate::support::{Home, killed_at_each_call};

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

#[test]
fn a_kill_at_any_call_leaves_event_and_state_together() {
    let (mut before, mut after) = (0, 0);
    killed_at_each_call(&prepared(), &ARGS, |home, end, place| {
        let found = versions(home);
        match found {
            (2, 2) => before += 1,
            (3, 3) => after += 1,
            _ => panic!("{place}: {found:?}"),
        }
        assert!(end.stdout.is_empty() || found == (3, 3), "{place}: told before it was stored");
        // With its id it can be sent again, and is stored once.
        let again = home.run(&ARGS).done();
        assert!(again.contains("\"version\":3"), "{again}");
        assert_eq!(again.contains("\"duplicate\":true"), found == (3, 3), "{again}");
        assert_eq!(versions(home), (3, 3));
    });
    assert!(before > 50 && after > 5, "{before} {after}");
}

#[test]
fn a_state_that_was_changed_by_another_hand_is_not_given_out() {
    for change in [
        "UPDATE states SET data = '{\"n\":9}'",
        "UPDATE states SET version = 1",
        "UPDATE states SET position = 1",
        "UPDATE states SET data = CAST(data AS BLOB)",
        "UPDATE states SET sum = sum + 1",
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
