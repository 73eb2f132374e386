//! Queues, of writers and of deciders: kernel locks on two files, with a deadline.
//!
//! Who has the turn holds the lock; who waits first holds the turnstile, and the others wait for
//! that. Who comes back at once, as a bulk append does, goes through the turnstile and so
//! behind whoever waits. A kernel lock can't be waited for with a time limit, so a thread waits.

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::layout::Layout;
use crate::platform::{self, spawn};
use crate::store::{Error, Options};

/// How often who waits looks whether it was interrupted.
const LOOK: Duration = Duration::from_millis(50);

/// How many queues the deciders of all streams share.
const DECIDERS: u8 = 64;

/// A queue of a store.
#[derive(Debug)]
pub(super) struct Queue {
    lock: PathBuf,
    turnstile: PathBuf,
    /// Whether this process has been in the queue before: then it lets others go first.
    returning: bool,
}

/// A turn; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(super) lock: File,
}

impl Drop for Turn {
    /// Gives the lock back by name: to close the file would leave it to a child that was forked at
    /// this moment and has not yet become another program.
    fn drop(&mut self) {
        // Where that fails, closing the file does it.
        let _ = self.lock.unlock();
    }
}

impl Turn {
    /// Writes into the lock's file who has it.
    pub(super) fn sign(&self, signature: &str) -> io::Result<()> {
        self.lock.set_len(0)?;
        (&self.lock).write_all(signature.as_bytes())
    }
}

impl Queue {
    /// The queue of those who write.
    pub(super) fn of_writers(layout: &Layout) -> Self {
        let (lock, turnstile) = (layout.lock.clone(), layout.turnstile.clone());
        Self { lock, turnstile, returning: false }
    }

    /// A queue of those who decide on the stream `name`, and by chance on others.
    pub(super) fn of_deciders(layout: &Layout, name: &str, returning: bool) -> Self {
        let number = blake3::hash(name.as_bytes()).as_bytes()[0] % DECIDERS;
        let lock = layout.deciders.join(format!("{number:02}"));
        Self { turnstile: turnstile_of(&lock), lock, returning }
    }

    /// The queue of those who would run what `lock` stands for.
    pub(super) fn of_runner(lock: PathBuf) -> Self {
        Self { turnstile: turnstile_of(&lock), lock, returning: false }
    }

    /// The queue of those who make and drop projections.
    pub(super) fn of_projections(layout: &Layout) -> Self {
        let lock = layout.projections.join("lock");
        Self { turnstile: turnstile_of(&lock), lock, returning: false }
    }

    /// Waits for this process's turn.
    pub(super) fn enter(&mut self, options: &Options) -> Result<Turn, Error> {
        let returning = std::mem::replace(&mut self.returning, true);
        let lock = open(&self.lock)?;
        if !returning && try_lock(&lock, &self.lock)? {
            return Ok(Turn { lock });
        }
        let turnstile = open(&self.turnstile)?;
        if try_lock(&turnstile, &self.turnstile)? && try_lock(&lock, &self.lock)? {
            // As for a turn.
            let _ = turnstile.unlock();
            return Ok(Turn { lock });
        }
        wait(turnstile, lock, &self.lock, options)
    }

    /// Takes the turn where no one has it.
    pub(super) fn try_enter(&self) -> Result<Option<Turn>, Error> {
        let lock = open(&self.lock)?;
        Ok(try_lock(&lock, &self.lock)?.then_some(Turn { lock }))
    }
}

/// The turnstile of a lock, beside it. An ending that the lock's name has stays: `NAME` and
/// `NAME.rebuild` are two queues.
fn turnstile_of(lock: &Path) -> PathBuf {
    let mut name = lock.as_os_str().to_owned();
    name.push(".next");
    name.into()
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
fn wait(turnstile: File, lock: File, path: &Path, options: &Options) -> Result<Turn, Error> {
    let (sender, receiver) = mpsc::channel();
    let waiting = spawn(move || {
        let locked = turnstile.lock().and_then(|()| lock.lock());
        // As for a turn.
        let _ = turnstile.unlock();
        // The receiver is gone when the deadline has passed.
        let _ = sender.send(locked.map(|()| lock));
    });
    waiting.map_err(Error::Thread)?;
    let begun = Instant::now();
    loop {
        let left = options.lock_timeout.saturating_sub(begun.elapsed());
        match receiver.recv_timeout(left.min(LOOK)) {
            Ok(Ok(lock)) => return Ok(Turn { lock }),
            Ok(Err(error)) => return Err(Error::io("lock", path)(error)),
            Err(_) if options.interrupted() => return Err(Error::Interrupted),
            Err(RecvTimeoutError::Timeout) if !left.is_zero() => {}
            Err(_) => return Err(Error::Busy { waited: options.lock_timeout }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn options(lock_timeout: Duration) -> Options {
        Options { lock_timeout, ..Options::default() }
    }

    /// A process waits once it holds the turnstile.
    fn wait_until_locked(turnstile: &Path) {
        let file = open(turnstile).unwrap();
        while try_lock(&file, turnstile).unwrap() {
            file.unlock().unwrap();
            thread::yield_now();
        }
    }

    #[test]
    fn a_process_that_waits_for_one_lock_holds_up_no_other_queue() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let queue = |name: &str| Queue::of_runner(path(name));
        let run = queue("seen").enter(&Options::default()).unwrap();
        let waiting = queue("seen");
        let waiter = thread::spawn({
            let mut waiting = waiting;
            move || drop(waiting.enter(&Options::default()).unwrap())
        });
        wait_until_locked(&path("seen.next"));
        let mut rebuild = queue("seen.rebuild");
        for _ in 0..2 {
            rebuild.enter(&options(Duration::from_secs(1))).unwrap();
        }
        drop(run);
        waiter.join().unwrap();
    }

    #[test]
    fn a_wait_ends_at_its_deadline_and_a_later_one_gets_its_turn() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::of(dir.path());
        let queue = || Queue::of_writers(&layout);
        let turn = queue().enter(&Options::default()).unwrap();
        for timeout in [Duration::ZERO, Duration::from_millis(20)] {
            let error = queue().enter(&options(timeout)).unwrap_err();
            assert!(matches!(error, Error::Busy { waited } if waited == timeout), "{error}");
        }
        assert!(queue().try_enter().unwrap().is_none());
        drop(turn);
        // The two that gave up may still be in the queue; they give their turns back.
        queue().enter(&Options::default()).unwrap();
    }

    #[test]
    fn who_comes_back_goes_behind_who_waits() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::of(dir.path());
        let mut bulk = Queue::of_writers(&layout);
        let turn = bulk.enter(&Options::default()).unwrap();
        let (sender, receiver) = mpsc::channel();
        let waiting = layout.clone();
        let waiter = thread::spawn(move || {
            let turn = Queue::of_writers(&waiting).enter(&Options::default()).unwrap();
            sender.send("waiter").unwrap();
            drop(turn);
        });
        wait_until_locked(&layout.turnstile);
        drop(turn);
        let _turn = bulk.enter(&Options::default()).unwrap();
        assert_eq!(receiver.try_recv(), Ok("waiter"));
        waiter.join().unwrap();
    }

    #[test]
    fn an_interrupt_ends_the_wait() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::of(dir.path());
        let queue = || Queue::of_writers(&layout);
        let _turn = queue().enter(&Options::default()).unwrap();
        let flag = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
        let options = Options { interrupt: Some(flag), ..Options::default() };
        assert!(matches!(queue().enter(&options), Err(Error::Interrupted)));
    }
}
