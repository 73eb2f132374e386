//! The mark that a commit is under way: one byte at the start of the writers' lock file.
//!
//! A writer sets it before COMMIT, and takes it back once what it committed is durable and the bell
//! is rung. Who has the turn and finds it set follows a writer that died or failed half-way: the end
//! of the log may be readable and yet not be on the disk, and a later sync would not change that,
//! since Linux takes the pages of a failed sync for clean. See `docs/durability.md`.
//!
//! The byte is written in place and never synced: who can't see it has lost the pages of the log as
//! well, and reads what is on the disk. It is allocated when the store is made, so that a full disk is
//! not in its way.

use std::fs::File;
use std::io;

use super::Layout;
use crate::platform;
use crate::platform::directory::Access;

const CLEAR: &[u8; 1] = b"0";
const SET: &[u8; 1] = b"1";

/// Gives the lock file of a new store its byte, and makes that durable.
pub(super) fn make(lock: &File) -> io::Result<()> {
    platform::write_at(lock, CLEAR, 0)?;
    lock.sync_all()
}

/// Sets the mark.
pub(super) fn set(lock: &File) -> io::Result<()> {
    platform::write_at(lock, SET, 0)
}

/// Takes the mark back.
pub(super) fn clear(lock: &File) -> io::Result<()> {
    platform::write_at(lock, CLEAR, 0)
}

/// Whether the mark is set. An empty file gets its byte.
pub(super) fn is_set(lock: &File) -> io::Result<bool> {
    let mut byte = [0];
    match platform::read_at(lock, &mut byte, 0)? {
        0 => make(lock).map(|()| false),
        _ => Ok(byte != *CLEAR),
    }
}

/// Whether the mark of the store seems to be set, for who only reads.
pub(super) fn seems_set(layout: &Layout) -> bool {
    let mut byte = [0];
    let Ok(lock) = layout.place.open_file("lock", Access::Read) else { return false };
    platform::read_at(&lock, &mut byte, 0).is_ok_and(|length| length > 0 && byte != *CLEAR)
}
