//! Conditions: what has to hold of a store for events to be stored.

use super::{Criteria, Cursor, Expect, Position, StreamName};

/// What has to hold of a store, beside what an event expects of its own stream, before it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppendCondition {
    /// What streams have to be, whether they are written or not.
    pub versions: Vec<(StreamName, Expect)>,
    /// Which events must not be there.
    pub none: Option<NoneOf>,
}

/// Events that must not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoneOf {
    /// Which ones.
    pub criteria: Criteria,
    /// Only those behind this place: the one up to which the log was read before it was decided. At position 0 it is
    /// all of them.
    pub after: Cursor,
}

impl AppendCondition {
    /// That no event that `criteria` choose is behind the place `after`.
    #[must_use]
    pub fn none(criteria: Criteria, after: impl Into<Cursor>) -> Self {
        Self { versions: Vec::new(), none: Some(NoneOf { criteria, after: after.into() }) }
    }

    /// What is expected of a stream.
    #[must_use]
    pub fn expected_of(&self, stream: &StreamName) -> Option<Expect> {
        self.versions.iter().find(|(name, _)| name == stream).map(|(_, expect)| *expect)
    }

    /// Up to where the log was read before it was decided.
    #[must_use]
    pub fn after(&self) -> Position {
        self.none.as_ref().map_or(Position(0), |none| none.after.position)
    }
}
