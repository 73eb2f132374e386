//! A store in a directory, `ream` as a process, and what is seen of both from outside.

mod disk;
mod process;
mod trace;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ream::{Data, Event, Json, NewEvent, Options, Query, Store};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) use disk::{Disk, Mounted};
pub(crate) use process::{Ended, Lines, Running, ended, ended_with_input, until};
pub(crate) use trace::{
    Call, FailingWrites, calls, copied, failing, killed_at_calls, killed_at_each_call,
    killed_beside, traced,
};

/// A process that appends the event in each line that comes, whatever fails: a store's directory and
/// how long it waits for its turn, in milliseconds.
pub(crate) const WRITER: &str = env!("CARGO_BIN_EXE_staying-writer");

/// A directory with a store in it.
pub(crate) struct Home {
    place: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self::in_place(tempfile::tempdir().unwrap())
    }

    /// One on this disk.
    pub(crate) fn on(disk: &Disk) -> Self {
        Self::in_place(tempfile::tempdir_in(disk.root()).unwrap())
    }

    fn in_place(place: TempDir) -> Self {
        let home = Self { place };
        Store::init(&home.store(), &Options::default()).unwrap();
        home
    }

    /// One in which `count` events are stored, by a process that has ended.
    pub(crate) fn with(count: u64) -> Self {
        let home = Self::new();
        home.open().append(&numbered("s", count)).unwrap();
        home
    }

    pub(crate) fn place(&self) -> &Path {
        self.place.path()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.place.path().join("store")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.store().join(name)
    }

    /// How long a file of the store is, without opening it.
    pub(crate) fn length(&self, name: &str) -> u64 {
        fs::symlink_metadata(self.file(name)).unwrap().len()
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(&self.store(), &Options::default()).unwrap()
    }

    /// `ream` on this store.
    pub(crate) fn ream(&self, args: &[&str]) -> Command {
        self.wrapped(&[], args)
    }

    /// `ream` on this store, started by another program.
    pub(crate) fn wrapped(&self, wrapper: &[&str], args: &[&str]) -> Command {
        let ream = [env!("CARGO_BIN_EXE_ream"), args[0], "--store"];
        let mut words = wrapper.iter().chain(&ream);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).arg(self.store()).args(&args[1..]);
        clean(&mut command, self.place());
        command
    }

    /// Runs `ream` to its end.
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        ended(&mut self.ream(args))
    }

    /// Appends one event by a process of its own; its position.
    #[track_caller]
    pub(crate) fn append(&self, stream: &str) -> u64 {
        position(&self.run(&["append", stream, "T"]).done())
    }

    /// What can be read, by a process of its own.
    #[track_caller]
    pub(crate) fn positions(&self) -> Vec<u64> {
        self.run(&["read"]).done().lines().map(position).collect()
    }
}

/// A command that knows nothing of who runs the tests.
pub(crate) fn clean(command: &mut Command, directory: &Path) {
    for variable in [
        "REAM_STORE",
        "REAM_TRUST_OWNER",
        "REAM_UNSAFE_FS",
        "REAM_ALLOW",
        "REAM_FAULTS",
        "NO_COLOR",
    ] {
        command.env_remove(variable);
    }
    command.current_dir(directory);
}

/// The position in a line of output.
#[track_caller]
pub(crate) fn position(line: &str) -> u64 {
    let value: Value = serde_json::from_str(line).unwrap();
    value["position"].as_u64().unwrap()
}

/// `count` events of one stream, of which the data counts from 1.
pub(crate) fn numbered(stream: &str, count: u64) -> Vec<NewEvent> {
    (1..=count).map(|number| sized(stream, &number.to_string())).collect()
}

/// An event with this data.
pub(crate) fn sized(stream: &str, json: &str) -> NewEvent {
    let mut event = NewEvent::new(stream.parse().unwrap(), "T".parse().unwrap());
    event.data = Data::Json(Json::parse(json).unwrap());
    event
}

/// A JSON string of `bytes` bytes.
pub(crate) fn text_of(bytes: usize) -> String {
    format!("\"{}\"", "x".repeat(bytes - 2))
}

/// Lines of input, each an event of the stream with data of that length.
pub(crate) fn input(stream: &str, count: usize, bytes: usize) -> String {
    let data = text_of(bytes);
    format!("{{\"stream\":\"{stream}\",\"type\":\"T\",\"data\":{data}}}\n").repeat(count)
}

pub(crate) fn read(store: &Store) -> Vec<Event> {
    let mut reader = store.read(&Query::default()).unwrap();
    let mut events = Vec::new();
    while !reader.next_batch(|event| events.push(event.to_event())).unwrap().caught_up {}
    events
}

/// Fails where this is not root: what is not looked at shall not pass.
#[track_caller]
pub(crate) fn needs_root(what: &str) {
    assert!(rustix::process::geteuid().is_root(), "only root can make {what}");
}

/// Copies a directory while no process uses it.
pub(crate) fn copy(from: &Path, to: &Path) {
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(from).arg(to);
    ended(&mut copy).done();
}
