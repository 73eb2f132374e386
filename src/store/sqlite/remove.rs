//! Removing what streams hold; a skeleton of each event stays.

use std::ops::ControlFlow;

use rusqlite::{Connection, OptionalExtension as _, Row, Statement, params};

use super::event_row::{COLUMNS, Fields, check_listed, missing};
use super::failure::Failure;
use super::stream_index::{Listed, StreamRow, list_positions};
use super::transaction::Transaction;
use super::{decision_rows, registry, state_rows};
use crate::event::{StreamName, TagsRef, Version};
use crate::store::Removed;
use crate::store::chain::{PayloadHash, Salt};

/// Removes the events and states of streams.
pub(super) fn remove(
    transaction: &mut Transaction<'_>,
    removed: &[Removed],
) -> Result<(), Failure> {
    let connection = transaction.connection();
    for Removed { stream, .. } in removed {
        let name = stream.as_str();
        let row = transaction.stream(name)?.clone();
        state_rows::remove(connection, name)?;
        if row.exists() {
            let last = Version(row.version);
            erase(connection, name, &row, last)?;
            transaction.mark_removed(name, last)?;
        }
    }
    let names: Vec<&str> = removed.iter().map(|one| one.stream.as_str()).collect();
    decision_rows::forget(connection, &names)?;
    if removed.is_empty() { Ok(()) } else { forget_what_quotes(transaction) }
}

/// Removes the states of streams; those that had one.
pub(super) fn remove_states(
    transaction: &mut Transaction<'_>,
    names: &[StreamName],
) -> Result<Vec<StreamName>, Failure> {
    let mut removed = Vec::new();
    for name in names {
        if state_rows::remove(transaction.connection(), name.as_str())? {
            removed.push(name.clone());
        }
    }
    if !removed.is_empty() {
        forget_what_quotes(transaction)?;
    }
    Ok(removed)
}

/// Has no byte of what was removed be left, and forgets what may quote it.
pub(super) fn forget_what_quotes(transaction: &mut Transaction<'_>) -> Result<(), Failure> {
    registry::forget_messages(transaction.connection())?;
    transaction.erase();
    Ok(())
}

/// Puts the payload's hash in the payload's place, event by event up to a version; which events those are.
pub(super) fn erase(
    connection: &Connection,
    name: &str,
    row: &StreamRow,
    last: Version,
) -> Result<Vec<Listed>, Failure> {
    let mut kept = Vec::new();
    list_positions(connection, name, row, (Version(row.removed), 0), |one| {
        if one.version > last.0 {
            return ControlFlow::Break(());
        }
        // Those that an earlier removal took lie before the others.
        if one.version > row.removed {
            kept.push(one);
        }
        ControlFlow::Continue(())
    })?;
    let mut eraser = Eraser::new(connection)?;
    for Listed { position, version } in kept.iter().copied() {
        eraser.erase(position, Erasure::Removal, |row| check_listed(row, name, version))?;
    }
    Ok(kept)
}

/// What is left of an event.
#[derive(Debug, Clone, Copy)]
pub(super) enum Erasure {
    /// A skeleton.
    Removal,
    /// Its type and its time, too, and its tags, unless they are taken.
    Redaction { takes_tags: bool },
}

/// Erases payloads, event by event.
pub(super) struct Eraser<'c> {
    read: Statement<'c>,
    write: Statement<'c>,
    untag: Statement<'c>,
}

impl<'c> Eraser<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        let read = format!("SELECT {COLUMNS}, salt, payload_hash FROM events WHERE position = ?1");
        let write =
            "UPDATE events SET type = ?4, data = NULL, metadata = NULL, tags = ?5, salt = NULL,
                     payload_hash = ?2, header = ?3 WHERE position = ?1";
        Ok(Self {
            read: connection.prepare(&read)?,
            write: connection.prepare(write)?,
            untag: connection.prepare("DELETE FROM tags WHERE tag = ?1 AND position = ?2")?,
        })
    }

    /// Erases the payload of an event whose row passes a check.
    pub(super) fn erase(
        &mut self,
        position: u64,
        erasure: Erasure,
        check: impl FnOnce(&Row<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let Self { read, write, untag } = self;
        let erased = read.query_row([position], |row| {
            check(row)?;
            let fields = Fields::read(row)?;
            let hash = match fields.payload() {
                Some(payload) => payload.hash(&row.get::<_, Salt>(8)?),
                // It was redacted, and has only the hash left.
                None => row.get::<_, PayloadHash>(9)?,
            };
            let left = match erasure {
                Erasure::Removal => fields.skeleton(),
                Erasure::Redaction { takes_tags } => fields.redacted(takes_tags),
            };
            for tag in TagsRef::stored(fields.tags.filter(|_| left.tags.is_none())).iter() {
                untag.execute(params![tag, position])?;
            }
            write.execute(params![position, hash, left.header(), left.event_type, left.tags])
        });
        erased.optional()?.map(drop).ok_or_else(|| missing(position))
    }
}
