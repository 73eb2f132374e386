//! Invariant 18: what is read stays. A writer that died before its sync may have left an event that can be
//! read and that a power loss would take away; a reader has it durable first, or does not give it.

use std::fs::File;
use std::io::Write as _;
use std::process::Command;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::support::{
    Call, Home, Running, WRITER, calls, clean, ended, needs_root, position, traced, until,
};

const KINDS: &str = "fsync,fdatasync,write,pwrite64";

/// A store of two events and a state, and what an append or `set` left that died before its sync.
fn left_by(args: &[&str]) -> Home {
    let home = Home::with(2);
    home.run(&["state", "set", "s", "1"]).done();
    let killed = ended(&mut home.injected("db-wal", "fsync,fdatasync:signal=KILL", args));
    assert_eq!((killed.code, &*killed.stdout), (None, ""), "{killed:#?}");
    home
}

fn append_that_died() -> Home {
    left_by(&["append", "s", "T"])
}

/// That the database was synced, with the event in it, before anything was written out.
#[track_caller]
fn durable_before_given(calls: &[Call]) {
    let given = calls.iter().position(Call::writes_out).unwrap();
    let synced = calls.iter().position(|call| call.syncs("db"));
    assert!(synced.is_some_and(|synced| synced < given), "{calls:#?}");
}

#[test]
fn what_a_dead_writer_left_is_durable_before_it_is_given() {
    for args in [
        &["read"][..],
        &["read", "s"],
        &["tail", "--limit", "3"],
        &["stream", "show", "s"],
        &["stream", "list"],
        &["status"],
    ] {
        let home = append_that_died();
        let calls = traced(&home, KINDS, args);
        let out: String = calls.iter().filter(|call| call.writes_out()).map(Call::text).collect();
        assert!(out.contains('3'), "{args:?}: {out}");
        durable_before_given(&calls);
        // The bell names it from now on.
        let calls = traced(&home, KINDS, args);
        assert!(!calls.iter().any(|call| call.is(&["fsync", "fdatasync"])), "{calls:#?}");
    }
}

#[test]
fn a_state_that_a_dead_writer_left_is_durable_before_it_is_given() {
    let home = left_by(&["state", "set", "s", "2"]);
    let calls = traced(&home, KINDS, &["state", "get", "s", "--data"]);
    assert!(
        calls.iter().any(|call| call.writes_out() && call.text().contains("\"2")),
        "{calls:#?}"
    );
    durable_before_given(&calls);
}

/// Holds the turn to write, as a writer that is stopped does.
fn turn(home: &Home) -> File {
    let lock = File::options().write(true).open(home.file("lock")).unwrap();
    lock.lock().unwrap();
    lock
}

#[test]
fn what_may_not_be_durable_is_not_given_while_someone_has_the_turn() {
    let home = append_that_died();
    let turn = turn(&home);
    assert_eq!(home.positions(), [1, 2]);
    let mut tail = Running::start(&mut home.ream(&["tail"]));
    let lines = tail.lines();
    assert_eq!(lines.take(2).len(), 2);
    // What has no positions is given, with a warning.
    home.run(&["stream", "show", "s"]).warned(&["may not be on the disk", "busy"]);
    home.run(&["state", "get", "s"]).warned(&["may not be on the disk"]);
    drop(turn);
    assert_eq!(lines.take(1).len(), 1, "the follower gave the rest once it could");
    assert_eq!(home.positions(), [1, 2, 3]);
}

#[test]
fn a_reader_in_the_way_keeps_it_from_being_given_and_nobody_waits() {
    let home = append_that_died();
    let reader = Connection::open(home.file("db")).unwrap();
    reader.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM events;").unwrap();
    let process = format!("process {} reads the store", std::process::id());
    let read =
        home.run(&["read", "--lock-timeout", "1h"]).warned(&["may not be on the disk", &process]);
    assert_eq!(read.lines().count(), 2);
    let busy = home.run(&["append", "s", "T", "--lock-timeout", "100ms"]);
    busy.failed(5, &[&process, "can't be cut"]);
    drop(reader);
    assert_eq!(home.positions(), [1, 2, 3]);
    assert_eq!(home.append("s"), 4);
}

#[test]
fn where_nothing_can_be_written_reading_goes_on_with_a_warning() {
    needs_root("a file system that can only be read");
    let home = append_that_died();
    let script = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" && exec \"$2\" --store \"$1\" read";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh"]).arg(home.store());
    clean(command.arg(env!("CARGO_BIN_EXE_ream")), home.place());
    // The index of the log is there while another has the store open; to make it needs to write. That
    // one would see to the event if it could.
    let _turn = turn(&home);
    let mut tail = Running::start(&mut home.ream(&["tail", "--new"]));
    until("the tail has the store open", || home.length("db-shm").checked_sub(1));
    let read = ended(&mut command).warned(&["may not be on the disk", "Read-only file system"]);
    assert_eq!(read.lines().count(), 3);
    tail.kill();
}

#[test]
fn a_writer_that_found_the_store_busy_first_syncs_the_name_of_a_new_log() {
    let home = Home::new();
    let turn = turn(&home);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-e", "trace=fsync", "-e", "signal=none", WRITER]);
    clean(strace.arg(home.store()).arg("10"), home.place());
    let mut running = Running::start(&mut strace);
    let (mut stdin, lines) = (running.stdin(), running.lines());
    let mut append = || {
        writeln!(stdin, r#"{{"stream":"s","type":"T"}}"#).unwrap();
        lines.next().unwrap()
    };
    assert!(append().contains("kept the store busy"));
    drop(turn);
    assert_eq!(position(&append()), 1);
    drop(stdin);
    let trace: Vec<String> = running.end().stderr.lines().map(str::to_owned).collect();
    let named = |call: &Call| call.name() == "fsync" && call.text().contains("/store>)");
    assert!(calls(&trace).iter().any(named), "{trace:#?}");
}

#[test]
fn without_a_bell_what_may_not_be_durable_is_given_with_a_warning_while_someone_has_the_turn() {
    let home = Home::with(3);
    let _turn = turn(&home);
    std::fs::remove_file(home.file("bell/bell")).unwrap();
    let read = home.run(&["read", "--after", "1"]).warned(&["may not be on the disk", "busy"]);
    assert_eq!(read.lines().count(), 2);
    let tail = home.run(&["tail", "--after", "1", "--limit", "2"]);
    assert_eq!(tail.warned(&["may not be on the disk"]).lines().count(), 2);
}
