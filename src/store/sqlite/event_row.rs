//! An event in a row of the table of events.

use rusqlite::Row;

use super::failure::{damaged, reason};
use super::payload::{link, may_be_json, optional_payload};
use crate::event::{DataRef, EventRef, Link, Position, Timestamp, Version};
use crate::store::chain::Payload;
use crate::store::sum::sum;

/// What an event is read from.
pub(super) const COLUMNS: &str = "position, stream, version, recorded, link, sum, id, type, time, \
                                  data, metadata, tags";

/// What of an event is in its row, but for what only a removal reads.
pub(super) struct Fields<'a> {
    pub(super) position: Position,
    pub(super) stream: &'a str,
    pub(super) version: Version,
    pub(super) recorded: Timestamp,
    pub(super) link: Link,
    pub(super) id: Option<&'a str>,
    /// None where the event is removed; then all that follow are none as well.
    pub(super) event_type: Option<&'a str>,
    /// The time that the writer gave, where it did.
    pub(super) time: Option<Timestamp>,
    /// None where the event is redacted or removed; then there is no metadata either.
    pub(super) data: Option<DataRef<'a>>,
    pub(super) metadata: Option<&'a str>,
    pub(super) tags: Option<&'a str>,
}

impl<'a> Fields<'a> {
    /// The fields in a row of [`COLUMNS`], as they were written.
    #[inline]
    pub(super) fn read(row: &'a Row<'_>) -> rusqlite::Result<Self> {
        let fields = Self::parts(row).map_err(|error| unreadable(row, &reason(&error)))?;
        if row.get::<_, i64>(5)? != fields.sum() {
            return Err(unreadable(row, "it is not what was stored"));
        }
        Ok(fields)
    }

    #[inline]
    fn parts(row: &'a Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            position: Position(row.get(0)?),
            stream: row.get_ref(1)?.as_str()?,
            version: Version(row.get(2)?),
            recorded: row.get(3)?,
            link: link(row, 4)?,
            id: row.get_ref(6)?.as_str_or_null()?,
            event_type: row.get_ref(7)?.as_str_or_null()?,
            time: row.get(8)?,
            data: optional_payload(row, 9)?,
            metadata: row.get_ref(10)?.as_str_or_null()?,
            tags: row.get_ref(11)?.as_str_or_null()?,
        })
    }

    /// The sum of the row.
    #[inline]
    pub(super) fn sum(&self) -> i64 {
        sum(|fields| {
            fields.number(self.position.0);
            fields.text(self.stream);
            fields.number(self.version.0);
            fields.time(self.recorded);
            fields.raw(self.link.as_bytes());
            fields.optional_text(self.id);
            fields.optional_text(self.event_type);
            fields.optional_time(self.time);
            fields.optional(self.data, |fields, data| fields.data(data));
            fields.optional_text(self.metadata);
            fields.optional_text(self.tags);
        })
    }

    /// What the event's payload hash is made of, where nothing of it is erased.
    pub(super) fn payload(&self) -> Option<Payload<'a>> {
        let Self { time, metadata, tags, .. } = *self;
        Some(Payload { event_type: self.event_type?, time, data: self.data?, metadata, tags })
    }

    /// What is left of the event when it is removed.
    pub(super) fn skeleton(&self) -> Self {
        let (event_type, time, data, metadata, tags) = (None, None, None, None, None);
        Self { event_type, time, data, metadata, tags, ..*self }
    }

    /// The event; nothing where it is removed, or redacted.
    #[inline]
    pub(super) fn event(&self) -> Option<EventRef<'a>> {
        Some(EventRef {
            position: self.position,
            stream: self.stream,
            version: self.version,
            given_id: self.id,
            event_type: self.event_type?,
            time: self.time.unwrap_or(self.recorded),
            recorded: self.recorded,
            data: self.data?,
            metadata: self.metadata,
            link: self.link,
        })
    }
}

/// The event in a row of [`COLUMNS`], to be shown; `None` where it is removed, or redacted.
#[inline]
pub(super) fn event<'r>(row: &'r Row<'_>) -> rusqlite::Result<Option<EventRef<'r>>> {
    let Some(event) = Fields::read(row)?.event() else { return Ok(None) };
    let data = match event.data {
        DataRef::Json(text) => Some(text),
        DataRef::Bytes(_) => None,
    };
    if data.is_none_or(may_be_json) && event.metadata.is_none_or(may_be_json) {
        return Ok(Some(event));
    }
    Err(unreadable(row, "it is not JSON"))
}

/// That a row of [`COLUMNS`] is the event that a stream's index says it is.
pub(super) fn check_listed(row: &Row<'_>, stream: &str, version: u64) -> rusqlite::Result<()> {
    if row.get_ref(1)?.as_str()? == stream && row.get::<_, u64>(2)? == version {
        return Ok(());
    }
    Err(unreadable(row, "another event stands there than its stream says"))
}

/// That a row is not an event that ream wrote.
#[cold]
fn unreadable(row: &Row<'_>, reason: &str) -> rusqlite::Error {
    let position = row.get::<_, i64>(0).unwrap_or_default();
    damaged(format!("the event at position {position} can't be read: {reason}"))
}

/// That there is no event where there has to be one.
#[cold]
pub(super) fn missing(position: u64) -> rusqlite::Error {
    damaged(format!("the event at position {position} is missing"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rusqlite::{Connection, params};

    use super::*;
    use crate::event::{EventId, EventType, NewEvent, StreamName};
    use crate::store::chain::{Salt, seal};
    use crate::store::hash::Hash;
    use crate::store::{Error, Options, Query, Store};

    /// An event of the stream `s`, under an id.
    fn event(id: &str, event_type: &str) -> NewEvent {
        let (stream, event_type) = (StreamName::new("s"), EventType::new(event_type));
        let mut event = NewEvent::new(stream.unwrap(), event_type.unwrap());
        event.id = Some(EventId::new(id).unwrap());
        event
    }

    /// Does to the event at `position` what a redaction does; this version has no command for it.
    fn redact(store: &Path, position: u64) {
        let database = Connection::open(store.join("db")).unwrap();
        let select = format!("SELECT {COLUMNS}, salt FROM events WHERE position = ?1");
        let (hash, sum) = database
            .query_row(&select, [position], |row| {
                let fields = Fields::read(row)?;
                let hash = fields.payload().unwrap().hash(&row.get::<_, Salt>(12)?);
                Ok((hash, Fields { data: None, metadata: None, ..fields }.sum()))
            })
            .unwrap();
        let update = "UPDATE events SET data = NULL, metadata = NULL, salt = NULL, \
                      payload_hash = ?2, sum = ?3 WHERE position = ?1";
        assert_eq!(database.execute(update, params![position, hash, sum]), Ok(1));
    }

    /// The positions that a reader is given.
    fn read(store: &Store) -> Vec<u64> {
        let mut positions = Vec::new();
        let mut reader = store.read(&Query::default()).unwrap();
        while !reader.next_batch(|event| positions.push(event.position.0)).unwrap().caught_up {}
        positions
    }

    #[test]
    fn a_redacted_event_is_no_damage_and_keeps_its_type_and_its_hash() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("store");
        let (mut store, _) = Store::init(&path, &Options::default()).unwrap();
        store.append(&["a", "b", "c"].map(|id| event(id, "T"))).unwrap();
        drop(store);
        redact(&path, 2);

        let mut store = Store::open(&path, &Options::default()).unwrap();
        assert_eq!(read(&store), [1, 3]);
        let again = store.append(&[event("b", "T")]).unwrap().remove(0);
        assert_eq!((again.position.0, again.duplicate, again.removed), (2, true, true));
        let reused = store.append(&[event("b", "U")]);
        assert!(matches!(reused, Err(Error::IdReused { .. })), "{reused:?}");

        store.remove(&[StreamName::new("s").unwrap()]).unwrap();
        assert!(read(&store).is_empty());
        let database = Connection::open(path.join("db")).unwrap();
        let select = format!("SELECT {COLUMNS}, payload_hash FROM events ORDER BY position");
        let mut select = database.prepare(&select).unwrap();
        let mut rows = select.query([]).unwrap();
        let mut link = Link::genesis(store.id());
        while let Some(row) = rows.next().unwrap() {
            let Fields { version, recorded, link: found, id, event_type, .. } =
                Fields::read(row).unwrap();
            if event_type.is_none() {
                let hash: Hash = row.get(12).unwrap();
                link = link.next(version, recorded, &seal("s", id, &hash));
                assert_eq!(found, link);
            }
        }
    }
}
