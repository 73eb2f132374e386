//! Removing what streams hold; a skeleton of each event stays.

use rusqlite::{Connection, params};

use super::Store;
use super::connection::failure;
use super::decisions;
use super::payload::payload;
use super::plan::list_positions;
use super::states;
use super::transaction::{Failure, StreamRow};
use crate::event::{Data, EventType, Json, NewEvent, StreamName, Timestamp, Version};
use crate::store::chain::{Payload, Salt};
use crate::store::{Error, Removed, Sealer};
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
                removable.extend(removal(name, &row)?.filter(|_| !known));
            }
            Ok(removable)
        })
    }

    pub(crate) fn remove(&mut self, names: &[StreamName]) -> Result<Vec<Removed>, Error> {
        self.overwrite_what_is_freed()?;
        let mut sealer = Sealer::new()?;
        self.write(false, |transaction| {
            let mut removed = Vec::new();
            for name in names {
                let row = transaction.stream(name.as_str())?.clone();
                let Some(removal) = removal(name, &row)? else { continue };
                erase(transaction.connection(), name.as_str(), &row)?;
                states::remove(transaction.connection(), name.as_str())?;
                transaction.mark_removed(name.as_str())?;
                transaction.insert(RECORD, &sealer.seal(record(&removal)))?;
                removed.push(removal);
            }
            let names: Vec<&str> = removed.iter().map(|one| one.stream.as_str()).collect();
            decisions::forget(transaction.connection(), &names)?;
            Ok(removed)
        })
    }

    /// What is freed within a page is overwritten from now on, or it would stay readable there.
    pub(super) fn overwrite_what_is_freed(&mut self) -> Result<(), Error> {
        self.open_writer()?;
        let Some(writer) = &mut self.writer else { return Err(Error::Interrupted) };
        let set = writer.connection.query_row("PRAGMA secure_delete=ON", [], |_| Ok(()));
        set.map_err(|error| failure(&self.layout, "set secure deletion", error))
    }
}

/// What a removal takes from a stream; nothing where it holds no event.
fn removal(name: &StreamName, row: &StreamRow) -> Result<Option<Removed>, Failure> {
    if row.protected && row.exists() {
        return Err(Error::Protected { stream: name.to_string() }.into());
    }
    Ok(row.exists().then(|| Removed {
        stream: name.clone(),
        version: Version(row.version),
        events: row.version - row.removed,
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
    let mut positions = Vec::new();
    list_positions(connection, name, row, (Version(0), 0), &mut positions, usize::MAX)?;
    // Those that an earlier removal took lie before the others.
    let kept = positions.into_iter().skip(usize::try_from(row.removed).unwrap_or(usize::MAX));
    let mut read = connection
        .prepare("SELECT type, time, data, metadata, salt FROM events WHERE position = ?1")?;
    let mut write = connection.prepare(
        "UPDATE events SET type = NULL, time = NULL, data = NULL, metadata = NULL, salt = NULL,
         payload_hash = ?2 WHERE position = ?1",
    )?;
    for position in kept {
        let hash = read.query_row([position], |row| {
            let payload = Payload {
                event_type: row.get_ref(0)?.as_str()?,
                time: row.get::<_, Option<i64>>(1)?.map(Timestamp::from_micros),
                data: payload(row, 2)?,
                metadata: row.get_ref(3)?.as_str_or_null()?,
            };
            Ok(payload.hash(&row.get::<_, Salt>(4)?))
        })?;
        write.execute(params![position, hash])?;
    }
    Ok(())
}
