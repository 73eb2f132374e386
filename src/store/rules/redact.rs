//! Redacting events: which may be, and what that takes.

use std::collections::HashSet;

use crate::store::{Error, EventEntry, EventFault, Redacted, Redaction};

/// The events that a redaction takes something from, each once: those that have data and metadata, and where it takes
/// tags, those that have some. One that was removed, and one of a reserved stream, is refused.
pub(crate) fn redactions(
    found: Vec<EventEntry>,
    redaction: Redaction,
) -> Result<Vec<Redacted>, Error> {
    let (mut redactions, mut known) = (Vec::new(), HashSet::new());
    for EventEntry { position, stream, version, removed, redacted, tagged, .. } in found {
        if stream.as_str().starts_with('$') {
            let stream = stream.to_string();
            return Err(Error::Event(EventFault::Reserved { position, stream }));
        }
        if removed {
            let stream = stream.to_string();
            return Err(Error::Event(EventFault::Removed { position, stream, version }));
        }
        let tags = redaction.takes_tags && tagged;
        if (!redacted || tags) && known.insert(position) {
            redactions.push(Redacted { position, stream, version, state: false, tags });
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
            tagged: false,
            id: format!("e{position}"),
        }
    }

    #[test]
    fn each_event_that_has_data_is_redacted_once() {
        let gone = EventEntry { redacted: true, ..facts(2, "a") };
        let found = vec![facts(1, "a"), gone, facts(1, "a"), facts(3, "b")];
        let found = redactions(found, Redaction::default()).unwrap();
        let told: Vec<_> = found.iter().map(|one| (one.position.0, one.stream.as_str())).collect();
        assert_eq!(told, [(1, "a"), (3, "b")]);
    }

    #[test]
    fn what_was_removed_and_what_records_acts_is_refused() {
        let removed = EventEntry { removed: true, ..facts(2, "a") };
        let refused = redactions(vec![facts(1, "a"), removed], Redaction::default()).unwrap_err();
        assert!(
            matches!(refused, Error::Event(EventFault::Removed { position, .. }) if position.0 == 2)
        );
        let refused = redactions(vec![facts(7, "$ream")], Redaction::default()).unwrap_err();
        assert!(
            matches!(refused, Error::Event(EventFault::Reserved { position, .. }) if position.0 == 7)
        );
    }
}
