//! Turns to decide, and the decisions that are remembered.

use std::collections::BTreeSet;

use super::lock::Queue;
use super::{Store, Turn, decision_rows};
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

    /// Turns to decide; none where others kept theirs for too long, or there can be none.
    pub(crate) fn queue(&mut self, names: &[&str]) -> Result<Option<Vec<Turn>>, Error> {
        let returning = std::mem::replace(&mut self.has_decided, true);
        let mut turns = Vec::new();
        // In one order for all, so that no two wait for each other.
        let queues: BTreeSet<i64> = names.iter().map(|name| Queue::number(name)).collect();
        for number in queues {
            let mut queue = Queue::of_deciders(&self.layout, number, returning);
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
                Err(error @ (Error::Interrupted | Error::Place { .. })) => return Err(error),
                Ok(turn) => turns.push(turn),
                Err(_) => return Ok(None),
            }
        }
        Ok(Some(turns))
    }
}
