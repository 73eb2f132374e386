//! Redacting events: which may be, and what that takes.

use std::collections::HashSet;

use crate::store::{Error, EventEntry, EventFault, Redacted};

/// The events that a redaction takes data and metadata from, each once: those that have them. One that was removed,
/// and one of a reserved stream, is refused.
pub(crate) fn redactions(found: Vec<EventEntry>) -> Result<Vec<Redacted>, Error> {
    let (mut redactions, mut known) = (Vec::new(), HashSet::new());
    for EventEntry { position, stream, version, removed, redacted, .. } in found {
        if stream.as_str().starts_with('$') {
            let stream = stream.to_string();
            return Err(Error::Event(EventFault::Reserved { position, stream }));
        }
        if removed {
            let stream = stream.to_string();
            return Err(Error::Event(EventFault::Removed { position, stream, version }));
        }
        if !redacted && known.insert(position) {
            redactions.push(Redacted { position, stream, version, state: false });
        }
    }
    Ok(redactions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Position, StreamName, Version};

    fn facts(position: u64, stream: &str) -> EventEntry {
        EventEntry {
            position: Position(position),
            stream: StreamName::stored(stream),
            version: Version(1),
            removed: false,
            redacted: false,
            id: format!("e{position}"),
        }
    }

    #[test]
    fn each_event_that_has_data_is_redacted_once() {
        let gone = EventEntry { redacted: true, ..facts(2, "a") };
        let found = vec![facts(1, "a"), gone, facts(1, "a"), facts(3, "b")];
        let found = redactions(found).unwrap();
        let told: Vec<_> = found.iter().map(|one| (one.position.0, one.stream.as_str())).collect();
        assert_eq!(told, [(1, "a"), (3, "b")]);
    }

    #[test]
    fn what_was_removed_and_what_records_acts_is_refused() {
        let removed = EventEntry { removed: true, ..facts(2, "a") };
        let refused = redactions(vec![facts(1, "a"), removed]).unwrap_err();
        assert!(
            matches!(refused, Error::Event(EventFault::Removed { position, .. }) if position.0 == 2)
        );
        let refused = redactions(vec![facts(7, "$ream")]).unwrap_err();
        assert!(
            matches!(refused, Error::Event(EventFault::Reserved { position, .. }) if position.0 == 7)
        );
    }
}
