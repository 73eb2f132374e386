//! What is asked of a projection's rows, and what comes of it.

use std::fmt;

use super::Stopped;
use super::error::Error;
use crate::event::Position;
use crate::expression::{Assignments, Condition};
use crate::schema::{Row, Schema, ValueRef};

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
    pub(super) fn check(&self, schema: &Schema) -> Result<(), Error> {
        let ordered = self.order.iter().map(|by| by.field);
        let none = |field: &usize| *field >= schema.fields().len();
        match self.fields.iter().copied().chain(ordered).find(none) {
            None if !self.fields.is_empty() => Ok(()),
            field => Err(Error::NoSuchField { field }),
        }
    }
}

/// How rows that are set together stand for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batched {
    /// All are set, or none.
    AllOrNone,
    /// Those before the first that is refused are set.
    Each,
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

/// The same as it is asked of an engine.
#[derive(Debug, Clone, Copy)]
pub(super) enum ChangeRef<'c> {
    Set(&'c Row),
    Upsert(&'c Row, &'c Assignments),
    /// Of all rows where there is no condition.
    Update(&'c Assignments, Option<&'c Condition>),
    Delete(&'c Condition),
}

impl Change {
    pub(super) fn borrow(&self) -> ChangeRef<'_> {
        match self {
            Self::Set(row) => ChangeRef::Set(row),
            Self::Upsert(row, assignments) => ChangeRef::Upsert(row, assignments),
            Self::Update(assignments, condition) => ChangeRef::Update(assignments, Some(condition)),
            Self::Delete(condition) => ChangeRef::Delete(condition),
        }
    }
}

/// A row that was selected.
#[derive(Debug, Clone, Copy)]
pub struct RowRef<'r>(&'r dyn RowValues);

/// A row as an engine has it.
pub(crate) trait RowValues: fmt::Debug {
    /// The value of a field, by its place in the selection.
    fn value(&self, place: usize) -> Result<ValueRef<'_>, Error>;
}

impl<'r> RowRef<'r> {
    pub(super) fn new(row: &'r dyn RowValues) -> Self {
        Self(row)
    }

    /// The value of a field, by its place in the selection.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] where it is none that ream stores.
    pub fn value(&self, place: usize) -> Result<ValueRef<'r>, Error> {
        self.0.value(place)
    }
}

/// What came of changes.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// How many changes are made, from the first on.
    pub(super) changes: usize,
    /// How many rows they are about.
    pub(super) rows: u64,
    /// The change that was refused, where one was.
    pub(super) stopped: Option<Stopped>,
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
