//! Holds the house to one direction: what a room may import, and what only one room may know.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of the library, from the ground up: each may import those before it.
const LIBRARY: [&str; 13] = [
    "near",
    "faults",
    "excerpt",
    "deadline",
    "event",
    "platform",
    "wire",
    "schema",
    "expression",
    "store",
    "subscription",
    "decide",
    "program",
];
/// Those of the program.
const PROGRAM: [&str; 14] = [
    "units",
    "printable",
    "hint",
    "refused",
    "payload",
    "environment",
    "args",
    "output",
    "spool",
    "usage",
    "failure",
    "signals",
    "input",
    "command",
];
/// Where the names of other houses may stand: a crate's, or a room's.
const ONLY: [(&str, &[&str]); 11] = [
    ("rusqlite", &["store/sqlite"]),
    ("SELECT ", &["store/sqlite"]),
    ("PRAGMA ", &["store/sqlite"]),
    ("sqlite::", &["store/sqlite", "store/projection.rs", "store.rs"]),
    ("notify::", &["store/sqlite"]),
    ("rustix::", &["platform"]),
    ("REAM_FAULTS", &["faults.rs"]),
    ("clap::", &["bin"]),
    ("anyhow::", &["bin"]),
    ("is_terminal", &["bin"]),
    // Of words that are given on the command line; what is remembered goes by `Program::remembered`.
    ("Program::new", &["bin/ream/command/decide.rs", "bin/ream/command/tail"]),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The files below a directory, by their paths within `src`, with what they say to the compiler.
fn files() -> Vec<(String, String)> {
    let (mut files, mut directories) = (Vec::new(), vec![source()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let name = path.strip_prefix(source()).unwrap().to_str().unwrap().replace('\\', "/");
            let text = fs::read_to_string(&path).unwrap();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            files.push((name, code.collect::<Vec<_>>().join("\n")));
        }
    }
    files.sort();
    assert!(files.len() > 40, "{files:?}");
    files
}

/// The rooms that a file names by their way from the top.
fn imported(code: &str) -> Vec<&str> {
    let named = code.split("crate::").skip(1);
    named
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap())
        .collect()
}

/// The floor of the room that a file is in.
fn floor(rooms: &[&str], file: &str) -> Option<usize> {
    let room = file.split(['/', '.']).next().unwrap();
    rooms.iter().position(|known| *known == room)
}

#[test]
fn imports_go_one_way() {
    let mut seen = 0;
    for (file, code) in files() {
        let (rooms, within) = match file.strip_prefix("bin/ream/") {
            Some(within) => (&PROGRAM[..], within),
            None => (&LIBRARY[..], &*file),
        };
        if ["lib.rs", "main.rs"].contains(&within) {
            continue;
        }
        let own = floor(rooms, within).unwrap_or_else(|| panic!("{file} is in no known room"));
        for room in imported(&code) {
            let Some(other) = rooms.iter().position(|known| *known == room) else { continue };
            assert!(other <= own, "{file} imports {room}, which stands above it");
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen}");
}

#[test]
fn what_one_room_knows_stays_there() {
    for (word, places) in ONLY {
        let mut found = 0;
        for (file, code) in files() {
            if code.contains(word) {
                let here = places.iter().any(|place| file.starts_with(place));
                assert!(here, "{file} knows `{word}`, which belongs into {places:?}");
                found += 1;
            }
        }
        assert!(found > 0, "nothing knows `{word}`");
    }
}

#[test]
fn a_thread_that_can_not_be_started_is_an_error() {
    let mut started = 0;
    for (file, code) in files() {
        let (code, _tests) = code.split_once("#[cfg(test)]").unwrap_or((&code, ""));
        assert!(!code.contains("thread::spawn"), "{file}: `platform::spawn` does not panic");
        started += usize::from(code.contains("spawn(move ||"));
    }
    assert!(started > 8, "{started}");
}

/// The commands of the program.
const COMMANDS: [&str; 12] = [
    "init",
    "append",
    "read",
    "tail",
    "stream",
    "state",
    "decide",
    "project",
    "subscription",
    "status",
    "completions",
    "man",
];

/// What a file says, but for its tests and the examples of its help.
fn said(code: &str) -> String {
    let code = code.split("#[cfg(test)]").next().unwrap();
    let mut parts = code.split("after_help = \"");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |said, part| said + part.split_once("\")]").unwrap().1)
}

#[test]
fn one_room_words_commands() {
    let is_command = |rest: &str| COMMANDS.iter().any(|command| rest.starts_with(command));
    for (file, code) in files() {
        // Where hints are made; and what is hashed, which only looks like a command.
        if file.starts_with("bin/ream/hint") || file == "store/chain.rs" {
            continue;
        }
        let said = said(&code);
        let worded = said.split("ream ").skip(1).find(|rest| is_command(rest));
        assert_eq!(worded.and_then(|rest| rest.lines().next()), None, "{file} words a command");
    }
}
