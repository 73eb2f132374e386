//! Redacting events.

use std::collections::HashSet;

use crate::event::{Position, StreamName, Version};
use crate::store::rules::{Act, redactions};
use crate::store::{Error, EventEntry, EventFault, Redacted, Removal, Store};

impl Store {
    /// The position of an event that is called by its position, by `STREAM@N` for a version of a stream, or by its
    /// id.
    ///
    /// # Errors
    ///
    /// [`EventFault::NotFound`], and [`EventFault::Ambiguous`] where it could be two.
    pub fn find_event(&self, event: &str) -> Result<Position, Error> {
        let store = &self.engine;
        let by_id = store.position_by_id(event)?;
        let by_place = match event.parse::<u64>() {
            Ok(position) => (1..=self.head()?.0).contains(&position).then_some(Position(position)),
            Err(_) => match event.rsplit_once('@') {
                Some((stream, version)) => match version.parse() {
                    Ok(version) => self.place_of(stream, Version(version))?,
                    Err(_) => None,
                },
                None => None,
            },
        };
        let event = event.to_owned();
        match (by_place, by_id) {
            (Some(by_place), Some(by_id)) if by_place != by_id => {
                Err(Error::Event(EventFault::Ambiguous { event, by_place, by_id }))
            }
            (None, None) => Err(Error::Event(EventFault::NotFound { event })),
            (Some(position), _) | (None, Some(position)) => Ok(position),
        }
    }

    /// The position of the event that is this version of a stream.
    fn place_of(&self, stream: &str, version: Version) -> Result<Option<Position>, Error> {
        Ok(self.look(|look| look.position_of(stream, version))?.0.filter(|place| place.0 > 0))
    }

    /// The event with this id, its own or the one that it is known by: also where it has been removed.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn event_by_id(&self, id: &str) -> Result<Option<EventEntry>, Error> {
        let store = &self.engine;
        let Some(position) = store.position_by_id(id)? else { return Ok(None) };
        Ok(store.event_facts(&[position])?.pop())
    }

    /// What [`Store::redact`] would take from events. Those that are redacted already are left out.
    ///
    /// # Errors
    ///
    /// As for that.
    pub fn redactable(
        &self,
        positions: &[Position],
        keep_states: bool,
    ) -> Result<Vec<Redacted>, Error> {
        let store = &self.engine;
        let mut redacted = redactions(store.event_facts(positions)?)?;
        let streams: Vec<StreamName> = redacted.iter().map(|one| one.stream.clone()).collect();
        let facts = store.stream_facts(&streams)?;
        let with_state = streams.into_iter().zip(facts).filter(|(_, facts)| facts.has_state);
        if !keep_states {
            note_states(&mut redacted, with_state.map(|(stream, _)| stream).collect());
        }
        Ok(redacted)
    }

    /// Redacts events, in one transaction, and records that in the stream `$ream` with a reason, which stays:
    /// data and metadata go, and place, type, time, link and payload hash stay, so that the chain holds. The states
    /// of their streams, which may say what the events said, go as well, unless they are kept.
    ///
    /// Then it erases, as [`Store::remove`] does.
    ///
    /// # Errors
    ///
    /// [`Error::Event`] where an event is not there, was removed, or is of a reserved stream: then nothing is
    /// redacted.
    pub fn redact(
        &mut self,
        positions: &[Position],
        reason: &str,
        keep_states: bool,
    ) -> Result<Removal<Redacted>, Error> {
        let removed = self.act(|tx| {
            let mut redacted = redactions(tx.events(positions)?)?;
            let positions: Vec<Position> = redacted.iter().map(|one| one.position).collect();
            tx.redact(&positions)?;
            let mut acts: Vec<Act> =
                redacted.iter().map(|one| Act::redaction(one, reason)).collect();
            if !keep_states {
                let streams: Vec<StreamName> =
                    redacted.iter().map(|one| one.stream.clone()).collect();
                let dropped = tx.remove_states(&streams)?;
                acts.extend(super::remove::state_removals(&dropped));
                note_states(&mut redacted, dropped.into_iter().collect());
            }
            Ok((redacted, acts))
        })?;
        Ok(Removal { removed, unfinished: self.finish_erasure() })
    }
}

/// Notes the states that go, each once, at the first event of its stream.
fn note_states(redacted: &mut [Redacted], mut dropped: HashSet<StreamName>) {
    for one in redacted {
        one.state = dropped.remove(&one.stream);
    }
}
