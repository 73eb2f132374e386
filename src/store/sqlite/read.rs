//! Reading events in batches, each within a short transaction.
//!
//! A reader that held a statement open while a pipe blocks would pin the log; since an event's row
//! changes only by removal, a batch behind another needs no common snapshot.

mod durable;

use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::types::Value;
use rusqlite::vtab::array;
use rusqlite::{Connection, OptionalExtension as _};

use self::durable::Beyond;
use super::event_row::{COLUMNS, Fields, Head, check_listed, event, missing};
use super::failure::Failure;
use super::failure::failure;
use super::look::{TRIES, WRITING};
use super::plan::{Chosen, Plan};
use super::records::{Acknowledged, Reading, Witness};
use super::stream_index::StreamRow;
use super::stream_index::position_of;
use super::{Layout, Store, check_in_place};
use crate::event::{EventRef, Position, Timestamp, Version};
use crate::platform::FileIdentity;
use crate::store::place::Marker;
use crate::store::{Batch, ChosenStreams, Error, Mark, Options, Query};

/// How many events a batch holds at most.
const BATCH_EVENTS: usize = 1000;
/// How many bytes of data a batch holds, one event more at most.
const BATCH_BYTES: usize = 512 * 1024;
/// How many rows a batch looks at, when few of them are chosen.
const BATCH_ROWS: usize = 20_000;

/// How long a follower that always has something to read goes on without a look whether its store is
/// still there.
const IN_PLACE: Duration = Duration::from_millis(500);

/// Behind every position that SQLite can hold.
const END: u64 = i64::MAX.unsigned_abs();

/// Reads the events that a query chooses.
#[derive(Debug)]
pub(crate) struct Reader {
    connection: Connection,
    layout: Layout,
    marker: Marker,
    database: FileIdentity,
    query: Query,
    streams: ChosenStreams,
    /// Everything up to this position has been looked at.
    position: u64,
    /// The last position that can be of interest.
    end: u64,
    /// How many more events may come.
    left: u64,
    plan: Plan,
    data_version: i64,
    /// When it was last looked whether the store is still there.
    found_in_place: Instant,
    /// Whether it was warned of the store.
    has_warned: bool,
    follow: bool,
    options: Options,
    bell: Reading<Acknowledged>,
    /// Everything up to here is known to be durable.
    durable: u64,
    beyond: Beyond,
}

impl Store {
    /// A reader of what `query` chooses: up to the head as it is, or following it.
    pub(crate) fn reader(&self, query: &Query, follow: bool) -> Result<Reader, Error> {
        let mut bell = Reading::of(&self.layout);
        let witness = Witness::beside(&mut bell, &self.layout);
        let mut reader = Reader {
            connection: self.reading_connection()?,
            layout: self.layout.clone(),
            marker: self.marker.clone(),
            database: self.database,
            query: query.clone(),
            streams: query.chosen_streams(),
            position: 0,
            end: END,
            left: query.limit.unwrap_or(u64::MAX),
            plan: Plan::Scan,
            data_version: 0,
            found_in_place: Instant::now(),
            has_warned: false,
            follow,
            options: self.options.clone(),
            bell,
            durable: 0,
            beyond: Beyond::Nothing,
        };
        // It goes through the file once, from front to back, so that a small cache does, and stays in
        // the processor's.
        let small = reader.connection.execute_batch("PRAGMA cache_size=64");
        small.map_err(|error| reader.tell(error.into()))?;
        if !query.all_streams() {
            array::load_module(&reader.connection).map_err(|error| reader.tell(error.into()))?;
        }
        reader.data_version = reader.data_version()?;
        let mut tries = 0;
        loop {
            let settled = tries >= TRIES;
            let started = reader.in_transaction(|reader| reader.start(witness, settled));
            if started.map_err(|failure| reader.tell(failure))? {
                return Ok(reader);
            }
            if reader.settle() {
                tries = TRIES;
            } else {
                thread::sleep(WRITING);
                tries += 1;
                if tries == TRIES {
                    reader.may_have_no_bell(Error::Busy { waited: WRITING * TRIES });
                }
            }
        }
    }
}

impl Reader {
    /// Warns of what is wrong with the store, once.
    fn warn(&mut self, warning: &Error) {
        if !std::mem::replace(&mut self.has_warned, true) {
            self.options.warn(warning);
        }
    }

    /// Gives the next batch to `each`.
    pub(crate) fn next_batch(
        &mut self,
        mut each: impl FnMut(&EventRef<'_>),
    ) -> Result<Batch, Error> {
        if self.follow && self.found_in_place.elapsed() >= IN_PLACE {
            self.check_in_place()?;
        }
        if self.beyond == Beyond::Kept && self.follow {
            self.settle();
        }
        let batch = self.in_transaction(|reader| reader.read_batch(&mut each));
        batch.map_err(|failure| self.tell(failure))
    }

    /// Goes on behind all that is stored and durable by now, as a reader that has read it; up to where.
    #[cfg(all(feature = "serve", unix))]
    pub(crate) fn skip(&mut self) -> Result<Position, Error> {
        let skipped = self.in_transaction(|reader| {
            let head = Head::read(&reader.connection, &reader.marker.id)?.position.0;
            let head = reader.durable_head(head);
            reader.position = reader.position.max(head);
            reader.make_plan(head)
        });
        skipped.map_err(|failure| self.tell(failure))?;
        Ok(Position(self.position))
    }

    /// Whether something may have been committed since this was last asked; that the store is
    /// still there is checked too.
    pub(crate) fn changed(&mut self) -> Result<bool, Error> {
        self.check_in_place()?;
        let found = self.data_version()?;
        let changed = std::mem::replace(&mut self.data_version, found) != found;
        Ok(changed || self.beyond == Beyond::Kept)
    }

    /// That the store is still there.
    fn check_in_place(&mut self) -> Result<(), Error> {
        check_in_place(&self.layout, self.database)?;
        if Marker::read(&self.layout.place)?.id != self.marker.id {
            return Err(Error::Replaced { path: self.layout.root.clone() });
        }
        self.found_in_place = Instant::now();
        Ok(())
    }

    /// A number that changes when another connection commits.
    fn data_version(&self) -> Result<i64, Error> {
        let version = self
            .connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)));
        version.map_err(|error| self.tell(error.into()))
    }

    fn tell(&self, failed: Failure) -> Error {
        match failed {
            Failure::Refused(error) => error,
            Failure::Sqlite(error) => failure(&self.layout, "read the store", error),
        }
    }

    fn in_transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        let done = work(self);
        // Nothing was written: ending the transaction can't fail in a way that matters.
        let _ = self.connection.prepare_cached("ROLLBACK").and_then(|mut end| end.execute([]));
        done
    }

    /// Finds where to begin, where to end, and how to get there; not yet, where the store has more than
    /// is known to be durable and that has not been `settled` as far as it can be.
    fn start(&mut self, witness: Witness, settled: bool) -> Result<bool, Failure> {
        let head = Head::read(&self.connection, &self.marker.id)?;
        if let Some(lost) = witness.lost(&self.connection, &self.layout, &head)? {
            self.warn(&lost);
        }
        let head = self.durable_head(head.position.0);
        if self.beyond == Beyond::Kept && !settled {
            return Ok(false);
        }
        if let Some(mark) = self.query.after {
            self.position = self.resolve_start(mark, head)?;
        }
        if let Some(since) = self.query.since {
            self.position = self.position.max(self.first_recorded(since, head)?);
        }
        match self.query.until {
            Some(Mark::Position(until)) => self.end = until.0.min(END),
            Some(Mark::Version(version)) => {
                let name = self.query.one_stream()?;
                let row = StreamRow::read(&self.connection, name)?;
                // A version that is yet to come is met when it comes.
                if version.0 <= row.version {
                    self.end = position_of(&self.connection, name, &row, version)?;
                }
            }
            None => {}
        }
        if !self.follow {
            self.end = self.end.min(head);
        }
        if self.query.new {
            self.position = self.position.max(head);
        }
        self.make_plan(head)?;
        if let Some(last) = self.query.last {
            self.position = self.position.max(self.before_last(last, head)?);
            self.make_plan(head)?;
        }
        Ok(true)
    }

    fn resolve_start(&self, mark: Mark, head: u64) -> Result<u64, Failure> {
        match mark {
            Mark::Position(position) if position.0 > head => {
                Err(Error::BeyondHead { position, head: Position(head) }.into())
            }
            Mark::Position(position) => Ok(position.0),
            Mark::Version(version) => {
                let name = self.query.one_stream()?;
                let row = StreamRow::read(&self.connection, name)?;
                if version.0 > row.version {
                    return Err(Error::BeyondStream {
                        stream: name.into(),
                        version,
                        actual: Version(row.version),
                    }
                    .into());
                }
                Ok(position_of(&self.connection, name, &row, version)?)
            }
        }
    }

    /// The position before the first event that can have a `time` of `since` or later: a time
    /// lies at most a day after the clock of the log, which never goes back.
    fn first_recorded(&self, since: Timestamp, head: u64) -> Result<u64, Failure> {
        let earliest = since.plus_micros(-Timestamp::DAY);
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM events WHERE position = ?1"))?;
        let (mut before, mut behind) = (0, head + 1);
        while before + 1 < behind {
            let middle = before + (behind - before) / 2;
            let found = statement.query_row([middle], |row| Ok(Fields::read(row)?.recorded));
            if found.optional()?.ok_or_else(|| missing(middle))? < earliest {
                before = middle;
            } else {
                behind = middle;
            }
        }
        Ok(before)
    }

    /// Chooses how to find the events.
    fn make_plan(&mut self, head: u64) -> Result<(), Failure> {
        let end = self.end.min(head);
        self.plan = Plan::new(&self.connection, &self.query, self.position, end, head)?;
        Ok(())
    }

    /// The position before the last `last` chosen events up to `head`.
    fn before_last(&self, last: u64, head: u64) -> Result<u64, Failure> {
        if last == 0 {
            return Ok(head);
        }
        let end = self.end.min(head);
        let mut left = last;
        let mut look = |position: u64, chosen: bool| {
            left -= u64::from(chosen);
            (left == 0).then(|| position - 1)
        };
        let found = match &self.plan {
            Plan::List { events, streams, covered, .. } if *covered >= end => {
                let mut statement = self
                    .connection
                    .prepare_cached(&format!("SELECT {COLUMNS} FROM events WHERE position = ?1"))?;
                let mut found = None;
                for listed in events.iter().rev() {
                    let Chosen { position, version, stream } = *listed;
                    let chosen = statement.query_row([position], |row| {
                        check_listed(row, &streams[stream as usize], version)?;
                        Ok(event(row)?.is_some_and(|event| self.chooses(&event)))
                    });
                    found = look(position, chosen.optional()?.ok_or_else(|| missing(position))?);
                    if found.is_some() {
                        break;
                    }
                }
                found
            }
            _ => {
                let mut statement = self.connection.prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM events WHERE position > ?1 AND position <= ?2 ORDER BY position DESC"
                ))?;
                let mut rows = statement.query([self.position, end])?;
                let mut found = None;
                for position in (self.position + 1..=end).rev() {
                    let row = rows.next()?.ok_or_else(|| missing(position))?;
                    if row.get::<_, u64>(0)? != position {
                        return Err(missing(position).into());
                    }
                    let chosen = event(row)?.is_some_and(|event| {
                        self.streams.contains(event.stream) && self.chooses(&event)
                    });
                    found = look(position, chosen);
                    if found.is_some() {
                        break;
                    }
                }
                found
            }
        };
        Ok(found.unwrap_or(self.position))
    }

    fn read_batch(&mut self, each: &mut impl FnMut(&EventRef<'_>)) -> Result<Batch, Failure> {
        let head = if self.follow {
            let head = Head::read(&self.connection, &self.marker.id)?.position.0;
            self.durable_head(head)
        } else {
            self.end
        };
        let end = self.end.min(head);
        if let Plan::List { covered, .. } = self.plan
            && self.position >= covered
        {
            self.make_plan(head)?;
        }
        let mut taken = Taken { events: 0, bytes: 0, left: self.left, ended: self.left == 0 };
        if self.position < end && !taken.ended {
            match &self.plan {
                Plan::Scan => self.position = self.scan(end, &mut taken, each)?,
                Plan::List { events, streams, next, covered } => {
                    let listed = (&events[..], &streams[..]);
                    let (position, next) =
                        self.fetch(listed, *next, (*covered).min(end), &mut taken, each)?;
                    self.position = position;
                    if let Plan::List { next: kept, .. } = &mut self.plan {
                        *kept = next;
                    }
                }
            }
            self.left = taken.left;
        }
        let finished = taken.ended || self.position >= self.end;
        Ok(Batch {
            events: taken.events,
            position: Position(self.position),
            caught_up: finished || self.position >= end,
            finished,
        })
    }

    /// Looks at each event behind `position`; the last position looked at.
    fn scan(
        &self,
        end: u64,
        taken: &mut Taken,
        each: &mut impl FnMut(&EventRef<'_>),
    ) -> Result<u64, Failure> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM events WHERE position > ?1 AND position <= ?2 ORDER BY position"
        ))?;
        let mut rows = statement.query([self.position, end])?;
        let last = end.min(self.position + BATCH_ROWS as u64);
        for position in self.position + 1..=last {
            let row = rows.next()?.ok_or_else(|| missing(position))?;
            if row.get::<_, u64>(0)? != position {
                return Err(missing(position).into());
            }
            if let Some(event) = event(row)?
                && self.streams.contains(event.stream)
                && self.take(&event, taken, each)
            {
                return Ok(position);
            }
        }
        Ok(last)
    }

    /// Fetches the listed events from `next` on; the last position looked at, and the next one.
    fn fetch(
        &self,
        (events, streams): (&[Chosen], &[String]),
        mut next: usize,
        covered: u64,
        taken: &mut Taken,
        each: &mut impl FnMut(&EventRef<'_>),
    ) -> Result<(u64, usize), Failure> {
        // The list comes first, in its order.
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM rarray(?1) AS wanted CROSS JOIN events ON position = wanted.value"
        ))?;
        let rest = &events[next.min(events.len())..];
        for wanted in rest.chunks(BATCH_EVENTS).take(BATCH_ROWS / BATCH_EVENTS) {
            // Each came from a column of integers, which are no larger.
            let list = wanted.iter().map(|event| Value::Integer(event.position.cast_signed()));
            let mut rows = statement.query([Rc::new(list.collect::<Vec<_>>())])?;
            for Chosen { position, version, stream } in wanted.iter().copied() {
                next += 1;
                let row = rows.next()?.ok_or_else(|| missing(position))?;
                if row.get::<_, u64>(0)? != position {
                    return Err(missing(position).into());
                }
                check_listed(row, &streams[stream as usize], version)?;
                if let Some(event) = event(row)?
                    && self.take(&event, taken, each)
                {
                    return Ok((position, next));
                }
            }
        }
        let last = if next < events.len() { events[next - 1].position } else { covered };
        Ok((last, next))
    }

    /// Gives an event to `each` where it is chosen; whether the batch ends with it.
    fn take(
        &self,
        event: &EventRef<'_>,
        taken: &mut Taken,
        each: &mut impl FnMut(&EventRef<'_>),
    ) -> bool {
        let last_version = match self.query.until {
            Some(Mark::Version(version)) => version,
            _ => Version(u64::MAX),
        };
        if event.version <= last_version && self.chooses(event) {
            each(event);
            taken.events += 1;
            taken.bytes += event.data.len() + event.metadata.map_or(0, str::len);
            taken.left -= 1;
        }
        taken.ended = taken.left == 0 || event.version >= last_version;
        taken.ended || taken.events >= BATCH_EVENTS || taken.bytes >= BATCH_BYTES
    }

    fn chooses(&self, event: &EventRef<'_>) -> bool {
        self.query.chooses_event(event.event_type, event.time)
    }
}

/// What a batch has taken.
struct Taken {
    events: usize,
    bytes: usize,
    /// How many more events the query wants.
    left: u64,
    /// Whether the query has got all that it wants.
    ended: bool,
}
