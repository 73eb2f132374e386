//! One transaction that appends: the head, the streams that it touches, one event after another.

use std::cell::Cell;
use std::collections::HashMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, ToSql, params};

use super::Layout;
use super::event_row::{self, Fields, Head};
use super::failure::Failure;
use super::records::Count;
use super::scrub;
use super::stream_index::StreamRow;
use crate::event::{NewEvent, Position, Timestamp, Version, position_in};
use crate::store::SealedEvent;
use crate::store::rules::{Known, Stood, Stored, is_same};

/// Streams that were looked at, by name.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// Where in `rows` each is.
    index: HashMap<Box<str>, usize>,
    pub(super) rows: Vec<(Box<str>, StreamRow)>,
    /// The number that changes when someone else commits, as of the last look.
    data_version: i64,
    /// Which of the rows the facts number, in their order.
    pub(super) numbers: Vec<usize>,
    /// How often numbers were begun.
    begun: u64,
}

impl Streams {
    /// How many are kept between transactions.
    const KEPT: usize = 50_000;

    /// Begins to number the rows that facts tell of.
    pub(super) fn begin_numbers(&mut self) {
        self.numbers.clear();
        self.begun += 1;
    }

    /// The number of a row in the facts, and whether it is new to them.
    pub(super) fn number(&mut self, at: usize) -> (u32, bool) {
        let row = &mut self.rows[at].1;
        if row.numbered.0 == self.begun {
            return (row.numbered.1, false);
        }
        // A transaction has fewer streams than that.
        let number = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        row.numbered = (self.begun, number);
        self.numbers.push(at);
        (number, true)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Forgets the streams where someone else has committed since the last look.
    pub(super) fn keep_unless_changed(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let data_version =
            connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if data_version != self.data_version || self.rows.len() > Self::KEPT {
            *self = Self { data_version, begun: self.begun, ..Self::default() };
        }
        Ok(())
    }
}

/// An append in progress.
pub(super) struct Transaction<'c> {
    pub(super) connection: &'c Connection,
    pub(super) layout: &'c Layout,
    /// The store's id.
    pub(super) id: &'c str,
    /// Whether the connection knows lists of numbers by now, as far as this transaction knows.
    pub(super) knows_lists: Cell<bool>,
    pub(super) head: Head,
    pub(super) now: Timestamp,
    pub(super) streams: Streams,
    insert: CachedStatement<'c>,
    /// Which of the rows of streams are changed.
    changed: Vec<usize>,
    /// The head before.
    begun_on: Position,
    /// How many rows this connection had changed before.
    changes_before: u64,
    /// Whether something is removed of which no byte shall be left.
    erases: bool,
    /// Whether something else than a row is changed.
    touched: bool,
}

/// A transaction that is ready to be committed.
pub(super) struct Finished {
    pub(super) head: Head,
    /// The streams as they now stand.
    pub(super) streams: Streams,
    /// Whether there is anything to commit.
    pub(super) changed: bool,
    /// Where that is no event: how many such changes the store then has.
    pub(super) counted: Option<Count>,
}

impl<'c> Transaction<'c> {
    /// Continues a transaction that has been begun on `head`; `streams` are as they stand.
    pub(super) fn new(
        connection: &'c Connection,
        (layout, id): (&'c Layout, &'c str),
        head: Head,
        now: Timestamp,
        streams: Streams,
    ) -> rusqlite::Result<Self> {
        // The clock of the log never goes back, whatever the system's does.
        let now = now.max(head.recorded);
        let insert = connection.prepare_cached(
            "INSERT INTO events
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL)",
        )?;
        let changes_before = connection.total_changes();
        Ok(Self {
            connection,
            layout,
            id,
            knows_lists: Cell::new(false),
            head,
            now,
            streams,
            insert,
            changed: Vec::new(),
            begun_on: head.position,
            changes_before,
            erases: false,
            touched: false,
        })
    }

    /// Appends an event, without a question.
    pub(super) fn insert(&mut self, sealed: &SealedEvent) -> Result<(), Failure> {
        let at = self.stream_at(sealed.event().stream.as_str())?;
        let version = Version(self.streams.rows[at].1.version).next();
        let (position, link) =
            (self.head.position.next(), sealed.link(&self.head.link, version, self.now));
        self.insert_at(at, &Stored { sealed, stream: 0, position, version, link })
    }

    pub(super) fn insert_at(&mut self, at: usize, stored: &Stored<'_>) -> Result<(), Failure> {
        let Stored { sealed, position, version, link, .. } = *stored;
        let event = sealed.event();
        let (stream, row) = &mut self.streams.rows[at];
        let recorded = self.now;
        let fields = Fields {
            position,
            stream,
            version,
            recorded,
            link,
            id: event.id.as_ref().map(crate::event::EventId::as_str),
            event_type: Some(event.event_type.as_str()),
            time: event.time,
            data: Some(event.data.borrow()),
            metadata: event.metadata.as_ref().map(crate::event::Json::as_str),
            tags: event.tags.borrow().text(),
        };
        self.insert.execute(params![
            position.0,
            fields.stream,
            fields.header(),
            fields.id,
            fields.event_type,
            fields.data,
            fields.metadata,
            fields.tags,
            sealed.salt,
        ])?;
        for tag in event.tags.iter() {
            let mut tagged = self.connection.prepare_cached("INSERT INTO tags VALUES (?1, ?2)")?;
            tagged.execute(params![tag, position.0])?;
        }
        if !std::mem::replace(&mut row.changed, true) {
            self.changed.push(at);
        }
        row.advance(self.connection, stream, position)?;
        self.head = Head { position, recorded, link };
        Ok(())
    }

    /// The stream `name` as this transaction leaves it.
    pub(super) fn stream(&mut self, name: &str) -> Result<&mut StreamRow, Failure> {
        let at = self.stream_at(name)?;
        Ok(&mut self.streams.rows[at].1)
    }

    /// The same, which is changed.
    fn change(&mut self, name: &str) -> Result<&mut StreamRow, Failure> {
        let at = self.stream_at(name)?;
        let row = &mut self.streams.rows[at].1;
        if !std::mem::replace(&mut row.changed, true) {
            self.changed.push(at);
        }
        Ok(row)
    }

    /// Where in `rows` the stream `name` is.
    pub(super) fn stream_at(&mut self, name: &str) -> Result<usize, Failure> {
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

    /// Marks the events of a stream up to a version as removed.
    pub(super) fn mark_removed(&mut self, name: &str, removed: Version) -> Result<(), Failure> {
        self.change(name)?.removed = removed.0;
        Ok(())
    }

    /// Protects a stream from removal, or no longer.
    pub(super) fn mark_protected(&mut self, name: &str, protected: bool) -> Result<(), Failure> {
        if self.stream(name)?.protected != protected {
            self.change(name)?.protected = protected;
        }
        Ok(())
    }

    /// Says that something else than a row is changed, which has to be committed as well.
    pub(super) fn touch(&mut self) {
        self.touched = true;
    }

    /// Has no byte of what is removed be left in the store: see [`scrub`].
    pub(super) fn erase(&mut self) {
        self.erases = true;
    }

    /// Writes the streams that have changed, in the order of their names.
    pub(super) fn finish(mut self) -> Result<Finished, Failure> {
        let (rows, mut changed) = (&mut self.streams.rows, self.changed);
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
        let changed = self.touched || self.connection.total_changes() > self.changes_before;
        // The bell tells of an event, and of all that is committed with it.
        let counted = if changed && self.head.position == self.begun_on {
            Some(Count::next(self.connection)?)
        } else {
            None
        };
        Ok(Finished { head: self.head, streams: self.streams, changed, counted })
    }

    /// The event that is stored under the id of `event`, and whether it is the same.
    pub(super) fn known(&self, event: &NewEvent) -> rusqlite::Result<Option<Known>> {
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
            let stood = Stood {
                stream: found.stream,
                event_type: found.event_type,
                data: found.data,
                metadata: found.metadata,
                tags: found.tags,
            };
            Ok(Known {
                position: found.position,
                version: found.version,
                link: found.link,
                same: is_same(&stood, event),
                stream: found.stream.into(),
                removed: found.event_type.is_none(),
                redacted: found.is_redacted(),
            })
        });
        known.optional()
    }
}
