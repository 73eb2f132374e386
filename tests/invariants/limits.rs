//! Invariant 16: limits of the process, on the size of files, on how many are open, on threads.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::process::Command;

use crate::support::{
    Ended, Home, clean, copy, ended, ended_with_input, needs_root, position, sized, text_of,
};

/// Runs `ream` in a shell that has set a limit.
#[track_caller]
fn limited(home: &Home, limit: &str, args: &[&str]) -> Ended {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("ulimit {limit} && exec \"$0\" \"$@\""));
    shell.arg(env!("CARGO_BIN_EXE_ream")).args(args).arg("--store").arg(home.store());
    clean(&mut shell, home.place());
    ended(&mut shell)
}

#[test]
fn a_file_that_may_not_grow_is_told_and_no_signal_ends_the_append() {
    let home = Home::with(3);
    let large = text_of(100_000);
    // In blocks of 512 or 1024 bytes, by the shell: less than the log would need, either way.
    let end = limited(&home, "-f 64", &["append", "s", "T", &large]);
    assert!(matches!(end.code, Some(1 | 9)), "{end:#?}");
    assert!(end.stderr.starts_with("error: "), "{end:#?}");
    assert_eq!(home.positions(), [1, 2, 3]);
    // A small one still has its room, under the same limit.
    assert_eq!(position(&limited(&home, "-f 64", &["append", "s", "T"]).done()), 4);
    assert_eq!(position(&home.run(&["append", "s", "T", &large]).done()), 5);
}

#[test]
fn a_limit_that_only_a_checkpoint_meets_fails_no_append() {
    let home = Home::new();
    let mut store = home.open();
    store.append(&vec![sized("s", &text_of(1000)); 60]).unwrap();
    drop(store);
    let mut last = 60;
    for _ in 0..40 {
        let end = limited(&home, "-f 600", &["append", "s", "T", &text_of(3000)]);
        if end.code == Some(0) {
            last = position(&end.stdout);
        } else {
            assert!(matches!(end.code, Some(1 | 9)), "{end:#?}");
        }
    }
    let positions = home.positions();
    assert!(positions.len() as u64 >= last, "{last}");
    assert_eq!(positions, (1..=positions.len() as u64).collect::<Vec<_>>());
    assert_eq!(home.append("s"), positions.len() as u64 + 1);
}

#[test]
fn too_few_open_files_are_told() {
    let home = Home::with(1);
    let mut stored = 1;
    let (mut refused, mut done) = (0, 0);
    for files in 3..20 {
        let end = limited(&home, &format!("-n {files}"), &["append", "s", "T"]);
        if end.code == Some(0) {
            stored += 1;
            // One that is left without a file for the bell says so; the event is stored.
            assert!(
                end.stderr.is_empty() || end.stderr.contains("can't ring the bell"),
                "{end:#?}"
            );
            assert_eq!(position(&end.stdout), stored, "{files}");
            done += 1;
        } else {
            end.failed(1, &["caused by: "]);
            refused += 1;
        }
        assert_eq!(home.positions().len() as u64, stored, "{files}");
    }
    assert!(refused > 0 && done > 0, "{refused} {done}");
}

#[test]
fn too_few_open_files_to_read_are_told() {
    let home = Home::with(5);
    let (mut refused, mut done) = (0, 0);
    for files in 3..12 {
        let end = limited(&home, &format!("-n {files}"), &["read"]);
        if end.code == Some(0) {
            assert_eq!(end.done().lines().count(), 5, "{files}");
            done += 1;
        } else {
            assert_eq!(end.stdout, "", "{end:#?}");
            end.failed(1, &["caused by: "]);
            refused += 1;
        }
    }
    assert!(refused > 0 && done > 0, "{refused} {done}");
}

/// Users that own nothing and run nothing: how many processes and threads one has is limited as a whole.
const UNKNOWN: u32 = 54_321;

/// Gives the store, and all that is in it, to a user.
fn give(home: &Home, user: u32) {
    let mut directories = vec![home.place().to_owned()];
    while let Some(directory) = directories.pop() {
        chown(&directory, Some(user), Some(user)).unwrap();
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                chown(&path, Some(user), None).unwrap();
            }
        }
    }
}

#[test]
fn a_thread_too_many_is_an_error() {
    needs_root("another user's limit");
    let bin = tempfile::tempdir().unwrap();
    fs::set_permissions(bin.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_ream"), bin.path().join("ream")).unwrap();
    let reads = ["sh", "-c", "exec cat >/dev/null"];
    let line = "{\"stream\":\"s\",\"type\":\"T\"}\n";
    let rows: String = (0..3000).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    let whole = Home::with(1500);
    whole.run(&["project", "create", "p", "id:integer:key"]).done();
    let create = ["project", "create", "q", "id:integer:key", "--"];
    whole.run(&[&create[..], &reads].concat()).done();
    ended_with_input(&mut whole.ream(&["project", "set", "p", "--jsonl", "-"]), &rows);
    let (mut told, mut done) = (0, 0);
    for (args, program, input) in [
        (&["append", "--jsonl", "-"][..], false, line),
        (&["read"], false, ""),
        (&["tail", "--limit", "1500"], false, ""),
        (&["tail", "--until", "2000-01-01T00:00:00Z"], false, ""),
        (&["tail", "--limit", "1500", "--"], true, ""),
        (&["tail", "--as", "n", "--until-caught-up", "--retries", "0", "--"], true, ""),
        (&["project", "set", "p", "--jsonl", "-"], false, &rows),
        (&["project", "select", "p"], false, ""),
        (&["project", "run", "p", "--until-caught-up", "--retries", "0", "--"], true, ""),
        (&["project", "rebuild", "p", "--retries", "0", "--"], true, ""),
        // In a copy, and by another user, the program is not allowed by itself.
        (&["project", "select", "q", "--fresh", "--allow", "--wait", "5s"], false, ""),
        (&["decide", "s", "1", "--"], true, ""),
        (&["decide", "--serve", "--"], true, ""),
    ] {
        // Its own thread, the program, and those that are needed besides.
        for most in 1..=9 {
            let home = Home::new();
            fs::remove_dir_all(home.store()).unwrap();
            copy(&whole.store(), &home.store());
            give(&home, UNKNOWN);
            let mut command = Command::new("setpriv");
            let user = format!("--reuid={UNKNOWN}");
            command.args([&user, "--clear-groups", "prlimit", &format!("--nproc={most}")]);
            command.arg(bin.path().join("ream")).arg("--store").arg(home.store());
            command.args(args).args(if program { &reads[..] } else { &[] });
            clean(&mut command, home.place());
            let end = ended_with_input(&mut command, input);
            if end.code == Some(0) {
                done += 1;
            } else {
                assert!(matches!(end.code, Some(1 | 7)), "{most}: {end:#?}");
                assert!(end.stderr.contains("error: "), "{most}: {end:#?}");
                assert!(
                    end.stderr.contains("Resource temporarily unavailable"),
                    "{most}: {end:#?}"
                );
                told += 1;
            }
        }
    }
    assert!(told > 20 && done > 20, "{told} {done}");
}
