//! What has to hold of the store beside the streams that are written.

use super::expect;
use super::{Stored, StreamFacts};
use crate::event::{
    AppendCondition, Chooser, Cursor, EventRef, EventType, Link, NoneOf, Position, StreamName,
    Tags, Version,
};
use crate::store::{ConditionFault, Error};

/// What the store says about a condition, as it stands before anything is written.
#[derive(Debug, Default)]
pub(crate) struct ConditionFacts {
    /// The streams that it names, in its order.
    pub(crate) streams: Vec<StreamFacts>,
    /// The link at the place behind which events must not be, where the store reaches it.
    pub(crate) link: Option<Link>,
    /// The first event that must not be there and is.
    pub(crate) found: Option<Found>,
}

/// An event that criteria choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) position: Position,
    pub(crate) stream: StreamName,
    pub(crate) version: Version,
    pub(crate) event_type: EventType,
    pub(crate) tags: Tags,
}

impl Found {
    pub(crate) fn of(event: &EventRef<'_>) -> Self {
        Self {
            position: event.position,
            stream: StreamName::stored(event.stream),
            version: event.version,
            event_type: EventType::stored(event.event_type),
            tags: event.tags.to_tags(),
        }
    }

    /// An event that is to be stored.
    fn pending(stored: &Stored<'_>) -> Self {
        let event = stored.sealed.event();
        Self {
            position: stored.position,
            stream: event.stream.clone(),
            version: stored.version,
            event_type: event.event_type.clone(),
            tags: event.tags.clone(),
        }
    }
}

/// That a condition holds behind what is stored before, up to `head`; `before` are the events of this transaction
/// among them.
pub(super) fn check(
    condition: &AppendCondition,
    facts: &ConditionFacts,
    before: &[Stored<'_>],
    head: Position,
) -> Result<(), Error> {
    if let Some(NoneOf { after, .. }) = &condition.none {
        check_place(*after, facts.link, before, head)?;
    }
    for ((name, expected), facts) in condition.versions.iter().zip(&facts.streams) {
        let new = before.iter().filter(|stored| stored.sealed.event().stream == *name).count();
        let facts = StreamFacts { version: facts.version + new as u64, ..*facts };
        expect::check(name.as_str(), *expected, &facts)?;
    }
    let Some(NoneOf { criteria, after }) = &condition.none else { return Ok(()) };
    let chooser = Chooser::of(criteria);
    let item = |found: &Found| {
        let Found { stream, event_type, tags, .. } = found;
        chooser.item(stream.as_str(), event_type.as_str(), tags.borrow())
    };
    let mut behind = before.iter().filter(|stored| stored.position > after.position);
    let pending =
        || behind.find_map(|stored| Some(Found::pending(stored)).filter(|it| item(it).is_some()));
    let Some(found) = facts.found.clone().or_else(pending) else { return Ok(()) };
    let item = item(&found).unwrap_or_default();
    let Found { position, stream, version, event_type, .. } = found;
    Err(Error::Condition(Box::new(ConditionFault::Found {
        position,
        stream,
        version,
        event_type,
        item: (criteria.items.len() > 1).then_some(item + 1),
        criteria: criteria.clone(),
        after: after.position,
    })))
}

/// That there is such a place in the log.
fn check_place(
    after: Cursor,
    link: Option<Link>,
    before: &[Stored<'_>],
    head: Position,
) -> Result<(), Error> {
    let position = after.position;
    if position > head {
        return Err(Error::BeyondHead { position, head });
    }
    let pending = before.iter().find(|stored| stored.position == position);
    let link = link.or(pending.map(|stored| stored.link));
    if link.is_some_and(|link| after.is_at(&link)) {
        return Ok(());
    }
    Err(Error::Condition(Box::new(ConditionFault::OtherLog { cursor: after })))
}
