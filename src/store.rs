//! The seam: what a store can do, in the words of the model.
//!
//! A verb is a whole transaction and carries one name from the command to the engine. Above the
//! seam nothing knows SQL, a table or a file of the engine; below it nothing knows a terminal.

mod actor;
mod aggregate;
mod answer;
mod backup;
mod boundary;
mod chain;
mod checkpoint;
mod compact;
mod engine;
mod error;
mod hash;
mod look;
mod mark;
mod memory;
mod name;
mod options;
mod permit;
mod place;
mod projection;
mod query;
mod reader;
mod remembered;
mod restore;
mod retention;
mod rows;
mod rules;
mod seal;
mod sqlite;
mod state;
#[cfg(all(feature = "serve", unix))]
mod token;
mod verbs;
mod verify;
mod vitals;
mod watch;

use std::path::Path;
use std::time::Duration;

use self::engine::{Engine, Held};
use self::place::random_id;
use self::sqlite::restore as restore_backup;
use crate::schema::Identifier;

pub use actor::{ACT_TYPES, Actor};
pub use aggregate::{Aggregate, Decided, DecidedEvent, Decision, Unfit};
pub use answer::{
    Appended, AppendedEach, Batch, Behind, EventEntry, ImportedState, Redacted, Redaction, Removal,
    Removed, Status, Stopped, Stream, Truncated,
};
pub use backup::{Backup, BackupFile, BackupProgress, BackupProjection, NewBackup};
pub use boundary::{Boundary, BoundaryDecision};
pub use checkpoint::{Checkpoint, CheckpointError};
pub use compact::Compacted;
pub use error::{
    BadCredentials, Clash, ConditionFault, Error, EventFault, NewerRecord, NotAllowed, PlaceFault,
    Unfenced,
};
#[cfg(all(feature = "serve", unix))]
pub(crate) use hash::{Fields, Hash};
pub use mark::{Before, Mark, MarkError, Until, UntilError};
pub use name::{LastFailure, NewSubscription, ProjectionEntry, Subscription};
pub use options::{OnWarning, Options};
#[cfg(all(feature = "serve", unix))]
pub(crate) use place::read_private;
pub use projection::{Projection, Rebuild};
pub use query::Query;
pub use reader::Reader;
pub use restore::{Dropped, RestoreUntil, Restored};
pub use retention::{Retained, Retention};
pub use rows::{
    Batched, Change, Differences, Explanation, OrderBy, ProjectionStatus, RowRef, Selection,
    SetEach,
};
pub use seal::{SealedEvent, Sealer};
pub use state::{NewState, State, StateCategory, StateEntry};
pub use verify::{Counts, Finding, FindingKind, Verification, Verified, Verifying};
pub use vitals::{LastBackup, Vitals};
pub use watch::Waker;
pub(crate) use watch::{Watch, Woken};

/// An event-sourcing store in a directory.
///
/// A `Store` is for one thread; processes and threads that each open their own share the directory safely.
#[derive(Debug)]
pub struct Store {
    engine: Box<dyn Engine>,
}

impl Store {
    /// Makes a store in the directory `path`, which must be missing or empty; opens it where
    /// there is one already. The second value says whether it is new.
    ///
    /// # Errors
    ///
    /// [`Error::NotEmpty`], [`Error::NotADirectory`], and what [`Store::open`] refuses.
    pub fn init(path: &Path, options: &Options) -> Result<(Self, bool), Error> {
        let (engine, created) = sqlite::Store::init(path, options)?;
        Ok((Self { engine: Box::new(engine) }, created))
    }

    /// Opens the store in the directory `path`.
    ///
    /// # Errors
    ///
    /// [`Error::NoStore`] where there is none; [`Error::BadMarker`], [`Error::NewerFormat`]
    /// and [`Error::Place`] where it must not be used.
    pub fn open(path: &Path, options: &Options) -> Result<Self, Error> {
        Ok(Self { engine: Box::new(sqlite::Store::open(path, options)?) })
    }

    /// Makes a store in memory, which is gone with its last handle: for tests of what uses a store. It is what a
    /// store in a directory is, but for what concerns files: it can't be backed up, and programs have no permits.
    ///
    /// ```
    /// use ream::{Expect, NewEvent, Options, Store};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut store = Store::in_memory(&Options::default())?;
    /// let mut other = store.again()?;
    /// let mut placed = NewEvent::new("order-1".parse()?, "OrderPlaced".parse()?);
    /// placed.expect = Expect::NoStream;
    /// store.append(&[placed.clone()])?;
    /// assert!(other.append(&[placed]).is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] where the system has no random bits to give.
    pub fn in_memory(options: &Options) -> Result<Self, Error> {
        let id = random_id()
            .map_err(|error| Error::Engine { action: "get random bits", source: error.into() })?;
        Ok(Self { engine: Box::new(memory::Store::new(id, options)) })
    }

    /// Another handle of the same store, for another thread.
    ///
    /// # Errors
    ///
    /// As for [`Store::open`].
    pub fn again(&self) -> Result<Self, Error> {
        self.again_with(self.engine.options())
    }

    /// The same, opened with other options.
    ///
    /// # Errors
    ///
    /// As for [`Store::open`].
    pub fn again_with(&self, options: &Options) -> Result<Self, Error> {
        Ok(Self { engine: self.engine.again(options)? })
    }

    /// Has a store in memory fail, for tests of what is done then: the `nth` thing that any handle asks of the engine
    /// from now on fails with [`Error::Engine`], and nothing is stored by the transaction that it belongs to. What
    /// comes behind it does not fail. With 0 nothing fails any more. A store in a directory takes no notice.
    pub fn fail_at(&self, nth: u64) {
        self.engine.fail(nth);
    }

    /// That a path where a file or a directory is to be made does not lie in a store, in which nothing else belongs.
    ///
    /// # Errors
    ///
    /// [`Error::Place`] where it does.
    pub fn check_outside(path: &Path) -> Result<(), Error> {
        place::Place::check_outside_stores(path)
    }

    /// Runs `work` in one transaction of the engine; `many` where it appends more than one event.
    fn transact<T>(
        &mut self,
        many: bool,
        work: impl FnOnce(&mut dyn engine::Tx) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (mut work, mut done) = (Some(work), None);
        self.engine.transact(many, &mut |tx| {
            if let Some(work) = work.take() {
                done = Some(work(tx)?);
            }
            Ok(())
        })?;
        done.ok_or(Error::Interrupted)
    }

    /// How many of the store's files and directories other users could read until now.
    ///
    /// A store is for its owner alone; a copy or a clone may have taken the permissions of an umask.
    /// They are changed when it is opened.
    #[must_use]
    pub fn mended(&self) -> usize {
        self.engine.mended()
    }

    /// A reader of the events that `query` chooses, in the order of their positions, up to the
    /// head as it is now.
    ///
    /// # Errors
    ///
    /// [`Error::BeyondHead`], [`Error::BeyondStream`] and [`Error::VersionNeedsStream`].
    pub fn read(&self, query: &Query) -> Result<Reader, Error> {
        Reader::new(self.reading(false)?, query, false)
    }

    /// A reader as [`Store::read`] gives, which goes on behind the head as events come.
    ///
    /// # Errors
    ///
    /// As [`Store::read`].
    pub(crate) fn follow(&self, query: &Query) -> Result<Reader, Error> {
        Reader::new(self.reading(true)?, query, true)
    }

    /// What a reader looks by, who may follow the log.
    fn reading(&self, follow: bool) -> Result<Box<dyn look::Reading>, Error> {
        self.engine.reading(follow)
    }

    /// A watch that wakes up when events may have been stored.
    pub(crate) fn watch(&self) -> Box<dyn Watch> {
        self.engine.watch()
    }

    /// Waits for the turns to decide on what has these names, so that deciders do not overtake each other; for as
    /// long as a writer waits for others, then it goes on without. No one has to have a turn.
    pub(crate) fn queue(&mut self, names: &[&str]) -> Result<Turn, Error> {
        Ok(Turn { _held: self.engine.queue(names)? })
    }

    /// Takes the turn to run what is called `name`, and keeps it until the turn is dropped; waits for
    /// it at most for `wait`. No two have it at once.
    ///
    /// # Errors
    ///
    /// [`Error::Running`] where someone else keeps it.
    pub fn take_run(&self, name: &str, wait: Duration) -> Result<RunLock, Error> {
        Ok(RunLock { _held: self.engine.take_run(name, wait)? })
    }

    /// The turn to make the projection `name` anew, which one has at a time.
    fn take_rebuild(&self, name: &Identifier) -> Result<RunLock, Error> {
        Ok(RunLock { _held: self.engine.take_rebuild(name)? })
    }

    /// Takes the turn to be the server of this store, and keeps it until the turn is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Running`] where someone else keeps it.
    #[cfg(all(feature = "serve", unix))]
    pub(crate) fn take_server(&self) -> Result<RunLock, Error> {
        Ok(RunLock { _held: self.engine.take_server()? })
    }

    /// Who runs what is called `name`; `None` where no one does.
    ///
    /// # Errors
    ///
    /// Where that can't be found out.
    pub fn runner(&self, name: &str) -> Result<Option<String>, Error> {
        self.engine.runner(name)
    }

    /// How the store stands. This counts its streams, one by one.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn status(&self) -> Result<Status, Error> {
        self.engine.status()
    }

    /// Ends the use of the store where the process ends right after: the system takes memory and files back faster.
    pub fn leave(self) {
        self.engine.leave();
    }

    /// Whether the caller's interrupt flag is set.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.engine.options().interrupted()
    }

    /// The store's id: 13 characters, random, for ever.
    #[must_use]
    pub fn id(&self) -> &str {
        self.engine.id()
    }

    /// The largest data that the store takes, in bytes.
    #[must_use]
    pub fn max_data_bytes(&self) -> usize {
        self.engine.max_data_bytes()
    }

    /// The directory of the store; one in memory has none.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.engine.path()
    }
}

/// A turn to decide on a stream; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _held: Option<Held>,
}

/// The turn to run something that follows; it ends when this is dropped.
#[derive(Debug)]
pub struct RunLock {
    _held: Held,
}
