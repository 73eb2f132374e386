//! Removing and protecting streams.

use super::StreamFacts;
use crate::event::{Data, EventType, Json, NewEvent, StreamName, Version};
use crate::store::{Error, Removed};
use crate::wire;

/// The reserved stream that records removals.
const RECORD: &str = "$ream";

/// What a removal takes from streams, each with what the store says about it: those that hold neither
/// event nor state are left out, and a name that is given again.
pub(crate) fn removals(names: &[StreamName], facts: &[StreamFacts]) -> Result<Vec<Removed>, Error> {
    let mut removals: Vec<Removed> = Vec::new();
    for (name, facts) in names.iter().zip(facts) {
        if facts.protected && facts.exists() {
            return Err(Error::Protected { stream: name.to_string() });
        }
        let is_known = removals.iter().any(|removed| removed.stream == *name);
        if !is_known && (facts.exists() || facts.has_state) {
            removals.push(Removed {
                stream: name.clone(),
                version: Version(facts.version),
                events: facts.version - facts.removed,
                state: facts.has_state,
            });
        }
    }
    Ok(removals)
}

/// The event that records that events were removed.
pub(crate) fn record(removed: &Removed) -> NewEvent {
    let mut data = b"{\"stream\":".to_vec();
    wire::write_string(&mut data, removed.stream.as_str());
    data.extend_from_slice(
        format!(",\"version\":{},\"events\":{}}}", removed.version, removed.events).as_bytes(),
    );
    let mut event = NewEvent::new(StreamName::stored(RECORD), EventType::stored("StreamRemoved"));
    event.data = Data::Json(Json::stored(&String::from_utf8_lossy(&data)));
    event
}

/// That each of the streams holds an event, so that it can be protected or no longer be.
pub(crate) fn check_protectable(names: &[StreamName], facts: &[StreamFacts]) -> Result<(), Error> {
    match names.iter().zip(facts).find(|(_, facts)| !facts.exists()) {
        Some((name, _)) => {
            Err(Error::StreamNotFound { stream: name.to_string(), near: Vec::new() })
        }
        None => Ok(()),
    }
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
        let found = removals(&streams, &stands).unwrap();
        let told: Vec<_> =
            found.iter().map(|one| (one.stream.as_str(), one.events, one.state)).collect();
        assert_eq!(told, [("written", 3, false), ("only-state", 0, true)]);
        let event = record(&found[0]);
        assert_eq!(event.stream.as_str(), "$ream");
        let data = Json::stored(r#"{"stream":"written","version":5,"events":3}"#);
        assert_eq!(event.data, Data::Json(data));
    }

    #[test]
    fn one_that_is_protected_keeps_all() {
        let protected =
            |version, removed| StreamFacts { protected: true, ..facts(version, removed) };
        let streams = names(&["a", "b"]);
        let refused = removals(&streams, &[facts(1, 0), protected(2, 1)]);
        assert!(matches!(refused, Err(Error::Protected { stream }) if stream == "b"));
        // What it protected is gone.
        assert_eq!(removals(&streams, &[facts(1, 0), protected(2, 2)]).unwrap().len(), 1);
    }

    #[test]
    fn only_what_is_there_is_protected() {
        let streams = names(&["a", "b"]);
        assert!(check_protectable(&streams, &[facts(1, 0), facts(3, 2)]).is_ok());
        for gone in [facts(0, 0), facts(2, 2)] {
            let refused = check_protectable(&streams, &[facts(1, 0), gone]);
            assert!(matches!(refused, Err(Error::StreamNotFound { stream, .. }) if stream == "b"));
        }
    }
}
