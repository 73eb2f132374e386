//! States, a row a stream.

use super::Store;
use super::near_names::near_in;
use super::state_rows::{Stored, store, stored, stored_version};
use super::stream_index::position_of;
use super::transaction::check_expectation;
use crate::event::{Pattern, Position, StreamName, Version};
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
