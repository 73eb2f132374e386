//! What differs between two generations of a projection: both are read in the order of their keys.

use std::cmp::Ordering;

use rusqlite::types::ValueRef as Column;
use rusqlite::{Connection, Row as SqlRow, Statement};

use super::Table;
use super::apply::whole_row;
use super::columns::list;
use crate::store::sqlite::failure::Failure;
use crate::store::{Differences, Error};

impl Table {
    /// What differs from `old`; the first rows that do, at most so many.
    pub(crate) fn differences(&self, old: &Self, shown: usize) -> Result<Differences, Error> {
        old.check_schema(&self.schema)?;
        self.compare(old, shown).map_err(|failed| match failed {
            Failure::Refused(error) => error,
            Failure::Sqlite(error) => self.tell("compare the projection", error),
        })
    }

    fn compare(&self, old: &Self, shown: usize) -> Result<Differences, Failure> {
        let schema = &self.schema;
        let mut differences = Differences::default();
        let (mut olds, mut news) = (old.by_key(&old.connection)?, self.by_key(&self.connection)?);
        let (mut olds, mut news) = (olds.query([])?, news.query([])?);
        let (mut before, mut after) = (olds.next()?, news.next()?);
        loop {
            let order = match (before, after) {
                (None, None) => return Ok(differences),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(before), Some(after)) => order(before, after, schema.key())?,
            };
            let (is_old, is_new) = (order.is_le(), order.is_ge());
            let (one, other) = (before.filter(|_| is_old), after.filter(|_| is_new));
            let differs = match (one, other) {
                (Some(one), Some(other)) => {
                    let differs = !is_same(one, other, schema.fields().len())?;
                    differences.changed += u64::from(differs);
                    differs
                }
                (one, _) => {
                    let counted =
                        if one.is_some() { &mut differences.gone } else { &mut differences.new };
                    *counted += 1;
                    true
                }
            };
            if differs && differences.first.len() < shown {
                let row =
                    |row: Option<&SqlRow<'_>>| row.map(|row| whole_row(row, schema)).transpose();
                differences.first.push((row(one)?, row(other)?));
            }
            if is_old {
                before = olds.next()?;
            }
            if is_new {
                after = news.next()?;
            }
        }
    }

    fn by_key<'c>(&self, connection: &'c Connection) -> rusqlite::Result<Statement<'c>> {
        let schema = &self.schema;
        let all: Vec<usize> = (0..schema.fields().len()).collect();
        connection.prepare(&format!(
            "SELECT {} FROM {} ORDER BY {}",
            list(schema, &all),
            self.table(),
            list(schema, schema.key())
        ))
    }
}

/// How the keys of two rows stand, as they are stored.
fn order(one: &SqlRow<'_>, other: &SqlRow<'_>, key: &[usize]) -> rusqlite::Result<Ordering> {
    for field in key {
        let order = match (one.get_ref(*field)?, other.get_ref(*field)?) {
            (Column::Integer(one), Column::Integer(other)) => one.cmp(&other),
            (Column::Real(one), Column::Real(other)) => one.total_cmp(&other),
            (Column::Text(one), Column::Text(other)) | (Column::Blob(one), Column::Blob(other)) => {
                one.cmp(other)
            }
            // A key is not null, and has one type.
            _ => Ordering::Equal,
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(Ordering::Equal)
}

fn is_same(one: &SqlRow<'_>, other: &SqlRow<'_>, fields: usize) -> rusqlite::Result<bool> {
    for field in 0..fields {
        if one.get_ref(field)? != other.get_ref(field)? {
            return Ok(false);
        }
    }
    Ok(true)
}
