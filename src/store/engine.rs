//! What an engine is: it shows a store, gathers facts to rule by, makes changes in one transaction, and owns the tables
//! of projections.

use std::any::Any;
use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::look::{Look, Reading};
use super::rows::{Applied, Batched, ChangeRef, Explanation, RowRef, Selection};
use super::rules::names::Name;
use super::rules::{Changes, Facts, Kept, KnownDecision, Setting, Unit};
use super::watch::Watch;
use super::{
    Backup, BackupProgress, Checkpoint, Compacted, Differences, Dropped, Error, NewBackup, Options,
    Removed, RestoreUntil, SealedEvent, Status, Truncated, Unfenced, Verification, Verified,
    Verifying, Vitals,
};
use crate::event::{Position, StreamName};
use crate::platform::Origin;
use crate::schema::{Identifier, Schema};

/// A turn that one has at a time. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Held(
    #[expect(dead_code, reason = "it is kept until it is dropped")] Box<dyn Turn>,
);

/// What is kept until a turn ends.
pub(crate) trait Turn: fmt::Debug + Send {}

impl<T: fmt::Debug + Send> Turn for T {}

impl Held {
    pub(super) fn new(turn: impl Turn + 'static) -> Self {
        Self(Box::new(turn))
    }
}

/// What keeps a store.
pub(crate) trait Engine: fmt::Debug + Send {
    /// The store's id.
    fn id(&self) -> &str;

    /// The largest data that the store takes, in bytes.
    fn max_data_bytes(&self) -> usize;

    /// The directory of the store, where it has one.
    fn path(&self) -> Option<&Path>;

    fn options(&self) -> &Options;

    #[cfg(all(feature = "serve", unix))]
    fn options_mut(&mut self) -> &mut Options;

    /// Another handle of the same store.
    fn again(&self, options: &Options) -> Result<Box<dyn Engine>, Error>;

    /// Has the `nth` thing fail that is asked for from now on, where the engine can do that: for tests.
    fn fail(&self, _nth: u64) {}

    /// Another store, as a restore makes it of a backup of this one, and where its log ends, where the engine can do
    /// that: for tests.
    fn restored(
        &self,
        _until: Option<RestoreUntil>,
    ) -> Result<(Box<dyn Engine>, Checkpoint, Dropped), Error> {
        let source = io::Error::new(io::ErrorKind::Unsupported, "it is restored from a backup");
        Err(Error::Engine { action: "restore the store", source: source.into() })
    }

    /// Looks once, at one moment. What is found is durable, or it is warned that it may not be.
    fn look(&self, work: &mut dyn FnMut(&dyn Look) -> Result<(), Error>) -> Result<(), Error>;

    /// What a reader looks by, who may follow the log.
    fn reading(&self, follow: bool) -> Result<Box<dyn Reading>, Error>;

    /// What a follower waits by.
    fn watch(&self) -> Box<dyn Watch>;

    /// Runs `work`, once, in one transaction; `many` where it appends more than one event.
    fn transact(
        &mut self,
        many: bool,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), Error>,
    ) -> Result<(), Error>;

    /// Sets whether what is in a writer's way is waited for, as it is at first; otherwise it is
    /// [`Error::Busy`] that what is asked for would take longer than a commit.
    #[cfg(all(feature = "serve", unix))]
    fn set_patient(&mut self, patient: bool);

    /// The decision that is kept under the id of a command. It is durable.
    fn known_decision(&mut self, kept: &Kept<'_>) -> Result<Option<KnownDecision>, Error>;

    /// The turns to decide on what has these names; none where others kept theirs for too long, or there can be none.
    fn queue(&mut self, names: &[&str]) -> Result<Option<Held>, Error>;

    /// The turn to run what is called `name`, for which it is waited so long.
    fn take_run(&self, name: &str, wait: Duration) -> Result<Held, Error>;

    /// The turn to be the store's server.
    #[cfg(all(feature = "serve", unix))]
    fn take_server(&self) -> Result<Held, Error>;

    /// The turn to make a projection anew.
    fn take_rebuild(&self, name: &Identifier) -> Result<Held, Error>;

    /// The turn to make and drop projections.
    fn take_making(&self) -> Result<Held, Error>;

    /// The turns to drop, to rebuild and to run a projection.
    fn take_projection(&self, name: &Identifier) -> Result<Held, Error>;

    /// Who has the turn to run what is called `name`; nothing where no one has.
    fn runner(&self, name: &str) -> Result<Option<String>, Error>;

    /// Makes a generation of a projection, without rows, in the place of one that was left half made.
    fn make_table(
        &self,
        name: &Identifier,
        generation: u64,
        schema: &Schema,
    ) -> Result<Box<dyn Table>, Error>;

    /// Opens a generation of a projection.
    fn table(
        &self,
        name: &Identifier,
        generation: u64,
        schema: &Schema,
    ) -> Result<Box<dyn Table>, Error>;

    /// Whether there are generations of a projection, whether they serve or not.
    fn has_tables(&self, name: &Identifier) -> Result<bool, Error>;

    /// Who has a generation open, as far as is known, where anyone has.
    fn users(&self, name: &Identifier, generation: u64) -> Option<Unfenced>;

    /// Leads who looks for a projection from outside to a generation, durably.
    fn lead(&self, name: &Identifier, generation: u64) -> Result<(), Error>;

    /// Leads them to the generation that serves, and ends the others. Who calls this has the turn to rebuild.
    fn follow_up(&self, name: &Identifier, serves: u64) -> Result<(), Error>;

    /// Ends all generations of a projection that was dropped, of which `last` was the last that served.
    fn follow_up_drop(&self, name: &Identifier, last: u64) -> Result<(), Error>;

    /// Does what may be left to do behind a rebuild, where no one makes the projection anew at this moment.
    fn follow_up_older(&self, name: &Identifier, serves: u64) -> Result<(), Error>;

    /// Has no byte of rows that are not there any more be left of a projection; why some are, where they are.
    fn erase_rows(&self, table: &dyn Table) -> Option<Error>;

    /// Does what is left of an erasure; why that is not all, where it is not.
    fn finish_erasure(&mut self) -> Option<Error>;

    /// Gives back the room that removals left.
    fn compact(&mut self, tell: &mut dyn FnMut(u64, u64)) -> Result<Compacted, Error>;

    /// How the store stands.
    fn status(&self) -> Result<Status, Error>;

    /// What the store's files are like.
    fn vitals(&self) -> Result<Vitals, Error>;

    /// That the store holds all that was acknowledged.
    fn check(&self) -> Result<(), Error>;

    /// Verifies what is asked, and tells what is found.
    fn verify(
        &self,
        asked: &Verification,
        tell: &mut dyn FnMut(Verifying),
    ) -> Result<Verified, Error>;

    /// Makes a backup in the directory `path`.
    fn backup(
        &self,
        path: &Path,
        new: &NewBackup,
        progress: &mut dyn FnMut(BackupProgress),
    ) -> Result<Backup, Error>;

    /// Whether the store is a backup.
    fn is_backup(&self) -> bool;

    /// The backups that the store knows of and that may hold events or the state of the stream `name`.
    fn backups_of(&self, name: &str) -> Result<Vec<PathBuf>, Error>;

    /// Where the store comes from, or why that can't be told.
    fn origin(&self) -> Result<Origin, &'static str>;

    /// The token of whoever owns the store, and the file that it is in; it is made where there is none.
    #[cfg(all(feature = "serve", unix))]
    fn own_token(&self) -> Result<(PathBuf, String), Error>;

    /// How many of the store's files others could read until now.
    fn mended(&self) -> usize;

    /// Ends the use of the store, but for what the end of the process does.
    fn leave(self: Box<Self>);
}

/// A generation of a projection: its rows, and how far it has come.
pub(crate) trait Table: fmt::Debug + Send {
    /// How far it has come.
    fn place(&self) -> Result<Checkpoint, Error>;

    /// How many rows there are, and how many bytes they take.
    fn size(&self) -> Result<(u64, u64), Error>;

    /// Makes changes, in their order, and moves the checkpoint from one place to another, all in one transaction.
    /// Where a change is refused, those before it are made, or none. With `dry_run` nothing is.
    ///
    /// Only with sets may those before be made: any other may be refused half-way.
    fn apply(
        &mut self,
        changes: &mut dyn Iterator<Item = ChangeRef<'_>>,
        moves: Option<(Position, &Checkpoint)>,
        batched: Batched,
        dry_run: bool,
    ) -> Result<Applied, Error>;

    /// Gives the rows of a selection to `each`, as they stand at one moment, until it breaks off.
    fn select(
        &self,
        selection: &Selection,
        each: &mut dyn FnMut(&RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error>;

    /// How many rows a selection has.
    fn count(&self, selection: &Selection) -> Result<u64, Error>;

    /// How the rows of a selection are found.
    fn explain(&self, selection: &Selection) -> Result<Explanation, Error>;

    /// What differs from `old`, of the same engine; the first rows that do, at most so many.
    fn differences(&self, old: &dyn Table, shown: usize) -> Result<Differences, Error>;

    /// What is wrong with what keeps it, where something is.
    fn check(&self) -> Result<Option<String>, Error>;

    /// Moves what was committed lately to where others see it from outside.
    fn tidy(&self) -> Result<(), Error>;

    /// Makes what was committed durable.
    fn settle(&self) -> Result<(), Error>;

    /// That it serves.
    fn check_serves(&self) -> Result<(), Error>;

    /// Puts up the fence, before the generation `next` serves or would: who writes finds it.
    fn put_up(&self, next: u64) -> Result<(), Error>;

    /// Takes the fence down, where there is one. The caller has the turn to rebuild, and knows that this
    /// generation serves.
    fn take_down(&self) -> Result<(), Error>;

    /// Removes a generation that does not serve.
    fn discard(self: Box<Self>) -> Result<(), Error>;

    /// Itself, as its engine knows it.
    fn as_any(&self) -> &dyn Any;
}

/// A transaction that writes.
///
/// What an engine promises: nothing is told before it is durable, what was found neither (unless that is
/// known, the commit syncs); where there is nothing to change, the transaction is rolled back and nothing
/// is synced; after a commit that failed, nothing is acknowledged before the end of the log is known to be
/// on the disk; and what it keeps between transactions is dropped with one that failed.
pub(crate) trait Tx {
    /// Looks at the store as it was before the transaction: to be asked before anything is changed.
    fn look(&self) -> Box<dyn Look + '_>;

    /// What the store says about what `units` ask for: one look, before anything is written.
    fn facts(&mut self, units: &[Unit<'_>]) -> Result<Facts, Error>;

    /// Does what the rules made of the facts that were asked for last.
    fn apply(&mut self, changes: &Changes<'_>) -> Result<(), Error>;

    /// Stores the events that record what else is done, behind all that is there.
    fn record(&mut self, records: &[SealedEvent]) -> Result<(), Error>;

    /// Removes the events and states of streams, forgets what may quote what is removed, and has no byte of it
    /// be left.
    fn remove(&mut self, removed: &[Removed]) -> Result<(), Error>;

    /// Takes data and metadata from events, and their tags where they are taken; forgets what may quote them, and has no
    /// byte of them be left.
    fn redact(&mut self, positions: &[Position], takes_tags: bool) -> Result<(), Error>;

    /// Removes the first events of streams, forgets what may quote them, and has no byte of them be left. Their
    /// states stay.
    fn truncate(&mut self, truncated: &[Truncated]) -> Result<(), Error>;

    /// Removes the states of streams; those that had one. Nothing that may quote them is kept, and no byte
    /// of them is left.
    fn remove_states(&mut self, names: &[StreamName]) -> Result<Vec<StreamName>, Error>;

    /// Protects streams from removal, or no longer.
    fn protect(&mut self, names: &[StreamName], protected: bool) -> Result<(), Error>;

    /// Keeps a setting in the place of what was set, or no longer.
    fn put_setting(&mut self, setting: &Setting) -> Result<(), Error>;

    /// Keeps this of a name, in the place of what was kept of it.
    fn put_name(&mut self, name: &Name) -> Result<(), Error>;
}
