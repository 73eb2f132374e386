//! Following the log: catch up, wait, go on; and how far those that follow have come. Knows no file and
//! no process.

use std::thread;
use std::time::{Duration, Instant};

use crate::event::{EventRef, Position, Timestamp};
use crate::store::{Batch, Error, Mark, Projection, Query, Reader, Store, Waker, Watch, Woken};

/// How long a wait for a projection sleeps at first, and at most, before it looks again.
const LOOK: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));

/// Reads what is there and then what comes, in order, without a gap or a repeat.
#[derive(Debug)]
pub struct Follower {
    reader: Reader,
    watch: Box<dyn Watch>,
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
            if let Some(more) = self.wait_once()? {
                return Ok(more);
            }
        }
    }

    /// The same, for a part of a second; nothing where that is over.
    pub(crate) fn wait_once(&mut self) -> Result<Option<bool>, Error> {
        match self.watch.wait() {
            Woken::Waker => Ok(Some(false)),
            Woken::Bell => Ok(Some(true)),
            Woken::Time => Ok(self.reader.changed()?.then_some(true)),
        }
    }

    /// What ends a wait from another thread.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.watch.waker()
    }

    /// Waits without a look at the bell, for a part of a second or until a [`Waker`] is used; then looks whether
    /// the store is still there.
    #[cfg(all(feature = "serve", unix))]
    pub(crate) fn rest(&mut self) -> Result<(), Error> {
        self.watch.listen(false);
        if self.watch.wait() != Woken::Waker {
            self.reader.changed()?;
        }
        Ok(())
    }

    /// Goes on after a rest, behind what is stored by now; up to where.
    #[cfg(all(feature = "serve", unix))]
    pub(crate) fn skip(&mut self) -> Result<Position, Error> {
        // Watch first, as at the beginning.
        self.watch.listen(true);
        self.reader.skip()
    }
}

impl Store {
    /// How many events that `query` chooses lie behind `checkpoint`, and when the first of them was
    /// recorded.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn lag(
        &self,
        query: &Query,
        checkpoint: Position,
    ) -> Result<(u64, Option<Timestamp>), Error> {
        let mut query = query.clone();
        query.after = Some(Mark::Position(checkpoint));
        let mut reader = match self.read(&query) {
            // It has seen more than there is: nothing is left.
            Err(Error::BeyondHead { .. }) => return Ok((0, None)),
            reader => reader?.without_data(),
        };
        let (mut events, mut first) = (0, None);
        loop {
            let batch = reader.next_batch(|event| first = first.or(Some(event.recorded)))?;
            events += batch.events as u64;
            if batch.caught_up {
                return Ok((events, first));
            }
        }
    }

    /// The position before the first event whose time is `time` or later; the head where there is none.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn position_before(&self, time: Timestamp) -> Result<Position, Error> {
        let mut query = Query::default();
        (query.since, query.limit) = (Some(time), Some(1));
        let head = self.head()?;
        let (mut reader, mut first) = (self.read(&query)?.without_data(), None);
        while !reader.next_batch(|event| first = Some(event.position))?.caught_up {}
        Ok(first.map_or(head, |Position(first)| Position(first.saturating_sub(1))))
    }

    /// Whether `projection` has all that it is made from up to `position`: its checkpoint is there, or
    /// no event that its patterns match lies between.
    ///
    /// # Errors
    ///
    /// [`Error::OtherLog`] where its checkpoint is no place in this store's log, [`Error::Superseded`] and
    /// [`Error::Dropped`] where it serves no more, and where the store can't be read.
    pub fn has_reached(&self, projection: &Projection, position: Position) -> Result<bool, Error> {
        projection.check_serves()?;
        let checkpoint = projection.checkpoint()?;
        self.check_checkpoint(projection.entry().name.as_str(), &checkpoint)?;
        let checkpoint = checkpoint.position;
        if checkpoint >= position {
            return Ok(true);
        }
        let mut query = Query::of(projection.entry().definition.from.clone());
        query.after = Some(Mark::Position(checkpoint));
        query.until = Some(Mark::Position(position));
        query.limit = Some(1);
        if self.head()? < position {
            return Ok(false);
        }
        let mut reader = self.read(&query)?.without_data();
        loop {
            let batch = reader.next_batch(|_| {})?;
            if batch.events > 0 || batch.caught_up || batch.finished {
                return Ok(batch.events == 0);
            }
        }
    }

    /// Waits until `projection` has reached `position`, at most for `wait`; whether it has. Where another
    /// generation serves by then, that is opened in its place.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`], [`Error::ProjectionNotFound`] where it was dropped, and as
    /// [`Store::has_reached`].
    pub fn wait_until_reached(
        &self,
        projection: &mut Projection,
        position: Position,
        wait: Duration,
    ) -> Result<bool, Error> {
        let begun = Instant::now();
        let (mut sleep, longest) = LOOK;
        loop {
            match self.has_reached(projection, position) {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(Error::Superseded(name) | Error::Dropped(name)) => {
                    *projection = self.projection(&name)?;
                    continue;
                }
                Err(error) => return Err(error),
            }
            let left = wait.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            if self.is_interrupted() {
                return Err(Error::Interrupted);
            }
            // A projection has no bell: many that follow each other would ring for ever.
            thread::sleep(sleep.min(left));
            sleep = (2 * sleep).min(longest);
        }
    }
}
