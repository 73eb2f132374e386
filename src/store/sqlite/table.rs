//! Tables: the owner of a projection's rows and checkpoint, a generation in a file of its own, so that what
//! writes it is in no writer's way.
//!
//! The events' file records which projections there are, and which generation of each serves.

mod apply;
mod columns;
mod compare;
mod end;
mod erase;
mod file;
mod functions;
mod lower;
mod select;

use std::cell::Cell;

use rusqlite::{Connection, ErrorCode};

pub(crate) use self::columns::statements;
use self::file::File;
pub(crate) use self::select::RowRef;
use super::Store;
use super::failure::failure;
use super::layout::Layout;
use super::lock::{MOMENT, Queue, Turn};
use super::payload::link;
use crate::event::{Link, Position};
use crate::schema::{Identifier, Schema};
use crate::store::{Checkpoint, Error, Options};

/// A generation of a projection, open.
#[derive(Debug)]
pub(crate) struct Table {
    name: Identifier,
    generation: u64,
    schema: Schema,
    connection: Connection,
    file: File,
    layout: Layout,
    options: Options,
    /// Whether something may be in the log that was committed here.
    untidy: Cell<bool>,
}

impl Store {
    /// Makes a generation of a projection, without rows, in the place of one that was left half made. Durable
    /// when it returns, but for its name.
    pub(crate) fn make_table(
        &self,
        name: &Identifier,
        generation: u64,
        schema: &Schema,
    ) -> Result<Table, Error> {
        let link = Link::genesis(&self.marker.id);
        let file = File::of(&self.layout, name, generation);
        let statements = [columns::CHECKPOINT, &columns::statements(name, schema)].concat();
        let connection = file.create(&self.layout, &self.options, |connection| {
            connection.execute_batch(&statements)?;
            let insert = "INSERT INTO ream_checkpoint VALUES (0, ?1, NULL)";
            connection.execute(insert, [link.as_bytes()]).map(drop)
        })?;
        Ok(self.opened(name, generation, schema, file, connection))
    }

    /// Opens a generation of a projection.
    pub(crate) fn table(
        &self,
        name: &Identifier,
        generation: u64,
        schema: &Schema,
    ) -> Result<Table, Error> {
        let file = File::of(&self.layout, name, generation);
        match file.open(&self.layout, &self.options) {
            Ok(connection) => Ok(self.opened(name, generation, schema, file, connection)),
            Err(error) if file.exists()? => Err(of_file(name, &file, error)),
            Err(_) => Err(Error::ProjectionLost { name: name.to_string(), path: file.path() }),
        }
    }

    fn opened(
        &self,
        name: &Identifier,
        generation: u64,
        schema: &Schema,
        file: File,
        connection: Connection,
    ) -> Table {
        let (name, schema) = (name.clone(), schema.clone());
        let (layout, options, untidy) =
            (self.layout.clone(), self.options.clone(), Cell::new(false));
        Table { name, generation, schema, connection, file, layout, options, untidy }
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

    /// The turns to drop, to rebuild and to run a projection. They end in that order: the last taken first.
    pub(crate) fn take_projection(&self, name: &Identifier) -> Result<[Turn; 3], Error> {
        let run = self.take_run(name.as_str(), MOMENT)?;
        let rebuild = self.take_rebuild(name)?;
        Ok([self.take_making()?, rebuild, run])
    }
}

impl Table {
    /// Removes a generation that does not serve.
    pub(crate) fn discard(self) -> Result<(), Error> {
        let file = self.file.clone();
        drop(self);
        file.remove()
    }

    /// How many rows there are, and how many bytes its files have.
    pub(crate) fn size(&self) -> Result<(u64, u64), Error> {
        let count = format!("SELECT count(*) FROM {}", self.table());
        let rows = self.connection.query_row(&count, [], |row| row.get(0));
        let rows = rows.map_err(|error| self.misread("count the rows", error))?;
        Ok((rows, self.file.bytes()))
    }

    /// How far it has come.
    pub(crate) fn place(&self) -> Result<Checkpoint, Error> {
        let place = self
            .connection
            .prepare_cached("SELECT position, link FROM ream_checkpoint")
            .and_then(|mut statement| {
                statement.query_row([], |row| {
                    Ok(Checkpoint { position: Position(row.get(0)?), link: link(row, 1)? })
                })
            });
        place.map_err(|error| self.misread("read the checkpoint", error))
    }

    /// Makes what was committed durable, and moves it from the log into the file where no one reads the
    /// log; whether it did: then nothing is left in that.
    pub(crate) fn settle(&self) -> Result<bool, Error> {
        let settled = self.settle_file().map_err(|error| match self.check_serves() {
            // Its file may be gone.
            Err(ended @ (Error::Superseded(_) | Error::Dropped(_))) => ended,
            _ => error,
        })?;
        self.untidy.set(false);
        Ok(settled)
    }

    /// The table, as SQL names it.
    fn table(&self) -> String {
        columns::quoted(self.name.as_str())
    }

    /// What a failure of SQLite means.
    fn tell(&self, action: &'static str, error: rusqlite::Error) -> Error {
        if let Some(ended) = self.ended(&error) {
            return ended;
        }
        of_file(&self.name, &self.file, failure(&self.layout, action, error))
    }

    /// The same where the statement is one that any file of a projection knows.
    fn misread(&self, action: &'static str, error: rusqlite::Error) -> Error {
        // That is how it says as well that there is no such table.
        let is_other = error.sqlite_error_code() == Some(ErrorCode::Unknown)
            || error == rusqlite::Error::QueryReturnedNoRows;
        if is_other && self.ended(&error).is_none() {
            let damaged = Error::Damaged { what: error.to_string() };
            return of_file(&self.name, &self.file, damaged);
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

impl Drop for Table {
    fn drop(&mut self) {
        // SQLite does that as well, but not what has to be done where it fails.
        if self.untidy.get() {
            let _ = self.tidy();
        }
    }
}
