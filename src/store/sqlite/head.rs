//! The head: the last event of the store, and the links in columns.

use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::event::{Position, Timestamp};
use crate::store::chain::Link;

/// The last event of the store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) position: Position,
    pub(super) recorded: Timestamp,
    pub(super) link: Link,
}

impl Head {
    /// Reads the head; that of a store without events stands before the first one.
    pub(super) fn read(connection: &Connection, store_id: &str) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare_cached(
            "SELECT position, recorded, link FROM events ORDER BY position DESC LIMIT 1",
        )?;
        let head = statement.query_row([], |row| {
            Ok(Self { position: Position(row.get(0)?), recorded: row.get(1)?, link: link(row, 2)? })
        });
        Ok(head.optional()?.unwrap_or_else(|| Self {
            position: Position(0),
            recorded: Timestamp::MIN,
            link: Link::genesis(store_id),
        }))
    }
}

/// The link in a column.
pub(super) fn link(row: &Row<'_>, column: usize) -> rusqlite::Result<Link> {
    let bytes: Vec<u8> = row.get(column)?;
    Link::from_bytes(&bytes).ok_or(rusqlite::Error::InvalidColumnType(
        column,
        "link".into(),
        rusqlite::types::Type::Blob,
    ))
}
