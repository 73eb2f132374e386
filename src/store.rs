//! The seam: what a store can do, in the words of the model.
//!
//! A verb is a whole transaction and carries one name from the command to the engine. Above the
//! seam nothing knows SQL, a table or a file of the engine; below it nothing knows a terminal.

mod aggregate;
mod answer;
mod chain;
mod checkpoint;
mod engine;
mod error;
mod hash;
mod options;
mod permit;
mod place;
mod projection;
mod query;
mod remembered;
mod rules;
mod seal;
mod sqlite;
mod state;
mod subscription;
mod verbs;

use std::path::Path;
use std::time::Duration;

use crate::event::{EventRef, Link, Pattern, Position, StreamName, SubscriptionName};
use crate::schema::Identifier;

pub use aggregate::{Aggregate, Decided, DecidedEvent, Decision, Unfit};
pub use answer::{Appended, AppendedEach, Batch, Removal, Removed, Status, Stopped, Stream};
pub use checkpoint::Checkpoint;
pub use error::{Clash, Error, NewerRecord, NotAllowed, PlaceFault, Unfenced};
pub use options::{OnWarning, Options};
pub use projection::{
    Change, Differences, Explanation, OrderBy, Projection, ProjectionEntry, ProjectionStatus,
    Rebuild, RowRef, Selection, SetEach,
};
pub(crate) use query::ChosenStreams;
pub use query::{Mark, Query};
pub use seal::{Batched, SealedEvent, Sealer};
pub use sqlite::Waker;
pub(crate) use sqlite::Woken;
pub use state::{NewState, State, StateCategory, StateEntry};
pub use subscription::{LastFailure, NewSubscription, Subscription};

/// An event-sourcing store in a directory.
///
/// A `Store` is for one thread; processes and threads that each open their own share the
/// directory safely.
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

    /// Drops the projection `name` and its rows; whether there was one.
    ///
    /// # Errors
    ///
    /// Where the store can't be written.
    pub fn drop_projection(&mut self, name: &Identifier) -> Result<bool, Error> {
        match &mut self.engine {
            Engine::Sqlite(store) => store.drop_projection(name),
        }
    }

    /// The projections, by name.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn projections(&self) -> Result<Vec<ProjectionEntry>, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.projections(),
        }
    }

    /// The projection `name`, whatever has become of its file.
    ///
    /// # Errors
    ///
    /// [`Error::ProjectionNotFound`].
    pub fn projection_entry(&self, name: &str) -> Result<ProjectionEntry, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.projection_entry(name),
        }
    }

    /// Opens the projection `name`.
    ///
    /// # Errors
    ///
    /// [`Error::ProjectionNotFound`]; [`Error::ProjectionLost`] and [`Error::ProjectionDamaged`] where its
    /// file is not what it was: [`Store::begin_rebuild`] needs none.
    pub fn projection(&self, name: &str) -> Result<Projection, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.projection(name).map(Projection::of),
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

    /// Makes a subscription whose checkpoint is at `start`, or finds the one with its name.
    ///
    /// # Errors
    ///
    /// [`Error::SubscriptionDiffers`] where that follows something else, [`Error::NameTaken`] where a
    /// projection has the name, [`Error::BeyondHead`].
    pub fn subscribe(
        &mut self,
        new: &NewSubscription,
        start: Position,
    ) -> Result<Subscription, Error> {
        match &mut self.engine {
            Engine::Sqlite(store) => store.subscribe(new, start),
        }
    }

    /// The subscription `name`.
    ///
    /// # Errors
    ///
    /// [`Error::SubscriptionNotFound`].
    pub fn subscription(&self, name: &str) -> Result<Subscription, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.subscription(name),
        }
    }

    /// The subscriptions, by name.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.subscriptions(),
        }
    }

    /// Removes a subscription; whether there was one.
    ///
    /// # Errors
    ///
    /// Where the store can't be written.
    pub fn remove_subscription(&mut self, name: &SubscriptionName) -> Result<bool, Error> {
        match &mut self.engine {
            Engine::Sqlite(store) => store.remove_subscription(name),
        }
    }

    /// How what is called `name` failed last.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn last_failure(&self, name: &str) -> Result<Option<LastFailure>, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.last_failure(name),
        }
    }

    /// Records how what is called `name` failed, or that it no longer does. Where there is no such
    /// subscription or projection, nothing is recorded.
    ///
    /// # Errors
    ///
    /// Where the store can't be written.
    pub fn record_failure(&mut self, name: &str, message: Option<&str>) -> Result<(), Error> {
        match &mut self.engine {
            Engine::Sqlite(store) => store.record_failure(name, message),
        }
    }

    /// Remembers what a projection is made from and by what, with the permit of a program that was given.
    ///
    /// # Errors
    ///
    /// [`Error::ProjectionNotFound`].
    pub fn remember(&mut self, entry: &ProjectionEntry) -> Result<(), Error> {
        match &mut self.engine {
            Engine::Sqlite(store) => store.remember(entry),
        }
    }

    /// Begins to make a projection anew, by another definition or the one that it has: the next generation
    /// of it, without rows, which serves once it is whole, by [`Store::switch`]. What an earlier attempt
    /// left is removed.
    ///
    /// # Errors
    ///
    /// [`Error::Running`] where someone else does it, [`Error::ProjectionNotFound`].
    pub fn begin_rebuild(&mut self, entry: &ProjectionEntry) -> Result<Rebuild, Error> {
        match &mut self.engine {
            Engine::Sqlite(store) => {
                let (lock, projection) = store.begin_rebuild(entry)?;
                let lock = RunLock { _engine: RunEngine::Sqlite(lock) };
                Ok(Rebuild::new(Projection::of(projection), lock))
            }
        }
    }

    /// Has a projection that was made anew serve, in one transaction; the one before it goes when nobody
    /// reads it any more, and who still writes to that is refused.
    ///
    /// # Errors
    ///
    /// [`Error::Superseded`] where another one serves by now.
    pub fn switch(&mut self, rebuild: &Rebuild) -> Result<(), Error> {
        match &mut self.engine {
            Engine::Sqlite(store) => store.switch(rebuild.projection.engine()),
        }
    }

    /// Does what a rebuild that was killed has left to do, but where someone makes the projection anew.
    ///
    /// # Errors
    ///
    /// Where it can't be done.
    pub(crate) fn tidy_older(&self, entry: &ProjectionEntry) -> Result<(), Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.tidy_older(entry),
        }
    }

    /// A checkpoint at `position` for a projection that serves, or is to serve next.
    ///
    /// # Errors
    ///
    /// [`Error::Superseded`], [`Error::ProjectionNotFound`], [`Error::BeyondHead`].
    pub fn checkpoint_of(
        &self,
        projection: &Projection,
        position: Position,
    ) -> Result<Checkpoint, Error> {
        self.checkpoint_told_of(projection, position, None)
    }

    /// The same where the event there was read before, with this link. Where that is not known, it is
    /// looked up.
    pub(crate) fn checkpoint_told_of(
        &self,
        projection: &Projection,
        position: Position,
        link: Option<Link>,
    ) -> Result<Checkpoint, Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.checkpoint_of(projection.entry(), position, link),
        }
    }

    /// Has no byte of rows that were deleted be left in the files of `projection`; why some are, where they
    /// are: [`Error::LogHeld`] where a reader is in the way, which is waited for as long as a writer waits for
    /// others.
    pub fn erase_rows(&self, projection: &Projection) -> Option<Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.erase_rows(projection.engine()),
        }
    }

    /// The position of the last event; 0 where there is none. It costs a look at one row, however large
    /// the store is.
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

    /// That the store holds all that was acknowledged. Writing to one that does not is refused.
    ///
    /// # Errors
    ///
    /// [`Error::LostEvents`], [`Error::LostChanges`].
    pub fn check(&self) -> Result<(), Error> {
        match &self.engine {
            Engine::Sqlite(store) => store.check(),
        }
    }

    /// Ends the use of the store where the process ends right after: as dropping it does, but
    /// memory and files are left to the system, which takes them back faster.
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
