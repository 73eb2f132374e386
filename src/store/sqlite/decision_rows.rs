//! Decisions that are remembered, a row each.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::event_row::{COLUMNS as EVENT_COLUMNS, Fields, missing};
use super::failure::{Failure, damaged};
use super::keys::check_around;
use super::stream_index::{StreamRow, pack, unpack};
use crate::event::{EventId, Position, StreamName, Version};
use crate::store::chain::{Salt, command_hash};
use crate::store::hash::{Hash, sum};
use crate::store::rules::{DecisionChange, Kept, KnownDecision};
use crate::store::{Decided, DecidedEvent};

/// Keeps the answer to a command.
pub(super) fn store(
    connection: &Connection,
    decision: &DecisionChange<'_>,
) -> rusqlite::Result<()> {
    let DecisionChange { kept: Kept { id, query, command, salt }, stream, .. } = *decision;
    let (mut packed, mut before) = (Vec::new(), 0);
    for position in &decision.positions {
        pack(&mut packed, before, position.0);
        before = position.0;
    }
    let hash = command_hash(salt, query, command);
    let (stream, version) = stream.unzip();
    let row = DecisionRow { id, stream, version, positions: &packed, command: Some((salt, &hash)) };
    let (version, sum) = (version.map(|version| version.0), row.sum());
    let mut statement =
        connection.prepare_cached("INSERT INTO decisions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    statement.execute(params![id, stream, version, sum, packed, salt, hash])?;
    Ok(())
}

/// The decision that is kept under the id of a command.
pub(super) fn find(
    connection: &Connection,
    kept: &Kept<'_>,
) -> Result<Option<KnownDecision>, Failure> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM decisions WHERE id = ?1"))?;
    let mut rows = statement.query([kept.id])?;
    let Some(row) = rows.next()? else {
        let select = format!("SELECT {COLUMNS} FROM decisions");
        check_around(connection, &select, "id", kept.id, |row| DecisionRow::read(row).map(drop))?;
        return Ok(None);
    };
    let DecisionRow { stream, version, positions, command, .. } = DecisionRow::read(row)?;
    // What was removed can't be compared any more, but for its stream.
    let same =
        command.is_none_or(|(salt, hash)| *hash == command_hash(salt, kept.query, kept.command));
    let select = format!("SELECT {EVENT_COLUMNS} FROM events WHERE position = ?1");
    let mut read = connection.prepare_cached(&select)?;
    let events = unpack(positions).map(|position| {
        let found = read.query_row([position], |row| {
            let fields = Fields::read(row)?;
            let Fields { position, version, link, id, .. } = fields;
            let (stream, id) = (StreamName::stored(fields.stream), id.map(EventId::stored));
            let mut event = DecidedEvent::found(stream, (position, version), link, id);
            event.appended.removed = fields.event_type.is_none();
            event.appended.redacted = fields.is_redacted();
            Ok(event)
        });
        found.optional()?.ok_or_else(|| missing(position))
    });
    let events = events.collect::<rusqlite::Result<Vec<_>>>()?;
    // Its command is forgotten with one of its events that is redacted, too.
    let removed = command.is_none() && !events.iter().any(|event| event.appended.redacted);
    let version = version.unwrap_or_default();
    let decided = Decided { version, events, duplicate: true, removed };
    Ok(Some(KnownDecision { stream: stream.map(Into::into), same, decided }))
}

/// What a decision is read from.
pub(super) const COLUMNS: &str = "id, stream, version, sum, positions, salt, command";

/// A row of [`COLUMNS`].
pub(super) struct DecisionRow<'r> {
    id: &'r str,
    pub(super) stream: Option<&'r str>,
    pub(super) version: Option<Version>,
    pub(super) positions: &'r [u8],
    /// The salted hash of the command, until the stream is removed.
    command: Option<(&'r Salt, &'r Hash)>,
}

impl<'r> DecisionRow<'r> {
    /// The row as it was written.
    pub(super) fn read(row: &'r Row<'_>) -> rusqlite::Result<Self> {
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
            fields.optional_number(self.version.map(|version| version.0));
            fields.bytes(self.positions);
            fields.optional(self.command, |fields, (salt, hash)| {
                fields.raw(salt);
                fields.raw(hash);
            });
        })
    }
}

/// Removes the decisions that an event behind `end` belongs to, or that took their stream further than it is now;
/// how many.
pub(super) fn end_at(connection: &Connection, end: u64) -> Result<u64, Failure> {
    let mut read = connection.prepare(&format!("SELECT {COLUMNS} FROM decisions"))?;
    let mut rows = read.query([])?;
    let mut behind: Vec<String> = Vec::new();
    while let Some(row) = rows.next()? {
        let decision = DecisionRow::read(row)?;
        let last = unpack(decision.positions).last().unwrap_or_default();
        let is_behind = last > end
            || match (decision.stream, decision.version) {
                (Some(stream), Some(version)) => {
                    version.0 > StreamRow::read(connection, stream)?.version
                }
                _ => false,
            };
        if is_behind {
            behind.push(decision.id.to_owned());
        }
    }
    drop(rows);
    let mut delete = connection.prepare("DELETE FROM decisions WHERE id = ?1")?;
    for id in &behind {
        delete.execute([id])?;
    }
    Ok(behind.len() as u64)
}

/// Forgets which commands the decisions on these streams were about, in one pass.
pub(super) fn forget(connection: &Connection, names: &[&str]) -> Result<(), Failure> {
    let names: HashSet<&str> = names.iter().copied().collect();
    let mut stream_of = connection.prepare("SELECT stream FROM events WHERE position = ?1")?;
    forget_where(connection, |decision| {
        if let Some(stream) = decision.stream {
            return Ok(names.contains(stream));
        }
        // One that was made on a boundary may have decided on events of any stream.
        for position in unpack(decision.positions) {
            let mut rows = stream_of.query([position])?;
            if let Some(row) = rows.next()?
                && names.contains(row.get_ref(0)?.as_str()?)
            {
                return Ok(true);
            }
        }
        Ok(false)
    })
}

/// The same of the decisions that decided one of these events.
pub(super) fn forget_of(connection: &Connection, positions: &[Position]) -> Result<(), Failure> {
    let positions: HashSet<u64> = positions.iter().map(|position| position.0).collect();
    forget_where(connection, |decision| {
        Ok(unpack(decision.positions).any(|position| positions.contains(&position)))
    })
}

fn forget_where(
    connection: &Connection,
    mut is_meant: impl FnMut(&DecisionRow<'_>) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let mut read =
        connection.prepare(&format!("SELECT {COLUMNS} FROM decisions WHERE salt IS NOT NULL"))?;
    let mut rows = read.query([])?;
    let mut forgotten: Vec<(String, i64)> = Vec::new();
    while let Some(row) = rows.next()? {
        let mut decision = DecisionRow::read(row)?;
        if is_meant(&decision)? {
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
