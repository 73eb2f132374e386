//! Appending: wait for the turn, begin, append, commit, ring the bell.

use super::failure::Failure;
use super::head::Head;
use super::lock::Turn;
use super::transaction::Transaction;
use super::writer::wait_for_readers;
use super::{Store, log};
use crate::deadline::Deadline;
use crate::event::Data;
use crate::store::{Appended, AppendedEach, Error, SealedEvent, Stopped};

impl Store {
    /// Appends events in one transaction: all of them or none.
    pub(crate) fn append_all(&mut self, events: &[SealedEvent]) -> Result<AppendedEach, Error> {
        if let Some(stopped) = self.first_refused(events) {
            return Ok(AppendedEach { appended: Vec::new(), stopped: Some(stopped) });
        }
        let mut stopped_at = None;
        let done = self.write(events.len() > 1, |transaction| {
            append_together(transaction, events)?.map_err(|stopped| {
                stopped_at = Some(stopped.index);
                stopped.error.into()
            })
        });
        match (done, stopped_at) {
            (Ok(appended), _) => Ok(AppendedEach { appended, stopped: None }),
            (Err(error), Some(index)) => {
                Ok(AppendedEach { appended: Vec::new(), stopped: Some(Stopped { index, error }) })
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Appends the events before the first that is refused, in one transaction.
    pub(crate) fn append_each(&mut self, events: &[SealedEvent]) -> Result<AppendedEach, Error> {
        let unfit = self.first_refused(events);
        let fit = unfit.as_ref().map_or(events.len(), |stopped| stopped.index);
        let mut stopped = None;
        let appended = self.write(fit > 1, |transaction| {
            let mut appended = Vec::with_capacity(events.len());
            for (index, event) in events[..fit].iter().enumerate() {
                match transaction.append(event) {
                    Ok(one) => appended.push(one),
                    Err(Failure::Refused(error)) => {
                        stopped = Some(Stopped { index, error });
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(appended)
        })?;
        Ok(AppendedEach { appended, stopped: stopped.or(unfit) })
    }

    /// The first event that can't be stored, whatever is there.
    pub(super) fn first_refused(&self, events: &[SealedEvent]) -> Option<Stopped> {
        let max = self.marker.max_data_bytes;
        let bytes = |event: &SealedEvent| {
            let state = event.event().state.as_ref().map_or(0, Data::len);
            event.event().data.len().max(state)
        };
        let index = events.iter().position(|event| bytes(event) > max)?;
        Some(Stopped { index, error: Error::TooLarge { bytes: bytes(&events[index]), max } })
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

/// Appends events of which all are to be stored, or none; which one stands against that.
pub(super) fn append_together(
    transaction: &mut Transaction<'_>,
    events: &[SealedEvent],
) -> Result<Result<Vec<Appended>, Stopped>, Failure> {
    let mut appended = Vec::with_capacity(events.len());
    for (index, event) in events.iter().enumerate() {
        match transaction.append(event) {
            Ok(one) => appended.push(one),
            Err(Failure::Refused(error)) => {
                return Ok(Err(match (&error, partly_duplicate(events, &appended)) {
                    // Part of it is there already: that is the reason to tell.
                    (Error::WrongExpectedVersion { .. }, Some(partly)) => partly,
                    _ => Stopped { index, error },
                }));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(match partly_duplicate(events, &appended) {
        Some(stopped) if !appended.iter().all(|one| one.duplicate) => Err(stopped),
        _ => Ok(appended),
    })
}

/// That events of a batch are stored already, told at the first of them; `None` where none is.
fn partly_duplicate(events: &[SealedEvent], appended: &[Appended]) -> Option<Stopped> {
    let index = appended.iter().position(|one| one.duplicate)?;
    let error = Error::PartlyDuplicate {
        duplicates: appended.iter().filter(|one| one.duplicate).count(),
        events: events.len(),
        id: events[index].event().id.as_ref().map(ToString::to_string).unwrap_or_default(),
        position: appended[index].position,
    };
    Some(Stopped { index, error })
}
