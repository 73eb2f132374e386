//! Removing and protecting.

use crate::event::StreamName;
use crate::store::rules::{check_protectable, record, removals};
use crate::store::{Compacted, Engine, Error, Removal, Removed, SealedEvent, Sealer, Store};

impl Store {
    /// Protects streams from removal, or no longer.
    ///
    /// # Errors
    ///
    /// [`Error::StreamNotFound`]: then none is changed.
    pub fn protect(&mut self, names: &[StreamName], protected: bool) -> Result<(), Error> {
        let done = self.transact(false, |tx| {
            check_protectable(names, &tx.streams(names)?)?;
            tx.protect(names, protected)
        });
        match (done, &self.engine) {
            (Err(Error::StreamNotFound { stream, .. }), Engine::Sqlite(store)) => {
                let near = store.near_streams(&stream)?;
                Err(Error::StreamNotFound { stream, near })
            }
            (done, _) => done,
        }
    }

    /// What [`Store::remove`] would take. Streams that hold neither event nor state are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Protected`].
    pub fn removable(&self, names: &[StreamName]) -> Result<Vec<Removed>, Error> {
        let facts = match &self.engine {
            Engine::Sqlite(store) => store.stream_facts(names)?,
        };
        removals(names, &facts)
    }

    /// Removes the data, metadata and state of the streams and all their events, in one transaction, and
    /// records that in the stream `$ream`. A skeleton of each event stays, so that positions and
    /// ids stay spent and the chain holds.
    ///
    /// Then it erases: where [`Removal::unfinished`] is `None`, no byte of what was removed, nor of a
    /// state that it had replaced, is in any file of the store but for projections. A reader that is in
    /// the way is waited for as long as [`Options::lock_timeout`](crate::Options::lock_timeout) says.
    ///
    /// # Errors
    ///
    /// [`Error::Protected`]: then nothing is removed.
    pub fn remove(&mut self, names: &[StreamName]) -> Result<Removal<Removed>, Error> {
        let mut sealer = Sealer::new()?;
        let removed = self.transact(false, |tx| {
            let removed = removals(names, &tx.streams(names)?)?;
            let with_events = removed.iter().filter(|removed| removed.events > 0);
            let records: Vec<SealedEvent> =
                with_events.map(|removed| sealer.seal(record(removed))).collect();
            tx.remove(&removed, &records)?;
            Ok(removed)
        })?;
        Ok(Removal { removed, unfinished: self.finish_erasure() })
    }

    /// Removes the states of streams, in one transaction; those that had one. Then it erases, as
    /// [`Store::remove`] does.
    ///
    /// # Errors
    ///
    /// Where the store can't be written.
    pub fn remove_states(&mut self, names: &[StreamName]) -> Result<Removal<StreamName>, Error> {
        let removed = self.transact(false, |tx| tx.remove_states(names))?;
        Ok(Removal { removed, unfinished: self.finish_erasure() })
    }

    /// Gives back the room that removals left, in steps between which others write; `tell` is given how many
    /// positions are packed, of how many. Where it is interrupted or killed, the store is whole, and it can be done
    /// again.
    ///
    /// # Errors
    ///
    /// Where the store can't be written; [`Error::Interrupted`].
    pub fn compact(&mut self, tell: &mut dyn FnMut(u64, u64)) -> Result<Compacted, Error> {
        match &mut self.engine {
            Engine::Sqlite(store) => store.compact(tell),
        }
    }

    /// Does what is left of an erasure; why that is not all, where it is not.
    pub(super) fn finish_erasure(&mut self) -> Option<Error> {
        match &mut self.engine {
            Engine::Sqlite(store) => store.finish_erasure(),
        }
    }
}
