//! States, a row a stream.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Store;
use super::connection::{damaged, reason};
use super::payload::shown_payload;
use super::plan::position_of;
use super::streams::near_in;
use super::transaction::{Failure, check_expectation};
use crate::event::{Data, DataRef, Pattern, Position, StreamName, Version};
use crate::store::chain::state_checksum;
use crate::store::{Error, NewState, State, StateCategory, StateEntry};

impl Store {
    pub(crate) fn state(&self, name: &str) -> Result<State, Error> {
        self.look(|connection| {
            let Some(Stored { version, position, data, stream_version }) =
                stored(connection, name)?
            else {
                let near = near_in(connection, "SELECT stream FROM states LIMIT ?1", name)?;
                return Err(Error::StateNotFound { stream: name.into(), near }.into());
            };
            Ok(State { stream: StreamName::stored(name), version, stream_version, position, data })
        })
    }

    pub(crate) fn set_state(&mut self, state: &NewState) -> Result<StateEntry, Error> {
        let max = self.marker.max_data_bytes;
        if state.data.len() > max {
            return Err(Error::TooLarge { bytes: state.data.len(), max });
        }
        let name = state.stream.as_str();
        self.write(false, |transaction| {
            let row = transaction.stream(name)?.clone();
            let connection = transaction.connection();
            check_expectation(name, state.expect, &row, None)?;
            let version = state.version.unwrap_or(Version(row.version));
            if version.0 > row.version {
                return Err(Error::StateAhead {
                    stream: name.into(),
                    version,
                    actual: Version(row.version),
                }
                .into());
            }
            if let Some(stored) = stored_version(connection, name)?
                && version < stored
            {
                return Err(Error::StateBehind { stream: name.into(), version, stored }.into());
            }
            let position = Position(position_of(connection, name, &row, version)?);
            store(connection, name, version, position, state.data.borrow())?;
            Ok(StateEntry {
                stream: state.stream.clone(),
                version,
                stream_version: Version(row.version),
                bytes: state.data.len() as u64,
            })
        })
    }

    pub(crate) fn states(
        &self,
        pattern: &Pattern,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StateEntry>, Error> {
        self.look(|connection| {
            let mut statement = connection.prepare(
                "SELECT states.stream, states.version, coalesce(streams.version, 0), octet_length(data)
                 FROM states LEFT JOIN streams ON name = states.stream
                 WHERE states.stream >= ?1 AND states.stream > ?2 ORDER BY states.stream",
            )?;
            let mut rows = statement.query([pattern.prefix(), after.unwrap_or_default()])?;
            let mut states = Vec::new();
            while states.len() < limit
                && let Some(row) = rows.next()?
            {
                let stream = row.get_ref(0)?.as_str()?;
                if !stream.starts_with(pattern.prefix()) {
                    break;
                }
                if pattern.matches(stream) {
                    states.push(StateEntry {
                        stream: StreamName::stored(stream),
                        version: Version(row.get(1)?),
                        stream_version: Version(row.get(2)?),
                        bytes: row.get(3)?,
                    });
                }
            }
            Ok(states)
        })
    }

    pub(crate) fn state_categories(&self) -> Result<Vec<StateCategory>, Error> {
        self.look(|connection| {
            let mut statement = connection.prepare(
                "SELECT substr(stream, 1, instr(stream || '-', '-') - 1) AS category, count(*)
                 FROM states GROUP BY category ORDER BY category",
            )?;
            let categories = statement.query_map([], |row| {
                Ok(StateCategory { category: row.get(0)?, states: row.get(1)? })
            })?;
            Ok(categories.collect::<rusqlite::Result<_>>()?)
        })
    }
}

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
