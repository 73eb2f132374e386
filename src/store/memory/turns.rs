//! Turns that one has at a time.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::deadline::Deadline;
use crate::store::{Error, Options};

/// How long it is waited before it is looked whether the caller was interrupted.
const LOOK: Duration = Duration::from_millis(10);

/// The turns that are taken, by name, each with who has it.
#[derive(Debug, Default)]
pub(super) struct Turns {
    taken: Mutex<HashMap<String, String>>,
    changed: Condvar,
}

/// A turn. It ends when this is dropped.
pub(super) struct Turn {
    turns: Arc<Turns>,
    name: String,
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Turn").field(&self.name).finish()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.taken().remove(&self.name);
        self.turns.changed.notify_all();
    }
}

impl Turns {
    fn taken(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who has a turn.
    pub(super) fn holder(&self, name: &str) -> Option<String> {
        self.taken().get(name).cloned()
    }

    /// Takes a turn, for which it is waited at most for `wait`; nothing where another keeps it.
    pub(super) fn take(
        self: &Arc<Self>,
        name: &str,
        wait: Duration,
        options: &Options,
    ) -> Result<Option<Turn>, Error> {
        let deadline = Deadline::after(wait);
        let mut taken = self.taken();
        while taken.contains_key(name) {
            if options.interrupted() {
                return Err(Error::Interrupted);
            }
            if deadline.is_over() {
                return Ok(None);
            }
            let look = deadline.left().min(LOOK);
            let waited = self.changed.wait_timeout(taken, look);
            taken = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let since = (options.clock)();
        taken.insert(name.to_owned(), format!("process {} since {since}", std::process::id()));
        Ok(Some(Turn { turns: Arc::clone(self), name: name.to_owned() }))
    }
}
