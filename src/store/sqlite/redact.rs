//! Redacting events, and finding them by what people call them.

use rusqlite::{Connection, OptionalExtension as _, ToSql};

use super::decision_rows;
use super::event_row::{COLUMNS, Fields};
use super::failure::Failure;
use super::keys::check_around;
use super::remove::{Eraser, Erasure, forget_what_quotes};
use super::transaction::Transaction;
use crate::event::{Position, StreamName, position_in};
use crate::store::{Error, EventEntry, EventFault};
use crate::wire::write_derived_id;

/// What the store says about events, each of which has to be there.
pub(super) fn facts(
    connection: &Connection,
    positions: &[Position],
) -> Result<Vec<EventEntry>, Failure> {
    let found = positions.iter().map(|position| {
        let found = one(connection, "position = ?1", position.0, |fields| EventEntry {
            position: fields.position,
            stream: StreamName::stored(fields.stream),
            version: fields.version,
            removed: fields.event_type.is_none(),
            redacted: fields.is_redacted(),
            tagged: fields.tags.is_some(),
            id: id_of(fields),
        })?;
        let missing = || Error::Event(EventFault::NotFound { event: position.to_string() });
        found.ok_or_else(|| missing().into())
    });
    found.collect()
}

/// Erases data and metadata of events, their tags where they are taken, and what quotes them.
pub(super) fn redact(
    transaction: &mut Transaction<'_>,
    positions: &[Position],
    takes_tags: bool,
) -> Result<(), Failure> {
    let connection = transaction.connection();
    let mut eraser = Eraser::new(connection)?;
    for position in positions {
        eraser.erase(position.0, Erasure::Redaction { takes_tags }, |_| Ok(()))?;
    }
    drop(eraser);
    decision_rows::forget_of(connection, positions)?;
    if positions.is_empty() { Ok(()) } else { forget_what_quotes(transaction) }
}

pub(super) fn by_id(connection: &Connection, id: &str) -> rusqlite::Result<Option<Position>> {
    if let Some((prefix, position)) = position_in(id) {
        let condition = "position = ?1 AND id IS NULL";
        let link = one(connection, condition, position.0, |fields| fields.link)?;
        if link.is_some_and(|link| link.prefix() == prefix.as_bytes()) {
            return Ok(Some(position));
        }
    }
    let found = one(connection, "id = ?1", id, |fields| fields.position)?;
    if found.is_none() {
        let select = format!("SELECT {COLUMNS} FROM events");
        check_around(connection, &select, "id", id, |row| Fields::read(row).map(drop))?;
    }
    Ok(found)
}

fn id_of(fields: &Fields<'_>) -> String {
    if let Some(id) = fields.id {
        return id.to_owned();
    }
    let mut id = Vec::new();
    write_derived_id(&mut id, &fields.link, fields.position);
    String::from_utf8_lossy(&id).into_owned()
}

/// What is made of the event that meets a condition.
fn one<T>(
    connection: &Connection,
    condition: &str,
    key: impl ToSql,
    make: impl FnOnce(&Fields<'_>) -> T,
) -> rusqlite::Result<Option<T>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM events WHERE {condition}"))?;
    statement.query_row([key], |row| Ok(make(&Fields::read(row)?))).optional()
}
