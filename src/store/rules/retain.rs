//! How long events are kept, as settings; and which may go.

use std::collections::BTreeMap;
use std::time::Duration;

use super::StreamFacts;
use crate::event::{Pattern, Version};
use crate::store::{Error, Retained, Retention, Truncated};

const MAX_AGE: &str = "max-age";
const MAX_COUNT: &str = "max-count";

/// A setting of the streams that a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) pattern: String,
    pub(crate) key: &'static str,
    /// Nothing where it is not set any more.
    pub(crate) value: Option<String>,
}

/// The settings that say how long events are kept, both of them.
pub(crate) fn settings(pattern: &Pattern, retention: Retention) -> [Setting; 2] {
    let setting = |key, value: Option<u64>| {
        let value = value.map(|value| value.to_string());
        Setting { pattern: pattern.to_string(), key, value }
    };
    let age = retention.max_age.map(|age| age.as_secs());
    [setting(MAX_AGE, age), setting(MAX_COUNT, retention.max_count)]
}

/// How long events are kept, by rows of a pattern, a key and a value. Keys that are not known are passed over.
pub(crate) fn retained(rows: Vec<(String, String, String)>) -> Result<Vec<Retained>, Error> {
    let mut found: BTreeMap<String, Retention> = BTreeMap::new();
    for (pattern, key, value) in rows {
        if ![MAX_AGE, MAX_COUNT].contains(&&*key) {
            continue;
        }
        let wrong = |_| {
            let what = format!("the setting {key} of `{pattern}` is no number: {value}");
            Error::Damaged { what }
        };
        let number = value.parse::<u64>().map_err(wrong)?;
        let retention = found.entry(pattern).or_default();
        if key == MAX_AGE {
            retention.max_age = Some(Duration::from_secs(number));
        } else {
            retention.max_count = Some(number);
        }
    }
    let read = |(text, retention): (String, Retention)| {
        let pattern = Pattern::new(&*text);
        let wrong = |error| Error::Damaged { what: format!("the setting of `{text}`: {error}") };
        Ok(Retained { pattern: pattern.map_err(wrong)?, retention })
    };
    found.into_iter().map(read).collect()
}

/// The last version of a stream that may go: what is too old ends with `old`, and what all who follow it have done
/// with `done`, where someone does.
pub(crate) fn prunable(
    facts: &StreamFacts,
    max_count: Option<u64>,
    old: Option<Version>,
    done: Option<Version>,
) -> Version {
    let too_many = max_count.map_or(0, |most| facts.version.saturating_sub(most));
    let last = too_many.max(old.unwrap_or_default().0);
    Version(done.map_or(last, |done| last.min(done.0)))
}

/// How many of the events that go from a stream are not done by what follows it, which has done all up to `last`.
pub(crate) fn not_done(truncated: &Truncated, last: Version) -> u64 {
    let Truncated { removed, events, .. } = truncated;
    removed.0.saturating_sub(last.0).min(*events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_read_again_and_what_is_not_known_is_passed_over() {
        let pattern = Pattern::new("s-*").unwrap();
        let retention =
            Retention { max_age: Some(Duration::from_secs(86_400)), max_count: Some(7) };
        let [age, count] = settings(&pattern, retention);
        let row = |setting: &Setting| {
            (setting.pattern.clone(), setting.key.to_owned(), setting.value.clone().unwrap())
        };
        assert_eq!(row(&age), ("s-*".into(), "max-age".into(), "86400".into()));
        let other = ("t".to_owned(), "x".to_owned(), "y".to_owned());
        let found = retained(vec![row(&age), row(&count), other]).unwrap();
        assert_eq!(found, [Retained { pattern: pattern.clone(), retention }]);
        assert!(settings(&pattern, Retention::default()).iter().all(|one| one.value.is_none()));
        let wrong = ("t".to_owned(), "max-age".to_owned(), "y".to_owned());
        assert!(matches!(retained(vec![wrong]), Err(Error::Damaged { .. })));
    }

    #[test]
    fn what_is_not_done_is_what_goes_behind_the_last_that_is() {
        let truncated = Truncated {
            stream: crate::event::StreamName::stored("s"),
            version: Version(9),
            events: 3,
            tagged: 0,
            removed: Version(5),
            state: None,
        };
        for (last, missed) in [(0, 3), (1, 3), (2, 3), (3, 2), (5, 0), (9, 0)] {
            assert_eq!(not_done(&truncated, Version(last)), missed, "{last}");
        }
    }

    #[test]
    fn what_is_too_old_or_too_much_may_go_where_all_have_done_it() {
        let facts = StreamFacts { version: 10, ..StreamFacts::default() };
        for (count, old, done, last) in [
            (None, None, None, 0),
            (Some(3), None, None, 7),
            (Some(30), None, None, 0),
            (Some(0), None, None, 10),
            (None, Some(4), None, 4),
            (Some(3), Some(4), None, 7),
            (Some(8), Some(4), None, 4),
            (Some(3), Some(4), Some(5), 5),
            (Some(3), None, Some(9), 7),
            (Some(3), None, Some(0), 0),
        ] {
            let found = prunable(&facts, count, old.map(Version), done.map(Version));
            assert_eq!(found, Version(last), "{count:?} {old:?} {done:?}");
        }
    }
}
