//! Decisions: what is stored of them, and the answers that are kept.

use std::collections::HashMap;

use super::look::MOST_BYTES;
use crate::event::{BoundaryCommand, Command, Criteria, Data, EventId, Expect, NewEvent, Version};
use crate::store::chain::Salt;
use crate::store::rules::{self, AfterRefusal, Beside, Kept, On, Unit};
use crate::store::{
    Before, Boundary, BoundaryDecision, Decided, Decision, Error, Mark, Query, SealedEvent, Sealer,
    Store,
};
use crate::wire::{query_text, write_query};

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
        let stream = Some(command.stream.as_str());
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
        let on = On::Stream(stream, version);
        let beside = Beside::Decision { on, state, kept: kept(command, &salt) };
        let units = [Unit { events: &events, whole: true, beside: Some(beside) }];
        if let Some(told) = self.write_decision(&units)? {
            decided = told;
        }
        Ok(decided)
    }

    /// Writes the one unit that a decision is; what came of it.
    fn write_decision(&mut self, units: &[Unit<'_>; 1]) -> Result<Option<Decided>, Error> {
        let outcome = self.write(units, AfterRefusal::Stop)?;
        match outcome.refused.into_iter().next() {
            Some((_, stopped)) => Err(stopped.error),
            None => Ok(outcome.decided),
        }
    }

    /// What of the log a decision is made on: the events that criteria choose, up to the head as it is.
    ///
    /// # Errors
    ///
    /// [`Error::BoundaryTooLarge`].
    pub fn boundary(&self, criteria: &Criteria) -> Result<Boundary, Error> {
        let mut reader = self.read(&Query::by(criteria.clone()))?;
        let (_, head) = reader.bounds()?;
        let (mut events, mut bytes) = (Vec::new(), 0);
        loop {
            let batch = reader.next_batch(|event| {
                bytes += event.data.len() + event.metadata.map_or(0, str::len);
                events.push(event.to_event());
            })?;
            if bytes > MOST_BYTES {
                let (query, max) = (query_text(criteria), MOST_BYTES);
                return Err(Error::BoundaryTooLarge { query, max });
            }
            if batch.caught_up {
                return Ok(Boundary { criteria: criteria.clone(), head, events });
            }
        }
    }

    /// The same as [`Store::decided`] of a command on a boundary.
    ///
    /// # Errors
    ///
    /// As for that.
    pub fn decided_on(&mut self, command: &BoundaryCommand) -> Result<Option<Decided>, Error> {
        let (salt, query) = (Salt::default(), kept_query(command));
        let Some(kept) = kept_on(command, &query, &salt) else { return Ok(None) };
        let known = self.engine.known_decision(&kept)?;
        known.map(|known| rules::decided_before(&known, None, kept.id)).transpose()
    }

    /// Stores what `decision` says, in one transaction: the events, and with the id of `command` the answer. Where a
    /// decision has that id already, its answer is given.
    ///
    /// A state that comes with an event reflects its stream as it was at the head of the boundary, with the events of
    /// the decision.
    ///
    /// # Errors
    ///
    /// [`Error::Condition`] where events came to the boundary since it was read; [`Error::DecisionIdReused`], and what
    /// [`Store::append`] refuses.
    pub fn save_on(
        &mut self,
        decision: &BoundaryDecision,
        command: &BoundaryCommand,
    ) -> Result<Decided, Error> {
        decision.check()?;
        let mut sealer = Sealer::new()?;
        let events = self.expecting(decision)?.into_iter().map(|event| sealer.seal(event));
        let events: Vec<SealedEvent> = events.collect();
        if let Some(stopped) = self.too_large(&events) {
            return Err(stopped.error);
        }
        let (salt, query) = (sealer.draw(), kept_query(command));
        let (on, kept) = (On::Boundary(&decision.condition), kept_on(command, &query, &salt));
        let beside = Some(Beside::Decision { on, state: None, kept });
        let units = [Unit { events: &events, whole: true, beside }];
        self.write_decision(&units)?.ok_or(Error::Interrupted)
    }

    /// The events of a decision as they would be appended, all or none: the first under the condition, and of streams
    /// that get a state each at the version that it had at the head.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn planned_on(&self, decision: &BoundaryDecision) -> Result<Vec<NewEvent>, Error> {
        let mut events = self.expecting(decision)?;
        if let Some(first) = events.first_mut() {
            first.condition = Some(Box::new(decision.condition.clone()));
        }
        Ok(events)
    }

    fn expecting(&self, decision: &BoundaryDecision) -> Result<Vec<NewEvent>, Error> {
        let mut versions: HashMap<&str, Version> = HashMap::new();
        for event in decision.events.iter().filter(|event| event.state.is_some()) {
            let behind = Before::Mark(Mark::Position(decision.condition.after().next()));
            let names = std::slice::from_ref(&event.stream);
            let last = self.look(|look| look.last_before(names, behind))?;
            versions.insert(event.stream.as_str(), last.first().copied().unwrap_or_default());
        }
        let expecting = |event: &NewEvent| {
            let mut event = event.clone();
            event.condition = None;
            event.expect = Expect::Any;
            if let Some(version) = versions.get_mut(event.stream.as_str()) {
                event.expect = Expect::At(*version);
                *version = version.next();
            }
            event
        };
        Ok(decision.events.iter().map(expecting).collect())
    }
}

/// The query that an id stands for, with the command, in its one form.
fn kept_query(command: &BoundaryCommand) -> String {
    let mut text = Vec::new();
    write_query(&mut text, &command.criteria.canonical());
    String::from_utf8_lossy(&text).into_owned()
}

/// The command as its answer is kept, where it has an id.
fn kept_on<'u>(command: &'u BoundaryCommand, query: &'u str, salt: &'u Salt) -> Option<Kept<'u>> {
    let id = command.id.as_ref().map(EventId::as_str)?;
    Some(Kept { id, query: Some(query), command: command.data.as_str(), salt })
}

/// The command as its answer is kept, where it has an id.
fn kept<'u>(command: &'u Command, salt: &'u Salt) -> Option<Kept<'u>> {
    let id = command.id.as_ref().map(EventId::as_str)?;
    Some(Kept { id, query: None, command: command.data.as_str(), salt })
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
