//! Which events to read.

use std::collections::HashSet;

use super::{Error, Mark};
use crate::event::{EventType, Pattern, Timestamp};

/// Which events to read: all of them by default.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Query {
    /// Events of the streams that one of these matches; of every stream where there is none.
    pub patterns: Vec<Pattern>,
    /// Events of these types; of every type where there is none.
    pub types: Vec<EventType>,
    /// Events behind this place, itself excluded.
    pub after: Option<Mark>,
    /// Events behind the head as it is at the start. Only what follows the log has any.
    pub new: bool,
    /// Events up to this place, itself included.
    pub until: Option<Mark>,
    /// Events whose `time` is this or later.
    pub since: Option<Timestamp>,
    /// Events whose `time` is this or earlier.
    pub until_time: Option<Timestamp>,
    /// The last so many of the events that are there at the start and that all else chooses.
    pub last: Option<u64>,
    /// At most so many events.
    pub limit: Option<u64>,
}

/// The streams that a query chooses. To ask for one takes as long for a thousand names as for one.
#[derive(Debug)]
pub(crate) struct ChosenStreams {
    /// Every one but the reserved ones.
    all: bool,
    /// Those that are named.
    exact: HashSet<Box<str>>,
    /// The patterns that choose the others.
    wide: Vec<Pattern>,
}

impl ChosenStreams {
    /// Whether the stream `name` is one of them.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.all && !name.starts_with('$')
            || !self.exact.is_empty() && self.exact.contains(name)
            || self.wide.iter().any(|pattern| pattern.matches(name))
    }
}

impl Query {
    /// The events of the streams that `patterns` match.
    #[must_use]
    pub fn of(patterns: Vec<Pattern>) -> Self {
        Self { patterns, ..Self::default() }
    }

    /// Whether every stream but the reserved ones is chosen.
    pub(crate) fn all_streams(&self) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(Pattern::is_all)
    }

    /// Whether the stream `name` is chosen.
    #[must_use]
    pub fn chooses_stream(&self, name: &str) -> bool {
        self.chosen_streams().contains(name)
    }

    /// The streams that are chosen.
    pub(crate) fn chosen_streams(&self) -> ChosenStreams {
        let (exact, wide): (Vec<_>, Vec<_>) =
            self.patterns.iter().cloned().partition(|pattern| pattern.exact().is_some());
        let exact = exact.iter().map(|pattern| pattern.as_str().into()).collect();
        ChosenStreams { all: self.patterns.is_empty(), exact, wide }
    }

    /// Whether an event of this type and time is chosen, of whatever stream.
    pub(crate) fn chooses_event(&self, event_type: &str, time: Timestamp) -> bool {
        (self.types.is_empty() || self.types.iter().any(|chosen| chosen.as_str() == event_type))
            && self.since.is_none_or(|since| time >= since)
            && self.until_time.is_none_or(|until| time <= until)
    }

    /// The one stream that the query is about, for a version to count in.
    pub(crate) fn one_stream(&self) -> Result<&str, Error> {
        match &self.patterns[..] {
            [pattern] => pattern.exact().ok_or(Error::VersionNeedsStream),
            _ => Err(Error::VersionNeedsStream),
        }
    }
}
