//! Connections: how they are opened, what is checked, when the log is checkpointed.

use std::ffi::c_int;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::layout::Layout;
use crate::store::{Error, Options};

/// The first SQLite without the WAL-reset defect, and its number.
const NEEDED: (&str, i32) = ("3.51.3", 3_051_003);

/// How many frames of log a process that begins to write takes over. A process that finds no
/// other reads them all.
const FRAMES_TAKEN_OVER: u64 = 32;
/// How long a log is left behind, in frames: those that count, and space to write over.
pub(super) const FRAMES_LEFT_BEHIND: u64 = 64;
/// How many frames of log a writer that goes on with small transactions lets pile up.
const FRAMES_STARTED_OVER: u64 = 256;
/// How many frames of log a writer lets pile up while it goes on.
pub(super) const FRAMES_AT_WORK: u64 = 8192;

/// How large a frame of the log is: a page and its header.
const FRAME_BYTES: u64 = 4096 + 24;

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

/// Opens a connection to write by, and what tells how long its log is. What is freed within a page
/// that is written anyway is overwritten: a copy that a split leaves behind would outlive a removal.
pub(super) fn open_to_write(
    layout: &Layout,
    options: &Options,
) -> Result<(Connection, Log), Error> {
    let pragmas = "PRAGMA wal_autocheckpoint=0; PRAGMA cell_size_check=ON; \
                   PRAGMA synchronous=FULL; PRAGMA secure_delete=FAST;";
    let mut connection = open_with(layout, options, pragmas)?;
    let log = Log::default();
    let frames = Arc::clone(&log.frames);
    let count = move |_: &mut Wal, pages: c_int| {
        frames.store(pages.unsigned_abs().into(), Ordering::Relaxed);
        Ok(())
    };
    connection.wal_hook(Some(count)).map_err(|error| failure(layout, "watch the log", error))?;
    Ok((connection, log))
}

/// How long the log is, as the last commit on a connection left it.
#[derive(Debug, Default)]
pub(super) struct Log {
    frames: Arc<AtomicU64>,
    /// How long it was before.
    before: u64,
}

impl Log {
    /// Its frames that count.
    pub(super) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Has it start over where it became long by small transactions. Behind a large one, to move as
    /// much would cost more than it gains.
    pub(super) fn start_over_if_long(&mut self, connection: &Connection) {
        let frames = self.frames();
        let last = frames.saturating_sub(std::mem::replace(&mut self.before, frames));
        if frames > FRAMES_STARTED_OVER && last < FRAMES_TAKEN_OVER {
            start_over(connection, frames * FRAME_BYTES);
        }
    }
}

fn open_with(layout: &Layout, options: &Options, pragmas: &str) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let failed = |error| failure(layout, "open the store", error);
    let connection = Connection::open_with_flags(&layout.database, flags).map_err(failed)?;
    set_up(&connection, options, pragmas).map_err(failed)?;
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

/// What `PRAGMA synchronous` answers where each commit is synced.
const FULL: i64 = 2;

fn set_up(connection: &Connection, options: &Options, pragmas: &str) -> rusqlite::Result<()> {
    // A checkpoint on close would cost a lone append five syncs; see `Store::drop`.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    wait_as_told(connection, options)?;
    connection.execute_batch(pragmas)
}

/// Waits for other connections as long as the options say. (With no time at all SQLite would not
/// even wait for a moment's recovery.)
pub(super) fn wait_as_told(connection: &Connection, options: &Options) -> rusqlite::Result<()> {
    connection.busy_timeout(options.lock_timeout.max(Duration::from_millis(1)))
}

/// How long the log is, in frames. By its length alone: it must not be opened.
pub(super) fn wal_frames(layout: &Layout) -> u64 {
    wal_bytes(layout) / FRAME_BYTES
}

/// How long the log is, in bytes.
pub(super) fn wal_bytes(layout: &Layout) -> u64 {
    fs::symlink_metadata(&layout.wal).map_or(0, |metadata| metadata.len())
}

/// Moves the log into the database where it is long. The log then starts over in place: to write over
/// what is there is faster to sync than to extend a file.
///
/// The log has `bytes`.
pub(super) fn start_over(connection: &Connection, bytes: u64) {
    if bytes / FRAME_BYTES <= FRAMES_TAKEN_OVER {
        return;
    }
    // The file may be longer than what counts of it. What fails here shows at the next commit; a
    // reader that is in the way is no failure.
    let frames =
        connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get::<_, u64>(1));
    if frames.is_ok_and(|frames| frames > FRAMES_TAKEN_OVER) {
        let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    }
}

/// Moves the log into the database and empties it, unless a reader is in the way: then a later
/// writer does.
pub(super) fn checkpoint(connection: &Connection, options: &Options) {
    // With a reader open, TRUNCATE would wait for the whole timeout.
    let _ = connection.busy_timeout(Duration::ZERO);
    // Busy is no error; any other failure shows at the next commit, which matters.
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    let _ = wait_as_told(connection, options);
}

/// Moves the log into the database; whether nothing is left in it, and no one reads it.
pub(super) fn truncated(connection: &Connection) -> bool {
    let _ = connection.busy_timeout(Duration::ZERO);
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    busy == Ok(0_i64)
}

/// What a failure of SQLite means.
pub(super) fn failure(layout: &Layout, action: &'static str, error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::Full { path: layout.root.clone() },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            Error::Damaged { what: error.to_string() }
        }
        _ => Error::Engine { action, source: error.into() },
    }
}

/// What a failure of a COMMIT means. Where writing or syncing failed, the transaction may be in
/// the log all the same, and come back when it is next recovered.
pub(super) fn commit_failure(layout: &Layout, error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => Error::OutcomeUnknown { source: error.into() },
        _ => failure(layout, "commit", error),
    }
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
