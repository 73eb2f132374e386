//! How long events are kept.

use std::time::Duration;

use crate::event::Pattern;

/// How long the events of streams are kept; what is more may be pruned. Nothing is by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// How old an event may be, in whole seconds.
    pub max_age: Option<Duration>,
    /// How many events a stream may have, the last ones.
    pub max_count: Option<u64>,
}

/// What holds for the streams that a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retained {
    /// The pattern.
    pub pattern: Pattern,
    /// How long their events are kept.
    pub retention: Retention,
}
