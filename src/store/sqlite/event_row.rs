//! An event in a row of the table of events; and the head, the last one of them.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql};

use super::failure::{damaged, reason};
use super::payload::{may_be_json, optional_payload, timestamp};
use crate::event::{DataRef, EventRef, LINK_BYTES, Link, Position, TagsRef, Timestamp, Version};
use crate::store::chain::Payload;
use crate::store::hash::sum;

pub(super) use crate::store::look::Head;

/// What an event is read from.
pub(super) const COLUMNS: &str = "position, stream, header, id, type, data, metadata, tags";

/// What is given in the place of the data of an event that is redacted.
const REDACTED: DataRef<'_> = DataRef::Json("{}");

/// How many bytes a header has without a time.
const HEADER_BYTES: usize = 8 + 8 + LINK_BYTES + 8;

/// The numbers of an event in one column, since each column more is felt by who reads a million rows:
/// version, `recorded`, link, the row's sum, and the time that the writer gave, where it did; all but the
/// link as eight bytes, big end first.
pub(super) struct Header {
    bytes: [u8; HEADER_BYTES + 8],
    length: usize,
}

impl ToSql for Header {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.bytes[..self.length])))
    }
}

/// What stands in a header.
#[derive(Clone, Copy)]
struct Numbers {
    version: Version,
    recorded: Timestamp,
    link: Link,
    sum: i64,
    time: Option<Timestamp>,
}

impl FromSql for Numbers {
    #[inline]
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let header = value.as_blob()?;
        let (numbers, time) = match header.split_first_chunk::<HEADER_BYTES>() {
            Some((numbers, time)) if matches!(time.len(), 0 | 8) => (numbers, time.first_chunk()),
            _ => {
                let (expected_size, blob_size) = (HEADER_BYTES, header.len());
                return Err(FromSqlError::InvalidBlobSize { expected_size, blob_size });
            }
        };
        let number = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&numbers[at..at + 8]);
            i64::from_be_bytes(bytes)
        };
        let mut link = [0; LINK_BYTES];
        link.copy_from_slice(&numbers[16..32]);
        let version = number(0);
        Ok(Self {
            version: Version(version.try_into().map_err(|_| FromSqlError::OutOfRange(version))?),
            recorded: timestamp(number(8))?,
            link: link.into(),
            sum: number(32),
            time: time.map(|time| timestamp(i64::from_be_bytes(*time))).transpose()?,
        })
    }
}

/// What the header in a column says of when the event was recorded, and its link.
pub(super) fn recorded_and_link(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<(Timestamp, Link)> {
    let Numbers { recorded, link, .. } = row.get(column)?;
    Ok((recorded, link))
}

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
        let (fields, sum) = Self::parts(row).map_err(|error| unreadable(row, &reason(&error)))?;
        if sum != fields.sum() {
            return Err(unreadable(row, "it is not what was stored"));
        }
        Ok(fields)
    }

    /// The fields in a row, and the sum that stands beside them.
    #[inline]
    pub(super) fn parts(row: &'a Row<'_>) -> rusqlite::Result<(Self, i64)> {
        let Numbers { version, recorded, link, sum, time } = row.get(2)?;
        let fields = Self {
            position: Position(row.get(0)?),
            stream: row.get_ref(1)?.as_str()?,
            version,
            recorded,
            link,
            id: row.get_ref(3)?.as_str_or_null()?,
            event_type: row.get_ref(4)?.as_str_or_null()?,
            time,
            data: optional_payload(row, 5)?,
            metadata: row.get_ref(6)?.as_str_or_null()?,
            tags: row.get_ref(7)?.as_str_or_null()?,
        };
        Ok((fields, sum))
    }

    /// The header of the row.
    pub(super) fn header(&self) -> Header {
        let mut header = Header { bytes: [0; HEADER_BYTES + 8], length: HEADER_BYTES };
        header.bytes[..8].copy_from_slice(&self.version.0.to_be_bytes());
        header.bytes[8..16].copy_from_slice(&self.recorded.as_micros().to_be_bytes());
        header.bytes[16..32].copy_from_slice(self.link.as_bytes());
        header.bytes[32..40].copy_from_slice(&self.sum().to_be_bytes());
        if let Some(time) = self.time {
            header.bytes[40..].copy_from_slice(&time.as_micros().to_be_bytes());
            header.length += 8;
        }
        header
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

    /// Whether the event's data and metadata were erased, and the event was not removed.
    pub(super) fn is_redacted(&self) -> bool {
        self.event_type.is_some() && self.data.is_none()
    }

    /// What is left of the event when it is redacted, with its tags or without.
    pub(super) fn redacted(&self, takes_tags: bool) -> Self {
        let tags = self.tags.filter(|_| !takes_tags);
        Self { data: None, metadata: None, tags, ..*self }
    }

    /// What is left of the event when it is removed.
    pub(super) fn skeleton(&self) -> Self {
        let (event_type, time, data, metadata, tags) = (None, None, None, None, None);
        Self { event_type, time, data, metadata, tags, ..*self }
    }

    /// The event; nothing where it is removed.
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
            tags: TagsRef::stored(self.tags),
            data: self.data.unwrap_or(REDACTED),
            metadata: self.metadata,
            redacted: self.data.is_none(),
            link: self.link,
        })
    }
}

/// The event in a row of [`COLUMNS`], to be shown; `None` where it is removed.
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

/// The event in a row of [`COLUMNS`] of which data and metadata were not read: in their place stands nothing,
/// and that it is what was stored is not known. `None` where it is removed.
#[inline]
pub(super) fn event_without_data<'r>(row: &'r Row<'_>) -> rusqlite::Result<Option<EventRef<'r>>> {
    let (fields, _) = Fields::parts(row).map_err(|error| unreadable(row, &reason(&error)))?;
    Ok(fields.event().map(|event| EventRef { redacted: false, ..event }))
}

/// That a row of [`COLUMNS`] is the event that a stream's index says it is.
pub(super) fn check_listed(row: &Row<'_>, stream: &str, version: u64) -> rusqlite::Result<()> {
    if row.get_ref(1)?.as_str()? == stream && row.get::<_, Numbers>(2)?.version.0 == version {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventId, EventType, NewEvent, StreamName};
    use crate::store::chain::{Linked, PayloadHash};
    use crate::store::{Error, Options, Query, Store};

    /// An event of the stream `s`, under an id.
    fn event(id: &str, event_type: &str) -> NewEvent {
        let (stream, event_type) = (StreamName::new("s"), EventType::new(event_type));
        let mut event = NewEvent::new(stream.unwrap(), event_type.unwrap());
        event.id = Some(EventId::new(id).unwrap());
        event
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
        store.redact(&[Position(2)], "because", crate::store::Redaction::default()).unwrap();
        assert_eq!(read(&store), [1, 2, 3]);
        let again = store.append(&[event("b", "T")]).unwrap().remove(0);
        assert_eq!((again.position.0, again.duplicate, again.redacted), (2, true, true));
        assert!(!again.removed);
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
                let payload: &PayloadHash = &row.get(8).unwrap();
                link = link.next(&Linked { version, recorded, stream: "s", id, payload });
                assert_eq!(found, link);
            }
        }
    }
}
