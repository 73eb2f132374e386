//! Threads that read and write for connections, each with the store open.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use crate::platform;
use crate::store::{Error, Store};

/// How many may wait for a thread.
const WAITING: usize = 64;

type Job = Box<dyn FnOnce(&mut Store) + Send>;

/// Threads that do jobs, in the order in which they come.
#[derive(Debug)]
pub(super) struct Pool {
    jobs: Sender<Job>,
    waiting: Arc<AtomicUsize>,
}

impl Pool {
    /// Starts a thread for each store. They end with the pool.
    pub(super) fn start(stores: Vec<Store>) -> Result<Self, Error> {
        let (sender, jobs) = mpsc::channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        let waiting = Arc::<AtomicUsize>::default();
        for mut store in stores {
            let (jobs, waiting) = (Arc::clone(&jobs), Arc::clone(&waiting));
            let started = platform::spawn(move || {
                loop {
                    // One waits for the next job, and the others for that one.
                    let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { return };
                    waiting.fetch_sub(1, Ordering::Relaxed);
                    job(&mut store);
                }
            });
            started.map_err(|error| Error::Engine { action: "serve", source: error.into() })?;
        }
        Ok(Self { jobs: sender, waiting })
    }

    /// Has a thread do a job; whether one will: not where too many wait.
    pub(super) fn run(&self, job: impl FnOnce(&mut Store) + Send + 'static) -> bool {
        if self.waiting.load(Ordering::Relaxed) >= WAITING {
            return false;
        }
        self.queue(job);
        true
    }

    /// The same, however many wait.
    pub(super) fn queue(&self, job: impl FnOnce(&mut Store) + Send + 'static) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // The threads end after the pool alone.
        let _ = self.jobs.send(Box::new(job));
    }
}
