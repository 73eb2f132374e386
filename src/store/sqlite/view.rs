//! What readers are shown: the store as it is in one transaction.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;

use rusqlite::types::Value;
use rusqlite::vtab::array;
use rusqlite::{Connection, OptionalExtension as _, Rows};

use super::event_row::{COLUMNS, Fields, Head, check_listed, event, event_without_data, missing};
use super::failure::Failure;
use super::plan::{list, list_tagged};
use super::runs::link_at;
use super::stream_index::{StreamRow, list_positions, position_of};
use super::{Layout, Store, redact, registry, settings, state_rows, states, streams, truncate};
use crate::event::{EventRef, Link, Pattern, Position, StreamName, TagsRef, Timestamp, Version};
use crate::store::look::{Asked, Each, Effort, Listed, Listing, Look, Span, Want};
use crate::store::rules::StreamFacts;
use crate::store::rules::names::Name;
use crate::store::{Before, Error, EventEntry, State, StateEntry, Stream};

/// How many events are asked for at once where they are listed.
const AT_ONCE: usize = 1000;
/// The columns without data and metadata, each in its place.
const WITHOUT_DATA: &str = "position, stream, header, id, type, NULL, NULL, tags";

/// The store in a transaction.
pub(super) struct View<'v> {
    pub(super) connection: &'v Connection,
    pub(super) layout: &'v Layout,
    /// The store's id.
    pub(super) id: &'v str,
    /// Whether the connection knows lists of numbers by now.
    pub(super) knows_lists: &'v Cell<bool>,
}

impl Store {
    /// Looks as all engines do.
    pub(crate) fn look_at<T>(
        &self,
        work: impl FnOnce(&dyn Look) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let knows_lists = &self.looking()?.knows_lists;
        let (layout, id) = (&self.layout, self.id());
        self.look(|connection| Ok(work(&View { connection, layout, id, knows_lists })?))
    }
}

impl View<'_> {
    fn told<T>(&self, done: Result<T, impl Into<Failure>>) -> Result<T, Error> {
        done.map_err(|failed| failed.into().into_error(self.layout, "read the store"))
    }

    fn before(&self, time: Timestamp, head: u64) -> Result<u64, Failure> {
        let select = format!("SELECT {COLUMNS} FROM events WHERE position = ?1");
        let mut statement = self.connection.prepare_cached(&select)?;
        let (mut before, mut behind) = (0, head + 1);
        while before + 1 < behind {
            let middle = before + (behind - before) / 2;
            let found = statement.query_row([middle], |row| Ok(Fields::read(row)?.recorded));
            if found.optional()?.ok_or_else(|| missing(middle))? < time {
                before = middle;
            } else {
                behind = middle;
            }
        }
        Ok(before)
    }

    /// Gives the events between two positions, in ascending order or not.
    fn scan(
        &self,
        (after, end): (u64, u64),
        is_back: bool,
        want: Want,
        each: Each<'_>,
    ) -> Result<(), Failure> {
        let (columns, order) = (columns(want), if is_back { "DESC" } else { "ASC" });
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {columns} FROM events WHERE position > ?1 AND position <= ?2 ORDER BY position {order}"
        ))?;
        let mut rows = statement.query([after, end])?;
        let mut give = |position| give(&mut rows, position, None, want, each);
        let mut between = after + 1..=end;
        let given = if is_back {
            between.by_ref().rev().try_for_each(&mut give)
        } else {
            between.try_for_each(&mut give)
        };
        given.map_or_else(Stopped::into_result, Ok)
    }

    fn fetch(
        &self,
        (events, streams): (&[Listed], &[String]),
        want: Want,
        each: Each<'_>,
    ) -> Result<(), Failure> {
        if events.is_empty() {
            return Ok(());
        }
        if !self.knows_lists.replace(true) {
            array::load_module(self.connection)?;
        }
        // The list comes first, in its order.
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {} FROM rarray(?1) AS wanted CROSS JOIN events ON position = wanted.value",
            columns(want)
        ))?;
        for wanted in events.chunks(AT_ONCE) {
            // Each came from a column of integers, which are no larger.
            let list = wanted.iter().map(|event| Value::Integer(event.position.cast_signed()));
            let mut rows = statement.query([Rc::new(list.collect::<Vec<_>>())])?;
            let given = wanted.iter().try_for_each(|listed| {
                let stream = streams.get(listed.stream as usize);
                let of = stream.map(|stream| (&**stream, listed.version));
                give(&mut rows, listed.position, of, want, each)
            });
            if let Err(stopped) = given {
                return stopped.into_result();
            }
        }
        Ok(())
    }
}

/// Why no more events are given.
enum Stopped {
    Enough,
    Failed(Failure),
}

impl Stopped {
    fn into_result(self) -> Result<(), Failure> {
        match self {
            Self::Enough => Ok(()),
            Self::Failed(failure) => Err(failure),
        }
    }
}

impl<E: Into<Failure>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Gives the event of the next row, which has to stand at `position`, and be what its stream's index says.
#[inline]
fn give(
    rows: &mut Rows<'_>,
    position: u64,
    of: Option<(&str, u64)>,
    want: Want,
    each: &mut dyn FnMut(u64, Option<&EventRef<'_>>) -> ControlFlow<()>,
) -> Result<(), Stopped> {
    let row = rows.next()?.ok_or_else(|| missing(position))?;
    if row.get::<_, u64>(0)? != position {
        return Err(missing(position).into());
    }
    if let Some((stream, version)) = of {
        check_listed(row, stream, version)?;
    }
    let event = match want {
        Want::All => event(row)?,
        Want::NoData => event_without_data(row)?,
    };
    if each(position, event.as_ref()).is_break() { Err(Stopped::Enough) } else { Ok(()) }
}

fn columns(want: Want) -> &'static str {
    match want {
        Want::All => COLUMNS,
        Want::NoData => WITHOUT_DATA,
    }
}

/// What the store says about the stream `name`, and whether it has a state.
fn facts_of(connection: &Connection, name: &str) -> Result<StreamFacts, Failure> {
    let StreamRow { version, removed, protected, .. } = StreamRow::read(connection, name)?;
    let has_state = state_rows::is_there(connection, name)?;
    let state = if has_state { state_rows::stored_version(connection, name)? } else { None };
    Ok(StreamFacts { version, removed, protected, has_state, state })
}

/// How many events of a stream have tags: of those behind a version, up to another. It costs nothing where no event has
/// any.
fn tagged(
    connection: &Connection,
    stream: &str,
    after: Version,
    last: Version,
) -> rusqlite::Result<u64> {
    if connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM tags)", [], |row| row.get(0))? {
        return Ok(0);
    }
    let row = StreamRow::read(connection, stream)?;
    let mut positions = Vec::new();
    list_positions(connection, stream, &row, (after, 0), |one| {
        if one.version > last.0 {
            return ControlFlow::Break(());
        }
        if one.version > after.0 {
            positions.push(one.position);
        }
        ControlFlow::Continue(())
    })?;
    let has_tags = "SELECT tags IS NOT NULL FROM events WHERE position = ?1";
    let mut has_tags = connection.prepare_cached(has_tags)?;
    let mut count = 0;
    for position in positions {
        count += u64::from(has_tags.query_row([position], |row| row.get::<_, bool>(0))?);
    }
    Ok(count)
}

impl Look for View<'_> {
    fn head(&self) -> Result<Head, Error> {
        self.told(Head::read(self.connection, self.id))
    }

    fn link_at(&self, position: Position) -> Result<Option<Link>, Error> {
        self.told(link_at(self.connection, self.id, position).map(Result::ok))
    }

    fn position_of(
        &self,
        stream: &str,
        version: Version,
    ) -> Result<(Option<Position>, Version), Error> {
        let found = || {
            let row = StreamRow::read(self.connection, stream)?;
            if version.0 > row.version {
                return Ok((None, Version(row.version)));
            }
            let position = position_of(self.connection, stream, &row, version)?;
            Ok::<_, rusqlite::Error>((Some(Position(position)), Version(row.version)))
        };
        self.told(found())
    }

    fn before_recorded(&self, time: Timestamp, head: u64) -> Result<u64, Error> {
        self.told(self.before(time, head))
    }

    fn positions(&self, asked: &Asked<'_>, head: u64) -> Result<Option<Listing>, Error> {
        self.told(list(self.connection, asked, head))
    }

    fn positions_with(
        &self,
        tags: TagsRef<'_>,
        between: (u64, u64),
        most: Effort,
    ) -> Result<Option<Listing>, Error> {
        self.told(list_tagged(self.connection, tags, between, most))
    }

    fn events(&self, span: Span<'_>, want: Want, each: Each<'_>) -> Result<(), Error> {
        self.told(match span {
            Span::Between(after, end) => self.scan((after, end), false, want, each),
            Span::Back(after, end) => self.scan((after, end), true, want, each),
            Span::Listed(events, streams) => self.fetch((events, streams), want, each),
        })
    }

    fn stream(&self, name: &str) -> Result<Stream, Error> {
        let found = StreamRow::read(self.connection, name);
        self.told(found.and_then(|row| streams::stream(self.connection, name, &row)))
    }

    fn streams(
        &self,
        pattern: &Pattern,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Stream>, Error> {
        self.told(streams::streams(self.connection, pattern, after, limit))
    }

    fn stream_facts(&self, names: &[StreamName]) -> Result<Vec<StreamFacts>, Error> {
        let facts = names.iter().map(|name| facts_of(self.connection, name.as_str()));
        self.told(facts.collect::<Result<_, _>>())
    }

    fn last_before(&self, names: &[StreamName], before: Before) -> Result<Vec<Version>, Error> {
        let last =
            names.iter().map(|name| truncate::last_before(self.connection, name.as_str(), before));
        self.told(last.collect::<Result<_, _>>())
    }

    fn tagged(&self, stream: &str, after: Version, last: Version) -> Result<u64, Error> {
        self.told(tagged(self.connection, stream, after, last))
    }

    fn event_facts(&self, positions: &[Position]) -> Result<Vec<EventEntry>, Error> {
        self.told(redact::facts(self.connection, positions))
    }

    fn position_by_id(&self, id: &str) -> Result<Option<Position>, Error> {
        self.told(redact::by_id(self.connection, id))
    }

    fn near_streams(&self, name: &str) -> Result<Vec<String>, Error> {
        self.told(streams::near_names(self.connection, name))
    }

    fn state(&self, name: &str) -> Result<Option<State>, Error> {
        let found = state_rows::stored(self.connection, name);
        self.told(found.map(|found| found.map(|state| state.of(StreamName::stored(name)))))
    }

    fn states(
        &self,
        pattern: &Pattern,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StateEntry>, Error> {
        self.told(states::states(self.connection, pattern, after, limit))
    }

    fn stream_of_each_state(&self, each: &mut dyn FnMut(&str)) -> Result<(), Error> {
        self.told(states::each_stream(self.connection, each))
    }

    fn near_states(&self, name: &str) -> Result<Vec<String>, Error> {
        self.told(states::near_names(self.connection, name))
    }

    fn name(&self, name: &str) -> Result<Option<Name>, Error> {
        self.told(registry::find(self.connection, name))
    }

    fn names(&self) -> Result<Vec<Name>, Error> {
        self.told(registry::all(self.connection))
    }

    fn settings(&self) -> Result<Vec<(String, String, String)>, Error> {
        self.told(settings::all(self.connection))
    }
}
