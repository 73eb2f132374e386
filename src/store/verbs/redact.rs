//! Redacting events.

use std::collections::HashSet;

use crate::event::{Position, StreamName, Version};
use crate::store::look::Look;
use crate::store::rules::{Act, redactions};
use crate::store::{Error, EventEntry, EventFault, Redacted, Redaction, Removal, Store};

impl Store {
    /// The position of an event that is called by its position, by `STREAM@N` for a version of a stream, or by its
    /// id.
    ///
    /// # Errors
    ///
    /// [`EventFault::NotFound`], and [`EventFault::Ambiguous`] where it could be two.
    pub fn find_event(&self, event: &str) -> Result<Position, Error> {
        let (by_place, by_id) =
            self.look(|look| Ok((by_place(look, event)?, look.position_by_id(event)?)))?;
        let event = event.to_owned();
        match (by_place, by_id) {
            (Some(by_place), Some(by_id)) if by_place != by_id => {
                Err(Error::Event(EventFault::Ambiguous { event, by_place, by_id }))
            }
            (None, None) => Err(Error::Event(EventFault::NotFound { event })),
            (Some(position), _) | (None, Some(position)) => Ok(position),
        }
    }

    /// The event with this id, its own or the one that it is known by: also where it has been removed.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn event_by_id(&self, id: &str) -> Result<Option<EventEntry>, Error> {
        self.look(|look| match look.position_by_id(id)? {
            Some(position) => Ok(look.event_facts(&[position])?.pop()),
            None => Ok(None),
        })
    }

    /// What [`Store::redact`] would take from events. Those that have nothing that it takes are left out.
    ///
    /// # Errors
    ///
    /// As for that.
    pub fn redactable(
        &self,
        positions: &[Position],
        redaction: Redaction,
    ) -> Result<Vec<Redacted>, Error> {
        let (mut redacted, streams, facts) = self.look(|look| {
            let redacted = redactions(look.event_facts(positions)?, redaction)?;
            let streams: Vec<StreamName> = redacted.iter().map(|one| one.stream.clone()).collect();
            let facts = look.stream_facts(&streams)?;
            Ok((redacted, streams, facts))
        })?;
        let with_state = streams.into_iter().zip(facts).filter(|(_, facts)| facts.has_state);
        if !redaction.keeps_states {
            note_states(&mut redacted, with_state.map(|(stream, _)| stream).collect());
        }
        Ok(redacted)
    }

    /// Redacts events, in one transaction, and records that in the stream `$ream` with a reason, which stays:
    /// data and metadata go, and place, type, time, tags, link and payload hash stay, so that the chain holds. The states
    /// of their streams, which may say what the events said, go as well, unless they are kept; and the tags, where they
    /// are taken.
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
        redaction: Redaction,
    ) -> Result<Removal<Redacted>, Error> {
        let removed = self.act(|tx| {
            let mut redacted = redactions(tx.look().event_facts(positions)?, redaction)?;
            let positions: Vec<Position> = redacted.iter().map(|one| one.position).collect();
            tx.redact(&positions, redaction.takes_tags)?;
            let mut acts: Vec<Act> =
                redacted.iter().map(|one| Act::redaction(one, reason)).collect();
            if !redaction.keeps_states {
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

/// The position of the event that is called by its position, or by `STREAM@N` for a version of a stream.
fn by_place(look: &dyn Look, event: &str) -> Result<Option<Position>, Error> {
    if let Ok(position) = event.parse() {
        let Position(head) = look.head()?.position;
        return Ok((1..=head).contains(&position).then_some(Position(position)));
    }
    let Some((stream, version)) = event.rsplit_once('@') else { return Ok(None) };
    let Ok(version) = version.parse() else { return Ok(None) };
    Ok(look.position_of(stream, Version(version))?.0.filter(|place| place.0 > 0))
}

/// Notes the states that go, each once, at the first event of its stream.
fn note_states(redacted: &mut [Redacted], mut dropped: HashSet<StreamName>) {
    for one in redacted {
        one.state = dropped.remove(&one.stream);
    }
}
