//! An event in a row of the table of events.

use rusqlite::Row;

use super::failure::{damaged, reason};
use super::payload::{shown_json, shown_payload};
use crate::event::{EventRef, Position, Timestamp, Version};

/// What an event is read from.
pub(super) const COLUMNS: &str =
    "position, stream, version, recorded, id, type, time, data, metadata";

/// The event in a row of [`COLUMNS`]; `None` where it is removed.
#[inline]
pub(super) fn event<'r>(
    row: &'r Row<'_>,
    store_id: &'r str,
) -> rusqlite::Result<Option<EventRef<'r>>> {
    parts(row, store_id).map_err(|error| unreadable(row, &error))
}

#[inline]
fn parts<'r>(row: &'r Row<'_>, store_id: &'r str) -> rusqlite::Result<Option<EventRef<'r>>> {
    let Some(event_type) = row.get_ref(5)?.as_str_or_null()? else { return Ok(None) };
    let recorded: Timestamp = row.get(3)?;
    Ok(Some(EventRef {
        position: Position(row.get(0)?),
        stream: row.get_ref(1)?.as_str()?,
        version: Version(row.get(2)?),
        given_id: row.get_ref(4)?.as_str_or_null()?,
        store_id,
        event_type,
        time: row.get::<_, Option<Timestamp>>(6)?.unwrap_or(recorded),
        recorded,
        data: shown_payload(row, 7)?,
        metadata: shown_json(row, 8)?,
    }))
}

/// That a row is not an event that ream wrote.
#[cold]
fn unreadable(row: &Row<'_>, error: &rusqlite::Error) -> rusqlite::Error {
    let position = row.get::<_, i64>(0).unwrap_or_default();
    let what = format!("the event at position {position} can't be read: {}", reason(error));
    damaged(what)
}
