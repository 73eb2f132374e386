//! What a store's records say was acknowledged, and whether the database holds it.
//!
//! They are read before the first look at the database, and compared in it: what is committed in between
//! is no loss.

use rusqlite::Connection;

use super::Layout;
use super::bell::{self, Acknowledged};
use super::changes::Count;
use super::failure::Failure;
use super::head::Head;
use super::record::{self, Reading};
use crate::event::Position;
use crate::faults::{self, Remedy};
use crate::store::Error;

/// What was acknowledged, as far as the records say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Witness {
    event: Option<Acknowledged>,
    changes: Option<Count>,
}

impl Witness {
    /// Reads the records; a missing or torn one says nothing.
    pub(super) fn read(layout: &Layout) -> Self {
        Self::beside(&mut Reading::of(layout), layout)
    }

    /// The same for who keeps the bell.
    pub(super) fn beside(bell: &mut Reading<Acknowledged>, layout: &Layout) -> Self {
        Self { event: bell.read(), changes: record::read(layout) }
    }

    /// The last event that was acknowledged.
    pub(super) fn position(self) -> Option<Position> {
        self.event.map(|acknowledged| acknowledged.position)
    }

    /// That the database, which has this head, holds it all.
    pub(super) fn check(
        self,
        connection: &Connection,
        layout: &Layout,
        head: &Head,
    ) -> Result<(), Failure> {
        if let Some(acknowledged) = self.event {
            bell::check(connection, layout, acknowledged, head)?;
        }
        let Some(changes) = self.changes else { return Ok(()) };
        let missing = changes.missing(Count::read(connection)?);
        if missing == 0 || faults::is_off(Remedy::Count) {
            return Ok(());
        }
        Err(Failure::Refused(Error::LostChanges {
            path: layout.root.clone(),
            missing,
            acknowledged: self.position(),
        }))
    }

    /// What the database lost, if it did.
    pub(super) fn lost(
        self,
        connection: &Connection,
        layout: &Layout,
        head: &Head,
    ) -> Result<Option<Error>, Failure> {
        match self.check(connection, layout, head) {
            Ok(()) => Ok(None),
            Err(Failure::Refused(lost)) => Ok(Some(lost)),
            Err(failed) => Err(failed),
        }
    }
}
