//! Decisions: what is stored of them, and the answers that are kept.

use crate::event::{Command, Data, EventId, Expect};
use crate::store::chain::Salt;
use crate::store::rules::{self, AfterRefusal, Beside, Kept, Unit};
use crate::store::{Decided, Decision, Error, SealedEvent, Sealer, Store};

impl Store {
    /// What came of an earlier decision with the id of `command`; nothing where it has none, or no
    /// decision has that.
    ///
    /// # Errors
    ///
    /// [`Error::DecisionIdReused`] where the decision was about another command or stream.
    pub fn decided(&mut self, command: &Command) -> Result<Option<Decided>, Error> {
        // To find one takes no salt.
        let salt = Salt::default();
        let Some(kept) = kept(command, &salt) else { return Ok(None) };
        let known = self.engine.known_decision(&kept)?;
        let stream = command.stream.as_str();
        known.map(|known| rules::decided_before(&known, stream, kept.id)).transpose()
    }

    /// Stores what `decision` says, in one transaction: the events and the state, and with the id of
    /// `command` the answer. Where a decision has that id already, its answer is given.
    ///
    /// # Errors
    ///
    /// [`Error::WrongExpectedVersion`] where the stream is no longer at the version that the decision
    /// was made of; [`Error::OtherStream`], [`Error::DecisionIdReused`], and what [`Store::append`]
    /// refuses.
    pub fn save(&mut self, decision: &Decision, command: &Command) -> Result<Decided, Error> {
        decision.check()?;
        let version = decision.version;
        let mut decided = Decided { version, events: Vec::new(), duplicate: false, removed: false };
        if decision.is_empty() && command.id.is_none() {
            return Ok(decided);
        }
        let max = self.max_data_bytes();
        if let Some(bytes) = decision.state.as_ref().map(Data::len).filter(|bytes| *bytes > max) {
            return Err(Error::TooLarge { bytes, max });
        }
        let mut sealer = Sealer::new()?;
        let events = seal(decision, &mut sealer);
        if let Some(stopped) = self.too_large(&events) {
            return Err(stopped.error);
        }
        let salt = sealer.draw();
        let (stream, state) = (decision.stream.as_str(), decision.state.as_ref().map(Data::borrow));
        let beside = Beside::Decision { stream, version, state, kept: kept(command, &salt) };
        let units = [Unit { events: &events, whole: true, beside: Some(beside) }];
        let outcome = self.write(&units, AfterRefusal::Stop)?;
        if let Some((_, stopped)) = outcome.refused.into_iter().next() {
            return Err(stopped.error);
        }
        if let Some(told) = outcome.decided {
            decided = told;
        }
        Ok(decided)
    }
}

/// The command as its answer is kept, where it has an id.
fn kept<'u>(command: &'u Command, salt: &'u Salt) -> Option<Kept<'u>> {
    let id = command.id.as_ref().map(EventId::as_str)?;
    Some(Kept { id, command: command.data.as_str(), salt })
}

/// The events as they follow on the version that the decision was made of, the last one with the
/// state.
fn seal(decision: &Decision, sealer: &mut Sealer) -> Vec<SealedEvent> {
    let last = decision.events.len().saturating_sub(1);
    let events = decision.events.iter().enumerate().map(|(index, event)| {
        let mut event = event.clone();
        event.expect = Expect::At(decision.version);
        if index == last && decision.state.is_some() {
            event.state.clone_from(&decision.state);
        }
        let ready = sealer.seal(event);
        if index == 0 { ready } else { ready.following() }
    });
    events.collect()
}
