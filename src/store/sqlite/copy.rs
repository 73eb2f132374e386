//! Copying a database as it is at one moment, while others write to it: by SQLite's own backup, on a
//! connection that is in a transaction all the while. Without one, each commit of another process would have
//! the copy begin anew, and it would never end.

use std::ffi::c_int;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::failure::{Failure, failure};
use super::records::{Acknowledged, Count, Writing};
use super::{Layout, Store, database};
use crate::platform;
use crate::platform::directory::Access;
use crate::store::place::{Marker, Place};
use crate::store::{BackupProgress, Checkpoint, Error, Finding, Options, Verification, Verifying};

/// How many pages are copied before they are synced, and it is looked whether to go on: 256 KiB. A commit of another
/// process waits for what is being written of the copy: with 1 MiB the slowest hundredth of 500 appends a second took
/// twice as long, with 4 MiB four times.
const PAGES: c_int = 64;
const PAGE_BYTES: u64 = 4096;

/// The databases that are copied one after another, and who is told how far they are.
pub(super) struct Copying<'p> {
    options: &'p Options,
    pub(super) progress: &'p mut dyn FnMut(BackupProgress),
    /// The bytes of those that are copied, and of all.
    done: u64,
    of: u64,
}

impl<'p> Copying<'p> {
    /// Databases of so many bytes together.
    pub(super) fn new(
        options: &'p Options,
        of: u64,
        progress: &'p mut dyn FnMut(BackupProgress),
    ) -> Self {
        Self { options, progress, done: 0, of }
    }

    /// Copies the database of `source`, which is in a transaction, into the new file `name` of the store in
    /// `to`. It is durable when this returns, but for its name; and no connection to it is left.
    pub(super) fn copy(
        &mut self,
        source: &Connection,
        to: &Layout,
        name: &str,
    ) -> Result<(), Failure> {
        let failed = |error| failure(to, "write the copy", error);
        // Held until no connection to it lives: to close it before would take away SQLite's locks.
        let file = to.place.open_file(name, Access::Create)?;
        let mut target = open(&to.place, name, self.options, failed)?;
        let backup = Backup::new(source, &mut target)?;
        loop {
            if self.options.interrupted() {
                return Err(Error::Interrupted.into());
            }
            let step = backup.step(PAGES).map_err(failed)?;
            let at = backup.progress();
            let bytes = |pages: c_int| u64::from(pages.unsigned_abs()) * PAGE_BYTES;
            let copied = self.done + bytes(at.pagecount - at.remaining);
            self.of = self.of.max(self.done + bytes(at.pagecount));
            (self.progress)(BackupProgress::Copied { bytes: copied, of: self.of });
            match step {
                StepResult::More => {
                    file.sync_data().map_err(Error::io("sync", &to.place.path(name)))?;
                }
                StepResult::Done => {
                    self.done = copied;
                    return Ok(());
                }
                // No other connection has the new file, and the other one is in a transaction.
                _ => return Err(Error::Busy { waited: self.options.lock_timeout }.into()),
            }
        }
    }
}

/// Opens the file of a new database, which is to be filled in one transaction.
fn open(
    place: &Place,
    name: &str,
    options: &Options,
    failed: impl Fn(rusqlite::Error) -> Error,
) -> Result<Connection, Error> {
    // What there is to go back to is nothing: a journal in memory stays empty. The commit syncs.
    let set_up = |connection: &Connection| {
        connection.execute_batch("PRAGMA synchronous=FULL; PRAGMA journal_mode=MEMORY;")
    };
    database::open(place, name, options, &[], set_up, failed)
}

/// What a copy was found to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) events: u64,
    /// What of it is not as it was stored, in short.
    pub(super) damage: Option<String>,
}

/// Makes a store of the directory that holds a copy with this head, but for the last step: the marker, whose text
/// is given as well, has the name that it has before it makes a store. Then it is verified. Durable when this
/// returns.
pub(super) fn complete(
    layout: &Layout,
    (marker, text): (&Marker, &str),
    head: &Checkpoint,
    options: &Options,
    progress: &mut dyn FnMut(BackupProgress),
) -> Result<Found, Error> {
    let failed = |error| failure(layout, "read the copy", error);
    // The log stays for ever: see `database::open_with`. Opening the store once creates it.
    let connection = database::open_to_read(layout, options)?;
    let count = Count::read(&connection).map_err(failed)?;
    let events = connection.query_row("SELECT count(*) FROM events", [], |row| row.get(0));
    let events = events.map_err(failed)?;
    drop(connection);
    let place = &layout.place;
    place.make_directory("bell")?;
    place.make_directory("projections")?;
    Writing::new().write(layout, Acknowledged { position: head.position, link: head.link() })?;
    Writing::new().write(layout, count)?;
    place.open_file("turnstile", Access::Create)?;
    let lock = place.open_file("lock", Access::Create)?;
    platform::write_at(&lock, b"0", 0).map_err(Error::io("write", &place.path("lock")))?;
    for file in ["bell/bell", "changes", "lock"] {
        let synced = place.open_file(file, Access::Read)?.sync_all();
        synced.map_err(Error::io("sync", &place.path(file)))?;
    }
    Marker::begin_as(place, text)?;
    let damage = verify(layout, marker, head, options, progress)?;
    ["bell", "projections", "."].iter().try_for_each(|directory| place.sync(directory))?;
    Ok(Found { events, damage })
}

/// Verifies a copy before it is put in its place; what is wrong with it, in short.
fn verify(
    layout: &Layout,
    marker: &Marker,
    head: &Checkpoint,
    options: &Options,
    progress: &mut dyn FnMut(BackupProgress),
) -> Result<Option<String>, Error> {
    let copy = Store::of_marker(layout.clone(), marker.clone(), options)?;
    let mut first = None;
    // Who appends meanwhile is not held up.
    let asked = Verification { leaves_half: true, ..Verification::default() };
    let verified = copy.verify(&asked, &mut |told| match told {
        Verifying::Found(finding) => {
            first.get_or_insert_with(|| in_short(&finding));
        }
        Verifying::Passed { events, of } => progress(BackupProgress::Verified { events, of }),
    })?;
    if verified.findings == 0 && verified.head != *head {
        return Ok(Some(format!("the copy ends at position {}", verified.head.position)));
    }
    Ok(first.map(|first| match verified.findings {
        1 => first,
        more => format!("{first}; {} more findings", more - 1),
    }))
}

fn in_short(finding: &Finding) -> String {
    let kind = finding.kind;
    match finding.position {
        Some(position) => format!("{kind} {position}: {}", finding.what),
        None => format!("{kind}: {}", finding.what),
    }
}
