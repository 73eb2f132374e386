//! Projections: which there are, and the rows of one.
//!
//! The events' file records which there are, what each is made of and which of its generations serves;
//! rows and checkpoint of a projection are in a file of its own, so that what writes them is in no
//! writer's way.

mod compare;
mod erase;
mod fence;
mod file;
mod functions;
mod lower;
mod old;
mod rebuild;
mod registered;
mod rows;
mod select;
mod table;

use std::cell::Cell;

use rusqlite::{Connection, ErrorCode};

use self::file::File;
pub(crate) use self::select::RowRef;
use super::Layout;
use super::Store;
use super::failure::failure;
use super::lock::MOMENT;
use super::lock::Queue;
use super::payload::link;
use super::registry::{self, Holder, Kind, Name};
use crate::event::{Link, Position};
use crate::schema::{Definition, Identifier};
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
    /// Makes a projection; whether it is new.
    pub(crate) fn create_projection(&mut self, entry: &ProjectionEntry) -> Result<bool, Error> {
        let ProjectionEntry { name, definition, permit, .. } = entry;
        let _turn = Queue::of_projections(&self.layout).enter(&self.options)?;
        let (known, last) = self.look(|connection| {
            Ok(match registry::holder(connection, name.as_str(), Kind::Projection)? {
                Holder::Known(row) => (Some(registered::entry(*row)?), 0),
                Holder::Nobody { generation } => (None, generation),
            })
        })?;
        match known {
            Some(known) if known.name == *name && known.definition == *definition => {
                if known.permit != *permit {
                    self.remember(entry)?;
                }
                return Ok(false);
            }
            Some(known) => return Err(Error::ProjectionExists { name: known.name.to_string() }),
            None => {}
        }
        let generation = last + 1;
        // What an earlier attempt left is in no one's use, and what a drop left is for readers of that.
        self.tidy_dropped(name, last)?;
        drop(self.create_file(name, definition, generation)?);
        file::point(&self.layout, name, generation)?;
        file::sync_names(&self.layout)?;
        // From here on it is there: writers wait for no more than this.
        let made = self.write(false, |transaction| {
            let connection = transaction.connection();
            // A subscription may have come first.
            registry::holder(connection, name.as_str(), Kind::Projection)?;
            registered::put(connection, &ProjectionEntry { generation, ..entry.clone() })
        });
        if let Err(Error::NameTaken { .. }) = made {
            self.tidy_dropped(name, last)?;
        }
        made.map(|()| true)
    }

    /// Makes the file of a generation, without rows.
    fn create_file(
        &self,
        name: &Identifier,
        definition: &Definition,
        generation: u64,
    ) -> Result<(File, Connection), Error> {
        let link = Link::genesis(&self.marker.id);
        let file = File::of(&self.layout, name, generation);
        let statements = [table::CHECKPOINT, &table::statements(name, &definition.schema)].concat();
        let connection = file.create(&self.layout, &self.options, |connection| {
            connection.execute_batch(&statements)?;
            let insert = "INSERT INTO ream_checkpoint VALUES (0, ?1, NULL)";
            connection.execute(insert, [link.as_bytes()]).map(drop)
        })?;
        Ok((file, connection))
    }

    /// Drops the projection `name`; whether there was one.
    pub(crate) fn drop_projection(&mut self, name: &Identifier) -> Result<bool, Error> {
        // Who makes it would go on in a file that no one finds.
        let _run = self.take_run(name.as_str(), MOMENT)?;
        let _rebuild = self.take_rebuild(name)?;
        let _turn = Queue::of_projections(&self.layout).enter(&self.options)?;
        let find = |connection: &Connection| {
            registry::find_kind(connection, name.as_str(), Kind::Projection)
        };
        let Some(Name { generation, .. }) = self.look(|connection| Ok(find(connection)?))? else {
            let last =
                self.look(|connection| registry::last_generation(connection, name.as_str()))?;
            let is_any_left = !file::generations(&self.layout, name)?.is_empty();
            self.tidy_dropped(name, last)?;
            return Ok(is_any_left);
        };
        self.change_serving(name, generation + 1, |store| {
            store.write(false, |transaction| {
                let connection = transaction.connection();
                let found = find(connection)?;
                Ok(found.map_or(Ok(()), |found| found.give_back(connection))?)
            })
        })?;
        self.tidy_dropped(name, generation)?;
        Ok(true)
    }

    /// Opens the projection `name`.
    pub(crate) fn projection(&self, name: &str) -> Result<Projection, Error> {
        let entry = self.projection_entry(name)?;
        let file = File::of(&self.layout, &entry.name, entry.generation);
        let connection = match file.open(&self.layout, &self.options) {
            Ok(connection) => connection,
            // It may have been rebuilt since it was looked up.
            Err(_) if self.projection_entry(name)?.generation != entry.generation => {
                return self.projection(name);
            }
            Err(error) if file.exists()? => return Err(of_file(&entry.name, &file, error)),
            Err(_) => return Err(Error::ProjectionLost { name: name.into(), path: file.path() }),
        };
        Ok(self.opened(entry, file, connection))
    }

    fn opened(&self, entry: ProjectionEntry, file: File, connection: Connection) -> Projection {
        let (layout, options) = (self.layout.clone(), self.options.clone());
        Projection { connection, file, entry, layout, options, untidy: Cell::new(false) }
    }
}

impl Projection {
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
        table::quoted(self.entry.name.as_str())
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
    table::statements(&entry.name, &entry.definition.schema)
}

impl Drop for Projection {
    fn drop(&mut self) {
        // SQLite does that as well, but not what has to be done where it fails.
        if self.untidy.get() {
            let _ = self.tidy();
        }
    }
}
