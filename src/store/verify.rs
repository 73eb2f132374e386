//! Verification: what is asked, and what comes of it.

use std::fmt;

use super::Checkpoint;
use crate::event::{Position, Version};

/// How much of a store is verified.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Verification {
    /// Only the records of what was acknowledged, the head and the last 10,000 events.
    pub quick: bool,
    /// The first event that is verified; the first of all where none is said. The link before it is taken as it
    /// stands.
    pub from: Option<Position>,
    /// A head that the store had once: with all events verified, that it has it still shows that the log up to there
    /// is the one that it was then.
    pub against: Option<Checkpoint>,
    /// Whether half of the processors are left to others.
    pub(super) leaves_half: bool,
}

/// What a verification tells while it goes on.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verifying {
    /// Something is not as it was stored.
    Found(Finding),
    /// So many events were verified since this was last told, of so many.
    Passed {
        /// How many.
        events: u64,
        /// Of how many in all.
        of: u64,
    },
}

/// What is not as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What kind of thing it is.
    pub kind: FindingKind,
    /// Where it stands, or the first place where it does.
    pub position: Option<Position>,
    /// The last place, where it is about several.
    pub last: Option<Position>,
    /// The stream that it belongs to.
    pub stream: Option<String>,
    /// The version in that.
    pub version: Option<Version>,
    /// The projection, the subscription, the decision's id or the setting.
    pub name: Option<String>,
    /// What differs.
    pub what: String,
}

/// What kind of thing is not as it was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FindingKind {
    /// The row of an event.
    Event,
    /// An event that is not there.
    Missing,
    /// The link of an event.
    Link,
    /// Where the events of streams stand, ids or tags: an index does not say what the events do.
    Index,
    /// The row of a stream.
    Stream,
    /// A state.
    State,
    /// A decision that is remembered.
    Decision,
    /// What is kept of a projection's or a subscription's name.
    Name,
    /// A setting.
    Setting,
    /// How far a projection or a subscription has come.
    Checkpoint,
    /// The file of a projection.
    Projection,
    /// The store has less than was acknowledged.
    Lost,
    /// A record of what was acknowledged is missing or torn. What is missing at the end of the log would not be known.
    Record,
    /// The log is not the one that had the head that was said.
    Against,
    /// The database, as SQLite checks it.
    Database,
}

impl FindingKind {
    /// The kind as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Missing => "missing",
            Self::Link => "link",
            Self::Index => "index",
            Self::Stream => "stream",
            Self::State => "state",
            Self::Decision => "decision",
            Self::Name => "name",
            Self::Setting => "setting",
            Self::Checkpoint => "checkpoint",
            Self::Projection => "projection",
            Self::Lost => "lost",
            Self::Record => "record",
            Self::Against => "against",
            Self::Database => "database",
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Finding {
    pub(super) fn new(kind: FindingKind, what: impl Into<String>) -> Self {
        let (position, last, stream, version, name) = (None, None, None, None, None);
        Self { kind, position, last, stream, version, name, what: what.into() }
    }

    /// The same, of what stands there.
    pub(super) fn at(self, position: u64) -> Self {
        Self { position: Some(Position(position)), ..self }
    }

    /// The same, of all that stands there.
    pub(super) fn between(self, first: u64, last: u64) -> Self {
        Self { last: (first < last).then_some(Position(last)), ..self.at(first) }
    }

    /// The same, of this version of a stream.
    pub(super) fn of(self, stream: &str, version: Option<Version>) -> Self {
        Self { stream: Some(stream.into()), version, ..self }
    }

    /// The same, of what has this name.
    pub(super) fn named(self, name: &str) -> Self {
        Self { name: Some(name.into()), ..self }
    }
}

/// What was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The head up to which events were verified, as the store says it.
    pub head: Checkpoint,
    /// How much was looked at.
    pub counts: Counts,
    /// How many findings there were.
    pub findings: u64,
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Events that are as they were stored, whole or not.
    pub events: u64,
    /// Those of them that are removed.
    pub removed: u64,
    /// Those of them that are redacted.
    pub redacted: u64,
    /// Streams.
    pub streams: u64,
    /// States.
    pub states: u64,
    /// Decisions.
    pub decisions: u64,
    /// Projections.
    pub projections: u64,
    /// Subscriptions.
    pub subscriptions: u64,
}

impl Counts {
    pub(super) fn add(&mut self, more: &Self) {
        self.events += more.events;
        self.removed += more.removed;
        self.redacted += more.redacted;
        self.streams += more.streams;
        self.states += more.states;
        self.decisions += more.decisions;
        self.projections += more.projections;
        self.subscriptions += more.subscriptions;
    }
}
