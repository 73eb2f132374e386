//! Appending: wait for the turn, begin, append, commit, ring the bell.

use super::connection::{self, commit_failure, failure};
use super::transaction::{Failure, Head, Sealed, Transaction};
use super::{Store, Writer, bell};
use crate::event::NewEvent;
use crate::platform;
use crate::store::{Appended, AppendedEach, Error, Stopped};

/// How many events make it worth while to give SQLite a larger cache.
const BULK: usize = 64;

impl Store {
    /// Appends events in one transaction: all of them or none.
    pub(crate) fn append_all(&mut self, events: &[NewEvent]) -> Result<AppendedEach, Error> {
        if let Some(stopped) = self.first_refused(events) {
            return Ok(AppendedEach { appended: Vec::new(), stopped: Some(stopped) });
        }
        let mut stopped_at = None;
        let done = self.transact(events, |transaction, sealed| {
            let mut appended = Vec::with_capacity(sealed.len());
            for (index, event) in sealed.iter().enumerate() {
                match transaction.append(event) {
                    Ok(one) => appended.push(one),
                    Err(Failure::Refused(error)) => {
                        let stopped = match (&error, partly_duplicate(events, &appended)) {
                            // Part of it is there already: that is the reason to tell.
                            (Error::WrongExpectedVersion { .. }, Some(partly)) => partly,
                            _ => Stopped { index, error },
                        };
                        stopped_at = Some(stopped.index);
                        return Err(stopped.error.into());
                    }
                    Err(error) => return Err(error),
                }
            }
            match partly_duplicate(events, &appended) {
                Some(stopped) if !appended.iter().all(|one| one.duplicate) => {
                    stopped_at = Some(stopped.index);
                    Err(stopped.error.into())
                }
                _ => Ok(appended),
            }
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
    pub(crate) fn append_each(&mut self, events: &[NewEvent]) -> Result<AppendedEach, Error> {
        let unfit = self.first_refused(events);
        let fit = unfit.as_ref().map_or(events.len(), |stopped| stopped.index);
        let mut stopped = None;
        let appended = self.transact(&events[..fit], |transaction, sealed| {
            let mut appended = Vec::with_capacity(sealed.len());
            for (index, event) in sealed.iter().enumerate() {
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
    fn first_refused(&self, events: &[NewEvent]) -> Option<Stopped> {
        let max = self.marker.max_data_bytes;
        let index = events.iter().position(|event| event.data.len() > max)?;
        Some(Stopped { index, error: Error::TooLarge { bytes: events[index].data.len(), max } })
    }

    /// Runs `work` on the sealed events in one transaction, and commits what it did.
    fn transact<T>(
        &mut self,
        events: &[NewEvent],
        work: impl FnOnce(&mut Transaction<'_>, &[Sealed<'_>]) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        self.open_writer()?;
        let sealed = match &mut self.writer {
            Some(writer) => events
                .iter()
                .map(|event| Sealed::new(event, writer.salts.draw()))
                .collect::<Vec<_>>(),
            None => Vec::new(),
        };
        if events.len() > BULK
            && let Some(writer) = &self.writer
        {
            let enlarged = writer.connection.execute_batch("PRAGMA cache_size=-16000");
            enlarged.map_err(|error| failure(&self.layout, "set the cache", error))?;
        }
        self.write(|transaction| work(transaction, &sealed))
    }

    /// Waits for this writer's turn and runs `work` in one transaction.
    pub(super) fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        self.open_writer()?;
        let _turn = self.queue.enter(&self.layout, &self.options)?;
        self.check_in_place()?;
        let Some(writer) = &mut self.writer else { return Err(Error::Interrupted) };
        let failed = |error| failure(&self.layout, "write to the store", error);
        writer.connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| {
            match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DatabaseBusy) => {
                    Error::Busy { waited: self.options.lock_timeout }
                }
                _ => failed(error),
            }
        })?;
        // Where it was empty, the log may be new, and its name not yet durable.
        let new_log = connection::wal_bytes(&self.layout) == 0;
        let now = (self.options.clock)();
        let done = worked(&writer.connection, &self.marker.id, writer.acknowledged, now, work);
        let (value, before, head) = match done {
            Ok(done) => done,
            Err(failure) => {
                // What failed is told; a rollback that fails as well adds nothing.
                let _ = writer.connection.execute_batch("ROLLBACK");
                return Err(match failure {
                    Failure::Refused(error) => error,
                    Failure::Sqlite(error) => failed(error),
                });
            }
        };
        writer.acknowledged = None;
        if let Err(error) = writer.connection.execute_batch("COMMIT") {
            // As above.
            let _ = writer.connection.execute_batch("ROLLBACK");
            return Err(commit_failure(&self.layout, error));
        }
        if head.position != before.position {
            if new_log {
                platform::sync_dir(&self.layout.root)
                    .map_err(|error| Error::OutcomeUnknown { source: error.into() })?;
            }
            ring(writer, head);
        }
        if connection::wal_frames(&self.layout) > connection::FRAMES_AT_WORK {
            connection::checkpoint(&writer.connection);
            let _ = writer.connection.busy_timeout(self.options.lock_timeout);
        }
        Ok(value)
    }
}

/// What a transaction did, the head before it, and the head behind it.
fn worked<T>(
    connection: &rusqlite::Connection,
    store_id: &str,
    acknowledged: Option<bell::Acknowledged>,
    now: crate::event::Timestamp,
    work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Failure>,
) -> Result<(T, Head, Head), Failure> {
    let mut transaction = Transaction::new(connection, store_id, now)?;
    let before = transaction.head;
    if let Some(acknowledged) = acknowledged {
        bell::check(connection, acknowledged, &before)?;
    }
    let value = work(&mut transaction)?;
    Ok((value, before, transaction.finish()?))
}

/// Tells what is acknowledged. A bell that can't be rung never fails an append: followers look by
/// themselves.
fn ring(writer: &Writer, head: Head) {
    if let Some(bell) = &writer.bell {
        let _ = bell.ring(bell::Acknowledged { position: head.position, link: head.link });
    }
}

/// That events of a batch are stored already, told at the first of them; `None` where none is.
fn partly_duplicate(events: &[NewEvent], appended: &[Appended]) -> Option<Stopped> {
    let index = appended.iter().position(|one| one.duplicate)?;
    let error = Error::PartlyDuplicate {
        duplicates: appended.iter().filter(|one| one.duplicate).count(),
        events: events.len(),
        id: events[index].id.as_ref().map(ToString::to_string).unwrap_or_default(),
        position: appended[index].position,
    };
    Some(Stopped { index, error })
}
