//! States and checkpoints, alone and with reactions.

use crate::event::{Position, SubscriptionName};
use crate::store::rules::{AfterRefusal, Beside, StateAsked, Unit};
use crate::store::{Checkpoint, Error, NewState, SealedEvent, StateEntry, Stopped, Store};

impl Store {
    /// Stores a state without an event, and gives it without its data.
    ///
    /// # Errors
    ///
    /// [`Error::WrongExpectedVersion`]; [`Error::StateAhead`] where it would reflect more than there
    /// is, [`Error::StateBehind`] where it would reflect less than the stored one,
    /// [`Error::TooLarge`].
    pub fn set_state(&mut self, state: &NewState) -> Result<StateEntry, Error> {
        let (max, bytes) = (self.max_data_bytes(), state.data.len());
        if bytes > max {
            return Err(Error::TooLarge { bytes, max });
        }
        let NewState { stream, version, expect, .. } = state;
        let (name, data) = (stream.as_str(), state.data.borrow());
        let asked = StateAsked { stream: name, version: *version, expect: *expect, data };
        let units = [Unit { beside: Some(Beside::State(asked)), ..Unit::default() }];
        let outcome = self.write(&units, AfterRefusal::Stop)?;
        if let Some((_, stopped)) = outcome.refused.into_iter().next() {
            return Err(stopped.error);
        }
        let (version, stream_version) = outcome.state.unwrap_or_default();
        Ok(StateEntry { stream: stream.clone(), version, stream_version, bytes: bytes as u64 })
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

    /// Moves a subscription's checkpoint to `to`; with `from`, only where it is there.
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
