//! Copies of a store, however they came about, go on by themselves and can be merged: what they share has
//! the same ids, what they don't never has.

use std::collections::BTreeMap;
use std::process::Command;

use crate::support::{Home, clean, ended};

const REAM: &str = env!("CARGO_BIN_EXE_ream");

/// Has a shell run this beside the store; `$REAM` is the program.
#[track_caller]
fn sh(home: &Home, script: &str) -> String {
    let mut command = Command::new("sh");
    command.args(["-ec", script]).env("REAM", REAM);
    clean(&mut command, home.place());
    ended(&mut command).done()
}

/// The data of the events of a store, by their ids.
#[track_caller]
fn events(home: &Home, store: &str) -> BTreeMap<String, String> {
    let lines = sh(home, &format!("$REAM read --store {store}"));
    let events: BTreeMap<String, String> = lines
        .lines()
        .map(|line| {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            (event["id"].as_str().unwrap().to_owned(), event["data"].to_string())
        })
        .collect();
    assert_eq!(events.len(), lines.lines().count(), "an id stands for two events: {lines}");
    events
}

#[track_caller]
fn append(home: &Home, store: &str, data: &str) {
    sh(home, &format!("$REAM append s T '\"{data}\"' --store {store}"));
}

/// How a copy of a store comes about, by what a shell does.
const WAYS: [&str; 4] = [
    // A copy of files.
    "cp -r store copy",
    // The same with all that is known of them.
    "cp -a store copy",
    // An archive, unpacked elsewhere.
    "tar -cf store.tar store && mkdir unpacked && tar -C unpacked -xf store.tar && mv unpacked/store copy",
    // A restore in place, of a backup that is older: numbers and times of birth of its files stay.
    "cp -r store backup && $REAM append s T '\"lost\"' --store store && cp -r store copy \
     && cp -r backup/. store/",
];

#[test]
fn copies_are_merged_both_ways_and_each_event_is_there_once() {
    for way in WAYS {
        let home = Home::new();
        for number in 0..3 {
            append(&home, "store", &format!("shared {number}"));
        }
        sh(
            &home,
            "$REAM append s T '\"own id\"' --id own --store store
             $REAM tail --as seen --until-caught-up --store store -- sh -c 'cat >/dev/null'",
        );
        sh(&home, way);
        let shared = events(&home, "store");
        // Each goes on, at the same positions and versions.
        for number in 0..3 {
            append(&home, "store", &format!("one {number}"));
            append(&home, "copy", &format!("other {number}"));
        }
        let (one, other) = (events(&home, "store"), events(&home, "copy"));
        assert!(
            shared
                .iter()
                .all(|(id, data)| one.get(id) == Some(data) && other.get(id) == Some(data))
        );
        let mut all = one.clone();
        for (id, data) in &other {
            assert!(
                all.insert(id.clone(), data.clone()).is_none_or(|known| known == *data),
                "{way}: {id}"
            );
        }
        assert_eq!(all.len(), one.len() + other.len() - shared.len(), "{way}");
        // However often.
        for _ in 0..2 {
            for (from, to) in [("store", "copy"), ("copy", "store")] {
                let merge =
                    format!("$REAM read --store {from} | $REAM append --jsonl - --store {to}");
                sh(&home, &merge);
            }
            assert_eq!(events(&home, "store"), all, "{way}");
            assert_eq!(events(&home, "copy"), all, "{way}");
        }
    }
}
