//! Invariants 7 and 15: nobody pins the log, and nobody leaves a long one behind.

use std::fs;
use std::io::Read as _;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::support::{Home, Running, input, numbered, read, sized, text_of, traced};

/// How long a log may be that a writer leaves behind: 512 frames, and a transaction.
const LEFT_BEHIND: u64 = 520 * 4120;

/// Appends so much, by a process of its own, that it has to run a checkpoint.
#[track_caller]
fn append_much(home: &Home) {
    let file = home.place().join("much");
    fs::write(&file, input("much", 2000, 1000)).unwrap();
    let end = home.run(&["append", "--jsonl", file.to_str().unwrap()]);
    assert_eq!(end.done().lines().count(), 2000);
}

#[test]
fn a_blocked_reader_does_not_pin_the_log() {
    for args in [&["read"][..], &["read", "s"], &["tail"], &["tail", "s"]] {
        let home = Home::new();
        home.open().append(&vec![sized("s", &text_of(1000)); 1500]).unwrap();
        let mut reader = Running::start(&mut home.ream(args));
        let mut stdout = reader.stdout();
        // It has begun to write more than a pipe holds, and nobody reads on.
        stdout.read_exact(&mut [0]).unwrap();
        append_much(&home);
        assert_eq!(home.length("db-wal"), 0, "{args:?}");
        drop(stdout);
    }
}

#[test]
fn an_idle_follower_does_not_pin_the_log() {
    let home = Home::with(1);
    let mut tail = Running::start(&mut home.ream(&["tail", "s"]));
    tail.lines().take(1);
    append_much(&home);
    assert_eq!(home.length("db-wal"), 0);
}

#[test]
fn a_lone_append_syncs_the_log_once_and_unlinks_nothing() {
    let home = Home::with(2);
    let kinds = "fsync,fdatasync,sync_file_range,msync,unlink,unlinkat,ftruncate";
    let calls = traced(&home, kinds, &["append", "s", "T"]);
    let syncs = calls.iter().filter(|call| call.name().contains("sync")).count();
    assert_eq!(syncs, 1, "{calls:#?}");
    assert!(!calls.iter().any(|call| call.name().contains("unlink")), "{calls:#?}");
    for file in ["db", "db-wal", "db-shm"] {
        assert!(home.file(file).is_file(), "{file}");
    }
    assert!(home.length("db-wal") > 0);
}

#[test]
fn a_read_syncs_and_unlinks_nothing() {
    let home = Home::with(2);
    let kinds = "fsync,fdatasync,sync_file_range,msync,unlink,unlinkat";
    for args in [&["read"][..], &["status"], &["stream", "list"]] {
        let calls = traced(&home, kinds, args);
        assert!(calls.is_empty(), "{args:?} {calls:#?}");
    }
}

#[test]
fn lone_appends_leave_a_short_log() {
    let home = Home::new();
    let mut longest = 0;
    for number in 0..400 {
        // As a process does: open, append, close.
        home.open().append(&numbered(&format!("s-{number}"), 1)).unwrap();
        longest = longest.max(home.length("db-wal"));
    }
    assert!(longest > 0 && longest <= LEFT_BEHIND, "{longest}");
    assert_eq!(read(&home.open()).len(), 400);
}

#[test]
fn a_writer_that_stays_keeps_the_log_short_as_well() {
    let home = Home::new();
    let mut store = home.open();
    let mut longest = 0;
    for _ in 0..60 {
        store.append(&[sized("s", &text_of(1024 * 1024))]).unwrap();
        longest = longest.max(home.length("db-wal"));
    }
    assert!(longest < 40 * 1024 * 1024, "{longest}");
    drop(store);
    assert!(home.length("db-wal") <= LEFT_BEHIND);
    assert_eq!(read(&home.open()).len(), 60);
}

#[test]
fn a_checkpoint_does_not_wait_for_a_reader() {
    let home = Home::with(5);
    let reader = Connection::open(home.file("db")).unwrap();
    // It shall not make up for the writer's checkpoint when it closes.
    reader.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let count = || -> i64 {
        reader.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count(), 5);
    // Were it to wait, it would wait for an hour, and the test's deadline would come.
    let file = home.place().join("much");
    fs::write(&file, input("much", 2000, 1000)).unwrap();
    let args = ["append", "--lock-timeout", "1h", "--jsonl", file.to_str().unwrap()];
    assert_eq!(home.run(&args).done().lines().count(), 2000);
    assert!(home.length("db-wal") > 0, "the reader did not stand in the way");
    assert_eq!(count(), 5);
    reader.execute_batch("ROLLBACK").unwrap();
    drop(reader);
    home.append("s");
    assert_eq!(home.length("db-wal"), 0, "a later writer makes up for it");
}

#[test]
fn the_next_write_after_a_checkpoint_waits_as_long_as_it_was_told_to() {
    let home = Home::new();
    let mut store = home.open();
    // Past what a writer that stays lets pile up.
    for _ in 0..40 {
        store.append(&[sized("s", &text_of(1024 * 1024))]).unwrap();
    }
    assert!(home.length("db-wal") < 36 * 1024 * 1024, "there was no checkpoint");
    let other = Connection::open(home.file("db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let appending =
        std::thread::spawn(move || store.append(&numbered("s", 1)).map(|one| one.len()));
    let lock = fs::File::open(home.file("lock")).unwrap();
    crate::support::until("it waits", || {
        lock.try_lock().is_err().then_some(()).or_else(|| {
            lock.unlock().unwrap();
            None
        })
    });
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(appending.join().unwrap().unwrap(), 1);
}
