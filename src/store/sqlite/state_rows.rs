//! States as rows, one a stream.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::failure::{Failure, damaged, reason};
use super::payload::shown_payload;
use crate::event::{Data, DataRef, Position, Version};
use crate::store::Error;
use crate::store::chain::state_checksum;

/// A state as it is stored.
pub(super) struct Stored {
    pub(super) version: Version,
    pub(super) position: Position,
    pub(super) data: Data,
    /// The version that the stream is at.
    pub(super) stream_version: Version,
}

/// The state of a stream, where it has one, as it was stored.
pub(super) fn stored(connection: &Connection, name: &str) -> Result<Option<Stored>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT version, position, checksum, data, (SELECT version FROM streams WHERE name = ?1)
         FROM states WHERE stream = ?1",
    )?;
    let mut rows = statement.query([name])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (version, position) = (Version(row.get(0)?), Position(row.get(1)?));
    let unreadable =
        |error| damaged(format!("the state of `{name}` can't be read: {}", reason(&error)));
    let data = shown_payload(row, 3).map_err(unreadable)?;
    if row.get_ref(2)?.as_blob()? != state_checksum(name, version, position, data) {
        let what = format!("the state of `{name}` is not what was stored");
        return Err(Error::Damaged { what }.into());
    }
    let stream_version = Version(row.get::<_, Option<u64>>(4)?.unwrap_or_default());
    Ok(Some(Stored { version, position, data: data.to_data(), stream_version }))
}

/// The version that the stored state reflects.
pub(super) fn stored_version(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<Option<Version>> {
    let mut statement =
        connection.prepare_cached("SELECT version FROM states WHERE stream = ?1")?;
    statement.query_row([name], |row| row.get(0).map(Version)).optional()
}

/// Stores a state in the place of the one before.
pub(super) fn store(
    connection: &Connection,
    stream: &str,
    version: Version,
    position: Position,
    data: DataRef<'_>,
) -> rusqlite::Result<()> {
    let checksum = state_checksum(stream, version, position, data);
    let mut statement =
        connection.prepare_cached("REPLACE INTO states VALUES (?1, ?2, ?3, ?4, ?5)")?;
    statement.execute(params![stream, version.0, position.0, checksum, data])?;
    Ok(())
}

/// Removes a state; whether there was one.
pub(super) fn remove(connection: &Connection, stream: &str) -> Result<bool, Failure> {
    let mut statement = connection.prepare_cached("DELETE FROM states WHERE stream = ?1")?;
    Ok(statement.execute([stream])? > 0)
}
