//! A place to run `ream` in, and a fluent way to say what must come of it.
//!
//! ```ignore
//! let shop = ream();
//! shop.append("cart-1", "ItemAdded", r#"{"n":1}"#).ok();
//! shop.run(["read", "cart-2"]).stdout("");
//! shop.run(["stream", "show", "cart-2"]).fails(4, "error: …\n");
//! ```
//!
//! Exit code 0 and an empty stderr are expected unless the test says otherwise. What differs from
//! run to run is replaced before it is compared: the store's id by `[store]`, the test's directory
//! by `[home]`, and points in time of today by `[time]`.

pub(crate) mod redact;
mod run;
mod running;
mod terminal;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

pub(crate) use run::Run;
pub(crate) use running::Running;

/// How long anything may take before it counts as hanging.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The program under test.
pub(crate) const REAM: &str = env!("CARGO_BIN_EXE_ream");

/// A directory with the store `.ream` in it.
pub(crate) fn ream() -> Ream {
    let ream = bare();
    ream.run(["init"]).ok();
    ream
}

/// A directory without a store.
pub(crate) fn bare() -> Ream {
    Ream { home: tempfile::tempdir().unwrap() }
}

/// Where `ream` is run.
pub(crate) struct Ream {
    home: TempDir,
}

impl Ream {
    /// The directory of the test.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// A path within that directory.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.home().join(name)
    }

    /// Writes a file, and the directories above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// The id of the store, as its marker says.
    pub(crate) fn id(&self) -> Option<String> {
        let marker = fs::read_to_string(self.path(".ream/store")).ok()?;
        let id = marker.lines().find_map(|line| line.strip_prefix("id: "))?;
        Some(id.to_owned())
    }

    /// The permission bits of a file.
    #[track_caller]
    pub(crate) fn mode(&self, name: impl AsRef<Path>) -> u32 {
        fs::symlink_metadata(self.path(name)).unwrap().permissions().mode() & 0o7777
    }

    /// `ream` with these arguments.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Run<'_> {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        Run::new(self, std::iter::once(OsString::from(REAM)).chain(args).collect())
    }

    /// A script for `sh`, in which `$REAM` is the program.
    pub(crate) fn sh(&self, script: &str) -> Run<'_> {
        Run::new(self, ["sh", "-c", script].map(OsString::from).into()).env("REAM", REAM)
    }

    /// `ream append` of one event.
    pub(crate) fn append(&self, stream: &str, event_type: &str, data: &str) -> Run<'_> {
        self.run(["append", stream, event_type, data])
    }

    /// `ream append --jsonl -` of these lines.
    pub(crate) fn append_lines(&self, lines: &str) -> Run<'_> {
        self.run(["append", "--jsonl", "-"]).stdin(lines)
    }

    /// Appends `count` events of one stream; the data counts from 1.
    #[track_caller]
    pub(crate) fn fill(&self, stream: &str, count: usize) -> &Self {
        let lines = (1..=count).map(|n| format!("{}\n", line(stream, "T", &n.to_string())));
        self.append_lines(&lines.collect::<String>()).ok()
    }

    /// The positions of the events that `ream read` gives with these arguments.
    #[track_caller]
    pub(crate) fn positions(&self, args: &[&str]) -> Vec<u64> {
        let events = self.run(["read"].iter().chain(args)).values();
        events.iter().map(|event| event["position"].as_u64().unwrap()).collect()
    }

    /// A command of the system's, in the directory of the test and with its environment.
    fn command(&self, words: &[OsString]) -> Command {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(self.home()).env_clear();
        command.env("PATH", search_path());
        command.env("HOME", self.home()).env("LC_ALL", "C.UTF-8");
        command
    }
}

/// Where programs are found: first that of the test, by its name.
fn search_path() -> OsString {
    let ream = Path::new(REAM).parent().unwrap().to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(ream).chain(std::env::split_paths(&others))).unwrap()
}

/// An event as a line of input.
pub(crate) fn line(stream: &str, event_type: &str, data: &str) -> String {
    format!(r#"{{"stream":"{stream}","type":"{event_type}","data":{data}}}"#)
}

/// Numbers as a list, for comparisons.
pub(crate) fn list(numbers: impl IntoIterator<Item = u64>) -> Vec<u64> {
    numbers.into_iter().collect()
}
