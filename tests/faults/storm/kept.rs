//! What was acknowledged in a storm, and that it was kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use ream::{Data, Event, Options, Store};
use serde_json::Value;

use super::{Came, DECIDERS, ERASED, FOLLOWED, MARK, REACTORS, react};
use crate::power::holding;
use crate::support::{Home, position, read};

/// What goes on in a storm.
const TRIED: [&str; 12] = [
    "append",
    "backup",
    "compact",
    "decide",
    "project rebuild",
    "project run",
    "prune",
    "redact",
    "stream rm",
    "stream truncate",
    "tail",
    "verify",
];

/// How often a command was run to its end, went wrong, and was killed.
type Count = [u64; 3];

/// What was acknowledged.
#[derive(Default)]
pub(super) struct Kept {
    /// The ids of events, with their positions.
    acknowledged: Mutex<BTreeMap<String, u64>>,
    /// The commands whose decision was acknowledged.
    decided: Mutex<BTreeSet<String>>,
    /// What each follower was given, line by line.
    followed: [Mutex<Vec<String>>; FOLLOWED.len()],
    /// The heads of backups.
    heads: Mutex<Vec<String>>,
    counts: Mutex<BTreeMap<String, Count>>,
}

/// The value in a line of output.
fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

impl Kept {
    pub(super) fn count(&self, args: &[&str], came: &Came) {
        let words = if matches!(args[0], "project" | "stream") { 2 } else { 1 };
        let code = came.status.map(|status| status.code());
        let how = match code {
            Some(Some(0)) => 0,
            Some(Some(1..=10)) => 1,
            None => 2,
            other => panic!("{args:?}: {other:?}"),
        };
        self.counts.lock().unwrap().entry(args[..words].join(" ")).or_default()[how] += 1;
    }

    pub(super) fn acknowledge(&self, line: &str) {
        let line = json(line);
        let Some(id) = line["id"].as_str() else { return };
        let position = line["position"].as_u64().unwrap();
        let before = self.acknowledged.lock().unwrap().insert(id.to_owned(), position);
        assert!(before.is_none_or(|before| before == position), "{line} {before:?}");
    }

    pub(super) fn decided(&self, id: String) {
        self.decided.lock().unwrap().insert(id);
    }

    pub(super) fn followed<'l>(&self, follower: usize, lines: impl Iterator<Item = &'l str>) {
        self.followed[follower].lock().unwrap().extend(lines.map(str::to_owned));
    }

    pub(super) fn backed_up(&self, backup: &Path) {
        let manifest = json(&fs::read_to_string(backup.join("backup.json")).unwrap());
        let head = format!("{}/{}", manifest["link"].as_str().unwrap(), manifest["head"]);
        self.heads.lock().unwrap().push(head);
    }
}

/// Runs what may take long, to a good end.
#[track_caller]
fn done(home: &Home, args: &[&str]) {
    let output = home.wrapped(&["timeout", "1800"], args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Has what follows come to the end, and looks at all of it.
pub(super) fn check(home: &Home, seed: u64, kept: Kept) {
    for name in REACTORS {
        let react = react(name, &["--until-caught-up"]);
        done(home, &react.iter().map(String::as_str).collect::<Vec<_>>());
    }
    done(home, &["project", "run", "rows", "--until-caught-up"]);
    let opened = Store::open(&home.store(), &Options::default()).unwrap();
    opened.check().unwrap();
    let events = read(&opened);
    drop(opened);
    let counts = kept.counts.into_inner().unwrap();
    println!("seed {seed}: {} events, commands done, failed, killed: {counts:?}", events.len());
    // How often each is done is the machine's to say; that each is tried is not.
    let is_tried = |command: &str| counts.contains_key(command);
    assert!(TRIED.iter().all(|command| is_tried(command)), "{counts:?}");
    assert!(counts.values().map(|[_, _, killed]| killed).sum::<u64>() > 20, "{counts:?}");
    check_acknowledged(&events, &kept.acknowledged.into_inner().unwrap());
    check_decisions(&events, &kept.decided.into_inner().unwrap());
    for name in REACTORS {
        check_reactions(&events, name);
    }
    for (follower, followed) in kept.followed.into_iter().enumerate() {
        check_followed(home, FOLLOWED[follower], &followed.into_inner().unwrap());
    }
    check_projection(home);
    assert!(home.run(&["verify"]).done().contains("\"verified\":true"));
    check_backups(home, &kept.heads.into_inner().unwrap());
    check_erased(home);
}

/// Whether the writers wrote it.
fn is_written(event: &Event) -> bool {
    event.stream.as_str().starts_with("w-")
}

/// That each event that was acknowledged is where it was said to be, and that none is there twice.
fn check_acknowledged(events: &[Event], acknowledged: &BTreeMap<String, u64>) {
    assert!(acknowledged.len() > 50, "{}", acknowledged.len());
    let stored: BTreeMap<&str, u64> =
        events.iter().map(|event| (&*event.id, event.position.0)).collect();
    assert_eq!(stored.len(), events.len(), "an event is there twice");
    for (id, position) in acknowledged {
        assert_eq!(stored.get(id.as_str()), Some(position), "{id}");
    }
}

/// That each command was decided once; the one that was under way at the end may have been.
fn check_decisions(events: &[Event], told: &BTreeSet<String>) {
    let mut decided = BTreeSet::new();
    for event in events.iter().filter(|event| event.stream.as_str() == "decided") {
        let Data::Json(data) = &event.data else { panic!("{event:?}") };
        let command = json(data.as_str()).as_str().unwrap().to_owned();
        assert!(decided.insert(command), "{event:?} is decided twice");
    }
    assert!(decided.is_superset(told), "{told:?} {decided:?}");
    let under_way: Vec<&String> = decided.difference(told).collect();
    let by = |prefix: &str| under_way.iter().filter(|id| id.starts_with(prefix)).count();
    assert!(by("command") <= DECIDERS && by("served") <= 20, "{under_way:?}");
    assert!(!told.is_empty(), "nothing was decided");
}

/// That each event of the writers was reacted to once.
fn check_reactions(events: &[Event], name: &str) {
    let written: BTreeSet<u64> =
        events.iter().filter(|event| is_written(event)).map(|event| event.position.0).collect();
    let mut reacted = BTreeSet::new();
    for event in events {
        let Some(to) = event.stream.as_str().strip_prefix(name) else { continue };
        let Some(to) = to.strip_prefix('-') else { continue };
        let to: u64 = to.parse().unwrap();
        assert!(reacted.insert(to), "{name}: {to} was reacted to twice");
        assert_eq!(event.version.0, 1);
    }
    assert_eq!(reacted, written, "{name}");
}

/// That a follower was given each event once, in order, as it is stored; what was erased meanwhile, or not.
fn check_followed(home: &Home, patterns: &[&str], followed: &[String]) {
    let positions: Vec<u64> = followed.iter().map(|line| position(line)).collect();
    assert!(positions.is_sorted_by(|before, after| before < after), "{patterns:?}");
    let last = positions.last().copied().unwrap_or(0);
    let stored = home.run(&[&["read"], patterns].concat()).done();
    let redacted = |line: &&str| line.contains("\"redacted\":true");
    let erased: BTreeSet<u64> = stored.lines().filter(redacted).map(position).collect();
    let there: BTreeSet<u64> = stored.lines().map(position).collect();
    let stored: Vec<&str> = stored
        .lines()
        .filter(|line| !erased.contains(&position(line)) && position(line) <= last)
        .collect();
    let followed: Vec<&str> = followed
        .iter()
        .filter(|line| !erased.contains(&position(line)) && there.contains(&position(line)))
        .map(|line| line.trim_end())
        .collect();
    assert!(followed.len() > 20, "{patterns:?}: {}", followed.len());
    let differs = followed.iter().zip(&stored).find(|(followed, stored)| followed != stored);
    assert_eq!((followed.len(), differs), (stored.len(), None), "{patterns:?}");
}

/// That the rows are those of the events, and that a rebuild makes the same.
fn check_projection(home: &Home) {
    let select = ["project", "select", "rows", "--order-by", "id"];
    let rows = home.run(&select).done();
    let ids: Vec<u64> = rows.lines().map(|row| json(row)["id"].as_u64().unwrap()).collect();
    let written = home.run(&["read", "w-*"]).done();
    assert_eq!(ids, written.lines().map(position).collect::<Vec<_>>());
    done(home, &["project", "rebuild", "rows"]);
    assert_eq!(home.run(&select).done(), rows);
}

/// That each backup was the beginning of this log, and that the last one can be restored and holds what it has to.
fn check_backups(home: &Home, heads: &[String]) {
    assert!(!heads.is_empty());
    for head in heads.iter().rev().step_by(1 + heads.len() / 20) {
        home.run(&["verify", "--against", head]).done();
    }
    let (_, head) = heads.last().unwrap().rsplit_once('/').unwrap();
    let head: u64 = head.parse().unwrap();
    let (backup, restored) = (home.place().join("backup"), home.place().join("restored"));
    done(home, &["restore", backup.to_str().unwrap(), restored.to_str().unwrap()]);
    let restored = Store::open(&restored, &Options::default()).unwrap();
    let [restored, stored] = [restored, home.open()].map(|store| {
        let events = read(&store).into_iter().filter(is_written);
        events.filter(|event| event.position.0 <= head).collect::<Vec<_>>()
    });
    assert!(restored == stored, "{} {}", restored.len(), stored.len());
}

/// That nothing of what was erased is in any file, once the rest of it is.
fn check_erased(home: &Home) {
    let erased = home.run(&[&["stream", "rm", "--yes"], &ERASED[..]].concat()).stdout;
    assert!(erased.contains("\"erased\":true"), "{erased}");
    assert_eq!(holding(&home.store(), MARK), Vec::<std::path::PathBuf>::new());
}
