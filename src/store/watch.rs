//! Waiting for events: what ends a wait, and what engines wait by.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Waits for events to be stored.
pub(crate) trait Watch: fmt::Debug + Send {
    /// Waits until events may have been stored, a [`Waker`] is used, or it is time to look.
    fn wait(&self) -> Woken;

    /// What ends a wait from another thread.
    fn waker(&self) -> Waker;

    /// Sets whether a wait ends because events may have been stored, as it does at first.
    #[cfg(all(feature = "serve", unix))]
    fn listen(&mut self, listens: bool);
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    /// Events were stored, it seems.
    Bell,
    /// It is time to look.
    Time,
    /// A [`Waker`] was used.
    Waker,
}

/// What has happened since the last wait: however often, it is kept once.
#[derive(Debug, Default)]
pub(super) struct Calls {
    happened: Mutex<Happened>,
    changed: Condvar,
    /// How many waits have ended.
    #[cfg(feature = "faults")]
    waits: std::sync::atomic::AtomicU64,
}

#[derive(Debug, Default)]
struct Happened {
    bell: bool,
    waker: bool,
}

impl Calls {
    /// What ends a wait for these from another thread.
    pub(super) fn waker(self: &Arc<Self>) -> Waker {
        Waker(Arc::clone(self))
    }

    /// Has who waits look.
    pub(super) fn ring(&self) {
        self.call(|happened| happened.bell = true);
    }

    /// Waits until one of them comes, at most for `look`.
    pub(super) fn wait(&self, look: Duration) -> Woken {
        let nothing = |happened: &mut Happened| !happened.bell && !happened.waker;
        let waited = self.changed.wait_timeout_while(self.happened(), look, nothing);
        let (mut happened, _) = waited.unwrap_or_else(PoisonError::into_inner);
        #[cfg(feature = "faults")]
        self.waits.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        // A waker goes before the bell: whoever goes on reads first in any case.
        match std::mem::take(&mut *happened) {
            Happened { waker: true, .. } => Woken::Waker,
            Happened { bell: true, .. } => Woken::Bell,
            Happened { .. } => Woken::Time,
        }
    }

    fn happened(&self) -> MutexGuard<'_, Happened> {
        self.happened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, set: impl FnOnce(&mut Happened)) {
        set(&mut self.happened());
        self.changed.notify_all();
    }
}

/// Ends a wait from another thread.
#[derive(Debug, Clone)]
pub struct Waker(Arc<Calls>);

impl Waker {
    /// Ends the wait, or the next one.
    pub fn wake(&self) {
        self.0.call(|happened| happened.waker = true);
    }

    /// How many waits have ended, behind each of which a follower looks at the store: for tests, which count how
    /// often it had to.
    #[cfg(feature = "faults")]
    #[must_use]
    pub fn waits(&self) -> u64 {
        self.0.waits.load(std::sync::atomic::Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn of_many_threads_no_call_is_lost() {
        const THREADS: u64 = 2;
        const EACH: u64 = 5000;
        // A call that is lost ends no wait but by time, which is long.
        let long = Duration::from_secs(60);
        let calls = Arc::new(Calls::default());
        let (stored, seen) = (AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for which in 0..THREADS {
                let (calls, stored, seen) = (&calls, &stored, &seen);
                scope.spawn(move || {
                    for _ in 0..EACH {
                        let number = stored.fetch_add(1, Ordering::SeqCst) + 1;
                        if which % 2 == 0 {
                            calls.ring();
                        } else {
                            calls.waker().wake();
                        }
                        // Nothing comes behind that would hide that it was lost.
                        let mut looks = 0;
                        while seen.load(Ordering::SeqCst) < number {
                            looks += 1;
                            if looks % 256 == 0 {
                                thread::yield_now();
                            }
                        }
                    }
                });
            }
            while seen.load(Ordering::SeqCst) < THREADS * EACH {
                let woken = calls.wait(long);
                let lost = woken == Woken::Time;
                let now = if lost { u64::MAX } else { stored.load(Ordering::SeqCst) };
                seen.store(now, Ordering::SeqCst);
            }
        });
        assert_eq!(seen.into_inner(), THREADS * EACH, "a call was lost");
    }
}
