//! Backups.

use std::path::{Path, PathBuf};

use crate::event::StreamName;
use crate::store::{Backup, BackupProgress, Engine, Error, NewBackup, Store};

impl Store {
    /// Makes a backup in the directory `path`, which must be missing or empty: a store as this one is at one
    /// moment, which can be read and restored. Others write meanwhile, and no one is waited for. It holds what
    /// is durable, is looked through before it appears, and is durable when it does. `progress` is called as
    /// it is copied.
    ///
    /// While it is copied the log can't be cut, so that a removal beside it is not erased at once.
    ///
    /// # Errors
    ///
    /// [`Error::Place`] where something stands in its place, [`Error::Running`] where another process makes
    /// one there, [`Error::LostEvents`] and [`Error::LostChanges`] where the store is damaged and `new` does
    /// not say that it is taken as it is, [`Error::Full`], [`Error::Interrupted`]. Then nothing is left of it.
    pub fn backup(
        &self,
        path: &Path,
        new: &NewBackup,
        progress: &mut dyn FnMut(BackupProgress),
    ) -> Result<Backup, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.backup(path, new, progress),
        }
    }

    /// The backups that this store remembers, and that are there, which may hold events of the stream or its
    /// state. A backup keeps what is removed later; the last 16 are remembered.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn backups_of(&self, stream: &StreamName) -> Result<Vec<PathBuf>, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.backups_of(stream.as_str()),
        }
    }
}
