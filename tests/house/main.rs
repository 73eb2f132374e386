//! Holds the house to one direction: what a room may import, and what only one room may know; that
//! no imports go in a circle; and that no file is long. (A long function is clippy's to find.)

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod circles;
#[path = "../shared/commands.rs"]
mod commands;
mod imports;
mod modules;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use circles::Known;
use imports::Levels;
use modules::{Crate, Files};

/// The rooms of the library, from the ground up: each may import those before it.
const LIBRARY: [&str; 14] = [
    "near",
    "faults",
    "excerpt",
    "wait",
    "event",
    "platform",
    "wire",
    "schema",
    "expression",
    "store",
    "subscription",
    "decide",
    "program",
    "serve",
];
/// Those of the program.
const PROGRAM: [&str; 18] = [
    "units",
    "printable",
    "hint",
    "refused",
    "payload",
    "criteria",
    "service",
    "environment",
    "args",
    "progress",
    "output",
    "opening",
    "spool",
    "usage",
    "failure",
    "signals",
    "input",
    "command",
];
/// Where the names of other houses may stand: a crate's, or a room's.
const ONLY: [(&str, &[&str]); 17] = [
    ("rusqlite", &["store/sqlite"]),
    ("SELECT ", &["store/sqlite"]),
    ("PRAGMA ", &["store/sqlite"]),
    ("sqlite::", &["store/sqlite", "store/projection.rs", "store.rs"]),
    ("notify::", &["store/sqlite"]),
    ("rustix::", &["platform"]),
    ("REAM_FAULTS", &["faults.rs"]),
    ("clap::", &["bin"]),
    ("anyhow::", &["bin"]),
    ("tokio::", &["serve"]),
    ("axum::", &["serve/http"]),
    ("hyper::", &["serve/http"]),
    ("prometheus_client::", &["serve/metrics.rs"]),
    ("utoipa::", &["serve/http"]),
    ("is_terminal", &["bin"]),
    // Nothing that waits goes by a clock that may jump.
    ("SystemTime", &["event/time.rs"]),
    // Of words that are given on the command line; what is remembered goes by `Program::remembered`.
    ("Program::new", &["bin/ream/command/decide.rs", "bin/ream/command/tail"]),
];

/// Circles that are still to be opened.
const KNOWN: &[Known] = &[];
/// How many lines a file may have before its tests.
const MOST_LINES: usize = 500;
/// Files that are longer, and still to be split.
const LONG: &[&str] = &[];

/// All files of `src`.
fn sources() -> Files {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut files, mut directories) = (Files::new(), vec![source.clone()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let name = path.strip_prefix(&source).unwrap().to_str().unwrap().replace('\\', "/");
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    assert!(files.len() > 40, "{:?}", files.keys());
    files
}

/// The files, with what they say to the compiler.
fn files() -> Vec<(String, String)> {
    let code = |text: &str| {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        code.collect::<Vec<_>>().join("\n")
    };
    sources().into_iter().map(|(name, text)| (name, code(&text))).collect()
}

/// What stands in a file before its module of tests.
fn before_tests(text: &str) -> &str {
    text.split_once("\n#[cfg(test)]\nmod ").map_or(text, |(code, _tests)| code)
}

/// The library's modules, and the program's.
fn crates() -> [Crate; 2] {
    let files = sources();
    let crates = [Crate::read(&files, "lib.rs"), Crate::read(&files, "bin/ream/main.rs")];
    let read: BTreeSet<_> =
        crates.iter().flat_map(|house| house.files.union(&house.tests)).collect();
    assert_eq!(read, files.keys().collect(), "left: the files that are modules; right: all");
    crates
}

#[test]
fn imports_go_one_way() {
    let [library, program] = crates();
    let mut climbs = imports::climbs(&library.levels()[""], &LIBRARY);
    climbs.extend(imports::climbs(&program.levels()["bin/ream"], &PROGRAM));
    assert!(climbs.is_empty(), "{}", climbs.join("\n"));
    for (house, rooms) in [(&library, &LIBRARY[..]), (&program, &PROGRAM)] {
        let found = house.modules.keys().filter(|way| way.len() == 1).map(|way| &*way[0]);
        assert_eq!(found.collect::<BTreeSet<_>>(), rooms.iter().copied().collect());
    }
    // What the program uses of the library is what the library exports.
    let mut seen = 0;
    for (way, place) in program.modules.values().flat_map(|module| &module.paths) {
        if way[0] == "ream" {
            assert!(library.exports(&way[1..]), "{place}: {} leads nowhere", way.join("::"));
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn no_imports_go_in_a_circle() {
    let levels: Levels = crates().iter().flat_map(Crate::levels).collect();
    assert!(levels.len() > 10, "{:?}", levels.keys());
    let faults = circles::faults(&levels, KNOWN);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_file_is_long() {
    let long =
        sources().into_iter().filter(|(_, text)| before_tests(text).lines().count() > MOST_LINES);
    let long: Vec<_> = long.map(|(name, _)| name).collect();
    assert_eq!(long, LONG, "left: those of more than {MOST_LINES} lines; right: those that may be");
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
    for (file, code) in files().into_iter().filter(|(file, _)| !file.ends_with("/tests.rs")) {
        let code = before_tests(&code);
        assert!(!code.contains("thread::spawn"), "{file}: `platform::spawn` does not panic");
        started += usize::from(code.contains("spawn(move ||"));
    }
    assert!(started > 8, "{started}");
}

/// What a file says, but for its tests and the examples of its help.
fn said(code: &str) -> String {
    let mut parts = before_tests(code).split("after_help = \"");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |said, part| said + part.split_once("\")]").unwrap().1)
}

#[test]
fn one_room_words_commands() {
    let commands = commands::commands(&sources()["bin/ream/command.rs"]);
    assert!(commands.len() > 10, "{commands:?}");
    let is_command = |rest: &str| commands.iter().any(|command| rest.starts_with(command));
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
