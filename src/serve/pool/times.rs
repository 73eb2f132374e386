//! How long jobs may take: one thread interrupts those that take longer.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::platform;

/// When the jobs of some threads are to end.
#[derive(Debug, Clone)]
pub(super) struct Times(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    timeout: Duration,
    ends: Mutex<Ends>,
    /// Told where the one that interrupts has something to wait for again, or is to end.
    changed: Condvar,
    interrupts: Vec<Arc<AtomicBool>>,
}

#[derive(Debug)]
struct Ends {
    /// When the job of each thread is to end, where it has one that was not interrupted.
    each: Vec<Option<Instant>>,
    /// Whether no end is waited for.
    is_idle: bool,
    is_closed: bool,
}

impl Times {
    /// For so many threads.
    pub(super) fn start(threads: usize, timeout: Duration) -> io::Result<Self> {
        let ends = Ends { each: vec![None; threads], is_idle: false, is_closed: false };
        let interrupts = (0..threads).map(|_| Arc::default()).collect();
        let (ends, changed) = (Mutex::new(ends), Condvar::new());
        let times = Self(Arc::new(Shared { timeout, ends, changed, interrupts }));
        let watching = times.clone();
        platform::spawn(move || watching.0.watch())?;
        Ok(times)
    }

    /// What is set when the job of a thread is to end.
    pub(super) fn interrupt(&self, thread: usize) -> Arc<AtomicBool> {
        Arc::clone(&self.0.interrupts[thread])
    }

    /// That a thread begins a job.
    pub(super) fn begin(&self, thread: usize) {
        let mut ends = self.0.ends();
        ends.each[thread] = Some(Instant::now() + self.0.timeout);
        // Where another end is waited for, that one comes first.
        if ends.is_idle {
            self.0.changed.notify_one();
        }
    }

    /// That it has ended it.
    pub(super) fn end(&self, thread: usize) {
        self.0.ends().each[thread] = None;
        self.0.interrupts[thread].store(false, Ordering::Relaxed);
    }

    /// Interrupts no one any more.
    pub(super) fn close(&self) {
        self.0.ends().is_closed = true;
        self.0.changed.notify_one();
    }
}

impl Shared {
    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self) {
        let mut ends = self.ends();
        while !ends.is_closed {
            let now = Instant::now();
            for (end, interrupt) in ends.each.iter_mut().zip(&self.interrupts) {
                if end.is_some_and(|end| end <= now) {
                    *end = None;
                    interrupt.store(true, Ordering::Relaxed);
                }
            }
            let next = ends.each.iter().flatten().min().copied();
            ends.is_idle = next.is_none();
            ends = match next {
                None => self.changed.wait(ends).unwrap_or_else(PoisonError::into_inner),
                Some(next) => {
                    let waited = self.changed.wait_timeout(ends, next - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}
