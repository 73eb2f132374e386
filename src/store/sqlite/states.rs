//! States, a row a stream.

use std::collections::BTreeMap;

use rusqlite::{Row, params_from_iter};

use super::Store;
use super::keys::{bounds, in_order, near_in};
use super::state_rows::{COLUMNS, StateRow, Stored, stored};
use super::stream_index::StreamRow;
use crate::event::{Pattern, StreamName, Version};
use crate::store::{Error, State, StateCategory, StateEntry};

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

    pub(crate) fn states(
        &self,
        pattern: &Pattern,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StateEntry>, Error> {
        self.look(|connection| {
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
        })
    }

    pub(crate) fn state_categories(&self) -> Result<Vec<StateCategory>, Error> {
        self.look(|connection| {
            let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM states"))?;
            let mut rows = statement.query([])?;
            let mut categories = BTreeMap::<String, u64>::new();
            while let Some(row) = rows.next()? {
                let stream = StateRow::read(row)?.stream;
                let category = stream.split_once('-').map_or(stream, |(category, _)| category);
                match categories.get_mut(category) {
                    Some(states) => *states += 1,
                    None => drop(categories.insert(category.into(), 1)),
                }
            }
            let entry = |(category, states)| StateCategory { category, states };
            Ok(categories.into_iter().map(entry).collect())
        })
    }
}
