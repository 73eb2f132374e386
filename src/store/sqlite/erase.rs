//! Erasing: when it is done, no byte of what was removed is in any file of the store.
//!
//! What SQLite leaves in pages is scrubbed (`scrub`), and the log, which holds the pages as they were, is
//! cut. A removal leaves a row in `erasures`, in its own transaction. The row goes when all is done; until
//! then each writer tries once, after its own commit, and never waits.

use super::Store;
use super::failure::failure;
use super::lock::Turn;
use super::log::{self, Cut};
use super::scrub::{Progress, Scrubbed, unfinished};
use super::writer::{Writer, wait_for_readers};
use crate::store::Error;
use crate::wait::Deadline;

/// How large a database may be, in pages, for a writer to scrub it by the way.
const SMALL: u32 = 10_000;

/// What came of a turn.
#[derive(Debug)]
enum Step {
    Done,
    /// There is more to scrub.
    More,
    InTheWay,
    Failed(Error),
}

impl Writer {
    /// Does what is left of an erasure, where that takes no long; who waits or fails is someone else.
    pub(super) fn erase_once(&mut self, turn: &Turn) {
        let left = unfinished(&self.connection);
        self.is_erasing = !matches!(left, Ok(None));
        let Ok(Some(scrubbed)) = left else { return };
        let pages = self.connection.query_row("PRAGMA page_count", [], |row| row.get::<_, u32>(0));
        if scrubbed || pages.is_ok_and(|pages| pages <= SMALL) {
            // What does not succeed here is tried again by who writes next.
            let step = self.erase_on(turn, &mut Progress::new());
            self.is_erasing = !matches!(step, Ok(Step::Done));
        }
    }

    /// Goes on with an erasure for one turn.
    fn erase_on(&mut self, turn: &Turn, progress: &mut Progress) -> Result<Step, Error> {
        let failed = |error| failure(&self.layout, "erase what was removed", error);
        match unfinished(&self.connection).map_err(failed)? {
            None => return Ok(Step::Done),
            Some(true) => {}
            Some(false) => match self.scrub_on(turn, progress)? {
                Step::Done => {}
                other => return Ok(other),
            },
        }
        match self.cut(turn)? {
            Cut::Done => {}
            Cut::InTheWay => return Ok(Step::InTheWay),
            Cut::Failed(error) => return Ok(Step::Failed(error)),
        }
        let Some(head) = self.begin(turn)? else { return Ok(Step::InTheWay) };
        self.work(turn, head, false, |transaction| {
            transaction.connection().execute("DELETE FROM erasures", [])?;
            Ok(())
        })?;
        Ok(Step::Done)
    }

    fn scrub_on(&mut self, turn: &Turn, progress: &mut Progress) -> Result<Step, Error> {
        let Some(head) = self.begin(turn)? else { return Ok(Step::InTheWay) };
        let step = self.work(turn, head, false, |transaction| {
            let connection = transaction.connection();
            Ok(match progress.scrub(connection)? {
                Scrubbed::Until(_) => Step::More,
                Scrubbed::All => {
                    connection.execute("UPDATE erasures SET scrubbed = 1", [])?;
                    Step::Done
                }
                Scrubbed::Unable => Step::Failed(Error::CannotScrub),
            })
        })?;
        // Or the cut would have all of it to move, in one turn.
        let _ = log::move_log(&self.connection, &self.layout.database, "PASSIVE");
        Ok(step)
    }
}

impl Store {
    /// Does what is left of an erasure that a removal began; why that is not all, where it is not. A
    /// reader that is in the way is waited for as long as a writer waits for others.
    pub(crate) fn finish_erasure(&mut self) -> Option<Error> {
        let mut progress = Progress::new();
        let deadline = Deadline::after(self.options.lock_timeout);
        while self.writer.as_ref().is_some_and(|writer| writer.is_erasing) {
            let step = self.queue.enter(&self.options).and_then(|turn| {
                let Some(writer) = &mut self.writer else { return Ok(Step::Done) };
                writer.erase_on(&turn, &mut progress)
            });
            match step {
                Ok(Step::Done) => break,
                Ok(Step::More) => {}
                Ok(Step::InTheWay) => match wait_for_readers(deadline, &self.options) {
                    Ok(true) => {}
                    Ok(false) => {
                        let (waited, by) = (self.options.lock_timeout, log::readers(&self.layout));
                        return Some(Error::LogHeld { waited, by });
                    }
                    Err(error) => return Some(error),
                },
                Ok(Step::Failed(error)) | Err(error) => return Some(error),
            }
        }
        None
    }
}
