//! What is read stays: events are given up to where they are known to be durable.

use super::Reading;
use crate::store::Error;
use crate::store::sqlite::writer::{Settled, settle};

/// What the store has beyond what is known to be durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beyond {
    Nothing,
    /// Something, which is not given.
    Kept,
    /// Something, which is given all the same, since nothing can be written here.
    ReadOnly,
    /// The same since there is no bell: nothing says what is durable, and all would seem to be lost.
    NoBell,
}

impl Reading {
    /// Up to where events may be given, of a store with this head: what a power loss could still take
    /// away is not given. The bell is read behind the snapshot, so it names what is in that.
    pub(super) fn durable_head(&mut self, head: u64) -> u64 {
        if head > self.durable
            && let Some(said) = self.bell.read()
        {
            self.durable = self.durable.max(said.position.0.min(head));
            if self.beyond == Beyond::NoBell {
                self.beyond = Beyond::Nothing;
            }
        }
        self.beyond = match self.beyond {
            Beyond::Nothing | Beyond::Kept if head > self.durable => Beyond::Kept,
            Beyond::Kept => Beyond::Nothing,
            beyond => beyond,
        };
        if self.beyond == Beyond::Kept { self.durable } else { head }
    }

    /// Makes durable what the store has and the bell does not name, where nobody else is about to;
    /// outside of a transaction, which would be in the way. Whether nobody else was.
    pub(super) fn settle(&mut self) -> bool {
        self.bell.reopen();
        match settle(&self.layout, &self.marker, &self.options) {
            Settled::Yes(durable) => self.durable = self.durable.max(durable.0),
            Settled::Writing => return false,
            Settled::No(error) => {
                // Where nothing can be written, the store stays as it is.
                if matches!(error, Error::Io { .. }) {
                    self.beyond = Beyond::ReadOnly;
                }
                self.may_have_no_bell(error);
            }
        }
        true
    }

    /// Warns of what may not be durable; where there is no bell, that is given as well.
    pub(super) fn may_have_no_bell(&mut self, error: Error) {
        if matches!(error, Error::Replaced { .. }) {
            // That ends the read, and is told then.
            return;
        }
        let no_bell = self.bell.read().is_none();
        if no_bell {
            self.beyond = Beyond::NoBell;
        }
        if no_bell || !matches!(error, Error::Busy { .. }) {
            self.warn(&Error::NotDurable { source: Box::new(error) });
        }
    }
}
