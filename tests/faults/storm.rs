//! A storm: writers, a follower, a reactor, a projector, deciders, rebuilds, backups, removals and compactions at
//! once, each process of them killed at random; and then all that was promised of each is looked at.
//!
//! `REAM_STORM` says how many seconds it goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ream::{Event, Options, Store};
use serde_json::Value;

use crate::chance::Numbers;
use crate::support::{Home, position, read};

const SECONDS: u64 = 20;
const WRITERS: u64 = 6;
const DECIDERS: u64 = 2;

/// How often it is looked whether a process has ended.
const LOOK: Duration = Duration::from_millis(2);

const REACT: &str = r#"while read -r line; do
p=${line#*\"position\":}; p=${p%%,*}
echo "{\"append\":{\"stream\":\"re-$p\",\"type\":\"Reacted\"}}"
echo "{\"ack\":$p}"
done"#;
const PROJECT: &str = r#"while read -r line; do
p=${line#*\"position\":}; p=${p%%,*}
echo "{\"set\":{\"id\":$p}}"
echo "{\"ack\":$p}"
done"#;

/// What goes on.
struct Storm<'s> {
    home: &'s Home,
    over: AtomicBool,
    /// The ids that were acknowledged, with their positions.
    acknowledged: Mutex<BTreeMap<String, u64>>,
    /// The commands whose decision was acknowledged.
    decided: Mutex<BTreeSet<String>>,
    /// What followers were given, line by line.
    followed: Mutex<Vec<String>>,
    kills: Mutex<u64>,
}

impl Storm<'_> {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Runs a command that is killed after up to `longest`, one time in three, and when the storm is over; what it
    /// said to its end, and whether that was its own.
    fn run(&self, numbers: &mut Numbers, longest: usize, args: &[&str]) -> (String, bool) {
        let mut command: Command = self.home.ream(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut output = child.stdout.take().unwrap();
        let reading = thread::spawn(move || {
            let mut said = Vec::new();
            std::io::Read::read_to_end(&mut output, &mut said).unwrap();
            String::from_utf8_lossy(&said).into_owned()
        });
        let is_killed = numbers.below(3) == 0;
        let life = Duration::from_millis(numbers.below(longest) as u64);
        let ended = self.end(&mut child, is_killed.then_some(life));
        let said = reading.join().unwrap();
        (said, ended)
    }

    /// Waits for a process; kills it when it has lived so long, or the storm is over. Whether it ended well.
    fn end(&self, child: &mut Child, life: Option<Duration>) -> bool {
        let begun = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status.success();
            }
            if self.is_over() || life.is_some_and(|life| begun.elapsed() > life) {
                // It may have ended meanwhile.
                let _ = child.kill();
                child.wait().unwrap();
                *self.kills.lock().unwrap() += 1;
                return false;
            }
            thread::sleep(LOOK);
        }
    }

    /// Appends one event after another, each again under its id until it is acknowledged.
    fn write(&self, writer: u64) {
        let mut numbers = Numbers(writer);
        for number in 0.. {
            let (stream, id) = (format!("w-{writer}"), format!("{writer}/{number}"));
            while !self.is_over() {
                let append = ["append", &stream, "Written", "{\"n\":1}", "--id", &id];
                let (said, _) = self.run(&mut numbers, 20, &append);
                if let Ok(line) = serde_json::from_str::<Value>(&said) {
                    let position = line["position"].as_u64().unwrap();
                    self.acknowledged.lock().unwrap().insert(id, position);
                    break;
                }
            }
            if self.is_over() {
                return;
            }
        }
    }

    /// Decides one command after another on one stream, each again under its id until that is acknowledged.
    fn decide(&self, decider: u64) {
        let mut numbers = Numbers(100 + decider);
        for number in 0.. {
            let id = format!("command-{decider}-{number}");
            while !self.is_over() {
                let program = "cat >/dev/null; echo '{\"append\":{\"type\":\"Decided\"}}'";
                let decide = ["decide", "decided", "{}", "--id", &id, "--", "sh", "-c", program];
                let (_, ended) = self.run(&mut numbers, 60, &decide);
                if ended {
                    self.decided.lock().unwrap().insert(id);
                    break;
                }
            }
            if self.is_over() {
                return;
            }
        }
    }

    /// Follows from where it was.
    fn follow(&self) {
        let mut numbers = Numbers(200);
        while !self.is_over() {
            let last =
                self.followed.lock().unwrap().last().map_or(0, |line: &String| position(line));
            let (said, _) =
                self.run(&mut numbers, 900, &["tail", "w-*", "--after", &last.to_string()]);
            // The last line may be half a line.
            let whole = said.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            self.followed.lock().unwrap().extend(whole.map(str::to_owned));
        }
    }

    /// Does the same again and again.
    fn repeat(&self, seed: u64, longest: usize, args: &[&str]) {
        let mut numbers = Numbers(seed);
        while !self.is_over() {
            self.run(&mut numbers, longest, args);
        }
    }

    /// Backs up, again and again, each time in the place of the last.
    fn back_up(&self) {
        let mut numbers = Numbers(300);
        let place = self.home.place();
        while !self.is_over() {
            let new = place.join("new-backup");
            let _ = fs::remove_dir_all(&new);
            let (_, ended) = self.run(&mut numbers, 400, &["backup", new.to_str().unwrap()]);
            if ended {
                let _ = fs::remove_dir_all(place.join("backup"));
                fs::rename(new, place.join("backup")).unwrap();
            }
        }
    }

    /// Writes and removes, again and again.
    fn remove(&self) {
        let mut numbers = Numbers(400);
        while !self.is_over() {
            self.run(&mut numbers, 30, &["append", "gone", "T", "\"what is erased\""]);
            self.run(&mut numbers, 60, &["stream", "rm", "gone", "--yes", "--lock-timeout", "1s"]);
        }
    }
}

/// That each event of the writers was reacted to once.
fn check_reactions(events: &[Event]) {
    let written = |event: &&Event| event.stream.as_str().starts_with("w-");
    let written: BTreeSet<u64> =
        events.iter().filter(written).map(|event| event.position.0).collect();
    let mut reacted = BTreeSet::new();
    for event in events.iter().filter(|event| event.stream.as_str().starts_with("re-")) {
        let to: u64 = event.stream.as_str()[3..].parse().unwrap();
        assert!(reacted.insert(to), "{to} was reacted to twice");
        assert_eq!(event.version.0, 1);
    }
    assert_eq!(reacted, written);
}

#[test]
fn in_a_storm_each_gets_what_was_promised() {
    let home = Home::new();
    let create =
        ["project", "create", "rows", "id:integer:key", "--from", "w-*", "--", "sh", "-c", PROJECT];
    home.run(&create).done();
    let storm = Storm {
        home: &home,
        over: AtomicBool::new(false),
        acknowledged: Mutex::default(),
        decided: Mutex::default(),
        followed: Mutex::default(),
        kills: Mutex::default(),
    };
    let react = ["tail", "w-*", "--as", "react", "--", "sh", "-c", REACT];
    let seconds = std::env::var("REAM_STORM").map_or(SECONDS, |seconds| seconds.parse().unwrap());
    thread::scope(|scope| {
        let storm = &storm;
        (0..WRITERS).for_each(|writer| drop(scope.spawn(move || storm.write(writer))));
        (0..DECIDERS).for_each(|decider| drop(scope.spawn(move || storm.decide(decider))));
        scope.spawn(|| storm.follow());
        scope.spawn(|| storm.repeat(500, 900, &react));
        scope.spawn(|| storm.repeat(600, 900, &["project", "run", "rows"]));
        scope.spawn(|| storm.repeat(700, 900, &["project", "rebuild", "rows"]));
        scope.spawn(|| storm.repeat(800, 300, &["compact"]));
        scope.spawn(|| storm.back_up());
        scope.spawn(|| storm.remove());
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(seconds) {
            thread::sleep(LOOK);
        }
        storm.over.store(true, Ordering::Relaxed);
    });
    check(&home, storm, &react);
}

/// Has what follows come to the end, and looks at all of it.
fn check(home: &Home, storm: Storm<'_>, react: &[&str]) {
    let caught_up = [&react[..4], &["--until-caught-up"], &react[4..]].concat();
    assert_eq!(home.run(&caught_up).code, Some(0));
    assert_eq!(home.run(&["project", "run", "rows", "--until-caught-up"]).code, Some(0));
    let opened = Store::open(&home.store(), &Options::default()).unwrap();
    opened.check().unwrap();
    let events = read(&opened);
    drop(opened);
    let (acknowledged, kills) =
        (storm.acknowledged.into_inner().unwrap(), storm.kills.into_inner().unwrap());
    assert!(acknowledged.len() > 50 && kills > 20, "{} {kills}", acknowledged.len());
    for (id, position) in &acknowledged {
        let found = events.iter().find(|event| event.position.0 == *position);
        assert_eq!(found.map(|event| event.id.clone()).as_ref(), Some(id));
    }
    let ids: BTreeSet<String> = events.iter().map(|event| event.id.clone()).collect();
    assert_eq!(ids.len(), events.len(), "an event is there twice");
    // Each command decided once; the one that was under way at the end may have been.
    let decided = events.iter().filter(|event| event.stream.as_str() == "decided").count();
    let told = storm.decided.into_inner().unwrap().len();
    let under_way = usize::try_from(DECIDERS).unwrap();
    assert!((told..=told + under_way).contains(&decided), "{told} {decided}");
    check_reactions(&events);
    // A follower was given each once, in order, as it is stored.
    let followed = storm.followed.into_inner().unwrap();
    let stored = home.run(&["read", "w-*"]).done();
    let stored: Vec<&str> = stored.split_inclusive('\n').take(followed.len()).collect();
    assert_eq!(followed, stored);
    assert!(followed.len() > 20, "{}", followed.len());
    let written = home.run(&["read", "w-*"]).done();
    let rows = home.run(&["project", "select", "rows", "--order-by", "id"]).done();
    let rows: Vec<u64> = rows
        .lines()
        .map(|row| serde_json::from_str::<Value>(row).unwrap()["id"].as_u64().unwrap())
        .collect();
    assert_eq!(rows, written.lines().map(position).collect::<Vec<_>>());
    assert!(home.run(&["verify"]).done().contains("\"verified\":true"));
    // The last whole backup is the beginning of the log.
    let backup = home.place().join("backup");
    if backup.exists() {
        let manifest: Value =
            serde_json::from_slice(&fs::read(backup.join("backup.json")).unwrap()).unwrap();
        let head = format!("{}/{}", manifest["link"].as_str().unwrap(), manifest["head"]);
        home.run(&["verify", "--against", &head]).done();
    }
}
