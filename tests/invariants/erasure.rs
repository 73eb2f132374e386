//! Invariant 22: when a removal has said `"erased":true`, no byte of what it took is in any file of the
//! store. The files are read as they lie there, with nothing run in between.

mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ream::{
    Command, Data, Expect, Json, NewEvent, NewState, NewSubscription, Position, Store, StreamName,
    Tags, Version,
};
use serde_json::Value;

use crate::support::{Home, Lines, Running, clean, killed_at_calls, sized};

/// Every file of a store, as bytes. No connection lives in this process.
fn bytes(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(bytes(&path));
        } else {
            files.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    files
}

/// What a payload is made of, so that it is known again in a file. The number has six digits: a piece
/// of one is none.
fn marker(number: u32) -> String {
    format!("<{number:06}>")
}

/// The numbers of the markers that stand in files of the store, each with the file.
fn markers(home: &Home) -> BTreeSet<(u32, String)> {
    let mut found = BTreeSet::new();
    for (file, bytes) in bytes(&home.store()) {
        for at in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'<').map(|(at, _)| at) {
            let Some(text) = bytes.get(at + 1..at + 8).filter(|text| text[6] == b'>') else {
                continue;
            };
            if let Ok(number) = std::str::from_utf8(&text[..6]).unwrap_or_default().parse() {
                found.insert((number, file.clone()));
            }
        }
    }
    found
}

/// Numbers by chance, the same for the same seed: Marsaglia's xorshift64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

/// Makes a subscription to all streams whose checkpoint is at `position`.
fn subscribe(home: &Home, name: &str, position: u64) {
    let name = name.parse().unwrap();
    let new = NewSubscription::of(name, Vec::new());
    home.open().subscribe(&new, Position(position)).unwrap();
}

/// A store with a history, and which markers may be in it.
struct History {
    home: Home,
    chance: Chance,
    /// The marker of the last payload.
    last: u32,
    /// The markers of each stream's events, and of its state.
    events: BTreeMap<String, Vec<u32>>,
    states: BTreeMap<String, u32>,
    /// Those that were replaced or removed.
    gone: BTreeSet<u32>,
}

impl History {
    fn new(seed: u64) -> Self {
        let chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (events, states) = (BTreeMap::new(), BTreeMap::new());
        let home = Home::new();
        subscribe(&home, "reactor", 0);
        Self { home, chance, last: 0, events, states, gone: BTreeSet::new() }
    }

    fn stream(&mut self) -> String {
        let number = self.chance.below(25);
        format!("s{number}-{}", "n".repeat(number * 2))
    }

    /// Data that says its marker again and again.
    fn payload(&mut self) -> (u32, Data) {
        self.last += 1;
        let marker = marker(self.last);
        let length = [30, 100, 300, 900, 1500, 6000, 20_000][self.chance.below(7)];
        let text = format!("\"{}\"", marker.repeat(length / marker.len() + 1));
        (self.last, Data::Json(Json::parse(&text).unwrap()))
    }

    /// Some tags that say a marker, of many lengths.
    fn tags(&mut self, number: u32) -> Tags {
        let count = self.chance.below(5);
        Tags::new((0..count).map(|tag| format!("{}{}", "t".repeat(tag * 25), marker(number))))
            .unwrap()
    }

    /// Changes the store in some way.
    fn go_on(&mut self, store: &mut Store) {
        let name = self.stream();
        let stream: StreamName = name.parse().unwrap();
        let version = store.stream(&name).map_or(0, |stream| stream.version.0);
        match self.chance.below(8) {
            0..3 => {
                let mut event = NewEvent::new(stream, "T".parse().unwrap());
                let (marker, data) = self.payload();
                event.data = data;
                event.tags = self.tags(marker);
                self.events.entry(name.clone()).or_default().push(marker);
                if self.chance.below(2) == 0 {
                    let (state, data) = self.payload();
                    event.state = Some(data);
                    event.expect =
                        Expect::At(Version(store.load(&event.stream).unwrap().version.0));
                    self.gone.extend(self.states.insert(name, state));
                }
                store.append(&[event]).unwrap();
            }
            3..6 => {
                let (marker, data) = self.payload();
                store.set_state(&NewState::new(stream, data)).unwrap();
                self.gone.extend(self.states.insert(name, marker));
            }
            6 => {
                let (marker, data) = self.payload();
                let Data::Json(json) = data else { unreachable!() };
                let id = format!("d{marker}").parse().unwrap();
                let command = Command::new(stream.clone(), json).with_id(id);
                store.save(&store.load(&stream).unwrap().accept(), &command).unwrap();
                // A command is kept as a hash.
                self.gone.insert(marker);
            }
            _ => {
                let (marker, data) = self.payload();
                let Data::Json(json) = data else { unreachable!() };
                store.record_failure("reactor", Some(json.as_str())).unwrap();
                // Any removal forgets what a failure quotes.
                self.gone.insert(marker);
            }
        }
        assert!(version <= self.last.into());
    }

    /// The arguments of a removal, and notes what it takes.
    fn removal(&mut self) -> Vec<String> {
        let verb = if self.chance.below(2) == 0 { "stream" } else { "state" };
        let mut words: Vec<String> = [verb, "rm", "--yes"].map(str::to_owned).into();
        for _ in 0..=self.chance.below(4) {
            let name = self.stream();
            self.gone.extend(self.states.remove(&name));
            if verb == "stream" {
                self.gone.extend(self.events.remove(&name).into_iter().flatten());
            }
            words.push(name);
        }
        words
    }

    /// That nothing that is gone is in a file.
    #[track_caller]
    fn check(&self, what: &str) {
        let left: Vec<_> = markers(&self.home)
            .into_iter()
            .filter(|(number, _)| self.gone.contains(number))
            .collect();
        assert!(left.is_empty(), "{what}: {left:?}");
    }
}

/// What each line of a removal says of bytes that are left.
#[track_caller]
fn erased(output: &str) -> Vec<bool> {
    let lines = output.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| line["erased"].as_bool().unwrap()).collect()
}

/// A process that reads the store, and does until it is told to end.
fn reader(home: &Home) -> (Running, Lines) {
    reader_of(home, &home.file("db"), "streams")
}

/// The same of a table in a file.
fn reader_of(home: &Home, file: &Path, table: &str) -> (Running, Lines) {
    let mut command = std::process::Command::new("sqlite3");
    clean(command.arg(file), home.place());
    let mut running = Running::start(&mut command);
    let mut stdin = running.stdin();
    writeln!(stdin, "BEGIN; SELECT 'reads ' || count(*) FROM {table};").unwrap();
    let lines = running.lines();
    assert!(lines.next().unwrap().starts_with("reads "));
    // It ends when it is killed, without a chance to move the log.
    std::mem::forget(stdin);
    (running, lines)
}

#[test]
fn what_is_erased_is_in_no_file_whatever_the_history() {
    let (mut removals, mut waited) = (0, 0);
    for seed in 1..=60 {
        let mut history = History::new(seed);
        // A short log and a long one: with a reader in the way it is not moved meanwhile.
        let pinned = (seed % 3 == 0).then(|| reader(&history.home));
        let length = if seed % 2 == 0 { 60 } else { 200 };
        let mut store = history.home.open();
        for _ in 0..length {
            history.go_on(&mut store);
        }
        if seed % 4 == 0 {
            store.leave();
        } else {
            drop(store);
        }
        drop(pinned);
        for _ in 0..3 {
            let words = history.removal();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            if history.chance.below(4) == 0 {
                let in_the_way = reader(&history.home);
                let timeout = ["--lock-timeout", "60ms"];
                let end = history.home.run(&[&words[..], &timeout[..]].concat());
                assert_eq!(end.code, Some(0), "{end:#?}");
                let said = erased(&end.stdout);
                if said.is_empty() {
                    continue;
                }
                assert!(said.iter().all(|erased| !erased), "{end:#?}");
                let who = format!("process {} reads the store", in_the_way.0.id());
                assert!(
                    end.stderr.starts_with("warning: ") && end.stderr.contains(&who),
                    "{end:#?}"
                );
                waited += 1;
                let status = history.home.run(&["status"]).done();
                assert!(status.contains("\"erasing\":true"), "{status}");
                drop(in_the_way);
                // Whoever writes next makes up for it.
                history.home.append("next");
                history.check(&format!("seed {seed}, a reader was in the way"));
                let status = history.home.run(&["status"]).done();
                assert!(status.contains("\"erasing\":false"), "{status}");
            } else {
                let said = erased(&history.home.run(&words).done());
                if said.is_empty() {
                    // Nothing was there, so nothing is promised.
                    continue;
                }
                assert!(said.iter().all(|erased| *erased), "{said:?}");
                removals += 1;
                history.check(&format!("seed {seed}"));
            }
        }
    }
    assert!(removals > 60 && waited > 10, "{removals} and {waited}");
}

#[test]
fn what_was_redacted_or_truncated_is_in_no_file() {
    for length in [1, 30, 900] {
        let home = Home::new();
        // Data, metadata and a tag of one event each, and those of its neighbours beside them.
        let payload = |number: u32| format!("\"{}\"", marker(number).repeat(length));
        let meta = |number: u32| format!("{{\"m\":{}}}", payload(number));
        for number in 1..=9 {
            let (data, meta) = (payload(number), meta(100 + number));
            let tag = marker(400 + number);
            home.run(&["append", "s", "T", &data, "--meta", &meta, "--tag", &tag]).done();
        }
        home.run(&["state", "set", "s", &payload(200)]).done();
        home.run(&["state", "set", "other", &payload(300)]).done();
        let gone: BTreeSet<u32> = [2, 5, 9].into_iter().flat_map(|at| [at, 100 + at]).collect();
        let redact = ["redact", "s@2", "5", "9", "--reason", "because", "--yes"];
        assert_eq!(erased(&home.run(&redact).done()), [true; 3]);
        let numbers = |home: &Home| -> BTreeSet<u32> {
            markers(home).into_iter().map(|(number, _)| number).collect()
        };
        let left = numbers(&home);
        let mut expected: BTreeSet<u32> = (1..=9).flat_map(|at| [at, 100 + at]).collect();
        expected.insert(300);
        // The tags stay, until they are told to go.
        expected.extend(401..=409);
        assert_eq!(left, &expected - &gone, "{length}");
        let redact = ["redact", "s@5", "6", "--tags", "--reason", "because", "--yes"];
        assert_eq!(erased(&home.run(&redact).done()), [true; 2]);
        let gone: BTreeSet<u32> = [405, 6, 106, 406].into();
        assert_eq!(numbers(&home), &left - &gone, "{length}");
        let left = numbers(&home);
        // Those before a place, of which one is redacted, likewise; the state of another stream stays.
        let truncate = ["stream", "truncate", "s", "--before", "@4", "--yes"];
        assert_eq!(erased(&home.run(&truncate).done()), [true]);
        let gone: BTreeSet<u32> = [1, 101, 3, 103, 401, 402, 403].into();
        assert!(numbers(&home).is_disjoint(&gone), "{length}");
        assert_eq!(numbers(&home).len(), left.len() - gone.len(), "{length}");
        // A reader in the way is told of, and who writes next erases.
        let in_the_way = reader(&home);
        let redact = ["redact", "4", "--reason", "because", "--yes", "--lock-timeout", "60ms"];
        assert_eq!(erased(&home.run(&redact).warned(&["bytes of it are left"])), [false]);
        drop(in_the_way);
        home.append("s");
        assert!(numbers(&home).is_disjoint(&[4, 104].into()), "{length}");
    }
}

/// Sets a flag when it is dropped.
struct AtEnd<'f>(&'f AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_large_store_is_erased_in_several_turns_between_which_others_write() {
    const STREAMS: u32 = 20_000;
    let home = Home::new();
    // Names in no order, so that pages split wherever they are; then half of the states replaced.
    let mut chance = Chance(11);
    let mut names: Vec<u32> = (0..STREAMS).collect();
    for last in (1..names.len()).rev() {
        names.swap(last, chance.below(last + 1));
    }
    let line = |name: &u32, expect: u32, number: u32| {
        // Of many lengths: it is then that a split leaves something.
        let state = marker(number).repeat([3, 12, 37, 110, 180][number as usize % 5]);
        format!(
            r#"{{"stream":"s-{name}","type":"T","expect":{expect},"state":"{state}","data":"{state}"}}"#
        )
    };
    let mut lines: Vec<String> = names.iter().map(|name| line(name, 0, *name)).collect();
    lines.extend(names.iter().step_by(2).map(|name| line(name, 1, STREAMS + name)));
    let file = home.place().join("input");
    fs::write(&file, lines.join("\n")).unwrap();
    home.run(&["append", "--jsonl", file.to_str().unwrap()]).done();

    let gone = &names[..5000];
    let removed: Vec<String> = gone.iter().map(|name| format!("s-{name}")).collect();
    let mut words = vec!["stream", "rm", "--yes"];
    words.extend(removed.iter().map(String::as_str));
    let done = AtomicBool::new(false);
    let (said, appended) = thread::scope(|scope| {
        let appending = scope.spawn(|| {
            let mut appended = 0;
            while !done.load(Ordering::Relaxed) {
                home.append("next");
                appended += 1;
            }
            appended
        });
        let end = {
            // However it ends, so do those beside it.
            let _ended = AtEnd(&done);
            home.run(&words)
        };
        (erased(&end.done()), appending.join().unwrap())
    });
    assert_eq!(said, vec![true; 5000]);
    assert!(appended > 1, "{appended}");
    let gone: BTreeSet<u32> = gone.iter().flat_map(|name| [*name, STREAMS + name]).collect();
    let left: Vec<_> =
        markers(&home).into_iter().filter(|(number, _)| gone.contains(number)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_removal_that_is_killed_is_finished_by_whoever_writes_next() {
    let home = Home::new();
    let mut store = home.open();
    for number in 1..=20 {
        let json = |number| format!("\"{}\"", marker(number));
        store.append(&[sized("s", &json(number))]).unwrap();
        let state = Data::Json(Json::parse(&json(100 + number)).unwrap());
        store.set_state(&NewState::new("s".parse().unwrap(), state)).unwrap();
    }
    drop(store);
    let writes = "pwrite64,write,fsync,fdatasync,ftruncate";
    killed_at_calls(&home, writes, &["stream", "rm", "s", "--yes"], |home, _, what| {
        home.append("next");
        // Removed or not at all; where it is removed, it is erased.
        match home.positions().len() {
            1 => assert_eq!(markers(home), BTreeSet::new(), "{what}"),
            events => assert_eq!(events, 21, "{what}"),
        }
    });
}

#[test]
fn a_state_without_an_event_goes_with_its_stream() {
    let home = Home::new();
    home.run(&["state", "set", "g-1", "\"<000001>\""]).done();
    let end = home.run(&["stream", "rm", "g-1", "--yes"]).done();
    assert!(
        end.contains("\"events\":0,\"state\":true") && end.contains("\"erased\":true"),
        "{end}"
    );
    assert_eq!(markers(&home), BTreeSet::new());
    home.run(&["state", "get", "g-1"]).failed(4, &["g-1"]);
}

#[test]
fn a_failure_that_may_quote_an_event_is_forgotten_but_for_when_it_was() {
    let home = Home::with(3);
    subscribe(&home, "orders", 1);
    home.open().record_failure("orders", Some("at <000007>: unknown <000008>")).unwrap();
    let failed = home.open().last_failure("orders").unwrap().unwrap();
    home.run(&["stream", "rm", "s", "--yes"]).done();
    assert_eq!(markers(&home), BTreeSet::new());
    let failure = home.open().last_failure("orders").unwrap().unwrap();
    assert!(failure.message.contains("erased"), "{failure:?}");
    assert_eq!(failure.time, failed.time);
    // Where it was, too.
    assert_eq!(home.open().subscription("orders").unwrap().checkpoint.position.0, 1);
}
