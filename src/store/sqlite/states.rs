//! Which states there are.

use rusqlite::{Connection, Row, params_from_iter};

use super::keys::{bounds, in_order, near_in};
use super::state_rows::{COLUMNS, StateRow};
use super::stream_index::StreamRow;
use crate::event::{Pattern, StreamName, Version};
use crate::store::StateEntry;

/// At most `limit` states of the streams that `pattern` chooses, by name, those behind `after`.
pub(super) fn states(
    connection: &Connection,
    pattern: &Pattern,
    after: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Vec<StateEntry>> {
    let lower = pattern.prefix().max(after.unwrap_or_default());
    let select = format!("SELECT {COLUMNS} FROM states");
    let whole = |row: &Row<'_>| StateRow::read(row).map(drop);
    let mut statement = in_order(connection, &select, "stream", lower, whole)?;
    let mut rows = statement.query(params_from_iter(bounds(lower)))?;
    let mut states = Vec::new();
    while states.len() < limit
        && let Some(row) = rows.next()?
    {
        let StateRow { stream, version, data, .. } = StateRow::read(row)?;
        if !stream.starts_with(pattern.prefix()) {
            break;
        }
        if pattern.matches(stream) && after != Some(stream) {
            states.push(StateEntry {
                stream: StreamName::stored(stream),
                version,
                stream_version: Version(StreamRow::read(connection, stream)?.version),
                bytes: data.len() as u64,
            });
        }
    }
    Ok(states)
}

/// Gives the stream of each state to `each`.
pub(super) fn each_stream(
    connection: &Connection,
    each: &mut dyn FnMut(&str),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM states"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        each(StateRow::read(row)?.stream);
    }
    Ok(())
}

/// The streams with a state whose names are nearest to `name`, or begin with it.
pub(super) fn near_names(connection: &Connection, name: &str) -> rusqlite::Result<Vec<String>> {
    near_in(connection, "SELECT stream FROM states LIMIT ?1", name)
}
