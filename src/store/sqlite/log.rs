//! SQLite's write-ahead log: how long it is, and when it is moved into the database.

use std::ffi::c_int;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::hooks::Wal;

use super::connection::wait_as_told;
use super::layout::Layout;
use crate::store::Options;

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

/// How long the log is, as the last commit on a connection left it.
#[derive(Debug, Default)]
pub(super) struct Log {
    frames: Arc<AtomicU64>,
    /// How long it was before.
    before: u64,
}

impl Log {
    /// The log of a connection, which tells how long it is from now on.
    pub(super) fn of(connection: &mut Connection) -> rusqlite::Result<Self> {
        let log = Self::default();
        let frames = Arc::clone(&log.frames);
        let count = move |_: &mut Wal, pages: c_int| {
            frames.store(pages.unsigned_abs().into(), Ordering::Relaxed);
            Ok(())
        };
        connection.wal_hook(Some(count))?;
        Ok(log)
    }

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
