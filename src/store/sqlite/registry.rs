//! The registry: which names there are, and how what they stand for failed last.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::failure::Failure;
use crate::event::Position;
use crate::near;
use crate::schema::{Definition, Identifier};
use crate::store::permit::Permit;
use crate::store::{Checkpoint, Error, ProjectionEntry};

/// The table of what projections there are; made with the first of them. Names that differ in nothing
/// but case would be one file in some file systems.
pub(super) const PROJECTIONS: &str = "CREATE TABLE IF NOT EXISTS projections (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    generation INTEGER NOT NULL,
    definition TEXT NOT NULL,
    permit BLOB
) WITHOUT ROWID";

pub(super) const PROJECTION_COLUMNS: &str = "name, generation, definition, permit";

/// How much of a failure is kept, in bytes.
pub(super) const MOST_FAILURE: usize = 2000;

/// How what follows the log failed last; made with the first failure.
pub(super) const FAILURES: &str = "CREATE TABLE IF NOT EXISTS failures (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    time INTEGER NOT NULL,
    message TEXT NOT NULL
) WITHOUT ROWID";

/// What stands where the message of a failure was erased.
const ERASED: &str = "(erased, since it may have quoted what was removed)";

/// Whether a table that is made when it is needed has been made.
pub(super) fn is_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let table = "SELECT 1 FROM sqlite_schema WHERE name = ?1";
    let mut statement = connection.prepare_cached(table)?;
    Ok(statement.query_row([name], |_| Ok(())).optional()?.is_some())
}

/// Whether there is a projection `name`, but for upper and lower case.
pub(super) fn is_projection(connection: &Connection, name: &str) -> Result<bool, Failure> {
    Ok(find(connection, name)?.is_some())
}

/// The projection whose name is `name`, but for upper and lower case.
pub(super) fn find(
    connection: &Connection,
    name: &str,
) -> Result<Option<ProjectionEntry>, Failure> {
    let select = format!("SELECT {PROJECTION_COLUMNS} FROM projections WHERE name = ?1");
    let mut statement = match connection.prepare(&select) {
        Err(_) if !is_table(connection, "projections")? => return Ok(None),
        prepared => prepared?,
    };
    let mut rows = statement.query([name])?;
    rows.next()?.map(entry).transpose()
}

/// The projection `name`.
pub(super) fn find_exactly(
    connection: &Connection,
    name: &str,
) -> Result<ProjectionEntry, Failure> {
    match find(connection, name)?.filter(|entry| entry.name.as_str() == name) {
        Some(entry) => Ok(entry),
        None => Err(not_found(connection, name)?.into()),
    }
}

pub(super) fn entry(row: &rusqlite::Row<'_>) -> Result<ProjectionEntry, Failure> {
    let (name, definition) = (row.get_ref(0)?.as_str()?, row.get_ref(2)?.as_str()?);
    let damaged = |error: &dyn std::fmt::Display| Error::Damaged {
        what: format!("the projection `{name}` is none: {error}"),
    };
    Ok(ProjectionEntry {
        name: Identifier::new(name).map_err(|error| damaged(&error))?,
        definition: Definition::parse(definition).map_err(|error| damaged(&error))?,
        generation: row.get(1)?,
        // What is no permit is none that holds.
        permit: row.get_ref(3)?.as_blob_or_null().ok().flatten().and_then(Permit::from_bytes),
        given: false,
    })
}

fn not_found(connection: &Connection, name: &str) -> Result<Error, Failure> {
    let mut near = Vec::new();
    if is_table(connection, "projections")? {
        let mut statement = connection.prepare("SELECT name FROM projections")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let known: String = row.get(0)?;
            if near::is_near(name, &known) {
                near.push(known);
            }
        }
    }
    Ok(Error::ProjectionNotFound { name: name.into(), near })
}

/// Whether there is a subscription `name`, but for upper and lower case.
pub(super) fn is_subscription(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    if !is_table(connection, "subscriptions")? {
        return Ok(false);
    }
    let mut statement = connection.prepare_cached("SELECT 1 FROM subscriptions WHERE name = ?1")?;
    Ok(statement.query_row([name], |_| Ok(())).optional()?.is_some())
}

/// Forgets the words of every failure, which may quote an event: that something failed, and when, stays.
pub(super) fn forget_messages(connection: &Connection) -> rusqlite::Result<()> {
    if is_table(connection, "failures")? {
        connection.execute("UPDATE failures SET message = ?1", [ERASED])?;
    }
    Ok(())
}

/// Forgets how what is called `name` failed.
pub(super) fn forget_failure(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    if is_table(connection, "failures")? {
        connection.execute("DELETE FROM failures WHERE name = ?1", [name])?;
    }
    Ok(())
}

/// The checkpoint of the subscription `name`, where there is one.
pub(super) fn checkpoint(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<Option<Position>> {
    if !is_table(connection, "subscriptions")? {
        return Ok(None);
    }
    let mut statement =
        connection.prepare_cached("SELECT position FROM subscriptions WHERE name = ?1")?;
    statement.query_row([name], |row| row.get(0).map(Position)).optional()
}

/// Moves the checkpoint of the subscription `name`.
pub(super) fn move_checkpoint(
    connection: &Connection,
    name: &str,
    to: &Checkpoint,
) -> rusqlite::Result<()> {
    let update = "UPDATE subscriptions SET position = ?2, link = ?3 WHERE name = ?1";
    let Checkpoint { position, link } = to;
    connection.prepare_cached(update)?.execute(params![name, position.0, link.as_bytes()])?;
    Ok(())
}
