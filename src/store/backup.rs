//! Backups: what one is made of, what its manifest says, and which ones a store knows of.
//!
//! A backup is a store in a directory, as it was at one moment, with a manifest beside its marker. So what
//! reads a store reads a backup; nothing writes to one.

mod known;
mod manifest;

use std::path::PathBuf;

use super::Checkpoint;
use crate::event::{Position, Timestamp};

pub(super) use known::KnownBackup;

/// The file in a store that says which backups were made of it.
pub(super) const KNOWN: &str = "backups";

/// The most bytes of a manifest that are read, and of the list of backups.
pub(super) const MOST_BYTES: u64 = 1 << 20;

/// What a backup is to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewBackup {
    /// The rows of projections as well. They can be made again from events.
    pub projections: bool,
    /// Whether a store is taken as it is that has lost what was acknowledged.
    pub damaged: bool,
}

/// A backup, as its manifest describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backup {
    /// The directory that it is in.
    pub path: PathBuf,
    /// What made it: the program and its version.
    pub made_by: String,
    /// The store's id.
    pub store: String,
    /// The store's format.
    pub format: u32,
    /// The last event in it, and the link of that.
    pub head: Checkpoint,
    /// When it was made.
    pub time: Timestamp,
    /// How many events it holds, removed ones and those of reserved streams too.
    pub events: u64,
    /// The databases in it.
    pub files: Vec<BackupFile>,
    /// The projections whose rows are in it.
    pub projections: Vec<BackupProjection>,
    /// What the store had lost, where a damaged one was taken as it was.
    pub damaged: Option<String>,
}

impl Backup {
    /// How large the databases in it are, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// A database in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupFile {
    /// Its path within the directory.
    pub name: String,
    /// How large it is, in bytes.
    pub bytes: u64,
}

/// A projection whose rows are in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupProjection {
    /// Its name.
    pub name: String,
    /// Which one it is of those that have been built.
    pub generation: u64,
    /// How far it had come.
    pub position: Position,
}

/// How far a backup or a restore is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackupProgress {
    /// So many bytes of the databases are copied, which goes before the rest.
    Copied {
        /// How many.
        bytes: u64,
        /// Of how many in all, as far as is known.
        of: u64,
    },
    /// So many events of the copy were verified since this was last told.
    Verified {
        /// How many.
        events: u64,
        /// Of how many in all.
        of: u64,
    },
}
