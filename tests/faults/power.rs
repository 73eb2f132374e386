//! Power losses: what processes wrote is recorded, and of each moment disks are made as they may look afterwards.
//!
//! What was synced is there. What was not is there or not, by each write, or torn between sectors; and so are names
//! until their directory is synced, or, as ext4 does it, until the file is. Of such a disk all that had been
//! acknowledged by then has to be read, nothing may be damaged, what was erased may not be in any file, and the next
//! append has to go on. To see that this can fail, the same is done with disks that pass over the syncs of a file. And
//! the same where syncs fail: see [`failing`].

mod failing;
mod machine;
mod recorded;

use std::fs;
use std::path::{Path, PathBuf};

use ream::{Options, Query, Store, Verification};

use self::machine::{Machine, Names};
use self::recorded::{Recording, recorded};
use crate::chance::{how_many, seeded};
use crate::support::{Home, sized, text_of};
use crate::verified::is_of_what_is_stored;

/// How many disks are made, where `REAM_DISKS` does not say otherwise.
const DISKS: usize = 1000;

/// What was acknowledged.
#[derive(Debug, Clone)]
enum Promise {
    /// An event at a position, with this id.
    Event(u64, String),
    /// The state of the stream `kept`.
    State,
    /// Nothing of what had this mark is in any file.
    Erased,
    /// The row with the key 7.
    Row,
}

/// The mark of what is erased.
const MARK: &str = "[erase me]";

/// What processes did one after another.
fn history() -> (Home, Recording) {
    let home = Home::with(3);
    home.open().append(&[sized("gone", &format!("\"{MARK}\""))]).unwrap();
    home.run(&["project", "create", "rows", "id:integer:key", "text:text"]).done();
    let many: String = (0..80)
        .map(|number| {
            let data = text_of(10 + number * 37 % 2500);
            format!("{{\"stream\":\"s-{}\",\"type\":\"T\",\"data\":{data}}}\n", number % 5)
        })
        .collect::<Vec<_>>()
        .concat();
    fs::write(home.place().join("many"), many).unwrap();
    let many = home.place().join("many").to_string_lossy().into_owned();
    let commands: [&[&str]; 12] = [
        &["append", "a", "T", "1"],
        &["append", "a", "T", "2", "--id", "own"],
        &["state", "set", "kept", r#"{"n":1}"#],
        &["append", "--jsonl", &many],
        &["append", "a", "T", "3"],
        &["stream", "rm", "gone", "--yes"],
        &["append", "b", "T", "4"],
        &["project", "set", "rows", r#"{"id":7,"text":"kept"}"#],
        &["project", "rebuild", "rows", "none", "--", "true"],
        &["compact"],
        &["append", "--jsonl", &many],
        &["append", "c", "T", "5"],
    ];
    let recording = recorded(&home, &commands);
    (home, recording)
}

/// What each command promised when it had said so.
fn promises(command: usize, said: &str) -> Vec<Promise> {
    let events = said.lines().filter_map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let (position, id) = (line["position"].as_u64()?, line["id"].as_str()?.to_owned());
        Some(Promise::Event(position, id))
    });
    match command {
        2 => vec![Promise::State],
        5 => {
            assert!(said.contains("\"erased\":true"), "{said}");
            vec![Promise::Erased]
        }
        7 => vec![Promise::Row],
        8 | 9 => Vec::new(),
        _ => events.collect(),
    }
}

/// What is wrong with a store on a disk, of which this was promised.
fn wrong(store: &Path, promised: &[Promise], after: &str) -> Option<String> {
    let text = |what: &str| Some(format!("{what} {after}"));
    let mut opened = match Store::open(store, &Options::default()) {
        Ok(store) => store,
        Err(error) => return text(&format!("can't be opened: {error}")),
    };
    if let Err(error) = opened.check() {
        return text(&format!("lost what was acknowledged: {error}"));
    }
    let mut events = Vec::new();
    let mut reader = opened.read(&Query::default()).unwrap();
    loop {
        match reader.next_batch(|event| events.push((event.position.0, event.to_event()))) {
            Ok(batch) if batch.caught_up => break,
            Ok(_) => {}
            Err(error) => return text(&format!("can't be read: {error}")),
        }
    }
    for promise in promised {
        let is_kept = match promise {
            Promise::Event(position, id) => {
                events.iter().any(|(at, event)| at == position && event.id == *id)
            }
            Promise::State => opened.state("kept").is_ok(),
            Promise::Erased => opened.stream("gone").is_err() && holding(store, MARK).is_empty(),
            Promise::Row => has_row(store),
        };
        if !is_kept {
            let (stream, files) = (opened.stream("gone").is_ok(), holding(store, MARK));
            return text(&format!("{promise:?} is not kept ({stream}, {files:?})"));
        }
    }
    let mut found = None;
    let verified = opened.verify(&Verification::default(), &mut |told| {
        if let ream::Verifying::Found(finding) = told
            && is_of_what_is_stored(&finding)
        {
            found.get_or_insert(finding);
        }
    });
    if let Some(finding) = found {
        return text(&format!("is damaged: {finding:?}"));
    }
    let head = verified.unwrap().head.position.0;
    let appended = opened.append(&[sized("next", "1")]);
    match appended {
        Ok(appended) if appended[0].position.0 == head + 1 => None,
        other => text(&format!("does not go on behind {head}: {other:?}")),
    }
}

/// The files of the store that have these bytes. (When SQLite recovers a log that ends in the middle, it may copy
/// memory that it has not set into its shared memory: in this process, that of this test.)
pub(crate) fn holding(directory: &Path, bytes: &str) -> Vec<PathBuf> {
    let mut holding = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holding.extend(self::holding(&path, bytes));
            continue;
        }
        let found = fs::read(&path).unwrap_or_default();
        if !path.to_string_lossy().ends_with("-shm")
            && found.windows(bytes.len()).any(|found| found == bytes.as_bytes())
        {
            holding.push(path);
        }
    }
    holding
}

/// Whether the projection has the row that was set by hand, or was rebuilt since.
fn has_row(store: &Path) -> bool {
    let store = Store::open(store, &Options::default()).unwrap();
    let Ok(projection) = store.projection("rows") else { return false };
    projection.entry().generation > 1 || projection.status().unwrap().rows == 1
}

/// Makes disks of random moments, each moved to one that `at` says; how many of them were not as they had to be by
/// what was `promised` by then, and the first.
fn lose_power(
    recording: &Recording,
    disks: usize,
    passed_over: Option<&str>,
    at: impl Fn(usize) -> usize,
    promised: impl Fn(usize) -> Vec<Promise>,
) -> (usize, Option<String>) {
    let (seed, mut numbers) = seeded();
    let (mut failed, mut first) = (0, None);
    for disk in 0..disks {
        let names = if disk % 2 == 0 { Names::AsExt4 } else { Names::Strictly };
        let moment = at(numbers.below(recording.calls.len() + 1));
        let mut machine = Machine::new(&recording.before, names, passed_over);
        recording.calls[..moment].iter().for_each(|call| machine.call(call));
        let place = tempfile::tempdir().unwrap();
        let store = place.path().join("store");
        machine.lose_power(&mut numbers).write(&store);
        let after =
            format!("seed {seed}, disk {disk}, after {moment} of {} calls", recording.calls.len());
        if let Some(wrong) = wrong(&store, &promised(moment), &after) {
            failed += 1;
            first.get_or_insert(wrong);
        }
    }
    println!("seed {seed}: {disks} disks, {failed} lost something");
    (failed, first)
}

#[test]
fn nothing_acknowledged_is_lost_with_the_power() {
    let disks = how_many("REAM_DISKS", DISKS);
    // What it was recorded of is there as long as it is looked at.
    let (_home, recording) = history();
    let promised = |moment: usize| {
        let said = recording.said.iter().filter(|said| said.at <= moment);
        let promised = said.flat_map(|said| promises(said.command, &said.text));
        // Once it is being removed, what was removed may be there or not.
        let is_removing = recording.begun[5] < moment;
        let is_kept = |promise: &Promise| !(is_removing && matches!(promise, Promise::Event(4, _)));
        promised.filter(is_kept).collect()
    };
    let lose_power =
        |disks, passed_over| lose_power(&recording, disks, passed_over, |moment| moment, promised);
    assert_eq!(lose_power(disks, None), (0, None));
    // Without the syncs of the log, or of the database, some of the disks have lost something.
    for file in ["db-wal", "db"] {
        let (failed, first) = lose_power(disks / 5, Some(file));
        assert!(failed > 0, "no disk without the syncs of {file} lost anything");
        assert!(first.is_some());
    }
}
