//! The queue of writers: kernel locks on two files, with a deadline.
//!
//! Who writes holds the lock; who waits first holds the turnstile, and the others wait for that.
//! A writer that comes back at once, as a bulk append does, goes through the turnstile and so
//! behind whoever waits. A kernel lock can't be waited for with a time limit, so a thread waits.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::layout::Layout;
use crate::platform;
use crate::store::{Error, Options};

/// How often a waiting writer looks whether it was interrupted.
const LOOK: Duration = Duration::from_millis(50);

/// The writers' queue of a store.
#[derive(Debug)]
pub(super) struct Queue {
    /// Whether this process has written before: then it lets others go first.
    returning: bool,
}

/// A writer's turn; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    lock: File,
}

impl Drop for Turn {
    /// Gives the lock back by name: to close the file would leave it to a child that was forked at
    /// this moment and has not yet become another program.
    fn drop(&mut self) {
        // Where that fails, closing the file does it.
        let _ = self.lock.unlock();
    }
}

impl Queue {
    pub(super) fn new() -> Self {
        Self { returning: false }
    }

    /// Whether this writer has had no turn yet.
    pub(super) fn is_new(&self) -> bool {
        !self.returning
    }

    /// Waits for this writer's turn.
    pub(super) fn enter(&mut self, layout: &Layout, options: &Options) -> Result<Turn, Error> {
        let returning = std::mem::replace(&mut self.returning, true);
        let lock = open(&layout.lock)?;
        if !returning && try_lock(&lock, &layout.lock)? {
            return Ok(Turn { lock });
        }
        let turnstile = open(&layout.turnstile)?;
        if try_lock(&turnstile, &layout.turnstile)? && try_lock(&lock, &layout.lock)? {
            // As for a turn.
            let _ = turnstile.unlock();
            return Ok(Turn { lock });
        }
        wait(turnstile, lock, layout, options)
    }

    /// Takes the turn where no one has it.
    pub(super) fn try_enter(layout: &Layout) -> Result<Option<Turn>, Error> {
        let lock = open(&layout.lock)?;
        Ok(try_lock(&lock, &layout.lock)?.then_some(Turn { lock }))
    }
}

fn open(path: &Path) -> Result<File, Error> {
    platform::open_private(path, true).map_err(Error::io("open", path))
}

fn try_lock(file: &File, path: &Path) -> Result<bool, Error> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", path)(error)),
    }
}

/// Lets a thread wait, at most until the deadline. A thread that is left behind gives its turn
/// back as soon as it has it.
fn wait(turnstile: File, lock: File, layout: &Layout, options: &Options) -> Result<Turn, Error> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let locked = turnstile.lock().and_then(|()| lock.lock());
        // As for a turn.
        let _ = turnstile.unlock();
        // The receiver is gone when the deadline has passed.
        let _ = sender.send(locked.map(|()| lock));
    });
    let begun = Instant::now();
    loop {
        let left = options.lock_timeout.saturating_sub(begun.elapsed());
        match receiver.recv_timeout(left.min(LOOK)) {
            Ok(Ok(lock)) => return Ok(Turn { lock }),
            Ok(Err(error)) => return Err(Error::io("lock", &layout.lock)(error)),
            Err(_) if options.interrupted() => return Err(Error::Interrupted),
            Err(RecvTimeoutError::Timeout) if !left.is_zero() => {}
            Err(_) => return Err(Error::Busy { waited: options.lock_timeout }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(lock_timeout: Duration) -> Options {
        Options { lock_timeout, ..Options::default() }
    }

    #[test]
    fn a_wait_ends_at_its_deadline_and_a_later_one_gets_its_turn() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::of(dir.path());
        let turn = Queue::new().enter(&layout, &Options::default()).unwrap();
        for timeout in [Duration::ZERO, Duration::from_millis(20)] {
            let error = Queue::new().enter(&layout, &options(timeout)).unwrap_err();
            assert!(matches!(error, Error::Busy { waited } if waited == timeout), "{error}");
        }
        assert!(Queue::try_enter(&layout).unwrap().is_none());
        drop(turn);
        // The two that gave up may still be in the queue; they give their turns back.
        Queue::new().enter(&layout, &Options::default()).unwrap();
    }

    #[test]
    fn who_comes_back_goes_behind_who_waits() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::of(dir.path());
        let mut bulk = Queue::new();
        let turn = bulk.enter(&layout, &Options::default()).unwrap();
        let (sender, receiver) = mpsc::channel();
        let waiting = layout.clone();
        let waiter = thread::spawn(move || {
            let turn = Queue::new().enter(&waiting, &Options::default()).unwrap();
            sender.send("waiter").unwrap();
            drop(turn);
        });
        // The waiter waits once it holds the turnstile.
        let turnstile = open(&layout.turnstile).unwrap();
        while try_lock(&turnstile, &layout.turnstile).unwrap() {
            turnstile.unlock().unwrap();
            thread::yield_now();
        }
        drop(turn);
        let _turn = bulk.enter(&layout, &Options::default()).unwrap();
        assert_eq!(receiver.try_recv(), Ok("waiter"));
        waiter.join().unwrap();
    }

    #[test]
    fn an_interrupt_ends_the_wait() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::of(dir.path());
        let _turn = Queue::new().enter(&layout, &Options::default()).unwrap();
        let flag = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
        let options = Options { interrupt: Some(flag), ..Options::default() };
        assert!(matches!(Queue::new().enter(&layout, &options), Err(Error::Interrupted)));
    }
}
