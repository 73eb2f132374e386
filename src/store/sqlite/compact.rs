//! Compacting: room that removals left is given back, in steps between which others write.
//!
//! A removal leaves a skeleton of each event where the event was: pages that are partly empty, and none that is
//! free, since SQLite merges pages where rows are deleted and not where they shrink. So the events of a range that has
//! skeletons are deleted and inserted again, which fills the pages. (Skeletons alone would do where removed events
//! stand side by side. Where a quarter is removed here and there, of events of 1 KB, that gains an eighth, and this a
//! quarter.) Then pages from the end of the file are moved into those that became free, some hundred at a time. Each
//! step is a transaction and a turn of its own, and leaves the store whole.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::Store;
use super::failure::Failure;
use super::log;
use super::transaction::Transaction;
use crate::store::Error;
use crate::store::compact::Compacted;

/// How many positions a step packs at most, and how many bytes of data, one event more at most.
const PACKED: u64 = 1000;
const PACKED_BYTES: u64 = 2 << 20;
/// A range is worth it where one in so many of its events is a skeleton.
const WORTH: u64 = 16;
/// How many pages a step moves.
const MOVED: u32 = 500;

impl Store {
    /// Gives back the room that removals left; `tell` is given how far it is, and of how much.
    pub(crate) fn compact(&mut self, tell: &mut dyn FnMut(u64, u64)) -> Result<Compacted, Error> {
        let before = self.look(|connection| Ok(bytes(connection)?))?;
        let head = self.head()?.0;
        let (mut packed, mut next) = (0, 1);
        while let Some(range) = self.look(|connection| Ok(range(connection, next, head)?))? {
            tell(range.first - 1, head);
            next = range.last + 1;
            if range.skeletons * WORTH >= range.events {
                packed += self.step(|transaction| {
                    Ok(pack(transaction.connection(), range.first, range.last)?)
                })?;
            }
        }
        tell(head, head);
        while self.step(move_pages)? {}
        let unfinished = self.shrink()?;
        let after = self.look(|connection| Ok(bytes(connection)?))?;
        Ok(Compacted { before, after, packed, unfinished })
    }

    /// Does one step in a turn of its own, and moves what it wrote out of the log.
    fn step<T>(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        if self.is_interrupted() {
            return Err(Error::Interrupted);
        }
        let (turn, head) = self.begin()?;
        let Some(writer) = &mut self.writer else { return Err(Error::Interrupted) };
        let done = writer.work(&turn, head, false, work)?;
        // Or the last step would have all of it to move, in one turn. A reader in the way is no failure.
        let _ = log::move_log(&writer.connection, &writer.layout.database, "PASSIVE");
        Ok(done)
    }

    /// Scrubs what moved rows left in the gaps of pages, and cuts the log: only then is the file shorter. Why that
    /// is not done, where it is not.
    fn shrink(&mut self) -> Result<Option<Error>, Error> {
        self.write(false, |transaction| {
            transaction.erase();
            Ok(())
        })?;
        Ok(self.finish_erasure())
    }
}

/// How many bytes the database has.
fn bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let pages = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
    connection.query_row(pages, [], |row| row.get(0))
}

/// Events that a step packs.
#[derive(Debug)]
struct Range {
    first: u64,
    last: u64,
    events: u64,
    /// Those of them of which only a skeleton is left.
    skeletons: u64,
}

/// The next range from `next` on, up to `head`.
fn range(connection: &Connection, next: u64, head: u64) -> rusqlite::Result<Option<Range>> {
    if next > head {
        return Ok(None);
    }
    let mut range = Range { first: next, last: next, events: 0, skeletons: 0 };
    let mut statement = connection.prepare_cached(
        "SELECT position, payload_hash IS NOT NULL, ifnull(octet_length(data), 0) FROM events \
         WHERE position >= ?1 AND position < ?2 ORDER BY position",
    )?;
    let mut rows = statement.query([next, head.min(next + PACKED - 1) + 1])?;
    let mut bytes = 0_u64;
    while bytes < PACKED_BYTES
        && let Some(row) = rows.next()?
    {
        range.last = row.get(0)?;
        range.events += 1;
        range.skeletons += u64::from(row.get::<_, bool>(1)?);
        bytes += row.get::<_, u64>(2)?;
    }
    Ok(Some(range))
}

/// Deletes the events at these positions and inserts them again, so that they fill their pages; how many of them
/// are skeletons.
fn pack(connection: &Connection, first: u64, last: u64) -> rusqlite::Result<u64> {
    const THERE: &str = "position BETWEEN ?1 AND ?2";
    // All columns, as they are: a later ream may have more.
    let mut read = connection.prepare_cached(&format!(
        "SELECT payload_hash IS NOT NULL, * FROM events WHERE {THERE} ORDER BY position"
    ))?;
    let columns = read.column_count();
    let mut skeletons = 0;
    let rows = read.query_map([first, last], |row| {
        skeletons += u64::from(row.get::<_, bool>(0)?);
        (1..columns).map(|column| row.get(column)).collect::<rusqlite::Result<Vec<Value>>>()
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    connection
        .prepare_cached(&format!("DELETE FROM events WHERE {THERE}"))?
        .execute([first, last])?;
    let values = vec!["?"; columns - 1].join(", ");
    let mut write = connection.prepare_cached(&format!("INSERT INTO events VALUES ({values})"))?;
    for row in &rows {
        write.execute(params_from_iter(row))?;
    }
    Ok(skeletons)
}

/// Moves pages from the end of the file into free ones; whether there are more.
fn move_pages(transaction: &mut Transaction<'_>) -> Result<bool, Failure> {
    let connection = transaction.connection();
    let free = || connection.query_row("PRAGMA freelist_count", [], |row| row.get::<_, u32>(0));
    if free()? == 0 {
        return Ok(false);
    }
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({MOVED})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    drop(rows);
    drop(statement);
    let left = free()?;
    transaction.touch();
    Ok(left > 0)
}
