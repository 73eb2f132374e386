//! What decisions are made of, and those that are remembered.

use std::ops::ControlFlow;

use rusqlite::{Connection, OptionalExtension as _};

use super::event_row::{COLUMNS, check_listed, event, missing};
use super::failure::Failure;
use super::lock::Queue;
use super::state_rows::{self, Stored};
use super::stream_index::{Listed, StreamRow, list_positions};
use super::{Store, Turn, decision_rows};
use crate::event::{Data, StreamName, Version};
use crate::store::rules::{Kept, KnownDecision};
use crate::store::{Aggregate, Error};

/// How many bytes of state and events a decision is made of.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// How many events; in a line of their own each has more bytes than these are a part of.
const MOST_EVENTS: usize = MOST_BYTES / 64;

impl Store {
    pub(crate) fn load(&self, name: &StreamName) -> Result<Aggregate, Error> {
        self.look(|connection| load(connection, name))
    }

    /// The decision that is kept under the id of a command.
    pub(crate) fn known_decision(
        &mut self,
        kept: &Kept<'_>,
    ) -> Result<Option<KnownDecision>, Error> {
        if self.look(|connection| decision_rows::find(connection, kept))?.is_none() {
            return Ok(None);
        }
        // Who made the decision may have died before the log was synced, and its answer was never
        // given. Ours is found on a log whose end is known to be on the disk.
        self.write(false, |transaction| decision_rows::find(transaction.connection(), kept))
    }

    /// A turn to decide; none where others kept theirs for too long, or there can be none.
    pub(crate) fn queue(&mut self, name: &StreamName) -> Result<Option<Turn>, Error> {
        let returning = std::mem::replace(&mut self.has_decided, true);
        let mut queue = Queue::of_deciders(&self.layout, name.as_str(), returning);
        let entered = match queue.enter(&self.options) {
            // The first decider of a store makes the directory.
            Err(Error::Io { .. }) => self
                .layout
                .place
                .make_directory("deciders")
                .and_then(|()| queue.enter(&self.options)),
            entered => entered,
        };
        match entered {
            Err(error @ (Error::Interrupted | Error::Place { .. })) => Err(error),
            entered => Ok(entered.ok()),
        }
    }
}

fn load(connection: &Connection, name: &StreamName) -> Result<Aggregate, Failure> {
    let row = StreamRow::read(connection, name.as_str())?;
    let stored = state_rows::stored(connection, name.as_str())?;
    let (state, state_version, after) = match stored {
        Some(Stored { version, position, data, .. }) => (Some(data), version, position.0),
        None => (None, Version(0), 0),
    };
    let too_large = || {
        let stream = name.to_string();
        Failure::Refused(Error::AggregateTooLarge { stream, state_version, max: MOST_BYTES })
    };
    let mut listed = Vec::new();
    let from = (state_version, after);
    let all = list_positions(connection, name.as_str(), &row, from, |one| {
        listed.push(one);
        if listed.len() > MOST_EVENTS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if !all {
        return Err(too_large());
    }
    let mut read =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM events WHERE position = ?1"))?;
    let mut bytes = state.as_ref().map_or(0, Data::len);
    let mut events = Vec::new();
    for Listed { position, version } in listed {
        let found = read.query_row([position], |row| {
            check_listed(row, name.as_str(), version)?;
            Ok(event(row)?.map(|event| event.to_event()))
        });
        if let Some(event) = found.optional()?.ok_or_else(|| missing(position))? {
            bytes +=
                event.data.len() + event.metadata.as_ref().map_or(0, |json| json.as_str().len());
            events.push(event);
        }
        if bytes > MOST_BYTES {
            return Err(too_large());
        }
    }
    let version = Version(row.version);
    Ok(Aggregate { stream: name.clone(), version, state, state_version, events })
}
