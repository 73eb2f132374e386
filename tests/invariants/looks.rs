//! What is done again and again costs no more than what it is about: waiting does not count a store's
//! streams, an ack reads no event again, and what others ack has a follower look at little more than the head.

use std::fs;
use std::mem::MaybeUninit;

use ream::{NewEvent, NewSubscription, Position};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;

use crate::support::{Call, Home, Lines, Running, calls, ended, numbered, until};

/// A store of so many streams that their table does not fit into SQLite's cache.
fn large() -> Home {
    let home = Home::new();
    let event = |number: u32| {
        NewEvent::new(format!("s-{number:0>150}").parse().unwrap(), "T".parse().unwrap())
    };
    home.open().append(&(0..20_000).map(event).collect::<Vec<_>>()).unwrap();
    home
}

#[test]
fn to_wait_for_a_projection_reads_as_little_in_a_large_store() {
    let home = large();
    home.run(&["project", "create", "made", "id:integer:key"]).done();
    let strace = ["strace", "-f", "-y", "-e", "trace=read,pread64", "-e", "signal=none"];
    let select = ["project", "select", "made", "--at-least", "20002", "--wait", "1s"];
    let waited = ended(&mut home.wrapped(&strace, &select));
    assert_eq!(waited.code, Some(10), "{waited:#?}");
    let lines: Vec<String> = waited.stderr.lines().map(str::to_owned).collect();
    let reads = calls(&lines).iter().filter(|call| call.is(&["read", "pread64"])).count();
    assert!((10..300).contains(&reads), "{reads}");
}

/// How often the database, its log or the bell are opened, and read from, while a program answers so many
/// events, acking one by one.
fn acked(args: &[&str], reply: &str, events: u64) -> (usize, usize) {
    let home = Home::with(events);
    home.run(&["project", "create", "made", "position:integer:key"]).done();
    // Another process takes a moment, so that acks are not committed together.
    let script = format!(
        "while IFS=:, read -r _ position _; do /bin/true; echo \"{reply}\"; echo \"{{\\\"ack\\\":$position}}\"; done"
    );
    let program = ["s", "--until-caught-up", "--retries", "0", "--", "sh", "-c", &script];
    let strace = ["strace", "-f", "-b", "execve", "-y", "-e", "signal=none", "-e"];
    let strace = [&strace[..], &["trace=openat,read,pread64"]].concat();
    let ended = ended(&mut home.wrapped(&strace, &[args, &program].concat()));
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.stdout.contains(&format!("\"checkpoint\":{events}")), "{ended:#?}");
    let lines: Vec<String> = ended.stderr.lines().map(str::to_owned).collect();
    let calls = calls(&lines);
    let count = |names: &[&str]| {
        let on = |call: &&Call| ["db", "db-wal", "bell/bell"].iter().any(|file| call.on(file));
        calls.iter().filter(|call| call.is(names)).filter(on).count()
    };
    (count(&["openat"]), count(&["read", "pread64"]))
}

#[test]
fn an_ack_opens_nothing_and_reads_no_event_again() {
    let append = r#"{\"append\":{\"stream\":\"out\",\"type\":\"T\"}}"#;
    let set = r#"{\"set\":{\"position\":$position}}"#;
    let each = [(&["tail", "--as", "too"][..], append), (&["project", "run", "made"], set)];
    for (args, reply) in each {
        let ((opens, reads), (more_opens, more_reads)) =
            (acked(args, reply, 10), acked(args, reply, 110));
        assert!(opens > 2 && more_opens < opens + 10, "{args:?}: {opens}, {more_opens}");
        // Fewer than one for two acks: pages of what is appended, and of the events.
        assert!(reads > 2 && more_reads < reads + 50, "{args:?}: {reads}, {more_reads}");
    }
}

#[test]
fn what_is_acked_touches_no_bell_and_has_followers_look_at_little_more_than_the_head() {
    const RUNNERS: usize = 5;
    let home = large();
    home.open().append(&numbered("t", 30)).unwrap();
    // The first event is acked at once: all that an ack needs is open then.
    let script = "ack() { echo \"{\\\"ack\\\":$position}\"; }; IFS=:, read -r _ position _; ack; \
                  while IFS=:, read -r _ position _; do [ -e go ] || : > begun-$$; \
                  until [ -e go ]; do sleep 0.01; done; ack; /bin/true; done";
    let runner = |number| {
        let name = format!("x{number}");
        Running::start(&mut home.ream(&["tail", "t", "--as", &name, "--", "sh", "-c", script]))
    };
    // That they are made are events, and over then.
    let mut store = home.open();
    for number in 0..RUNNERS {
        let (name, patterns) = (format!("x{number}").parse().unwrap(), vec!["t".parse().unwrap()]);
        let new = NewSubscription::of(name, patterns);
        store.subscribe(&new, Position(0)).unwrap();
    }
    let _runners: Vec<Running> = (0..RUNNERS).map(runner).collect();
    until("all programs have begun", || {
        let entries = fs::read_dir(home.place()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        let begun = names.filter(|name| name.to_string_lossy().starts_with("begun")).count();
        (begun == RUNNERS).then_some(())
    });
    let strace = ["strace", "-f", "-y", "-e", "trace=statx,openat,pread64", "-e", "signal=none"];
    let mut follower = Running::start(&mut home.wrapped(&strace, &["tail", "s-*7", "--new"]));
    let trace = Lines::of(follower.stderr());
    let looks = |count| {
        let mut left = count;
        let lines = trace.through(|line| {
            left -= u64::from(line.contains("statx") && line.contains("/store/db\""));
            left == 0
        });
        calls(&lines)
    };
    let are_at = |position| {
        (0..RUNNERS).all(|number| {
            let found = store.subscription(&format!("x{number}")).unwrap();
            found.checkpoint.position.0 == position
        })
    };
    until("the first event is acked", || are_at(20_001).then_some(()));
    // What a start does is over then.
    looks(3);
    let touched = inotify::init(CreateFlags::NONBLOCK).unwrap();
    inotify::add_watch(&touched, home.file("bell"), WatchFlags::ALL_EVENTS).unwrap();
    fs::write(home.place().join("go"), "").unwrap();
    let calls = looks(8);
    until("all is acked", || are_at(20_030).then_some(()));
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let happened = inotify::Reader::new(&touched, &mut buffer).next().map(|_| ());
    assert_eq!(happened, Err(Errno::AGAIN));
    let opened: Vec<&Call> = calls
        .iter()
        .filter(|call| call.is(&["openat"]) && !call.text().contains("\"store\""))
        .collect();
    assert!(opened.is_empty(), "{opened:#?}");
    let reads: Vec<&Call> = calls.iter().filter(|call| call.is(&["pread64"])).collect();
    assert!(!reads.is_empty() && reads.len() < 8 * 8, "{reads:#?}");
}
