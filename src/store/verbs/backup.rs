//! Backups.

use std::path::{Path, PathBuf};

use crate::event::StreamName;
use crate::store::rules::Act;
use crate::store::{
    Backup, BackupProgress, Checkpoint, Dropped, Error, NewBackup, Options, RestoreUntil, Restored,
    Store, restore_backup,
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
            Self { engine: Box::new(store) }.record_restore(&restored.head, &restored.dropped)
        };
        let mut restored = restore_backup((backup, path), until, options, progress, record)?;
        let store = Self::open(&restored.path, options)?;
        // One that can't be read is none of those that were restored.
        let names = store.projections()?.into_iter().map(|entry| entry.name.to_string());
        restored.to_rebuild = names.filter(|name| !restored.projections.contains(name)).collect();
        Ok(restored)
    }

    /// Another store in memory, as [`Store::restore`] makes it of a backup of this one, with the rows of its
    /// projections: for tests. Where its log ended, and what it has not.
    ///
    /// # Errors
    ///
    /// [`Error::BeyondHead`]; [`Error::Engine`] where this store is in a directory.
    pub fn restored(
        &self,
        until: Option<RestoreUntil>,
    ) -> Result<(Self, Checkpoint, Dropped), Error> {
        let (engine, end, dropped) = self.engine.restored(until)?;
        let mut store = Self { engine };
        store.record_restore(&end, &dropped)?;
        Ok((store, end, dropped))
    }

    /// Says in a store that it was restored.
    fn record_restore(&mut self, end: &Checkpoint, dropped: &Dropped) -> Result<(), Error> {
        let store = self.engine.id().to_owned();
        let act = Act::StoreRestored { store, position: end.position, dropped: dropped.events };
        self.act(|_| Ok(((), vec![act])))
    }
}
