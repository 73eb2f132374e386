//! A store in memory: for tests of aggregators, projectors and reactors, and the model that other engines are
//! compared with. Each transaction works on a copy of the log, which then takes its place.

mod faults;
mod log;
mod restored;
mod table;
mod turns;
mod tx;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use self::faults::Faults;
use self::log::{Log, View};
use self::table::{Tables, rebuild};
use self::turns::Turns;
use self::tx::Transaction;
use super::engine::{self, Engine, Held, Tx};
use super::look::{self, Look};
use super::rules::{Kept, KnownDecision, StreamFacts};
use super::watch::{self, Calls, Waker, Woken};
use super::{
    Backup, BackupProgress, Checkpoint, Compacted, Counts, Dropped, Error, NewBackup, Options,
    RestoreUntil, Status, Unfenced, Verification, Verified, Verifying, Vitals,
};
use crate::event::Position;
use crate::platform::Origin;
use crate::schema::{Identifier, Schema};
use crate::wait;

/// The largest data that a store takes.
const MAX_DATA_BYTES: usize = 16 * 1024 * 1024;

/// What all handles of a store share.
#[derive(Debug)]
struct Shared {
    id: String,
    log: Mutex<Arc<Log>>,
    /// Kept by who writes.
    writing: Mutex<()>,
    tables: Tables,
    turns: Arc<Turns>,
    watches: Mutex<Vec<Weak<Listener>>>,
    faults: Faults,
}

/// Who waits, and whether for events.
#[derive(Debug)]
struct Listener {
    calls: Arc<Calls>,
    listens: AtomicBool,
}

impl Shared {
    /// The log as it is at this moment.
    fn log(&self) -> Arc<Log> {
        Arc::clone(&lock(&self.log))
    }

    /// Has those who wait look.
    fn ring(&self) {
        lock(&self.watches).retain(|listener| {
            let Some(listener) = listener.upgrade() else { return false };
            if listener.listens.load(Ordering::SeqCst) {
                listener.calls.ring();
            }
            true
        });
    }
}

/// What is behind a lock is whole, whatever panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A handle of a store.
#[derive(Debug)]
pub(crate) struct Store {
    shared: Arc<Shared>,
    options: Options,
}

impl Store {
    /// A new store with this id.
    pub(crate) fn new(id: String, options: &Options) -> Self {
        let log = Log::new(&id);
        Self::of((id, log, Tables::default()), options)
    }

    fn of((id, log, tables): (String, Log, Tables), options: &Options) -> Self {
        let shared = Shared {
            log: Mutex::new(Arc::new(log)),
            id,
            writing: Mutex::default(),
            tables,
            turns: Arc::default(),
            watches: Mutex::default(),
            faults: Faults::default(),
        };
        Self { shared: Arc::new(shared), options: options.clone() }
    }

    /// Takes a turn; `what` it is.
    fn take(&self, name: &str, what: &str, wait: Duration) -> Result<Held, Error> {
        let turn = Turns::take(&self.shared.turns, name, wait, &self.options)?;
        turn.map(Held::new).ok_or_else(|| {
            let by = self.shared.turns.holder(name).unwrap_or_default();
            Error::Running { name: what.into(), by }
        })
    }
}

/// The turn to run something.
fn run(name: &str) -> String {
    format!("run {}", name.to_ascii_lowercase())
}

/// That there are no files to do something with.
fn no_files(action: &'static str) -> Error {
    let source = io::Error::new(io::ErrorKind::Unsupported, "a store in memory has no files");
    Error::Engine { action, source: source.into() }
}

/// What a reader looks by.
#[derive(Debug)]
struct Reading {
    shared: Arc<Shared>,
    /// The log when it was last asked whether that changed.
    seen: Arc<Log>,
}

impl look::Reading for Reading {
    fn look(
        &mut self,
        work: &mut dyn FnMut(&dyn Look, u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (log, faults) = (self.shared.log(), &self.shared.faults);
        let Position(head) = log.head().position;
        work(&View { log: &log, faults }, head)
    }

    fn changed(&mut self) -> Result<bool, Error> {
        let log = self.shared.log();
        let changed = !Arc::ptr_eq(&log, &self.seen);
        self.seen = log;
        Ok(changed)
    }
}

/// What a follower waits by.
#[derive(Debug)]
struct Watch(Arc<Listener>);

impl watch::Watch for Watch {
    fn wait(&self) -> Woken {
        self.0.calls.wait(wait::FOLLOWED)
    }

    fn waker(&self) -> Waker {
        self.0.calls.waker()
    }

    #[cfg(all(feature = "serve", unix))]
    fn listen(&mut self, listens: bool) {
        self.0.listens.store(listens, Ordering::SeqCst);
    }
}

impl Engine for Store {
    fn id(&self) -> &str {
        &self.shared.id
    }

    fn max_data_bytes(&self) -> usize {
        MAX_DATA_BYTES
    }

    fn path(&self) -> Option<&Path> {
        None
    }

    fn options(&self) -> &Options {
        &self.options
    }

    #[cfg(all(feature = "serve", unix))]
    fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }

    fn again(&self, options: &Options) -> Result<Box<dyn Engine>, Error> {
        let (shared, options) = (Arc::clone(&self.shared), options.clone());
        Ok(Box::new(Self { shared, options }))
    }

    fn fail(&self, nth: u64) {
        self.shared.faults.fail(nth);
    }

    fn restored(
        &self,
        until: Option<RestoreUntil>,
    ) -> Result<(Box<dyn Engine>, Checkpoint, Dropped), Error> {
        let mut log = Log::clone(&self.shared.log());
        let end = log.end(until)?;
        let dropped = log.end_at(&end);
        let tables = self.shared.tables.up_to(end.position, |name, generation| {
            log.names.get(name).is_some_and(|name| name.generation == generation)
        });
        let restored = Self::of((self.shared.id.clone(), log, tables), &self.options);
        Ok((Box::new(restored), end, dropped))
    }

    fn look(&self, work: &mut dyn FnMut(&dyn Look) -> Result<(), Error>) -> Result<(), Error> {
        let (log, faults) = (self.shared.log(), &self.shared.faults);
        work(&View { log: &log, faults })
    }

    fn reading(&self, _follow: bool) -> Result<Box<dyn look::Reading>, Error> {
        Ok(Box::new(Reading { shared: Arc::clone(&self.shared), seen: self.shared.log() }))
    }

    fn watch(&self) -> Box<dyn watch::Watch> {
        let listener = Arc::new(Listener { calls: Arc::default(), listens: AtomicBool::new(true) });
        lock(&self.shared.watches).push(Arc::downgrade(&listener));
        Box::new(Watch(listener))
    }

    fn transact(
        &mut self,
        _many: bool,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let _turn = lock(&self.shared.writing);
        let before = self.shared.log();
        let (now, faults) = ((self.options.clock)(), self.shared.faults.clone());
        let mut transaction = Transaction::new(Log::clone(&before), now, faults);
        work(&mut transaction)?;
        if !transaction.changed {
            return Ok(());
        }
        self.shared.faults.check("commit")?;
        let rings = transaction.log.events.len() > before.events.len();
        *lock(&self.shared.log) = Arc::new(transaction.log);
        if rings {
            self.shared.ring();
        }
        Ok(())
    }

    #[cfg(all(feature = "serve", unix))]
    fn set_patient(&mut self, _patient: bool) {}

    fn known_decision(&mut self, kept: &Kept<'_>) -> Result<Option<KnownDecision>, Error> {
        self.shared.faults.check("read the store")?;
        Ok(self.shared.log().decision(kept))
    }

    fn queue(&mut self, names: &[&str]) -> Result<Option<Held>, Error> {
        let mut turns = Vec::new();
        // In one order for all, so that no two wait for each other.
        let names: BTreeSet<&str> = names.iter().copied().collect();
        for name in names {
            let (name, wait) = (format!("decide {name}"), self.options.lock_timeout);
            match Turns::take(&self.shared.turns, &name, wait, &self.options)? {
                Some(turn) => turns.push(turn),
                None => return Ok(None),
            }
        }
        Ok(Some(Held::new(turns)))
    }

    fn take_run(&self, name: &str, wait: Duration) -> Result<Held, Error> {
        self.take(&run(name), name, wait)
    }

    #[cfg(all(feature = "serve", unix))]
    fn take_server(&self) -> Result<Held, Error> {
        self.take("server", "the server of this store", wait::MOMENT)
    }

    fn take_rebuild(&self, name: &Identifier) -> Result<Held, Error> {
        self.take(&rebuild(name.as_str()), &format!("the rebuild of {name}"), wait::MOMENT)
    }

    fn take_making(&self) -> Result<Held, Error> {
        let wait = self.options.lock_timeout;
        let turn = Turns::take(&self.shared.turns, "making", wait, &self.options)?;
        turn.map(Held::new).ok_or(Error::Busy { waited: wait })
    }

    fn take_projection(&self, name: &Identifier) -> Result<Held, Error> {
        let run = self.take_run(name.as_str(), wait::MOMENT)?;
        let rebuild = self.take_rebuild(name)?;
        Ok(Held::new([self.take_making()?, rebuild, run]))
    }

    fn runner(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(self.shared.turns.holder(&run(name)))
    }

    fn make_table(
        &self,
        name: &Identifier,
        generation: u64,
        schema: &Schema,
    ) -> Result<Box<dyn engine::Table>, Error> {
        self.shared.faults.check("create the projection")?;
        let (position, link) = (Position(0), self.shared.log().genesis);
        self.shared.tables.make(name, generation, Checkpoint { position, link });
        self.table(name, generation, schema)
    }

    fn table(
        &self,
        name: &Identifier,
        generation: u64,
        schema: &Schema,
    ) -> Result<Box<dyn engine::Table>, Error> {
        self.shared.faults.check("open the projection")?;
        if !self.shared.tables.has(name, generation) {
            return Err(Error::ProjectionLost { name: name.to_string(), path: PathBuf::new() });
        }
        Ok(Box::new(table::Table {
            shared: Arc::clone(&self.shared),
            options: self.options.clone(),
            name: name.clone(),
            generation,
            schema: schema.clone(),
        }))
    }

    fn has_tables(&self, name: &Identifier) -> Result<bool, Error> {
        Ok(self.shared.tables.has_any(name))
    }

    fn users(&self, _: &Identifier, _: u64) -> Option<Unfenced> {
        None
    }

    fn lead(&self, _: &Identifier, _: u64) -> Result<(), Error> {
        Ok(())
    }

    fn follow_up(&self, name: &Identifier, serves: u64) -> Result<(), Error> {
        self.shared.tables.end(name, Some(serves));
        Ok(())
    }

    fn follow_up_drop(&self, name: &Identifier, _: u64) -> Result<(), Error> {
        self.shared.tables.end(name, None);
        Ok(())
    }

    fn follow_up_older(&self, _: &Identifier, _: u64) -> Result<(), Error> {
        Ok(())
    }

    fn erase_rows(&self, _: &dyn engine::Table) -> Option<Error> {
        None
    }

    fn finish_erasure(&mut self) -> Option<Error> {
        None
    }

    fn compact(&mut self, _: &mut dyn FnMut(u64, u64)) -> Result<Compacted, Error> {
        Ok(Compacted { before: 0, after: 0, packed: 0, unfinished: None })
    }

    fn status(&self) -> Result<Status, Error> {
        self.shared.faults.check("read the store")?;
        let log = self.shared.log();
        let head = log.head();
        let facts = log.streams.keys().filter(|name| !name.starts_with('$'));
        let facts = facts.map(|name| log.facts(name)).filter(StreamFacts::exists);
        let (mut events, mut streams) = (0, 0);
        for facts in facts {
            (events, streams) = (events + facts.version - facts.removed, streams + 1);
        }
        Ok(Status {
            head: head.position,
            link: head.link,
            events,
            streams,
            last_recorded: (head.position > Position(0)).then_some(head.recorded),
            bytes: 0,
            wal_bytes: 0,
            erasing: false,
            format: 1,
            engine: "memory",
            engine_version: env!("CARGO_PKG_VERSION").into(),
            id: self.shared.id.clone(),
            max_data_bytes: MAX_DATA_BYTES as u64,
        })
    }

    fn vitals(&self) -> Result<Vitals, Error> {
        let head = self.shared.log().head().position;
        Ok(Vitals {
            head,
            acknowledged: Some(head),
            log_bytes: 0,
            log_bytes_at_work: 0,
            read_by: Vec::new(),
            erasing: false,
            free_bytes: None,
            shared_file_system: None,
            last_backup: None,
            strays: Vec::new(),
        })
    }

    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn verify(&self, _: &Verification, _: &mut dyn FnMut(Verifying)) -> Result<Verified, Error> {
        let log = self.shared.log();
        let head = log.head();
        let count = |is: fn(&log::Row) -> bool| log.events.iter().filter(|row| is(row)).count();
        let counts = Counts {
            events: log.events.len() as u64,
            removed: count(log::Row::is_removed) as u64,
            redacted: count(log::Row::is_redacted) as u64,
            streams: log.streams.len() as u64,
            states: log.states.len() as u64,
            decisions: log.decisions.len() as u64,
            ..Counts::default()
        };
        let head = Checkpoint { position: head.position, link: head.link };
        Ok(Verified { head, counts, findings: 0 })
    }

    fn backup(
        &self,
        _: &Path,
        _: &NewBackup,
        _: &mut dyn FnMut(BackupProgress),
    ) -> Result<Backup, Error> {
        Err(no_files("back the store up"))
    }

    fn is_backup(&self) -> bool {
        false
    }

    fn backups_of(&self, _: &str) -> Result<Vec<PathBuf>, Error> {
        Ok(Vec::new())
    }

    fn origin(&self) -> Result<Origin, &'static str> {
        Err("a store in memory comes from nowhere")
    }

    #[cfg(all(feature = "serve", unix))]
    fn own_token(&self) -> Result<(PathBuf, String), Error> {
        Err(no_files("make a token"))
    }

    fn mended(&self) -> usize {
        0
    }

    fn leave(self: Box<Self>) {}
}
