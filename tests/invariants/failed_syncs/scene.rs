//! A store on a disk that fails at times, and all that it acknowledged.

use std::fs::File;
use std::io::Write as _;
use std::num::NonZeroU64;
use std::process::{ChildStdin, Command};

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rustix::fs::{Advice, fadvise};
use serde_json::Value;

use crate::support::{Disk, Ended, Home, Lines, Running, ended_with_input, needs_root, position};

/// A projection of each event's name.
const CREATE: [&str; 8] =
    ["project", "create", "names", "position:integer:key", "name:text", "--from", "s", "--"];
/// Its program.
const PROJECTOR: [&str; 4] = [
    "jq",
    "-c",
    "--unbuffered",
    r#"{"set":{"position":.position,"name":.data.name}}, {"ack":.position}"#,
];

/// A table that is kept by hand.
const TABLE: [&str; 5] = ["project", "create", "kept", "id:integer:key", "text:text"];

/// An event that was acknowledged or read: the name in its data, and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    name: String,
    position: u64,
}

/// The event in a line of `read`.
fn event(line: &str) -> Known {
    let value: Value = serde_json::from_str(line).unwrap();
    Known { name: value["data"]["name"].as_str().unwrap().into(), position: position(line) }
}

/// The event that a row of the projection was made of.
fn row(line: &str) -> Known {
    let value: Value = serde_json::from_str(line).unwrap();
    Known { name: value["name"].as_str().unwrap().into(), position: position(line) }
}

/// The key of a row that is kept by hand.
fn id(line: &str) -> u64 {
    let value: Value = serde_json::from_str(line).unwrap();
    value["id"].as_u64().unwrap()
}

/// The data of an event of this name, so many bytes long or a little more.
fn data(name: &str, bytes: usize) -> String {
    format!(r#"{{"name":"{name}","text":"{}"}}"#, "x".repeat(bytes))
}

/// What became of a scene's store.
#[derive(Debug)]
pub(super) struct Left {
    /// What was acknowledged or heard, and is not there.
    lost: Vec<Known>,
    /// The same of rows that were set by hand.
    unset: Vec<u64>,
    /// The state that was acknowledged last, and the one that is there.
    state: [Option<u64>; 2],
    /// What SQLite finds in the events' file and that of the table.
    integrity: [String; 2],
    read: Ended,
    /// The projection, once it has caught up.
    rows: Ended,
    /// One more append.
    next: Ended,
}

impl Left {
    /// Whether something is not there that was acknowledged.
    pub(super) fn lacks_some(&self) -> bool {
        !self.lost.is_empty() || !self.unset.is_empty() || self.state[0] != self.state[1]
    }

    /// Whether all is there, and goes on.
    pub(super) fn is_whole(&self) -> bool {
        let well = |end: &Ended| (end.code, &*end.stderr) == (Some(0), "");
        !self.lacks_some()
            && self.integrity == ["ok"; 2]
            && [&self.read, &self.rows, &self.next].into_iter().all(well)
            && self.rows.stdout.lines().map(row).eq(self.read.stdout.lines().map(event))
    }
}

/// A store on a disk that fails at times.
pub(super) struct Scene {
    /// The remedies that are switched off.
    off: &'static str,
    known: Vec<Known>,
    /// The rows that were set by hand.
    set: Vec<u64>,
    /// The stream's state.
    state: Option<u64>,
    home: Home,
    pub(super) disk: Disk,
}

impl Scene {
    /// A store with a few events, where these remedies are switched off.
    #[track_caller]
    pub(super) fn without(off: &'static str) -> Self {
        needs_root("a disk that fails");
        let disk = Disk::new();
        let mut scene = Self {
            off,
            known: Vec::new(),
            set: Vec::new(),
            state: None,
            home: Home::on(&disk),
            disk,
        };
        scene.run(&[&CREATE[..], &PROJECTOR].concat(), "").done();
        scene.run(&TABLE, "").done();
        // The log begins here: what a shape fills it with counts.
        let cut = "PRAGMA wal_checkpoint(TRUNCATE)";
        scene.reader("db").unwrap().query_row(cut, [], |_| Ok(())).unwrap();
        for name in ["a1", "a2", "a3"] {
            scene.stores(name, 100);
        }
        scene
    }

    /// Plays a shape, and looks what is left of the store once the disk was away.
    #[track_caller]
    pub(super) fn played(off: &'static str, play: fn(&mut Self)) -> Left {
        let mut scene = Self::without(off);
        play(&mut scene);
        scene.disk.bring_back();
        scene.left()
    }

    fn left(self) -> Left {
        let read = self.run(&["read"], "");
        let found: Vec<Known> = read.stdout.lines().map(event).collect();
        let rows = ["project", "select", "names", "--fresh", "--order-by", "position"];
        let rows = self.run(&rows, "");
        let kept: Vec<u64> = self.rows().lines().map(id).collect();
        let unset = self.set.iter().copied().filter(|id| !kept.contains(id)).collect();
        let integrity = ["db", "projections/kept.1.db"].map(|file| {
            let found = self.integrity(file);
            found.unwrap_or_else(|error| error.to_string())
        });
        let state = self.run(&["state", "get", "s", "--data"], "").stdout;
        let state = [
            self.state,
            serde_json::from_str::<Value>(&state).ok().and_then(|state| state["n"].as_u64()),
        ];
        let next = self.run(&["append", "s", "T", "-"], &data("next", 10));
        let lost = self.known.into_iter().filter(|one| !found.contains(one)).collect();
        Left { lost, unset, state, integrity, read, rows, next }
    }

    fn integrity(&self, file: &str) -> rusqlite::Result<String> {
        self.reader(file)?.query_row("PRAGMA integrity_check", [], |row| row.get(0))
    }

    /// A connection of this process, which leaves the log alone when it ends.
    fn reader(&self, file: &str) -> rusqlite::Result<Connection> {
        let reader = Connection::open(self.home.file(file))?;
        reader.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(reader)
    }

    /// A reader of events that holds what it sees now, until it is dropped.
    pub(super) fn reading(&self) -> Connection {
        self.reading_of("db", "events")
    }

    /// The same of the rows that are kept by hand.
    pub(super) fn reading_rows(&self) -> Connection {
        self.reading_of("projections/kept.1.db", "kept")
    }

    fn reading_of(&self, file: &str, table: &str) -> Connection {
        let reader = self.reader(file).unwrap();
        reader.execute_batch(&format!("BEGIN; SELECT count(*) FROM {table};")).unwrap();
        reader
    }

    fn ream(&self, args: &[&str]) -> Command {
        let mut command = self.home.ream(args);
        command.env("REAM_FAULTS", self.off);
        command
    }

    fn run(&self, args: &[&str], input: &str) -> Ended {
        ended_with_input(&mut self.ream(args), input)
    }

    fn acknowledged(&mut self, name: &str, line: &str) {
        self.known.push(Known { name: name.into(), position: position(line) });
    }

    /// Appends an event by a process of its own, however that ends.
    pub(super) fn append(&mut self, name: &str, bytes: usize, options: &[&str]) -> Ended {
        let end = self.run(&[&["append", "s", "T", "-"], options].concat(), &data(name, bytes));
        if end.code == Some(0) {
            self.acknowledged(name, &end.stdout);
        }
        end
    }

    /// Sets the stream's state, however that ends.
    pub(super) fn sets_state(&mut self, number: u64, bytes: usize) -> Ended {
        let state = format!(r#"{{"n":{number},"text":"{}"}}"#, "x".repeat(bytes));
        let end = self.run(&["state", "set", "s", "-"], &state);
        if end.code == Some(0) {
            self.state = Some(number);
        }
        end
    }

    /// Decides on the stream, with the event's name as the command's id, however that ends.
    pub(super) fn decides(&mut self, name: &str, bytes: usize) -> Ended {
        let reply = format!(r#"{{"append":{{"type":"T","data":{}}}}}"#, data(name, bytes));
        let program = ["--", "sh", "-c", r#"read -r line; printf '%s\n' "$1""#, "sh", &*reply];
        let end = self.run(&[&["decide", "s", "--id", name], &program[..]].concat(), "");
        if end.code == Some(0) {
            self.acknowledged(name, &end.stdout);
        }
        end
    }

    /// The rows that were set by hand.
    pub(super) fn rows(&self) -> String {
        self.run(&["project", "select", "kept"], "").stdout
    }

    /// Sets a row by hand, by a process of its own, however that ends.
    pub(super) fn sets(&mut self, id: u64, bytes: usize) -> Ended {
        let row = format!(r#"{{"id":{id},"text":"{}"}}"#, "x".repeat(bytes));
        let end = self.run(&["project", "set", "kept", "-"], &row);
        if end.code == Some(0) {
            self.set.push(id);
        }
        end
    }

    /// Appends an event whose id is its name.
    #[track_caller]
    pub(super) fn stores(&mut self, name: &str, bytes: usize) {
        self.append(name, bytes, &["--id", name]).done();
    }

    /// Appends an event while its sync fails.
    #[track_caller]
    pub(super) fn fails(&mut self, name: &str, bytes: usize) {
        self.append(name, bytes, &["--id", name]).failed(9, &["outcome is unknown"]);
    }

    /// Appends an event where that may be too early: a reader is in the way of the cut, or the disk
    /// still fails.
    #[track_caller]
    pub(super) fn tries(&mut self, name: &str, bytes: usize) {
        let end = self.append(name, bytes, &["--id", name, "--lock-timeout", "200ms"]);
        assert!([Some(0), Some(5), Some(9)].contains(&end.code), "{end:#?}");
    }

    /// A tail that has written what is there.
    #[track_caller]
    pub(super) fn tailing(&mut self) -> (Running, Lines) {
        let mut tail = Running::start(&mut self.ream(&["tail", "s"]));
        let lines = tail.lines();
        self.hears(&lines, "a3");
        (tail, lines)
    }

    /// What a tail writes, up to this event.
    #[track_caller]
    pub(super) fn hears(&mut self, lines: &Lines, name: &str) {
        let lines = lines.through(|line| event(line).name == name);
        self.known.extend(lines.iter().map(|line| event(line)));
    }

    /// Has the system forget a part of a log, which it takes for written: so many bytes, as many
    /// before its end.
    pub(super) fn forgets(&self, log: &str, bytes: u64) {
        let from = self.home.length(log) - 2 * bytes;
        // No lock is on the log, so that it may be opened while SQLite has it open.
        let log = File::open(self.home.file(log)).unwrap();
        fadvise(&log, from, NonZeroU64::new(bytes), Advice::DontNeed).unwrap();
    }

    /// Has a projector catch up.
    #[track_caller]
    pub(super) fn projects(&self) {
        self.run(&["project", "run", "names", "--until-caught-up"], "").done();
    }

    /// `append --jsonl -`, which ends at the first failure.
    pub(super) fn streaming(&self) -> Writer {
        Writer::start(&mut self.ream(&["append", "--jsonl", "-"]))
    }

    /// A process that goes on behind a failure.
    pub(super) fn staying(&self) -> Writer {
        let mut command = Command::new(crate::support::WRITER);
        command.arg(self.home.store()).arg("30000").env("REAM_FAULTS", self.off);
        Writer::start(&mut command)
    }

    /// Has a writer append an event; where it failed, what it said.
    #[track_caller]
    pub(super) fn feeds(
        &mut self,
        writer: &mut Writer,
        name: &str,
        bytes: usize,
    ) -> Result<(), String> {
        let data = data(name, bytes);
        writeln!(writer.stdin, r#"{{"stream":"s","type":"T","id":"{name}","data":{data}}}"#)
            .unwrap();
        loop {
            match writer.lines.next() {
                Some(line) if line.starts_with('{') => {
                    self.acknowledged(name, &line);
                    return Ok(());
                }
                Some(line) if line.starts_with("failed: ") => return Err(line),
                // Tests have lines of their own.
                Some(_) => {}
                None => return Err("it ended".into()),
            }
        }
    }
}

/// A process that appends each event that it is fed.
pub(super) struct Writer {
    stdin: ChildStdin,
    lines: Lines,
    _process: Running,
}

impl Writer {
    fn start(command: &mut Command) -> Self {
        let mut process = Running::start(command);
        let (stdin, lines) = (process.stdin(), process.lines());
        Self { stdin, lines, _process: process }
    }
}
