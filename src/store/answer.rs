//! What the verbs of a store answer with.

use super::Error;
use crate::event::{EventId, Link, Position, StreamName, Timestamp, Version};
use crate::wire;

/// Where an appended event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Appended {
    /// Its number within the store.
    pub position: Position,
    /// Its number within its stream.
    pub version: Version,
    /// Its link, which its id is made of where it was given none.
    pub link: Link,
    /// Whether it was there already, under the same id.
    pub duplicate: bool,
    /// Whether that event has been removed since.
    pub removed: bool,
    /// Whether that event's data and metadata have been erased since.
    pub redacted: bool,
}

impl Appended {
    /// Appends to `line` the acknowledgement of an event of `stream` as JSON, without an end of line; `id` is the one
    /// that the event was given.
    pub fn write(&self, line: &mut Vec<u8>, stream: &StreamName, id: Option<&EventId>) {
        line.extend_from_slice(b"{\"stream\":");
        wire::write_string(line, stream.as_str());
        line.extend_from_slice(b",\"version\":");
        wire::write_number(line, self.version.0);
        line.extend_from_slice(b",\"position\":");
        wire::write_number(line, self.position.0);
        line.extend_from_slice(b",\"id\":");
        wire::write_id(line, id.map(EventId::as_str), &self.link, self.position);
        wire::write_repeated(line, self.duplicate, self.removed, self.redacted);
        line.push(b'}');
    }
}

/// How far an append of several events came.
#[derive(Debug)]
#[non_exhaustive]
pub struct AppendedEach {
    /// The events that are stored, from the first on.
    pub appended: Vec<Appended>,
    /// The event that was refused, where one was.
    pub stopped: Option<Stopped>,
}

/// Where an append of several events stopped.
#[derive(Debug)]
pub struct Stopped {
    /// Which event was refused, counted from 0.
    pub index: usize,
    /// Why.
    pub error: Error,
}

/// A stream, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stream {
    /// Its name.
    pub name: StreamName,
    /// Its version.
    pub version: Version,
    /// How many events it holds: those that were not removed.
    pub events: u64,
    /// The version up to which its events were removed; 0 where none were.
    pub removed: Version,
    /// Where its last event stands.
    pub last_position: Position,
    /// Whether it refuses removal.
    pub protected: bool,
}

/// An event without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventEntry {
    /// Where it stands in the store.
    pub position: Position,
    /// Its stream.
    pub stream: StreamName,
    /// Where it stands in that.
    pub version: Version,
    /// Whether it has been removed.
    pub removed: bool,
    /// Whether its data and metadata have been erased.
    pub redacted: bool,
    /// Whether it has tags.
    pub tagged: bool,
    /// Its id, its own or the one that it is known by.
    pub id: String,
}

/// What came of a state that was imported.
#[derive(Debug)]
#[non_exhaustive]
pub enum ImportedState {
    /// It is stored.
    Stored,
    /// The same state is there already, or one of a later version.
    AlreadyThere,
    /// Another state of the same version is there, and stays.
    Differs,
    /// Why it can't be stored: [`Error::WrongExpectedVersion`] where its stream is not as it expects,
    /// [`Error::StateAhead`] and [`Error::TooLarge`].
    Refused(Error),
}

/// What a removal takes, or took, from a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Removed {
    /// The stream.
    pub stream: StreamName,
    /// Its version, which it keeps.
    pub version: Version,
    /// How many events.
    pub events: u64,
    /// How many of them have tags, which go as well.
    pub tagged: u64,
    /// Whether it has a state, which goes as well.
    pub state: bool,
}

/// What a redaction takes besides data and metadata.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Redaction {
    /// Whether the states of the events' streams stay, which may say what the events said.
    pub keeps_states: bool,
    /// Whether the events' tags go as well: after that no one finds the events by them.
    pub takes_tags: bool,
}

/// What a redaction takes, or took, from an event: data and metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redacted {
    /// Where it stands in the store.
    pub position: Position,
    /// Its stream.
    pub stream: StreamName,
    /// Where it stands in that.
    pub version: Version,
    /// Whether the state of its stream goes with it: at the first of its events, where there are several.
    pub state: bool,
    /// Whether its tags go with it.
    pub tags: bool,
}

/// What a truncation takes, or took, from a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Truncated {
    /// The stream.
    pub stream: StreamName,
    /// Its version, which it keeps.
    pub version: Version,
    /// How many events.
    pub events: u64,
    /// How many of them have tags, which go as well.
    pub tagged: u64,
    /// The version up to which its events are removed then.
    pub removed: Version,
    /// The version that its state reflects, which stays; nothing where it has none.
    pub state: Option<Version>,
}

/// Something that follows the log, and has not done events that are removed, or are kept for its sake.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Behind {
    /// The name of the subscription or of the projection.
    pub name: String,
    /// Whether it is a projection.
    pub is_projection: bool,
    /// How far it has come.
    pub checkpoint: Position,
    /// How many of the events it has not done, of whatever types, in the streams that it follows.
    pub events: u64,
}

/// What a removal did.
#[derive(Debug)]
#[non_exhaustive]
pub struct Removal<T> {
    /// What was removed.
    pub removed: Vec<T>,
    /// Why bytes of it are still left in files of the store, where they are: [`Error::LogHeld`] where a
    /// reader is in the way. Whoever writes next tries again.
    pub unfinished: Option<Error>,
}

/// A store's vital signs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The last position.
    pub head: Position,
    /// The link of the event there; that of no event at 0. Kept elsewhere, both show later that the log up to there
    /// is still the same: see [`Verification::against`](super::Verification::against).
    pub link: Link,
    /// How many events there are that were not removed, reserved streams aside.
    pub events: u64,
    /// How many streams hold an event, reserved ones aside.
    pub streams: u64,
    /// When the last event was recorded.
    pub last_recorded: Option<Timestamp>,
    /// How large the events' file is.
    pub bytes: u64,
    /// How large its write-ahead log is.
    pub wal_bytes: u64,
    /// Whether bytes of what was removed are still in files of the store, until they can be erased.
    pub erasing: bool,
    /// The store's format.
    pub format: u32,
    /// The engine's name.
    pub engine: &'static str,
    /// The engine's version.
    pub engine_version: String,
    /// The store's id.
    pub id: String,
    /// The largest data that the store takes, in bytes.
    pub max_data_bytes: u64,
}

/// A batch that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Batch {
    /// How many events it held.
    pub events: usize,
    /// The position up to which everything has been looked at.
    pub position: Position,
    /// Whether nothing more was there to read.
    pub caught_up: bool,
    /// Whether nothing more will come: the query's limit or end is met.
    pub finished: bool,
}
