//! What a store's bell says was acknowledged, and whether the database holds it.
//!
//! It is read before the first look at the database, and compared in it: what is committed in between
//! is no loss.

use rusqlite::Connection;

use super::bell::{self, Acknowledged};
use super::failure::Failure;
use super::head::Head;
use super::layout::Layout;
use super::record::Reading;
use crate::event::Position;
use crate::store::Error;

/// What was acknowledged, as far as the bell says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Witness {
    event: Option<Acknowledged>,
}

impl Witness {
    /// Reads the bell; a missing or torn one says nothing.
    pub(super) fn read(layout: &Layout) -> Self {
        Self::of(&mut Reading::of(layout))
    }

    /// The same for who keeps the bell.
    pub(super) fn of(bell: &mut Reading<Acknowledged>) -> Self {
        Self { event: bell.read() }
    }

    /// The last event that was acknowledged.
    pub(super) fn position(self) -> Option<Position> {
        self.event.map(|acknowledged| acknowledged.position)
    }

    /// That the database, which has this head, holds it all.
    pub(super) fn check(self, connection: &Connection, head: &Head) -> Result<(), Failure> {
        if let Some(acknowledged) = self.event {
            bell::check(connection, acknowledged, head)?;
        }
        Ok(())
    }

    /// What the database lost, if it did.
    pub(super) fn lost(
        self,
        connection: &Connection,
        head: &Head,
    ) -> Result<Option<Error>, Failure> {
        match self.check(connection, head) {
            Ok(()) => Ok(None),
            Err(Failure::Refused(lost)) => Ok(Some(lost)),
            Err(failed) => Err(failed),
        }
    }
}
