//! Queues, of writers and of deciders: kernel locks on two files, with a deadline.
//!
//! Who has the turn holds the lock; who waits first holds the turnstile, and the others wait for
//! that. Who comes back at once, as a bulk append does, goes through the turnstile and so
//! behind whoever waits. A kernel lock can't be waited for with a time limit, so a thread waits
//! (`waiter.rs`). A process that holds the turnstile may be stopped; so whoever waits there looks
//! whether the lock is left free.
//!
//! The first byte of the writers' lock file is the mark that a commit is under way. A writer sets it
//! before COMMIT, and takes it back once what it committed is durable and the bell is rung. Who has the
//! turn and finds it set follows a writer that died or failed half-way: the end of the log may be readable
//! and yet not be on the disk, and a later sync would not change that, since Linux takes the pages of a
//! failed sync for clean. See `docs/durability.md`. The byte is written in place and never synced: who
//! can't see it has lost the pages of the log as well, and reads what is on the disk. It is allocated when
//! the store is made, so that a full disk is not in its way.

mod waiter;

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use self::waiter::Waiter;
use super::Layout;
use crate::platform::directory::Access;
use crate::platform::{self, FileIdentity};
use crate::store::hash::sum;
use crate::store::place::Place;
use crate::store::{Error, Options};
use crate::wait::{self, Deadline};

/// How many queues the deciders of all streams share.
const DECIDERS: i64 = 64;

/// The mark, as it is while no commit is under way, and while one is.
const CLEAR: &[u8; 1] = b"0";
const SET: &[u8; 1] = b"1";

/// A queue of a store.
#[derive(Debug)]
pub(super) struct Queue {
    place: Arc<Place>,
    lock: LockFile,
    turnstile: LockFile,
    /// Whether this process has been in the queue before: then it lets others go first.
    returning: bool,
    /// The thread that waits for this process, and goes on where a wait was given up.
    waiter: Option<Waiter>,
}

/// The file of a lock, which stays open from one turn to the next.
#[derive(Debug)]
struct LockFile {
    name: String,
    open: Option<(FileIdentity, Arc<File>)>,
}

impl LockFile {
    /// The file that stands under the name now: to lock another one would keep no one out.
    fn get(&mut self, place: &Place) -> Result<Arc<File>, Error> {
        let stands = place.identify(&self.name)?;
        if let Some((identity, file)) = &self.open
            && stands == Some(*identity)
        {
            return Ok(Arc::clone(file));
        }
        let (file, identity) = place.open_identified(&self.name, Access::Create)?;
        let file = Arc::new(file);
        self.open = Some((identity, Arc::clone(&file)));
        Ok(file)
    }
}

/// A turn; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(super) lock: Arc<File>,
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
        (&*self.lock).write_all(signature.as_bytes())
    }

    /// Gives the lock file of a new store its mark, and makes that durable.
    pub(super) fn make_mark(&self) -> io::Result<()> {
        self.clear_mark()?;
        self.lock.sync_all()
    }

    /// Sets the mark.
    pub(super) fn set_mark(&self) -> io::Result<()> {
        platform::write_at(&self.lock, SET, 0)
    }

    /// Takes the mark back.
    pub(super) fn clear_mark(&self) -> io::Result<()> {
        platform::write_at(&self.lock, CLEAR, 0)
    }

    /// Whether the mark is set. An empty file gets one.
    pub(super) fn is_marked(&self) -> io::Result<bool> {
        let mut byte = [0];
        match platform::read_at(&self.lock, &mut byte, 0)? {
            0 => self.make_mark().map(|()| false),
            _ => Ok(byte != *CLEAR),
        }
    }
}

/// Whether the mark of the store seems to be set, for who only reads.
pub(super) fn seems_marked(layout: &Layout) -> bool {
    let mut byte = [0];
    let Ok(lock) = layout.place.open_file("lock", Access::Read) else { return false };
    platform::read_at(&lock, &mut byte, 0).is_ok_and(|length| length > 0 && byte != *CLEAR)
}

impl Queue {
    /// The queue of those who write.
    pub(super) fn of_writers(layout: &Layout) -> Self {
        Self::of(layout, "lock".into(), "turnstile".into())
    }

    /// A queue of those who decide on the stream `name`, and by chance on others.
    pub(super) fn of_deciders(layout: &Layout, number: i64, returning: bool) -> Self {
        Self { returning, ..Self::beside(layout, format!("deciders/{number:02}")) }
    }

    /// The number of the queue of those who decide on what has this name.
    pub(super) fn number(name: &str) -> i64 {
        sum(|fields| fields.text(name)).rem_euclid(DECIDERS)
    }

    /// The queue of those who would run what `lock` stands for.
    pub(super) fn of_runner(layout: &Layout, lock: String) -> Self {
        Self::beside(layout, lock)
    }

    /// The queue of those who make and drop projections.
    pub(super) fn of_projections(layout: &Layout) -> Self {
        Self::beside(layout, "projections/lock".into())
    }

    /// A queue whose turnstile stands beside its lock. An ending that the lock's name has stays: `NAME`
    /// and `NAME.rebuild` are two queues. No lock's name ends in `.next`.
    fn beside(layout: &Layout, lock: String) -> Self {
        let turnstile = format!("{lock}.next");
        Self::of(layout, lock, turnstile)
    }

    fn of(layout: &Layout, lock: String, turnstile: String) -> Self {
        let place = Arc::clone(&layout.place);
        let [lock, turnstile] = [lock, turnstile].map(|name| LockFile { name, open: None });
        Self { place, lock, turnstile, returning: false, waiter: None }
    }

    /// The lock's file, as messages tell it.
    fn path(&self) -> PathBuf {
        self.place.path(&self.lock.name)
    }

    /// A file of its own for a thread that waits.
    fn open(&self, name: &str) -> Result<File, Error> {
        self.place.open_file(name, Access::Create)
    }

    /// Takes the turn where no one has it and no one waits for it. (One that was not in the queue before
    /// lets no one go first.)
    pub(super) fn enter_now(&mut self) -> Result<Option<Turn>, Error> {
        let returning = std::mem::replace(&mut self.returning, true);
        let lock = self.lock.get(&self.place)?;
        if !returning {
            return Ok(self.try_lock(&lock)?.then_some(Turn { lock }));
        }
        if self.waiter.as_ref().is_some_and(Waiter::is_there) {
            return Ok(None);
        }
        let turnstile = self.turnstile.get(&self.place)?;
        if !self.try_lock(&turnstile)? {
            return Ok(None);
        }
        let locked = self.try_lock(&lock);
        // As for a turn.
        let _ = turnstile.unlock();
        Ok(locked?.then_some(Turn { lock }))
    }

    /// Waits for this process's turn.
    pub(super) fn enter(&mut self, options: &Options) -> Result<Turn, Error> {
        let deadline = Deadline::after(options.lock_timeout);
        let returning = std::mem::replace(&mut self.returning, true);
        let lock = self.lock.get(&self.place)?;
        // Who would not wait lets no one go first.
        if (!returning || deadline.is_over()) && self.try_lock(&lock)? {
            return Ok(Turn { lock });
        }
        if deadline.is_over() {
            return Err(Error::Busy { waited: options.lock_timeout });
        }
        let waiter = match self.waiter.take().filter(Waiter::goes_on) {
            Some(waiter) => waiter,
            None => {
                let turnstile = self.open(&self.turnstile.name)?;
                if self.try_lock(&turnstile)? && self.try_lock(&lock)? {
                    // As for a turn.
                    let _ = turnstile.unlock();
                    return Ok(Turn { lock });
                }
                Waiter::start(turnstile, self.open(&self.lock.name)?)?
            }
        };
        let turn = self.wait(&waiter, lock, deadline, options);
        self.waiter = Some(waiter);
        turn
    }

    /// Waits for the waiter, at most until the deadline; or until the lock is left free by whoever
    /// stands before it.
    fn wait(
        &self,
        waiter: &Waiter,
        lock: Arc<File>,
        deadline: Deadline,
        options: &Options,
    ) -> Result<Turn, Error> {
        let mut was_free = false;
        loop {
            if let Some(locked) = waiter.wait(deadline.left().min(wait::INTERRUPTED)) {
                let lock = locked.map_err(Error::io("lock", &self.path()))?;
                return Ok(Turn { lock: Arc::new(lock) });
            }
            // Who comes first takes a free lock within a moment: one that is free twice in a row is
            // left free.
            let free = !waiter.comes_first() && self.try_lock(&lock)?;
            if free && (was_free || deadline.is_over()) {
                waiter.give_up();
                return Ok(Turn { lock });
            }
            if free {
                // As for a turn.
                let _ = lock.unlock();
            }
            was_free = free;
            if options.interrupted() {
                waiter.give_up();
                return Err(Error::Interrupted);
            }
            if deadline.is_over() {
                waiter.give_up();
                return Err(Error::Busy { waited: options.lock_timeout });
            }
        }
    }

    /// Takes the turn where no one has it.
    pub(super) fn try_enter(&self) -> Result<Option<Turn>, Error> {
        let lock = Arc::new(self.open(&self.lock.name)?);
        Ok(self.try_lock(&lock)?.then_some(Turn { lock }))
    }

    fn try_lock(&self, file: &File) -> Result<bool, Error> {
        match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", &self.path())(error)),
        }
    }
}

#[cfg(test)]
mod tests;
