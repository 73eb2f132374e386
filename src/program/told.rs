//! What is kept of an event that a program was told, until it is acked: what its ack needs.

use crate::event::{EventRef, Json, Link, Position};

/// How long metadata may be to be kept, in bytes.
const LONGEST: usize = 1000;

/// An event that a program was told.
#[derive(Debug, Clone)]
pub(super) struct ToldEvent {
    pub(super) position: Position,
    pub(super) link: Link,
    /// What tells of it as a cause, where that is asked for and short.
    pub(super) cause: Option<Box<Cause>>,
}

impl ToldEvent {
    pub(super) fn of(event: &EventRef<'_>, with_cause: bool) -> Self {
        let with_cause = with_cause && event.metadata.is_none_or(|text| text.len() <= LONGEST);
        let cause = with_cause.then(|| Box::new(Cause::of(event)));
        Self { position: event.position, link: event.link, cause }
    }
}

/// What tells of an event as the cause of another.
#[derive(Debug, Clone)]
pub(super) struct Cause {
    pub(super) id: Box<str>,
    metadata: Option<Json>,
}

impl Cause {
    pub(super) fn of(event: &EventRef<'_>) -> Self {
        Self { id: event.id().into(), metadata: event.metadata.map(Json::stored) }
    }

    /// What it belongs to, where it says so.
    pub(super) fn correlation(&self) -> Option<String> {
        let text = self.metadata.as_ref()?.member("correlation_id")?;
        serde_json::from_str(text).ok()
    }
}

/// An ack that was taken.
#[derive(Debug)]
pub(super) struct Acked {
    /// The event that it names.
    pub(super) position: Position,
    /// How many events it is about.
    pub(super) events: u64,
    /// What is kept of the event, where it was told not long ago.
    pub(super) told: Option<ToldEvent>,
}

impl Acked {
    /// What stands there, as far as it is known.
    pub(super) fn place(&self) -> (Position, Option<Link>) {
        (self.position, self.told.as_ref().map(|told| told.link))
    }
}
