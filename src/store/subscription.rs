//! Subscriptions: who follows the log under a name, and how far they have come.

use super::Checkpoint;
use crate::event::{EventType, Pattern, SubscriptionName, Timestamp};

/// What a subscription follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSubscription {
    /// Its name.
    pub name: SubscriptionName,
    /// Events of the streams that one of these matches; of every stream where there is none.
    pub patterns: Vec<Pattern>,
    /// Events of these types; of every type where there is none.
    pub types: Vec<EventType>,
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
