//! Records of what was acknowledged, and whether the database holds it.
//!
//! A record is one line of text, of fixed length and with a checksum, in a small file that is rewritten in
//! place after a commit. A torn write shows, and says nothing. A record is never synced: after a power loss
//! it may be old, never ahead of the database. A store that is behind one of its records has lost something.

use std::fs::File;
use std::marker::PhantomData;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};

use super::Layout;
use super::event_row::{Head, recorded_and_link};
use super::failure::Failure;
use super::lock::seems_marked;
use crate::event::{Link, Position};
use crate::faults::{self, Remedy};
use crate::platform;
use crate::platform::directory::Access;
use crate::store::Error;
use crate::store::hash::checksum;
use crate::store::place::Place;

/// How long the line of a record is at most.
const LONGEST: usize = 128;

/// What a record says.
pub(super) trait Record: Copy {
    /// Its file in the store.
    const NAME: &'static str;
    /// What fails where it can't be written.
    const WRITE: &'static str;

    /// What it says, as text that is always of the same length.
    fn to_fields(self) -> String;

    /// What such a text says.
    fn from_fields(fields: &str) -> Option<Self>;
}

/// The line of a record.
fn to_line(record: impl Record) -> String {
    let fields = record.to_fields();
    format!("{fields} {}\n", checksum(&fields))
}

/// What a line says; nothing where it is not whole.
fn from_line<R: Record>(line: &str) -> Option<R> {
    let (fields, sum) = line.trim_end().rsplit_once(' ')?;
    if checksum(fields) != sum {
        return None;
    }
    R::from_fields(fields)
}

/// Reads a record; a missing or torn one says nothing.
pub(super) fn read<R: Record>(layout: &Layout) -> Option<R> {
    Reading::of(layout).read()
}

/// A record as a process keeps it that reads it again and again.
#[derive(Debug)]
pub(super) struct Reading<R> {
    place: Arc<Place>,
    file: Option<File>,
    record: PhantomData<R>,
}

impl<R: Record> Reading<R> {
    pub(super) fn of(layout: &Layout) -> Self {
        Self { place: Arc::clone(&layout.place), file: None, record: PhantomData }
    }

    /// What it says; a missing or torn one says nothing.
    pub(super) fn read(&mut self) -> Option<R> {
        if self.file.is_none() {
            self.file = Some(self.place.open_file(R::NAME, Access::Read).ok()?);
        }
        let mut line = [0; LONGEST];
        let length = platform::read_at(self.file.as_ref()?, &mut line, 0).ok()?;
        let said = std::str::from_utf8(&line[..length]).ok().and_then(from_line);
        if said.is_none() {
            // Another file may stand there by now.
            self.file = None;
        }
        said
    }

    /// Has the next read open it anew, in case another file stands there by now.
    pub(super) fn reopen(&mut self) {
        self.file = None;
    }
}

/// A record as a writer keeps it.
#[derive(Debug)]
pub(super) struct Writing<R> {
    file: Option<File>,
    record: PhantomData<R>,
}

impl<R: Record> Writing<R> {
    pub(super) fn new() -> Self {
        Self { file: None, record: PhantomData }
    }

    /// Has it say this.
    pub(super) fn write(&mut self, layout: &Layout, record: R) -> Result<(), Error> {
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                layout.place.open_file(R::NAME, Access::Create).map_err(|error| match error {
                    Error::Io { path, source, .. } => Error::Io { action: R::WRITE, path, source },
                    error => error,
                })?
            }
        };
        platform::write_at(&file, to_line(record).as_bytes(), 0)
            .map_err(|error| Error::io(R::WRITE, &layout.place.path(R::NAME))(error))?;
        self.file = Some(file);
        Ok(())
    }
}

/// The bell: the last event that was acknowledged. Each commit with an event rewrites it.
///
/// Followers watch its directory, and a store that does not hold what its bell says has lost events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Acknowledged {
    pub(super) position: Position,
    pub(super) link: Link,
}

impl Record for Acknowledged {
    const NAME: &'static str = "bell/bell";
    const WRITE: &'static str = "ring the bell";

    fn to_fields(self) -> String {
        format!("{:020} {}", self.position.0, self.link)
    }

    fn from_fields(fields: &str) -> Option<Self> {
        let (position, link) = fields.split_once(' ')?;
        Some(Self { position: Position(position.parse().ok()?), link: link.parse().ok()? })
    }
}

/// That the store holds what was acknowledged: the event itself, not just one at its position.
pub(super) fn check_bell(
    connection: &Connection,
    layout: &Layout,
    acknowledged: Acknowledged,
    head: &Head,
) -> Result<(), Failure> {
    let found = if acknowledged.position == head.position {
        Some(head.link)
    } else {
        connection
            .query_row(
                "SELECT header FROM events WHERE position = ?1",
                [acknowledged.position.0],
                |row| Ok(recorded_and_link(row, 0)?.1),
            )
            .optional()?
    };
    if found == Some(acknowledged.link) {
        return Ok(());
    }
    Err(Failure::Refused(Error::LostEvents {
        path: layout.root.clone(),
        acknowledged: acknowledged.position,
        head: head.position,
    }))
}

/// The count of changes: commits without an event, as of states and checkpoints;
/// but for multiples of 2³².
///
/// The bell names the last event, and knows nothing of what is committed behind it. So each such commit
/// raises SQLite's `user_version`, and afterwards this record says how far that is. It is not in the
/// bell's directory: it would wake every follower at each ack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count(u32);

impl Count {
    /// How many the database holds.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare_cached("PRAGMA user_version")?;
        statement.query_row([], |row| Ok(Self(row.get::<_, i32>(0)?.cast_unsigned())))
    }

    /// Counts one more, in the transaction that is open.
    pub(super) fn next(connection: &Connection) -> rusqlite::Result<Self> {
        let Self(count) = Self::read(connection)?;
        let count = count.wrapping_add(1);
        connection.execute_batch(&format!("PRAGMA user_version={}", count.cast_signed()))?;
        Ok(Self(count))
    }

    /// How many of these are missing where there are `found`. A count that is less than half of all
    /// numbers behind another is behind it.
    pub(super) fn missing(self, found: Self) -> u32 {
        u32::try_from(self.0.wrapping_sub(found.0).cast_signed()).unwrap_or(0)
    }
}

impl Record for Count {
    const NAME: &'static str = "changes";
    const WRITE: &'static str = "count a change";

    fn to_fields(self) -> String {
        format!("{:010}", self.0)
    }

    fn from_fields(fields: &str) -> Option<Self> {
        fields.parse().ok().map(Self)
    }
}

/// What was acknowledged, as far as the records say.
///
/// They are read before the first look at the database, and compared in it: what is committed in between
/// is no loss.
#[derive(Debug, Clone, Copy)]
pub(super) struct Witness {
    event: Option<Acknowledged>,
    changes: Option<Count>,
}

impl Witness {
    /// Reads the records; a missing or torn one says nothing.
    pub(super) fn read(layout: &Layout) -> Self {
        Self::beside(&mut Reading::of(layout), layout)
    }

    /// The same for who keeps the bell.
    pub(super) fn beside(bell: &mut Reading<Acknowledged>, layout: &Layout) -> Self {
        Self { event: bell.read(), changes: read(layout) }
    }

    /// The last event that was acknowledged.
    pub(super) fn position(self) -> Option<Position> {
        self.event.map(|acknowledged| acknowledged.position)
    }

    /// That the database, which has this head, holds it all.
    pub(super) fn check(
        self,
        connection: &Connection,
        layout: &Layout,
        head: &Head,
    ) -> Result<(), Failure> {
        if let Some(acknowledged) = self.event {
            check_bell(connection, layout, acknowledged, head)?;
        }
        let Some(changes) = self.changes else { return Ok(()) };
        let missing = changes.missing(Count::read(connection)?);
        if missing == 0 || faults::is_off(Remedy::Count) {
            return Ok(());
        }
        Err(Failure::Refused(Error::LostChanges {
            path: layout.root.clone(),
            missing,
            acknowledged: self.position(),
        }))
    }

    /// The records that say nothing of a database in which they would: they are missing, or torn. That one is
    /// being rewritten at this moment is known by a second look.
    pub(super) fn silent(
        self,
        connection: &Connection,
        layout: &Layout,
        head: &Head,
    ) -> rusqlite::Result<Vec<&'static str>> {
        let bell = self.event.is_none() && head.position.0 > 0;
        let count = self.changes.is_none() && Count::read(connection)? != Count(0);
        if !bell && !count || seems_marked(layout) {
            return Ok(Vec::new());
        }
        let again = Self::read(layout);
        let silent = [
            (bell && again.event.is_none(), Acknowledged::NAME),
            (count && again.changes.is_none(), Count::NAME),
        ];
        Ok(silent.into_iter().filter_map(|(is, name)| is.then_some(name)).collect())
    }

    /// All that the database lost.
    pub(super) fn losses(
        self,
        connection: &Connection,
        layout: &Layout,
        head: &Head,
    ) -> Result<Vec<Error>, Failure> {
        let parts = [Self { changes: None, ..self }, Self { event: None, ..self }];
        let lost = parts.map(|part| part.lost(connection, layout, head));
        lost.into_iter().filter_map(Result::transpose).collect()
    }

    /// What the database lost, if it did.
    pub(super) fn lost(
        self,
        connection: &Connection,
        layout: &Layout,
        head: &Head,
    ) -> Result<Option<Error>, Failure> {
        match self.check(connection, layout, head) {
            Ok(()) => Ok(None),
            Err(Failure::Refused(lost)) => Ok(Some(lost)),
            Err(failed) => Err(failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    /// That a line that is torn or changed says nothing.
    #[track_caller]
    fn is_whole_or_nothing<R: Record + PartialEq + Debug>(record: R) {
        let line = to_line(record);
        assert_eq!(from_line(&line), Some(record));
        for at in 0..line.len() - 1 {
            let mut torn = line.clone().into_bytes();
            torn[at] = if torn[at] == b'7' { b'8' } else { b'7' };
            assert_eq!(from_line::<R>(&String::from_utf8(torn).unwrap()), None, "{at}");
            assert_eq!(from_line::<R>(&line[..at]), None, "{at}");
        }
    }

    fn acknowledged(position: u64) -> Acknowledged {
        Acknowledged { position: Position(position), link: Link::genesis("x") }
    }

    #[test]
    fn a_torn_bell_says_nothing() {
        is_whole_or_nothing(acknowledged(1842));
    }

    #[test]
    fn every_bell_covers_the_one_before() {
        assert_eq!(to_line(acknowledged(0)).len(), to_line(acknowledged(u64::MAX)).len());
    }

    #[test]
    fn a_torn_count_says_nothing() {
        is_whole_or_nothing(Count(1842));
    }

    #[test]
    fn every_count_covers_the_one_before() {
        assert_eq!(to_line(Count(0)).len(), to_line(Count(u32::MAX)).len());
    }

    #[test]
    fn a_count_that_wrapped_around_is_ahead() {
        const MAX: u32 = u32::MAX;
        const HALF: u32 = 1 << 31;
        for (said, found, missing) in [
            (0, 0, 0),
            (7, 7, 0),
            (7, 5, 2),
            (5, 7, 0),
            (0, MAX, 1),
            (2, MAX - 1, 4),
            (MAX, 0, 0),
            (MAX, 2, 0),
            (HALF, HALF - 1, 1),
            (HALF - 1, HALF, 0),
            (HALF - 1, 0, HALF - 1),
            (0, HALF + 1, HALF - 1),
            (0, HALF - 1, 0),
        ] {
            assert_eq!(Count(said).missing(Count(found)), missing, "{said} {found}");
        }
    }

    #[test]
    fn a_database_counts_around() {
        let database = Connection::open_in_memory().unwrap();
        for (before, after) in [(0, 1), (i32::MAX, i32::MIN), (-1, 0)] {
            database.execute_batch(&format!("PRAGMA user_version={before}")).unwrap();
            let counted = Count::next(&database).unwrap();
            assert_eq!(counted, Count(after.cast_unsigned()));
            assert_eq!(Count::read(&database).unwrap(), counted);
        }
    }
}
