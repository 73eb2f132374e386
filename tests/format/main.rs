//! The format of a store, as `docs/format.md` describes it: a reader in another language, and a store of
//! format 1 that is kept.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod by_hand;
#[path = "../shared/ended.rs"]
mod ended;
mod kept;
mod later;
mod made;
mod page;
mod reader;

use std::fs::{self, DirBuilder};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::Connection;
use tempfile::TempDir;

use ended::Ended;

const REAM: &str = env!("CARGO_BIN_EXE_ream");

/// A directory with the store `.ream` in it.
struct Home(TempDir);

impl Home {
    /// One with a new store.
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.ream(&["init"]).ok();
        home
    }

    /// One with a copy of a store that no process has open.
    fn with_copy(store: &Path) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        copy(store, &home.store());
        home
    }

    /// Another one with a copy of the store in this one.
    fn copied(&self) -> Self {
        Self::with_copy(&self.store())
    }

    fn store(&self) -> PathBuf {
        self.0.path().join(".ream")
    }

    fn database(&self) -> Connection {
        Connection::open(self.store().join("db")).unwrap()
    }

    fn ream(&self, words: &[&str]) -> Ended {
        self.ream_with(words, "")
    }

    /// Runs ream with an input.
    fn ream_with(&self, words: &[&str], input: &str) -> Ended {
        let mut command = Command::new(REAM);
        command.args(words).current_dir(self.0.path()).env_remove("REAM_STORE");
        // A permit is of one machine, and the kept store is from another.
        command.env("REAM_ALLOW", "1");
        run(&mut command, input)
    }

    /// Runs `read.py` over the store.
    fn read_py(&self) -> Ended {
        let mut command = Command::new("python3");
        run(command.arg(root().join("read.py")).arg(self.store()), "")
    }

    /// That `read.py` finds nothing wrong, and prints what `ream read` does; which is this.
    #[track_caller]
    fn is_read(&self) -> String {
        let by_python = self.copied().read_py().ok();
        let lines = self.ream(&["read"]).ok();
        assert_eq!(by_python, lines);
        lines
    }
}

/// Runs a program with an input.
fn run(command: &mut Command, input: &str) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    // It may end without having read it.
    let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
    Ended::of(&process.wait_with_output().unwrap())
}

impl Ended {
    /// It went well, with this warning, and said what begins so.
    #[track_caller]
    fn warns(self, warning: &str, start: &str) {
        let warned = self.err.starts_with(&format!("warning: {warning}"));
        assert!(self.code == 0 && warned && self.out.starts_with(start), "{self:?}");
    }

    #[track_caller]
    fn fails(self, code: i32, error: &str) {
        let Self { code: found, err, .. } = self;
        assert!(found == code && err.starts_with(error), "{error}: it ended with {found}: {err}");
    }
}

/// The directory of these tests.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/format")
}

/// Copies a store: everything but the index of the log, which belongs to the processes that use it. Modes are
/// those of a store, whatever they were.
fn copy(from: &Path, to: &Path) {
    DirBuilder::new().mode(0o700).create(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (name, kind) = (entry.file_name(), entry.file_type().unwrap());
        let (from, to) = (entry.path(), to.join(&name));
        if kind.is_dir() {
            copy(&from, &to);
        } else if kind.is_symlink() {
            symlink(fs::read_link(from).unwrap(), to).unwrap();
        } else if !name.to_string_lossy().ends_with("-shm") {
            fs::copy(from, &to).unwrap();
            fs::set_permissions(to, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}
