//! What stands in a store's directory: files and directories of this user, under no other name, and what
//! SQLite has open is what stands there.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Home, copy, ended, ended_with_input, needs_root};

const NOBODY: u32 = 65534;
const FILES: [&str; 9] =
    ["store", "db", "db-wal", "db-shm", "db-journal", "bell/bell", "changes", "lock", "turnstile"];
const DIRECTORIES: [&str; 4] = ["bell", "runners", "deciders", "projections"];

/// A program that reads all there is.
const READS: &str = "while read -r line; do :; done";

/// A command of each kind, with the input that it gets.
const COMMANDS: [(&[&str], &str); 25] = [
    (&["init"], ""),
    (&["append", "s", "T"], ""),
    (&["append", "--jsonl", "-"], "{\"stream\":\"s\",\"type\":\"T\"}\n"),
    (&["read"], ""),
    (&["tail", "--limit", "1"], ""),
    (&["tail", "--limit", "1", "--", "cat"], ""),
    (&["tail", "--as", "x", "--until-caught-up", "--", "sh", "-c", READS], ""),
    (&["status"], ""),
    (&["stream", "list"], ""),
    (&["stream", "show", "s"], ""),
    (&["stream", "protect", "s"], ""),
    (&["stream", "rm", "s", "--yes"], ""),
    (&["state", "get", "s"], ""),
    (&["state", "set", "s", "{}"], ""),
    (&["state", "rm", "s", "--yes"], ""),
    (&["decide", "s", "--", "sh", "-c", READS], ""),
    (&["project", "create", "q", "id:integer:key"], ""),
    (&["project", "list"], ""),
    (&["project", "select", "p"], ""),
    (&["project", "set", "p", r#"{"id":1}"#], ""),
    (&["project", "run", "p", "--until-caught-up", "--", "sh", "-c", READS], ""),
    (&["project", "drop", "p", "--yes"], ""),
    (&["subscription", "list"], ""),
    (&["subscription", "seek", "x", "start"], ""),
    (&["subscription", "rm", "x", "--yes"], ""),
];
/// One that writes, one that reads, and the one that makes stores.
const SOME: [usize; 3] = [0, 1, 3];

/// A store that has each of the entries, but for a journal.
fn whole() -> Home {
    let home = Home::with(3);
    home.run(&["state", "set", "s", "{}"]).done();
    home.run(&["project", "create", "p", "id:integer:key"]).done();
    home.run(&["project", "set", "p", r#"{"id":1}"#]).done();
    home.run(&["tail", "--as", "x", "--until-caught-up", "--", "sh", "-c", READS]).done();
    home.run(&["decide", "s", "--", "sh", "-c", READS]).done();
    assert!(DIRECTORIES.iter().all(|name| home.file(name).is_dir()));
    home
}

/// A copy of a store.
fn copied(from: &Home) -> Home {
    let home = Home::new();
    fs::remove_dir_all(home.store()).unwrap();
    copy(&from.store(), &home.store());
    home
}

fn sh(script: &str, path: &Path, other: &Path) {
    let mut shell = Command::new("sh");
    ended(shell.args(["-ec", script, "sh"]).arg(path).arg(other)).done();
}

/// What may be wrong with an entry, which is `$1`; `$2` is a place outside the store. And what is said.
const FATES: [(&str, &str, &str); 9] = [
    ("a link", r#"mv "$1" "$2" && ln -s "$2" "$1""#, "is a symbolic link, not a "),
    (
        "a link that leads nowhere",
        r#"rm -rf "$1" && ln -s "$2.not" "$1""#,
        "is a symbolic link, not a ",
    ),
    ("a named pipe", r#"rm -rf "$1" && mkfifo "$1""#, "is a named pipe, not a "),
    ("a device without end", r#"rm -rf "$1" && mknod "$1" c 1 5"#, "is a device, not a "),
    ("of another user", r#"chown 65534 "$1""#, "belongs to the user 65534, not to the user 0"),
    ("writable by the group", r#"chmod g+w "$1""#, "is writable by others (mode 07"),
    ("writable by all", r#"chmod o+w "$1""#, "is writable by others (mode 07"),
    // Those of files alone.
    ("under two names", r#"ln "$1" "$2""#, "is a file with 2 names (hard links)"),
    ("a directory", r#"rm -rf "$1" && mkdir "$1""#, "is a directory, not a file"),
];

/// That a command refuses an entry, and neither waits for it nor changes what is outside.
#[track_caller]
fn refused(home: &Home, (args, input): (&[&str], &str), entry: &str, words: &str, told: &str) {
    let args: Vec<&str> = args.to_vec();
    let end = ended_with_input(&mut home.ream(&args), input);
    let path = format!("/store/{entry} {words}");
    assert_eq!(end.code, Some(1), "{told}: {end:#?}");
    assert!(end.stderr.starts_with("error: ") && end.stderr.contains(&path), "{told}: {end:#?}");
    assert_eq!(end.stdout, "", "{told}");
}

#[test]
fn an_entry_that_is_not_a_file_or_directory_of_this_user_alone_is_refused() {
    needs_root("files of other users, and devices");
    let whole = whole();
    let entries =
        FILES.map(|name| (name, false)).into_iter().chain(DIRECTORIES.map(|name| (name, true)));
    for (entry, is_directory) in entries {
        for (fate, script, words) in &FATES[..if is_directory { 7 } else { FATES.len() }] {
            let home = copied(&whole);
            let (path, outside) = (home.file(entry), home.place().join("outside"));
            if entry == "db-journal" {
                fs::write(&path, "").unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            }
            sh(script, &path, &outside);
            let before = tree(&outside);
            let words =
                words.replace("(mode 07", if is_directory { "(mode 07" } else { "(mode 06" });
            // All commands for one fate, some for the others.
            for (index, command) in COMMANDS.into_iter().enumerate() {
                if *fate == "a link" || SOME.contains(&index) {
                    refused(&home, command, entry, &words, &format!("{entry}, {fate}"));
                }
            }
            assert_eq!(tree(&outside), before, "{entry}, {fate}");
        }
    }
}

/// The paths below one, with their lengths, times of change and permissions.
fn tree(path: &Path) -> Vec<(PathBuf, u64, i64, u32)> {
    let Ok(metadata) = path.symlink_metadata() else { return Vec::new() };
    let changed = metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec();
    let mut found = vec![(path.to_owned(), metadata.len(), changed, metadata.mode())];
    if metadata.is_dir() {
        let mut below: Vec<PathBuf> =
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        below.sort();
        found.extend(below.iter().flat_map(|path| tree(path)));
    }
    found
}

#[test]
fn the_files_below_are_looked_at_when_they_are_used() {
    needs_root("files of other users, and devices");
    let whole = whole();
    let select: &[&str] = &["project", "select", "p"];
    let set: &[&str] = &["project", "set", "p", r#"{"id":2}"#];
    let create: &[&str] = &["project", "create", "q", "id:integer:key"];
    let tail: &[&str] = &["tail", "--as", "x", "--until-caught-up", "--", "sh", "-c", READS];
    let decide: &[&str] = &["decide", "s", "--", "sh", "-c", READS];
    let locks = tree(&whole.file("deciders"));
    let lock = locks.iter().find(|(path, ..)| path.is_file() && path.extension().is_none());
    let decider = lock.unwrap().0.strip_prefix(whole.store()).unwrap().to_str().unwrap();
    for (entry, commands) in [
        ("projections/p.1.db", &[select, set][..]),
        ("projections/p.1.db-wal", &[select, set]),
        ("projections/p.1.db-shm", &[select, set]),
        ("projections/lock", &[create]),
        ("runners/x", &[tail, &["subscription", "list"]]),
        (decider, &[decide]),
    ] {
        for (fate, script, words) in FATES {
            let home = copied(&whole);
            let (path, outside) = (home.file(entry), home.place().join("outside"));
            if !path.exists() {
                fs::write(&path, "").unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            }
            sh(script, &path, &outside);
            let before = tree(&outside);
            let words = words.replace("(mode 07", "(mode 06");
            for args in commands {
                refused(&home, (args, ""), entry, &words, &format!("{entry}, {fate}"));
            }
            assert_eq!(tree(&outside), before, "{entry}, {fate}");
        }
    }
}

#[test]
fn a_journal_is_not_played_back() {
    let whole = whole();
    for (entry, args) in [
        ("db-journal", &["read"][..]),
        ("db-journal", &["append", "s", "T"]),
        ("projections/p.1.db-journal", &["project", "select", "p"]),
    ] {
        let home = copied(&whole);
        fs::write(home.file(entry), [0xd9, 0xd5, 5, 0xf9, 0x20, 0xa1, 0x63, 0xd7]).unwrap();
        fs::set_permissions(home.file(entry), fs::Permissions::from_mode(0o600)).unwrap();
        home.run(args).failed(1, &[entry, "is there, and ream leaves none"]);
        assert!(home.file(entry).exists());
    }
}

#[test]
fn a_link_among_the_projections_is_for_others_and_never_followed() {
    let home = whole();
    let outside = home.place().join("outside");
    fs::write(&outside, "mine").unwrap();
    for link in ["projections/p.db", "projections/p.db.new"] {
        let _ = fs::remove_file(home.file(link));
        symlink(&outside, home.file(link)).unwrap();
    }
    assert_eq!(home.run(&["project", "select", "p"]).done(), "{\"id\":1}\n");
    home.run(&["project", "rebuild", "p", "--", "sh", "-c", READS]).done();
    home.run(&["project", "drop", "p", "--yes"]).done();
    assert_eq!(fs::read_to_string(&outside).unwrap(), "mine");
}

#[test]
fn what_others_could_only_read_is_taken_from_them() {
    let whole = whole();
    for (command, input) in COMMANDS {
        for mode in ["go+rX", "g+r", "o+rX"] {
            let home = copied(&whole);
            let mut chmod = Command::new("chmod");
            ended(chmod.args(["-R", mode]).arg(home.store())).done();
            let end = ended_with_input(&mut home.ream(command), input);
            assert!(end.code == Some(0) && !end.stderr.contains("note:"), "{command:?}: {end:#?}");
            for (path, _, _, mode) in tree(&home.store()) {
                assert!(
                    (mode & 0o777) & !0o700 == 0 || path.is_symlink(),
                    "{command:?}: {} {mode:o}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn what_can_not_be_taken_from_others_is_used_all_the_same() {
    needs_root("a file system mounted read-only");
    let home = Home::with(3);
    let mut chmod = Command::new("chmod");
    ended(chmod.args(["-R", "go+rX"]).arg(home.store())).done();
    let store = home.store();
    let mount = |args: &[&str]| ended(Command::new("mount").args(args)).done();
    mount(&["--bind", store.to_str().unwrap(), store.to_str().unwrap()]);
    mount(&["-o", "remount,bind,ro", store.to_str().unwrap()]);
    let read = home.run(&["read"]);
    assert!(Command::new("umount").arg(&store).status().unwrap().success());
    assert_eq!(read.done().lines().count(), 3);
}

#[test]
fn a_directory_that_is_no_store_is_left_as_it_is() {
    let home = Home::new();
    let place = home.place().join("other");
    fs::create_dir_all(place.join("projections")).unwrap();
    fs::write(place.join("lock"), "").unwrap();
    for (script, codes) in
        [(":", [4, 1]), ("touch \"$1/notes\"", [4, 1]), ("echo x > \"$1/store\"", [1, 1])]
    {
        sh(script, &place, &place);
        let mut chmod = Command::new("chmod");
        ended(chmod.args(["-R", "u=rwX,go=rX"]).arg(&place)).done();
        let before = tree(&place);
        let at = ["--store", place.to_str().unwrap()];
        for (args, code) in [["read", at[0], at[1]], ["init", at[0], at[1]]].iter().zip(codes) {
            let mut ream = Command::new(env!("CARGO_BIN_EXE_ream"));
            crate::support::clean(&mut ream, home.place());
            ended(ream.args(args)).failed(code, &["error: "]);
            assert_eq!(tree(&place), before, "{script}, {args:?}");
        }
    }
}

#[test]
fn an_owner_who_is_trusted_may_have_any_permissions_but_no_links() {
    needs_root("files of other users");
    let home = whole();
    let mut chmod = Command::new("chmod");
    ended(chmod.args(["-R", "go+rwX"]).arg(home.store())).done();
    for (path, ..) in tree(&home.store()) {
        if !path.is_symlink() {
            chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    let before: Vec<u32> = tree(&home.store()).iter().map(|(.., mode)| *mode).collect();
    let trusting = |args: &[&str]| ended(home.ream(args).env("REAM_TRUST_OWNER", "1"));
    assert_eq!(trusting(&["read"]).done().lines().count(), 3);
    assert_eq!(trusting(&["project", "select", "p"]).done(), "{\"id\":1}\n");
    assert_eq!(tree(&home.store()).iter().map(|(.., mode)| *mode).collect::<Vec<_>>(), before);
    sh(FATES[0].1, &home.file("runners"), &home.place().join("outside"));
    trusting(&["read"]).failed(1, &["/store/runners is a symbolic link, not a directory"]);
}
