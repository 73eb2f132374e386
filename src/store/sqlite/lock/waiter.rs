//! A thread that waits for a kernel lock, which has no time limit.
//!
//! A wait that was given up can't be called back. The thread goes on to wait: for the next time that
//! its process wants the lock, or to give back at once what it gets.

use std::fs::File;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::platform::spawn;
use crate::store::Error;

/// A thread that waits.
#[derive(Debug)]
pub(super) struct Waiter(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Whether the lock is still wanted.
    wanted: bool,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// It waits for the turnstile.
    InLine,
    /// It holds the turnstile, and waits for the lock.
    First,
    /// It has the lock, which is wanted, or failed.
    Done(io::Result<File>),
    /// Nothing is left of it.
    Gone,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for both locks, unless they are no longer wanted.
    fn run(&self, turnstile: &File, lock: File) {
        let in_line = turnstile.lock();
        if in_line.is_ok() && !self.comes_first() {
            // By name, here and below: a child that was forked at this moment would keep it.
            let _ = turnstile.unlock();
            return;
        }
        let locked = in_line.and_then(|()| lock.lock());
        let _ = turnstile.unlock();
        let mut state = self.state();
        state.stage = if state.wanted {
            Stage::Done(locked.map(|()| lock))
        } else {
            let _ = lock.unlock();
            Stage::Gone
        };
        self.changed.notify_all();
    }

    /// Whether the lock is still wanted. Where it is not, nothing is left of the thread: it can't be
    /// wanted again.
    fn comes_first(&self) -> bool {
        let mut state = self.state();
        state.stage = if state.wanted { Stage::First } else { Stage::Gone };
        state.wanted
    }
}

impl Waiter {
    /// Starts to wait for the turnstile, which it may hold already, and then for the lock.
    pub(super) fn start(turnstile: File, lock: File) -> Result<Self, Error> {
        let state = State { wanted: true, stage: Stage::InLine };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let theirs = Arc::clone(&shared);
        spawn(move || theirs.run(&turnstile, lock)).map_err(Error::Thread)?;
        Ok(Self(shared))
    }

    /// Whether it still waits; then what it gets is wanted again.
    pub(super) fn goes_on(&self) -> bool {
        let mut state = self.0.state();
        state.wanted = matches!(state.stage, Stage::InLine | Stage::First);
        state.wanted
    }

    /// Whether it still waits, or keeps what it got.
    pub(super) fn is_there(&self) -> bool {
        !matches!(self.0.state().stage, Stage::Gone)
    }

    /// The lock, once it has it; at most for `timeout`.
    pub(super) fn wait(&self, timeout: Duration) -> Option<io::Result<File>> {
        let waits = |state: &mut State| matches!(state.stage, Stage::InLine | Stage::First);
        let waited = self.0.changed.wait_timeout_while(self.0.state(), timeout, waits);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if waits(&mut state) {
            return None;
        }
        match std::mem::replace(&mut state.stage, Stage::Gone) {
            Stage::Done(locked) => Some(locked),
            _ => None,
        }
    }

    /// Whether it holds the turnstile.
    pub(super) fn comes_first(&self) -> bool {
        matches!(self.0.state().stage, Stage::First)
    }

    /// Gives back what it gets, and what it has got.
    pub(super) fn give_up(&self) {
        let mut state = self.0.state();
        state.wanted = false;
        if let Stage::Done(Ok(lock)) = &state.stage {
            let _ = lock.unlock();
            state.stage = Stage::Gone;
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.give_up();
    }
}
