//! The database by itself: what SQLite finds in its pages, and that its tables are made as ream makes them.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::is_unreadable;
use crate::store::sqlite::failure::Failure;
use crate::store::sqlite::schema::TABLES;
use crate::store::verify::{Finding, FindingKind};

/// How many lines SQLite's own check gives at most.
const CHECKS: u32 = 100;

fn found(what: impl Into<String>) -> Finding {
    Finding::new(FindingKind::Database, what)
}

/// What SQLite finds by itself: pages that are not what their tree says, rows out of order. That indexes lead to
/// rows is compared otherwise.
pub(super) fn pages(connection: &Connection) -> Result<Vec<Finding>, Failure> {
    let mut statement = connection.prepare(&format!("PRAGMA quick_check({CHECKS})"))?;
    let mut rows = statement.query([])?;
    let mut findings = Vec::new();
    loop {
        match rows.next() {
            Ok(Some(row)) => {
                let lines: String = row.get(0)?;
                // A line that only says where the next ones are from tells nothing.
                let lines =
                    lines.lines().filter(|line| *line != "ok" && !line.starts_with("*** in"));
                findings.extend(lines.map(found));
            }
            Ok(None) => return Ok(findings),
            Err(error) if is_unreadable(&error) => {
                findings.push(found(error.to_string()));
                return Ok(findings);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// That each table is made as ream makes it: how values are compared and stored hangs on the words of its
/// definition.
pub(super) fn tables(connection: &Connection) -> Result<Vec<Finding>, Failure> {
    let made = Connection::open_in_memory()?;
    made.execute_batch(TABLES)?;
    let (made_as, is_as) = (definitions(&made)?, definitions(connection)?);
    let mut findings = Vec::new();
    for (name, sql) in &made_as {
        let is_made = is_as.get(name) == Some(sql)
            // A later ream may add columns, which are passed over.
            || columns(&made, name)?.len() < columns(connection, name)?.len();
        if !is_made {
            findings.push(found(format!("`{name}` is not made as ream makes it")));
        }
    }
    Ok(findings)
}

/// The tables and indexes, each with the statement that makes it.
fn definitions(connection: &Connection) -> rusqlite::Result<BTreeMap<String, String>> {
    let mut statement =
        connection.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// The names of a table's columns.
fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let rows = statement.query_map([table], |row| row.get(0))?;
    rows.collect()
}
