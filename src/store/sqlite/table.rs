//! Projections: which there are, and the rows of one.
//!
//! The events' file records which there are, what each is made of and which of its generations serves;
//! rows and checkpoint of a projection are in a file of its own, so that what writes them is in no
//! writer's way.

mod apply;
mod columns;
mod compare;
mod erase;
mod fence;
mod file;
mod functions;
mod lower;
mod old;
mod select;

use std::cell::Cell;

use rusqlite::{Connection, ErrorCode};

use self::file::File;
pub(crate) use self::select::RowRef;
use super::Store;
use super::failure::failure;
use super::layout::Layout;
use super::lock::{MOMENT, Queue, Turn};
use super::payload::link;
use crate::event::{Link, Position};
use crate::schema::Identifier;
use crate::store::{Checkpoint, Error, Options, ProjectionEntry, ProjectionStatus};

/// A projection, open.
#[derive(Debug)]
pub(crate) struct Projection {
    connection: Connection,
    file: File,
    entry: ProjectionEntry,
    layout: Layout,
    options: Options,
    /// Whether something may be in the log that was committed here.
    untidy: Cell<bool>,
}

impl Store {
    /// Makes the file of a generation, without rows, in the place of one that was left half made. Durable when
    /// it returns, but for its name.
    pub(crate) fn make_table(&self, entry: &ProjectionEntry) -> Result<Projection, Error> {
        let ProjectionEntry { name, definition, generation, .. } = entry;
        let link = Link::genesis(&self.marker.id);
        let file = File::of(&self.layout, name, *generation);
        let statements =
            [columns::CHECKPOINT, &columns::statements(name, &definition.schema)].concat();
        let connection = file.create(&self.layout, &self.options, |connection| {
            connection.execute_batch(&statements)?;
            let insert = "INSERT INTO ream_checkpoint VALUES (0, ?1, NULL)";
            connection.execute(insert, [link.as_bytes()]).map(drop)
        })?;
        Ok(self.opened(entry, file, connection))
    }

    /// Opens the file of a generation.
    pub(crate) fn table(&self, entry: &ProjectionEntry) -> Result<Projection, Error> {
        let file = File::of(&self.layout, &entry.name, entry.generation);
        match file.open(&self.layout, &self.options) {
            Ok(connection) => Ok(self.opened(entry, file, connection)),
            Err(error) if file.exists()? => Err(of_file(&entry.name, &file, error)),
            Err(_) => {
                Err(Error::ProjectionLost { name: entry.name.to_string(), path: file.path() })
            }
        }
    }

    fn opened(&self, entry: &ProjectionEntry, file: File, connection: Connection) -> Projection {
        let (layout, options) = (self.layout.clone(), self.options.clone());
        let entry = entry.clone();
        Projection { connection, file, entry, layout, options, untidy: Cell::new(false) }
    }

    /// Whether there are files of a projection, whether they serve or not.
    pub(crate) fn has_tables(&self, name: &Identifier) -> Result<bool, Error> {
        Ok(!file::generations(&self.layout, name)?.is_empty())
    }

    /// Has the link of a projection lead to a generation, durably.
    pub(crate) fn lead(&self, name: &Identifier, generation: u64) -> Result<(), Error> {
        file::point(&self.layout, name, generation)?;
        file::sync_names(&self.layout)
    }

    /// The turn to make and drop projections.
    pub(crate) fn take_making(&self) -> Result<Turn, Error> {
        Queue::of_projections(&self.layout).enter(&self.options)
    }

    /// The turns to run, to rebuild and to drop a projection.
    pub(crate) fn take_projection(&self, name: &Identifier) -> Result<[Turn; 3], Error> {
        let run = self.take_run(name.as_str(), MOMENT)?;
        Ok([run, self.take_rebuild(name)?, self.take_making()?])
    }
}

impl Projection {
    /// Removes a generation that does not serve.
    pub(crate) fn discard(self) -> Result<(), Error> {
        let file = self.file.clone();
        drop(self);
        file.remove()
    }

    pub(crate) fn entry(&self) -> &ProjectionEntry {
        &self.entry
    }

    pub(crate) fn status(&self) -> Result<ProjectionStatus, Error> {
        let count = format!("SELECT count(*) FROM {}", self.table());
        let rows = self.connection.query_row(&count, [], |row| row.get(0));
        let rows = rows.map_err(|error| self.misread("count the rows", error))?;
        Ok(ProjectionStatus {
            rows,
            bytes: self.file.bytes(),
            checkpoint: self.checkpoint()?.position,
        })
    }

    pub(crate) fn checkpoint(&self) -> Result<Checkpoint, Error> {
        let checkpoint = self
            .connection
            .prepare_cached("SELECT position, link FROM ream_checkpoint")
            .and_then(|mut statement| {
                statement.query_row([], |row| {
                    Ok(Checkpoint { position: Position(row.get(0)?), link: link(row, 1)? })
                })
            });
        checkpoint.map_err(|error| self.misread("read the checkpoint", error))
    }

    /// Moves what was committed lately from the log into the file, where no one reads the log.
    pub(crate) fn tidy(&self) -> Result<(), Error> {
        let moved = self.file.tidy(&self.connection, &self.layout, &self.options)?;
        self.untidy.set(!moved);
        Ok(())
    }

    /// Makes what was committed durable.
    pub(crate) fn settle(&self) -> Result<(), Error> {
        let settled = self.file.settle(&self.connection, &self.layout, &self.options);
        settled.map_err(|error| match self.check_serves() {
            // Its file may be gone.
            Err(ended @ (Error::Superseded(_) | Error::Dropped(_))) => ended,
            _ => error,
        })?;
        self.untidy.set(false);
        Ok(())
    }

    /// The table, as SQL names it.
    fn table(&self) -> String {
        columns::quoted(self.entry.name.as_str())
    }

    /// What a failure of SQLite means.
    fn tell(&self, action: &'static str, error: rusqlite::Error) -> Error {
        if let Some(ended) = self.ended(&error) {
            return ended;
        }
        of_file(&self.entry.name, &self.file, failure(&self.layout, action, error))
    }

    /// The same where the statement is one that any file of a projection knows.
    fn misread(&self, action: &'static str, error: rusqlite::Error) -> Error {
        // That is how it says as well that there is no such table.
        let is_other = error.sqlite_error_code() == Some(ErrorCode::Unknown)
            || error == rusqlite::Error::QueryReturnedNoRows;
        if is_other && self.ended(&error).is_none() {
            let damaged = Error::Damaged { what: error.to_string() };
            return of_file(&self.entry.name, &self.file, damaged);
        }
        self.tell(action, error)
    }
}

/// An error of a projection's file, which names that where it is damaged.
fn of_file(name: &Identifier, file: &File, error: Error) -> Error {
    match error {
        Error::Damaged { what } => {
            Error::ProjectionDamaged { name: name.to_string(), path: file.path(), what }
        }
        error => error,
    }
}

/// The statements that make a table like that of a projection.
pub(crate) fn statements(entry: &ProjectionEntry) -> String {
    columns::statements(&entry.name, &entry.definition.schema)
}

impl Drop for Projection {
    fn drop(&mut self) {
        // SQLite does that as well, but not what has to be done where it fails.
        if self.untidy.get() {
            let _ = self.tidy();
        }
    }
}
