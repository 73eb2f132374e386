//! Removing the first events of streams.

use std::ops::ControlFlow;

use rusqlite::Connection;

use super::decision_rows;
use super::event_row::{COLUMNS, Fields, missing};
use super::failure::Failure;
use super::remove::{erase, forget_what_quotes};
use super::stream_index::{Listed, StreamRow, list_positions};
use super::transaction::Transaction;
use crate::event::{Position, Timestamp, Version};
use crate::store::{Before, Mark, Truncated};

/// The last version of a stream that stands before a place; that before the first that is left where no more does.
pub(super) fn last_before(
    connection: &Connection,
    name: &str,
    before: Before,
) -> rusqlite::Result<Version> {
    let row = &StreamRow::read(connection, name)?;
    let mut last = row.removed;
    match before {
        Before::Mark(Mark::Version(version)) => last = version.0.saturating_sub(1),
        Before::Mark(Mark::Position(position)) => {
            list_positions(connection, name, row, (Version(row.removed), 0), |one| {
                if one.position >= position.0 {
                    return ControlFlow::Break(());
                }
                last = last.max(one.version);
                ControlFlow::Continue(())
            })?;
        }
        Before::Time(time) => {
            let mut failed = None;
            list_positions(connection, name, row, (Version(row.removed), 0), |one| {
                if one.version <= row.removed {
                    return ControlFlow::Continue(());
                }
                match time_of(connection, one.position) {
                    Ok(found) if found < time => {
                        last = one.version;
                        ControlFlow::Continue(())
                    }
                    Ok(_) => ControlFlow::Break(()),
                    Err(error) => {
                        failed = Some(error);
                        ControlFlow::Break(())
                    }
                }
            })?;
            if let Some(error) = failed {
                return Err(error);
            }
        }
    }
    Ok(Version(last))
}

/// The time of the event at a position.
fn time_of(connection: &Connection, position: u64) -> rusqlite::Result<Timestamp> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM events WHERE position = ?1"))?;
    let mut rows = statement.query([position])?;
    let fields = Fields::read(rows.next()?.ok_or_else(|| missing(position))?)?;
    Ok(fields.time.unwrap_or(fields.recorded))
}

/// Removes the first events of streams; their states stay.
pub(super) fn truncate(
    transaction: &mut Transaction<'_>,
    truncated: &[Truncated],
) -> Result<(), Failure> {
    let connection = transaction.connection();
    let mut erased = Vec::new();
    for Truncated { stream, removed, .. } in truncated {
        let name = stream.as_str();
        let row = transaction.stream(name)?.clone();
        let gone = erase(connection, name, &row, *removed)?;
        erased.extend(gone.into_iter().map(|Listed { position, .. }| Position(position)));
        transaction.mark_removed(name, *removed)?;
    }
    decision_rows::forget_of(connection, &erased)?;
    if truncated.is_empty() { Ok(()) } else { forget_what_quotes(transaction) }
}
