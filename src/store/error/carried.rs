//! What errors carry: what is in the way, by cause; and how errors are made of it and word it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Error;
use crate::event::{Criteria, Cursor, EventType, Position, StreamName, Version};
use crate::excerpt::{QUOTED, excerpt};
use crate::wire;

/// Why a file or a directory of a store is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceFault {
    /// It is something else than it should be, such as a symbolic link.
    #[error("is {found}, not {wanted}")]
    Kind {
        /// What it is.
        found: String,
        /// What it should be.
        wanted: String,
    },
    /// It belongs to another user.
    #[error("belongs to the user {owner}, not to the user {user}")]
    Owner {
        /// Who owns it.
        owner: u32,
        /// Who wants to use it.
        user: u32,
    },
    /// Others may write to it.
    #[error("is writable by others (mode {mode:04o})")]
    Writable {
        /// Its permission bits.
        mode: u32,
        /// Whether it is a directory.
        directory: bool,
    },
    /// Others may read it, and it holds a secret.
    #[error("is readable by others (mode {mode:04o})")]
    Readable {
        /// Its permission bits.
        mode: u32,
    },
    /// A file has more names than the one in the store.
    #[error(
        "is a file with {names} names (hard links), and what is written there may change another file"
    )]
    Names {
        /// How many.
        names: u64,
    },
    /// It is a backup, which is read and restored, and never written to.
    #[error("is a backup; to write to it, restore it into a new directory")]
    Backup,
    /// It should be a backup, and has no manifest.
    #[error("is not a backup: it has no backup.json")]
    NoBackup,
    /// It is a backup without the rows of a projection.
    #[error("is a backup without the rows of the projection `{name}`")]
    LeftOut {
        /// The projection.
        name: String,
    },
    /// The manifest of a backup is not one, or says something else than what is there.
    #[error("is not the manifest of this backup: {reason}")]
    Manifest {
        /// What is wrong with it, or what differs.
        reason: String,
    },
    /// A new directory should stand there, and something does already.
    #[error("is there already, and nothing is overwritten")]
    Occupied,
    /// A new directory should stand there, and that is within a store.
    #[error("lies in the store {}, where nothing else belongs", store.display())]
    Inside {
        /// The directory of that store.
        store: PathBuf,
    },
    /// A directory that is filled elsewhere can't be put there.
    #[error("is a mount point, so no other directory can take its place")]
    MountPoint,
    /// As a warning: a backup or a restore was interrupted here, and what it had made is removed.
    #[error("was left by a backup or a restore that did not finish; it is removed")]
    Unfinished,
    /// The store lies on a file system that other machines share.
    #[error("lies on a network or shared file system ({kind}), which corrupts a store")]
    Shared {
        /// The kind of file system.
        kind: String,
    },
}

/// Why what has to hold of a store does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConditionFault {
    /// An event is there that must not be.
    #[error(
        "the condition does not hold: {event_type} at position {position} (`{stream}`, version {version}) is among \
         {}{}", excluded(criteria, *item), behind(*after)
    )]
    Found {
        /// Where it stands.
        position: Position,
        /// Its stream.
        stream: StreamName,
        /// Its version.
        version: Version,
        /// Its type.
        event_type: EventType,
        /// Which item of the query chooses it, counted from 1, where there are several.
        item: Option<usize>,
        /// Which events must not be there.
        criteria: Criteria,
        /// Only those behind this position.
        after: Position,
    },
    /// The place behind which events must not be is one of another log.
    #[error("the cursor {cursor} is no place in this store's log: the log is another one")]
    OtherLog {
        /// The place.
        cursor: Cursor,
    },
}

/// Which events must not be there, as they are asked for.
fn excluded(criteria: &Criteria, item: Option<usize>) -> String {
    let text = wire::query_text(criteria);
    let text = excerpt(&text, QUOTED);
    item.map_or_else(|| format!("`{text}`"), |item| format!("item {item} of `{text}`"))
}

fn behind(after: Position) -> String {
    if after.0 == 0 { String::new() } else { format!(", behind position {after}") }
}

/// Why an event is not the one that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventFault {
    /// There is none.
    #[error("no event `{event}`")]
    NotFound {
        /// What it was called.
        event: String,
    },
    /// It could be two.
    #[error(
        "`{event}` is the event at position {by_place}, and the id of the one at position {by_id}"
    )]
    Ambiguous {
        /// What it was called.
        event: String,
        /// The position of the one that is at this place.
        by_place: Position,
        /// The position of the one that has this id.
        by_id: Position,
    },
    /// It was removed.
    #[error(
        "the event at position {position} (`{stream}`, version {version}) was removed: nothing of it is left to redact"
    )]
    Removed {
        /// Its position.
        position: Position,
        /// Its stream.
        stream: String,
        /// Its version.
        version: Version,
    },
    /// It is of a reserved stream.
    #[error("the event at position {position} is a record of `{stream}`, which stays as it is")]
    Reserved {
        /// Its position.
        position: Position,
        /// Its stream.
        stream: String,
    },
}

/// A file of tokens, or of a certificate or its key, is not what it should be. No secret is quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {reason}", path.display(), in_line(*line))]
pub struct BadCredentials {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1, where it is one that is wrong.
    pub line: Option<usize>,
    /// What is wrong.
    pub reason: String,
}

/// A name whose record was written by a later ream: what this one knows of it would be something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {what} `{name}` was made by a later version of ream: {reason}")]
pub struct NewerRecord {
    /// What it is, as far as is known here: `projection` or `subscription`.
    pub what: &'static str,
    /// The name.
    pub name: String,
    /// What of its record is not known here.
    pub reason: String,
}

/// The file of a projection that serves no more, which can't be opened and so not be marked, while others have it
/// open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} serves no more, and can't be opened to be marked so: rows that {} may set in it are lost; end what has it \
     open",
    path.display(),
    readers(by)
)]
pub struct Unfenced {
    /// The file.
    pub path: PathBuf,
    /// The processes that have it open.
    pub by: Vec<u32>,
}

/// A row that has what has to be unique and another row has already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the row with {row} can't have {values} in `{projection}`: the row with {holder} has it")]
pub struct Clash {
    /// The projection.
    pub projection: String,
    /// The row's key.
    pub row: String,
    /// What it can't have.
    pub values: String,
    /// The other row's key.
    pub holder: String,
}

/// The program that a projection remembers, or is to be made with, was neither given nor allowed here.
#[derive(Debug, thiserror::Error)]
#[error("the program of `{name}` was neither given nor allowed here")]
#[non_exhaustive]
pub struct NotAllowed {
    /// The projection.
    pub name: String,
    /// The program, and its arguments.
    pub program: Vec<String>,
    /// The directory that it would run in.
    pub directory: PathBuf,
    /// The store, from the root on.
    pub store: PathBuf,
    /// Why no permit can be kept here, where none can: [`Store::allow`] is of no use then.
    ///
    /// [`Store::allow`]: crate::Store::allow
    pub no_permits: Option<&'static str>,
}

fn in_line(line: Option<usize>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}

pub(super) fn no_such_field(field: Option<usize>) -> String {
    match field {
        Some(number) => format!("no field has the number {number}"),
        None => "no field is selected".into(),
    }
}

pub(super) fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

/// The processes that are in the way, for the eye.
pub(super) fn readers(by: &[u32]) -> String {
    let processes: Vec<String> = by.iter().map(ToString::to_string).collect();
    match &processes[..] {
        [] => "another process".into(),
        [one] => format!("process {one}"),
        more => format!("processes {}", more.join(", ")),
    }
}

pub(super) fn changes(missing: u32, acknowledged: Option<Position>) -> String {
    let changes = if missing == 1 { "change" } else { "changes" };
    let events = match acknowledged {
        Some(_) => "its events are all there",
        None => "whether it lost events can't be said without its bell",
    };
    format!(
        "{missing} acknowledged {changes} without an event, as of a state or a checkpoint; {events}"
    )
}

pub(super) fn lost(acknowledged: Position, head: Position) -> String {
    if head < acknowledged {
        format!("the last one is {head}")
    } else {
        "another event stands there".into()
    }
}

impl Error {
    /// An error of the system, with what was to be done to which file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Io { action, path, source },
        }
    }
}
