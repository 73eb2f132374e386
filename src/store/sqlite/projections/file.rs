//! A projection's files: a SQLite database of each generation, and a symbolic link to the one that
//! serves.
//!
//! Rows and checkpoint roll back together at a power loss and are made again from events, so a commit
//! is not synced. `settle` makes durable what was committed: rows that were changed by hand, and a
//! generation that is to serve.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};

use crate::faults::{self, Remedy};
use crate::platform::directory::Access;
use crate::schema::Identifier;
use crate::store::place::Place;
use crate::store::sqlite::Layout;
use crate::store::sqlite::database::{wait_as_told, write_by_log};
use crate::store::sqlite::failure::failure;
use crate::store::sqlite::lock::Queue;
use crate::store::sqlite::{database, log};
use crate::store::{Error, Options};

/// How the name of the mark ends that a sync of a file's log has failed.
const UNSYNCED: &str = "-unsynced";
/// The directory of the files.
const DIRECTORY: &str = "projections";

/// The files of one generation of a projection.
#[derive(Debug, Clone)]
pub(super) struct File {
    place: Arc<Place>,
    name: String,
}

impl File {
    pub(super) fn of(layout: &Layout, name: &Identifier, generation: u64) -> Self {
        let name = format!("{DIRECTORY}/{}", file_name(name, generation));
        Self { place: Arc::clone(&layout.place), name }
    }

    /// Where it is, as messages tell it.
    pub(super) fn path(&self) -> PathBuf {
        self.place.path(&self.name)
    }

    /// Whether it is there.
    pub(super) fn exists(&self) -> Result<bool, Error> {
        Ok(self.place.identify(&self.name)?.is_some())
    }

    /// How large the file is, and the log beside it, in bytes. By their lengths alone: they must not
    /// be opened.
    pub(super) fn bytes(&self) -> u64 {
        self.place.length(&self.name) + self.place.length(&self.beside("-wal"))
    }

    /// The processes that read it at this moment, as far as the system says.
    pub(super) fn readers(&self) -> Vec<u32> {
        log::readers_by(&self.place.real_path(&self.beside("-shm")))
    }

    /// The processes that have it open, as far as the system says.
    pub(super) fn users(&self) -> Vec<u32> {
        log::users_by(&self.place.real_path(&self.beside("-shm")))
    }

    fn beside(&self, suffix: &str) -> String {
        format!("{}{suffix}", self.name)
    }

    /// Opens a connection to it.
    pub(super) fn open(&self, layout: &Layout, options: &Options) -> Result<Connection, Error> {
        self.open_with(layout, options, &[])
    }

    /// The same, where it may hold what the statements `made` make.
    pub(super) fn open_with(
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
    pub(super) fn create(
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

    /// Moves the log into the file and cuts it, unless a reader is in the way; whether it did.
    pub(super) fn tidy(
        &self,
        connection: &Connection,
        layout: &Layout,
        options: &Options,
    ) -> Result<bool, Error> {
        let doubted = self.is_doubted();
        // Who else moves it could lose by what is done where that fails.
        let moved = match Queue::of_projections(layout).try_enter()? {
            Some(_turn) => {
                if doubted {
                    let beside = |suffix: &str| self.place.real_path(&self.beside(suffix));
                    let (log, shared_memory) = (beside("-wal"), beside("-shm"));
                    log::check_whole(connection, layout, &log, &shared_memory)
                        .inspect_err(|_| self.doubt(connection))?;
                }
                self.move_log(connection, options).map_err(|error| {
                    self.doubt(connection);
                    failure(layout, "sync the projection", error)
                })?
            }
            None => false,
        };
        if doubted && moved {
            // What is on the disk of the log ends somewhere, and would undo what came behind it.
            self.sync_log(layout)?;
            self.place.remove(&self.mark())?;
        }
        Ok(moved)
    }

    /// Makes what was committed durable, and moves it from the log into the file where no one reads the
    /// log: then nothing is left in that, and it is true.
    pub(super) fn settle(
        &self,
        connection: &Connection,
        layout: &Layout,
        options: &Options,
    ) -> Result<bool, Error> {
        let moved = self.tidy(connection, layout, options)?;
        if !moved && self.is_doubted() {
            let source = "a sync failed before, and a reader is in the way of making up for it";
            return Err(Error::Engine { action: "sync the projection", source: source.into() });
        }
        // A log that was cut could come back otherwise, and one that was not is what counts.
        self.sync_log(layout).inspect_err(|_| self.doubt(connection))?;
        Ok(moved)
    }

    fn move_log(&self, connection: &Connection, options: &Options) -> rusqlite::Result<bool> {
        // With a reader open, TRUNCATE would wait for the whole timeout.
        connection.busy_timeout(Duration::ZERO)?;
        let in_the_way = log::move_log(connection, &self.place.real_path(&self.name), "TRUNCATE");
        wait_as_told(connection, options)?;
        match in_the_way {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(false),
            in_the_way => in_the_way.map(|in_the_way| !in_the_way),
        }
    }

    /// Makes the log durable as it is, and its name.
    fn sync_log(&self, layout: &Layout) -> Result<(), Error> {
        // The log, unlike the file, carries no locks, so it may be opened and closed.
        let log = self.beside("-wal");
        let file = self.place.open_file(&log, Access::Read)?;
        file.sync_all().map_err(Error::io("sync", &self.place.path(&log)))?;
        sync_names(layout)
    }

    /// Remembers that a sync failed. Linux takes for written what it could not write, so a later sync
    /// of the log says nothing, until the log has been cut. The mark is not synced: who can't see it
    /// has lost the pages of the log as well.
    pub(super) fn doubt(&self, connection: &Connection) {
        if faults::is_off(Remedy::Mark) {
            return;
        }
        // Where it can't be made, nothing else can be done.
        let _ = self.place.open_file(&self.mark(), Access::Create);
        // SQLite would try again when it closes, and not say what came of it.
        let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }

    fn is_doubted(&self) -> bool {
        !matches!(self.place.identify(&self.mark()), Ok(None))
    }

    fn mark(&self) -> String {
        self.beside(UNSYNCED)
    }

    /// Removes the file and those beside it, where they are.
    pub(super) fn remove(&self) -> Result<(), Error> {
        ["", "-wal", "-shm", "-journal", UNSYNCED]
            .iter()
            .try_for_each(|suffix| self.place.remove(&self.beside(suffix)))
    }
}

fn file_name(name: &Identifier, generation: u64) -> String {
    format!("{name}.{generation}.db")
}

/// The link to the generation of a projection that serves. It is for other programs: ream never goes by
/// it.
fn link(name: &Identifier) -> String {
    format!("{DIRECTORY}/{name}.db")
}

/// Has the link lead to a generation, in the place of where it led before.
pub(super) fn point(layout: &Layout, name: &Identifier, generation: u64) -> Result<(), Error> {
    layout.place.link(&file_name(name, generation), &link(name))
}

/// Removes the link, where there is one.
pub(super) fn unpoint(layout: &Layout, name: &Identifier) -> Result<(), Error> {
    layout.place.remove(&link(name))
}

/// Makes the names of the files durable.
pub(super) fn sync_names(layout: &Layout) -> Result<(), Error> {
    layout.place.sync(DIRECTORY)
}

/// The generations of a projection of which there are files, whether they serve or not.
pub(super) fn generations(layout: &Layout, name: &Identifier) -> Result<Vec<u64>, Error> {
    let generations = layout.place.list(DIRECTORY)?.into_iter().filter_map(|file| {
        let number = file.strip_prefix(name.as_str())?.strip_prefix('.')?.strip_suffix(".db")?;
        number.parse::<u64>().ok()
    });
    Ok(generations.collect())
}
