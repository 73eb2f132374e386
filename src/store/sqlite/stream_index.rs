//! Where a stream's events are: its row, and the pages of positions behind it.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::positions::{self, PAGE};
use crate::event::{Position, Version};

/// A row of `streams`.
#[derive(Debug, Clone, Default)]
pub(super) struct StreamRow {
    pub(super) version: u64,
    /// The version up to which the events are removed.
    pub(super) removed: u64,
    pub(super) protected: bool,
    /// The packed positions behind the last full page.
    pub(super) tail: Vec<u8>,
    /// The last position in `tail`, 0 where it is empty.
    pub(super) last: u64,
    pub(super) changed: bool,
}

impl StreamRow {
    pub(super) fn read(connection: &Connection, name: &str) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare_cached(
            "SELECT version, removed, protected, tail FROM streams WHERE name = ?1",
        )?;
        let row = statement.query_row([name], |row| Self::from_row(row, 0));
        Ok(row.optional()?.unwrap_or_default())
    }

    /// The stream in the columns `version, removed, protected, tail`, the first of which is `at`.
    pub(super) fn from_row(row: &Row<'_>, at: usize) -> rusqlite::Result<Self> {
        let tail: Vec<u8> = row.get(at + 3)?;
        Ok(Self {
            version: row.get(at)?,
            removed: row.get(at + 1)?,
            protected: row.get(at + 2)?,
            last: positions::unpack(&tail).last().unwrap_or_default(),
            tail,
            changed: false,
        })
    }

    /// Whether the stream holds an event.
    pub(super) fn exists(&self) -> bool {
        self.version > self.removed
    }

    /// Moves the stream `name` on by the event at `position`; a full page goes to its table.
    pub(super) fn advance(
        &mut self,
        connection: &Connection,
        name: &str,
        position: Position,
    ) -> rusqlite::Result<()> {
        positions::push(&mut self.tail, self.last, position.0);
        self.last = position.0;
        self.version += 1;
        self.changed = true;
        if self.version.is_multiple_of(PAGE) {
            let mut statement =
                connection.prepare_cached("INSERT INTO stream_pages VALUES (?1, ?2, ?3)")?;
            statement.execute(params![name, self.version / PAGE - 1, self.tail])?;
            self.tail.clear();
            self.last = 0;
        }
        Ok(())
    }
}

/// Appends the positions behind `after` of a stream to `list`, until it holds `most`; whether it
/// now holds them all. Those of the versions up to `version` are known to stand before.
pub(super) fn list_positions(
    connection: &Connection,
    name: &str,
    row: &StreamRow,
    (version, after): (Version, u64),
    list: &mut Vec<u64>,
    most: usize,
) -> rusqlite::Result<bool> {
    let first = version.0 / PAGE;
    if row.version / PAGE > first {
        let mut statement = connection.prepare_cached(
            "SELECT positions FROM stream_pages WHERE stream = ?1 AND page >= ?2 ORDER BY page",
        )?;
        let mut pages = statement.query((name, first))?;
        while let Some(page) = pages.next()? {
            list.extend(
                positions::unpack(page.get_ref(0)?.as_blob()?).filter(|position| *position > after),
            );
            if list.len() >= most {
                return Ok(false);
            }
        }
    }
    list.extend(positions::unpack(&row.tail).filter(|position| *position > after));
    Ok(true)
}

/// Where the event `version` of a stream stands; 0 for version 0.
pub(super) fn position_of(
    connection: &Connection,
    name: &str,
    row: &StreamRow,
    version: Version,
) -> rusqlite::Result<u64> {
    let Some(index) = version.0.checked_sub(1) else { return Ok(0) };
    // Within a page, so it fits.
    let within = usize::try_from(index % PAGE).unwrap_or_default();
    if index / PAGE == row.version / PAGE {
        return Ok(positions::unpack(&row.tail).nth(within).unwrap_or_default());
    }
    let mut statement = connection
        .prepare_cached("SELECT positions FROM stream_pages WHERE stream = ?1 AND page = ?2")?;
    statement.query_row((name, index / PAGE), |page| {
        Ok(positions::unpack(page.get_ref(0)?.as_blob()?).nth(within).unwrap_or_default())
    })
}
