//! Invariant 8, for what is committed without an event: states, and checkpoints that are acked.
//! The store counts those commits, and one that is behind its count has lost something.

use std::fs;
use std::process::Command;

use crate::support::{Call, Home, clean, copy, ended, killed_at_each_call, traced};

const KINDS: &str = "pwrite64,write,pwritev,fsync,fdatasync,ftruncate";
const READS: &str = "cat >/dev/null";
const SEEK: [&str; 4] = ["subscription", "seek", "hook", "start"];
const SUBSCRIBE: [&str; 8] = ["tail", "--as", "hook", "--until-caught-up", "--", "sh", "-c", READS];

/// What a change is made by, what shows it, and what that says of the store as it was before.
struct Change {
    before: &'static [&'static [&'static str]],
    made_by: &'static [&'static str],
    shown_by: &'static [&'static str],
}

const CHANGES: [Change; 2] = [
    Change {
        before: &[&["state", "set", "s", "1"]],
        made_by: &["state", "set", "s", "2"],
        shown_by: &["state", "get", "s"],
    },
    Change {
        before: &[&SUBSCRIBE, &SEEK],
        made_by: &["subscription", "ack", "hook", "1"],
        shown_by: &["subscription", "show", "hook"],
    },
];

/// A store whose log ends with this change, and where in the log that begins.
fn changed(change: &Change) -> (Home, usize) {
    let home = Home::with(2);
    for args in change.before {
        home.run(args).done();
    }
    let event = usize::try_from(home.length("db-wal")).unwrap();
    let database = fs::read(home.file("db")).unwrap();
    home.run(change.made_by).done();
    assert!(home.length("db-wal") > event as u64, "nothing was written behind it");
    assert!(fs::read(home.file("db")).unwrap() == database, "the log was moved");
    (home, event)
}

/// Where bits are flipped, of so many: the same places each time.
fn places(bits: usize, count: usize) -> impl Iterator<Item = usize> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % bits as u64).unwrap()
    })
    .take(count)
}

const LOST: &str = "the store lost ";

/// Flips `count` bits of what the last change of each kind wrote into the log, one at a time; how many of
/// them a command that reads and one that writes both said nothing of.
fn silent(count: usize, off: &str) -> usize {
    let mut silent = 0;
    for change in &CHANGES {
        let (whole, start) = changed(change);
        let log = fs::read(whole.file("db-wal")).unwrap();
        for bit in places((log.len() - start) * 8, count) {
            let home = Home::new();
            fs::remove_dir_all(home.store()).unwrap();
            copy(&whole.store(), &home.store());
            let mut flipped = log.clone();
            flipped[start + bit / 8] ^= 1 << (bit % 8);
            fs::write(home.file("db-wal"), flipped).unwrap();
            let run = |args: &[&str]| ended(home.ream(args).env("REAM_FAULTS", off));
            let reading = run(change.shown_by);
            let writing = run(&["append", "s", "T"]);
            if !reading.stderr.contains(LOST) && writing.code == Some(0) {
                silent += 1;
                continue;
            }
            let warning = format!("warning: {LOST}");
            assert!(reading.stderr.starts_with(&warning), "bit {bit}: {reading:#?}");
            writing.failed(1, &[LOST, "acknowledged change", "\nhint: "]);
        }
    }
    silent
}

#[test]
fn a_bit_flipped_behind_the_last_event_is_noticed() {
    assert_eq!(silent(150, ""), 0);
}

#[cfg(feature = "faults")]
#[test]
fn without_the_count_such_a_bit_is_not_noticed() {
    assert_eq!(silent(3, "no-count"), 3 * CHANGES.len());
}

#[test]
fn a_change_is_counted_behind_its_commit_and_rings_no_bell() {
    let home = Home::with(2);
    home.run(&SUBSCRIBE).done();
    home.run(&SEEK).done();
    for args in [&["state", "set", "s", "1"][..], &["subscription", "ack", "hook", "1"]] {
        let calls = traced(&home, KINDS, args);
        assert!(!calls.iter().any(|call| call.on("bell/bell")), "{calls:#?}");
        let counts = calls.iter().filter(|call| call.on("changes")).collect::<Vec<_>>();
        assert!(matches!(counts[..], [count] if count.is(&["pwrite64"])), "{args:?}: {calls:#?}");
        let synced = calls.iter().position(|call| call.syncs("db-wal")).unwrap();
        let counted = calls.iter().position(|call| call.on("changes")).unwrap();
        let told = calls.iter().position(Call::writes_out).unwrap();
        assert!(synced < counted && counted < told, "{calls:#?}");
    }
}

#[test]
fn an_event_is_not_counted_nor_is_what_changes_nothing() {
    let home = Home::with(2);
    home.run(&["state", "set", "s", "1"]).done();
    for args in [
        &["append", "s", "T", "--id", "a"][..],
        &["append", "s", "T", "--id", "a"],
        &["append", "s", "T", "--expect", "3", "--state", "2"],
        &["stream", "protect", "s"],
        &["stream", "protect", "s"],
        &["stream", "unprotect", "s"],
        &["project", "create", "rows", "id:integer:key"],
        &["project", "drop", "rows", "--yes"],
        &["read"],
        &["state", "get", "s"],
    ] {
        let calls = traced(&home, KINDS, args);
        assert!(!calls.iter().any(|call| call.on("changes")), "{args:?}: {calls:#?}");
    }
}

#[test]
fn the_acks_of_many_subscriptions_wake_no_one() {
    let home = Home::with(3);
    let bell = || {
        let bell = home.file("bell");
        let mut stat = Command::new("stat");
        stat.args(["-c", "%n %y %z %s"]).arg(&bell).arg(bell.join("bell"));
        clean(&mut stat, home.place());
        ended(&mut stat).done()
    };
    let names: Vec<String> = (0..20).map(|number| format!("hook-{number}")).collect();
    let tail = |name| ["tail", "--as", name, "--until-caught-up", "--", "sh", "-c", READS];
    for name in &names {
        home.run(&tail(name)).done();
    }
    home.append("s");
    let before = bell();
    for name in &names {
        let args = tail(name);
        let calls = traced(&home, "%file,pwrite64,write,pwritev", &args);
        let in_the_bell = calls.iter().filter(|call| call.text().contains("/store/bell"));
        let writes = in_the_bell.filter(|call| call.is(&["pwrite64", "write", "pwritev"]));
        assert_eq!(writes.count(), 0, "{calls:#?}");
        assert!(calls.iter().any(|call| call.on("changes") && call.is(&["pwrite64"])));
    }
    assert_eq!(bell(), before);
}

#[test]
fn a_kill_at_any_call_of_a_change_makes_the_store_refuse_nothing() {
    let home = Home::with(2);
    home.run(&["state", "set", "s", "1"]).done();
    let count = |home: &Home| fs::read_to_string(home.file("changes")).unwrap();
    let before = count(&home);
    let (mut undone, mut uncounted, mut counted) = (0, 0, 0);
    killed_at_each_call(&home, &["state", "set", "s", "2"], |home, end, place| {
        let is_counted = count(home) != before;
        match home.run(&["state", "get", "s", "--data"]).done().trim() {
            "1" => undone += 1,
            "2" if is_counted => counted += 1,
            "2" => uncounted += 1,
            found => panic!("{place}: {found}"),
        }
        assert!(end.stdout.is_empty() || is_counted, "{place}: told before it was counted");
        home.open().check().unwrap();
        home.run(&["read"]).done();
        home.run(&["state", "set", "s", "3"]).done();
        assert_eq!(home.append("s"), 3, "{place}");
        assert_ne!(count(home), before, "{place}");
    });
    assert!(undone > 50 && uncounted > 0 && counted > 2, "{undone} {uncounted} {counted}");
}

#[test]
fn a_torn_or_missing_count_says_nothing_and_is_written_anew() {
    let home = Home::with(1);
    let whole = fs::read(home.file("changes")).unwrap();
    assert_eq!(whole, b"", "nothing is counted yet");
    home.run(&["state", "set", "s", "0"]).done();
    let whole = fs::read(home.file("changes")).unwrap();
    let mut later = whole.clone();
    later[0] = b'9';
    let torn: [Option<&[u8]>; 7] = [
        None,
        Some(b""),
        Some(&whole[..8]),
        Some(&whole[..whole.len() - 2]),
        Some(&later),
        Some(b"\xff\xfe"),
        Some(&[0; 28]),
    ];
    for (count, record) in (2..).zip(torn) {
        fs::remove_file(home.file("changes")).unwrap();
        if let Some(record) = record {
            fs::write(home.file("changes"), record).unwrap();
        }
        home.run(&["read"]).done();
        home.append("s");
        home.run(&["state", "set", "s", &count.to_string()]).done();
        let mended = fs::read_to_string(home.file("changes")).unwrap();
        assert!(mended.starts_with(&format!("{count:010} ")), "{mended:?}");
        assert_eq!(mended.len(), whole.len());
    }
}

#[test]
fn a_count_that_can_not_be_written_is_a_warning() {
    let home = Home::with(1);
    home.run(&["state", "set", "s", "1"]).done();
    let before = fs::read(home.file("changes")).unwrap();
    let failing = |args: &[&str]| ended(&mut home.injected("changes", "pwrite64:error=EIO", args));
    failing(&["state", "set", "s", "2"]).warned(&["count a change", "/store/changes"]);
    assert_eq!(fs::read(home.file("changes")).unwrap(), before);
    // It is old, and that is no loss.
    assert_eq!(home.run(&["state", "get", "s", "--data"]).done(), "2\n");
    home.run(&["state", "set", "s", "3"]).done();
    assert_ne!(fs::read(home.file("changes")).unwrap(), before);
}
