//! The rules of the model, written once: what comes of what is asked, by what the store says.
//!
//! They are pure: no I/O, no clock, no randomness. An engine gathers [`Facts`], a rule makes of them an
//! answer and the [`Changes`] to be stored, and the engine applies those, all in one transaction.

mod acts;
mod condition;
mod expect;
mod import;
pub(crate) mod names;
mod redact;
mod remove;
mod retain;
mod truncate;
mod write;

use crate::event::{
    AppendCondition, DataRef, Link, Position, SubscriptionName, Timestamp, Version,
};
use crate::store::chain::Salt;
use crate::store::{Checkpoint, Decided, SealedEvent};

pub(crate) use acts::{Act, RECORD};
pub(crate) use condition::{ConditionFacts, Found};
pub(crate) use expect::{Stood, is_same};
pub(crate) use import::import;
pub(crate) use redact::redactions;
pub(crate) use remove::{protections, removals};
pub(crate) use retain::{Setting, not_done, prunable, retained, settings};
pub(crate) use truncate::truncations;
pub(crate) use write::{Outcome, decided_before, write};

/// Events that are stored as a whole or not at all, with what belongs to them.
#[derive(Debug, Default)]
pub(crate) struct Unit<'u> {
    pub(crate) events: &'u [SealedEvent],
    /// Whether a repeat has to be whole: each of its events is stored already, or none is. Otherwise each
    /// may be, by itself.
    pub(crate) whole: bool,
    pub(crate) beside: Option<Beside<'u>>,
}

impl Unit<'_> {
    /// How many of what [`Facts::of`] lists are for it.
    pub(crate) fn asked(&self) -> usize {
        let is_of_stream = matches!(
            self.beside,
            Some(Beside::Decision { on: On::Stream(..), .. } | Beside::State { .. })
        );
        self.events.len() + usize::from(is_of_stream)
    }
}

/// What is stored together with events.
#[derive(Debug)]
pub(crate) enum Beside<'u> {
    /// A decision, with the id under which its answer is kept; where it stores no event, the state after it.
    Decision { on: On<'u>, state: Option<DataRef<'u>>, kept: Option<Kept<'u>> },
    /// A state without an event.
    State(StateAsked<'u>),
    /// A subscription's checkpoint, which is to be at `from`, if that is said.
    Checkpoint { name: &'u SubscriptionName, from: Option<Position>, to: &'u Checkpoint },
}

/// What a decision was made on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum On<'u> {
    /// A stream at this version.
    Stream(&'u str, Version),
    /// Events of whatever streams: this still holds.
    Boundary(&'u AppendCondition),
}

impl<'u> On<'u> {
    pub(crate) fn stream(self) -> Option<&'u str> {
        match self {
            Self::Stream(stream, _) => Some(stream),
            Self::Boundary(_) => None,
        }
    }
}

/// A command whose answer is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept<'u> {
    pub(crate) id: &'u str,
    /// The query that it is about, in its one form, where it is about one.
    pub(crate) query: Option<&'u str>,
    pub(crate) command: &'u str,
    pub(crate) salt: &'u Salt,
}

/// A state that is to be stored without an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StateAsked<'u> {
    pub(crate) stream: &'u str,
    /// The version that it reflects; that of the stream where none is said.
    pub(crate) version: Option<Version>,
    pub(crate) expect: crate::event::Expect,
    pub(crate) data: DataRef<'u>,
}

/// How it goes on after a unit that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterRefusal {
    /// Those before it are stored.
    Stop,
    /// It leaves no trace, and the next one stands for itself.
    GoOn,
}

/// What the store says about what is asked, as it stands before anything is written.
#[derive(Debug)]
pub(crate) struct Facts {
    /// The position and the link of the last event.
    pub(crate) head: (Position, Link),
    /// The time of recording: never before that of the last event.
    pub(crate) now: Timestamp,
    pub(crate) streams: Vec<StreamFacts>,
    /// Which of the streams each event is of, unit by unit, and then that of what stands beside a unit.
    pub(crate) of: Vec<u32>,
    /// The events that are stored under an id that is asked for: which event asks, and what stands there.
    pub(crate) known: Vec<(usize, Known)>,
    /// What there is to know for the conditions of events, by which event asks; the verbs fill it.
    pub(crate) conditions: Vec<(usize, ConditionFacts)>,
    /// The same for the boundary of the first unit's decision.
    pub(crate) boundary: Option<ConditionFacts>,
    /// The answer that is kept under the id of the first unit's decision.
    pub(crate) decision: Option<KnownDecision>,
    /// The checkpoint of the first unit's subscription, where there is such a one.
    pub(crate) checkpoint: Option<Position>,
}

impl Facts {
    /// Those of a log with this head, at this time, of which nothing else is known.
    pub(crate) fn at(head: (Position, Link), now: Timestamp) -> Self {
        Self {
            head,
            now,
            streams: Vec::new(),
            of: Vec::new(),
            known: Vec::new(),
            conditions: Vec::new(),
            boundary: None,
            decision: None,
            checkpoint: None,
        }
    }
}

/// What a store says about a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct StreamFacts {
    pub(crate) version: u64,
    /// The version up to which its events are removed.
    pub(crate) removed: u64,
    pub(crate) protected: bool,
    /// Whether it has a state, where that is asked for.
    pub(crate) has_state: bool,
    /// The version that its state reflects, where that is asked for and is known.
    pub(crate) state: Option<Version>,
}

impl StreamFacts {
    /// Whether the stream holds an event.
    pub(crate) fn exists(&self) -> bool {
        self.version > self.removed
    }
}

/// An event that is stored under an id that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) position: Position,
    pub(crate) version: Version,
    pub(crate) link: Link,
    pub(crate) stream: Box<str>,
    pub(crate) removed: bool,
    pub(crate) redacted: bool,
    /// Whether it is the same event.
    pub(crate) same: bool,
}

/// A decision that is stored under an id that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct KnownDecision {
    pub(crate) stream: Option<Box<str>>,
    /// Whether it was about the same command.
    pub(crate) same: bool,
    pub(crate) decided: Decided,
}

/// What is to be stored.
#[derive(Debug, Default)]
pub(crate) struct Changes<'u> {
    /// Events, each behind the one before it; the first follows the head.
    pub(crate) events: Vec<Stored<'u>>,
    pub(crate) states: Vec<StateChange<'u>>,
    pub(crate) decision: Option<DecisionChange<'u>>,
    pub(crate) checkpoint: Option<(&'u SubscriptionName, &'u Checkpoint)>,
}

/// An event as it is to be stored.
#[derive(Debug)]
pub(crate) struct Stored<'u> {
    pub(crate) sealed: &'u SealedEvent,
    /// Which of the streams it is of.
    pub(crate) stream: u32,
    pub(crate) position: Position,
    pub(crate) version: Version,
    pub(crate) link: Link,
}

/// A state as it is to be stored.
#[derive(Debug)]
pub(crate) struct StateChange<'u> {
    /// Which of the streams it is of.
    pub(crate) stream: u32,
    pub(crate) version: Version,
    /// Where the event of that version stands; nothing where the store has to look.
    pub(crate) position: Option<Position>,
    pub(crate) data: DataRef<'u>,
}

/// A decision that is to be kept.
#[derive(Debug)]
pub(crate) struct DecisionChange<'u> {
    pub(crate) kept: Kept<'u>,
    /// What it was made on, and the version that it led to; none where that is no stream.
    pub(crate) stream: Option<(&'u str, Version)>,
    pub(crate) positions: Vec<Position>,
}
