//! How a store is opened.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Actor, Error};
use crate::event::Timestamp;

/// A transaction is finished first: one of a million events asks some 60 times.
const FINISHES: u32 = 100;

/// What is called with a warning.
pub type OnWarning = Arc<dyn Fn(&Error) + Send + Sync>;

/// How a store is opened.
///
/// ```
/// let mut options = ream::Options::default();
/// options.lock_timeout = std::time::Duration::from_secs(5);
/// ```
#[derive(Clone)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Options {
    /// How long a writer waits for other writers; 30 seconds by default.
    pub lock_timeout: Duration,
    /// Use a store that belongs to another user or is writable by others.
    pub trust_owner: bool,
    /// Use a store on a network or shared file system.
    pub unsafe_file_system: bool,
    /// Run programs that the store remembers though they were neither given nor allowed here; see
    /// [`Store::allow`].
    ///
    /// [`Store::allow`]: crate::Store::allow
    pub allow_programs: bool,
    /// Who acts on the store, as it is recorded with each act in the stream `$ream`; the user of this process
    /// where none is said.
    pub actor: Option<Actor>,
    /// The clock that events are recorded by.
    pub clock: fn() -> Timestamp,
    /// When set to `true`, a wait for other writers ends with [`Error::Interrupted`].
    ///
    /// [`Error::Interrupted`]: crate::Error::Interrupted
    pub interrupt: Option<Arc<AtomicBool>>,
    /// How many million instructions a statement goes on for though it is interrupted.
    pub(crate) goes_on: u32,
    /// Whether groups of small events are stored, as a server does.
    pub(crate) groups: bool,
    /// Takes what is wrong though a verb is done, when that is found: the store lost what was acknowledged
    /// ([`Error::LostEvents`], [`Error::LostChanges`]), what was stored last may not be durable
    /// ([`Error::NotDurable`]), or followers could not be told of what is stored. The same may come again.
    ///
    /// [`Error::LostEvents`]: crate::Error::LostEvents
    /// [`Error::LostChanges`]: crate::Error::LostChanges
    /// [`Error::NotDurable`]: crate::Error::NotDurable
    pub on_warning: Option<OnWarning>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lock_timeout: Duration::from_secs(30),
            trust_owner: false,
            unsafe_file_system: false,
            allow_programs: false,
            actor: None,
            clock: Timestamp::now,
            interrupt: None,
            goes_on: FINISHES,
            groups: false,
            on_warning: None,
        }
    }
}

impl Options {
    /// Has the caller know of what is wrong.
    pub(crate) fn warn(&self, warning: &Error) {
        if let Some(on_warning) = &self.on_warning {
            on_warning(warning);
        }
    }

    /// Whether the caller's interrupt flag is set.
    pub(crate) fn interrupted(&self) -> bool {
        self.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("lock_timeout", &self.lock_timeout)
            .field("trust_owner", &self.trust_owner)
            .field("unsafe_file_system", &self.unsafe_file_system)
            .field("allow_programs", &self.allow_programs)
            .finish_non_exhaustive()
    }
}
