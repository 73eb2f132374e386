//! Decisions: what they are made of, how they are stored, and those that are remembered.

use std::collections::HashSet;
use std::ops::ControlFlow;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::append::append_together;
use super::event_row::{COLUMNS, Fields, check_listed, event, missing};
use super::failure::{Failure, damaged};
use super::lock::Queue;
use super::missing::check_around;
use super::state_rows::{self, Stored};
use super::stream_index::{Listed, StreamRow, list_positions, position_of};
use super::transaction::{Transaction, check_expectation};
use super::{Store, Turn, positions};
use crate::event::{Command, Data, EventId, Expect, Position, StreamName, Version};
use crate::store::chain::{Salt, command_hash};
use crate::store::hash::Hash;
use crate::store::sum::sum;
use crate::store::{Aggregate, Decided, DecidedEvent, Decision, Error, SealedEvent, Sealer};

/// How many bytes of state and events a decision is made of.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// How many events; in a line of their own each has more bytes than these are a part of.
const MOST_EVENTS: usize = MOST_BYTES / 64;

impl Store {
    pub(crate) fn load(&self, name: &StreamName) -> Result<Aggregate, Error> {
        self.look(|connection| load(connection, name))
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

fn load(connection: &Connection, name: &StreamName) -> Result<Aggregate, Failure> {
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
    let all = list_positions(connection, name.as_str(), &row, from, |one| {
        listed.push(one);
        if listed.len() > MOST_EVENTS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if !all {
        return Err(too_large());
    }
    let mut read =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM events WHERE position = ?1"))?;
    let mut bytes = state.as_ref().map_or(0, Data::len);
    let mut events = Vec::new();
    for Listed { position, version } in listed {
        let found = read.query_row([position], |row| {
            check_listed(row, name.as_str(), version)?;
            Ok(event(row)?.map(|event| event.to_event()))
        });
        if let Some(event) = found.optional()?.ok_or_else(|| missing(position))? {
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
        connection.prepare_cached("INSERT INTO decisions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    let hash = command_hash(salt, command.data.as_str());
    let row = DecisionRow {
        id: id.as_str(),
        stream: Some(command.stream.as_str()),
        version: Some(decided.version),
        positions: &packed,
        command: Some((salt, &hash)),
    };
    let (version, sum) = (decided.version.0, row.sum());
    statement.execute(params![row.id, row.stream, version, sum, packed, salt, hash])?;
    Ok(())
}

/// The answer that is kept under the id of the command.
fn find(connection: &Connection, command: &Command) -> Result<Option<Decided>, Failure> {
    let Some(id) = &command.id else { return Ok(None) };
    let mut statement = connection
        .prepare_cached(&format!("SELECT {DECISION_COLUMNS} FROM decisions WHERE id = ?1"))?;
    let mut rows = statement.query([id.as_str()])?;
    let Some(row) = rows.next()? else {
        let select = format!("SELECT {DECISION_COLUMNS} FROM decisions");
        check_around(connection, &select, "id", id.as_str(), |row| {
            DecisionRow::read(row).map(drop)
        })?;
        return Ok(None);
    };
    let DecisionRow { stream, version, positions, command: about, .. } = DecisionRow::read(row)?;
    // What was removed can't be compared any more, but for its stream.
    let same = about.is_none_or(|(salt, hash)| *hash == command_hash(salt, command.data.as_str()));
    let version = version.unwrap_or_default();
    if stream != Some(command.stream.as_str()) || !same {
        let (id, stream) = (id.to_string(), stream.unwrap_or_default().to_owned());
        return Err(Error::DecisionIdReused { id, stream, version }.into());
    }
    let mut read =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM events WHERE position = ?1"))?;
    let removed = about.is_none();
    let events = positions::unpack(positions).map(|position| {
        let found = read.query_row([position], |row| {
            let Fields { position, version, link, id, .. } = Fields::read(row)?;
            let mut event = DecidedEvent::found(position, version, link, id.map(EventId::stored));
            event.appended.removed = removed;
            Ok(event)
        });
        found.optional()?.ok_or_else(|| missing(position))
    });
    let events = events.collect::<rusqlite::Result<_>>()?;
    Ok(Some(Decided { version, events, duplicate: true, removed }))
}

/// What a decision is read from.
const DECISION_COLUMNS: &str = "id, stream, version, sum, positions, salt, command";

/// A row of [`DECISION_COLUMNS`].
struct DecisionRow<'r> {
    id: &'r str,
    stream: Option<&'r str>,
    version: Option<Version>,
    positions: &'r [u8],
    /// The salted hash of the command, until the stream is removed.
    command: Option<(&'r Salt, &'r Hash)>,
}

impl<'r> DecisionRow<'r> {
    /// The row as it was written.
    fn read(row: &'r Row<'_>) -> rusqlite::Result<Self> {
        let id = row.get_ref(0)?.as_str()?;
        let (salt, hash) = (row.get_ref(5)?.as_blob_or_null()?, row.get_ref(6)?.as_blob_or_null()?);
        let read = Self {
            id,
            stream: row.get_ref(1)?.as_str_or_null()?,
            version: row.get::<_, Option<u64>>(2)?.map(Version),
            positions: row.get_ref(4)?.as_blob()?,
            command: salt
                .zip(hash)
                .and_then(|(salt, hash)| Some((salt.try_into().ok()?, hash.try_into().ok()?))),
        };
        if row.get::<_, i64>(3)? != read.sum() || salt.is_some() != read.command.is_some() {
            return Err(damaged(format!("the decision `{id}` is not what was stored")));
        }
        Ok(read)
    }

    fn sum(&self) -> i64 {
        sum(|fields| {
            fields.text(self.id);
            fields.optional_text(self.stream);
            fields.optional(self.version, |fields, version| fields.number(version.0));
            fields.bytes(self.positions);
            fields.optional(self.command, |fields, (salt, hash)| {
                fields.raw(salt);
                fields.raw(hash);
            });
        })
    }
}

/// Forgets which commands the decisions on these streams were about, in one pass.
pub(super) fn forget(connection: &Connection, names: &[&str]) -> Result<(), Failure> {
    let names: HashSet<&str> = names.iter().copied().collect();
    let mut read = connection
        .prepare(&format!("SELECT {DECISION_COLUMNS} FROM decisions WHERE salt IS NOT NULL"))?;
    let mut rows = read.query([])?;
    let mut forgotten: Vec<(String, i64)> = Vec::new();
    while let Some(row) = rows.next()? {
        let mut decision = DecisionRow::read(row)?;
        if decision.stream.is_some_and(|stream| names.contains(stream)) {
            decision.command = None;
            forgotten.push((decision.id.to_owned(), decision.sum()));
        }
    }
    drop(rows);
    let mut write = connection
        .prepare("UPDATE decisions SET salt = NULL, command = NULL, sum = ?2 WHERE id = ?1")?;
    for (id, sum) in forgotten {
        write.execute(params![id, sum])?;
    }
    Ok(())
}
