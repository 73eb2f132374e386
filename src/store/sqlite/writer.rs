//! What writes: a connection, and what is kept between its transactions.

use rusqlite::{Connection, ErrorCode};

use super::bell::{self, Bell};
use super::connection::{self, failure};
use super::layout::Layout;
use super::log::Log;
use super::transaction::{Failure, Finished, Head, Streams, Transaction};
use crate::event::{Position, Timestamp};
use crate::store::{Error, Options};

/// What a writer keeps between its transactions.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: Connection,
    /// What the bell said before the connection's first look at the store, until it is checked.
    pub(super) acknowledged: Option<bell::Acknowledged>,
    bell: Option<Bell>,
    /// How long the log is.
    pub(super) log: Log,
    /// Why followers could not be told of the last event.
    pub(super) warning: Option<Error>,
    /// Everything up to here is known to be synced.
    pub(super) durable: Position,
    /// The streams as the last transaction left them, while no one else writes.
    pub(super) streams: Streams,
}

impl Writer {
    /// Opens what writing needs.
    pub(super) fn open(layout: &Layout, options: &Options) -> Result<Self, Error> {
        let acknowledged = bell::read(layout);
        let (connection, log) = connection::open_to_write(layout, options)?;
        Ok(Self {
            connection,
            log,
            acknowledged,
            bell: None,
            warning: None,
            durable: acknowledged.map_or(Position(0), |acknowledged| acknowledged.position),
            streams: Streams::default(),
        })
    }

    pub(super) fn begin(&self, layout: &Layout, options: &Options) -> Result<(), Error> {
        let begun = self.connection.execute_batch("BEGIN IMMEDIATE");
        begun.map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy) => Error::Busy { waited: options.lock_timeout },
            _ => failure(layout, "begin to write", error),
        })
    }

    /// Runs `work` in the transaction that has been begun; what it did, and the head where its commit
    /// will sync the log.
    pub(super) fn work<T>(
        &mut self,
        store_id: &str,
        now: Timestamp,
        many: bool,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<(T, Option<Head>), Failure> {
        // A failure leaves nothing behind.
        let mut streams = std::mem::take(&mut self.streams);
        let keep = many || !streams.is_empty();
        if keep {
            streams.keep_unless_changed(&self.connection)?;
        }
        let mut transaction = Transaction::new(&self.connection, store_id, now, streams)?;
        if let Some(acknowledged) = self.acknowledged {
            bell::check(&self.connection, acknowledged, &transaction.head)?;
        }
        let value = work(&mut transaction)?;
        let Finished { head, streams, syncs } = transaction.finish(self.durable)?;
        self.acknowledged = None;
        if keep {
            self.streams = streams;
        }
        Ok((value, syncs.then_some(head)))
    }

    /// Tells what is acknowledged. A bell that can't be rung never fails an append: followers look
    /// by themselves.
    pub(super) fn ring(&mut self, layout: &Layout, head: Head) {
        let acknowledged = bell::Acknowledged { position: head.position, link: head.link };
        let rung = match self.bell.take() {
            Some(bell) => Ok(bell),
            None => Bell::open(&layout.bell),
        }
        .and_then(|bell| bell.ring(acknowledged).map(|()| bell));
        match rung {
            Ok(bell) => (self.bell, self.warning) = (Some(bell), None),
            Err(error) => self.warning = Some(Error::io("ring the bell", &layout.bell)(error)),
        }
    }
}
