//! Truncating streams: which may be, and what that takes.

use std::collections::HashSet;

use super::StreamFacts;
use crate::event::{StreamName, Version};
use crate::store::{Error, Truncated};

/// What a truncation takes from streams, each with what the store says about it and the last version that is to go:
/// those that hold no event up to there are left out, and a name that is given again.
pub(crate) fn truncations(
    names: &[StreamName],
    facts: &[StreamFacts],
    last: &[Version],
) -> Result<Vec<Truncated>, Error> {
    let (mut truncations, mut known) = (Vec::new(), HashSet::new());
    for ((name, facts), last) in names.iter().zip(facts).zip(last) {
        if facts.protected && facts.exists() {
            return Err(Error::Protected { stream: name.to_string() });
        }
        let removed = last.0.min(facts.version);
        if removed > facts.removed && known.insert(name) {
            truncations.push(Truncated {
                stream: name.clone(),
                version: Version(facts.version),
                events: removed - facts.removed,
                tagged: 0,
                removed: Version(removed),
                state: facts.state,
            });
        }
    }
    Ok(truncations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stream_loses_what_is_left_up_to_a_version() {
        let facts = |version, removed| StreamFacts { version, removed, ..StreamFacts::default() };
        let name = StreamName::stored("a");
        for (stands, last, taken) in [
            (facts(5, 0), 3, Some((3, 3))),
            (facts(5, 2), 3, Some((1, 3))),
            (facts(5, 2), 5, Some((3, 5))),
            (facts(5, 2), 9, Some((3, 5))),
            (facts(5, 3), 3, None),
            (facts(5, 3), 0, None),
            (facts(5, 5), 5, None),
            (facts(0, 0), 0, None),
        ] {
            let names = [name.clone(), name.clone()];
            let found = truncations(&names, &[stands; 2], &[Version(last); 2]).unwrap();
            let told: Vec<_> = found.iter().map(|one| (one.events, one.removed.0)).collect();
            assert_eq!(told, Vec::from_iter(taken), "{stands:?}, {last}");
        }
    }

    #[test]
    fn one_that_is_protected_keeps_all() {
        let names = [StreamName::stored("a"), StreamName::stored("b")];
        let free = StreamFacts { version: 3, ..StreamFacts::default() };
        let protected = StreamFacts { protected: true, ..free };
        let refused = truncations(&names, &[free, protected], &[Version(1), Version(0)]);
        assert!(matches!(refused, Err(Error::Protected { stream }) if stream == "b"));
    }
}
