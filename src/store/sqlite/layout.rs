//! Where the files of a store are.

use std::path::{Path, PathBuf};

/// The paths of a store's files.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// The store's directory.
    pub(super) root: PathBuf,
    /// The plain-text marker that makes the directory a store.
    pub(super) marker: PathBuf,
    /// The SQLite file of events, states, decisions and subscriptions.
    pub(super) database: PathBuf,
    /// Its write-ahead log.
    pub(super) wal: PathBuf,
    /// Its index of that log, which its users share.
    pub(super) shared_memory: PathBuf,
    /// The directory that followers watch.
    pub(super) bell_dir: PathBuf,
    /// The record of the acknowledged head.
    pub(super) bell: PathBuf,
    /// The file whose lock the one writer holds.
    pub(super) lock: PathBuf,
    /// The file whose lock the first of the waiting writers holds.
    pub(super) turnstile: PathBuf,
    /// The directory of the files whose locks deciders hold.
    pub(super) deciders: PathBuf,
    /// The directory of the projections' files.
    pub(super) projections: PathBuf,
    /// The directory of the files whose locks runners hold.
    pub(super) runners: PathBuf,
}

impl Layout {
    pub(super) fn of(root: &Path) -> Self {
        let bell_dir = root.join("bell");
        Self {
            marker: root.join("store"),
            database: root.join("db"),
            wal: root.join("db-wal"),
            shared_memory: root.join("db-shm"),
            bell: bell_dir.join("bell"),
            bell_dir,
            lock: root.join("lock"),
            turnstile: root.join("turnstile"),
            deciders: root.join("deciders"),
            projections: root.join("projections"),
            runners: root.join("runners"),
            root: root.to_owned(),
        }
    }

    /// Whether a store, or one half made, has a file with this name in its directory.
    pub(super) fn owns(name: &str) -> bool {
        const NAMES: [&str; 10] = [
            "store",
            "store.new",
            "db",
            "db-wal",
            "db-shm",
            "db-journal",
            "bell",
            "lock",
            "turnstile",
            "projections",
        ];
        NAMES.contains(&name)
    }
}
