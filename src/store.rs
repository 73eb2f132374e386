//! The seam: what a store can do, in the words of the model.
//!
//! A verb is a whole transaction and carries one name from the command to the engine. Above the
//! seam nothing knows SQL, a table or a file of the engine; below it nothing knows a terminal.

mod actor;
mod aggregate;
mod answer;
mod backup;
mod chain;
mod checkpoint;
mod compact;
mod engine;
mod error;
mod hash;
mod mark;
mod name;
mod options;
mod permit;
mod place;
mod projection;
mod query;
mod remembered;
#[cfg(all(feature = "serve", unix))]
mod rest;
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

use std::path::Path;
use std::time::Duration;

use self::rules::names::{Kind, Name};
use self::sqlite::restore as restore_backup;
use crate::event::{EventRef, Link, Pattern, Position, StreamName, Version};
use crate::schema::Identifier;

pub use actor::{ACT_TYPES, Actor};
pub use aggregate::{Aggregate, Decided, DecidedEvent, Decision, Unfit};
pub use answer::{
    Appended, AppendedEach, Batch, Behind, EventEntry, ImportedState, Redacted, Removal, Removed,
    Status, Stopped, Stream, Truncated,
};
pub use backup::{Backup, BackupFile, BackupProgress, BackupProjection, NewBackup};
pub use checkpoint::{Checkpoint, CheckpointError};
pub use compact::Compacted;
pub use error::{
    BadCredentials, Clash, Error, EventFault, NewerRecord, NotAllowed, PlaceFault, Unfenced,
};
#[cfg(all(feature = "serve", unix))]
pub(crate) use hash::{Fields, Hash};
pub use mark::{Before, Mark, MarkError, Until, UntilError};
pub use name::{LastFailure, NewSubscription, ProjectionEntry, Subscription};
pub use options::{OnWarning, Options};
#[cfg(all(feature = "serve", unix))]
pub(crate) use place::read_private;
pub use projection::{Projection, Rebuild, RowRef};
pub(crate) use query::ChosenStreams;
pub use query::Query;
pub use restore::{Dropped, RestoreUntil, Restored};
pub use retention::{Retained, Retention};
pub use rows::{
    Batched, Change, Differences, Explanation, OrderBy, ProjectionStatus, Selection, SetEach,
};
pub use seal::{SealedEvent, Sealer};
pub use sqlite::Waker;
pub(crate) use sqlite::Woken;
pub use state::{NewState, State, StateCategory, StateEntry};
pub use verify::{Counts, Finding, FindingKind, Verification, Verified, Verifying};
pub use vitals::{LastBackup, Vitals};

/// An event-sourcing store in a directory.
///
/// A `Store` is for one thread; processes and threads that each open their own share the directory safely.
#[derive(Debug)]
pub struct Store {
    engine: Engine,
}

/// The engines that can keep a store. There is one.
#[derive(Debug)]
enum Engine {
    Sqlite(sqlite::Store),
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
        Ok((Self { engine: Engine::Sqlite(engine) }, created))
    }

    /// Opens the store in the directory `path`.
    ///
    /// # Errors
    ///
    /// [`Error::NoStore`] where there is none; [`Error::BadMarker`], [`Error::NewerFormat`]
    /// and [`Error::Place`] where it must not be used.
    pub fn open(path: &Path, options: &Options) -> Result<Self, Error> {
        Ok(Self { engine: Engine::Sqlite(sqlite::Store::open(path, options)?) })
    }

    /// Runs `work` in one transaction of the engine; `many` where it appends more than one event.
    fn transact<T>(
        &mut self,
        many: bool,
        work: impl FnOnce(&mut dyn engine::Tx) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match &mut self.engine {
            Engine::Sqlite(store) => store.transact(many, work),
        }
    }

    /// How many of the store's files and directories other users could read until now.
    ///
    /// A store is for its owner alone; a copy or a clone may have taken the permissions of an umask.
    /// They are changed when it is opened.
    #[must_use]
    pub fn mended(&self) -> usize {
        match &self.engine {
            Engine::Sqlite(store) => store.mended(),
        }
    }

    /// A reader of the events that `query` chooses, in the order of their positions, up to the
    /// head as it is now.
    ///
    /// # Errors
    ///
    /// [`Error::BeyondHead`], [`Error::BeyondStream`] and [`Error::VersionNeedsStream`].
    pub fn read(&self, query: &Query) -> Result<Reader, Error> {
        match &self.engine {
            Engine::Sqlite(store) => Ok(Reader(ReaderEngine::Sqlite(store.reader(query, false)?))),
        }
    }

    /// A reader as [`Store::read`] gives, which goes on behind the head as events come.
    ///
    /// # Errors
    ///
    /// As [`Store::read`].
    pub(crate) fn follow(&self, query: &Query) -> Result<Reader, Error> {
        match &self.engine {
            Engine::Sqlite(store) => Ok(Reader(ReaderEngine::Sqlite(store.reader(query, true)?))),
        }
    }

    /// A watch that wakes up when events may have been stored.
    pub(crate) fn watch(&self) -> Watch {
        match &self.engine {
            Engine::Sqlite(store) => Watch::Sqlite(store.watch()),
        }
    }

    /// At most `limit` streams that `pattern` chooses, by name, those after `after`.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn streams(
        &self,
        pattern: &Pattern,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Stream>, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.streams(pattern, after, limit),
        }
    }

    /// The stream `name`.
    ///
    /// # Errors
    ///
    /// [`Error::StreamNotFound`] where it holds no event.
    pub fn stream(&self, name: &str) -> Result<Stream, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.stream(name),
        }
    }

    /// The version of the stream `name`: 0 where it never had an event, and kept by one whose events were
    /// removed.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn version(&self, name: &str) -> Result<Version, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.version(name),
        }
    }

    /// The state of the stream `name`.
    ///
    /// # Errors
    ///
    /// [`Error::StateNotFound`]; [`Error::Damaged`] where it is not what was stored.
    pub fn state(&self, name: &str) -> Result<State, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.state(name),
        }
    }

    /// At most `limit` states of the streams that `pattern` chooses, by name, those after `after`.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn states(
        &self,
        pattern: &Pattern,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StateEntry>, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.states(pattern, after, limit),
        }
    }

    /// How many states there are, by category.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn state_categories(&self) -> Result<Vec<StateCategory>, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.state_categories(),
        }
    }

    /// The stream `name` as an aggregator needs it, as it stands at one moment.
    ///
    /// # Errors
    ///
    /// [`Error::AggregateTooLarge`] where the state and the events behind it are more than a decision
    /// is made of; [`Error::Damaged`] where the state is not what was stored.
    pub fn load(&self, name: &StreamName) -> Result<Aggregate, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.load(name),
        }
    }

    /// Waits for a turn to decide on a stream, so that deciders do not overtake each other; for as
    /// long as a writer waits for others, then it goes on without. No one has to have a turn.
    pub(crate) fn queue(&mut self, name: &StreamName) -> Result<Turn, Error> {
        match &mut self.engine {
            Engine::Sqlite(store) => Ok(Turn { _engine: TurnEngine::Sqlite(store.queue(name)?) }),
        }
    }

    /// A checkpoint at `position`.
    ///
    /// # Errors
    ///
    /// [`Error::BeyondHead`].
    pub fn checkpoint(&self, position: Position) -> Result<Checkpoint, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.checkpoint(position),
        }
    }

    /// The same where the event there was read before, with this link. Where that is not known, it is
    /// looked up.
    pub(crate) fn checkpoint_told(
        &self,
        position: Position,
        link: Option<Link>,
    ) -> Result<Checkpoint, Error> {
        match link {
            Some(link) => Ok(Checkpoint { position, link }),
            None => self.checkpoint(position),
        }
    }

    /// That `checkpoint`, of what is called `name`, is a place in this store's log.
    ///
    /// # Errors
    ///
    /// [`Error::OtherLog`].
    pub fn check_checkpoint(&self, name: &str, checkpoint: &Checkpoint) -> Result<(), Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.check_checkpoint(name, checkpoint),
        }
    }

    /// Takes the turn to run what is called `name`, and keeps it until the turn is dropped; waits for
    /// it at most for `wait`. No two have it at once.
    ///
    /// # Errors
    ///
    /// [`Error::Running`] where someone else keeps it.
    pub fn take_run(&self, name: &str, wait: Duration) -> Result<RunLock, Error> {
        match &self.engine {
            Engine::Sqlite(store) => {
                Ok(RunLock { _engine: RunEngine::Sqlite(store.take_run(name, wait)?) })
            }
        }
    }

    /// The turn to make the projection `name` anew, which one has at a time.
    fn take_rebuild(&self, name: &Identifier) -> Result<RunLock, Error> {
        match &self.engine {
            Engine::Sqlite(store) => {
                Ok(RunLock { _engine: RunEngine::Sqlite(store.take_rebuild(name)?) })
            }
        }
    }

    /// Takes the turn to be the server of this store, and keeps it until the turn is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Running`] where someone else keeps it.
    #[cfg(all(feature = "serve", unix))]
    pub(crate) fn take_server(&self) -> Result<RunLock, Error> {
        match &self.engine {
            Engine::Sqlite(store) => {
                Ok(RunLock { _engine: RunEngine::Sqlite(store.take_server()?) })
            }
        }
    }

    /// Who runs what is called `name`; `None` where no one does.
    ///
    /// # Errors
    ///
    /// Where that can't be found out.
    pub fn runner(&self, name: &str) -> Result<Option<String>, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.runner(name),
        }
    }

    /// What the store keeps of `name`, but for upper and lower case.
    fn name(&self, name: &str) -> Result<Option<Name>, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.name(name),
        }
    }

    /// What the store keeps of the names of a kind, by name.
    fn names(&self, kind: Kind) -> Result<Vec<Name>, Error> {
        let mut names = match &self.engine {
            Engine::Sqlite(store) => store.names()?,
        };
        names.retain(|name| name.kind == Some(kind));
        Ok(names)
    }

    /// The position of the last event; 0 where there is none. It costs a look at one row.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn head(&self) -> Result<Position, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.head(),
        }
    }

    /// How the store stands. This counts its streams, one by one.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn status(&self) -> Result<Status, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.status(),
        }
    }

    /// Ends the use of the store where the process ends right after: the system takes memory and files back faster.
    pub fn leave(self) {
        match self.engine {
            Engine::Sqlite(store) => store.leave(),
        }
    }

    /// Whether the caller's interrupt flag is set.
    pub(crate) fn is_interrupted(&self) -> bool {
        match &self.engine {
            Engine::Sqlite(store) => store.is_interrupted(),
        }
    }

    /// The store's id: 13 characters, random, for ever.
    #[must_use]
    pub fn id(&self) -> &str {
        match &self.engine {
            Engine::Sqlite(store) => store.id(),
        }
    }

    /// The largest data that the store takes, in bytes.
    #[must_use]
    pub fn max_data_bytes(&self) -> usize {
        match &self.engine {
            Engine::Sqlite(store) => store.max_data_bytes(),
        }
    }

    /// The directory of the store.
    #[must_use]
    pub fn path(&self) -> &Path {
        match &self.engine {
            Engine::Sqlite(store) => store.path(),
        }
    }
}

/// Reads events in batches. Between batches it holds nothing of the store, so a slow reader
/// stands in nobody's way.
#[derive(Debug)]
pub struct Reader(ReaderEngine);

#[derive(Debug)]
enum ReaderEngine {
    Sqlite(sqlite::Reader),
}

impl Reader {
    /// Gives the next batch to `each`, event by event.
    ///
    /// # Errors
    ///
    /// Where the store can't be read, or is no longer there.
    pub fn next_batch(&mut self, each: impl FnMut(&EventRef<'_>)) -> Result<Batch, Error> {
        match &mut self.0 {
            ReaderEngine::Sqlite(reader) => reader.next_batch(each),
        }
    }

    /// Whether something may have been stored since this was last asked.
    pub(crate) fn changed(&mut self) -> Result<bool, Error> {
        match &mut self.0 {
            ReaderEngine::Sqlite(reader) => reader.changed(),
        }
    }
}

/// A turn to decide on a stream; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _engine: TurnEngine,
}

#[derive(Debug)]
#[expect(dead_code, reason = "it is kept until it is dropped")]
enum TurnEngine {
    Sqlite(Option<sqlite::Turn>),
}

/// The turn to run something that follows; it ends when this is dropped.
#[derive(Debug)]
pub struct RunLock {
    _engine: RunEngine,
}

#[derive(Debug)]
#[expect(dead_code, reason = "it is kept until it is dropped")]
enum RunEngine {
    Sqlite(sqlite::Turn),
}

/// Waits for events to be stored.
#[derive(Debug)]
pub(crate) enum Watch {
    Sqlite(sqlite::Watch),
}

impl Watch {
    /// Waits until events may have been stored, the watch is woken, or it is time to look.
    pub(crate) fn wait(&self) -> Woken {
        match self {
            Self::Sqlite(watch) => watch.wait(),
        }
    }

    /// What wakes the watch from another thread.
    pub(crate) fn waker(&self) -> Waker {
        match self {
            Self::Sqlite(watch) => watch.waker(),
        }
    }
}
