//! Invariant 1: what is acknowledged was synced before.

use std::io::Write as _;

use crate::support::{Call, Home, Running, calls, ended, position, traced};

const KINDS: &str = "fsync,fdatasync,write,pwrite64,pwritev,openat,rename,renameat,renameat2";

/// That what was written to the log before each line of output was synced before it as well.
#[track_caller]
fn synced_before_told(calls: &[Call]) {
    let (mut dirty, mut synced, mut told) = (false, 0, 0);
    for call in calls {
        if call.is(&["pwrite64", "pwritev", "write"]) && call.on("db-wal") {
            dirty = true;
        } else if call.syncs("db-wal") {
            dirty = false;
            synced += 1;
        } else if call.is(&["pwrite64"]) && call.on("bell/bell") {
            assert!(!dirty, "the bell was rung before the sync: {calls:#?}");
        } else if call.writes_out() {
            assert!(!dirty, "told before the sync: {calls:#?}");
            assert!(synced > told, "told without a sync: {calls:#?}");
            told += 1;
        }
    }
    assert!(told > 0, "nothing was told: {calls:#?}");
}

#[test]
fn whatever_writes_syncs_the_log_before_it_tells() {
    let home = Home::with(3);
    for args in [
        &["append", "a", "T"][..],
        &["append", "a", "T", r#"{"n":1}"#, "--id", "x", "--expect", "1"],
        &["append", "a", "T", "{}", "--expect", "2", "--state", "[]"],
        &["state", "set", "a", "{}"],
        &["state", "rm", "a", "--yes"],
        &["stream", "protect", "s"],
        &["stream", "unprotect", "s"],
        &["stream", "rm", "s", "--yes"],
    ] {
        synced_before_told(&traced(&home, KINDS, args));
    }
}

#[test]
fn a_duplicate_of_what_was_never_synced_is_synced_before_it_is_told() {
    let home = Home::with(1);
    let args = ["append", "s", "T", "{}", "--id", "once"];
    // It dies with its transaction in the log, and nobody knows whether that is on the disk.
    let killed = ended(&mut home.injected("db-wal", "fsync,fdatasync:signal=KILL", &args));
    assert_eq!((killed.code, &*killed.stdout), (None, ""), "{killed:#?}");
    let calls = traced(&home, KINDS, &args);
    assert!(calls.iter().any(|call| call.text().contains("duplicate")), "{calls:#?}");
    synced_before_told(&calls);
}

#[test]
fn what_is_done_again_since_nobody_knows_of_the_first_time_is_synced_before_it_is_told() {
    for args in [
        &["state", "set", "s", "{}"][..],
        &["stream", "protect", "s"],
        &["stream", "unprotect", "p"],
        &["state", "rm", "p", "--yes"],
    ] {
        let home = Home::with(1);
        home.run(&["append", "p", "T", "{}", "--expect", "0", "--state", "1"]).done();
        home.run(&["stream", "protect", "p"]).done();
        let killed = ended(&mut home.injected("db-wal", "fsync,fdatasync:signal=KILL", args));
        assert_eq!((killed.code, &*killed.stdout), (None, ""), "{killed:#?}");
        let calls = traced(&home, KINDS, args);
        let synced = calls.iter().any(|call| call.syncs("db-wal"));
        assert!(synced, "{args:?}: {calls:#?}");
        if !args.contains(&"rm") {
            // What is removed already is not told.
            synced_before_told(&calls);
        }
    }
}

#[test]
fn each_commit_of_a_stream_of_events_is_synced_before_it_is_told() {
    let home = Home::new();
    let filter = format!("trace={KINDS}");
    let strace = ["strace", "-f", "-y", "-e", &filter, "-e", "signal=none"];
    let mut running = Running::start(&mut home.wrapped(&strace, &["append", "--jsonl", "-"]));
    let (mut stdin, lines) = (running.stdin(), running.lines());
    for number in 1..=5 {
        writeln!(stdin, r#"{{"stream":"s","type":"T"}}"#).unwrap();
        assert_eq!(position(&lines.next().unwrap()), number);
    }
    drop(stdin);
    let trace: Vec<String> = running.end().stderr.lines().map(str::to_owned).collect();
    let calls = calls(&trace);
    assert_eq!(calls.iter().filter(|call| call.writes_out()).count(), 5, "{calls:#?}");
    synced_before_told(&calls);
}

#[test]
fn an_atomic_batch_is_synced_before_it_is_told() {
    let home = Home::new();
    let file = home.place().join("input");
    std::fs::write(&file, crate::support::input("s", 300, 100)).unwrap();
    let args = ["append", "--jsonl", file.to_str().unwrap(), "--atomic"];
    synced_before_told(&traced(&home, KINDS, &args));
}

#[test]
fn the_name_of_a_new_log_is_synced_before_it_is_told() {
    let home = Home::new();
    let calls = traced(&home, KINDS, &["append", "s", "T"]);
    let told = calls.iter().position(Call::writes_out).unwrap();
    let directory =
        calls[..told].iter().any(|call| call.name() == "fsync" && call.text().contains("/store>)"));
    assert!(directory, "{calls:#?}");
}

#[test]
fn the_name_of_a_log_is_synced_by_the_writer_after_one_that_died_before_it() {
    for again in [&["append", "s", "T", "{}", "--id", "once"][..], &["append", "s", "T"]] {
        let home = Home::with(1);
        // Whoever closes the database last removes the log.
        let mut sqlite = std::process::Command::new("sqlite3");
        ended(sqlite.arg(home.file("db")).arg("SELECT count(*) FROM events")).done();
        assert!(!home.file("db-wal").exists());
        let append = ["append", "s", "T", "{}", "--id", "once"];
        let killed = ended(&mut home.injected(".", "fsync:signal=KILL", &append));
        assert_eq!((killed.code, &*killed.stdout), (None, ""), "{killed:#?}");
        assert!(home.length("db-wal") > 0);
        let calls = traced(&home, KINDS, again);
        let told = calls.iter().position(Call::writes_out).unwrap();
        let directory = |call: &Call| call.name() == "fsync" && call.text().contains("/store>)");
        assert!(calls[..told].iter().any(directory), "{calls:#?}");
    }
}

#[test]
fn a_new_store_is_durable_before_its_marker_has_its_name() {
    let home = Home::new();
    let place = home.place().join("other/store");
    let strace = ["strace", "-f", "-y", "-e", &format!("trace={KINDS}"), "-e", "signal=none"];
    let mut command = home.wrapped(&strace, &["init"]);
    command.arg(&place);
    let ended = crate::support::ended(&mut command);
    let lines: Vec<String> = ended.stderr.lines().map(str::to_owned).collect();
    let calls = calls(&lines);
    let find = |what: &str, is: &dyn Fn(&Call) -> bool| {
        calls.iter().position(is).unwrap_or_else(|| panic!("{what}: {calls:#?}"))
    };
    let marker = find("the marker is synced", &|call| call.syncs("store.new"));
    let renamed = find("the marker gets its name", &|call| {
        call.name().starts_with("rename") && call.succeeded()
    });
    let tables = find("the tables are synced", &|call| call.syncs("db"));
    assert!(tables < renamed && marker < renamed, "{calls:#?}");
    let directory = calls[renamed..]
        .iter()
        .any(|call| call.name() == "fsync" && call.text().contains("/other/store>)"));
    assert!(directory, "the name is not synced: {calls:#?}");
}

#[test]
fn the_engine_is_free_of_the_wal_reset_defect() {
    let home = Home::with(1);
    let status = home.run(&["status", "--json"]).done();
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let version = status["sqlite_version"].as_str().unwrap();
    let numbers: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
    assert!(numbers >= vec![3, 51, 3], "{version}");
}
