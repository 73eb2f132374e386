//! Tables: the owner of a projection's rows, of its checkpoint, and of the files that they are in: a SQLite
//! database of each generation, so that what writes it is in no writer's way, and a symbolic link to the one
//! that serves.
//!
//! The events' file records which projections there are, and which generation of each serves.
//!
//! Rows and checkpoint roll back together at a power loss and are made again from events, so a commit
//! is not synced. `settle` makes durable what was committed: rows that were changed by hand, and a
//! generation that is to serve.

mod apply;
mod columns;
mod compare;
mod copy;
mod end;
mod erase;
mod functions;
mod lower;
mod select;

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};

pub(crate) use self::columns::statements;
pub(super) use self::copy::{remove_copy, table_path};
use super::Layout;
use super::database::{wait_as_told, write_by_log};
use super::failure::failure;
use super::lock::{MOMENT, Queue, Turn};
use super::payload::link;
use super::{Store, database, log};
use crate::event::{Link, Position};
use crate::faults::{self, Remedy};
use crate::platform::directory::Access;
use crate::schema::{Identifier, Schema};
use crate::store::place::Place;
use crate::store::{Checkpoint, Error, Options, PlaceFault, Unfenced};

/// How the name of the mark ends that a sync of a file's log has failed.
const UNSYNCED: &str = "-unsynced";
/// The directory of the files.
const DIRECTORY: &str = "projections";

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
    /// Whether the name of its log is known to be durable.
    named: Cell<bool>,
}

impl Store {
    /// Who has the file of a generation open, where anyone has.
    pub(crate) fn users(&self, name: &Identifier, generation: u64) -> Option<Unfenced> {
        let file = File::of(&self.layout, name, generation);
        let by = file.users();
        (!by.is_empty()).then(|| Unfenced { path: file.path(), by })
    }

    /// Makes a generation of a projection, without rows, in the place of one that was left half made. Durable
    /// when it returns, but for its name.
    pub(crate) fn make_table(
        &self,
        name: &Identifier,
        generation: u64,
        schema: &Schema,
    ) -> Result<Table, Error> {
        self.layout.place.check_writable()?;
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
            Err(_) => {
                let name = name.to_string();
                if self.layout.place.is_backup() {
                    let (path, fault) = (self.layout.root.clone(), PlaceFault::LeftOut { name });
                    return Err(Error::Place { path, fault });
                }
                Err(Error::ProjectionLost { name, path: file.path() })
            }
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
        let (layout, options) = (self.layout.clone(), self.options.clone());
        let (untidy, named) = (Cell::new(false), Cell::new(false));
        Table { name, generation, schema, connection, file, layout, options, untidy, named }
    }

    /// Whether there are files of a projection, whether they serve or not.
    pub(crate) fn has_tables(&self, name: &Identifier) -> Result<bool, Error> {
        Ok(!generations(&self.layout, name)?.is_empty())
    }

    /// Has the link of a projection lead to a generation, durably.
    pub(crate) fn lead(&self, name: &Identifier, generation: u64) -> Result<(), Error> {
        point(&self.layout, name, generation)?;
        sync_names(&self.layout)
    }

    /// The turn to make and drop projections.
    pub(crate) fn take_making(&self) -> Result<Turn, Error> {
        self.layout.place.check_writable()?;
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

    /// That the file is as SQLite writes it; what is wrong, where it is not.
    pub(crate) fn check(&self) -> Result<Option<String>, Error> {
        let checked = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
        let said: String = checked.map_err(|error| self.misread("check the file", error))?;
        Ok((said != "ok").then_some(said))
    }

    /// Moves what was committed lately from the log into the file, where no one reads the log.
    pub(crate) fn tidy(&self) -> Result<(), Error> {
        self.untidy.set(!self.tidy_file()?);
        Ok(())
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

    /// Moves the log into the file and cuts it, unless a reader is in the way; whether it did.
    fn tidy_file(&self) -> Result<bool, Error> {
        let Self { connection, file, layout, .. } = self;
        let doubted = file.is_doubted();
        // Who else moves it could lose by what is done where that fails.
        let moved = match Queue::of_projections(layout).try_enter()? {
            Some(_turn) => {
                if doubted {
                    let beside = |suffix: &str| file.place.real_path(&file.beside(suffix));
                    let (log, shared_memory) = (beside("-wal"), beside("-shm"));
                    log::check_whole(connection, layout, &log, &shared_memory)
                        .inspect_err(|_| self.doubt())?;
                }
                // Pages may be half written when the power fails, and the log has them whole: it must not be one
                // whose name goes then. The log itself goes first: to sync its directory may write it as well, and
                // would not say that this failed.
                if !self.named.get() && file.place.length(&file.beside("-wal")) > 0 {
                    file.sync_log(layout).inspect_err(|_| self.doubt())?;
                    self.named.set(true);
                }
                self.move_log().map_err(|error| {
                    self.doubt();
                    failure(layout, "sync the projection", error)
                })?
            }
            None => false,
        };
        if doubted && moved {
            // What is on the disk of the log ends somewhere, and would undo what came behind it.
            file.sync_log(layout)?;
            file.place.remove(&file.mark())?;
        }
        Ok(moved)
    }

    /// The same, durably: a log that is not cut is synced as it is.
    fn settle_file(&self) -> Result<bool, Error> {
        let moved = self.tidy_file()?;
        if !moved && self.file.is_doubted() {
            let source = "a sync failed before, and a reader is in the way of making up for it";
            return Err(Error::Engine { action: "sync the projection", source: source.into() });
        }
        // A log that was cut could come back otherwise, and one that was not is what counts.
        self.file.sync_log(&self.layout).inspect_err(|_| self.doubt())?;
        Ok(moved)
    }

    fn move_log(&self) -> rusqlite::Result<bool> {
        let Self { connection, file, .. } = self;
        // With a reader open, TRUNCATE would wait for the whole timeout.
        connection.busy_timeout(Duration::ZERO)?;
        let in_the_way = log::move_log(connection, &file.place.real_path(&file.name), "TRUNCATE");
        wait_as_told(connection, &self.options)?;
        match in_the_way {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(false),
            in_the_way => in_the_way.map(|in_the_way| !in_the_way),
        }
    }

    /// Remembers that a sync failed. Linux takes for written what it could not write, so a later sync
    /// of the log says nothing, until the log has been cut. The mark is not synced: who can't see it
    /// has lost the pages of the log as well.
    fn doubt(&self) {
        if faults::is_off(Remedy::Mark) {
            return;
        }
        // Where it can't be made, nothing else can be done.
        let _ = self.file.place.open_file(&self.file.mark(), Access::Create);
        // SQLite would try again when it closes, and not say what came of it.
        let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
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

/// The files of one generation of a projection.
#[derive(Debug, Clone)]
struct File {
    place: Arc<Place>,
    name: String,
}

impl File {
    fn of(layout: &Layout, name: &Identifier, generation: u64) -> Self {
        let name = format!("{DIRECTORY}/{}", file_name(name, generation));
        Self { place: Arc::clone(&layout.place), name }
    }

    /// Where it is, as messages tell it.
    fn path(&self) -> PathBuf {
        self.place.path(&self.name)
    }

    /// Whether it is there.
    fn exists(&self) -> Result<bool, Error> {
        Ok(self.place.identify(&self.name)?.is_some())
    }

    /// How large the file is, and the log beside it, in bytes. By their lengths alone: they must not
    /// be opened.
    fn bytes(&self) -> u64 {
        self.place.length(&self.name) + self.place.length(&self.beside("-wal"))
    }

    /// The processes that have it open, as far as the system says.
    fn users(&self) -> Vec<u32> {
        log::users_by(&self.place.real_path(&self.beside("-shm")))
    }

    /// The processes that read it at this moment, as far as the system says.
    fn readers(&self) -> Vec<u32> {
        log::readers_by(&self.place.real_path(&self.beside("-shm")))
    }

    fn beside(&self, suffix: &str) -> String {
        format!("{}{suffix}", self.name)
    }

    /// Opens a connection to it.
    fn open(&self, layout: &Layout, options: &Options) -> Result<Connection, Error> {
        self.open_with(layout, options, &[])
    }

    /// The same, where it may hold what the statements `made` make.
    fn open_with(
        &self,
        layout: &Layout,
        options: &Options,
        made: &[String],
    ) -> Result<Connection, Error> {
        // What is freed is overwritten: deleted rows shall not be readable.
        let pragmas =
            "PRAGMA cell_size_check=ON; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;";
        let set_up = |connection: &Connection| connection.execute_batch(pragmas);
        let failed = |error| failure(layout, "open the projection", error);
        let connection = database::open(&self.place, &self.name, options, made, set_up, failed)?;
        database::leave_no_log(&connection).map_err(failed)?;
        Ok(connection)
    }

    /// Makes a new file in the place of one that was left half made, which `fill` fills. Durable when it
    /// returns, but for its name.
    fn create(
        &self,
        layout: &Layout,
        options: &Options,
        fill: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<Connection, Error> {
        self.remove()?;
        // No connection lives yet. SQLite gives its permissions to the files beside it.
        self.place.open_file(&self.name, Access::Create)?;
        let connection = self.open(layout, options)?;
        // No one else knows the file yet: a journal would be for nothing.
        connection
            .execute_batch("PRAGMA page_size=4096; PRAGMA journal_mode=OFF; BEGIN;")
            .and_then(|()| fill(&connection))
            .and_then(|()| connection.execute_batch("COMMIT"))
            .and_then(|()| write_by_log(&connection))
            .map_err(|error| Error::Engine {
                action: "make the projection",
                source: error.into(),
            })?;
        Ok(connection)
    }

    /// Makes the log durable as it is, and its name.
    fn sync_log(&self, layout: &Layout) -> Result<(), Error> {
        // The log, unlike the file, carries no locks, so it may be opened and closed.
        let log = self.beside("-wal");
        let file = self.place.open_file(&log, Access::Read)?;
        file.sync_all().map_err(Error::io("sync", &self.place.path(&log)))?;
        sync_names(layout)
    }

    fn is_doubted(&self) -> bool {
        !matches!(self.place.identify(&self.mark()), Ok(None))
    }

    fn mark(&self) -> String {
        self.beside(UNSYNCED)
    }

    /// Removes the file and those beside it, where they are.
    fn remove(&self) -> Result<(), Error> {
        ["", "-wal", "-shm", "-journal", UNSYNCED]
            .iter()
            .try_for_each(|suffix| self.place.remove(&self.beside(suffix)))
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

fn file_name(name: &Identifier, generation: u64) -> String {
    format!("{name}.{generation}.db")
}

/// The link to the generation of a projection that serves. It is for other programs: ream never goes by
/// it.
fn link_name(name: &Identifier) -> String {
    format!("{DIRECTORY}/{name}.db")
}

/// Has the link lead to a generation, in the place of where it led before.
fn point(layout: &Layout, name: &Identifier, generation: u64) -> Result<(), Error> {
    layout.place.link(&file_name(name, generation), &link_name(name))
}

/// Removes the link, where there is one.
fn unpoint(layout: &Layout, name: &Identifier) -> Result<(), Error> {
    layout.place.remove(&link_name(name))
}

/// Makes the names of the files durable.
fn sync_names(layout: &Layout) -> Result<(), Error> {
    layout.place.sync(DIRECTORY)
}

/// The files of projections, whether they serve or not: the name and the generation of each, and where it is.
pub(super) fn files(layout: &Layout) -> Result<Vec<(Identifier, u64, PathBuf)>, Error> {
    let files = layout.place.list(DIRECTORY)?.into_iter().filter_map(|file| {
        let (name, generation) = file.strip_suffix(".db")?.rsplit_once('.')?;
        let path = layout.place.path(&format!("{DIRECTORY}/{file}"));
        Some((name.parse().ok()?, generation.parse().ok()?, path))
    });
    Ok(files.collect())
}

/// The generations of a projection of which there are files, whether they serve or not.
fn generations(layout: &Layout, name: &Identifier) -> Result<Vec<u64>, Error> {
    let generations = layout.place.list(DIRECTORY)?.into_iter().filter_map(|file| {
        let number = file.strip_prefix(name.as_str())?.strip_prefix('.')?.strip_suffix(".db")?;
        number.parse::<u64>().ok()
    });
    Ok(generations.collect())
}

impl Drop for Table {
    fn drop(&mut self) {
        // SQLite does that as well, but not what has to be done where it fails.
        if self.untidy.get() {
            let _ = self.tidy();
        }
    }
}
