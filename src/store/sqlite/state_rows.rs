//! States as rows, one a stream.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::failure::{Failure, damaged, reason};
use super::keys::check_around;
use super::payload::{payload, shown_payload};
use super::stream_index::StreamRow;
use crate::event::{Data, DataRef, Position, StreamName, Version};
use crate::store::State;
use crate::store::hash::sum;

/// What a state is read from.
pub(super) const COLUMNS: &str = "stream, version, position, sum, data";

/// A state as it is stored.
pub(super) struct Stored {
    pub(super) version: Version,
    pub(super) position: Position,
    pub(super) data: Data,
    /// The version that the stream is at.
    pub(super) stream_version: Version,
}

impl Stored {
    /// The state, of the stream whose it is.
    pub(super) fn of(self, stream: StreamName) -> State {
        let Self { version, position, data, stream_version } = self;
        State { stream, version, stream_version, position, data }
    }
}

/// A row of [`COLUMNS`], as it was written.
pub(super) struct StateRow<'r> {
    pub(super) stream: &'r str,
    pub(super) version: Version,
    pub(super) position: Position,
    pub(super) data: DataRef<'r>,
}

impl<'r> StateRow<'r> {
    pub(super) fn read(row: &'r Row<'_>) -> rusqlite::Result<Self> {
        let read = Self {
            stream: row.get_ref(0)?.as_str()?,
            version: Version(row.get(1)?),
            position: Position(row.get(2)?),
            data: payload(row, 4)?,
        };
        if row.get::<_, i64>(3)? != read.sum() {
            return Err(damaged(format!("the state of `{}` is not what was stored", read.stream)));
        }
        Ok(read)
    }

    fn sum(&self) -> i64 {
        sum(|fields| {
            fields.text(self.stream);
            fields.number(self.version.0);
            fields.number(self.position.0);
            fields.data(self.data);
        })
    }
}

/// Gives the row of the state of a stream to `take`, where it has one.
fn row<T>(
    connection: &Connection,
    name: &str,
    take: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    let select = format!("SELECT {COLUMNS} FROM states");
    let mut statement = connection.prepare_cached(&format!("{select} WHERE stream = ?1"))?;
    let found = statement.query_row([name], take).optional()?;
    if found.is_none() {
        check_around(connection, &select, "stream", name, |row| StateRow::read(row).map(drop))?;
    }
    Ok(found)
}

/// The state of a stream, where it has one, as it was stored.
pub(super) fn stored(connection: &Connection, name: &str) -> Result<Option<Stored>, Failure> {
    let found = row(connection, name, |row| {
        let StateRow { version, position, .. } = StateRow::read(row)?;
        let unreadable =
            |error| damaged(format!("the state of `{name}` can't be read: {}", reason(&error)));
        Ok((version, position, shown_payload(row, 4).map_err(unreadable)?.to_data()))
    })?;
    let Some((version, position, data)) = found else { return Ok(None) };
    let stream_version = Version(StreamRow::read(connection, name)?.version);
    Ok(Some(Stored { version, position, data, stream_version }))
}

/// Whether a stream has a state.
pub(super) fn is_there(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    Ok(row(connection, name, |_| Ok(()))?.is_some())
}

/// The version that the state of a stream reflects; nothing where it has none, or what stands there is not
/// what was stored: then another can take its place.
pub(super) fn stored_version(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<Option<Version>> {
    let version = row(connection, name, |row| Ok(StateRow::read(row).map(|row| row.version)))?;
    Ok(version.and_then(Result::ok))
}

/// Stores a state in the place of the one before.
pub(super) fn store(
    connection: &Connection,
    stream: &str,
    version: Version,
    position: Position,
    data: DataRef<'_>,
) -> rusqlite::Result<()> {
    // What it reflects is no longer of interest, but where there is none that has to be true.
    row(connection, stream, |_| Ok(()))?;
    let sum = StateRow { stream, version, position, data }.sum();
    let mut statement =
        connection.prepare_cached("REPLACE INTO states VALUES (?1, ?2, ?3, ?4, ?5)")?;
    statement.execute(params![stream, version.0, position.0, sum, data])?;
    Ok(())
}

/// Removes a state; whether there was one.
pub(super) fn remove(connection: &Connection, stream: &str) -> Result<bool, Failure> {
    if !is_there(connection, stream)? {
        return Ok(false);
    }
    let mut statement = connection.prepare_cached("DELETE FROM states WHERE stream = ?1")?;
    Ok(statement.execute([stream])? > 0)
}

/// Removes the states that reflect an event behind `end`; their streams.
pub(super) fn end_at(connection: &Connection, end: u64) -> rusqlite::Result<Vec<String>> {
    let select = "SELECT stream FROM states WHERE position > ?1 ORDER BY stream";
    let mut select = connection.prepare(select)?;
    let names = select.query_map([end], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    connection.execute("DELETE FROM states WHERE position > ?1", [end])?;
    Ok(names)
}
