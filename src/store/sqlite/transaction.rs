//! One transaction that appends: the head, the streams that it touches, one event after another.

use std::collections::HashMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, ToSql, params};

use super::event_row::{self, Fields};
use super::failure::Failure;
use super::head::Head;
use super::stream_index::StreamRow;
use super::{scrub, state_rows};
use crate::event::{Expect, Link, NewEvent, Position, Timestamp, Version, position_in};
use crate::store::{Appended, Error, SealedEvent};

/// An event that is stored under an id.
struct Known {
    position: Position,
    version: Version,
    link: Link,
    stream: String,
    removed: bool,
    same: bool,
}

/// Streams that were looked at, by name.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// Where in `rows` each is.
    index: HashMap<Box<str>, usize>,
    rows: Vec<(Box<str>, StreamRow)>,
    /// The number that changes when someone else commits, as of the last look.
    data_version: i64,
}

impl Streams {
    /// How many are kept between transactions.
    const KEPT: usize = 50_000;

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Forgets the streams where someone else has committed since the last look.
    pub(super) fn keep_unless_changed(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let data_version =
            connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if data_version != self.data_version || self.rows.len() > Self::KEPT {
            *self = Self { data_version, ..Self::default() };
        }
        Ok(())
    }
}

/// An append in progress.
pub(super) struct Transaction<'c> {
    connection: &'c Connection,
    pub(super) head: Head,
    now: Timestamp,
    streams: Streams,
    insert: CachedStatement<'c>,
    /// The version at which the event before was stored or found.
    before: Option<Version>,
    /// How many rows this connection had changed before.
    changes_before: u64,
    /// Whether something is removed of which no byte shall be left.
    erases: bool,
}

/// A transaction that is ready to be committed.
pub(super) struct Finished {
    pub(super) head: Head,
    /// The streams as they now stand.
    pub(super) streams: Streams,
    /// Whether there is anything to commit.
    pub(super) changed: bool,
}

impl<'c> Transaction<'c> {
    /// Continues a transaction that has been begun on `head`; `streams` are as they stand.
    pub(super) fn new(
        connection: &'c Connection,
        head: Head,
        now: Timestamp,
        streams: Streams,
    ) -> rusqlite::Result<Self> {
        // The clock of the log never goes back, whatever the system's does.
        let now = now.max(head.recorded);
        let insert = connection.prepare_cached(
            "INSERT INTO events
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, NULL, ?12, NULL)",
        )?;
        let changes_before = connection.total_changes();
        let (before, erases) = (None, false);
        Ok(Self { connection, head, now, streams, insert, before, changes_before, erases })
    }

    /// Appends one event, or finds it. Where it is refused, nothing has changed.
    pub(super) fn append(&mut self, sealed: &SealedEvent) -> Result<Appended, Failure> {
        let event = sealed.event();
        let before = self.before;
        // The id goes before the expectation: a retry after a success must find its answer.
        if let Some(known) = self.known(event)? {
            if !known.same {
                return Err(Failure::Refused(Error::IdReused {
                    id: event.id.as_ref().map(ToString::to_string).unwrap_or_default(),
                    position: known.position,
                    stream: known.stream,
                    version: known.version,
                    removed: known.removed,
                }));
            }
            self.before = Some(known.version);
            return Ok(Appended {
                position: known.position,
                version: known.version,
                link: known.link,
                duplicate: true,
                removed: known.removed,
            });
        }
        let recorded = self.now;
        if let Some(time) = event.time
            && time > recorded.plus_micros(Timestamp::DAY)
        {
            return Err(Failure::Refused(Error::TimeAhead { time, recorded }));
        }
        let at = self.stream_at(event.stream.as_str())?;
        let stream = event.stream.as_str();
        check_expectation(stream, event.expect, &self.streams.rows[at].1, before)?;
        let names_a_version =
            matches!(event.expect, Expect::At(_) | Expect::NoStream | Expect::Continues);
        if event.state.is_some() && !names_a_version {
            return Err(Error::StateWithoutVersion { stream: stream.into() }.into());
        }
        let appended = self.insert_at(at, sealed)?;
        if let Some(state) = &event.state {
            let Appended { version, position, .. } = appended;
            state_rows::store(self.connection, stream, version, position, state.borrow())?;
        }
        self.before = Some(appended.version);
        Ok(appended)
    }

    /// Appends an event to a stream of any name, without a question.
    pub(super) fn insert(
        &mut self,
        stream: &str,
        sealed: &SealedEvent,
    ) -> Result<Appended, Failure> {
        let at = self.stream_at(stream)?;
        self.insert_at(at, sealed)
    }

    fn insert_at(&mut self, at: usize, sealed: &SealedEvent) -> Result<Appended, Failure> {
        let event = sealed.event();
        let position = self.head.position.next();
        let (stream, row) = &mut self.streams.rows[at];
        let stream: &str = stream;
        let version = Version(row.version).next();
        let id = event.id.as_ref().map(crate::event::EventId::as_str);
        let recorded = self.now;
        let link = self.head.link.next(version, recorded, &sealed.seal);
        let fields = Fields {
            position,
            stream,
            version,
            recorded,
            link,
            id,
            event_type: Some(event.event_type.as_str()),
            time: event.time,
            data: Some(event.data.borrow()),
            metadata: event.metadata.as_ref().map(crate::event::Json::as_str),
            tags: None,
        };
        self.insert.execute(params![
            position.0,
            stream,
            version.0,
            recorded.as_micros(),
            link.as_bytes(),
            fields.sum(),
            id,
            fields.event_type,
            event.time.map(Timestamp::as_micros),
            fields.data,
            fields.metadata,
            sealed.salt,
        ])?;
        row.advance(self.connection, stream, position)?;
        self.head = Head { position, recorded, link };
        Ok(Appended { position, version, link, duplicate: false, removed: false })
    }

    /// The stream `name` as this transaction leaves it.
    pub(super) fn stream(&mut self, name: &str) -> Result<&mut StreamRow, Failure> {
        let at = self.stream_at(name)?;
        Ok(&mut self.streams.rows[at].1)
    }

    /// Where in `rows` the stream `name` is.
    fn stream_at(&mut self, name: &str) -> Result<usize, Failure> {
        let Streams { index, rows, .. } = &mut self.streams;
        if let Some(at) = index.get(name) {
            return Ok(*at);
        }
        let row = StreamRow::read(self.connection, name)?;
        index.insert(name.into(), rows.len());
        rows.push((name.into(), row));
        Ok(rows.len() - 1)
    }

    /// The connection that the transaction is open on.
    pub(super) fn connection(&self) -> &'c Connection {
        self.connection
    }

    /// Marks the events of a stream up to its version as removed.
    pub(super) fn mark_removed(&mut self, name: &str) -> Result<(), Failure> {
        let row = self.stream(name)?;
        row.removed = row.version;
        row.changed = true;
        Ok(())
    }

    /// Protects a stream from removal, or no longer.
    pub(super) fn mark_protected(&mut self, name: &str, protected: bool) -> Result<(), Failure> {
        let row = self.stream(name)?;
        row.changed |= row.protected != protected;
        row.protected = protected;
        Ok(())
    }

    /// Has no byte of what is removed be left in the store: see [`scrub`].
    pub(super) fn erase(&mut self) {
        self.erases = true;
    }

    /// Writes the streams that have changed, in the order of their names.
    pub(super) fn finish(mut self) -> Result<Finished, Failure> {
        let rows = &mut self.streams.rows;
        let mut changed: Vec<usize> = (0..rows.len()).filter(|at| rows[*at].1.changed).collect();
        changed.sort_unstable_by(|at, other| rows[*at].0.cmp(&rows[*other].0));
        let mut write = self
            .connection
            .prepare_cached("REPLACE INTO streams VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for at in changed {
            let (name, row) = &mut rows[at];
            let sum = row.sum(name);
            let StreamRow { version, removed, protected, tail, .. } = &*row;
            write.execute(params![&**name, version, removed, protected, sum, tail])?;
            row.changed = false;
        }
        if self.erases {
            scrub::begin(self.connection)?;
        }
        // What was there already is durable, or the transaction would not have begun.
        let changed = self.connection.total_changes() > self.changes_before;
        Ok(Finished { head: self.head, streams: self.streams, changed })
    }

    /// The event that is stored under the id of `event`, and whether it is the same.
    fn known(&self, event: &NewEvent) -> rusqlite::Result<Option<Known>> {
        let Some(id) = &event.id else { return Ok(None) };
        // What another copy of the store knows by link and position is the event there, if it has that.
        if let Some((prefix, position)) = position_in(id.as_str()) {
            let known = self.find(event, "position = ?1 AND id IS NULL", position.0)?;
            if let Some(known) = known.filter(|known| known.link.prefix() == prefix.as_bytes()) {
                return Ok(Some(known));
            }
        }
        self.find(event, "id = ?1", id.as_str())
    }

    fn find(
        &self,
        event: &NewEvent,
        condition: &str,
        key: impl ToSql,
    ) -> rusqlite::Result<Option<Known>> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {} FROM events WHERE {condition}",
            event_row::COLUMNS
        ))?;
        let known = statement.query_row([key], |row| {
            let found = Fields::read(row)?;
            let removed = found.event_type.is_none();
            let metadata = event.metadata.as_ref().map(crate::event::Json::as_str);
            let same_content = found.event_type == Some(event.event_type.as_str())
                && found.data == Some(event.data.borrow())
                && found.metadata == metadata;
            Ok(Known {
                position: found.position,
                version: found.version,
                link: found.link,
                // What was removed can't be compared any more, but for its stream.
                same: found.stream == event.stream.as_str() && (removed || same_content),
                stream: found.stream.into(),
                removed,
            })
        });
        known.optional()
    }
}

/// Whether the stream is as a writer expects.
pub(super) fn check_expectation(
    stream: &str,
    expect: Expect,
    row: &StreamRow,
    before: Option<Version>,
) -> Result<(), Error> {
    let actual = Version(row.version);
    let expected = match (expect, before) {
        (Expect::Continues, Some(before)) => Expect::At(before),
        (Expect::Continues, None) => return Err(Error::ContinuesNothing),
        (expect, _) => expect,
    };
    let holds = match expected {
        Expect::Any | Expect::Continues => true,
        Expect::NoStream => !row.exists(),
        Expect::Exists => row.exists(),
        Expect::At(version) => version == actual,
    };
    if holds {
        return Ok(());
    }
    Err(Error::WrongExpectedVersion {
        stream: stream.into(),
        expected,
        actual,
        removed: actual.0 > 0 && !row.exists(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(version: u64, removed: u64) -> StreamRow {
        StreamRow { version, removed, ..StreamRow::default() }
    }

    fn holds(expect: Expect, row: &StreamRow) -> bool {
        check_expectation("s", expect, row, Some(Version(3))).is_ok()
    }

    #[test]
    fn expectations_of_a_stream_new_written_removed_and_written_again() {
        let at = |version| Expect::At(Version(version));
        for (name, row, expected) in [
            ("new", row(0, 0), [true, true, false, true, false, false]),
            ("written", row(3, 0), [true, false, true, false, true, true]),
            ("removed", row(3, 3), [true, true, false, false, true, true]),
            ("written again", row(4, 3), [true, false, true, false, false, false]),
        ] {
            let found =
                [Expect::Any, Expect::NoStream, Expect::Exists, at(0), at(3), Expect::Continues]
                    .map(|expect| holds(expect, &row));
            assert_eq!(found, expected, "{name}");
        }
    }
}
