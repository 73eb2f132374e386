//! Writing: wait for the turn, begin, do it, commit, ring the bell.
//!
//! What writes is a connection, and what is kept between its transactions.
//!
//! A transaction begins only on a log whose end is known to be on the disk. Where it is not (a writer
//! died or failed half-way), the log is moved into the database and cut first; until that is done,
//! nothing is written, acknowledged or called a duplicate.

use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::database;
use super::event_row::Head;
use super::failure::Failure;
use super::failure::{commit_failure, failure};
use super::lock::{Queue, Turn};
use super::log::{self, Cut, Log};
use super::records::{self, Acknowledged, Count, Witness, Writing};
use super::scrub::unfinished;
use super::transaction::{Finished, Streams, Transaction};
use super::{Layout, Store, check_in_place};
use crate::event::Position;
use crate::faults::{self, Remedy};
use crate::platform;
use crate::store::engine::Tx;
use crate::store::place::Marker;
use crate::store::{Error, Options};
use crate::wait::{self, Deadline};

/// What a writer keeps between its transactions.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) layout: Layout,
    options: Options,
    store_id: String,
    /// What the records said before the connection's first look at the store, until it is checked.
    unchecked: Option<Witness>,
    bell: Writing<Acknowledged>,
    changes: Writing<Count>,
    /// How long the log is.
    log: Log,
    /// Whether the log's name is known to be durable.
    named: bool,
    /// Everything up to here is known to be durable.
    durable: Position,
    /// The head that was looked at or written last.
    head: Option<Head>,
    /// Whether something that was removed is still to be erased, as of the last transaction.
    pub(super) is_erasing: bool,
    /// The streams as the last transaction left them, while no one else writes.
    streams: Streams,
}

impl Writer {
    /// Opens what writing needs.
    pub(super) fn open(layout: &Layout, marker: &Marker, options: &Options) -> Result<Self, Error> {
        layout.place.check_writable()?;
        let witness = Witness::read(layout);
        let mut connection = database::open_to_write(layout, options)?;
        let watched = Log::of(&mut connection);
        let log = watched.map_err(|error| failure(layout, "watch the log", error))?;
        Ok(Self {
            connection,
            layout: layout.clone(),
            options: options.clone(),
            store_id: marker.id.clone(),
            log,
            named: false,
            unchecked: Some(witness),
            bell: Writing::new(),
            changes: Writing::new(),
            durable: witness.position().unwrap_or(Position(0)),
            head: None,
            is_erasing: false,
            streams: Streams::default(),
        })
    }

    /// Whether nothing but a commit is to be done.
    fn is_ready(&self) -> bool {
        self.named
            && self.unchecked.is_none()
            && !self.is_erasing
            && !self.log.is_long(self.options.groups)
    }

    /// Begins a transaction, in which the store has this head; nothing where a reader is in the way of
    /// what has to be done before.
    pub(super) fn begin(&mut self, turn: &Turn) -> Result<Option<Head>, Error> {
        if let Some(head) = self.begin_on_durable(turn)? {
            return Ok(Some(head));
        }
        match self.cut(turn)? {
            Cut::Done => self.begin_on_durable(turn),
            Cut::InTheWay => Ok(None),
            Cut::Failed(error) => Err(error),
        }
    }

    /// The same where the log needs no cut; nothing where it does.
    fn begin_on_durable(&mut self, turn: &Turn) -> Result<Option<Head>, Error> {
        if self.is_marked(turn)? {
            return Ok(None);
        }
        // The log is looked at once: to ask for its length before each write has some systems keep its
        // time more precisely, and a sync then writes that too.
        let is_long = if self.named {
            self.log.is_long(self.options.groups)
        } else {
            log::is_long(log::wal_bytes(&self.layout))
        };
        if is_long {
            let head = self.head()?;
            if !self.is_durable(&head)? {
                return Ok(None);
            }
            log::start_over(&self.connection, &self.layout.database);
            self.log.was_moved();
        }
        self.begin_immediately()?;
        let head = self.head().and_then(|head| Ok(self.is_durable(&head)?.then_some(head)));
        if !matches!(head, Ok(Some(_))) {
            self.roll_back();
        }
        head
    }

    fn begin_immediately(&self) -> Result<(), Error> {
        let begun = self.execute("BEGIN IMMEDIATE");
        begun.map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy) => Error::Busy { waited: self.options.lock_timeout },
            _ => failure(&self.layout, "begin to write", error),
        })
    }

    /// Executes one statement, which is kept for the next time.
    fn execute(&self, statement: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statement)?.execute([]).map(drop)
    }

    pub(super) fn roll_back(&self) {
        // What led here is reported; a rollback that fails as well adds nothing.
        let _ = self.connection.execute_batch("ROLLBACK");
    }

    fn is_marked(&self, turn: &Turn) -> Result<bool, Error> {
        if faults::is_off(Remedy::Mark) {
            return Ok(false);
        }
        let told = |error| Error::io("read", &self.layout.place.path("lock"))(error);
        turn.is_marked().map_err(told)
    }

    /// The head, as it was written.
    fn head(&mut self) -> Result<Head, Error> {
        let told = |error| failure(&self.layout, "read the store", error);
        let head = Head::read(&self.connection, &self.store_id).map_err(told)?;
        if self.head == Some(head) {
            return Ok(head);
        }
        let head = Head::read_whole(&self.connection, &self.store_id).map_err(told)?;
        self.head = Some(head);
        Ok(head)
    }

    /// Whether all up to the head is known to be durable: the bell names it. Fails where the store
    /// lost what was acknowledged.
    fn is_durable(&mut self, head: &Head) -> Result<bool, Error> {
        if let Some(witness) = self.unchecked {
            self.holds(witness.check(&self.connection, &self.layout, head))?;
            self.unchecked = None;
        }
        if head.position <= self.durable || faults::is_off(Remedy::Cut) {
            return Ok(true);
        }
        let Some(acknowledged) = records::read::<Acknowledged>(&self.layout) else {
            return Ok(false);
        };
        self.holds(records::check_bell(&self.connection, &self.layout, acknowledged, head))?;
        if acknowledged.position == head.position {
            self.durable = head.position;
        }
        Ok(acknowledged.position == head.position)
    }

    /// That it was found that the store holds what was acknowledged.
    fn holds(&self, checked: Result<(), Failure>) -> Result<(), Error> {
        checked.map_err(|failed| match failed {
            Failure::Refused(error) => error,
            Failure::Sqlite(error) => failure(&self.layout, "read the store", error),
        })
    }

    /// Whether something of the log may not be on the disk, as seen by who has the turn.
    pub(super) fn needs_cut(&mut self, turn: &Turn) -> Result<bool, Error> {
        Ok(self.is_marked(turn)? || {
            let head = self.head()?;
            !self.is_durable(&head)?
        })
    }

    /// Moves the log into the database and cuts it, durably; then all that can be read is durable, and
    /// the bell names it.
    pub(super) fn cut(&mut self, turn: &Turn) -> Result<Cut, Error> {
        if faults::is_off(Remedy::Cut) {
            return Ok(Cut::Done);
        }
        let Layout { wal, shared_memory, .. } = &self.layout;
        log::check_whole(&self.connection, &self.layout, wal, shared_memory)?;
        // What is left of a log that lost events is evidence, and stays.
        let head = self.head()?;
        self.is_durable(&head)?;
        self.streams = Streams::default();
        let cut = log::cut(&self.connection, &self.layout, &self.options);
        if let Cut::Done = cut {
            self.named = true;
            if head.position > self.durable {
                self.durable = head.position;
                self.ring(&head);
            }
            turn.clear_mark().map_err(Error::io("write", &self.layout.place.path("lock")))?;
        }
        Ok(cut)
    }

    /// Runs `work` in the transaction that has been begun on `head`, and commits it.
    pub(super) fn work<T>(
        &mut self,
        turn: &Turn,
        head: Head,
        many: bool,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        let now = (self.options.clock)();
        match self.fill(head, now, many, work) {
            Ok((value, finished)) => {
                self.commit(turn, &finished)?;
                Ok(value)
            }
            Err(failed) => {
                self.roll_back();
                Err(match failed {
                    Failure::Refused(error) => error,
                    Failure::Sqlite(error) => failure(&self.layout, "write to the store", error),
                })
            }
        }
    }

    /// Does what belongs into a transaction.
    fn fill<T>(
        &mut self,
        head: Head,
        now: crate::event::Timestamp,
        many: bool,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<(T, Finished), Failure> {
        // A failure leaves nothing behind.
        let mut streams = std::mem::take(&mut self.streams);
        let keep = many || !streams.is_empty();
        if keep {
            streams.keep_unless_changed(&self.connection)?;
        }
        let mut transaction =
            Transaction::new(&self.connection, (&self.layout, &self.store_id), head, now, streams)?;
        let value = work(&mut transaction)?;
        let mut finished = transaction.finish()?;
        // Within the transaction, where it costs no lock.
        self.is_erasing = !matches!(unfinished(&self.connection), Ok(None));
        let streams = std::mem::take(&mut finished.streams);
        if keep {
            self.streams = streams;
        }
        Ok((value, finished))
    }

    /// Commits what has been done; where nothing has changed, there is nothing to commit or to sync.
    fn commit(&mut self, turn: &Turn, finished: &Finished) -> Result<(), Error> {
        let &Finished { head, changed, counted, .. } = finished;
        if !changed {
            self.roll_back();
            return Ok(());
        }
        // Where it was empty, the log may be new, and its name not yet durable.
        let is_new = !self.named && log::wal_bytes(&self.layout) == 0;
        if let Err(error) = turn.set_mark() {
            self.roll_back();
            return Err(Error::io("write", &self.layout.place.path("lock"))(error));
        }
        if let Err(error) = self.execute("COMMIT") {
            self.streams = Streams::default();
            self.roll_back();
            // At once, while the system still has what is in the log. Where that does not succeed, the
            // mark has the next writer do it.
            let _ = self.cut(turn);
            return Err(commit_failure(&self.layout, error));
        }
        if is_new {
            platform::sync_dir(&self.layout.root)
                .map_err(|error| Error::OutcomeUnknown { source: error.into() })?;
        }
        self.named = true;
        self.head = Some(head);
        if head.position > self.durable {
            self.durable = head.position;
            self.ring(&head);
        }
        if let Some(changes) = counted {
            // As with the bell, what fails here is no failure of the commit.
            if let Err(error) = self.changes.write(&self.layout, changes) {
                self.options.warn(&error);
            }
        }
        // Where this fails, the next writer does what would not be needed.
        let _ = turn.clear_mark();
        Ok(())
    }

    /// Cuts a log that became long by what this writer wrote. A reader that is in the way is left there.
    pub(super) fn cut_if_long(&mut self) {
        if self.log.frames() > log::FRAMES_AT_WORK {
            // It is tried again by who writes next.
            let _ = log::cut(&self.connection, &self.layout, &self.options);
        }
    }

    /// Leaves a short log behind: each process that finds no other reads it from the start.
    pub(super) fn shorten_log(&mut self) {
        if self.unchecked.is_none()
            && log::wal_frames(&self.layout) > log::FRAMES_LEFT_BEHIND
            && let Ok(Some(turn)) = Queue::of_writers(&self.layout).try_enter()
            && self.needs_cut(&turn).is_ok_and(|needed| !needed)
        {
            let _ = log::cut(&self.connection, &self.layout, &self.options);
        }
    }

    /// Writes what is acknowledged into the bell. A bell that can't be rung never fails an append:
    /// followers look by themselves.
    fn ring(&mut self, head: &Head) {
        if faults::is_off(Remedy::Bell) {
            return;
        }
        let acknowledged = Acknowledged { position: head.position, link: head.link };
        if let Err(error) = self.bell.write(&self.layout, acknowledged) {
            self.options.warn(&error);
        }
    }
}

impl Store {
    /// Runs `work` in one transaction.
    pub(crate) fn transact<T>(
        &mut self,
        many: bool,
        work: impl FnOnce(&mut dyn Tx) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.write(many, |transaction| Ok(work(transaction)?))
    }

    /// Waits for this writer's turn and runs `work` in one transaction; `many` where it appends
    /// more than one event.
    pub(super) fn write<T>(
        &mut self,
        many: bool,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        let (turn, head) = self.begin()?;
        let Some(writer) = &mut self.writer else { return Err(Error::Interrupted) };
        let value = writer.work(&turn, head, many, work)?;
        if self.is_patient {
            writer.cut_if_long();
        }
        if self.is_patient && writer.is_erasing {
            writer.erase_once(&turn);
        }
        Ok(value)
    }

    /// Sets whether what is in this writer's way is waited for, as it is at first; otherwise it is
    /// [`Error::Busy`] that what is asked for would take longer than a commit.
    #[cfg(all(feature = "serve", unix))]
    pub(crate) fn set_patient(&mut self, patient: bool) {
        self.is_patient = patient;
        if let Some(writer) = &self.writer {
            let wait = if patient { self.options.lock_timeout } else { Duration::ZERO };
            // It can't fail.
            let _ = database::wait_at_most(&writer.connection, wait);
        }
    }

    /// Begins a transaction where nothing has to be waited for or done before.
    fn begin_now(&mut self) -> Result<(Turn, Head), Error> {
        let busy = Error::Busy { waited: Duration::ZERO };
        let Some(writer) = self.writer.as_mut().filter(|writer| writer.is_ready()) else {
            return Err(busy);
        };
        let Some(turn) = self.queue.enter_now()? else { return Err(busy) };
        check_in_place(&self.layout, self.database)?;
        match writer.begin_on_durable(&turn)? {
            Some(head) => Ok((turn, head)),
            None => Err(busy),
        }
    }

    /// Waits for this writer's turn and begins a transaction; the turn, and the head in it.
    pub(super) fn begin(&mut self) -> Result<(Turn, Head), Error> {
        if !self.is_patient {
            return self.begin_now();
        }
        self.open_writer()?;
        let deadline = Deadline::after(self.options.lock_timeout);
        loop {
            let entered = self.queue.enter_now();
            if !matches!(entered, Ok(Some(_))) {
                // No one waits for a store that is gone.
                self.check_in_place()?;
            }
            let turn = match entered? {
                Some(turn) => turn,
                None => self.queue.enter(&self.options)?,
            };
            self.check_in_place()?;
            let Some(writer) = &mut self.writer else { return Err(Error::Interrupted) };
            if let Some(head) = writer.begin(&turn)? {
                return Ok((turn, head));
            }
            drop(turn);
            if !wait_for_readers(deadline, &self.options)? {
                let (waited, by) = (self.options.lock_timeout, log::readers(&self.layout));
                return Err(Error::LogHeld { waited, by });
            }
        }
    }
}

/// Waits for a moment before something is tried again that a reader is in the way of; the caller must not
/// have the turn meanwhile. Whether there is time for that.
pub(super) fn wait_for_readers(deadline: Deadline, options: &Options) -> Result<bool, Error> {
    if options.interrupted() {
        return Err(Error::Interrupted);
    }
    let left = deadline.left();
    thread::sleep(wait::READ.min(left));
    Ok(!left.is_zero())
}

/// Whether all that can be read is durable.
#[derive(Debug)]
pub(super) enum Settled {
    /// All up to here is.
    Yes(Position),
    /// Someone has the turn to write, and will see to it.
    Writing,
    /// It is not, and that can't be mended here and now.
    No(Error),
}

/// Makes durable what can be read, for a reader that found the bell behind the store. Nobody is waited
/// for.
///
/// The caller has no transaction open.
pub(super) fn settle(layout: &Layout, marker: &Marker, options: &Options) -> Settled {
    // A bell that can't be rung is its writers' concern.
    let options = Options { on_warning: None, ..options.clone() };
    let settled = || {
        let Some(turn) = Queue::of_writers(layout).try_enter()? else {
            return Ok(Settled::Writing);
        };
        let mut writer = Writer::open(layout, marker, &options)?;
        if !writer.needs_cut(&turn)? {
            return Ok(Settled::Yes(writer.durable));
        }
        Ok(match writer.cut(&turn)? {
            Cut::Done => Settled::Yes(writer.durable),
            Cut::InTheWay => {
                Settled::No(Error::LogHeld { waited: Duration::ZERO, by: log::readers(layout) })
            }
            Cut::Failed(error) => Settled::No(error),
        })
    };
    settled().unwrap_or_else(Settled::No)
}
