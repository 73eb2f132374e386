//! One event in one snapshot: whether what leads to it says the same as it does.
//!
//! Events and indexes are not looked at in one moment, and an event may be removed in between. So where they do
//! not agree it is looked at them once more, together.

use rusqlite::{Connection, OptionalExtension as _};

use super::cells;
use crate::event::{TagsRef, Version};
use crate::store::sqlite::event_row::{COLUMNS, Fields};
use crate::store::sqlite::failure::{Failure, damage};
use crate::store::sqlite::stream_index::{StreamRow, position_of};
use crate::store::verify::{Finding, FindingKind};

/// What is wrong with what leads to the event at `position`, of which `left` is left over.
pub(super) fn look(
    connection: &Connection,
    position: u64,
    left: u64,
) -> Result<Option<Finding>, Failure> {
    let select = format!("SELECT {COLUMNS} FROM events WHERE position = ?1");
    let mut statement = connection.prepare_cached(&select)?;
    let mut rows = statement.query([position])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    // What is wrong with the event itself was found before.
    let Ok(fields) = Fields::read(row) else { return Ok(None) };
    let what = match listed(connection, &fields) {
        Some(what) => Some(what),
        None => named(connection, &fields)?,
    };
    // A removal in between is seen by one side alone.
    let stream = cells::stream(fields.stream);
    let [kept, removed] =
        [false, true].map(|removed| cells::version(stream, fields.version.0, removed));
    let what = match what {
        None if left == 0 || left == kept ^ removed => return Ok(None),
        None => "an index leads to it from another stream, version, id or tag".into(),
        Some(what) => what,
    };
    let finding = Finding::new(FindingKind::Index, what).at(position);
    Ok(Some(finding.of(fields.stream, Some(fields.version))))
}

/// What is wrong with how its stream lists the event.
fn listed(connection: &Connection, fields: &Fields<'_>) -> Option<String> {
    let Fields { stream, version, .. } = *fields;
    let row = match StreamRow::read(connection, stream) {
        Ok(row) => row,
        Err(error) => return Some(damage(&error)),
    };
    if row.version < version.0 {
        return Some(format!("its stream ends at version {}", row.version));
    }
    match position_of(connection, stream, &row, version) {
        Err(error) => return Some(damage(&error)),
        Ok(listed) if listed != fields.position.0 => {
            return Some(format!("its stream lists this version at position {listed}"));
        }
        Ok(_) => {}
    }
    let (removed, says) = (fields.event_type.is_none(), version <= Version(row.removed));
    match (removed, says) {
        (true, false) => Some("it is removed, and its stream does not say so".into()),
        (false, true) => Some("its stream says that it is removed".into()),
        _ => None,
    }
}

/// What is wrong with how the event is found by its id or its tags.
fn named(connection: &Connection, fields: &Fields<'_>) -> Result<Option<String>, Failure> {
    if let Some(id) = fields.id {
        let mut statement = connection
            .prepare_cached("SELECT position FROM events INDEXED BY events_id WHERE id = ?1")?;
        let found: Option<u64> = statement.query_row([id], |row| row.get(0)).optional()?;
        if found != Some(fields.position.0) {
            return Ok(Some("it is not found by its id".into()));
        }
    }
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM tags WHERE tag = ?1 AND position = ?2")?;
    for tag in TagsRef::stored(fields.tags).iter() {
        if !statement.exists((tag, fields.position.0))? {
            return Ok(Some(format!("it is not found by its tag `{tag}`")));
        }
    }
    Ok(None)
}
