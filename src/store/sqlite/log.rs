//! SQLite's write-ahead log: how long it is, and when it is moved into the database.

mod frames;

use std::ffi::c_int;
use std::fs::{self, OpenOptions};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode};

use super::Layout;
use super::database::wait_as_told;
use super::failure::{commit_failure, failure};
use crate::faults::{self, Remedy};
use crate::platform;
use crate::store::{Error, Options};

/// How many frames of log a process that begins to write takes over. A process that finds no
/// other reads them all.
const FRAMES_TAKEN_OVER: u64 = 32;
/// How long a log is left behind, in frames: those that count, and space to write over.
pub(super) const FRAMES_LEFT_BEHIND: u64 = 64;
/// How many frames of log a writer that goes on with small transactions lets pile up.
const FRAMES_STARTED_OVER: u64 = 256;
/// How many commits of more than [`FRAMES_OF_FEW`] frames each.
const COMMITS_STARTED_OVER: u64 = 256;
const FRAMES_OF_FEW: u64 = 4;
/// How many frames those are at most.
const FRAMES_STARTED_OVER_AT_MOST: u64 = 1800;
/// How many commits of a server's groups, and how many frames those are at most: with one commit more the log is not
/// as long as one that is cut. To move it costs two syncs, which delays all connections in one of so many.
const GROUPS_STARTED_OVER: u64 = 1024;
const FRAMES_OF_GROUPS: u64 = 7900;
/// How many frames a transaction has that is not small.
const FRAMES_OF_MANY: u64 = 256;
/// How many frames of log a writer lets pile up while it goes on.
pub(super) const FRAMES_AT_WORK: u64 = 8192;

/// How large a frame of the log is: a page and its header.
const FRAME_BYTES: u64 = 4096 + 24;

/// How long the log is, as the last commit on a connection left it.
#[derive(Debug, Default)]
pub(super) struct Log {
    counted: Arc<Counted>,
}

/// What SQLite says at each commit.
#[derive(Debug, Default)]
struct Counted {
    frames: AtomicU64,
    /// How many of them are new with the last commit.
    last: AtomicU64,
    /// How many commits there were since the log was moved, or started over.
    commits: AtomicU64,
}

impl Counted {
    fn committed(&self, frames: u64) {
        let before = self.frames.swap(frames, Ordering::Relaxed);
        let goes_on = frames > before;
        self.last.store(if goes_on { frames - before } else { frames }, Ordering::Relaxed);
        if !goes_on {
            self.commits.store(0, Ordering::Relaxed);
        }
        self.commits.fetch_add(1, Ordering::Relaxed);
    }
}

impl Log {
    /// The log of a connection, which tells how long it is from now on.
    pub(super) fn of(connection: &mut Connection) -> rusqlite::Result<Self> {
        let log = Self::default();
        let counted = Arc::clone(&log.counted);
        let count = move |_: &mut Wal, pages: c_int| {
            counted.committed(pages.unsigned_abs().into());
            Ok(())
        };
        connection.wal_hook(Some(count))?;
        Ok(log)
    }

    /// Its frames that count.
    pub(super) fn frames(&self) -> u64 {
        self.counted.frames.load(Ordering::Relaxed)
    }

    /// Whether it became long by small transactions. Behind a large one, to move as much as that would
    /// cost more than it gains. Those of a server are `groups`; anyone else's log is shorter, since who erases, or
    /// begins to write, has to move it.
    pub(super) fn is_long(&self, groups: bool) -> bool {
        let Counted { frames, last, commits } = &*self.counted;
        let [frames, last, commits] = [frames, last, commits].map(|n| n.load(Ordering::Relaxed));
        let (commits_at_most, frames_at_most) = if groups {
            (GROUPS_STARTED_OVER, FRAMES_OF_GROUPS)
        } else {
            (COMMITS_STARTED_OVER, FRAMES_STARTED_OVER_AT_MOST)
        };
        let most = if commits < commits_at_most && frames > commits * FRAMES_OF_FEW {
            frames_at_most
        } else {
            FRAMES_STARTED_OVER
        };
        frames > most && last < FRAMES_OF_MANY
    }

    /// That it was tried to have it start over: where a reader was in the way, it is not tried before each
    /// commit.
    pub(super) fn was_moved(&self) {
        self.counted.commits.store(0, Ordering::Relaxed);
    }
}

/// How many bytes so many frames of log have.
pub(super) fn bytes(frames: u64) -> u64 {
    frames * FRAME_BYTES
}

/// How long the log is, in frames. By its length alone: it must not be opened.
pub(super) fn wal_frames(layout: &Layout) -> u64 {
    wal_bytes(layout) / FRAME_BYTES
}

/// How long the log is, in bytes.
pub(super) fn wal_bytes(layout: &Layout) -> u64 {
    length(&layout.wal)
}

/// Whether a log of so many bytes is long for a process that begins to write.
pub(super) fn is_long(bytes: u64) -> bool {
    bytes / FRAME_BYTES > FRAMES_TAKEN_OVER
}

fn length(path: &Path) -> u64 {
    fs::symlink_metadata(path).map_or(0, |metadata| metadata.len())
}

/// Moves a long log into the database. The log then starts over in place: to write over what is there
/// is faster to sync than to extend a file.
pub(super) fn start_over(connection: &Connection, database: &Path) {
    // The file may be longer than what counts of it. What fails here shows at the next commit; a
    // reader that is in the way is no failure.
    let frames =
        connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get::<_, u64>(1));
    if frames.is_ok_and(|frames| frames > FRAMES_TAKEN_OVER) {
        let _ = move_log(connection, database, "PASSIVE");
    }
}

/// Moves the log into the database; whether a reader was in the way of some of it.
///
/// The caller has the turn to move it. Where this fails, the database is set back to the length that it had: a
/// file system may leave blocks that it could not write unwritten for good, and only blocks that are
/// allocated anew are written by the next attempt. What is in them is still in the log.
pub(super) fn move_log(
    connection: &Connection,
    database: &Path,
    mode: &str,
) -> rusqlite::Result<bool> {
    let before = length(database);
    let moved = connection
        .query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get::<_, i64>(0));
    if let Err(error) = &moved
        && matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::SystemIoFailure | ErrorCode::DiskFull)
        )
        && length(database) > before
        && !faults::is_off(Remedy::Length)
        && let Ok(file) = OpenOptions::new().write(true).open(database)
    {
        // Where this fails as well, the next attempt does what it can.
        let _ = file.set_len(before);
        // To close it would take away SQLite's locks on the file, of the whole process.
        std::mem::forget(file);
    }
    moved.map(|busy| busy != 0)
}

/// That the `log` still reads as whoever found it first read it, and keeps it in `shared_memory`. After
/// a failed write its end may be in memory alone, and be gone from there: to move it would put something
/// else into the database.
///
/// The caller has the turn to move it.
pub(super) fn check_whole(
    connection: &Connection,
    layout: &Layout,
    log: &Path,
    shared_memory: &Path,
) -> Result<(), Error> {
    let counted =
        connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get::<_, u64>(1));
    let mut by = users_by(shared_memory);
    if by.len() > 1 {
        by.retain(|process| *process != std::process::id());
    }
    let whole = match counted {
        Ok(count) => frames::has_frames(log, count).map_err(Error::io("read", log))?,
        // What is there is damaged, or is not what is on the disk.
        Err(_) if by.first().is_some_and(|process| *process != std::process::id()) => false,
        Err(error) => return Err(failure(layout, "read the log", error)),
    };
    if whole || faults::is_off(Remedy::Check) {
        return Ok(());
    }
    Err(Error::LogForgotten { by })
}

/// What came of cutting a log.
#[derive(Debug)]
pub(super) enum Cut {
    /// It is empty, and that is durable.
    Done,
    /// A reader is in the way.
    InTheWay,
    /// The system failed: what is in the log may be lost.
    Failed(Error),
}

/// Moves the log into the database and cuts it to nothing, durably. Nobody is waited for.
///
/// The caller has the turn to write.
pub(super) fn cut(connection: &Connection, layout: &Layout, options: &Options) -> Cut {
    // With a reader open, TRUNCATE would wait for the whole timeout, and shut out every writer.
    let _ = connection.busy_timeout(Duration::ZERO);
    let moved = move_log(connection, &layout.database, "TRUNCATE");
    let _ = wait_as_told(connection, options);
    match moved {
        Ok(true) => return Cut::InTheWay,
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
            return Cut::InTheWay;
        }
        Err(error) => return Cut::Failed(commit_failure(layout, error)),
        Ok(false) => {}
    }
    // The log, unlike the database, carries no locks, so it may be opened and closed.
    let synced = fs::File::open(&layout.wal)
        .and_then(|log| log.sync_all())
        .and_then(|()| platform::sync_dir(&layout.root));
    match synced {
        Ok(()) => Cut::Done,
        Err(error) => Cut::Failed(Error::OutcomeUnknown { source: error.into() }),
    }
}

/// How often it is looked who reads.
const LOOKS: usize = 3;
/// The bytes of SQLite's shared memory that a reader locks. See "WAL-mode File Format" of SQLite's
/// documentation, 2.3.1.
const READ_LOCKS: RangeInclusive<u64> = 123..=127;

/// The byte of it that whoever has the database open locks. See `os_unix.c` of SQLite.
const USED: u64 = 128;

/// The processes that read the store at this moment, as far as the system says.
pub(super) fn readers(layout: &Layout) -> Vec<u32> {
    readers_by(&layout.shared_memory)
}

/// The same of any database, by its shared memory.
pub(super) fn readers_by(shared_memory: &Path) -> Vec<u32> {
    // The system's list is read in parts, and misses some where it changes meanwhile.
    let mut found = (0..LOOKS).map(|_| platform::lock_holders(shared_memory, READ_LOCKS));
    found.find(|readers| !readers.is_empty()).unwrap_or_default()
}

/// The processes that have a database open, read or not, by its shared memory.
pub(super) fn users_by(shared_memory: &Path) -> Vec<u32> {
    platform::lock_holders(shared_memory, USED..=USED)
}

/// Moves the log into the database; whether nothing is left in it, and no one reads it.
pub(super) fn truncated(connection: &Connection) -> bool {
    let _ = connection.busy_timeout(Duration::ZERO);
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    busy == Ok(0_i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_long_after_so_many_commits_or_frames() {
        // After how many commits of so many frames each.
        let is_long_after = |each: u64, groups: bool| {
            let log = Log::default();
            (1..10_000).find(|commits| {
                log.counted.committed(commits * each);
                log.is_long(groups)
            })
        };
        assert_eq!([is_long_after(4, false), is_long_after(4, true)], [Some(65); 2]);
        assert_eq!([is_long_after(5, false), is_long_after(5, true)], [Some(256), Some(1024)]);
        assert_eq!([is_long_after(100, false), is_long_after(100, true)], [Some(19), Some(80)]);
    }
}
