//! Following the log: catch up, wait, go on. Knows no file and no process.

use crate::event::EventRef;
use crate::store::{Batch, Error, Query, Reader, Store, Waker, Watch, Woken};

/// Reads what is there and then what comes, in order, without a gap or a repeat.
#[derive(Debug)]
pub struct Follower {
    reader: Reader,
    watch: Watch,
}

impl Follower {
    /// Follows what `query` chooses.
    ///
    /// # Errors
    ///
    /// As [`Store::read`].
    pub fn new(store: &Store, query: &Query) -> Result<Self, Error> {
        // Watch first, then read: what is stored in between rings.
        let watch = store.watch();
        Ok(Self { watch, reader: store.follow(query)? })
    }

    /// Gives the next batch to `each`. When it has caught up, [`Follower::wait`].
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn next_batch(&mut self, each: impl FnMut(&EventRef<'_>)) -> Result<Batch, Error> {
        self.reader.next_batch(each)
    }

    /// Waits until there may be more to read, or a [`Waker`] is used: then it is `false`.
    ///
    /// # Errors
    ///
    /// [`Error::Replaced`] where the store is no longer the one that was opened.
    pub fn wait(&mut self) -> Result<bool, Error> {
        loop {
            match self.watch.wait() {
                Woken::Waker => return Ok(false),
                Woken::Bell => return Ok(true),
                Woken::Time => {
                    if self.reader.changed()? {
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// What ends a wait from another thread.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.watch.waker()
    }

    /// What is wrong with the store, though it can be read.
    #[must_use]
    pub fn warning(&self) -> Option<&Error> {
        self.reader.warning()
    }
}
