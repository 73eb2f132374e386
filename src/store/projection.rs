//! Projections: tables that hold what was made of events.

use std::ops::ControlFlow;

use super::checkpoint::Checkpoint;
use super::error::Error;
use super::permit::Permit;
use super::seal::Batched;
use super::{RunLock, Stopped, sqlite};
use crate::event::Position;
use crate::expression::{Assignments, Condition};
use crate::schema::{Definition, Identifier, Row, Schema, ValueRef};

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
    engine: ProjectionEngine,
}

#[derive(Debug)]
enum ProjectionEngine {
    Sqlite(sqlite::Projection),
}

/// A projection, by name.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ProjectionEntry {
    /// Its name.
    pub name: Identifier,
    /// What it is made of.
    pub definition: Definition,
    /// Which one it is of those that have been built; the first is 1.
    pub generation: u64,
    /// The permit that is stored with its program. Whether it holds here is another question.
    pub(super) permit: Option<Permit>,
    /// Whether this process was given its program, by [`Store::give`](super::Store::give).
    pub(super) given: bool,
}

impl ProjectionEntry {
    /// The statements that make a table like the projection's.
    #[must_use]
    pub fn statements(&self) -> String {
        sqlite::statements(self)
    }
}

/// How a projection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProjectionStatus {
    /// How many rows it has.
    pub rows: u64,
    /// How large its file is, and the log beside it, in bytes.
    pub bytes: u64,
    /// The last position that it has committed.
    pub checkpoint: Position,
}

/// Which rows, and what of them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Selection {
    /// Only rows that this is true of.
    pub condition: Option<Condition>,
    /// The fields, by number, in the order in which they are wanted.
    pub fields: Vec<usize>,
    /// The order of the rows. Those that are alike in it come in the order of their keys; where it is
    /// empty, there is no order.
    pub order: Vec<OrderBy>,
    /// How many rows at most.
    pub limit: Option<u64>,
    /// How many rows are passed over.
    pub offset: u64,
}

/// A field that rows are ordered by. Null goes before every value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderBy {
    /// The field, by number.
    pub field: usize,
    /// Whether the largest goes first.
    pub descending: bool,
}

impl Selection {
    /// All rows, all fields.
    #[must_use]
    pub fn all(schema: &Schema) -> Self {
        let fields = (0..schema.fields().len()).collect();
        Self { condition: None, fields, order: Vec::new(), limit: None, offset: 0 }
    }

    /// That it has fields, and each that it names is one of the schema's.
    fn check(&self, schema: &Schema) -> Result<(), Error> {
        let ordered = self.order.iter().map(|by| by.field);
        let none = |field: &usize| *field >= schema.fields().len();
        match self.fields.iter().copied().chain(ordered).find(none) {
            None if !self.fields.is_empty() => Ok(()),
            field => Err(Error::NoSuchField { field }),
        }
    }
}

/// A change of a projection's rows.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Change {
    /// Insert a row, or replace the one with its key.
    Set(Row),
    /// Insert a row; where one with its key is there, set fields of that.
    Upsert(Row, Assignments),
    /// Set fields of the rows that a condition keeps.
    Update(Assignments, Condition),
    /// Delete the rows that a condition keeps.
    Delete(Condition),
}

/// A row that was selected.
#[derive(Debug, Clone, Copy)]
pub struct RowRef<'r>(pub(super) RowEngine<'r>);

#[derive(Debug, Clone, Copy)]
pub(super) enum RowEngine<'r> {
    Sqlite(sqlite::RowRef<'r>),
}

impl<'r> RowRef<'r> {
    /// The value of a field, by its place in the selection.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] where it is none that ream stores.
    pub fn value(&self, place: usize) -> Result<ValueRef<'r>, Error> {
        match &self.0 {
            RowEngine::Sqlite(row) => row.value(place),
        }
    }
}

/// What differs between a projection and the one that it is to follow.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Differences {
    /// How many rows have another value somewhere.
    pub changed: u64,
    /// How many rows there were that there are not.
    pub gone: u64,
    /// How many rows there are that there were not.
    pub new: u64,
    /// The first of them, by key: the row as it was, and as it is.
    pub first: Vec<(Option<Row>, Option<Row>)>,
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
        match self.projection.engine {
            ProjectionEngine::Sqlite(projection) => projection.discard(),
        }
    }
}

/// How rows are found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The steps, in the engine's words.
    pub plan: Vec<String>,
    /// What the engine is asked.
    pub statement: String,
}

/// How far setting several rows came.
#[derive(Debug)]
#[non_exhaustive]
pub struct SetEach {
    /// How many are set, from the first on.
    pub set: usize,
    /// The row that was refused, where one was.
    pub stopped: Option<Stopped>,
}

impl Projection {
    pub(super) fn of(engine: sqlite::Projection) -> Self {
        Self { engine: ProjectionEngine::Sqlite(engine) }
    }

    /// Its name, definition and generation.
    #[must_use]
    pub fn entry(&self) -> &ProjectionEntry {
        match &self.engine {
            ProjectionEngine::Sqlite(projection) => projection.entry(),
        }
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
        match &self.engine {
            ProjectionEngine::Sqlite(projection) => projection.status(),
        }
    }

    /// How far it has come, by what it has committed.
    ///
    /// # Errors
    ///
    /// Where it can't be read.
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        match &self.engine {
            ProjectionEngine::Sqlite(projection) => projection.checkpoint(),
        }
    }

    /// Inserts rows, or replaces those that have their keys, in one transaction. Where one is refused,
    /// those before it are set, or none.
    ///
    /// # Errors
    ///
    /// [`Error::Superseded`], [`Error::Dropped`], and where no row is at fault: then none is set.
    pub fn set(&mut self, rows: &[Row], batched: Batched) -> Result<SetEach, Error> {
        match &mut self.engine {
            ProjectionEngine::Sqlite(projection) => projection.set(rows, batched),
        }
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
        match &mut self.engine {
            ProjectionEngine::Sqlite(projection) => {
                projection.update(assignments, condition, dry_run)
            }
        }
    }

    /// Deletes the rows that `condition` keeps, in one transaction; how many. With `dry_run` nothing is
    /// changed.
    ///
    /// # Errors
    ///
    /// [`Error::Expression`], [`Error::OtherSchema`], [`Error::Superseded`], [`Error::Dropped`]: nothing
    /// is changed.
    pub fn delete(&mut self, condition: &Condition, dry_run: bool) -> Result<u64, Error> {
        match &mut self.engine {
            ProjectionEngine::Sqlite(projection) => projection.delete(condition, dry_run),
        }
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
        match &mut self.engine {
            ProjectionEngine::Sqlite(projection) => projection.commit(changes, from, to),
        }
    }

    /// Has others see what was committed lately even where they take the projection's file for one
    /// that no one writes. Where others read, it is left for another time.
    ///
    /// # Errors
    ///
    /// Where the file can't be written or synced.
    pub fn tidy(&self) -> Result<(), Error> {
        match &self.engine {
            ProjectionEngine::Sqlite(projection) => projection.tidy(),
        }
    }

    /// Makes what was committed durable.
    ///
    /// # Errors
    ///
    /// Where it may not be.
    pub fn settle(&self) -> Result<(), Error> {
        match &self.engine {
            ProjectionEngine::Sqlite(projection) => projection.settle(),
        }
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
        each: impl FnMut(&RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        selection.check(self.schema())?;
        match &self.engine {
            ProjectionEngine::Sqlite(projection) => projection.select(selection, each),
        }
    }

    /// How many rows `selection` has.
    ///
    /// # Errors
    ///
    /// As [`Projection::select`].
    pub fn count(&self, selection: &Selection) -> Result<u64, Error> {
        selection.check(self.schema())?;
        match &self.engine {
            ProjectionEngine::Sqlite(projection) => projection.count(selection),
        }
    }

    /// How the rows of `selection` are found, without looking for them.
    ///
    /// # Errors
    ///
    /// As [`Projection::select`].
    pub fn explain(&self, selection: &Selection) -> Result<Explanation, Error> {
        selection.check(self.schema())?;
        match &self.engine {
            ProjectionEngine::Sqlite(projection) => projection.explain(selection),
        }
    }

    /// What differs from `old`, a generation before this one; of the rows the first `shown`.
    ///
    /// # Errors
    ///
    /// [`Error::OtherSchema`], and where they can't be read.
    pub fn differences(&self, old: &Self, shown: usize) -> Result<Differences, Error> {
        match (&self.engine, &old.engine) {
            (ProjectionEngine::Sqlite(new), ProjectionEngine::Sqlite(old)) => {
                new.differences(old, shown)
            }
        }
    }

    /// That no other generation of it serves by now.
    ///
    /// # Errors
    ///
    /// [`Error::Superseded`], [`Error::Dropped`], and where that can't be read.
    pub(crate) fn check_serves(&self) -> Result<(), Error> {
        match &self.engine {
            ProjectionEngine::Sqlite(projection) => projection.check_serves(),
        }
    }

    pub(super) fn engine(&self) -> &sqlite::Projection {
        match &self.engine {
            ProjectionEngine::Sqlite(projection) => projection,
        }
    }
}
