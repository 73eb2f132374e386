//! Removing what streams hold; a skeleton of each event stays.

use std::ops::ControlFlow;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Store;
use super::decision_rows;
use super::event_row::{COLUMNS, Fields, check_listed, missing};
use super::failure::Failure;
use super::stream_index::StreamRow;
use super::stream_index::{Listed, list_positions};
use super::transaction::Transaction;
use super::{registry, state_rows};
use crate::event::{Data, EventType, Json, NewEvent, StreamName, Version};
use crate::store::chain::Salt;
use crate::store::{Error, Removal, Removed, Sealer};
use crate::wire;

/// The reserved stream that records removals.
const RECORD: &str = "$ream";

impl Store {
    pub(crate) fn removable(&self, names: &[StreamName]) -> Result<Vec<Removed>, Error> {
        self.look(|connection| {
            let mut removable: Vec<Removed> = Vec::new();
            for name in names {
                let row = StreamRow::read(connection, name.as_str())?;
                let known = removable.iter().any(|removed| removed.stream == *name);
                removable.extend(removal(connection, name, &row)?.filter(|_| !known));
            }
            Ok(removable)
        })
    }

    pub(crate) fn remove(&mut self, names: &[StreamName]) -> Result<Removal<Removed>, Error> {
        let mut sealer = Sealer::new()?;
        let removed = self.write(false, |transaction| {
            let mut removed = Vec::new();
            for name in names {
                let connection = transaction.connection();
                let row = transaction.stream(name.as_str())?.clone();
                let Some(removal) = removal(connection, name, &row)? else { continue };
                state_rows::remove(connection, name.as_str())?;
                if row.exists() {
                    erase(connection, name.as_str(), &row)?;
                    transaction.mark_removed(name.as_str())?;
                    transaction.insert(RECORD, &sealer.seal(record(&removal)))?;
                }
                removed.push(removal);
            }
            let names: Vec<&str> = removed.iter().map(|one| one.stream.as_str()).collect();
            decision_rows::forget(transaction.connection(), &names)?;
            if !removed.is_empty() {
                forget_what_quotes(transaction)?;
            }
            Ok(removed)
        })?;
        Ok(Removal { removed, unfinished: self.finish_erasure() })
    }

    pub(crate) fn remove_states(
        &mut self,
        names: &[StreamName],
    ) -> Result<Removal<StreamName>, Error> {
        let removed = self.write(false, |transaction| {
            let mut removed = Vec::new();
            for name in names {
                if state_rows::remove(transaction.connection(), name.as_str())? {
                    removed.push(name.clone());
                }
            }
            if !removed.is_empty() {
                forget_what_quotes(transaction)?;
            }
            Ok(removed)
        })?;
        Ok(Removal { removed, unfinished: self.finish_erasure() })
    }
}

/// Has no byte of what was removed be left, and forgets what may quote it.
fn forget_what_quotes(transaction: &mut Transaction<'_>) -> Result<(), Failure> {
    registry::forget_messages(transaction.connection())?;
    transaction.erase();
    Ok(())
}

/// What a removal takes from a stream; nothing where it holds neither event nor state.
fn removal(
    connection: &Connection,
    name: &StreamName,
    row: &StreamRow,
) -> Result<Option<Removed>, Failure> {
    if row.protected && row.exists() {
        return Err(Error::Protected { stream: name.to_string() }.into());
    }
    let state = state_rows::is_there(connection, name.as_str())?;
    Ok((row.exists() || state).then(|| Removed {
        stream: name.clone(),
        version: Version(row.version),
        events: row.version - row.removed,
        state,
    }))
}

/// The event that records a removal.
fn record(removed: &Removed) -> NewEvent {
    let mut data = b"{\"stream\":".to_vec();
    wire::write_string(&mut data, removed.stream.as_str());
    data.extend_from_slice(
        format!(",\"version\":{},\"events\":{}}}", removed.version, removed.events).as_bytes(),
    );
    let mut event = NewEvent::new(StreamName::stored(RECORD), EventType::stored("StreamRemoved"));
    event.data = Data::Json(Json::stored(&String::from_utf8_lossy(&data)));
    event
}

/// Puts the payload's hash in the payload's place, event by event.
fn erase(connection: &Connection, name: &str, row: &StreamRow) -> Result<(), Failure> {
    let mut kept = Vec::new();
    list_positions(connection, name, row, (Version(row.removed), 0), |one| {
        // Those that an earlier removal took lie before the others.
        if one.version > row.removed {
            kept.push(one);
        }
        ControlFlow::Continue(())
    })?;
    let mut read =
        connection.prepare(&format!("SELECT {COLUMNS}, salt FROM events WHERE position = ?1"))?;
    let mut write = connection.prepare(
        "UPDATE events SET type = NULL, time = NULL, data = NULL, metadata = NULL, tags = NULL,
         salt = NULL, payload_hash = ?2, sum = ?3 WHERE position = ?1",
    )?;
    for Listed { position, version } in kept {
        let erased = read.query_row([position], |row| {
            check_listed(row, name, version)?;
            let fields = Fields::read(row)?;
            let salt = row.get::<_, Salt>(12)?;
            Ok(fields.payload().map(|payload| (payload.hash(&salt), fields.skeleton().sum())))
        });
        let erased = erased.optional()?.flatten().ok_or_else(|| missing(position))?;
        write.execute(params![position, erased.0, erased.1])?;
    }
    Ok(())
}
