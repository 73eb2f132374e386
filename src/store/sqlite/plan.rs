//! Where the events stand that a query chooses.

use std::collections::HashSet;
use std::ops::ControlFlow;

use rusqlite::{Connection, Row, params_from_iter};

use super::failure::Failure;
use super::keys::{bounds, in_order};
use super::stream_index::{COLUMNS, Listed, StreamRow, list_positions};
use crate::event::{Pattern, TagsRef, Version};
use crate::store::look::{self, Asked, Effort, Listing};

/// How many events a plan lists; 24 MiB of them.
const LISTED: usize = 1 << 20;
/// How many events of each of several tags are listed at first, to find the rarest of them.
const FIRST: usize = 64;

/// Where the events of the chosen streams stand: see [`Look::positions`](crate::store::look::Look::positions).
pub(super) fn list(
    connection: &Connection,
    asked: &Asked<'_>,
    head: u64,
) -> Result<Option<Listing>, Failure> {
    let Asked { streams, after, end, most, known } = *asked;
    let Some(streams) = chosen_streams(connection, streams, most)? else { return Ok(None) };
    let alone = streams.len() == 1;
    let known = if alone { known } else { Version(0) };
    let mut events = Vec::new();
    let mut covered = head;
    for (stream, (name, row)) in (0..).zip(&streams) {
        let complete = list_positions(connection, name, row, (known, after), |one| {
            let Listed { position, version } = one;
            events.push(look::Listed { position, version, stream });
            if events.len() < LISTED { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        if !complete {
            if !alone {
                return Ok(None);
            }
            // The rest of a long stream is listed when this part has been read.
            covered = events.last().map_or(head, |last| last.position);
        }
    }
    events.retain(|event| event.position <= end);
    events.sort_unstable_by_key(|event| event.position);
    let streams = streams.into_iter().map(|(name, _)| name).collect();
    Ok(Some(Listing { events, streams, covered }))
}

/// The chosen streams, if they hold at most `most` events together, or are one.
fn chosen_streams(
    connection: &Connection,
    patterns: &[Pattern],
    most: u64,
) -> Result<Option<Vec<(String, StreamRow)>>, Failure> {
    let mut chosen: Vec<(String, StreamRow)> = Vec::new();
    let mut events = 0_u64;
    // Patterns may overlap; a stream that is listed twice would be read twice.
    let mut known: HashSet<Box<str>> = HashSet::new();
    for pattern in patterns {
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

/// Where the events with all of these tags stand: see
/// [`Look::positions_with`](crate::store::look::Look::positions_with).
pub(super) fn list_tagged(
    connection: &Connection,
    tags: TagsRef<'_>,
    between: (u64, u64),
    most: Effort,
) -> Result<Option<Listing>, Failure> {
    let tags: Vec<&str> = tags.iter().collect();
    let Rarest { index, mut positions, covered } = rarest(connection, &tags, between)?;
    if positions.len() as u64 > most.looked {
        return Ok(None);
    }
    if tags.len() > 1 && !positions.is_empty() {
        let is_there = "SELECT 1 FROM tags WHERE tag = ?1 AND position = ?2";
        let mut is_there = connection.prepare_cached(is_there)?;
        for (_, tag) in tags.iter().enumerate().filter(|(other, _)| *other != index) {
            let mut with_it = Vec::new();
            for position in positions {
                if is_there.exists((tag, position))? {
                    with_it.push(position);
                }
            }
            positions = with_it;
        }
    }
    if positions.len() as u64 > most.listed {
        return Ok(None);
    }
    let events = positions.into_iter().map(look::Listed::at).collect();
    Ok(Some(Listing { events, streams: Vec::new(), covered }))
}

/// The tag that the fewest events have.
struct Rarest {
    /// Which one it is.
    index: usize,
    /// Where its events stand.
    positions: Vec<u64>,
    /// All up to here are among them; the rest is listed when these have been read.
    covered: u64,
}

/// Which of the tags the fewest events have between two places. The lists of the others are read only as far as that
/// one goes.
fn rarest(
    connection: &Connection,
    tags: &[&str],
    (after, end): (u64, u64),
) -> rusqlite::Result<Rarest> {
    let mut list = connection.prepare_cached(
        "SELECT position FROM tags WHERE tag = ?1 AND position > ?2 AND position <= ?3 ORDER BY position LIMIT ?4",
    )?;
    let mut most = if tags.len() > 1 { FIRST } else { LISTED };
    loop {
        let mut fewest = Rarest { index: 0, positions: Vec::new(), covered: 0 };
        for (index, tag) in tags.iter().enumerate() {
            let rows = list.query_map((tag, after, end, most as u64), |row| row.get(0))?;
            let positions: Vec<u64> = rows.collect::<Result<_, _>>()?;
            let is_whole = positions.len() < most;
            let covered = if is_whole { end } else { positions.last().copied().unwrap_or(end) };
            // Of lists that are not whole the one that goes furthest is of the rarest.
            if covered > fewest.covered || positions.len() < fewest.positions.len() {
                fewest = Rarest { index, positions, covered };
            }
        }
        if fewest.positions.len() < most || most == LISTED {
            return Ok(fewest);
        }
        most = most.saturating_mul(8).min(LISTED);
    }
}
