//! Where the files of a store are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::place::Place;
use crate::store::{Error, Options};

/// Where a store is, and the names of what is in it.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// The store's directory, as it was named.
    pub(super) root: PathBuf,
    /// The store's directory, open.
    pub(super) place: Arc<Place>,
    /// The SQLite file of events, states, decisions and subscriptions.
    pub(super) database: PathBuf,
    /// Its write-ahead log.
    pub(super) wal: PathBuf,
    /// Its index of that log, which its users share.
    pub(super) shared_memory: PathBuf,
    /// The directory that followers watch.
    pub(super) bell_dir: PathBuf,
}

impl Layout {
    /// Opens the directory `root`, and looks whether it may be used. Nothing is changed.
    pub(super) fn open(root: &Path, options: &Options) -> Result<Self, Error> {
        let layout = Self::unchecked(root, options)?;
        layout.place.check(options)?;
        Ok(layout)
    }

    /// The same without the look.
    pub(super) fn unchecked(root: &Path, options: &Options) -> Result<Self, Error> {
        let place = Place::open(root, options)?;
        Ok(Self {
            root: root.to_owned(),
            database: place.real_path("db"),
            wal: place.real_path("db-wal"),
            shared_memory: place.real_path("db-shm"),
            bell_dir: place.real_path("bell"),
            place: Arc::new(place),
        })
    }

    /// Whether a store, or one half made, has a file with this name in its directory.
    pub(super) fn owns(name: &str) -> bool {
        const NAMES: [&str; 11] = [
            "store",
            "store.new",
            "db",
            "db-wal",
            "db-shm",
            "db-journal",
            "bell",
            "changes",
            "lock",
            "turnstile",
            "projections",
        ];
        NAMES.contains(&name)
    }

    /// Whether a file with this name may be there before the marker is begun.
    pub(super) fn precedes(name: &str) -> bool {
        ["lock", "turnstile", "store.new"].contains(&name)
    }
}
