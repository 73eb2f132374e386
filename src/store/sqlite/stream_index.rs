//! Where a stream's events are: its row, and the pages of positions behind it.
//!
//! A stream's positions are kept in pages of [`PAGE`], so that an append touches one small row of
//! its stream and no index of events: see `docs/stream-index.md`. Within a page each position is
//! the distance from the one before (the first from 0) as LEB128, seven bits a byte, low bits
//! first.

use std::ops::ControlFlow;

use rusqlite::{Connection, Row, params};

use super::failure::damaged;
use crate::event::{Position, Version};
use crate::store::hash::{Fields, sum};

/// What a stream is read from.
pub(super) const COLUMNS: &str = "name, version, removed, protected, sum, tail";

/// How many positions a page holds.
const PAGE: u64 = 64;

/// How many pages are read rather than searched.
const FEW_PAGES: u64 = 8;
/// One page.
const PAGE_COLUMNS: &str =
    "SELECT page, sum, positions FROM stream_pages WHERE stream = ?1 AND page = ?2";

/// A row of `streams`.
#[derive(Debug, Clone, Default)]
pub(super) struct StreamRow {
    pub(super) version: u64,
    /// The version up to which the events are removed.
    pub(super) removed: u64,
    pub(super) protected: bool,
    /// The packed positions behind the last full page.
    pub(super) tail: Vec<u8>,
    /// The last position in `tail`, 0 where it is empty.
    pub(super) last: u64,
    pub(super) changed: bool,
    /// Which number facts gave it, and for the how manieth time.
    pub(super) numbered: (u64, u32),
}

impl StreamRow {
    /// The row of the stream `name`; that of a stream that was never written where there is none.
    pub(super) fn read(connection: &Connection, name: &str) -> rusqlite::Result<Self> {
        // One step finds the row, or the one behind the place where it would be.
        let found = first(connection, name, "name >= ?1 ORDER BY name", |found, row| {
            Ok((found == name).then_some(row))
        })?;
        if let Some(Some(row)) = found {
            return Ok(row);
        }
        // A name that was changed by a flipped bit stands nearby, and is seen there.
        first(connection, name, "name < ?1 ORDER BY name DESC", |_, _| Ok(()))?;
        Ok(Self::default())
    }

    /// The stream in a row of [`COLUMNS`], and its name.
    pub(super) fn from_row<'r>(row: &'r Row<'_>) -> rusqlite::Result<(&'r str, Self)> {
        let name = row.get_ref(0)?.as_str()?;
        let tail: Vec<u8> = row.get(5)?;
        let read = Self {
            version: row.get(1)?,
            removed: row.get(2)?,
            protected: row.get(3)?,
            last: unpack(&tail).last().unwrap_or_default(),
            tail,
            changed: false,
            numbered: (0, 0),
        };
        if row.get::<_, i64>(4)? != read.sum(name) {
            return Err(damaged(format!("the stream `{name}` is not what was stored")));
        }
        Ok((name, read))
    }

    /// The sum of the row of the stream `name`.
    pub(super) fn sum(&self, name: &str) -> i64 {
        sum(|fields| {
            fields.text(name);
            fields.number(self.version);
            fields.number(self.removed);
            fields.number(self.protected.into());
            fields.bytes(&self.tail);
        })
    }

    /// Whether the stream holds an event.
    pub(super) fn exists(&self) -> bool {
        self.version > self.removed
    }

    /// Moves the stream `name` on by the event at `position`; a full page goes to its table.
    pub(super) fn advance(
        &mut self,
        connection: &Connection,
        name: &str,
        position: Position,
    ) -> rusqlite::Result<()> {
        pack(&mut self.tail, self.last, position.0);
        self.last = position.0;
        self.version += 1;
        self.changed = true;
        if self.version.is_multiple_of(PAGE) {
            let mut statement =
                connection.prepare_cached("INSERT INTO stream_pages VALUES (?1, ?2, ?3, ?4)")?;
            let page = self.version / PAGE - 1;
            statement.execute(params![name, page, page_sum(name, page, &self.tail), self.tail])?;
            self.tail.clear();
            self.last = 0;
        }
        Ok(())
    }
}

/// Gives the first row of `streams` that `condition` finds for `name` to `take`.
fn first<T>(
    connection: &Connection,
    name: &str,
    condition: &str,
    take: impl FnOnce(&str, StreamRow) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    let select = format!("SELECT {COLUMNS} FROM streams WHERE {condition} LIMIT 1");
    let mut statement = connection.prepare_cached(&select)?;
    let mut rows = statement.query([name])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (found, row) = StreamRow::from_row(row)?;
    take(found, row).map(Some)
}

/// The sum of a page of the positions of the stream `name`.
fn page_sum(name: &str, page: u64, positions: &[u8]) -> i64 {
    sum(|fields| {
        fields.text(name);
        fields.number(page);
        fields.bytes(positions);
    })
}

/// Where an event of a stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) position: u64,
    pub(super) version: u64,
}

/// Gives the events behind the position `after` of a stream to `each`, in order, until that says that it
/// has enough; whether it was given all. Those of the versions up to `version` are known to stand before.
pub(super) fn list_positions(
    connection: &Connection,
    name: &str,
    row: &StreamRow,
    (version, after): (Version, u64),
    mut each: impl FnMut(Listed) -> ControlFlow<()>,
) -> rusqlite::Result<bool> {
    let tail = row.version / PAGE;
    let mut page = page_before(connection, name, (version.0 / PAGE, tail), after)?;
    let mut give = |page: u64, packed: &[u8]| {
        unpack(packed).zip(page * PAGE + 1..).try_for_each(|(position, version)| {
            if position <= after {
                ControlFlow::Continue(())
            } else {
                each(Listed { position, version })
            }
        })
    };
    if page < tail {
        let mut statement = connection.prepare_cached(
            "SELECT page, sum, positions FROM stream_pages WHERE stream = ?1 AND page >= ?2 ORDER BY page",
        )?;
        let mut pages = statement.query((name, page))?;
        while let Some(found) = pages.next()? {
            let positions = whole_page(name, page, found)?;
            if give(page, positions).is_break() {
                return Ok(false);
            }
            page += 1;
        }
        if page != tail {
            return Err(lost_page(name, page));
        }
    }
    Ok(give(tail, &row.tail).is_continue())
}

/// A page from `first` on, before `tail`, before which all events of a stream stand at `after` or before: of many the
/// one that is to be read first, of few any.
fn page_before(
    connection: &Connection,
    name: &str,
    (first, tail): (u64, u64),
    after: u64,
) -> rusqlite::Result<u64> {
    let (mut page, mut behind) = (first, tail);
    if after == 0 || behind.saturating_sub(page) <= FEW_PAGES {
        return Ok(page);
    }
    let mut statement = connection.prepare_cached(PAGE_COLUMNS)?;
    while page + 1 < behind {
        let middle = page + (behind - page) / 2;
        let mut rows = statement.query((name, middle))?;
        let row = rows.next()?.ok_or_else(|| lost_page(name, middle))?;
        if unpack(whole_page(name, middle, row)?).next().is_some_and(|first| first <= after) {
            page = middle;
        } else {
            behind = middle;
        }
    }
    Ok(page)
}

/// The positions in a row with the columns `page, sum, positions`, which has to be that of `page`.
fn whole_page<'r>(name: &str, page: u64, row: &'r Row<'_>) -> rusqlite::Result<&'r [u8]> {
    let positions = row.get_ref(2)?.as_blob()?;
    let whole =
        row.get::<_, u64>(0)? == page && row.get::<_, i64>(1)? == page_sum(name, page, positions);
    if whole { Ok(positions) } else { Err(lost_page(name, page)) }
}

/// That it is not known where a part of a stream's events stands.
#[cold]
fn lost_page(name: &str, page: u64) -> rusqlite::Error {
    let (first, last) = (page * PAGE + 1, (page + 1) * PAGE);
    damaged(format!(
        "where the versions {first} to {last} of the stream `{name}` stand is not what was stored"
    ))
}

/// Where the event `version` of a stream stands; 0 for version 0.
pub(super) fn position_of(
    connection: &Connection,
    name: &str,
    row: &StreamRow,
    version: Version,
) -> rusqlite::Result<u64> {
    let Some(index) = version.0.checked_sub(1) else { return Ok(0) };
    // Within a page, so it fits.
    let within = usize::try_from(index % PAGE).unwrap_or_default();
    let page = index / PAGE;
    if page == row.version / PAGE {
        return Ok(unpack(&row.tail).nth(within).unwrap_or_default());
    }
    let mut statement = connection.prepare_cached(PAGE_COLUMNS)?;
    let mut rows = statement.query((name, page))?;
    let row = rows.next()?.ok_or_else(|| lost_page(name, page))?;
    Ok(unpack(whole_page(name, page, row)?).nth(within).unwrap_or_default())
}

/// Has the stream `name` end with its last event that does not stand behind `end`; without one it is gone. How many
/// events it has left.
pub(super) fn end_at(connection: &Connection, name: &str, end: u64) -> rusqlite::Result<u64> {
    let mut row = StreamRow::read(connection, name)?;
    let (mut version, mut page) = (0, Vec::new());
    list_positions(connection, name, &row, (Version(0), 0), |one| {
        if one.position > end {
            return ControlFlow::Break(());
        }
        version = one.version;
        if version % PAGE == 1 {
            page.clear();
        }
        page.push(one.position);
        ControlFlow::Continue(())
    })?;
    let full = version / PAGE;
    let delete = "DELETE FROM stream_pages WHERE stream = ?1 AND page >= ?2";
    connection.prepare_cached(delete)?.execute(params![name, full])?;
    if version == 0 {
        connection.prepare_cached("DELETE FROM streams WHERE name = ?1")?.execute([name])?;
        return Ok(0);
    }
    if version % PAGE == 0 {
        page.clear();
    }
    let (mut tail, mut before) = (Vec::new(), 0);
    for position in page {
        pack(&mut tail, before, position);
        before = position;
    }
    row = StreamRow { version, removed: row.removed.min(version), tail, ..row };
    let update =
        "UPDATE streams SET version = ?2, removed = ?3, tail = ?4, sum = ?5 WHERE name = ?1";
    let mut update = connection.prepare_cached(update)?;
    update.execute(params![name, row.version, row.removed, row.tail, row.sum(name)])?;
    Ok(version)
}

/// Appends `position`, which follows the position `before` in its page (0 where it is the first).
pub(super) fn pack(page: &mut Vec<u8>, before: u64, position: u64) {
    Fields(page).varint(position.wrapping_sub(before));
}

/// The positions in a page, in order.
pub(super) fn unpack(page: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let mut position = 0_u64;
    let mut bytes = page.iter();
    std::iter::from_fn(move || {
        let (mut distance, mut shift) = (0_u64, 0);
        loop {
            let byte = *bytes.next()?;
            distance |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or_default();
            if byte & 0x80 == 0 {
                position = position.wrapping_add(distance);
                return Some(position);
            }
            shift += 7;
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(distances in prop::collection::vec(1..u64::MAX >> 8, 0..64)) {
            let positions: Vec<u64> = distances
                .iter()
                .scan(0, |position, distance| { *position += distance; Some(*position) })
                .collect();
            let mut page = Vec::new();
            let mut before = 0;
            for position in &positions {
                pack(&mut page, before, *position);
                before = *position;
            }
            prop_assert_eq!(unpack(&page).collect::<Vec<_>>(), positions);
        }
    }

    #[test]
    fn neighbours_take_a_byte() {
        let mut page = Vec::new();
        pack(&mut page, 0, 1_000_000);
        pack(&mut page, 1_000_000, 1_000_001);
        assert_eq!(page.len(), 4);
    }
}
