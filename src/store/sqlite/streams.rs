//! Streams as they stand, their protection, and the store's vital signs.

use std::fs;

use rusqlite::{Connection, Row, params_from_iter};

use super::event_row::Head;
use super::keys::{bounds, in_order, near_in};
use super::log;
use super::stream_index::{COLUMNS, StreamRow, position_of};
use super::{Store, scrub};
use crate::event::{Pattern, Position, StreamName, Version};
use crate::store::place::ENGINE;
use crate::store::{Error, Status, Stream};

impl Store {
    pub(crate) fn status(&self) -> Result<Status, Error> {
        let (head, events, streams, erasing) = self.look(|connection| {
            let head = Head::read_whole(connection, self.id())?;
            let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM streams"))?;
            let mut rows = statement.query([])?;
            let (mut events, mut streams) = (0, 0);
            while let Some(row) = rows.next()? {
                let (name, row) = StreamRow::from_row(row)?;
                if row.exists() && !name.starts_with('$') {
                    (events, streams) = (events + row.version - row.removed, streams + 1);
                }
            }
            Ok((head, events, streams, scrub::unfinished(connection)?.is_some()))
        })?;
        Ok(Status {
            head: head.position,
            link: head.link,
            events,
            streams,
            last_recorded: (head.position > Position(0)).then_some(head.recorded),
            bytes: fs::symlink_metadata(&self.layout.database).map_or(0, |metadata| metadata.len()),
            wal_bytes: log::wal_bytes(&self.layout),
            erasing,
            format: self.marker.format,
            engine: ENGINE,
            engine_version: rusqlite::version().into(),
            id: self.marker.id.clone(),
            max_data_bytes: self.marker.max_data_bytes as u64,
        })
    }
}

/// At most `limit` streams that hold an event and that `pattern` chooses, by name, those behind `after`.
pub(super) fn streams(
    connection: &Connection,
    pattern: &Pattern,
    after: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Vec<Stream>> {
    if let Some(name) = pattern.exact() {
        let row = StreamRow::read(connection, name)?;
        let wanted = row.exists() && after.is_none_or(|after| name > after);
        return Ok(if wanted { vec![stream(connection, name, &row)?] } else { Vec::new() });
    }
    let lower = pattern.prefix().max(after.unwrap_or_default());
    let select = format!("SELECT {COLUMNS} FROM streams");
    let whole = |row: &Row<'_>| StreamRow::from_row(row).map(drop);
    let mut statement = in_order(connection, &select, "name", lower, whole)?;
    let mut rows = statement.query(params_from_iter(bounds(lower)))?;
    let mut streams = Vec::new();
    while streams.len() < limit
        && let Some(row) = rows.next()?
    {
        let (name, found) = StreamRow::from_row(row)?;
        if !name.starts_with(pattern.prefix()) {
            break;
        }
        if found.exists() && pattern.matches(name) && after != Some(name) {
            streams.push(stream(connection, name, &found)?);
        }
    }
    Ok(streams)
}

/// The stream that has this row.
pub(super) fn stream(
    connection: &Connection,
    name: &str,
    row: &StreamRow,
) -> rusqlite::Result<Stream> {
    Ok(Stream {
        name: StreamName::stored(name),
        version: Version(row.version),
        events: row.version - row.removed,
        removed: Version(row.removed),
        last_position: Position(position_of(connection, name, row, Version(row.version))?),
        protected: row.protected,
    })
}

/// The streams whose names are nearest to `name`, or begin with it.
pub(super) fn near_names(connection: &Connection, name: &str) -> rusqlite::Result<Vec<String>> {
    let names = "SELECT name FROM streams WHERE version > removed AND name NOT LIKE '$%' LIMIT ?1";
    near_in(connection, names, name)
}
