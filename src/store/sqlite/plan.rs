//! How a reader finds the events that it is to give: by looking at each, or by a list of positions.

use std::collections::HashSet;

use rusqlite::Connection;

use super::failure::Failure;
use super::stream_index::StreamRow;
use super::stream_index::list_positions;
use crate::event::Version;
use crate::store::Query;

/// How many positions a plan lists; 8 MiB of them.
const LISTED: usize = 1 << 20;
/// A list is better than a scan where it holds at most one in so many positions.
const SPARSE: u64 = 8;

/// How to find the chosen events.
#[derive(Debug)]
pub(super) enum Plan {
    /// Look at each event.
    Scan,
    /// These positions, from `next` on, hold all events of the chosen streams up to `covered`.
    List { positions: Vec<u64>, next: usize, covered: u64 },
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
        let mut positions = Vec::new();
        let mut covered = head;
        for (name, row) in &streams {
            let complete =
                list_positions(connection, name, row, (Version(0), after), &mut positions, LISTED)?;
            if !complete {
                if !alone {
                    return Ok(Self::Scan);
                }
                // The rest of a long stream is listed when this part has been read.
                covered = positions.last().copied().unwrap_or(head);
            }
        }
        positions.retain(|position| *position <= end);
        positions.sort_unstable();
        Ok(Self::List { positions, next: 0, covered })
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
        let mut statement = connection.prepare_cached(
            "SELECT name, version, removed, protected, tail FROM streams WHERE name >= ?1 ORDER BY name",
        )?;
        let mut rows = statement.query([pattern.prefix()])?;
        while let Some(row) = rows.next()? {
            let name = row.get_ref(0)?.as_str()?;
            if !name.starts_with(pattern.prefix()) {
                break;
            }
            if !pattern.matches(name) || !known.insert(name.into()) {
                continue;
            }
            events += row.get::<_, u64>(1)?;
            if events > most {
                return Ok(None);
            }
            chosen.push((name.into(), StreamRow::from_row(row, 1)?));
        }
    }
    Ok((chosen.len() == 1 || events <= most).then_some(chosen))
}
