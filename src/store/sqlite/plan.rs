//! How a reader finds the events that it is to give: by looking at each, or by a list of positions.

use std::collections::HashSet;
use std::ops::ControlFlow;

use rusqlite::{Connection, Row, params_from_iter};

use super::failure::Failure;
use super::keys::{bounds, in_order};
use super::stream_index::{COLUMNS, Listed, StreamRow, list_positions};
use crate::event::Version;
use crate::store::Query;

/// How many events a plan lists; 24 MiB of them.
const LISTED: usize = 1 << 20;
/// A list is better than a scan where it holds at most one in so many positions.
const SPARSE: u64 = 8;

/// How to find the chosen events.
#[derive(Debug)]
pub(super) enum Plan {
    /// Look at each event.
    Scan,
    /// These events, from `next` on, are all of the chosen `streams` up to the position `covered`.
    List { events: Vec<Chosen>, streams: Vec<String>, next: usize, covered: u64 },
}

/// An event of a chosen stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chosen {
    pub(super) position: u64,
    pub(super) version: u64,
    /// Which of the streams it belongs to.
    pub(super) stream: u32,
}

impl Plan {
    /// The plan for the events that `query` chooses behind `after`, up to `end`. What it lists is
    /// complete up to `head`.
    pub(super) fn new(
        connection: &Connection,
        query: &Query,
        after: u64,
        end: u64,
        head: u64,
    ) -> Result<Self, Failure> {
        if query.all_streams() || after >= end {
            return Ok(Self::Scan);
        }
        let Some(streams) = chosen_streams(connection, query, (end - after) / SPARSE)? else {
            return Ok(Self::Scan);
        };
        let alone = streams.len() == 1;
        let mut events = Vec::new();
        let mut covered = head;
        for (stream, (name, row)) in (0..).zip(&streams) {
            let complete = list_positions(connection, name, row, (Version(0), after), |one| {
                let Listed { position, version } = one;
                events.push(Chosen { position, version, stream });
                if events.len() < LISTED {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
            if !complete {
                if !alone {
                    return Ok(Self::Scan);
                }
                // The rest of a long stream is listed when this part has been read.
                covered = events.last().map_or(head, |last| last.position);
            }
        }
        events.retain(|event| event.position <= end);
        events.sort_unstable_by_key(|event| event.position);
        let streams = streams.into_iter().map(|(name, _)| name).collect();
        Ok(Self::List { events, streams, next: 0, covered })
    }
}

/// The chosen streams, if they hold at most `most` events together, or are one.
fn chosen_streams(
    connection: &Connection,
    query: &Query,
    most: u64,
) -> Result<Option<Vec<(String, StreamRow)>>, Failure> {
    let mut chosen: Vec<(String, StreamRow)> = Vec::new();
    let mut events = 0_u64;
    // Patterns may overlap; a stream that is listed twice would be read twice.
    let mut known: HashSet<Box<str>> = HashSet::new();
    for pattern in &query.patterns {
        if let Some(name) = pattern.exact() {
            if known.insert(name.into()) {
                let row = StreamRow::read(connection, name)?;
                events += row.version;
                chosen.push((name.into(), row));
            }
            continue;
        }
        let (lower, select) = (pattern.prefix(), format!("SELECT {COLUMNS} FROM streams"));
        let whole = |row: &Row<'_>| StreamRow::from_row(row).map(drop);
        let mut statement = in_order(connection, &select, "name", lower, whole)?;
        let mut rows = statement.query(params_from_iter(bounds(lower)))?;
        while let Some(row) = rows.next()? {
            let (name, found) = StreamRow::from_row(row)?;
            if !name.starts_with(pattern.prefix()) {
                break;
            }
            if !pattern.matches(name) || !known.insert(name.into()) {
                continue;
            }
            events += found.version;
            if events > most {
                return Ok(None);
            }
            chosen.push((name.into(), found));
        }
    }
    Ok((chosen.len() == 1 || events <= most).then_some(chosen))
}
