//! Limits and a full disk, for what copies, moves, erases and verifies: a clear error or a good end, nothing half
//! there, nothing lost, and the same again goes well when the limit is gone.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::Command;

use crate::support::{Ended, Home, Mounted, clean, copy, ended, needs_root, sized, text_of};

/// What each command makes beside the store, where it makes something.
const COMMANDS: [(&[&str], Option<&str>); 9] = [
    (&["backup", "new"], Some("new")),
    (&["restore", "copy", "new"], Some("new")),
    (&["import", "exported"], None),
    (&["export", "--out", "new"], Some("new")),
    (&["compact"], None),
    (&["redact", "3", "--reason", "r", "--yes"], None),
    (&["stream", "truncate", "cut", "--before", "@4", "--yes"], None),
    (&["prune", "--yes"], None),
    (&["verify"], None),
];

/// A store with something to do for each, what is restored, and what is imported.
fn prepared() -> Home {
    let home = Home::new();
    let some =
        |stream: &str, count: usize, bytes: usize| vec![sized(stream, &text_of(bytes)); count];
    let mut store = home.open();
    store.append(&some("a", 150, 300)).unwrap();
    store.append(&some("old", 400, 300)).unwrap();
    store.append(&some("cut", 6, 30)).unwrap();
    store.append(&some("kept", 6, 30)).unwrap();
    drop(store);
    home.run(&["stream", "set", "kept", "--max-count", "3"]).done();
    home.run(&["stream", "rm", "old", "--yes"]).done();
    home.run(&["backup", "copy"]).done();
    let other = Home::new();
    other.open().append(&some("more", 200, 300)).unwrap();
    let exported = home.place().join("exported");
    other.run(&["export", "--out", exported.to_str().unwrap()]).done();
    home
}

/// The events that these commands are about, line by line, but for when they were imported.
fn events(home: &Home) -> Vec<String> {
    let lines = home.run(&["read", "a", "cut", "kept", "more"]).done();
    let line = |line: &str| match line.split_once(",\"recorded\":") {
        Some((before, after)) => before.to_owned() + after.split_once(',').unwrap().1,
        None => line.to_owned(),
    };
    lines.lines().map(line).collect()
}

/// What is in the directory, beside what SQLite and a test put there.
fn names(home: &Home) -> BTreeSet<String> {
    let names = fs::read_dir(home.place()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "filler").collect()
}

/// Copies what is prepared.
fn put(prepared: &Home, home: &Home) {
    fs::remove_dir_all(home.store()).unwrap_or_default();
    for name in ["store", "copy", "exported"] {
        copy(&prepared.place().join(name), &home.place().join(name));
    }
}

/// A command, and what there is without it, and behind it.
struct Case<'c> {
    args: &'c [&'c str],
    makes: Option<&'c str>,
    before: Vec<String>,
    after: Vec<String>,
}

impl Case<'_> {
    /// Looks at what came of it under a limit, and runs it again without.
    #[track_caller]
    fn check(&self, home: &Home, before: &BTreeSet<String>, end: &Ended, told: &str) {
        let told = format!("{:?} with {told}: {end:#?}", self.args);
        let is_done = end.code == Some(0);
        if let Some(code) = end.code {
            assert!(matches!(code, 0 | 1 | 9), "{told}");
            assert!(is_done || end.stderr.contains("error: "), "{told}");
            assert!(!end.stderr.contains("panicked"), "{told}");
            let mut made = names(home);
            // To remove it takes a descriptor, too; whoever fills it next does it.
            if !is_done && told.contains("--nofile") {
                made.remove("new.partial");
            }
            let made: Vec<&String> = made.difference(before).collect();
            let expected: Vec<&str> = self.makes.filter(|_| is_done).into_iter().collect();
            assert_eq!(made, expected, "{told}");
        }
        let found = events(home);
        if self.args[0] == "import" {
            // One line after another.
            assert!(found == self.after[..found.len()], "{told}");
            assert!(found.len() >= self.before.len(), "{told}");
        } else {
            assert!(found == self.after || !is_done && found == self.before, "{told}");
        }
        home.run(&["verify"]).done();
        let is_there = self.makes.is_some_and(|name| home.place().join(name).exists());
        if !is_there {
            let again = home.run(self.args);
            assert_eq!(again.code, Some(0), "{told}: {again:#?}");
        }
        assert!(events(home) == self.after, "{told}");
        self.check_made(home, &told);
        home.append("a");
        let left: Vec<String> = names(home).difference(before).cloned().collect();
        assert_eq!(left, self.makes.into_iter().collect::<Vec<_>>(), "{told}");
    }

    /// That what it makes is whole.
    #[track_caller]
    fn check_made(&self, home: &Home, told: &str) {
        let Some(made) = self.makes.map(|name| home.place().join(name)) else { return };
        if made.is_dir() {
            let mut verify = Command::new(env!("CARGO_BIN_EXE_ream"));
            verify.args(["verify", "--store"]).arg(&made);
            clean(&mut verify, home.place());
            let verified = ended(&mut verify);
            assert_eq!(verified.code, Some(0), "{told}: {verified:#?}");
        } else {
            let exported = fs::read_to_string(&made).unwrap();
            assert!(exported.lines().last().unwrap().contains("\"end\""), "{told}: {exported}");
        }
    }
}

/// Has `check` be done with each command.
fn each(mut check: impl FnMut(&Home, &Case<'_>)) {
    let prepared = prepared();
    for (args, makes) in COMMANDS {
        let home = Home::new();
        put(&prepared, &home);
        let before = events(&home);
        let end = home.run(args);
        assert_eq!(end.code, Some(0), "{end:#?}");
        let after = events(&home);
        check(&prepared, &Case { args, makes, before, after });
    }
}

/// Runs each command on copies of what is prepared under each of these limits; how often it was done, and not.
fn limited(limits: &[String]) {
    let (mut done, mut failed) = (0, 0);
    each(|prepared, case| {
        for limit in limits {
            let home = Home::new();
            put(prepared, &home);
            let before = names(&home);
            let mut command = home.wrapped(&["prlimit", limit], case.args);
            // Rust's runtime waits for ever where it has no memory to trace the end that it comes to without memory.
            let end = ended(command.env_remove("RUST_BACKTRACE"));
            case.check(&home, &before, &end, limit);
            *if end.code == Some(0) { &mut done } else { &mut failed } += 1;
        }
    });
    println!("{limits:?}: {done} done, {failed} failed");
    assert!(done > 15 && failed > 15, "{done} {failed}");
}

#[test]
fn a_file_that_may_not_grow_loses_nothing() {
    let sizes = [0, 1, 4, 16, 40, 64, 100, 150, 200, 300, 600];
    limited(&sizes.map(|kib| format!("--fsize={}", kib * 1024)));
}

#[test]
fn too_few_open_files_lose_nothing() {
    limited(&(3..26).map(|files| format!("--nofile={files}")).collect::<Vec<_>>());
}

#[test]
fn too_little_memory_loses_nothing() {
    // From what a program needs to start, on.
    let starts = |mib: u64| {
        let mut command = Command::new("prlimit");
        command.arg(format!("--as={}", mib << 20)).arg(env!("CARGO_BIN_EXE_ream")).arg("--version");
        ended(&mut command).code == Some(0)
    };
    let least = (1..400).find(|mib| starts(*mib)).unwrap();
    let kib = (0..24).map(|step| (least << 10) + step * 400);
    limited(&kib.map(|kib| format!("--as={}", kib << 10)).collect::<Vec<_>>());
}

/// Fills the file system but for so many KiB.
fn fill(place: &Path, kib: u64) {
    let mut filler = File::create(place.join("filler")).unwrap();
    let full = loop {
        if let Err(error) = filler.write_all(&[0; 4096]) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
    let length = filler.metadata().unwrap().len();
    filler.set_len(length.saturating_sub(kib * 1024)).unwrap();
}

#[test]
fn a_full_disk_loses_nothing() {
    needs_root("a file system that fills up");
    let (mut done, mut failed) = (0, 0);
    each(|prepared, case| {
        for kib in [0, 4, 12, 40, 80, 160, 320, 640, 2000] {
            let home = Home::new();
            let _mounted = Mounted::in_memory(home.place(), "8m");
            put(prepared, &home);
            fill(home.place(), kib);
            let before = names(&home);
            let end = home.run(case.args);
            if end.code != Some(0) {
                // Of a file that is not the store's it says what the system says.
                let words = if case.args[0] == "export" {
                    ["can't write to new", "No space left on device"]
                } else {
                    ["no room left", "hint: make room"]
                };
                let is_said = words.iter().all(|words| end.stderr.contains(words));
                assert!(end.code == Some(1) && is_said, "{kib} KiB: {end:#?}");
            }
            fs::remove_file(home.place().join("filler")).unwrap();
            case.check(&home, &before, &end, &format!("{kib} KiB of room"));
            *if end.code == Some(0) { &mut done } else { &mut failed } += 1;
        }
    });
    println!("a full disk: {done} done, {failed} failed");
    assert!(done > 15 && failed > 15, "{done} {failed}");
}
