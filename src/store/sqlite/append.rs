//! Writing: wait for the turn, begin, do it, commit, ring the bell.

use super::failure::Failure;
use super::head::Head;
use super::lock::Turn;
use super::transaction::Transaction;
use super::writer::wait_for_readers;
use super::{Store, log};
use crate::deadline::Deadline;
use crate::store::Error;
use crate::store::engine::Tx;

impl Store {
    /// Runs `work` in one transaction.
    pub(crate) fn transact<T>(
        &mut self,
        many: bool,
        work: impl FnOnce(&mut dyn Tx) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.write(many, |transaction| Ok(work(transaction)?))
    }

    /// Waits for this writer's turn and runs `work` in one transaction; `many` where it appends
    /// more than one event.
    pub(super) fn write<T>(
        &mut self,
        many: bool,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        let (turn, head) = self.begin()?;
        let Some(writer) = &mut self.writer else { return Err(Error::Interrupted) };
        let value = writer.work(&turn, head, many, work)?;
        writer.cut_if_long();
        writer.erase_once(&turn);
        Ok(value)
    }

    /// Waits for this writer's turn and begins a transaction; the turn, and the head in it.
    fn begin(&mut self) -> Result<(Turn, Head), Error> {
        self.open_writer()?;
        self.check_in_place()?;
        let deadline = Deadline::after(self.options.lock_timeout);
        loop {
            let turn = self.queue.enter(&self.options)?;
            self.check_in_place()?;
            let Some(writer) = &mut self.writer else { return Err(Error::Interrupted) };
            if let Some(head) = writer.begin(&turn)? {
                return Ok((turn, head));
            }
            drop(turn);
            if !wait_for_readers(deadline, &self.options)? {
                let (waited, by) = (self.options.lock_timeout, log::readers(&self.layout));
                return Err(Error::LogHeld { waited, by });
            }
        }
    }
}
