//! What has a name: projections and subscriptions, and how they failed.

use super::Checkpoint;
use super::permit::Permit;
use crate::event::{Criteria, Criterion, Pattern, SubscriptionName, Timestamp};
use crate::schema::{Definition, Identifier};

/// A projection, by name.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ProjectionEntry {
    /// Its name.
    pub name: Identifier,
    /// What it is made of.
    pub definition: Definition,
    /// Which one it is of those that have been built; the first is 1.
    pub generation: u64,
    /// The permit that is stored with its program. Whether it holds here is another question.
    pub(super) permit: Option<Permit>,
    /// Whether this process was given its program, by [`Store::give`](super::Store::give).
    pub(super) given: bool,
}

/// What a subscription follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSubscription {
    /// Its name.
    pub name: SubscriptionName,
    /// Events of these streams and types, with these tags.
    pub criteria: Criteria,
}

impl NewSubscription {
    /// One that follows the streams that `patterns` match.
    #[must_use]
    pub fn of(name: SubscriptionName, patterns: Vec<Pattern>) -> Self {
        Self {
            name,
            criteria: Criteria::of(Criterion { streams: patterns, ..Criterion::default() }),
        }
    }
}

/// A named follower with a stored checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subscription {
    /// What it follows.
    pub follows: NewSubscription,
    /// How far it has come.
    pub checkpoint: Checkpoint,
}

/// How something that follows the log failed last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastFailure {
    /// When.
    pub time: Timestamp,
    /// What was told.
    pub message: String,
}
