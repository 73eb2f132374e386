//! Decisions: what they are made of, how they are stored, and those that are remembered.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::append::append_together;
use super::event_row::{COLUMNS, event};
use super::failure::Failure;
use super::lock::Queue;
use super::state_rows::{self, Stored};
use super::stream_index::StreamRow;
use super::stream_index::{list_positions, position_of};
use super::transaction::{Transaction, check_expectation};
use super::{Store, Turn, positions};
use crate::event::{Command, Data, EventId, Expect, Position, StreamName, Version};
use crate::store::chain::{Salt, command_hash};
use crate::store::{Aggregate, Decided, DecidedEvent, Decision, Error, SealedEvent, Sealer};

/// How many bytes of state and events a decision is made of.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// How many events; in a line of their own each has more bytes than these are a part of.
const MOST_EVENTS: usize = MOST_BYTES / 64;

impl Store {
    pub(crate) fn load(&self, name: &StreamName) -> Result<Aggregate, Error> {
        self.look(|connection| load(connection, &self.marker.id, name))
    }

    pub(crate) fn decided(&mut self, command: &Command) -> Result<Option<Decided>, Error> {
        if command.id.is_none() || self.look(|connection| find(connection, command))?.is_none() {
            return Ok(None);
        }
        // Who made the decision may have died before the log was synced, and its answer was never
        // given. Ours needs a commit that syncs.
        self.write(false, |transaction| find(transaction.connection(), command))
    }

    pub(crate) fn save(
        &mut self,
        decision: &Decision,
        command: &Command,
    ) -> Result<Decided, Error> {
        decision.check()?;
        if decision.is_empty() && command.id.is_none() {
            return Ok(decided(decision.version, Vec::new()));
        }
        let max = self.marker.max_data_bytes;
        if let Some(bytes) = decision.state.as_ref().map(Data::len).filter(|bytes| *bytes > max) {
            return Err(Error::TooLarge { bytes, max });
        }
        let mut sealer = Sealer::new()?;
        let events = seal(decision, &mut sealer);
        if let Some(stopped) = self.first_refused(&events) {
            return Err(stopped.error);
        }
        let salt = sealer.draw();
        self.write(events.len() > 1, |transaction| {
            if let Some(decided) = find(transaction.connection(), command)? {
                return Ok(decided);
            }
            let decided = store(transaction, decision, &events)?;
            if let Some(id) = &command.id {
                remember(transaction.connection(), id, command, &decided, &salt)?;
            }
            Ok(decided)
        })
    }

    /// A turn to decide; none where others kept theirs for too long, or there can be none.
    pub(crate) fn queue(&mut self, name: &StreamName) -> Result<Option<Turn>, Error> {
        let returning = std::mem::replace(&mut self.has_decided, true);
        let mut queue = Queue::of_deciders(&self.layout, name.as_str(), returning);
        let entered = match queue.enter(&self.options) {
            // The first decider of a store makes the directory.
            Err(Error::Io { .. }) => self
                .layout
                .place
                .make_directory("deciders")
                .and_then(|()| queue.enter(&self.options)),
            entered => entered,
        };
        match entered {
            Err(error @ (Error::Interrupted | Error::Place { .. })) => Err(error),
            entered => Ok(entered.ok()),
        }
    }
}

fn load(connection: &Connection, store_id: &str, name: &StreamName) -> Result<Aggregate, Failure> {
    let row = StreamRow::read(connection, name.as_str())?;
    let stored = state_rows::stored(connection, name.as_str())?;
    let (state, state_version, after) = match stored {
        Some(Stored { version, position, data, .. }) => (Some(data), version, position.0),
        None => (None, Version(0), 0),
    };
    let too_large = || {
        let stream = name.to_string();
        Failure::Refused(Error::AggregateTooLarge { stream, state_version, max: MOST_BYTES })
    };
    let mut listed = Vec::new();
    let from = (state_version, after);
    if !list_positions(connection, name.as_str(), &row, from, &mut listed, MOST_EVENTS)? {
        return Err(too_large());
    }
    let mut read =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM events WHERE position = ?1"))?;
    let mut bytes = state.as_ref().map_or(0, Data::len);
    let mut events = Vec::new();
    for position in listed {
        let event = read
            .query_row([position], |row| Ok(event(row, store_id)?.map(|event| event.to_event())))?;
        if let Some(event) = event {
            bytes +=
                event.data.len() + event.metadata.as_ref().map_or(0, |json| json.as_str().len());
            events.push(event);
        }
        if bytes > MOST_BYTES {
            return Err(too_large());
        }
    }
    let version = Version(row.version);
    Ok(Aggregate { stream: name.clone(), version, state, state_version, events })
}

/// The events as they follow on the version that the decision was made of, the last one with the
/// state.
fn seal(decision: &Decision, sealer: &mut Sealer) -> Vec<SealedEvent> {
    let last = decision.events.len().saturating_sub(1);
    let events = decision.events.iter().enumerate().map(|(index, event)| {
        let mut event = event.clone();
        event.expect = if index == 0 { Expect::At(decision.version) } else { Expect::Continues };
        if index == last && decision.state.is_some() {
            event.state.clone_from(&decision.state);
        }
        sealer.seal(event)
    });
    events.collect()
}

/// Stores events and state in a transaction.
fn store(
    transaction: &mut Transaction<'_>,
    decision: &Decision,
    events: &[SealedEvent],
) -> Result<Decided, Failure> {
    if !events.is_empty() {
        let appended = append_together(transaction, events)?.map_err(|stopped| stopped.error)?;
        let ids = events.iter().map(|event| event.event().id.clone());
        let version = appended.last().map_or(decision.version, |last| last.version);
        let events = appended.into_iter().zip(ids);
        let events = events.map(|(appended, id)| DecidedEvent { appended, id });
        return Ok(decided(version, events.collect()));
    }
    let (name, version) = (decision.stream.as_str(), decision.version);
    let row = transaction.stream(name)?.clone();
    check_expectation(name, Expect::At(version), &row, None)?;
    if let Some(state) = &decision.state {
        let connection = transaction.connection();
        let position = Position(position_of(connection, name, &row, version)?);
        state_rows::store(connection, name, version, position, state.borrow())?;
    }
    Ok(decided(version, Vec::new()))
}

fn decided(version: Version, events: Vec<DecidedEvent>) -> Decided {
    Decided { version, events, duplicate: false, removed: false }
}

/// Keeps the answer to a command.
fn remember(
    connection: &Connection,
    id: &EventId,
    command: &Command,
    decided: &Decided,
    salt: &Salt,
) -> rusqlite::Result<()> {
    let (mut packed, mut before) = (Vec::new(), 0);
    for DecidedEvent { appended, .. } in &decided.events {
        positions::push(&mut packed, before, appended.position.0);
        before = appended.position.0;
    }
    let mut statement =
        connection.prepare_cached("INSERT INTO decisions VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    statement.execute(params![
        id.as_str(),
        command.stream.as_str(),
        decided.version.0,
        packed,
        salt,
        command_hash(salt, command.data.as_str()),
    ])?;
    Ok(())
}

/// The answer that is kept under the id of the command.
fn find(connection: &Connection, command: &Command) -> Result<Option<Decided>, Failure> {
    let Some(id) = &command.id else { return Ok(None) };
    let mut statement = connection.prepare_cached(
        "SELECT stream, version, positions, salt, command FROM decisions WHERE id = ?1",
    )?;
    let mut rows = statement.query([id.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (stream, version) = (row.get_ref(0)?.as_str()?, Version(row.get(1)?));
    // What was removed can't be compared any more, but for its stream.
    let salt: Option<Salt> = row.get(3)?;
    let same = match &salt {
        Some(salt) => row.get_ref(4)?.as_blob()? == command_hash(salt, command.data.as_str()),
        None => true,
    };
    if stream != command.stream.as_str() || !same {
        let (id, stream) = (id.to_string(), stream.to_owned());
        return Err(Error::DecisionIdReused { id, stream, version }.into());
    }
    let mut read =
        connection.prepare_cached("SELECT version, id FROM events WHERE position = ?1")?;
    let removed = salt.is_none();
    let events = positions::unpack(row.get_ref(2)?.as_blob()?).map(|position| {
        read.query_row([position], |row| {
            let id = row.get_ref(1)?.as_str_or_null()?.map(EventId::stored);
            let mut event = DecidedEvent::found(Position(position), Version(row.get(0)?), id);
            event.appended.removed = removed;
            Ok(event)
        })
    });
    let events = events.collect::<rusqlite::Result<_>>()?;
    Ok(Some(Decided { version, events, duplicate: true, removed }))
}

/// Forgets which commands the decisions on these streams were about, in one pass.
pub(super) fn forget(connection: &Connection, names: &[&str]) -> Result<(), Failure> {
    let names: HashSet<&str> = names.iter().copied().collect();
    let mut read = connection.prepare("SELECT id, stream FROM decisions WHERE salt IS NOT NULL")?;
    let mut rows = read.query([])?;
    let mut ids: Vec<String> = Vec::new();
    while let Some(row) = rows.next()? {
        if names.contains(row.get_ref(1)?.as_str()?) {
            ids.push(row.get(0)?);
        }
    }
    drop(rows);
    let mut write =
        connection.prepare("UPDATE decisions SET salt = NULL, command = NULL WHERE id = ?1")?;
    for id in ids {
        write.execute([id])?;
    }
    Ok(())
}
