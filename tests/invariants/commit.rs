//! Invariant 10: where the commit failed half-way, the outcome is told as unknown, and an id makes
//! the retry safe.

use crate::support::{Ended, Home, ended, ended_with_input, input};

const ID: [&str; 5] = ["append", "s", "T", "--id", "once"];

/// Runs `ream` while calls on the store's log fail.
#[track_caller]
fn failing(home: &Home, inject: &str, args: &[&str]) -> Ended {
    ended(&mut home.injected("db-wal", inject, args))
}

#[test]
fn a_sync_that_fails_leaves_the_outcome_unknown_and_a_retry_stores_once() {
    for error in ["EIO", "ENOSPC", "EDQUOT"] {
        let home = Home::with(2);
        let inject = format!("fsync,fdatasync:error={error}");
        failing(&home, &inject, &ID).failed(9, &["outcome is unknown", "caused by: ", "--id"]);
        home.run(&ID).done();
        let again = home.run(&ID).done();
        assert!(
            again.contains("\"position\":3") && again.contains("\"duplicate\":true"),
            "{again}"
        );
        assert_eq!(home.positions(), [1, 2, 3]);
    }
}

#[test]
fn a_write_that_fails_at_the_commit_leaves_the_outcome_unknown() {
    for when in 1..=4 {
        let home = Home::with(2);
        let inject = format!("pwrite64:error=EIO:when={when}");
        failing(&home, &inject, &ID).failed(9, &["outcome is unknown", "--id"]);
        home.run(&ID).done();
        assert_eq!(home.positions(), [1, 2, 3], "{when}");
        assert_eq!(home.append("s"), 4);
    }
}

#[test]
fn a_streamed_append_says_how_far_it_came() {
    let home = Home::with(2);
    let file = home.place().join("input");
    std::fs::write(&file, input("s", 5, 10)).unwrap();
    let end =
        failing(&home, "fsync,fdatasync:error=EIO", &["append", "--jsonl", file.to_str().unwrap()]);
    assert_eq!(end.stdout, "", "nothing was acknowledged");
    end.failed(9, &["0 events are stored", "outcome is unknown"]);
    let stored = home.positions().len() as u64;
    assert!(stored == 2 || stored == 7, "{stored}");
    assert_eq!(home.append("s"), stored + 1);
}

#[test]
fn a_failed_commit_breaks_no_store_that_stays_open() {
    // The first commit fails, the process goes on: its next one stands on solid ground.
    let home = Home::with(2);
    let inject = "fsync,fdatasync:error=EIO:when=1";
    let mut command = home.injected("db-wal", inject, &["append", "--jsonl", "-"]);
    ended_with_input(&mut command, &input("s", 1, 10)).failed(9, &["outcome is unknown"]);
    let before = home.positions();
    let next = home.append("s");
    assert_eq!(next, before.len() as u64 + 1);
    home.run(&["status"]).done();
}

#[test]
fn a_directory_that_can_not_be_synced_leaves_the_outcome_unknown() {
    let home = Home::new();
    let end = ended(&mut home.injected(".", "fsync:error=EIO", &ID));
    end.failed(9, &["outcome is unknown", "--id"]);
    home.run(&ID).done();
    assert_eq!(home.positions(), [1]);
}

#[test]
fn a_checkpoint_that_fails_fails_no_append() {
    let home = Home::with(2);
    let file = home.place().join("input");
    std::fs::write(&file, input("s", 2000, 1000)).unwrap();
    let args = ["append", "--jsonl", file.to_str().unwrap()];
    let end = ended(&mut home.injected("db", "fsync,fdatasync,pwrite64:error=EIO", &args));
    assert_eq!(end.done().lines().count(), 2000);
    assert_eq!(home.positions().len(), 2002);
    assert_eq!(home.append("s"), 2003);
}
