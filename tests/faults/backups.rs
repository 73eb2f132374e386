//! Backups beside processes and faults: whole or not there, and nobody is held up.

use std::fs;

use ream::NewBackup;

use crate::support::{
    Home, Mounted, clean, ended, killed_at_calls, needs_root, numbered, position, text_of,
};

/// What changes a file or a directory, or makes it durable.
const CALLS: &str =
    "mkdir,mkdirat,pwrite64,write,ftruncate,fsync,fdatasync,flock,rename,renameat,unlink,unlinkat";

/// What can be read of a store in another directory.
fn positions(home: &Home, store: &str) -> Vec<u64> {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ream"));
    command.args(["read", "--store", store]);
    clean(&mut command, home.place());
    ended(&mut command).done().lines().map(position).collect()
}

#[test]
fn a_backup_that_is_killed_is_whole_or_not_there() {
    let home = Home::with(3);
    let (mut without, mut whole) = (0, 0);
    killed_at_calls(&home, CALLS, &["backup", "copy"], |home, end, place| {
        let copy = home.place().join("copy");
        assert!(end.stdout.is_empty() || copy.exists(), "{place}: told before it was done");
        if copy.exists() {
            whole += 1;
            assert_eq!(positions(home, "copy"), [1, 2, 3], "{place}");
        } else {
            without += 1;
            // What it left is in nobody's way.
            assert_eq!(home.run(&["backup", "copy"]).code, Some(0), "{place}");
            assert_eq!(positions(home, "copy"), [1, 2, 3], "{place}");
            assert!(!home.place().join("copy.partial").exists(), "{place}");
        }
        assert_eq!(home.append("s"), 4, "{place}");
    });
    assert!(without > 40 && whole > 2, "{without} {whole}");
}

#[test]
fn a_restore_that_is_killed_is_whole_or_not_there() {
    let home = Home::with(3);
    let backup = home.place().join("copy");
    home.open().backup(&backup, &NewBackup::default(), &mut |_| ()).unwrap();
    let from = backup.to_str().unwrap();
    let args = ["restore", from, "new", "--until", "2"];
    let (mut without, mut whole) = (0, 0);
    killed_at_calls(&home, CALLS, &args, |home, end, place| {
        let new = home.place().join("new");
        assert!(end.stdout.is_empty() || new.exists(), "{place}: told before it was done");
        if new.exists() {
            whole += 1;
        } else {
            without += 1;
            assert_eq!(home.run(&args).code, Some(0), "{place}");
            assert!(!home.place().join("new.partial").exists(), "{place}");
        }
        assert_eq!(positions(home, "new"), [1, 2], "{place}");
    });
    assert!(without > 40 && whole > 2, "{without} {whole}");
}

#[test]
fn a_restore_without_room_leaves_nothing() {
    needs_root("a file system that fills up");
    let home = Home::new();
    home.open().append(&[crate::support::sized("s", &text_of(3_000_000))]).unwrap();
    home.run(&["backup", "copy"]).done();
    let small = home.place().join("small");
    fs::create_dir(&small).unwrap();
    let mounted = Mounted::in_memory(&small, "1m");
    home.run(&["restore", "copy", "small/new"]).failed(1, &["no room left", "hint: make room"]);
    assert_eq!(fs::read_dir(&small).unwrap().count(), 0);
    mounted.resize("20m");
    home.run(&["restore", "copy", "small/new"]).done();
    assert_eq!(positions(&home, "small/new"), [1]);
}

#[test]
fn what_is_removed_while_a_backup_is_made_is_not_called_erased() {
    let home = Home::with(3);
    let mut told = String::new();
    let backup = home
        .open()
        .backup(&home.place().join("copy"), &NewBackup::default(), &mut |_| {
            if told.is_empty() {
                let rm = ["stream", "rm", "s", "--yes", "--lock-timeout", "0s"];
                told = home.run(&rm).stdout;
            }
        })
        .unwrap();
    assert!(told.contains("\"erased\":false"), "{told}");
    assert!(told.contains("copy.partial\"]"), "{told}");
    assert_eq!(backup.head.position.0, 3);
    // Whoever writes next makes up for it.
    home.append("s");
    assert!(home.run(&["status"]).done().contains("\"erasing\":false"));
}

#[test]
fn a_log_that_grew_beside_a_backup_is_cut_behind_it() {
    let home = Home::with(1);
    let mut writer = home.open();
    let data = text_of(100_000);
    let mut longest = 0;
    home.open()
        .backup(&home.place().join("copy"), &NewBackup::default(), &mut |_| {
            for _ in 0..20 {
                writer.append(&[crate::support::sized("s", &data)]).unwrap();
            }
            longest = longest.max(home.length("db-wal"));
        })
        .unwrap();
    assert!(longest > 2_000_000, "{longest}");
    assert_eq!(home.length("db-wal"), 0);
}

#[test]
fn a_backup_without_room_leaves_nothing_and_the_store_goes_on() {
    needs_root("a file system that fills up");
    let home = Home::new();
    home.open().append(&[crate::support::sized("s", &text_of(3_000_000))]).unwrap();
    let small = home.place().join("small");
    fs::create_dir(&small).unwrap();
    let mounted = Mounted::in_memory(&small, "1m");
    home.run(&["backup", "small/copy"]).failed(1, &["no room left", "hint: make room"]);
    assert_eq!(fs::read_dir(&small).unwrap().count(), 0);
    home.run(&["backup", "small"]).failed(1, &["small is a mount point", "small/ream"]);
    mounted.resize("20m");
    home.run(&["backup", "small/copy"]).done();
    assert_eq!(positions(&home, "small/copy"), [1]);
    home.open().append(&numbered("s", 1)).unwrap();
}
