//! How SQLite opens a database of a store: in its place, and only with what ream made in it; and how it is
//! set up to read the store's own, or to write to it.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::Layout;
use super::failure::failure;
use crate::platform::directory::{OpenFile, open_files};
use crate::platform::{self, FileIdentity};
use crate::store::place::Place;
use crate::store::{Error, Options};

/// Held by the thread that has SQLite open a database: two at once could not tell what each has opened.
/// Whether one of them has before.
static OPENING: Mutex<bool> = Mutex::new(false);

/// How often SQLite is asked to open a database before that is given up: another thread of this process
/// may open a file of its own at the same moment.
const ATTEMPTS: usize = 100;

/// How often the same is done where what SQLite has opened made no sense to it, and is not all of this
/// store.
const MIXED: usize = 10;

/// What ream never makes. Views and triggers are statements of whoever wrote the file, and would run
/// within ours, without end where they like; so might a virtual table. What SQLite goes by is the text of
/// each definition, which it words anew up to the name; an index that a key brings with it has none.
const FOREIGN: &str = "SELECT name, sql FROM sqlite_schema WHERE sql NOT GLOB 'CREATE TABLE *' \
                       AND sql NOT GLOB 'CREATE INDEX *' AND sql NOT GLOB 'CREATE UNIQUE INDEX *'";

/// After how many instructions of a statement SQLite asks whether to go on. The instructions of each run
/// of a statement that is used again are added up.
const INSTRUCTIONS: i32 = 1_000_000;

/// The first SQLite without the WAL-reset defect, and its number.
const NEEDED: (&str, i32) = ("3.51.3", 3_051_003);

/// What `PRAGMA synchronous` answers where each commit is synced.
const FULL: i64 = 2;

/// That the SQLite linked here is fit.
pub(super) fn check_version() -> Result<(), Error> {
    check_fit(rusqlite::version_number(), rusqlite::version())
}

fn check_fit(number: i32, version: &str) -> Result<(), Error> {
    if number < NEEDED.1 {
        return Err(Error::OldSqlite { found: version.into(), needed: NEEDED.0 });
    }
    Ok(())
}

/// Opens a connection to read by. It commits nothing, so the log is none of its business.
pub(super) fn open_to_read(layout: &Layout, options: &Options) -> Result<Connection, Error> {
    open_with(layout, options, "PRAGMA cell_size_check=ON;")
}

/// Opens a connection to write by. What is freed is overwritten: a state that was replaced would outlive
/// its removal.
pub(super) fn open_to_write(layout: &Layout, options: &Options) -> Result<Connection, Error> {
    let pragmas = "PRAGMA wal_autocheckpoint=0; PRAGMA cell_size_check=ON; \
                   PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;";
    // A COMMIT that is told to end may be done all the same: a transaction is finished first.
    let options = Options { goes_on: Options::default().goes_on, ..options.clone() };
    open_with(layout, &options, pragmas)
}

fn open_with(layout: &Layout, options: &Options, pragmas: &str) -> Result<Connection, Error> {
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy) => Error::Busy { waited: options.lock_timeout },
        _ => failure(layout, "open the store", error),
    };
    let set_up = |connection: &Connection| connection.execute_batch(pragmas);
    // The log stays: a checkpoint on close would cost a lone append five syncs; see `Store::drop`.
    let connection = open(&layout.place, "db", options, &[], set_up, failed)?;
    // Whether it was set, or is so without.
    let synchronous: i64 =
        connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).map_err(failed)?;
    if synchronous != FULL {
        return Err(Error::Damaged {
            what: format!("SQLite would not sync: synchronous={synchronous}"),
        });
    }
    Ok(connection)
}

/// Opens the database `name` of the place, and reads from it for the first time, once `set_up` has set it
/// up. Of what ream makes nowhere else it may hold what the statements `made` make. What fails of SQLite
/// becomes the error that `failed` makes of it. When it is closed, its log stays.
pub(super) fn open(
    place: &Place,
    name: &str,
    options: &Options,
    made: &[String],
    set_up: impl Fn(&Connection) -> rusqlite::Result<()>,
    failed: impl Fn(rusqlite::Error) -> Error,
) -> Result<Connection, Error> {
    // There is nothing behind the lock that a panic could have left half done.
    let mut has_opened = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    place.check_database(name)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let mut mixed = 0;
    for _ in 0..ATTEMPTS {
        // A list costs a process that only begins some 50 µs. Nothing but SQLite opens a database, so
        // the first time whatever is open of one has been opened now.
        let is_first = !std::mem::replace(&mut *has_opened, true);
        let before = if is_first { Some(Vec::new()) } else { open_files() };
        let opening = Opening { place, name, before, is_first };
        let opened = Connection::open_with_flags(place.real_path(name), flags);
        let mut connection = opened.map_err(&failed)?;
        // Before the first statement: that may write, if only into the index of the log.
        if !opening.has_opened_database()? {
            thread::yield_now();
            continue;
        }
        // A log that turns out to be another's must not be moved into the database.
        let begun = connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .and_then(|_| connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true))
            .and_then(|_| connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false))
            .and_then(|_| wait_as_told(&connection, options))
            .and_then(|()| set_up(&connection))
            .and_then(|()| end_when_interrupted(&mut connection, options))
            .and_then(|()| foreign(&connection, made));
        place.take_back(name);
        let begun = match begun {
            Err(error) if mixed < MIXED && may_be_mixed(&error) => {
                if opening.has_opened_log(&connection, &failed).is_ok_and(|ours| ours) {
                    return Err(failed(error));
                }
                mixed += 1;
                thread::yield_now();
                continue;
            }
            begun => begun.map_err(&failed)?,
        };
        if let Some(foreign) = begun {
            let path = place.path(name);
            let what = format!("{} holds `{foreign}`, which ream never makes", path.display());
            return Err(Error::Damaged { what });
        }
        if opening.has_opened_log(&connection, &failed)? {
            return Ok(connection);
        }
        thread::yield_now();
    }
    Err(Error::Replaced { path: place.path(".") })
}

/// Has the log of a database that was opened be moved into it, and removed, when its last connection is
/// closed.
pub(super) fn leave_no_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map(drop)
}

/// SQLite counts the milliseconds of a wait in a C `int`.
const LONGEST_WAIT: Duration = Duration::from_millis(i32::MAX.unsigned_abs() as u64);

/// Has a new database write by a log.
pub(super) fn write_by_log(connection: &Connection) -> rusqlite::Result<()> {
    let mut pragma = connection.prepare("PRAGMA journal_mode=WAL")?;
    let mut rows = pragma.query([])?;
    // It commits, and fails where it can't, behind its one row.
    while rows.next()?.is_some() {}
    Ok(())
}

/// Waits for other connections as long as the options say. (With no time at all SQLite would not
/// even wait for a moment's recovery.)
pub(super) fn wait_as_told(connection: &Connection, options: &Options) -> rusqlite::Result<()> {
    wait_at_most(connection, options.lock_timeout)
}

/// Waits for other connections so long, but at least for a moment.
pub(super) fn wait_at_most(connection: &Connection, timeout: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(timeout.clamp(Duration::from_millis(1), LONGEST_WAIT))
}

/// A database that SQLite is asked to open. It goes by a path, and someone may exchange the directories
/// above the store for others; so what it has opened is compared with what stands in the store's
/// directory. Nothing is opened for that: to close a second descriptor would drop SQLite's locks.
struct Opening<'p> {
    place: &'p Place,
    name: &'p str,
    /// What this process had open before that matters, where the system has a list of it.
    before: Option<Vec<OpenFile>>,
    /// Whether this process has opened no database before.
    is_first: bool,
}

impl Opening<'_> {
    /// Whether the database is the file that stands in the store.
    fn has_opened_database(&self) -> Result<bool, Error> {
        let Some(stands) = self.place.identify(self.name)? else { return Ok(false) };
        if self.is_first {
            // What is open shows once, after the first statement, with the log.
            return Ok(self.leads_to("", stands));
        }
        let (Some(before), Some(after)) = (&self.before, open_files()) else {
            return Ok(self.leads_to("", stands));
        };
        let mut new = after.iter().filter(|open| !before.contains(open));
        if new.clone().any(|open| open.identity == stands) {
            return Ok(true);
        }
        // SQLite keeps the descriptors of closed connections while others have locks, and takes such a
        // one. But where another file has been opened, by whatever thread, it may have been that.
        Ok(after.iter().any(|open| open.identity == stands) && new.next().is_none())
    }

    /// Whether the log and its index are what stands in the store, now that they are in use. A log is
    /// opened by each connection, its index once by a process.
    fn has_opened_log(
        &self,
        connection: &Connection,
        failed: impl Fn(rusqlite::Error) -> Error,
    ) -> Result<bool, Error> {
        let beside = |ending: &str| self.place.identify(&format!("{}{ending}", self.name));
        let (log, index) = (beside("-wal")?, beside("-shm")?);
        let after = open_files();
        let is_open =
            |identity| after.iter().flatten().any(|open: &OpenFile| open.identity == identity);
        if self.is_first && after.is_some() && !beside("")?.is_some_and(is_open) {
            return Ok(false);
        }
        let (Some(log), Some(index)) = (log, index) else {
            // One that is being made has no log yet.
            let mode = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0));
            let mode: String = mode.map_err(failed)?;
            return Ok(mode != "wal");
        };
        let (Some(before), Some(after)) = (&self.before, &after) else {
            return Ok(self.leads_to("-wal", log) && self.leads_to("-shm", index));
        };
        let is_new = |open: &OpenFile| open.identity == log && !before.contains(open);
        Ok(after.iter().any(is_new) && is_open(index))
    }

    /// Whether the path still leads to this file. That is all there is to go by where the system has no
    /// list of what is open.
    fn leads_to(&self, ending: &str, stands: FileIdentity) -> bool {
        let path = self.place.real_path(&format!("{}{ending}", self.name));
        platform::identify(&path).is_ok_and(|found| found == stands)
    }
}

/// Whether a failure may come of a database with the log of another.
fn may_be_mixed(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// The name of something in the database that ream never makes, if there is anything.
fn foreign(connection: &Connection, made: &[String]) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare(FOREIGN)?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let sql: String = row.get(1)?;
        if !made.contains(&sql) {
            return row.get(0).map(Some);
        }
    }
    Ok(None)
}

/// Has the caller's interrupt flag end a statement that goes on for longer than the options say, as one can in
/// a database that was made for it.
fn end_when_interrupted(connection: &mut Connection, options: &Options) -> rusqlite::Result<()> {
    let Some(interrupt) = options.interrupt.clone() else { return Ok(()) };
    let (goes_on, mut asked) = (options.goes_on, 0);
    let ends = move || {
        asked = if interrupt.load(Ordering::Relaxed) { asked + 1 } else { 0 };
        asked > goes_on
    };
    connection.progress_handler(INSTRUCTIONS, Some(ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_that_can_lose_the_log_is_refused() {
        check_version().unwrap();
        assert!(check_fit(3_051_003, "3.51.3").is_ok());
        let told = check_fit(3_051_002, "3.51.2").unwrap_err().to_string();
        assert_eq!(told, "SQLite 3.51.2 can lose writes; 3.51.3 or later is needed");
    }
}
