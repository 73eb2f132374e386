//! What a transaction does for the verbs: it gathers facts, and does what the rules made of them.

use super::failure::{Failure, failure};
use super::stream_index::{StreamRow, position_of};
use super::transaction::Transaction;
use super::view::View;
use super::{decision_rows, redact, registry, remove, settings, state_rows, truncate};
use crate::event::{Position, StreamName};
use crate::store::engine::Tx;
use crate::store::look::Look;
use crate::store::rules::names::Name;
use crate::store::rules::{Beside, Changes, Facts, Setting, StateChange, StreamFacts, Unit};
use crate::store::{Error, Removed, SealedEvent, Truncated};

impl Tx for Transaction<'_> {
    fn look(&self) -> Box<dyn Look + '_> {
        let Self { connection, layout, .. } = *self;
        Box::new(View { connection, layout, id: self.id, knows_lists: &self.knows_lists })
    }

    fn facts(&mut self, units: &[Unit<'_>]) -> Result<Facts, Error> {
        let facts = self.gather(units);
        facts.map_err(|failed| failed.into_error(self.layout, "read the store"))
    }

    fn apply(&mut self, changes: &Changes<'_>) -> Result<(), Error> {
        let done = self.carry_out(changes);
        done.map_err(|failed| failed.into_error(self.layout, WRITE))
    }

    fn record(&mut self, records: &[SealedEvent]) -> Result<(), Error> {
        let done = records.iter().try_for_each(|record| self.insert(record));
        done.map_err(|failed| failed.into_error(self.layout, WRITE))
    }

    fn remove(&mut self, removed: &[Removed]) -> Result<(), Error> {
        let done = remove::remove(self, removed);
        done.map_err(|failed| failed.into_error(self.layout, WRITE))
    }

    fn redact(&mut self, positions: &[Position], takes_tags: bool) -> Result<(), Error> {
        let done = redact::redact(self, positions, takes_tags);
        done.map_err(|failed| failed.into_error(self.layout, WRITE))
    }

    fn truncate(&mut self, truncated: &[Truncated]) -> Result<(), Error> {
        let done = truncate::truncate(self, truncated);
        done.map_err(|failed| failed.into_error(self.layout, WRITE))
    }

    fn remove_states(&mut self, names: &[StreamName]) -> Result<Vec<StreamName>, Error> {
        let done = remove::remove_states(self, names);
        done.map_err(|failed| failed.into_error(self.layout, WRITE))
    }

    fn protect(&mut self, names: &[StreamName], protected: bool) -> Result<(), Error> {
        let done = names.iter().try_for_each(|name| self.mark_protected(name.as_str(), protected));
        done.map_err(|failed| failed.into_error(self.layout, WRITE))
    }

    fn put_setting(&mut self, setting: &Setting) -> Result<(), Error> {
        let done = settings::put(self.connection, setting);
        done.map_err(|error| failure(self.layout, WRITE, error))
    }

    fn put_name(&mut self, name: &Name) -> Result<(), Error> {
        name.put(self.connection).map_err(|error| failure(self.layout, WRITE, error))
    }
}

/// What fails where something can't be stored.
const WRITE: &str = "write to the store";

impl Transaction<'_> {
    /// What the store says about what `units` ask for.
    fn gather(&mut self, units: &[Unit<'_>]) -> Result<Facts, Failure> {
        self.streams.begin_numbers();
        let mut facts = Facts::at((self.head.position, self.head.link), self.now);
        facts.of.reserve(units.iter().map(|unit| unit.events.len() + 1).sum());
        for unit in units {
            for sealed in unit.events {
                let event = sealed.event();
                if let Some(known) = self.known(event)? {
                    facts.known.push((facts.of.len(), known));
                }
                self.ask(&mut facts, event.stream.as_str())?;
            }
            match &unit.beside {
                None => {}
                Some(Beside::Decision { on, kept, .. }) => {
                    if let Some(stream) = on.stream() {
                        self.ask(&mut facts, stream)?;
                    }
                    if let Some(kept) = kept {
                        facts.decision = decision_rows::find(self.connection, kept)?;
                    }
                }
                Some(Beside::State(asked)) => {
                    let number = self.ask(&mut facts, asked.stream)?;
                    facts.streams[number].state =
                        state_rows::stored_version(self.connection, asked.stream)?;
                }
                Some(Beside::Checkpoint { name, .. }) => {
                    facts.checkpoint = registry::checkpoint(self.connection, name.as_str())?;
                }
            }
        }
        Ok(facts)
    }

    /// Has the facts tell of one more stream; its number in them.
    fn ask(&mut self, facts: &mut Facts, name: &str) -> Result<usize, Failure> {
        let at = self.stream_at(name)?;
        let (number, is_new) = self.streams.number(at);
        if is_new {
            let StreamRow { version, removed, protected, .. } = self.streams.rows[at].1;
            let (has_state, state) = (false, None);
            facts.streams.push(StreamFacts { version, removed, protected, has_state, state });
        }
        facts.of.push(number);
        Ok(number as usize)
    }

    /// Does what the rules made of the facts that were asked for last.
    fn carry_out(&mut self, changes: &Changes<'_>) -> Result<(), Failure> {
        for stored in &changes.events {
            let at = self.streams.numbers[stored.stream as usize];
            self.insert_at(at, stored)?;
        }
        for StateChange { stream, version, position, data } in &changes.states {
            let (name, row) = &self.streams.rows[self.streams.numbers[*stream as usize]];
            let position = match position {
                Some(position) => *position,
                None => Position(position_of(self.connection, name, row, *version)?),
            };
            state_rows::store(self.connection, name, *version, position, *data)?;
        }
        if let Some(decision) = &changes.decision {
            decision_rows::store(self.connection, decision)?;
        }
        if let Some((name, checkpoint)) = changes.checkpoint {
            registry::move_checkpoint(self.connection, name.as_str(), checkpoint)?;
        }
        Ok(())
    }
}
