//! Invariant 1, for processes: what was acknowledged outlives kill -9 at any moment.

use std::io::Write as _;
use std::thread;

use crate::support::{Home, Running, input, killed_at_each_call, position};

/// Streams events into the store, reads `acks` acknowledgements, and kills the process; how many
/// it had told by then, those on their way as well.
fn killed_after(home: &Home, acks: usize, bytes: usize) -> Vec<u64> {
    let mut append = Running::start(&mut home.ream(&["append", "--jsonl", "-"]));
    let (mut stdin, lines) = (append.stdin(), append.lines());
    let input = input("s", 50, bytes);
    let writing = thread::spawn(move || {
        // Until the process is gone and the pipe breaks.
        while stdin.write_all(input.as_bytes()).is_ok() {}
    });
    let mut told: Vec<u64> = lines.take(acks).iter().map(|line| position(line)).collect();
    append.kill();
    while let Some(line) = lines.next() {
        // The last line may be half a line.
        told.extend(serde_json::from_str::<serde_json::Value>(&line).ok().map(|_| position(&line)));
    }
    writing.join().unwrap();
    told
}

#[test]
fn what_was_acknowledged_outlives_kill_9() {
    let home = Home::new();
    let mut last = 0;
    for round in 0..15 {
        // Now early, now late, with small events and large.
        let acks = [1, 2, 7, 60, 500][round % 5];
        let told = killed_after(&home, acks, [10, 300, 9000][round % 3]);
        assert!(told.len() >= acks);
        assert_eq!(told, (last + 1..=last + told.len() as u64).collect::<Vec<_>>());
        last += told.len() as u64;
        home.open().check().unwrap();
        // Behind those that were told, some may be stored that nobody was told of.
        let stored = home.positions();
        assert!(stored.len() as u64 >= last, "round {round}: {} of {last}", stored.len());
        assert_eq!(stored, (1..=stored.len() as u64).collect::<Vec<_>>());
        last = home.append("s");
        assert_eq!(last, stored.len() as u64 + 1);
    }
}

#[test]
fn a_follower_sees_what_a_killed_writer_stored() {
    let home = Home::new();
    let mut tail = Running::start(&mut home.ream(&["tail"]));
    let lines = tail.lines();
    for acks in [1, 20, 3] {
        killed_after(&home, acks, 100);
    }
    let stored = home.positions().len();
    let seen: Vec<u64> = lines.take(stored).iter().map(|line| position(line)).collect();
    assert_eq!(seen, (1..=stored as u64).collect::<Vec<_>>());
    let next = home.append("s");
    assert_eq!(position(&lines.next().unwrap()), next);
}

#[test]
fn a_writer_killed_between_its_commit_and_the_bell_is_followed() {
    let home = Home::with(1);
    let mut tail = Running::start(&mut home.ream(&["tail"]));
    let lines = tail.lines();
    lines.take(1);
    let inject = "write,pwrite64,pwritev:error=EIO:signal=KILL";
    let end = crate::support::ended(&mut home.injected("bell/bell", inject, &["append", "s", "T"]));
    assert_ne!(end.code, Some(0), "{end:#?}");
    assert_eq!(end.stdout, "");
    assert_eq!(position(&lines.next().unwrap()), 2);
    assert_eq!(home.append("s"), 3);
}

#[test]
fn a_removal_that_is_killed_took_all_or_nothing() {
    let home = Home::with(70);
    home.append("other");
    let args = ["stream", "rm", "s", "other", "--yes"];
    let (mut before, mut after) = (0, 0);
    killed_at_each_call(&home, &args, |home, end, place| {
        let told = home.run(&["read", "$ream"]).done().lines().count();
        match (home.positions().len(), told) {
            (71, 0) => before += 1,
            (0, 2) => after += 1,
            found => panic!("{place}: {found:?}"),
        }
        assert!(end.stdout.is_empty() || told == 2, "{place}: told before it was done");
        home.open().check().unwrap();
        home.run(&args).done();
        assert!(home.positions().is_empty(), "{place}");
        assert_eq!(home.append("s"), 74, "{place}");
    });
    assert!(before > 50 && after > 5, "{before} {after}");
}
