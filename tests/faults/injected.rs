//! Every command that writes, killed at random calls, and with random calls that fail, once or for good.
//!
//! Whatever comes of the command: what it has acknowledged is there, the store is whole, and the next command works.
//! A run is repeated by its seed: `REAM_TEST_SEED`. `REAM_KILLS` and `REAM_ERRORS` say how many there are;
//! `REAM_KILLS=all` kills each command at each call that it makes.

use std::collections::{BTreeMap, HashMap};

use ream::{Options, Store, Verification, Verifying};
use serde_json::Value;

use crate::chance::{how_many, seeded};
use crate::support::{Call, Ended, Home, copied, copy, ended, sized, traced};
use crate::verified::is_of_what_is_stored;

const KILLS: usize = 500;
const ERRORS: usize = 300;

/// What writes.
const COMMANDS: [&[&str]; 32] = [
    &["append", "a", "T", "1", "--id", "own"],
    &["append", "--jsonl", "lines"],
    &["append", "--atomic", "--jsonl", "lines"],
    &["append", "acc", "T", "1", "--expect", "1", "--state", "{\"n\":2}"],
    &["append", "c", "T", "--tag", "x", "--none", "type=T tag=x", "--none-after", "1"],
    &["stream", "protect", "a"],
    &["stream", "rm", "gone", "--yes"],
    &["state", "set", "a", "{\"n\":3}"],
    &["state", "rm", "acc", "--yes"],
    &["decide", "acc", "{}", "--id", "d-1", "--", "sh", "decide"],
    &["project", "create", "other", "id:integer:key", "--from", "a"],
    &["project", "set", "rows", "{\"id\":5,\"n\":5}"],
    &["project", "run", "rows", "--until-caught-up", "--allow"],
    &["project", "rebuild", "rows", "--allow"],
    &["project", "drop", "rows", "--yes"],
    &["tail", "a", "--as", "new", "--until-caught-up", "--", "sh", "-c", "cat >/dev/null"],
    &["tail", "acc", "--as", "hook", "--until-caught-up", "--", "sh", "react"],
    &["subscription", "seek", "hook", "start"],
    &["subscription", "rm", "hook", "--yes"],
    &["subscription", "ack", "hook", "4"],
    &["project", "update", "rows", "--set", "n = n + 1", "--where", "id = 1", "--yes"],
    &["project", "delete", "rows", "id = 1", "--yes"],
    &["stream", "set", "kept", "--max-count", "2"],
    &["stream", "truncate", "gone", "--before", "@2", "--yes"],
    &["redact", "gone@1", "--reason", "r", "--yes"],
    &["prune", "--yes"],
    &["import", "exported"],
    &["export", "--out", "new"],
    &["backup", "new"],
    &["backup", "new", "--projections"],
    &["restore", "copy", "new", "--until", "4"],
    &["compact"],
];

/// Calls that may fail, and how. (Without memory for the stack of a signal handler, Rust's runtime ends the process.)
const FAILING: [(&str, &[&str]); 17] = [
    ("pwrite64", &["EIO", "ENOSPC", "EINTR"]),
    ("fdatasync", &["EIO", "ENOSPC"]),
    ("fsync", &["EIO", "ENOSPC"]),
    ("ftruncate", &["EIO", "ENOSPC"]),
    ("openat", &["EMFILE", "EIO", "ENOMEM"]),
    ("open", &["EMFILE", "EIO"]),
    ("pread64", &["EIO", "EINTR"]),
    ("clone3", &["EAGAIN", "ENOMEM"]),
    ("pipe2", &["EMFILE"]),
    ("renameat", &["EIO", "ENOSPC"]),
    ("write", &["EIO", "ENOSPC", "EAGAIN"]),
    ("read", &["EIO", "EINTR"]),
    ("flock", &["EINTR", "ENOMEM"]),
    ("rename", &["EIO", "ENOSPC"]),
    ("mkdir", &["EIO", "ENOSPC"]),
    ("unlink", &["EIO"]),
    ("unlinkat", &["EIO"]),
];

/// A store with something of everything.
fn prepared() -> Home {
    let home = Home::with(3);
    let write = |name: &str, text: &str| std::fs::write(home.place().join(name), text).unwrap();
    write(
        "lines",
        &"{\"stream\":\"a\",\"type\":\"T\",\"data\":\"xxxxxxxxxxxxxxxxxxxxxxx\"}\n".repeat(40),
    );
    write(
        "decide",
        "cat >/dev/null; echo '{\"append\":{\"type\":\"T\"}}'; echo '{\"state\":{\"n\":9}}'",
    );
    write(
        "react",
        "while read -r line; do :; done; echo '{\"append\":{\"stream\":\"re\",\"type\":\"T\"}}'",
    );
    let mut store = home.open();
    store.append(&[sized("gone", "1"), sized("gone", "2")]).unwrap();
    drop(store);
    home.run(&["append", "acc", "T", "1", "--state", "{\"n\":1}", "--expect", "no-stream"]).done();
    home.run(&["append", "a", "T", "0"]).done();
    let create = ["project", "create", "rows", "id:integer:key", "n:integer", "--from", "*", "--"];
    home.run(&[&create[..], &["sh", "-c", "cat >/dev/null"]].concat()).done();
    home.run(&["tail", "acc", "--as", "hook", "--until", "3", "--", "sh", "-c", "cat >/dev/null"])
        .done();
    home.run(&["project", "set", "rows", "{\"id\":1,\"n\":1}"]).done();
    home.run(&["stream", "set", "kept", "--max-count", "3"]).done();
    home.open().append(&vec![sized("kept", "1"); 5]).unwrap();
    home.run(&["backup", "copy"]).done();
    let exported = home.run(&["export", "a"]).done().replace("\"id\":\"", "\"id\":\"x-");
    write("exported", &exported);
    home
}

/// That what was acknowledged is there, that the store is whole, and that it goes on.
#[track_caller]
fn check(home: &Home, end: &Ended, args: &[&str], told: &str) {
    let documented = matches!(end.code, None | Some(0..=10 | 130 | 137));
    assert!(documented && !end.stderr.contains("panicked"), "{told}: {end:#?}");
    let mut store = Store::open(&home.store(), &Options::default()).unwrap();
    store.check().unwrap_or_else(|error| panic!("{told}: {error}: {end:#?}"));
    let stored: HashMap<u64, String> = crate::support::read(&store)
        .into_iter()
        .map(|event| (event.position.0, event.id.clone()))
        .collect();
    for line in end.stdout.lines() {
        let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
        if let (Some(position), Some(id)) = (line["position"].as_u64(), line["id"].as_str()) {
            assert_eq!(stored.get(&position).map(String::as_str), Some(id), "{told}: {end:#?}");
        }
    }
    let mut found = Vec::new();
    let verified = store.verify(&Verification::default(), &mut |one| {
        if let Verifying::Found(finding) = one {
            found.extend(Some(finding).filter(is_of_what_is_stored));
        }
    });
    assert!(found.is_empty(), "{told}: {found:?}: {end:#?}");
    let head = verified.unwrap().head.position.0;
    let next = store.append(&[sized("next", "1")]);
    let next = next.unwrap_or_else(|error| panic!("{told}: {error}: {end:#?}"));
    assert_eq!(next[0].position.0, head + 1, "{told}");
    drop(store);
    // The same again is done, or says what is in its way by now: an id, a version, nothing to remove.
    let again = home.run(args);
    assert!(matches!(again.code, Some(0 | 1 | 3 | 4)), "{told}: {end:#?} {again:#?}");
    // However often it was begun, an event is reacted to once.
    let reactions = crate::support::read(&home.open());
    let reactions = reactions.iter().filter(|event| event.stream.as_str() == "re").count();
    assert!(reactions <= 1, "{told}: {reactions}");
    // Of those under a condition that none is there, one is.
    let of = |stream: &str| {
        let events = crate::support::read(&home.open());
        events.iter().filter(|event| event.stream.as_str() == stream).count()
    };
    assert!(of("c") <= 1, "{told}: {}", of("c"));
    check_made(home, told);
}

/// That what was made beside the store is whole, where it is there.
#[track_caller]
fn check_made(home: &Home, told: &str) {
    let new = home.place().join("new");
    if new.is_dir() {
        let copy = Store::open(&new, &Options::default()).unwrap();
        let found = copy.verify(&Verification::default(), &mut |_| ()).unwrap().findings;
        assert_eq!(found, 0, "{told}");
    } else if new.exists() {
        let exported = std::fs::read_to_string(&new).unwrap();
        assert!(
            exported.ends_with("}\n") && exported.contains("\n{\"end\":"),
            "{told}: {exported}"
        );
    }
}

/// A copy of the store, beside copies of what its commands are given.
fn again(prepared: &Home) -> Home {
    let home = copied(prepared);
    for name in ["lines", "decide", "react", "exported", "copy"] {
        copy(&prepared.place().join(name), &home.place().join(name));
    }
    home
}

/// Runs a command under strace, which does this to one of its calls.
fn injected(home: &Home, call: &str, inject: &str, args: &[&str]) -> Ended {
    let (trace, inject) = (format!("trace={call}"), format!("inject={call}:{inject}"));
    let strace = ["strace", "-f", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    ended(&mut home.wrapped(&strace, args))
}

/// The calls of each command, and how many of that name it has made with each.
fn points(prepared: &Home) -> Vec<Vec<(String, usize)>> {
    let of = |args: &&[&str]| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut point = |call: &Call| {
            let count = counts.entry(call.name().to_owned()).or_default();
            *count += 1;
            (call.name().to_owned(), *count)
        };
        traced(&again(prepared), "all", args).iter().map(&mut point).collect()
    };
    COMMANDS.iter().map(of).collect()
}

#[test]
fn a_command_that_is_killed_at_any_call_keeps_what_it_said() {
    let prepared = prepared();
    let (seed, mut numbers) = seeded();
    let points = points(&prepared);
    let kills: Vec<(usize, usize)> =
        if std::env::var("REAM_KILLS").is_ok_and(|kills| kills == "all") {
            let each = |command: usize| (0..points[command].len()).map(move |at| (command, at));
            (0..COMMANDS.len()).flat_map(each).collect()
        } else {
            let mut any = |_| {
                let command = numbers.below(COMMANDS.len());
                (command, numbers.below(points[command].len()))
            };
            (0..how_many("REAM_KILLS", KILLS)).map(&mut any).collect()
        };
    for (kill, (command, at)) in kills.iter().enumerate() {
        let (args, (call, when)) = (COMMANDS[*command], &points[*command][*at]);
        let home = again(&prepared);
        let end = injected(&home, call, &format!("signal=KILL:when={when}"), args);
        let told = format!("seed {seed}, kill {kill}: {args:?} at {call} {when}");
        check(&home, &end, args, &told);
    }
    let of: usize = points.iter().map(Vec::len).sum();
    println!("seed {seed}: {} kills, of {of} points", kills.len());
}

#[test]
fn a_command_whose_calls_fail_says_so_and_keeps_what_it_said() {
    let prepared = prepared();
    let (seed, mut numbers) = seeded();
    let points = points(&prepared);
    let errors = how_many("REAM_ERRORS", ERRORS);
    for error in 0..errors {
        let command = numbers.below(COMMANDS.len());
        let args = COMMANDS[command];
        let count = |name: &str| points[command].iter().filter(|(call, _)| call == name).count();
        // Of those that it makes.
        let made: Vec<_> = FAILING.iter().filter(|(call, _)| count(call) > 0).collect();
        let (call, kinds) = made[numbers.below(made.len())];
        let kind = kinds[numbers.below(kinds.len())];
        // What is to be tried again is so once.
        let for_good = numbers.below(2) == 0 && !["EINTR", "EAGAIN"].contains(&kind);
        let when = 1 + numbers.below(count(call));
        let inject = format!("error={kind}:when={when}{}", if for_good { "+" } else { "" });
        let home = again(&prepared);
        let end = injected(&home, call, &inject, args);
        let told = format!("seed {seed}, error {error}: {args:?} with {call}:{inject}");
        check(&home, &end, args, &told);
    }
    println!("seed {seed}: {errors} failing calls");
}
