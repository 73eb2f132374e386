//! Turns to decide, and the decisions that are remembered.

use super::lock::Queue;
use super::{Store, Turn, decision_rows};
use crate::event::StreamName;
use crate::store::Error;
use crate::store::rules::{Kept, KnownDecision};

impl Store {
    /// The decision that is kept under the id of a command.
    pub(crate) fn known_decision(
        &mut self,
        kept: &Kept<'_>,
    ) -> Result<Option<KnownDecision>, Error> {
        if self.look(|connection| decision_rows::find(connection, kept))?.is_none() {
            return Ok(None);
        }
        // Who made the decision may have died before the log was synced, and its answer was never
        // given. Ours is found on a log whose end is known to be on the disk.
        self.write(false, |transaction| decision_rows::find(transaction.connection(), kept))
    }

    /// A turn to decide; none where others kept theirs for too long, or there can be none.
    pub(crate) fn queue(&mut self, name: &StreamName) -> Result<Option<Turn>, Error> {
        let returning = std::mem::replace(&mut self.has_decided, true);
        let mut queue = Queue::of_deciders(&self.layout, name.as_str(), returning);
        let entered = match queue.enter(&self.options) {
            // The first decider of a store makes the directory.
            Err(Error::Io { .. }) => self
                .layout
                .place
                .make_directory("deciders")
                .and_then(|()| queue.enter(&self.options)),
            entered => entered,
        };
        match entered {
            Err(error @ (Error::Interrupted | Error::Place { .. })) => Err(error),
            entered => Ok(entered.ok()),
        }
    }
}
