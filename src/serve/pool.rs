//! Threads that read and write for connections, each with the store open.

mod times;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use self::times::Times;
use super::panics;
use crate::faults;
use crate::platform;
use crate::store::{Error, Options, Store};

/// How many may wait for a thread.
const WAITING: usize = 64;

type Job = Box<dyn FnOnce(&mut Store) + Send>;

/// Opens the store that is served, once more.
#[derive(Debug, Clone)]
pub(super) struct Opener {
    pub(super) path: PathBuf,
    pub(super) options: Options,
    /// The store's id: by its path it may be another one by now.
    pub(super) id: String,
}

impl Opener {
    /// The store, whose work ends when `interrupt` is set.
    pub(super) fn open(&self, interrupt: Arc<AtomicBool>) -> Result<Store, Error> {
        self.open_with(&Options { interrupt: Some(interrupt), goes_on: 0, ..self.options.clone() })
    }

    /// The store, to store groups of small events.
    pub(super) fn open_for_groups(&self) -> Result<Store, Error> {
        let interrupt = Some(Arc::default());
        self.open_with(&Options { interrupt, goes_on: 0, groups: true, ..self.options.clone() })
    }

    fn open_with(&self, options: &Options) -> Result<Store, Error> {
        let store = Store::open(&self.path, options)?;
        let replaced = || Error::Replaced { path: self.path.clone() };
        if store.id() == self.id { Ok(store) } else { Err(replaced()) }
    }
}

/// Threads that do jobs, in the order in which they come.
#[derive(Debug)]
pub(super) struct Pool {
    jobs: Sender<Job>,
    waiting: Arc<AtomicUsize>,
    times: Times,
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.times.close();
    }
}

impl Pool {
    /// Starts threads, each of which opens the store. A job that takes longer than `timeout` is interrupted.
    /// They end with the pool.
    pub(super) fn start(threads: usize, opener: &Opener, timeout: Duration) -> Result<Self, Error> {
        let failed =
            |error: std::io::Error| Error::Engine { action: "serve", source: error.into() };
        let (sender, jobs) = mpsc::channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        let waiting = Arc::<AtomicUsize>::default();
        let times = Times::start(threads, timeout).map_err(failed)?;
        let pool = Self { jobs: sender, waiting, times };
        for number in 0..threads {
            let times = pool.times.clone();
            let store = Some(opener.open(times.interrupt(number))?);
            let mut worker = Worker { number, opener: opener.clone(), store, times };
            let (jobs, waiting) = (Arc::clone(&jobs), Arc::clone(&pool.waiting));
            let started = platform::spawn(move || {
                while let Some(job) = next(&jobs) {
                    waiting.fetch_sub(1, Ordering::Relaxed);
                    worker.work(job);
                }
            });
            started.map_err(failed)?;
        }
        Ok(pool)
    }

    /// Whether so many wait that no more should.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= WAITING
    }

    /// Has a thread do a job.
    pub(super) fn queue(&self, job: impl FnOnce(&mut Store) + Send + 'static) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // The threads end after the pool alone.
        let _ = self.jobs.send(Box::new(job));
    }
}

/// The next job; nothing once there will be none.
fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    // One waits for the next job, and the others for that one.
    jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// A thread with the store open.
struct Worker {
    number: usize,
    opener: Opener,
    /// Nothing where it has to be opened again.
    store: Option<Store>,
    times: Times,
}

impl Worker {
    /// Does a job. One that is dropped tells so by itself.
    fn work(&mut self, job: Job) {
        if self.store.is_none() {
            self.store = self.opener.open(self.times.interrupt(self.number)).ok();
        }
        let Some(store) = &mut self.store else { return };
        // Who acts is said by each job for itself.
        store.act_as(self.opener.options.actor.clone());
        self.times.begin(self.number);
        let working = || {
            faults::panic_at_first();
            job(store);
        };
        let done = catch_unwind(AssertUnwindSafe(|| panics::within(working)));
        self.times.end(self.number);
        if done.is_err() {
            // Whatever it was at, it begins anew.
            self.store = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::serve::answer::wrong;
    use crate::serve::told::{Owed, Slot, Told};

    #[test]
    fn a_job_that_panics_is_answered_and_the_thread_does_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = Store::init(&directory.path().join("s"), &Options::default()).unwrap();
        let (path, options) = (store.path().unwrap().to_owned(), Options::default());
        let opener = Opener { path, options, id: store.id().into() };
        let pool = Pool::start(1, &opener, Duration::from_secs(60)).unwrap();
        let (telling, mut told) = unbounded_channel();
        for number in 0..2 {
            let owed = Owed::new(Slot { connection: 1, number }, telling.clone());
            pool.queue(move |store| {
                assert!(panics::is_within_request());
                assert!(number > 0, "this panic is answered");
                owed.answer(wrong(&store.head().unwrap().to_string(), false));
            });
        }
        for (number, word) in [
            (0, wrong("outcome unknown: the request was broken off", true)),
            (1, wrong("0", false)),
        ] {
            let Some(Told::Answers(answers)) = told.blocking_recv() else { panic!("no answer") };
            assert_eq!(answers, [(Slot { connection: 1, number }, word)]);
        }
        assert!(!panics::is_within_request());
    }
}
