//! A projection's files: a SQLite database of each generation, and a symbolic link to the one that
//! serves.
//!
//! Rows and checkpoint roll back together at a power loss and are made again from events, so a commit
//! is not synced. `settle` makes durable what was committed: rows that were changed by hand, and a
//! generation that is to serve.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::faults::{self, Remedy};
use crate::platform;
use crate::schema::Identifier;
use crate::store::sqlite::connection::{failure, wait_as_told, write_by_log};
use crate::store::sqlite::layout::Layout;
use crate::store::sqlite::lock::Queue;
use crate::store::sqlite::log;
use crate::store::{Error, Options};

/// The files of one generation of a projection.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) path: PathBuf,
}

impl File {
    pub(super) fn of(layout: &Layout, name: &Identifier, generation: u64) -> Self {
        Self { path: layout.projections.join(file_name(name, generation)) }
    }

    /// How large the file is, and the log beside it, in bytes. By their lengths alone: they must not
    /// be opened.
    pub(super) fn bytes(&self) -> u64 {
        let length = |path: &Path| fs::symlink_metadata(path).map_or(0, |metadata| metadata.len());
        length(&self.path) + length(&self.beside("-wal"))
    }

    /// The processes that read it at this moment, as far as the system says.
    pub(super) fn readers(&self) -> Vec<u32> {
        log::readers_by(&self.beside("-shm"))
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(suffix);
        path.into()
    }

    /// Opens a connection to it.
    pub(super) fn open(&self, options: &Options) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        wait_as_told(&connection, options)?;
        // What is freed is overwritten: deleted rows shall not be readable.
        let pragmas =
            "PRAGMA cell_size_check=ON; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;";
        connection.execute_batch(pragmas)?;
        Ok(connection)
    }

    /// Makes a new file in the place of one that was left half made, which `fill` fills. Durable when it
    /// returns, but for its name.
    pub(super) fn create(
        &self,
        options: &Options,
        fill: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<Connection, Error> {
        self.remove()?;
        // No connection lives yet. SQLite gives its permissions to the files beside it.
        platform::open_private(&self.path, true).map_err(Error::io("create", &self.path))?;
        let made = self.open(options).and_then(|connection| {
            // No one else knows the file yet: a journal would be for nothing.
            connection.execute_batch("PRAGMA page_size=4096; PRAGMA journal_mode=OFF; BEGIN;")?;
            fill(&connection)?;
            connection.execute_batch("COMMIT")?;
            write_by_log(&connection)?;
            Ok(connection)
        });
        made.map_err(|error| Error::Engine { action: "make the projection", source: error.into() })
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
                    let (log, shared_memory) = (self.beside("-wal"), self.beside("-shm"));
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
            let mark = self.mark();
            fs::remove_file(&mark).map_err(Error::io("remove", &mark))?;
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
        let in_the_way = log::move_log(connection, &self.path, "TRUNCATE");
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
        let synced = fs::File::open(&log).and_then(|file| file.sync_all());
        synced.map_err(Error::io("sync", &log))?;
        platform::sync_dir(&layout.projections).map_err(Error::io("sync", &layout.projections))
    }

    /// Remembers that a sync failed. Linux takes for written what it could not write, so a later sync
    /// of the log says nothing, until the log has been cut. The mark is not synced: who can't see it
    /// has lost the pages of the log as well.
    pub(super) fn doubt(&self, connection: &Connection) {
        if faults::is_off(Remedy::Mark) {
            return;
        }
        // Where it can't be made, nothing else can be done.
        let _ = platform::open_private(&self.mark(), true);
        // SQLite would try again when it closes, and not say what came of it.
        let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }

    fn is_doubted(&self) -> bool {
        self.mark().symlink_metadata().is_ok()
    }

    fn mark(&self) -> PathBuf {
        self.beside("-unsynced")
    }

    /// Removes the file and those beside it, where they are.
    pub(super) fn remove(&self) -> Result<(), Error> {
        let beside = ["-wal", "-shm", "-journal"].map(|suffix| self.beside(suffix));
        for path in [self.path.clone(), self.mark()].into_iter().chain(beside) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io("remove", &path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn file_name(name: &Identifier, generation: u64) -> String {
    format!("{name}.{generation}.db")
}

/// The link to the generation of a projection that serves.
fn link(layout: &Layout, name: &Identifier) -> PathBuf {
    layout.projections.join(format!("{name}.db"))
}

/// Has the link lead to a generation, in the place of where it led before.
pub(super) fn point(layout: &Layout, name: &Identifier, generation: u64) -> Result<(), Error> {
    let link = link(layout, name);
    let new = link.with_extension("db.new");
    let made = match platform::link(&file_name(name, generation), &new) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(&new).and_then(|()| platform::link(&file_name(name, generation), &new))
        }
        made => made,
    };
    match made {
        // The link is for other programs; ream does without.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        made => made.and_then(|()| fs::rename(&new, &link)).map_err(Error::io("link", &link)),
    }
}

/// Removes the link, where there is one.
pub(super) fn unpoint(layout: &Layout, name: &Identifier) -> Result<(), Error> {
    let link = link(layout, name);
    match fs::remove_file(&link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", &link)(error))
        }
        _ => Ok(()),
    }
}

/// The generations of a projection of which there are files, whether they serve or not.
pub(super) fn generations(layout: &Layout, name: &Identifier) -> Result<Vec<u64>, Error> {
    let directory = &layout.projections;
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(Error::io("list", directory))? {
        let file = entry.map_err(Error::io("list", directory))?.file_name();
        let generation = file.to_str().and_then(|file| {
            let number =
                file.strip_prefix(name.as_str())?.strip_prefix('.')?.strip_suffix(".db")?;
            number.parse::<u64>().ok()
        });
        found.extend(generation);
    }
    Ok(found)
}
