//! Selecting rows, in one statement, which is one moment.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use rusqlite::{Statement, params_from_iter};

use super::Table;
use super::columns::{column, from_column, list};
use super::lower::Lowered;
use crate::schema::{Field, ValueRef};
use crate::store::rows::RowValues;
use crate::store::{Error, Explanation, Selection};

/// A row of a statement that is being stepped through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowRef<'r> {
    row: &'r rusqlite::Row<'r>,
    fields: &'r [&'r Field],
}

impl RowValues for RowRef<'_> {
    fn value(&self, place: usize) -> Result<ValueRef<'_>, Error> {
        let column = self
            .row
            .get_ref(place)
            .map_err(|error| Error::Engine { action: "read a field", source: error.into() })?;
        from_column(column, self.fields[place])
    }
}

impl Table {
    pub(crate) fn select(
        &self,
        selection: &Selection,
        mut each: impl FnMut(RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let schema = &self.schema;
        let fields: Vec<&Field> = selection.fields.iter().map(|at| &schema.fields()[*at]).collect();
        let (sql, lowered) = self.statement(selection, &list(schema, &selection.fields))?;
        let mut statement = self.prepare(&sql, &lowered)?;
        let failed = |error| self.failed(selection, &lowered, error);
        let mut rows = statement.query(params_from_iter(&lowered.values)).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            if each(RowRef { row, fields: &fields }).is_break() {
                break;
            }
        }
        Ok(())
    }

    pub(crate) fn count(&self, selection: &Selection) -> Result<u64, Error> {
        let (inner, lowered) = self.statement(selection, "1")?;
        let sql = format!("SELECT count(*) FROM ({inner})");
        let mut statement = self.prepare(&sql, &lowered)?;
        let count = statement.query_row(params_from_iter(&lowered.values), |row| row.get(0));
        count.map_err(|error| self.failed(selection, &lowered, error))
    }

    pub(crate) fn explain(&self, selection: &Selection) -> Result<Explanation, Error> {
        let schema = &self.schema;
        let (sql, lowered) = self.statement(selection, &list(schema, &selection.fields))?;
        let mut statement = self.prepare(&format!("EXPLAIN QUERY PLAN {sql}"), &lowered)?;
        let steps = statement
            .query_map(params_from_iter(&lowered.values), |row| row.get(3))
            .and_then(Iterator::collect);
        let plan = steps.map_err(|error| self.failed(selection, &lowered, error))?;
        Ok(Explanation { plan, statement: sql })
    }

    /// The statement that selects `columns`, and what it needs.
    fn statement(&self, selection: &Selection, columns: &str) -> Result<(String, Lowered), Error> {
        let schema = &self.schema;
        let lowered = match &selection.condition {
            Some(condition) => self.lowered(condition)?,
            None => Lowered::default(),
        };
        let mut sql = format!("SELECT {columns} FROM {}", self.table());
        // Writing into a string does not fail.
        if selection.condition.is_some() {
            let _ = write!(sql, " WHERE {}", lowered.sql);
        }
        if !selection.order.is_empty() {
            let named = selection.order.iter().map(|by| (by.field, by.descending));
            let key = schema
                .key()
                .iter()
                .filter(|key| selection.order.iter().all(|by| by.field != **key));
            let terms = named.chain(key.map(|key| (*key, false))).map(|(field, descending)| {
                let column = column(&schema.fields()[field]);
                if descending { format!("{column} DESC") } else { column }
            });
            let _ = write!(sql, " ORDER BY {}", terms.collect::<Vec<_>>().join(", "));
        }
        if selection.limit.is_some() || selection.offset > 0 {
            let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            let limit = selection.limit.map_or(-1, number);
            let _ = write!(sql, " LIMIT {limit} OFFSET {}", number(selection.offset));
        }
        Ok((sql, lowered))
    }

    fn prepare(&self, sql: &str, lowered: &Lowered) -> Result<Statement<'_>, Error> {
        let installed = lowered.functions.install(&self.connection, &self.options);
        let prepared = installed.and_then(|()| self.connection.prepare(sql));
        prepared.map_err(|error| self.tell("prepare the query", error))
    }

    /// What a failure of a statement means.
    fn failed(&self, selection: &Selection, lowered: &Lowered, error: rusqlite::Error) -> Error {
        match (lowered.functions.overflow(), &selection.condition) {
            (Some(overflow), Some(condition)) => condition.overflow(overflow),
            _ => self.tell("read the projection", error),
        }
    }
}
