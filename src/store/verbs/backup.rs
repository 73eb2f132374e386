//! Backups.

use std::path::{Path, PathBuf};

use crate::event::StreamName;
use crate::store::rules::Act;
use crate::store::{
    Backup, BackupProgress, Error, NewBackup, Options, RestoreUntil, Restored, Store,
    restore_backup,
};

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
        self.engine.backup(path, new, progress)
    }

    /// Whether this is a backup: then nothing is written to it.
    #[must_use]
    pub fn is_backup(&self) -> bool {
        self.engine.is_backup()
    }

    /// The backups that this store remembers, and that are there, which may hold events of the stream or its
    /// state. A backup keeps what is removed later; the last 16 are remembered.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn backups_of(&self, stream: &StreamName) -> Result<Vec<PathBuf>, Error> {
        self.engine.backups_of(stream.as_str())
    }

    /// Makes a store of the backup in `backup`, in the directory `path`, which must be missing or empty. It has the
    /// id of the store that was backed up, and is the same but for permits of programs, which hold where they were
    /// given. With `until` its log ends there: what lies behind is not in it, and no byte of that is in its files.
    /// Behind the end comes an event of `$ream` that says that it was restored.
    ///
    /// # Errors
    ///
    /// [`Error::Place`] where the one is no backup, or is not what its manifest says, or something stands in the
    /// place of the other; [`Error::BeyondHead`], [`Error::Damaged`], [`Error::Full`], [`Error::Interrupted`]. Then
    /// nothing is left of the new store.
    pub fn restore(
        backup: &Path,
        path: &Path,
        until: Option<RestoreUntil>,
        options: &Options,
        progress: &mut dyn FnMut(BackupProgress),
    ) -> Result<Restored, Error> {
        let record = |store, restored: &Restored| {
            let act = Act::StoreRestored {
                store: restored.backup.store.clone(),
                position: restored.head.position,
                dropped: restored.dropped.events,
            };
            Self { engine: Box::new(store) }.act(|_| Ok(((), vec![act])))
        };
        let mut restored = restore_backup((backup, path), until, options, progress, record)?;
        let store = Self::open(&restored.path, options)?;
        // One that can't be read is none of those that were restored.
        let names = store.projections()?.into_iter().map(|entry| entry.name.to_string());
        restored.to_rebuild = names.filter(|name| !restored.projections.contains(name)).collect();
        Ok(restored)
    }
}
