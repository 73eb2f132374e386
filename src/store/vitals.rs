//! What the files of a store are like, for who looks after it.

use std::path::PathBuf;

use super::{Error, Store};
use crate::event::{Position, Timestamp};

/// What the files of a store are like.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vitals {
    /// The last event that there is.
    pub head: Position,
    /// The last event that is known to be durable; nothing where the bell does not say.
    pub acknowledged: Option<Position>,
    /// How long the write-ahead log is, in bytes.
    pub log_bytes: u64,
    /// How long it may become before a writer cuts it, in bytes.
    pub log_bytes_at_work: u64,
    /// The processes that read the store at this moment, as far as the system says; this one aside.
    pub read_by: Vec<u32>,
    /// Whether bytes of what was removed are still in files of the store.
    pub erasing: bool,
    /// How many bytes are free for this user where the store lies; nothing where the system does not say.
    pub free_bytes: Option<u64>,
    /// The kind of file system that it lies on, where that is one that other machines share.
    pub shared_file_system: Option<String>,
    /// The last backup that was made of it, as far as it knows: where, when, and whether it is there.
    pub last_backup: Option<LastBackup>,
    /// Files of projections that serve no more, or never did, and that no one is about to use: with the name of
    /// the projection.
    pub strays: Vec<(String, PathBuf)>,
}

/// A backup that a store knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastBackup {
    /// Its directory.
    pub path: PathBuf,
    /// When it was begun.
    pub time: Timestamp,
    /// Whether its manifest is there.
    pub is_there: bool,
}

impl Store {
    /// What the store's files are like.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn vitals(&self) -> Result<Vitals, Error> {
        self.engine.vitals()
    }
}
