//! States and checkpoints, alone and with reactions.

use super::remove::state_removals;
use crate::event::{Position, StreamName, SubscriptionName};
use crate::store::engine::Tx;
use crate::store::rules::{self, AfterRefusal, Beside, StateAsked, Unit};
use crate::store::{
    Checkpoint, Error, NewState, Removal, SealedEvent, State, StateEntry, Stopped, Store,
};

impl Store {
    /// Stores a state without an event, and gives it without its data.
    ///
    /// # Errors
    ///
    /// [`Error::WrongExpectedVersion`]; [`Error::StateAhead`] where it would reflect more than there
    /// is, [`Error::StateBehind`] where it would reflect less than the stored one,
    /// [`Error::TooLarge`].
    pub fn set_state(&mut self, state: &NewState) -> Result<StateEntry, Error> {
        let stored = self.set_state_behind(state, |_| Ok(true))?;
        // What holds of any state is never refused.
        stored.ok_or_else(|| Error::Damaged { what: "a state was not stored".into() })
    }

    /// Stores a state as [`Store::set_state`] does, if `holds` is true of the one that is stored, or of none, and
    /// gives it without its data; nothing where it is not. No other writer comes in between.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] where the stored one is not what was stored, and as for [`Store::set_state`].
    pub fn set_state_if(
        &mut self,
        state: &NewState,
        holds: impl FnOnce(Option<&State>) -> bool,
    ) -> Result<Option<StateEntry>, Error> {
        self.set_state_behind(state, |tx| {
            Ok(holds(tx.look().state(state.stream.as_str())?.as_ref()))
        })
    }

    fn set_state_behind(
        &mut self,
        state: &NewState,
        holds: impl FnOnce(&mut dyn Tx) -> Result<bool, Error>,
    ) -> Result<Option<StateEntry>, Error> {
        let (max, bytes) = (self.max_data_bytes(), state.data.len());
        if bytes > max {
            return Err(Error::TooLarge { bytes, max });
        }
        let NewState { stream, version, expect, .. } = state;
        let (name, data) = (stream.as_str(), state.data.borrow());
        let asked = StateAsked { stream: name, version: *version, expect: *expect, data };
        let units = [Unit { beside: Some(Beside::State(asked)), ..Unit::default() }];
        let outcome = self.transact(false, |tx| {
            if !holds(tx)? {
                return Ok(None);
            }
            let facts = tx.facts(&units)?;
            let outcome = rules::write(&facts, None, &units, AfterRefusal::Stop);
            tx.apply(&outcome.changes)?;
            Ok(Some(outcome))
        })?;
        let Some(outcome) = outcome else { return Ok(None) };
        if let Some((_, stopped)) = outcome.refused.into_iter().next() {
            return Err(stopped.error);
        }
        let (version, stream_version) = outcome.state.unwrap_or_default();
        let (stream, bytes) = (stream.clone(), bytes as u64);
        Ok(Some(StateEntry { stream, version, stream_version, bytes }))
    }

    /// Removes the state of a stream as [`Store::remove_states`] does, if `holds` is true of it, or of none; nothing
    /// where it is not. No other writer comes in between.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] where it is not what was stored, and where the store can't be written.
    pub fn remove_state_if(
        &mut self,
        stream: &StreamName,
        holds: impl FnOnce(Option<&State>) -> bool,
    ) -> Result<Option<Removal<StreamName>>, Error> {
        let removed = self.act(|tx| {
            if !holds(tx.look().state(stream.as_str())?.as_ref()) {
                return Ok((None, Vec::new()));
            }
            let removed = tx.remove_states(std::slice::from_ref(stream))?;
            let acts = state_removals(&removed);
            Ok((Some(removed), acts))
        })?;
        let Some(removed) = removed else { return Ok(None) };
        Ok(Some(Removal { removed, unfinished: self.finish_erasure() }))
    }

    /// Appends events, each for itself, and moves a subscription's checkpoint from `from` to `to`, all in
    /// one transaction. Where an event is refused, nothing is done, and it is told which.
    ///
    /// # Errors
    ///
    /// [`Error::CheckpointMoved`] where the checkpoint is not at `from`, [`Error::SubscriptionNotFound`],
    /// and where no event is at fault: nothing is done.
    pub fn react(
        &mut self,
        name: &SubscriptionName,
        events: &[SealedEvent],
        from: Position,
        to: &Checkpoint,
    ) -> Result<Option<Stopped>, Error> {
        if let Some(stopped) = self.too_large(events) {
            return Ok(Some(stopped));
        }
        let beside = Some(Beside::Checkpoint { name, from: Some(from), to });
        let units = [Unit { events, whole: false, beside }];
        let outcome = self.write(&units, AfterRefusal::Stop)?;
        match outcome.refused.into_iter().next() {
            // No event is at fault.
            Some((_, Stopped { error, .. }))
                if matches!(
                    error,
                    Error::CheckpointMoved { .. } | Error::SubscriptionNotFound { .. }
                ) =>
            {
                Err(error)
            }
            refused => Ok(refused.map(|(_, stopped)| stopped)),
        }
    }

    /// Moves a subscription's checkpoint to `to`, as what follows goes on; with `from`, only where it is there.
    /// What a person has it do is [`Store::seek_subscription`].
    ///
    /// # Errors
    ///
    /// [`Error::CheckpointMoved`], [`Error::SubscriptionNotFound`].
    pub fn move_subscription(
        &mut self,
        name: &SubscriptionName,
        from: Option<Position>,
        to: &Checkpoint,
    ) -> Result<(), Error> {
        let beside = Some(Beside::Checkpoint { name, from, to });
        let units = [Unit { beside, ..Unit::default() }];
        let outcome = self.write(&units, AfterRefusal::Stop)?;
        outcome.refused.into_iter().next().map_or(Ok(()), |(_, stopped)| Err(stopped.error))
    }
}
