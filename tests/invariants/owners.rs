//! Security: whose store it is, who may write to it, and a directory that can't be written.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Ended, Home, clean, ended, needs_root, position};

const NOBODY: u32 = 65534;

/// Runs `ream` as the user nobody, by a copy that nobody may run.
struct Nobody {
    place: tempfile::TempDir,
}

impl Nobody {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_ream"), place.path().join("ream")).unwrap();
        Self { place }
    }

    /// A directory of nobody's.
    fn directory(&self, name: &str) -> PathBuf {
        let path = self.place.path().join(name);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        path
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        command.arg(self.place.path().join("ream")).args(args);
        clean(&mut command, Path::new("/"));
        command
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Ended {
        ended(&mut self.command(args))
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_store_of_another_user_is_refused_until_it_is_trusted() {
    needs_root("a store of another user");
    let home = Home::with(1);
    chown(home.store(), Some(NOBODY), Some(NOBODY)).unwrap();
    for args in [&["append", "s", "T"][..], &["read"], &["status"], &["tail", "--limit", "1"]] {
        home.run(args).failed(
            1,
            &["belongs to the user 65534, not to the user 0", "hint: ", "REAM_TRUST_OWNER=1"],
        );
    }
    for (value, code) in [("1", 0), ("0", 1), ("", 1), ("false", 2)] {
        let trusting = ended(home.ream(&["append", "s", "T"]).env("REAM_TRUST_OWNER", value));
        assert_eq!(trusting.code, Some(code), "{trusting:#?}");
    }
}

#[test]
fn roots_store_is_refused_to_others() {
    needs_root("a store of root, used by another user");
    let (home, nobody) = (Home::with(1), Nobody::new());
    // Down to the store, the way is open.
    fs::set_permissions(home.place(), fs::Permissions::from_mode(0o755)).unwrap();
    let store = home.store();
    let args = ["append", "s", "T", "--store", text(&store)];
    nobody.run(&args).failed(1, &["belongs to the user 0, not to the user 65534"]);
}

#[test]
fn a_store_that_others_may_write_to_is_refused_until_they_are_trusted() {
    for (mode, refused) in
        [(0o777, true), (0o770, true), (0o702, true), (0o755, false), (0o750, false)]
    {
        let home = Home::with(1);
        fs::set_permissions(home.store(), fs::Permissions::from_mode(mode)).unwrap();
        if refused {
            let words = [
                "writable by others",
                &*format!("mode {mode:04o}"),
                "hint: chmod 700",
                "REAM_TRUST_OWNER=1",
            ];
            home.run(&["append", "s", "T"]).failed(1, &words);
            home.run(&["read"]).failed(1, &words);
            ended(home.ream(&["append", "s", "T"]).env("REAM_TRUST_OWNER", "1")).done();
        } else {
            assert_eq!(home.append("s"), 2, "{mode:o}");
        }
    }
}

#[test]
fn a_program_that_another_user_gave_is_refused_where_the_store_is_trusted() {
    needs_root("a store of another user, with a program");
    let nobody = Nobody::new();
    let store = nobody.directory("place").join("store");
    let on_store = |args: &[&'static str]| {
        let mut all = vec!["--store", text(&store)];
        all.extend(args);
        all.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let run = |args: &[&'static str]| {
        let args = on_store(args);
        nobody.run(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    run(&["init"]).done();
    let program = ["--", "sh", "-c", "cat >/dev/null"];
    run(&[&["project", "create", "seen", "id:integer:key"], &program[..]].concat()).done();
    let rebuild = ["project", "rebuild", "seen", "--dry-run"];
    run(&rebuild).done();
    let mut root = Command::new(env!("CARGO_BIN_EXE_ream"));
    root.args(on_store(&rebuild));
    clean(&mut root, Path::new("/"));
    ended(root.env("REAM_TRUST_OWNER", "1")).failed(1, &["neither given nor allowed here"]);
    run(&rebuild).done();
}

#[test]
fn a_directory_that_can_not_be_written_gets_no_store() {
    needs_root("a directory of another user that may not be written");
    let nobody = Nobody::new();
    let place = nobody.directory("place");
    fs::set_permissions(&place, fs::Permissions::from_mode(0o500)).unwrap();
    let store = place.join("store");
    nobody
        .run(&["init", text(&store)])
        .failed(1, &["can't create", "/place/store", "Permission denied"]);
    let deep = place.join("a/b");
    nobody.run(&["init", text(&deep)]).failed(1, &["can't create", "Permission denied"]);
}

#[test]
fn a_store_that_can_not_be_written_is_told_and_keeps_what_it_has() {
    needs_root("a store whose files may not be written");
    let nobody = Nobody::new();
    let store = nobody.directory("place").join("store");
    let at = ["--store", text(&store)];
    nobody.run(&["init", text(&store)]).done();
    nobody.run(&["append", "s", "T", at[0], at[1]]).done();
    let mut chmod = Command::new("chmod");
    ended(chmod.args(["-R", "a-w"]).arg(&store)).done();
    let refused = nobody.run(&["append", "s", "T", at[0], at[1]]);
    let told = refused.stderr.contains("ermission denied") || refused.stderr.contains("readonly");
    assert!(told, "{refused:#?}");
    refused.failed(1, &["can't"]);
    let mut chmod = Command::new("chmod");
    ended(chmod.args(["-R", "u+w"]).arg(&store)).done();
    assert_eq!(position(&nobody.run(&["append", "s", "T", at[0], at[1]]).done()), 2);
}

#[test]
fn a_file_system_mounted_read_only_is_told() {
    needs_root("a file system mounted read-only");
    let home = Home::with(1);
    let store = home.store();
    let mount = |args: &[&str]| ended(Command::new("mount").args(args)).done();
    mount(&["--bind", text(&store), text(&store)]);
    mount(&["-o", "remount,bind,ro", text(&store)]);
    let refused = home.run(&["append", "s", "T"]);
    let unmounted = Command::new("umount").arg(&store).status().unwrap();
    assert!(unmounted.success());
    let told = refused.stderr.contains("ead-only") || refused.stderr.contains("readonly");
    assert!(told, "{refused:#?}");
    refused.failed(1, &["can't"]);
    assert_eq!(home.append("s"), 2);
}

#[test]
fn a_store_of_ones_own_needs_no_root() {
    needs_root("another user's own store");
    let nobody = Nobody::new();
    let store = nobody.directory("place").join("store");
    let at = ["--store", text(&store)];
    nobody.run(&["init", text(&store)]).done();
    assert_eq!(position(&nobody.run(&["append", "s", "T", at[0], at[1]]).done()), 1);
    assert_eq!(nobody.run(&["read", at[0], at[1]]).done().lines().count(), 1);
}
