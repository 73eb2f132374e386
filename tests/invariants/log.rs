//! Invariants 7 and 15: nobody pins the log, and nobody leaves a long one behind.

use std::fs;
use std::io::Read as _;

use ream::{Options, Store};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::support::{Home, Running, copy, ended, input, numbered, read, sized, text_of, traced};

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

/// Appends events, by a process each in effect, until the next one finds the log long enough to
/// start it over; how many.
fn until_it_starts_over(home: &Home) -> u64 {
    let mut count = 0;
    while home.length("db-wal") <= 32 * 4120 + 32 {
        home.open().append(&numbered("s", 1)).unwrap();
        count += 1;
        assert!(count < 100, "the log stays short");
    }
    count
}

#[test]
fn the_log_of_lone_appends_starts_over_in_place() {
    let home = Home::new();
    let count = until_it_starts_over(&home);
    let length = home.length("db-wal");
    for _ in 0..5 * count {
        home.append("s");
        // Neither cut nor extended, but for a transaction with a page more than the others.
        let found = home.length("db-wal");
        assert!((length..=length + 6 * 4120).contains(&found), "{found}");
    }
    assert_eq!(home.positions().len() as u64, 6 * count);
}

#[test]
fn a_kill_while_the_log_starts_over_loses_nothing() {
    let home = Home::new();
    let stored = until_it_starts_over(&home);
    let mut killed = 0;
    for when in 1.. {
        let place = tempfile::tempdir().unwrap();
        copy(&home.store(), place.path());
        let store = place.path().join("store");
        let inject = format!("inject=pwrite64,fsync,fdatasync,ftruncate:signal=KILL:when={when}");
        let mut append = std::process::Command::new("strace");
        append.args(["-f", "-o", "/dev/null", "-e", "trace=pwrite64,fsync,fdatasync,ftruncate"]);
        append.args(["-e", &inject, env!("CARGO_BIN_EXE_ream"), "append", "s", "T", "--store"]);
        let end = ended(append.arg(&store));
        let mut after = Store::open(&store, &Options::default()).unwrap();
        let found = read(&after).len() as u64;
        assert!(found == stored || found == stored + 1, "{when}: {found}");
        if end.code == Some(0) {
            // It got through: there are no more calls to kill it at.
            assert_eq!(found, stored + 1);
            break;
        }
        killed += 1;
        after.check().unwrap();
        let next = after.append(&numbered("s", 1)).unwrap();
        assert_eq!(next[0].position.0, found + 1);
    }
    // At least the sync of the log, a page and its sync, the header and its sync, two frames and
    // their sync.
    assert!(killed >= 8, "{killed}");
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

#[test]
fn a_writer_of_groups_has_the_log_start_over_less_often() {
    let home = Home::new();
    let mut store = home.open();
    let group: Vec<_> = (0..64).map(|number| sized(&format!("s{number}"), "1")).collect();
    let mut frames = 0;
    for _ in 0..400 {
        store.append(&group).unwrap();
        frames = home.length("db-wal") / 4120;
    }
    // A group has at least 5 of them.
    assert!((5 * 256..1800 + 32).contains(&frames), "{frames} frames");
}

#[test]
fn a_writer_of_small_transactions_has_the_log_start_over() {
    let home = Home::new();
    let mut store = home.open();
    for number in 0..500 {
        store.append(&[sized("s", &number.to_string())]).unwrap();
        let frames = home.length("db-wal") / 4120;
        assert!(frames <= 256 + 32, "{frames} frames after {number} appends");
    }
    assert_eq!(home.positions().len(), 500);
}
