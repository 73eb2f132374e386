//! The face of projections: tables that hold what was made of events.

use std::ops::ControlFlow;

use super::checkpoint::Checkpoint;
use super::engine::Table;
use super::error::Error;
use super::name::ProjectionEntry;
use super::rows::{
    Applied, Batched, Change, ChangeRef, Differences, Explanation, ProjectionStatus, RowRef,
    Selection, SetEach,
};
use super::{RunLock, Stopped, Store, sqlite};
use crate::event::Position;
use crate::expression::{Assignments, Condition};
use crate::schema::{Row, Schema};

/// A projection of a store.
///
/// ```
/// use ream::{Batched, Definition, Options, ProjectionEntry, Row, Schema, Selection, Store, ValueRef};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("shop");
/// let (mut store, _created) = Store::init(&path, &Options::default())?;
/// let schema = Schema::of(&["id:integer:key", "city:text:index"])?;
/// store.create_projection(&ProjectionEntry::new("users".parse()?, Definition::new(schema)))?;
///
/// let mut users = store.projection("users")?;
/// let ann = Row::parse(br#"{"id":1,"city":"London"}"#, users.schema())?;
/// users.set(&[ann], Batched::AllOrNone)?;
/// let mut cities = Vec::new();
/// users.select(&Selection::all(users.schema()), |row| {
///     if let Ok(ValueRef::Text(city)) = row.value(1) {
///         cities.push(city.to_owned());
///     }
///     std::ops::ControlFlow::Continue(())
/// })?;
/// assert_eq!(cities, ["London"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Projection {
    entry: ProjectionEntry,
    /// The owner of its rows and its checkpoint.
    table: Box<dyn Table>,
}

impl ProjectionEntry {
    /// The statements that make a table like the projection's.
    #[must_use]
    pub fn statements(&self) -> String {
        sqlite::statements(&self.name, &self.definition.schema)
    }
}

/// The next generation of a projection, which no one else knows until it serves.
#[derive(Debug)]
pub struct Rebuild {
    /// The projection.
    pub projection: Projection,
    /// No one else makes it anew at the same time.
    _lock: RunLock,
}

impl Rebuild {
    pub(super) fn new(projection: Projection, lock: RunLock) -> Self {
        Self { projection, _lock: lock }
    }

    /// Gives it up.
    ///
    /// # Errors
    ///
    /// Where its file can't be removed.
    pub fn discard(self) -> Result<(), Error> {
        self.projection.table.discard()
    }
}

impl Store {
    /// Does what a rebuild that was killed has left to do, but where someone makes the projection anew.
    ///
    /// # Errors
    ///
    /// Where it can't be done.
    pub(crate) fn tidy_older(&self, entry: &ProjectionEntry) -> Result<(), Error> {
        self.engine.follow_up_older(&entry.name, entry.generation)
    }

    /// Has no byte of rows that were deleted be left in the files of `projection`; why some are, where they
    /// are: [`Error::LogHeld`] where a reader is in the way, which is waited for as long as a writer waits for
    /// others.
    #[must_use]
    pub fn erase_rows(&self, projection: &Projection) -> Option<Error> {
        self.engine.erase_rows(projection.table())
    }
}

impl Projection {
    pub(super) fn of(entry: ProjectionEntry, table: Box<dyn Table>) -> Self {
        Self { entry, table }
    }

    /// Its name, definition and generation.
    #[must_use]
    pub fn entry(&self) -> &ProjectionEntry {
        &self.entry
    }

    /// What its rows look like.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.entry().definition.schema
    }

    /// How it stands.
    ///
    /// # Errors
    ///
    /// Where it can't be read.
    pub fn status(&self) -> Result<ProjectionStatus, Error> {
        let (rows, bytes) = self.table.size()?;
        Ok(ProjectionStatus { rows, bytes, checkpoint: self.table.place()?.position })
    }

    /// How far it has come, by what it has committed.
    ///
    /// # Errors
    ///
    /// Where it can't be read.
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        self.table.place()
    }

    /// Inserts rows, or replaces those that have their keys, in one transaction. Where one is refused,
    /// those before it are set, or none.
    ///
    /// # Errors
    ///
    /// [`Error::Superseded`], [`Error::Dropped`], and where no row is at fault: then none is set.
    pub fn set(&mut self, rows: &[Row], batched: Batched) -> Result<SetEach, Error> {
        let changes = rows.iter().map(ChangeRef::Set);
        let Applied { changes: set, stopped, .. } = self.apply(changes, None, batched, false)?;
        Ok(SetEach { set, stopped })
    }

    /// Sets fields of the rows that `condition` keeps, of all where there is none, in one transaction;
    /// how many. With `dry_run` nothing is changed.
    ///
    /// # Errors
    ///
    /// [`Error::Row`] where a row can't be as it would be, [`Error::UniqueClash`],
    /// [`Error::Expression`], [`Error::OtherSchema`], [`Error::Superseded`], [`Error::Dropped`]: nothing
    /// is changed.
    pub fn update(
        &mut self,
        assignments: &Assignments,
        condition: Option<&Condition>,
        dry_run: bool,
    ) -> Result<u64, Error> {
        self.change(ChangeRef::Update(assignments, condition), dry_run)
    }

    /// Deletes the rows that `condition` keeps, in one transaction; how many. With `dry_run` nothing is
    /// changed.
    ///
    /// # Errors
    ///
    /// [`Error::Expression`], [`Error::OtherSchema`], [`Error::Superseded`], [`Error::Dropped`]: nothing
    /// is changed.
    pub fn delete(&mut self, condition: &Condition, dry_run: bool) -> Result<u64, Error> {
        self.change(ChangeRef::Delete(condition), dry_run)
    }

    /// Makes changes, in their order, and moves the checkpoint from `from` to `to`, all in one
    /// transaction. Where a change is refused, nothing is done, and it is told which.
    ///
    /// # Errors
    ///
    /// [`Error::CheckpointMoved`] where the checkpoint is not at `from`, [`Error::Superseded`],
    /// [`Error::Dropped`], and where no change is at fault: nothing is done.
    pub fn commit(
        &mut self,
        changes: &[Change],
        from: Position,
        to: &Checkpoint,
    ) -> Result<Option<Stopped>, Error> {
        let changes = changes.iter().map(Change::borrow);
        Ok(self.apply(changes, Some((from, to)), Batched::AllOrNone, false)?.stopped)
    }

    /// Makes one change; how many rows it is about.
    fn change(&mut self, change: ChangeRef<'_>, dry_run: bool) -> Result<u64, Error> {
        let Applied { rows, stopped, .. } =
            self.apply([change], None, Batched::AllOrNone, dry_run)?;
        stopped.map_or(Ok(rows), |stopped| Err(stopped.error))
    }

    fn apply<'c>(
        &mut self,
        changes: impl IntoIterator<Item = ChangeRef<'c>>,
        moves: Option<(Position, &Checkpoint)>,
        batched: Batched,
        dry_run: bool,
    ) -> Result<Applied, Error> {
        self.table.apply(&mut changes.into_iter(), moves, batched, dry_run)
    }

    /// Has others see what was committed lately even where they take the projection's file for one
    /// that no one writes. Where others read, it is left for another time.
    ///
    /// # Errors
    ///
    /// Where the file can't be written or synced.
    pub fn tidy(&self) -> Result<(), Error> {
        self.table.tidy()
    }

    /// Makes what was committed durable.
    ///
    /// # Errors
    ///
    /// Where it may not be.
    pub fn settle(&self) -> Result<(), Error> {
        self.table.settle()
    }

    /// Gives the rows of `selection` to `each`, as they stand at one moment, until it breaks off.
    ///
    /// While it runs, the projection's log can't start over: `each` has to be swift.
    ///
    /// # Errors
    ///
    /// [`Error::Expression`], [`Error::OtherSchema`], [`Error::NoSuchField`]; [`Error::Superseded`] and
    /// [`Error::Dropped`] before the first row; and where the projection can't be read.
    pub fn select(
        &self,
        selection: &Selection,
        mut each: impl FnMut(&RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        selection.check(self.schema())?;
        self.table.select(selection, &mut each)
    }

    /// How many rows `selection` has.
    ///
    /// # Errors
    ///
    /// As [`Projection::select`].
    pub fn count(&self, selection: &Selection) -> Result<u64, Error> {
        selection.check(self.schema())?;
        self.table.count(selection)
    }

    /// How the rows of `selection` are found, without looking for them.
    ///
    /// # Errors
    ///
    /// As [`Projection::select`].
    pub fn explain(&self, selection: &Selection) -> Result<Explanation, Error> {
        selection.check(self.schema())?;
        self.table.explain(selection)
    }

    /// What differs from `old`, a generation before this one; of the rows the first `shown`.
    ///
    /// # Errors
    ///
    /// [`Error::OtherSchema`], and where they can't be read.
    pub fn differences(&self, old: &Self, shown: usize) -> Result<Differences, Error> {
        self.table.differences(old.table(), shown)
    }

    /// That no other generation of it serves by now.
    ///
    /// # Errors
    ///
    /// [`Error::Superseded`], [`Error::Dropped`], and where that can't be read.
    pub(crate) fn check_serves(&self) -> Result<(), Error> {
        self.table.check_serves()
    }

    pub(super) fn table(&self) -> &dyn Table {
        &*self.table
    }
}
