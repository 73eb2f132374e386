//! Events made ready to be stored: what can be computed before the writers' lock is taken.

use std::collections::HashMap;
use std::fmt;

use super::chain::{Linked, Payload, PayloadHash, Salt, Salts};
use super::{Error, Stopped};
use crate::event::{EventId, Link, NewEvent, Timestamp, Version};

/// An event whose payload is hashed, ready to be appended.
///
/// To hash takes as long as a good part of an insert, so a writer of many events does it on
/// another thread, with a [`Sealer`].
#[derive(Debug)]
pub struct SealedEvent {
    event: NewEvent,
    follows: bool,
    pub(crate) salt: Salt,
    payload: PayloadHash,
}

impl SealedEvent {
    /// The event.
    #[must_use]
    pub fn event(&self) -> &NewEvent {
        &self.event
    }

    /// The link that it has as this version of its stream, behind the event with the link `before`.
    pub(crate) fn link(&self, before: &Link, version: Version, recorded: Timestamp) -> Link {
        let NewEvent { stream, id, .. } = &self.event;
        let id = id.as_ref().map(EventId::as_str);
        let (stream, payload) = (stream.as_str(), &self.payload);
        before.next(&Linked { version, recorded, stream, id, payload })
    }

    /// Whether it follows the event before it.
    pub(crate) fn follows(&self) -> bool {
        self.follows
    }

    /// The same, where it follows the event before it in the same input: it is stored only if its stream is
    /// at the version at which that one was stored or found. What it expects by itself is not looked at.
    #[must_use]
    pub fn following(self) -> Self {
        Self { follows: true, ..self }
    }
}

/// That two events which are to be stored together have one id, where they do; told at the second.
pub(super) fn same_id<'e>(events: impl IntoIterator<Item = &'e NewEvent>) -> Option<Stopped> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (index, event) in events.into_iter().enumerate() {
        let Some(id) = &event.id else { continue };
        if let Some(before) = seen.insert(id.as_str(), index) {
            let (id, first, second) = (id.to_string(), before + 1, index + 1);
            return Some(Stopped { index, error: Error::SameId { id, first, second } });
        }
    }
    None
}

/// Makes events ready.
pub struct Sealer(Salts);

impl Sealer {
    /// A sealer for events of any store.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] where the system has no random bits to give.
    pub fn new() -> Result<Self, Error> {
        let salts = Salts::new();
        salts
            .map(Self)
            .map_err(|error| Error::Engine { action: "get random bits", source: error.into() })
    }

    /// A salt that was never used before.
    pub(crate) fn draw(&mut self) -> Salt {
        self.0.draw()
    }

    /// Hashes the event's payload, with a new salt.
    #[must_use]
    pub fn seal(&mut self, event: NewEvent) -> SealedEvent {
        let salt = self.draw();
        let payload = Payload::of(&event).hash(&salt);
        SealedEvent { event, follows: false, salt, payload }
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}
