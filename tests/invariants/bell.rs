//! Invariants 4 and 8: the bell is a hint to followers and a witness against a store that lost
//! events; neither its absence nor its failure fails an append.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::{Home, Lines, Running, ended, position, traced};

const KINDS: &str = "pwrite64,write,pwritev,fsync,fdatasync,ftruncate";

/// How often a command rings the bell.
#[track_caller]
fn rings(home: &Home, args: &[&str]) -> usize {
    traced(home, KINDS, args).iter().filter(|call| call.on("bell/bell")).count()
}

#[test]
fn the_bell_is_rung_once_for_each_transaction_that_stores_an_event() {
    let home = Home::with(1);
    assert_eq!(rings(&home, &["append", "s", "T"]), 1);
    assert_eq!(rings(&home, &["append", "s", "T", "--id", "a"]), 1);
    assert_eq!(rings(&home, &["append", "s", "T", "--id", "a"]), 0, "a duplicate");
    assert_eq!(rings(&home, &["state", "set", "s", "1"]), 0);
    assert_eq!(rings(&home, &["stream", "protect", "s"]), 1, "an act is an event");
    assert_eq!(rings(&home, &["stream", "protect", "s"]), 0, "it is protected");
    assert_eq!(rings(&home, &["read"]), 0);
    assert_eq!(rings(&home, &["stream", "unprotect", "s"]), 1);
    assert_eq!(rings(&home, &["stream", "rm", "s", "--yes"]), 1);
}

#[test]
fn a_checkpoint_does_not_ring() {
    let home = Home::with(1);
    let file = home.place().join("input");
    fs::write(&file, crate::support::input("s", 2000, 500)).unwrap();
    let args = ["append", "--atomic", "--jsonl", file.to_str().unwrap()];
    let calls = traced(&home, KINDS, &args);
    assert!(
        calls.iter().any(|call| call.name() == "ftruncate" && call.on("db-wal")),
        "no checkpoint"
    );
    assert_eq!(calls.iter().filter(|call| call.on("bell/bell")).count(), 1);
    assert_eq!(home.length("db-wal"), 0);
}

/// That a follower that runs sees an event that is appended now.
#[track_caller]
fn is_followed(home: &Home, tail: &Lines) {
    let stored = home.run(&["append", "s", "T"]);
    assert_eq!(stored.code, Some(0), "{stored:#?}");
    assert_eq!(position(&tail.next().unwrap()), position(&stored.stdout));
}

#[test]
fn a_bell_that_is_missing_is_made_again() {
    let home = Home::with(1);
    let mut running = Running::start(&mut home.ream(&["tail"]));
    let tail = running.lines();
    assert_eq!(tail.take(1).len(), 1);
    fs::remove_file(home.file("bell/bell")).unwrap();
    is_followed(&home, &tail);
    is_followed(&home, &tail);
    assert!(home.file("bell/bell").is_file());
}

#[test]
fn a_bell_that_can_not_be_rung_fails_no_append_and_is_not_missed_by_followers() {
    let home = Home::with(1);
    let mut running = Running::start(&mut home.ream(&["tail"]));
    let tail = running.lines();
    assert_eq!(tail.take(1).len(), 1);
    fs::remove_dir_all(home.file("bell")).unwrap();
    for _ in 0..3 {
        is_followed(&home, &tail);
    }
}

#[test]
fn a_bell_that_can_not_be_written_fails_no_append() {
    let home = Home::with(1);
    let mut running = Running::start(&mut home.ream(&["tail"]));
    let tail = running.lines();
    assert_eq!(tail.take(1).len(), 1);
    let bell = home.file("bell/bell");
    let before = fs::read(&bell).unwrap();
    let path = bell.to_str().unwrap().to_owned();
    let strace = [
        "strace",
        "-f",
        "-P",
        &path,
        "-e",
        "trace=write,pwrite64,pwritev",
        "-e",
        "inject=write,pwrite64,pwritev:error=EIO",
    ];
    let stored = ended(&mut home.wrapped(&strace, &["append", "s", "T"]));
    assert_eq!(stored.code, Some(0), "{stored:#?}");
    assert!(stored.stderr.contains("(INJECTED)"), "{stored:#?}");
    assert_eq!(fs::read(&bell).unwrap(), before);
    assert_eq!(position(&tail.next().unwrap()), position(&stored.stdout));
    // What the bell says is old, and that is no loss.
    assert_eq!(home.append("s"), 3);
    assert_ne!(fs::read(&bell).unwrap(), before);
}

#[test]
fn a_bell_that_can_not_be_rung_is_a_warning() {
    let home = Home::with(1);
    fs::remove_dir_all(home.file("bell")).unwrap();
    home.run(&["append", "s", "T"]).warned(&["bell"]);
}

#[test]
fn a_torn_bell_says_nothing_and_is_mended() {
    let home = Home::with(3);
    let whole = fs::read(home.file("bell/bell")).unwrap();
    let mut later = whole.clone();
    later[19] = b'9';
    let torn: [&[u8]; 6] =
        [b"", &whole[..30], &whole[..whole.len() - 2], &later, b"\xff\xfe", &[0; 71]];
    for (index, record) in (4..).zip(torn) {
        fs::write(home.file("bell/bell"), record).unwrap();
        home.run(&["read"]).done();
        assert_eq!(home.append("s"), index);
        let mended = String::from_utf8(fs::read(home.file("bell/bell")).unwrap()).unwrap();
        assert!(mended.starts_with(&format!("{index:020} ")), "{mended:?}");
    }
}

#[test]
fn a_link_in_the_place_of_the_bell_is_not_followed() {
    let home = Home::with(3);
    let elsewhere = home.place().join("elsewhere");
    // A record that would make the store refuse: of another store, which is ahead.
    let other = Home::with(9);
    let record = fs::read(other.file("bell/bell")).unwrap();
    fs::write(&elsewhere, &record).unwrap();
    fs::remove_file(home.file("bell/bell")).unwrap();
    symlink(&elsewhere, home.file("bell/bell")).unwrap();
    for args in [&["read"][..], &["append", "s", "T"]] {
        home.run(args).failed(1, &["/store/bell/bell is a symbolic link, not a file"]);
    }
    assert_eq!(fs::read(&elsewhere).unwrap(), record, "the link was followed to be written");
}

#[test]
fn files_are_for_their_owner_alone_whatever_the_umask() {
    let place = tempfile::tempdir().unwrap();
    for umask in ["000", "077", "777"] {
        let script = format!(
            "umask {umask}; '{ream}' init s{umask} && '{ream}' append --store s{umask} s T",
            ream = env!("CARGO_BIN_EXE_ream")
        );
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(script);
        crate::support::clean(&mut shell, place.path());
        ended(&mut shell).done();
        let find = |kind: &str, mode: &str| {
            let mut find = Command::new("find");
            find.arg(place.path().join(format!("s{umask}")))
                .args(["-type", kind, "!", "-perm", mode]);
            ended(&mut find).done()
        };
        assert_eq!(find("d", "700"), "", "umask {umask}");
        assert_eq!(find("f", "600"), "", "umask {umask}");
    }
}
