//! A transaction: a copy of the log, which takes its place.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::faults::Faults;
use super::log::{DecisionRow, Log, Row, StateRow, StreamRow, View};
use crate::event::{Data, EventType, Json, Position, StreamName, Tags, Timestamp, Version};
use crate::store::engine::Tx;
use crate::store::look::Look;
use crate::store::rules::names::{self, Kind, Name};
use crate::store::rules::{
    Beside, Changes, Facts, Known, Setting, StateChange, Stood, StreamFacts, Unit, is_same,
};
use crate::store::{Error, Removed, SealedEvent, Truncated};

/// A transaction that goes on.
pub(super) struct Transaction {
    pub(super) log: Log,
    pub(super) now: Timestamp,
    pub(super) faults: Faults,
    /// Whether there is something to commit.
    pub(super) changed: bool,
    /// The streams that the facts number, in their order.
    numbers: Vec<String>,
}

impl Transaction {
    pub(super) fn new(log: Log, now: Timestamp, faults: Faults) -> Self {
        // The clock of the log never goes back, whatever the system's does.
        let now = now.max(log.head().recorded);
        Self { log, now, faults, changed: false, numbers: Vec::new() }
    }

    fn read(&self) -> Result<&Log, Error> {
        self.faults.check("read the store")?;
        Ok(&self.log)
    }

    fn write(&mut self) -> Result<&mut Log, Error> {
        self.faults.check("write to the store")?;
        self.changed = true;
        Ok(&mut self.log)
    }

    fn insert(&mut self, sealed: &SealedEvent) {
        let event = sealed.event();
        let name = event.stream.as_str();
        let head = self.log.head();
        let position = head.position.next();
        let row = Arc::make_mut(self.log.streams.entry(name.to_owned()).or_default());
        row.positions.push(position.0);
        let version = Version(row.version());
        if let Some(id) = &event.id {
            self.log.ids.insert(id.to_string(), position.0);
        }
        self.log.events.push(Arc::new(Row {
            position,
            stream: event.stream.clone(),
            version,
            recorded: self.now,
            link: sealed.link(&head.link, version, self.now),
            id: event.id.clone(),
            event_type: Some(event.event_type.clone()),
            time: event.time,
            tags: event.tags.clone(),
            data: Some(event.data.clone()),
            metadata: event.metadata.clone(),
        }));
    }

    /// Erases events, to a skeleton or to what is left of one that is redacted, with its tags or without.
    fn erase(&mut self, positions: impl IntoIterator<Item = u64>, removes: bool, takes_tags: bool) {
        for position in positions {
            let index = usize::try_from(position.saturating_sub(1)).unwrap_or(usize::MAX);
            let Some(row) = self.log.events.get_mut(index) else { continue };
            let row = Arc::make_mut(row);
            (row.data, row.metadata) = (None, None);
            if takes_tags {
                row.tags = Tags::default();
            }
            if removes {
                (row.event_type, row.time) = (None, None);
            }
        }
    }

    fn row(&mut self, name: &str) -> &mut StreamRow {
        Arc::make_mut(self.log.streams.entry(name.to_owned()).or_default())
    }

    /// Forgets what may quote what was removed: how programs failed, and commands.
    fn forget(&mut self, is_meant: impl Fn(&DecisionRow) -> bool) {
        self.log.names.values_mut().for_each(|name| name.failure = None);
        for decision in self.log.decisions.values_mut().filter(|decision| is_meant(decision)) {
            Arc::make_mut(decision).command = None;
        }
    }

    /// The number of a stream in the facts, to which it is added.
    fn ask(&mut self, facts: &mut Facts, known: &mut HashMap<String, u32>, name: &str) -> usize {
        let number = match known.get(name) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
                known.insert(name.to_owned(), number);
                self.numbers.push(name.to_owned());
                facts.streams.push(StreamFacts {
                    has_state: false,
                    state: None,
                    ..self.log.facts(name)
                });
                number
            }
        };
        facts.of.push(number);
        number as usize
    }
}

impl Tx for Transaction {
    fn look(&self) -> Box<dyn Look + '_> {
        Box::new(View { log: &self.log, faults: &self.faults })
    }

    fn facts(&mut self, units: &[Unit<'_>]) -> Result<Facts, Error> {
        let head = self.read()?.head();
        self.numbers.clear();
        let mut known = HashMap::new();
        let mut facts = Facts::at((head.position, head.link), self.now);
        for unit in units {
            for event in unit.events.iter().map(SealedEvent::event) {
                let found = event.id.as_ref().and_then(|id| self.log.by_id(id.as_str()));
                if let Some(found) = found {
                    let stood = Stood {
                        stream: found.stream.as_str(),
                        event_type: found.event_type.as_ref().map(EventType::as_str),
                        data: found.data.as_ref().map(Data::borrow),
                        metadata: found.metadata.as_ref().map(Json::as_str),
                        tags: found.tags.borrow().text(),
                    };
                    let known = Known {
                        position: found.position,
                        version: found.version,
                        link: found.link,
                        stream: found.stream.as_str().into(),
                        removed: found.is_removed(),
                        redacted: found.is_redacted(),
                        same: is_same(&stood, event),
                    };
                    facts.known.push((facts.of.len(), known));
                }
                self.ask(&mut facts, &mut known, event.stream.as_str());
            }
            match &unit.beside {
                None => {}
                Some(Beside::Decision { on, kept, .. }) => {
                    if let Some(stream) = on.stream() {
                        self.ask(&mut facts, &mut known, stream);
                    }
                    if let Some(kept) = kept {
                        facts.decision = self.log.decision(kept);
                    }
                }
                Some(Beside::State(asked)) => {
                    let number = self.ask(&mut facts, &mut known, asked.stream);
                    let state = self.log.states.get(asked.stream);
                    facts.streams[number].state = state.map(|state| state.version);
                }
                Some(Beside::Checkpoint { name, .. }) => {
                    let found = self.log.names.get(&name.as_str().to_ascii_lowercase());
                    let found = names::of_kind(found, name.as_str(), Kind::Subscription);
                    facts.checkpoint =
                        found.and_then(|found| found.checkpoint).map(|at| at.position);
                }
            }
        }
        Ok(facts)
    }

    fn apply(&mut self, changes: &Changes<'_>) -> Result<(), Error> {
        let Changes { events, states, decision, checkpoint } = changes;
        let is_none = events.is_empty() && states.is_empty();
        if is_none && decision.is_none() && checkpoint.is_none() {
            return self.faults.check("write to the store");
        }
        self.write()?;
        for stored in events {
            self.insert(stored.sealed);
        }
        for StateChange { stream, version, position, data } in states {
            let name = self.numbers[*stream as usize].clone();
            let found = || Position(self.log.stream(&name).position_of(*version));
            let position = position.unwrap_or_else(found);
            let row = StateRow { version: *version, position, data: data.to_data() };
            self.log.states.insert(name, Arc::new(row));
        }
        if let Some(decision) = decision {
            let row = DecisionRow {
                stream: decision.stream.map(|(stream, version)| (stream.to_owned(), version)),
                positions: decision.positions.clone(),
                command: Some((
                    decision.kept.query.map(str::to_owned),
                    decision.kept.command.to_owned(),
                )),
            };
            self.log.decisions.insert(decision.kept.id.to_owned(), Arc::new(row));
        }
        if let Some((name, to)) = checkpoint
            && let Some(found) = self.log.names.get_mut(&name.as_str().to_ascii_lowercase())
        {
            found.checkpoint = Some(**to);
        }
        Ok(())
    }

    fn record(&mut self, records: &[SealedEvent]) -> Result<(), Error> {
        if !records.is_empty() {
            self.write()?;
            for record in records {
                self.insert(record);
            }
        }
        Ok(())
    }

    fn remove(&mut self, removed: &[Removed]) -> Result<(), Error> {
        if removed.is_empty() {
            return Ok(());
        }
        self.write()?;
        for Removed { stream, .. } in removed {
            self.log.states.remove(stream.as_str());
            let row = self.row(stream.as_str());
            row.removed = row.version();
            let positions = row.positions.clone();
            self.erase(positions, true, true);
        }
        let names: BTreeSet<&str> = removed.iter().map(|one| one.stream.as_str()).collect();
        let of: BTreeSet<Position> = {
            let rows = self.log.events.iter();
            rows.filter(|row| names.contains(row.stream.as_str())).map(|row| row.position).collect()
        };
        self.forget(|decision| match &decision.stream {
            Some((stream, _)) => names.contains(stream.as_str()),
            None => decision.positions.iter().any(|position| of.contains(position)),
        });
        Ok(())
    }

    fn redact(&mut self, positions: &[Position], takes_tags: bool) -> Result<(), Error> {
        if positions.is_empty() {
            return Ok(());
        }
        self.write()?;
        self.erase(positions.iter().map(|position| position.0), false, takes_tags);
        self.forget(|decision| decision.positions.iter().any(|one| positions.contains(one)));
        Ok(())
    }

    fn truncate(&mut self, truncated: &[Truncated]) -> Result<(), Error> {
        if truncated.is_empty() {
            return Ok(());
        }
        self.write()?;
        let mut erased = BTreeSet::new();
        for Truncated { stream, removed, .. } in truncated {
            let row = self.row(stream.as_str());
            let until = usize::try_from(removed.0).unwrap_or(usize::MAX).min(row.positions.len());
            let from = usize::try_from(row.removed).unwrap_or(usize::MAX).min(until);
            let positions = row.positions[from..until].to_vec();
            row.removed = removed.0;
            erased.extend(positions.iter().copied().map(Position));
            self.erase(positions, true, true);
        }
        self.forget(|decision| decision.positions.iter().any(|one| erased.contains(one)));
        Ok(())
    }

    fn remove_states(&mut self, names: &[StreamName]) -> Result<Vec<StreamName>, Error> {
        self.faults.check("write to the store")?;
        let mut removed = names.to_vec();
        removed.retain(|name| self.log.states.remove(name.as_str()).is_some());
        if !removed.is_empty() {
            self.changed = true;
            self.forget(|_| false);
        }
        Ok(removed)
    }

    fn protect(&mut self, names: &[StreamName], protected: bool) -> Result<(), Error> {
        self.faults.check("write to the store")?;
        for name in names {
            self.changed = true;
            self.row(name.as_str()).protected = protected;
        }
        Ok(())
    }

    fn put_setting(&mut self, setting: &Setting) -> Result<(), Error> {
        let Setting { pattern, key, value } = setting;
        let key = (pattern.clone(), (*key).to_owned());
        let settings = &mut self.write()?.settings;
        match value {
            Some(value) => settings.insert(key, value.clone()),
            None => settings.remove(&key),
        };
        Ok(())
    }

    fn put_name(&mut self, name: &Name) -> Result<(), Error> {
        let key = name.text.to_ascii_lowercase();
        self.write()?.names.insert(key, name.clone());
        Ok(())
    }
}
