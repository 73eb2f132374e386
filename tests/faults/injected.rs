//! Every command that writes, killed at random calls, and with random calls that fail, once or for good.
//!
//! Whatever comes of the command: what it has acknowledged is there, the store is whole, and the next command works.
//! A run is repeated by its seed: `REAM_TEST_SEED`. `REAM_KILLS` and `REAM_ERRORS` say how many there are.

use std::collections::{BTreeMap, HashMap};

use ream::{Options, Store, Verification, Verifying};
use serde_json::Value;

use crate::chance::{how_many, seeded};
use crate::support::{Ended, Home, copied, ended, sized, traced};

const KILLS: usize = 500;
const ERRORS: usize = 300;

/// What writes.
const COMMANDS: [&[&str]; 20] = [
    &["append", "a", "T", "1", "--id", "own"],
    &["append", "--jsonl", "lines"],
    &["append", "--atomic", "--jsonl", "lines"],
    &["append", "acc", "T", "1", "--expect", "1", "--state", "{\"n\":2}"],
    &["stream", "protect", "a"],
    &["stream", "rm", "gone", "--yes"],
    &["state", "set", "a", "{\"n\":3}"],
    &["state", "rm", "acc", "--yes"],
    &["decide", "acc", "{}", "--id", "d-1", "--", "sh", "decide"],
    &["project", "create", "other", "id:integer:key", "--from", "a"],
    &["project", "set", "rows", "{\"id\":5}"],
    &["project", "run", "rows", "--until-caught-up", "--allow"],
    &["project", "rebuild", "rows", "--allow"],
    &["project", "drop", "rows", "--yes"],
    &["tail", "a", "--as", "new", "--until-caught-up", "--", "sh", "-c", "cat >/dev/null"],
    &["tail", "acc", "--as", "hook", "--until-caught-up", "--", "sh", "react"],
    &["subscription", "seek", "hook", "start"],
    &["subscription", "rm", "hook", "--yes"],
    &["import", "exported"],
    &["compact"],
];

/// Calls that may fail, and how. (Without memory for the stack of a signal handler, Rust's runtime ends the process.)
const FAILING: [(&str, &[&str]); 11] = [
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
    let create = ["project", "create", "rows", "id:integer:key", "--from", "*", "--", "sh", "-c"];
    home.run(&[&create[..], &["cat >/dev/null"]].concat()).done();
    home.run(&["tail", "acc", "--as", "hook", "--until", "3", "--", "sh", "-c", "cat >/dev/null"])
        .done();
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
            found.push(finding);
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
}

/// A copy of the store, beside copies of what its commands are given.
fn again(prepared: &Home) -> Home {
    let home = copied(prepared);
    for name in ["lines", "decide", "react", "exported"] {
        std::fs::copy(prepared.place().join(name), home.place().join(name)).unwrap();
    }
    home
}

/// Runs a command under strace, which does this to one of its calls.
fn injected(home: &Home, call: &str, inject: &str, args: &[&str]) -> Ended {
    let (trace, inject) = (format!("trace={call}"), format!("inject={call}:{inject}"));
    let strace = ["strace", "-f", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    ended(&mut home.wrapped(&strace, args))
}

#[test]
fn a_command_that_is_killed_at_any_call_keeps_what_it_said() {
    let prepared = prepared();
    let (seed, mut numbers) = seeded();
    // How often each command makes each call.
    let counts: Vec<Vec<(String, usize)>> = COMMANDS
        .iter()
        .map(|args| {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for call in traced(&again(&prepared), "all", args) {
                *counts.entry(call.name().to_owned()).or_default() += 1;
            }
            counts.into_iter().collect()
        })
        .collect();
    for kill in 0..how_many("REAM_KILLS", KILLS) {
        let command = numbers.below(COMMANDS.len());
        let all: usize = counts[command].iter().map(|(_, count)| count).sum();
        let mut at = numbers.below(all);
        let (call, _) = counts[command]
            .iter()
            .find(|(_, count)| {
                if at < *count {
                    true
                } else {
                    at -= count;
                    false
                }
            })
            .unwrap();
        let home = again(&prepared);
        let inject = format!("signal=KILL:when={}", at + 1);
        let end = injected(&home, call, &inject, COMMANDS[command]);
        let told =
            format!("seed {seed}, kill {kill}: {:?} at {call} {}", COMMANDS[command], at + 1);
        check(&home, &end, COMMANDS[command], &told);
    }
}

#[test]
fn a_command_whose_calls_fail_says_so_and_keeps_what_it_said() {
    let prepared = prepared();
    let (seed, mut numbers) = seeded();
    for error in 0..how_many("REAM_ERRORS", ERRORS) {
        let args = COMMANDS[numbers.below(COMMANDS.len())];
        let (call, errors) = FAILING[numbers.below(FAILING.len())];
        let kind = errors[numbers.below(errors.len())];
        // What is to be tried again is so once.
        let for_good = numbers.below(2) == 0 && !["EINTR", "EAGAIN"].contains(&kind);
        let when = 1 + numbers.below(12);
        let inject = format!("error={kind}:when={when}{}", if for_good { "+" } else { "" });
        let home = again(&prepared);
        let end = injected(&home, call, &inject, args);
        let told = format!("seed {seed}, error {error}: {args:?} with {call}:{inject}");
        check(&home, &end, args, &told);
    }
}
