//! Boundaries: what a decision is made on where that is no single stream, and what it is then.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;
use super::aggregate::{Unfit, folded, new_event};
use super::seal::same_id;
use crate::event::{AppendCondition, Criteria, Cursor, Event, NewEvent, StreamName};

/// Events that criteria choose, of whatever streams, up to a head.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Boundary {
    /// What chooses them.
    pub criteria: Criteria,
    /// Where the log ended when they were read.
    pub head: Cursor,
    /// All that are chosen up to there, in order.
    pub events: Vec<Event>,
}

/// What was decided on a boundary: the events to store, of whatever streams. They are stored only while nothing that
/// is chosen has come to the boundary.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BoundaryDecision {
    /// That nothing has come to it.
    pub condition: AppendCondition,
    /// The events. What they expect is not looked at.
    pub events: Vec<NewEvent>,
}

impl Boundary {
    /// What the events come to: a type's default, with each applied.
    ///
    /// Events are an enum that serde tags with `type` and `data`.
    ///
    /// # Errors
    ///
    /// [`Unfit`] where an event is not of its type.
    pub fn fold<S, E>(&self, apply: impl FnMut(S, E) -> S) -> Result<S, Unfit>
    where
        S: Default,
        E: DeserializeOwned,
    {
        folded(S::default(), &self.events, apply)
    }

    /// A decision that accepts the command, and stores nothing yet.
    #[must_use]
    pub fn accept(&self) -> BoundaryDecision {
        let condition = AppendCondition::none(self.criteria.clone(), self.head);
        BoundaryDecision { condition, events: Vec::new() }
    }
}

impl BoundaryDecision {
    /// The same with one more event of a stream: a variant of an enum that serde tags with `type` and `data`; with
    /// `tags`, where there is such a member.
    ///
    /// # Errors
    ///
    /// [`Unfit`] where it is no such thing.
    pub fn event(mut self, stream: StreamName, event: &impl Serialize) -> Result<Self, Unfit> {
        self.events.push(new_event(stream, event)?);
        Ok(self)
    }

    /// The same with one more event.
    #[must_use]
    pub fn append(mut self, event: NewEvent) -> Self {
        self.events.push(event);
        self
    }

    /// That each event has an id of its own.
    pub(crate) fn check(&self) -> Result<(), Error> {
        same_id(&self.events).map_or(Ok(()), |stopped| Err(stopped.error))
    }
}
