//! Commands: what an aggregator is asked to do.

use super::{Criteria, EventId, Json, StreamName};

/// What an aggregator is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Command {
    /// The stream that it is about.
    pub stream: StreamName,
    /// What is asked for.
    pub data: Json,
    /// The idempotency key of the decision, unique in the store among those of decisions. With one,
    /// the same command again gets the first answer.
    pub id: Option<EventId>,
    /// How often to decide before it is a conflict, when others write to the stream meanwhile.
    pub attempts: u32,
}

impl Command {
    /// How often a command is decided, unless it says otherwise, before it is a conflict.
    pub const ATTEMPTS: u32 = 20;

    /// A command without an id.
    #[must_use]
    pub fn new(stream: StreamName, data: Json) -> Self {
        Self { stream, data, id: None, attempts: Self::ATTEMPTS }
    }

    /// The same with an id.
    #[must_use]
    pub fn with_id(self, id: EventId) -> Self {
        Self { id: Some(id), ..self }
    }
}

/// What is asked of an aggregator that decides on a boundary: on events that criteria choose, of whatever streams.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BoundaryCommand {
    /// The events that it is decided on.
    pub criteria: Criteria,
    /// What is asked for.
    pub data: Json,
    /// The idempotency key of the decision, unique in the store among those of decisions. With one, the same command
    /// on the same criteria again gets the first answer.
    pub id: Option<EventId>,
    /// How often to decide before it is a conflict, when others store events that are chosen meanwhile.
    pub attempts: u32,
}

impl BoundaryCommand {
    /// A command without an id.
    #[must_use]
    pub fn new(criteria: Criteria, data: Json) -> Self {
        Self { criteria, data, id: None, attempts: Command::ATTEMPTS }
    }

    /// The same with an id.
    #[must_use]
    pub fn with_id(self, id: EventId) -> Self {
        Self { id: Some(id), ..self }
    }
}
