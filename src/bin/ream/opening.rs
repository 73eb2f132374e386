//! How a store is opened: which one, with what options, and where its warnings go.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ream::{Options, Store};

use crate::args::{DEFAULT_STORE, Global};
use crate::environment::Environment;
use crate::output::{note, with_causes};
use crate::refused::Refused;

impl Global {
    /// How a store is to be opened.
    pub(crate) fn options(&self, environment: &Environment) -> Options {
        let mut options = Options::default();
        if let Some(lock_timeout) = self.lock_timeout {
            options.lock_timeout = lock_timeout;
        }
        options.trust_owner = environment.trust_owner;
        options.unsafe_file_system = environment.unsafe_file_system;
        options.allow_programs = environment.allow;
        options.on_warning = Some(Arc::new(warn_once(self.clone())));
        options
    }

    /// Opens the store that the command line, the environment or the directory names.
    pub(crate) fn open(
        &self,
        environment: &Environment,
        options: &Options,
    ) -> anyhow::Result<Store> {
        let named = self.store.clone().or_else(|| environment.store.clone());
        let Some(path) = named.or_else(|| nearest_store(&environment.directory)) else {
            let directory = environment.directory.clone();
            let itself = Store::open(&directory, options).is_ok();
            return Err(Refused::NoStoreNear { directory, itself }.into());
        };
        let store = Store::open(&path, options)?;
        self.note_mended(&store);
        Ok(store)
    }

    /// Says on a terminal that others could read a store, and can't any more.
    pub(crate) fn note_mended(&self, store: &Store) {
        let mut stderr = io::stderr();
        if store.mended() > 0 && !self.quiet && stderr.is_terminal() {
            // Where it is gone, no one is there to be told.
            let _ = writeln!(
                stderr,
                "note: others could read the store; now its files are for you alone ({} changed)",
                store.mended()
            );
        }
    }
}

/// Warns of each thing once.
fn warn_once(global: Global) -> impl Fn(&ream::Error) + Send + Sync {
    let said = Mutex::new(BTreeSet::new());
    move |warning| {
        let message = with_causes(warning);
        // There is nothing behind the lock that a panic could have left half done.
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        if !said.contains(&message) {
            note(&global, "warning:", &message);
            said.insert(message);
        }
    }
}

fn nearest_store(directory: &Path) -> Option<PathBuf> {
    directory
        .ancestors()
        .map(|dir| dir.join(DEFAULT_STORE))
        .find(|path| path.symlink_metadata().is_ok())
}
