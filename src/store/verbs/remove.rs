//! Removing and protecting.

use crate::event::{StreamName, Version};
use crate::store::look::Look;
use crate::store::rules::{Act, protections, removals};
use crate::store::{Compacted, Error, Removal, Removed, Store};

impl Store {
    /// Protects streams from removal, or no longer. That is recorded in the stream `$ream`, but for those of
    /// which it holds already.
    ///
    /// # Errors
    ///
    /// [`Error::StreamNotFound`]: then none is changed.
    pub fn protect(&mut self, names: &[StreamName], protected: bool) -> Result<(), Error> {
        let done = self.act(|tx| {
            let changed = protections(names, &tx.look().stream_facts(names)?, protected)?;
            tx.protect(&changed, protected)?;
            Ok(((), changed.into_iter().map(|name| Act::protection(name, protected)).collect()))
        });
        match done {
            Err(Error::StreamNotFound { stream, .. }) => {
                let near = self.look(|look| look.near_streams(&stream))?;
                Err(Error::StreamNotFound { stream, near })
            }
            done => done,
        }
    }

    /// What [`Store::remove`] would take. Streams that hold neither event nor state are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Protected`].
    pub fn removable(&self, names: &[StreamName]) -> Result<Vec<Removed>, Error> {
        self.look(|look| removals_in(look, names, None))
    }

    /// What [`Store::remove_at`] would take: nothing, or the one stream.
    ///
    /// # Errors
    ///
    /// As for that.
    pub fn removable_at(&self, name: &StreamName, version: Version) -> Result<Vec<Removed>, Error> {
        self.look(|look| removals_in(look, std::slice::from_ref(name), Some(version)))
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
        self.remove_expected(names, None)
    }

    /// Removes what a stream holds as [`Store::remove`] does, if it is at a version.
    ///
    /// # Errors
    ///
    /// [`Error::WrongExpectedVersion`] and [`Error::Protected`]: then nothing is removed.
    pub fn remove_at(
        &mut self,
        name: &StreamName,
        version: Version,
    ) -> Result<Removal<Removed>, Error> {
        self.remove_expected(std::slice::from_ref(name), Some(version))
    }

    fn remove_expected(
        &mut self,
        names: &[StreamName],
        expected: Option<Version>,
    ) -> Result<Removal<Removed>, Error> {
        let removed = self.act(|tx| {
            let removed = removals_in(&*tx.look(), names, expected)?;
            tx.remove(&removed)?;
            let acts = removed.iter().map(Act::removal).collect();
            Ok((removed, acts))
        })?;
        Ok(Removal { removed, unfinished: self.finish_erasure() })
    }

    /// Removes the states of streams, in one transaction, and records that; those that had one. Then it erases,
    /// as [`Store::remove`] does.
    ///
    /// # Errors
    ///
    /// Where the store can't be written.
    pub fn remove_states(&mut self, names: &[StreamName]) -> Result<Removal<StreamName>, Error> {
        let removed = self.act(|tx| {
            let removed = tx.remove_states(names)?;
            let acts = state_removals(&removed);
            Ok((removed, acts))
        })?;
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
        self.engine.compact(tell)
    }

    /// Does what is left of an erasure; why that is not all, where it is not.
    pub(super) fn finish_erasure(&mut self) -> Option<Error> {
        self.engine.finish_erasure()
    }
}

/// What a removal takes from streams: see [`removals`].
fn removals_in(
    look: &dyn Look,
    names: &[StreamName],
    expected: Option<Version>,
) -> Result<Vec<Removed>, Error> {
    let mut removed = removals(names, &look.stream_facts(names)?, expected)?;
    for Removed { stream, version, events, tagged, .. } in &mut removed {
        *tagged = look.tagged(stream.as_str(), Version(version.0 - *events), *version)?;
    }
    Ok(removed)
}

/// That the states of these streams were removed.
pub(super) fn state_removals(removed: &[StreamName]) -> Vec<Act> {
    removed.iter().map(|stream| Act::StateRemoved { stream: stream.clone() }).collect()
}
