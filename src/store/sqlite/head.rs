//! The head: the last event of the store.

use rusqlite::{Connection, OptionalExtension as _};

use super::event_row::{COLUMNS, Fields, recorded_and_link};
use crate::event::{Link, Position, Timestamp};

/// The last event of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) position: Position,
    pub(super) recorded: Timestamp,
    pub(super) link: Link,
}

impl Head {
    /// Reads the head; that of a store without events stands before the first one.
    pub(super) fn read(connection: &Connection, store_id: &str) -> rusqlite::Result<Self> {
        let mut statement = connection
            .prepare_cached("SELECT position, header FROM events ORDER BY position DESC LIMIT 1")?;
        let head = statement.query_row([], |row| {
            let (recorded, link) = recorded_and_link(row, 1)?;
            Ok(Self { position: Position(row.get(0)?), recorded, link })
        });
        Ok(head.optional()?.unwrap_or_else(|| Self::before_all(store_id)))
    }

    /// The same, where the event is known to be as it was written.
    pub(super) fn read_whole(connection: &Connection, store_id: &str) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM events ORDER BY position DESC LIMIT 1"
        ))?;
        let head = statement.query_row([], |row| {
            let Fields { position, recorded, link, .. } = Fields::read(row)?;
            Ok(Self { position, recorded, link })
        });
        Ok(head.optional()?.unwrap_or_else(|| Self::before_all(store_id)))
    }

    /// The head of a store without events.
    fn before_all(store_id: &str) -> Self {
        Self { position: Position(0), recorded: Timestamp::MIN, link: Link::genesis(store_id) }
    }
}
