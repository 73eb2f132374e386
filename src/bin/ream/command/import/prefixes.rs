//! How far streams begin here as they do in the export: what a state may be taken for.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use ream::{Expect, Version};

/// Why a state is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// Its stream holds others before the events that it reflects, or between them.
    OtherEvents,
    /// What it reflects was erased here, and not in the export.
    Erased,
    /// The export is without events that it reflects.
    EventsMissing,
    /// There is another one.
    OtherState,
}

impl LeftOut {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::OtherEvents => "the stream holds other events than the export",
            Self::Erased => "an event that it reflects was removed or redacted here",
            Self::EventsMissing => "the export is without events that it reflects",
            Self::OtherState => {
                "another state of the same version is stored; to take this one, remove that first"
            }
        }
    }
}

/// What the streams of an export and those of the store begin with in common. Streams are told apart by hashes of
/// their names, since there may be millions: where two had the same one, their states would be left out.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    hasher: RandomState,
    streams: HashMap<u64, Prefix>,
    /// The versions in the export of events that were redacted there and are not here.
    nowhere: HashMap<u64, Vec<u64>>,
}

/// What a stream begins with.
#[derive(Debug, Default)]
struct Prefix {
    /// How many events were removed before the first one in the export, which are perhaps here. It is 0 once they are
    /// known not to be.
    before: u64,
    /// The version of its last event in the export.
    there: u64,
    /// The version here of the last one that is here; 0 where none is.
    here: u64,
    /// Why it does not go on.
    end: Option<LeftOut>,
}

/// Where an event of an export stands here, and whether it was erased here alone.
pub(super) struct Found {
    pub(super) version: Version,
    pub(super) erased: bool,
}

impl Prefixes {
    /// Goes on with an event, which had the version `there` in its stream; it stands here, unless it was redacted
    /// before it came here.
    pub(super) fn pass(&mut self, stream: &str, there: u64, found: Option<&Found>) {
        let key = self.hasher.hash_one(stream);
        let before = there.saturating_sub(1);
        let first = || Prefix { before, there: before, ..Prefix::default() };
        let prefix = self.streams.entry(key).or_insert_with(first);
        if prefix.end.is_some() {
            return;
        }
        if let Some(found) = found
            && prefix.here == 0
        {
            // Either what was removed is here as well, or the stream begins with this event.
            if found.version.0 == prefix.before + 1 {
                prefix.here = prefix.before;
            } else {
                prefix.before = 0;
            }
        }
        prefix.end = match found {
            _ if prefix.there.checked_add(1) != Some(there) => Some(LeftOut::EventsMissing),
            Some(found) if found.version.0 != prefix.here + 1 => Some(LeftOut::OtherEvents),
            Some(found) if found.erased => Some(LeftOut::Erased),
            _ => None,
        };
        if prefix.end.is_none() {
            prefix.there = there;
            prefix.here += u64::from(found.is_some());
            if found.is_none() {
                self.nowhere.entry(key).or_default().push(there);
            }
        }
    }

    /// Forgets what a stream begins with, since something of it was erased.
    pub(super) fn erase(&mut self, stream: &str) {
        let erased = Prefix { end: Some(LeftOut::Erased), ..Prefix::default() };
        self.streams.insert(self.hasher.hash_one(stream), erased);
    }

    /// Whether a stream begins here with events that were removed in the export, or has none of those that were not.
    pub(super) fn begins_behind(&self, stream: &str) -> bool {
        let prefix = self.streams.get(&self.hasher.hash_one(stream));
        prefix.is_none_or(|prefix| prefix.here == 0 || prefix.before > 0)
    }

    /// The version here that a state reflects which reflects the version `there` in the export, and what its stream
    /// has to be like. The events up to the version `removed` are the same, though they were removed in the export.
    pub(super) fn version_here(
        &self,
        stream: &str,
        there: u64,
        removed: Option<u64>,
    ) -> Result<(Version, Expect), LeftOut> {
        let key = self.hasher.hash_one(stream);
        let nowhere = self.nowhere.get(&key).into_iter().flatten();
        let none = Prefix { there: removed.unwrap_or(there), ..Prefix::default() };
        let prefix = self.streams.get(&key).unwrap_or(&none);
        match prefix.end {
            Some(end) if there > prefix.there || prefix.here == 0 => return Err(end),
            _ if there > prefix.there => return Err(LeftOut::EventsMissing),
            _ => {}
        }
        if prefix.here == 0 {
            // A stream that was never written is the one that begins with no event.
            let nothing = Ok((Version(0), Expect::At(Version(0))));
            return removed
                .map_or(nothing, |removed| Ok((Version(removed.min(there)), Expect::Any)));
        }
        if prefix.before > 0 && removed.is_none_or(|removed| removed < prefix.before) {
            return Err(LeftOut::OtherEvents);
        }
        let nowhere = nowhere.filter(|version| **version > there).count() as u64;
        let behind = (prefix.there - there).saturating_sub(nowhere);
        Ok((Version(prefix.here.saturating_sub(behind)), Expect::Any))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The prefixes of a store that has events of the stream `s`: for each of the export its version there, and where
    /// it stands here.
    fn prefixes(events: &[(u64, Option<u64>)]) -> Prefixes {
        let mut prefixes = Prefixes::default();
        for (there, here) in events {
            let found = here.map(|here| Found { version: Version(here), erased: false });
            prefixes.pass("s", *there, found.as_ref());
        }
        prefixes
    }

    fn same(events: &[(u64, Option<u64>)], there: u64) -> Result<u64, LeftOut> {
        prefixes(events).version_here("s", there, None).map(|(version, _)| version.0)
    }

    #[test]
    fn a_state_reflects_the_same_events_here() {
        let plain = [(1, Some(1)), (2, Some(2)), (3, Some(3))];
        for there in 0..=3 {
            assert_eq!(same(&plain, there), Ok(there));
        }
        // The first three were removed in the export.
        let truncated = [(4, Some(1)), (5, Some(2))];
        for (there, here) in [(0, 0), (3, 0), (4, 1), (5, 2)] {
            assert_eq!(same(&truncated, there), Ok(here), "{there}");
        }
        // Two were redacted in the export: one before it came here, one after.
        let redacted = [(1, Some(1)), (2, None), (3, Some(2)), (4, Some(3)), (5, None)];
        for (there, here) in [(1, 1), (2, 1), (3, 2), (4, 3), (5, 3)] {
            assert_eq!(same(&redacted, there), Ok(here), "{there}");
        }
        assert_eq!(same(&plain, 4), Err(LeftOut::EventsMissing));
        assert_eq!(same(&[(1, Some(1)), (3, Some(2))], 3), Err(LeftOut::EventsMissing));
    }

    #[test]
    fn where_the_stream_goes_on_otherwise_the_states_before_are_taken() {
        let between = [(1, Some(1)), (2, Some(2)), (3, Some(4)), (4, Some(3)), (5, Some(5))];
        for (there, here) in [(1, Ok(1)), (2, Ok(2))] {
            assert_eq!(same(&between, there), here);
        }
        for there in 3..=5 {
            assert_eq!(same(&between, there), Err(LeftOut::OtherEvents), "{there}");
        }
        for there in 0..=1 {
            assert_eq!(same(&[(1, Some(2))], there), Err(LeftOut::OtherEvents), "{there}");
        }
    }

    #[test]
    fn what_was_erased_here_does_not_come_back() {
        let mut prefixes = prefixes(&[(1, Some(1))]);
        prefixes.pass("s", 2, Some(&Found { version: Version(2), erased: true }));
        prefixes.pass("s", 3, Some(&Found { version: Version(3), erased: false }));
        assert_eq!(prefixes.version_here("s", 1, None), Ok((Version(1), Expect::Any)));
        assert_eq!(prefixes.version_here("s", 3, None), Err(LeftOut::Erased));
        prefixes.erase("s");
        assert_eq!(prefixes.version_here("s", 1, None), Err(LeftOut::Erased));
        assert_eq!(prefixes.version_here("s", 0, None), Err(LeftOut::Erased));
    }

    /// The export has no events up to the version 3.
    #[test]
    fn what_was_removed_in_the_export_may_be_here() {
        let events = [(4, Some(4)), (5, None), (6, Some(5))];
        let prefixes = prefixes(&events);
        assert!(prefixes.begins_behind("s") && prefixes.begins_behind("other"));
        for there in [2, 3, 4, 5, 6] {
            assert_eq!(prefixes.version_here("s", there, None), Err(LeftOut::OtherEvents));
            assert_eq!(prefixes.version_here("s", there, Some(2)), Err(LeftOut::OtherEvents));
        }
        for (there, here) in [(2, 2), (3, 3), (4, 4), (5, 4), (6, 5)] {
            let found = prefixes.version_here("s", there, Some(3));
            assert_eq!(found, Ok((Version(here), Expect::Any)), "{there}");
        }
        assert_eq!(prefixes.version_here("s", 7, Some(3)), Err(LeftOut::EventsMissing));
        // All were removed.
        assert_eq!(prefixes.version_here("t", 3, Some(5)), Ok((Version(3), Expect::Any)));
        assert_eq!(same(&[(4, Some(3))], 4), Err(LeftOut::OtherEvents));
    }

    #[test]
    fn a_state_of_no_event_is_that_of_a_stream_without_any() {
        let nothing = Ok((Version(0), Expect::At(Version(0))));
        assert_eq!(Prefixes::default().version_here("s", 7, None), nothing);
        assert_eq!(prefixes(&[(1, None), (2, None)]).version_here("s", 2, None), nothing);
    }
}
