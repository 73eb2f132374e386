//! Wake-ups: what was acknowledged is seen by a follower's first look behind that, or its second where no bell was
//! rung, whichever of the ways in which it comes to know are there. Looks are counted, and nothing is timed.
//!
//! `REAM_WAKEUPS` says how many commits there are.

use std::io::Write as _;
use std::process::{ChildStdin, Command};

use crate::chance::{how_many, seeded};
use crate::support::{Home, Lines, Running, WRITER, clean, position};

/// How many commits there are, over all tests.
const COMMITS: usize = 10_000;
/// Among how many tests they are divided.
const TESTS: usize = 4;
/// How many processes write.
const WRITERS: usize = 3;
/// How many events each of them stores at once at most, a commit each: often few, since only the last ring of a group
/// can be missed for good.
const FEW: [usize; 4] = [1, 2, 4, 60];
/// The same where a follower sleeps behind each group.
const MANY: [usize; 2] = [4, 60];

/// A process that answers lines with lines.
struct Answering {
    stdin: ChildStdin,
    lines: Lines,
    _process: Running,
}

impl Answering {
    /// Starts a program on this store with remedies switched off.
    fn start(program: &str, home: &Home, more: &[&str], off: &str) -> Self {
        let mut command = Command::new(program);
        command.arg(home.store()).args(more);
        clean(&mut command, home.place());
        command.env("REAM_FAULTS", off);
        let mut process = Running::start(&mut command);
        Self { stdin: process.stdin(), lines: process.lines(), _process: process }
    }

    fn say(&mut self, text: &str) {
        self.stdin.write_all(text.as_bytes()).unwrap();
    }
}

/// A follower, and what it has said.
struct Follower {
    process: Answering,
    /// What it has seen, and behind how many waits.
    seen: (u64, u64),
}

impl Follower {
    /// Takes one line; the number of waits that it answers with, where it does.
    fn take(&mut self) -> Option<u64> {
        let line = self.process.lines.next().expect("it ended");
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse().unwrap();
        if words[0] == "waits" {
            return Some(number(1));
        }
        self.seen = (number(2), number(1));
        None
    }

    /// How many of its waits have ended by now.
    fn waits(&mut self) -> u64 {
        self.process.say("\n");
        loop {
            if let Some(waits) = self.take() {
                return waits;
            }
        }
    }

    /// Behind how many waits it has seen all up to `head`.
    fn seen_by(&mut self, head: u64) -> u64 {
        while self.seen.0 < head {
            assert_eq!(self.take(), None);
        }
        self.seen.1
    }
}

/// Has processes store events, in groups of any size, with remedies switched off: each group has to be seen by so
/// many looks that begin when it is stored.
fn follow(off: &str, looks: u64, sizes: &[usize]) {
    let home = Home::new();
    let (seed, mut numbers) = seeded();
    let follower = env!("CARGO_BIN_EXE_counting-follower");
    let process = Answering::start(follower, &home, &[], off);
    let mut follower = Follower { process, seen: (0, 0) };
    let mut writers: Vec<Answering> =
        (0..WRITERS).map(|_| Answering::start(WRITER, &home, &["60000"], off)).collect();
    let commits = (how_many("REAM_WAKEUPS", COMMITS) / TESTS) as u64;
    let (mut head, mut groups) = (0, 0);
    while head < commits {
        let most = sizes[numbers.below(sizes.len())];
        let counts: Vec<usize> = writers.iter().map(|_| numbers.below(most + 1)).collect();
        for (writer, count) in writers.iter_mut().zip(&counts) {
            writer.say(&"{\"stream\":\"s\",\"type\":\"T\"}\n".repeat(*count));
        }
        for (writer, count) in writers.iter().zip(&counts) {
            let last = writer.lines.take(*count).last().map_or(0, |line| position(line));
            head = head.max(last);
        }
        // A look that is under way may have begun before.
        let waits = follower.waits();
        let behind = follower.seen_by(head);
        assert!(
            behind <= waits + looks,
            "seed {seed}, group {groups}: {head} is stored behind {waits} waits, and seen behind {behind}"
        );
        groups += 1;
    }
    assert!(groups > 10, "{groups}");
}

#[test]
fn all_is_seen_where_all_is_there() {
    follow("", 1, &FEW);
}

#[test]
fn all_is_seen_where_the_system_says_nothing() {
    follow("no-notices", 1, &FEW);
}

#[test]
fn all_is_seen_where_no_bell_is_rung() {
    // The first finds that there is more than the bell names, and the next one that nobody is about to ring it.
    follow("no-bell", 2, &MANY);
}

#[test]
fn all_is_seen_by_the_bell_alone() {
    follow("no-looks", 1, &FEW);
}
