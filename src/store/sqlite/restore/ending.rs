//! Having the log of a store end earlier: what lies behind goes, and no byte of it stays.
//!
//! Only the copy that is about to be a store is changed so: no one else knows it yet.

use rusqlite::Connection;

use crate::event::{StreamName, Timestamp};
use crate::store::restore::Dropped;
use crate::store::sqlite::event_row::{missing, recorded_and_link};
use crate::store::sqlite::failure::{Failure, failure};
use crate::store::sqlite::{Layout, database, decision_rows, registry, state_rows, stream_index};
use crate::store::{Checkpoint, Error, Options};

/// The last position up to `head` whose event was recorded at `time` or before; the clock of the log never goes
/// back.
pub(super) fn last_recorded(
    connection: &Connection,
    time: Timestamp,
    head: u64,
) -> rusqlite::Result<u64> {
    let select = "SELECT header FROM events WHERE position = ?1";
    let mut select = connection.prepare(select)?;
    let (mut last, mut behind) = (0, head + 1);
    while last + 1 < behind {
        let middle = last + (behind - last) / 2;
        let recorded = select.query_row([middle], |row| Ok(recorded_and_link(row, 0)?.0));
        let recorded = recorded.map_err(|error| match error {
            rusqlite::Error::QueryReturnedNoRows => missing(middle),
            error => error,
        });
        if recorded? <= time {
            last = middle;
        } else {
            behind = middle;
        }
    }
    Ok(last)
}

/// Has the log of the store in `layout`, which ends at `head`, end at `end`; what that cost.
pub(super) fn end_at(
    layout: &Layout,
    options: &Options,
    head: &Checkpoint,
    end: &Checkpoint,
) -> Result<Dropped, Error> {
    let failed = |error| failure(layout, "end the log", error);
    // Without a log of its own, since it would hold the whole database once more.
    let set_up = |connection: &Connection| {
        connection.execute_batch("PRAGMA synchronous=FULL; PRAGMA journal_mode=DELETE;")
    };
    let connection = database::open(&layout.place, "db", options, &[], set_up, failed)?;
    let dropped = end_in(&connection, head, end);
    let dropped = dropped.map_err(|failed| failed.into_error(layout, "end the log"))?;
    // It writes each page anew, without what was in it before.
    connection
        .execute_batch("VACUUM")
        .and_then(|()| database::write_by_log(&connection))
        .map_err(failed)?;
    Ok(dropped)
}

fn end_in(
    connection: &Connection,
    head: &Checkpoint,
    end: &Checkpoint,
) -> Result<Dropped, Failure> {
    let transaction = connection.unchecked_transaction()?;
    let position = end.position.0;
    let streams = "SELECT DISTINCT stream FROM events WHERE position > ?1";
    let streams: Vec<String> = connection
        .prepare(streams)?
        .query_map([position], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for stream in &streams {
        stream_index::end_at(connection, stream, position)?;
    }
    let states = state_rows::end_at(connection, position)?;
    let dropped = Dropped {
        events: head.position.0.saturating_sub(position),
        states: states.iter().map(|stream| StreamName::stored(stream)).collect(),
        decisions: decision_rows::end_at(connection, position)?,
        subscriptions: registry::end_at(connection, end)?,
    };
    for table in ["tags", "events"] {
        connection.execute(&format!("DELETE FROM {table} WHERE position > ?1"), [position])?;
    }
    transaction.commit()?;
    Ok(dropped)
}
