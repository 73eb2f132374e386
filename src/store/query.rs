//! Which events to read.

use super::{Error, Mark};
use crate::event::{Criteria, Criterion, Pattern, Timestamp};

/// Which events to read: all of them by default.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Query {
    /// Events of these streams and types, with these tags.
    pub criteria: Criteria,
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

impl Query {
    /// The events of the streams that `patterns` match.
    #[must_use]
    pub fn of(patterns: Vec<Pattern>) -> Self {
        Self::by(Criteria::of(Criterion { streams: patterns, ..Criterion::default() }))
    }

    /// The events that `criteria` choose.
    #[must_use]
    pub fn by(criteria: Criteria) -> Self {
        Self { criteria, ..Self::default() }
    }

    /// Whether an event of the stream `name` may be chosen.
    #[must_use]
    pub fn chooses_stream(&self, name: &str) -> bool {
        self.criteria.chooses_stream(name)
    }

    /// Whether an event of this time is chosen, as far as that goes.
    pub(crate) fn chooses_time(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| time >= since)
            && self.until_time.is_none_or(|until| time <= until)
    }

    /// The one stream that the query is about, for a version to count in.
    pub(crate) fn one_stream(&self) -> Result<&str, Error> {
        match &self.criteria.items[..] {
            [Criterion { streams, .. }] => match &streams[..] {
                [pattern] => pattern.exact().ok_or(Error::VersionNeedsStream),
                _ => Err(Error::VersionNeedsStream),
            },
            _ => Err(Error::VersionNeedsStream),
        }
    }
}
