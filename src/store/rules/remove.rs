//! Removing and protecting streams.

use std::collections::HashSet;

use super::StreamFacts;
use super::expect::check;
use crate::event::{Expect, StreamName, Version};
use crate::store::{Error, Removed};

/// What a removal takes from streams, each with what the store says about it: those that hold neither
/// event nor state are left out, and a name that is given again. Each has to be at the version that is expected,
/// where one is.
pub(crate) fn removals(
    names: &[StreamName],
    facts: &[StreamFacts],
    expected: Option<Version>,
) -> Result<Vec<Removed>, Error> {
    let (mut removals, mut known) = (Vec::new(), HashSet::new());
    for (name, facts) in names.iter().zip(facts) {
        if let Some(version) = expected {
            check(name.as_str(), Expect::At(version), facts)?;
        }
        if facts.protected && facts.exists() {
            return Err(Error::Protected { stream: name.to_string() });
        }
        if (facts.exists() || facts.has_state) && known.insert(name) {
            removals.push(Removed {
                stream: name.clone(),
                version: Version(facts.version),
                events: facts.version - facts.removed,
                tagged: 0,
                state: facts.has_state,
            });
        }
    }
    Ok(removals)
}

/// The streams that are to be protected and are not by now, or the other way round, each once. All of them have
/// to hold an event.
pub(crate) fn protections(
    names: &[StreamName],
    facts: &[StreamFacts],
    protected: bool,
) -> Result<Vec<StreamName>, Error> {
    let mut changed: Vec<StreamName> = Vec::new();
    for (name, facts) in names.iter().zip(facts) {
        if !facts.exists() {
            return Err(Error::StreamNotFound { stream: name.to_string(), near: Vec::new() });
        }
        if facts.protected != protected && !changed.contains(name) {
            changed.push(name.clone());
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<StreamName> {
        names.iter().map(|name| StreamName::stored(name)).collect()
    }

    fn facts(version: u64, removed: u64) -> StreamFacts {
        StreamFacts { version, removed, ..StreamFacts::default() }
    }

    #[test]
    fn what_holds_neither_event_nor_state_is_left_out() {
        let streams = names(&["new", "written", "removed", "only-state", "written"]);
        let only_state = StreamFacts { has_state: true, ..facts(3, 3) };
        let stands = [facts(0, 0), facts(5, 2), facts(3, 3), only_state, facts(5, 2)];
        let found = removals(&streams, &stands, None).unwrap();
        let told: Vec<_> =
            found.iter().map(|one| (one.stream.as_str(), one.events, one.state)).collect();
        assert_eq!(told, [("written", 3, false), ("only-state", 0, true)]);
    }

    #[test]
    fn one_that_is_protected_keeps_all() {
        let protected =
            |version, removed| StreamFacts { protected: true, ..facts(version, removed) };
        let streams = names(&["a", "b"]);
        let refused = removals(&streams, &[facts(1, 0), protected(2, 1)], None);
        assert!(matches!(refused, Err(Error::Protected { stream }) if stream == "b"));
        // What it protected is gone.
        assert_eq!(removals(&streams, &[facts(1, 0), protected(2, 2)], None).unwrap().len(), 1);
    }

    #[test]
    fn one_that_is_at_another_version_than_is_expected_stays() {
        let streams = names(&["a"]);
        let asked = |stands, version| removals(&streams, &[stands], Some(Version(version)));
        assert_eq!(asked(facts(3, 0), 3).unwrap().len(), 1);
        assert_eq!(asked(facts(3, 3), 3).unwrap().len(), 0);
        assert_eq!(asked(facts(0, 0), 0).unwrap().len(), 0);
        for (stands, version) in [(facts(3, 0), 2), (facts(3, 0), 4), (facts(0, 0), 1)] {
            let refused = asked(stands, version);
            let at = Version(stands.version);
            assert!(
                matches!(refused, Err(Error::WrongExpectedVersion { actual, .. }) if actual == at),
            );
        }
    }

    #[test]
    fn what_is_protected_already_is_left_out() {
        let protected = StreamFacts { protected: true, ..facts(3, 2) };
        let streams = names(&["a", "b", "a"]);
        let facts = [facts(1, 0), protected, facts(1, 0)];
        assert_eq!(protections(&streams, &facts, true).unwrap(), names(&["a"]));
        assert_eq!(protections(&streams, &facts, false).unwrap(), names(&["b"]));
    }

    #[test]
    fn only_what_is_there_is_protected() {
        let streams = names(&["a", "b"]);
        for gone in [facts(0, 0), facts(2, 2)] {
            let refused = protections(&streams, &[facts(1, 0), gone], true);
            assert!(matches!(refused, Err(Error::StreamNotFound { stream, .. }) if stream == "b"));
        }
    }
}
