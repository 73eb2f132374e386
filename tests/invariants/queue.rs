//! Invariant 6: writers queue; none fails because of another, and one that waits too long says so.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

use rusqlite::Connection;

use crate::support::{Home, Running, ended, position, until};

const SHORT: [&str; 2] = ["--lock-timeout", "100ms"];
const LONG: [&str; 2] = ["--lock-timeout", "1h"];

/// Processes that have been started, and wait for their input before they do anything.
fn started(home: &Home, count: usize, args: &[&str]) -> Vec<Running> {
    (0..count).map(|_| Running::start(&mut home.ream(args))).collect()
}

/// Gives all of them their input, and waits for their ends.
fn let_go(mut started: Vec<Running>, input: &str) -> Vec<crate::support::Ended> {
    for running in &mut started {
        use std::io::Write as _;
        running.stdin().write_all(input.as_bytes()).unwrap();
    }
    started.into_iter().map(Running::end).collect()
}

#[test]
fn of_twenty_with_the_same_expected_version_one_wins() {
    for (events, expect) in [(0, "0"), (0, "no-stream"), (3, "3")] {
        let home = Home::with(events);
        let args = ["append", "s", "T", "-", "--expect", expect, LONG[0], LONG[1]];
        let ends = let_go(started(&home, 20, &args), "{}");
        let won: Vec<_> = ends.iter().filter(|end| end.code == Some(0)).collect();
        assert_eq!(won.len(), 1, "{ends:#?}");
        assert_eq!(position(&won[0].stdout), events + 1);
        for lost in ends.into_iter().filter(|end| end.code != Some(0)) {
            lost.failed(3, &["wrong expected version", "stream `s`"]);
        }
        assert_eq!(home.positions(), (1..=events + 1).collect::<Vec<_>>());
    }
}

#[test]
fn of_twenty_with_the_same_id_one_stores_and_all_are_answered() {
    let home = Home::new();
    let args = ["append", "s", "T", "-", "--id", "once", "--expect", "0", LONG[0], LONG[1]];
    let ends = let_go(started(&home, 20, &args), "{}");
    let duplicates = ends.iter().filter(|end| end.stdout.contains("\"duplicate\":true")).count();
    assert_eq!(duplicates, 19);
    for end in ends {
        assert_eq!(position(&end.done()), 1);
    }
}

#[test]
fn sixty_four_processes_append_without_a_failure_or_a_gap() {
    let home = Home::new();
    let script = format!(
        "read go; for n in 1 2 3; do '{}' append --store '{}' s T || exit 1; done",
        env!("CARGO_BIN_EXE_ream"),
        home.store().display()
    );
    let start = || {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(&script);
        crate::support::clean(&mut shell, home.place());
        Running::start(&mut shell)
    };
    let ends = let_go((0..64).map(|_| start()).collect(), "go\n");
    let mut positions: Vec<u64> = ends
        .into_iter()
        .flat_map(|end| end.done().lines().map(position).collect::<Vec<_>>())
        .collect();
    positions.sort_unstable();
    assert_eq!(positions, (1..=192).collect::<Vec<_>>());
    assert_eq!(home.positions(), positions);
}

#[test]
fn a_writer_that_waits_too_long_is_told_so_and_nothing_is_stored() {
    let home = Home::with(1);
    let lock = File::open(home.file("lock")).unwrap();
    lock.lock().unwrap();
    let busy = home.run(&["append", "s", "T", SHORT[0], SHORT[1]]);
    busy.failed(5, &["other writers kept the store busy", "hint: ", "--lock-timeout"]);
    // Who reads is not in the queue.
    assert_eq!(home.positions(), [1]);
    drop(lock);
    assert_eq!(home.append("s"), 2);
}

#[test]
fn a_writer_behind_a_transaction_of_another_program_is_told_so() {
    let home = Home::with(1);
    let other = Connection::open(home.file("db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let busy = home.run(&["append", "s", "T", SHORT[0], SHORT[1]]);
    busy.failed(5, &["other writers kept the store busy"]);
    assert_eq!(home.positions(), [1]);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(home.append("s"), 2);
}

/// Waits until a process has the writers' lock.
#[track_caller]
fn someone_has_the_lock(home: &Home) {
    let lock = File::open(home.file("lock")).unwrap();
    until("someone takes the lock", || match lock.try_lock() {
        Ok(()) => {
            lock.unlock().unwrap();
            None
        }
        Err(_) => Some(()),
    });
}

/// Waits until a process waits for the writers' lock.
#[track_caller]
fn someone_waits_in_the_queue(home: &Home) {
    until("someone waits in the queue", || {
        let turnstile = File::open(home.file("turnstile")).unwrap();
        turnstile.try_lock().is_err().then_some(())
    });
}

#[test]
fn a_writer_waits_for_a_transaction_of_another_program() {
    let home = Home::with(1);
    let other = Connection::open(home.file("db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let waiting = Running::start(&mut home.ream(&["append", "s", "T", LONG[0], LONG[1]]));
    someone_has_the_lock(&home);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(position(&waiting.end().done()), 2);
}

#[test]
fn a_writer_takes_the_lock_before_its_transaction() {
    let home = Home::with(1);
    let lock = File::open(home.file("lock")).unwrap();
    lock.lock().unwrap();
    let waiting = Running::start(&mut home.ream(&["append", "s", "T", LONG[0], LONG[1]]));
    someone_waits_in_the_queue(&home);
    // It holds nothing of SQLite's.
    let other = Connection::open(home.file("db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; ROLLBACK").unwrap();
    drop(lock);
    assert_eq!(position(&waiting.end().done()), 2);
}

#[test]
fn a_bulk_append_lets_others_in_between() {
    use std::io::Write as _;
    let home = Home::new();
    let mut bulk = Running::start(&mut home.ream(&["append", "--jsonl", "-"]));
    let (mut stdin, lines) = (bulk.stdin(), bulk.lines());
    writeln!(stdin, r#"{{"stream":"bulk","type":"T"}}"#).unwrap();
    assert_eq!(position(&lines.next().unwrap()), 1);
    // It is in the middle of its input and holds nothing.
    assert_eq!(home.append("other"), 2);
    writeln!(stdin, r#"{{"stream":"bulk","type":"T"}}"#).unwrap();
    assert_eq!(position(&lines.next().unwrap()), 3);
    drop(stdin);
    bulk.end().done();
}

/// Whether somebody waits for the kernel lock on a file, as the kernel tells.
fn is_waited_for(home: &Home, file: &str) -> bool {
    let inode = std::fs::metadata(home.file(file)).unwrap().ino();
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    let waiting = locks.lines().filter(|line| line.contains("-> FLOCK"));
    waiting.into_iter().any(|line| line.contains(&format!(":{inode} ")))
}

#[test]
fn a_writer_that_comes_back_goes_behind_who_waits() {
    use std::io::Write as _;
    let home = Home::new();
    let mut bulk = Running::start(&mut home.ream(&["append", "--jsonl", "-"]));
    let (mut stdin, lines) = (bulk.stdin(), bulk.lines());
    writeln!(stdin, r#"{{"stream":"bulk","type":"T"}}"#).unwrap();
    assert_eq!(position(&lines.next().unwrap()), 1);
    let lock = File::open(home.file("lock")).unwrap();
    lock.lock().unwrap();
    let waiting = Running::start(&mut home.ream(&["append", "other", "T", LONG[0], LONG[1]]));
    until("another waits", || is_waited_for(&home, "lock").then_some(()));
    writeln!(stdin, r#"{{"stream":"bulk","type":"T"}}"#).unwrap();
    until("it queues", || is_waited_for(&home, "turnstile").then_some(()));
    drop(lock);
    assert_eq!(position(&waiting.end().done()), 2);
    assert_eq!(position(&lines.next().unwrap()), 3);
    drop(stdin);
    bulk.end().done();
}

/// Sends a signal to a process.
fn signal(running: &Running, signal: &str) {
    let mut kill = Command::new("kill");
    ended(kill.args(["-s", signal, &running.id().to_string()])).done();
}

/// How many threads and open files a process has.
fn threads_and_files(running: &Running) -> (usize, usize) {
    let count = |what| std::fs::read_dir(format!("/proc/{}/{what}", running.id())).unwrap().count();
    (count("task"), count("fd"))
}

#[test]
fn a_writer_that_is_stopped_in_the_queue_holds_up_no_other() {
    use std::io::Write as _;
    let home = Home::new();
    let mut bulk = Running::start(&mut home.ream(&["append", "--jsonl", "-"]));
    let (mut stdin, lines) = (bulk.stdin(), bulk.lines());
    let mut append = |position: u64| {
        writeln!(stdin, r#"{{"stream":"bulk","type":"T"}}"#).unwrap();
        assert_eq!(crate::support::position(&lines.next().unwrap()), position);
    };
    append(1);
    let lock = File::open(home.file("lock")).unwrap();
    lock.lock().unwrap();
    let stopped = Running::start(&mut home.ream(&["append", "other", "T", LONG[0], LONG[1]]));
    until("another waits", || is_waited_for(&home, "lock").then_some(()));
    signal(&stopped, "STOP");
    until("it is stopped", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", stopped.id())).unwrap();
        stat.rsplit(") ").next().unwrap().starts_with('T').then_some(())
    });
    drop(lock);
    append(2);
    let before = threads_and_files(&bulk);
    for position in 3..=6 {
        append(position);
    }
    assert_eq!(threads_and_files(&bulk), before);
    signal(&stopped, "CONT");
    assert_eq!(position(&stopped.end().done()), 7);
    append(8);
    drop(stdin);
    bulk.end().done();
}

#[test]
fn input_is_read_before_the_lock_is_taken() {
    let home = Home::with(1);
    for args in [&["append", "s", "T", "-"][..], &["append", "--jsonl", "-", "--atomic"]] {
        let mut slow = Running::start(&mut home.ream(args));
        let (mut stdin, before) = (slow.stdin(), home.positions().len() as u64);
        {
            use std::io::Write as _;
            stdin.write_all(br#"{"stream":"s","#).unwrap();
        }
        assert_eq!(home.append("other"), before + 1);
        drop(stdin);
        drop(slow);
    }
}

#[test]
fn an_interrupted_wait_ends() {
    let home = Home::with(1);
    let lock = File::open(home.file("lock")).unwrap();
    lock.lock().unwrap();
    let waiting = Running::start(&mut home.ream(&["append", "s", "T", LONG[0], LONG[1]]));
    someone_waits_in_the_queue(&home);
    signal(&waiting, "TERM");
    let end = waiting.end();
    assert_eq!(end.code, Some(143), "{end:#?}");
    drop(lock);
    assert_eq!(home.positions(), [1]);
}
