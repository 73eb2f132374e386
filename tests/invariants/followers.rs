//! Invariant 4: how followers come to know, and that they leave each other alone.

use std::fs;
use std::process::Command;

use crate::support::{Call, Home, Lines, Running, calls, ended, numbered, position, until};

const STRACE: [&str; 6] = ["strace", "-f", "-y", "-e", "signal=none", "-e"];

/// A follower under strace: its events and its calls.
struct Watched {
    _running: Running,
    events: Lines,
    trace: Lines,
}

impl Watched {
    fn start(home: &Home, kinds: &str, more: &[&str]) -> Self {
        let filter = format!("trace={kinds}");
        let mut wrapper = STRACE.to_vec();
        wrapper.push(&filter);
        wrapper.extend(more);
        let mut running = Running::start(&mut home.wrapped(&wrapper, &["tail"]));
        let (events, trace) = (running.lines(), Lines::of(running.stderr()));
        Self { _running: running, events, trace }
    }

    /// What it does until it has looked `count` times by itself.
    #[track_caller]
    fn looks(&self, count: usize) -> Vec<Call> {
        let mut looks = 0;
        let lines = self.trace.through(|line| {
            looks += usize::from(is_look(line));
            looks == count
        });
        calls(&lines)
    }
}

/// Whether a line tells that a follower looks whether its store is still in its place, as it
/// does each time that it looks by itself.
fn is_look(line: &str) -> bool {
    line.contains("stat") && line.contains("/store/db\"")
}

#[test]
fn the_bells_directory_is_all_that_is_watched() {
    let home = Home::with(1);
    let watched = Watched::start(&home, "inotify_add_watch,statx", &[]);
    watched.events.take(1);
    let calls = watched.looks(4);
    let added: Vec<&Call> =
        calls.iter().filter(|call| call.name() == "inotify_add_watch").collect();
    assert_eq!(added.len(), 1, "{added:#?}");
    assert!(added[0].text().contains("/store/bell\", "), "{added:#?}");
}

#[test]
fn a_follower_watches_before_it_reads() {
    let home = Home::with(1);
    let watched = Watched::start(&home, "inotify_add_watch,openat,statx", &[]);
    let calls = watched.looks(2);
    let at = |is: &dyn Fn(&Call) -> bool| calls.iter().position(is).unwrap();
    let watching = at(&|call| call.name() == "inotify_add_watch");
    assert!(watching < at(&|call| call.is(&["openat"]) && call.on("db")), "{calls:#?}");
}

#[test]
fn a_follower_does_not_open_the_bell_again() {
    let home = Home::with(1);
    let watched = Watched::start(&home, "%file,openat,read,pread64", &[]);
    watched.events.take(1);
    // It looks when it opens the store, opens the bell once, and looks again when it follows.
    watched.looks(2);
    home.append("s");
    home.append("s");
    assert_eq!(watched.events.take(2).len(), 2);
    let calls = watched.looks(6);
    // To read it through the descriptor that it has wakes no one.
    let touched = |call: &&Call| call.on("bell/bell") && !call.is(&["pread64"]);
    let touched: Vec<&Call> = calls.iter().filter(touched).collect();
    assert!(touched.is_empty(), "{touched:#?}");
}

/// What the system tells a follower: reads of its inotify instance that give something.
fn told(calls: &[Call]) -> usize {
    calls
        .iter()
        .filter(|call| call.name() == "read" && call.text().contains("inotify") && call.succeeded())
        .count()
}

#[test]
fn idle_followers_tell_each_other_nothing() {
    let home = Home::with(1);
    let first = Watched::start(&home, "read,statx", &[]);
    let second = Watched::start(&home, "read,statx", &[]);
    for follower in [&first, &second] {
        follower.events.take(1);
    }
    // What a start does is over when both have looked for some time.
    for follower in [&first, &second] {
        follower.looks(6);
    }
    assert_eq!(told(&first.looks(10)), 0);
    assert_eq!(told(&second.looks(8)), 0);
}

#[test]
fn what_merely_reads_wakes_no_follower() {
    let home = Home::with(1);
    let watched = Watched::start(&home, "statx,fcntl", &[]);
    watched.events.take(1);
    watched.looks(2);
    for _ in 0..5 {
        assert_eq!(home.positions(), [1]);
        home.run(&["status"]).done();
    }
    // A follower takes a lock to look into the store. It does so only after it has looked whether
    // the store is there, that is, by itself; one that is woken would not.
    let mut by_itself = true;
    for call in watched.looks(6) {
        if is_look(call.text()) {
            by_itself = true;
        } else if call.on("db-shm") && call.text().contains("F_RDLCK") {
            assert!(by_itself, "{call:?}");
            by_itself = false;
        }
    }
}

#[test]
fn a_follower_without_a_watch_follows() {
    for inject in ["inotify_init1:error=EMFILE", "inotify_add_watch:error=ENOSPC"] {
        let home = Home::with(1);
        let inject = format!("inject={inject}");
        let calls = "inotify_init1,inotify_add_watch";
        let watched = Watched::start(&home, calls, &["-e", &inject]);
        assert_eq!(watched.events.take(1).len(), 1);
        for number in 2..5 {
            home.append("s");
            assert_eq!(position(&watched.events.next().unwrap()), number);
        }
        watched.trace.through(|line| line.contains("(INJECTED)"));
    }
}

#[test]
fn a_follower_that_was_stopped_sees_all_that_came() {
    let home = Home::with(1);
    let mut tail = Running::start(&mut home.ream(&["tail"]));
    let lines = tail.lines();
    lines.take(1);
    signal(&tail, "STOP");
    for _ in 0..5 {
        home.append("s");
    }
    let mut store = home.open();
    for _ in 0..200 {
        store.append(&numbered("burst", 3)).unwrap();
    }
    signal(&tail, "CONT");
    let seen: Vec<u64> = lines.take(605).iter().map(|line| position(line)).collect();
    assert_eq!(seen, (2..=606).collect::<Vec<_>>());
}

#[track_caller]
fn signal(running: &Running, name: &str) {
    let mut kill = Command::new("kill");
    ended(kill.args(["-s", name, &running.id().to_string()])).done();
    if name == "STOP" {
        until("the process stops", || {
            let stat = fs::read_to_string(format!("/proc/{}/stat", running.id())).unwrap();
            stat.rsplit_once(") ").unwrap().1.starts_with('T').then_some(())
        });
    }
}

#[test]
fn each_event_is_seen_once_and_in_order_while_it_is_written() {
    let home = Home::new();
    let mut followers: Vec<Running> =
        (0..3).map(|_| Running::start(&mut home.ream(&["tail"]))).collect();
    let outputs: Vec<Lines> = followers.iter_mut().map(Running::lines).collect();
    let mut store = home.open();
    for _ in 0..200 {
        store.append(&numbered("a", 1)).unwrap();
    }
    for output in outputs {
        let seen: Vec<u64> = output.take(200).iter().map(|line| position(line)).collect();
        assert_eq!(seen, (1..=200).collect::<Vec<_>>());
    }
}
