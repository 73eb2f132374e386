//! Scrubbing: what SQLite leaves in the gaps of its pages is overwritten.
//!
//! SQLite overwrites what it frees (`secure_delete`). Where a page was split, the cells that moved still
//! stand in the gap between its cell pointers and its cells: such gaps are scrubbed here, through
//! `sqlite_dbpage`. The format of pages is from "Database File Format" of SQLite's documentation, 1.6.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension as _, params};

/// How long a turn scrubs at first.
const SCRUBBING: Duration = Duration::from_millis(60);
/// How many pages a turn changes, so that its commit is short as well.
const SCRUBBED: usize = 1000;
/// From here on the number of the page that follows, at the start of an overflow page, could look like
/// the type of a page.
const TOO_LARGE: u32 = 1 << 25;

/// Leaves word that something is to be erased, as the last step of a transaction that removes it, and
/// scrubs what can be scrubbed in the same turn.
pub(super) fn begin(connection: &Connection) -> rusqlite::Result<()> {
    let all = matches!(scrub(connection, 1, SCRUBBING)?, Scrubbed::All);
    connection.execute("DELETE FROM erasures", [])?;
    connection.execute("INSERT INTO erasures VALUES (?1)", [all])?;
    Ok(())
}

/// Whether something is still to be erased, and then whether all pages are scrubbed.
pub(super) fn unfinished(connection: &Connection) -> rusqlite::Result<Option<bool>> {
    let mut statement = connection.prepare_cached("SELECT scrubbed FROM erasures")?;
    statement.query_row([], |row| row.get(0)).optional()
}

/// How far a scrub came.
#[derive(Debug)]
pub(super) enum Scrubbed {
    /// All pages are done.
    All,
    /// The rest begins with this page.
    Until(u32),
    /// This SQLite can't, or the database is too large for it to be safe.
    Unable,
}

/// Overwrites the gaps of the pages from `first` on, as many as there is `time` for.
fn scrub(connection: &Connection, first: u32, time: Duration) -> rusqlite::Result<Scrubbed> {
    let pages: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let module = "SELECT 1 FROM pragma_module_list WHERE name = 'sqlite_dbpage'";
    if pages >= TOO_LARGE || connection.query_row(module, [], |_| Ok(())).optional()?.is_none() {
        return Ok(Scrubbed::Unable);
    }
    // DEFENSIVE keeps `sqlite_dbpage` from being written; it is off for as long as this takes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
    let scrubbed = scrub_pages(connection, first..=pages, time);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    scrubbed
}

fn scrub_pages(
    connection: &Connection,
    pages: RangeInclusive<u32>,
    time: Duration,
) -> rusqlite::Result<Scrubbed> {
    let begun = Instant::now();
    let mut read = connection.prepare("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
    let mut write = connection.prepare("UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1")?;
    let mut changed = 0;
    let shrinks =
        connection.query_row("PRAGMA auto_vacuum", [], |row| Ok(row.get::<_, u32>(0)? != 0))?;
    let last = *pages.end();
    for number in pages {
        let cleaned = read.query_row([number], |row| {
            let page = row.get_ref(0)?.as_blob()?;
            let scrubs = !(shrinks && is_pointer_map(number, page));
            Ok(if scrubs { without_gap(number, page) } else { None })
        })?;
        if let Some(page) = cleaned {
            write.execute(params![number, page])?;
            changed += 1;
        }
        if number < last && (changed == SCRUBBED || begun.elapsed() > time) {
            return Ok(Scrubbed::Until(number + 1));
        }
    }
    Ok(Scrubbed::All)
}

/// Whether a page says what points to other pages, where a database that can shrink has such: they look
/// like b-trees. See "Database File Format", 1.8.
fn is_pointer_map(number: u32, page: &[u8]) -> bool {
    let every = u32::try_from(page.len() / 5 + 1).unwrap_or(u32::MAX);
    number >= 2 && (number - 2).is_multiple_of(every)
}

/// A page of a b-tree without what stands in the gap between its cell pointers and its cells; nothing
/// where it has none, or is no such page.
fn without_gap(number: u32, page: &[u8]) -> Option<Vec<u8>> {
    let header = if number == 1 { 100 } else { 0 };
    let pointers = match page.get(header)? {
        // Interior pages of an index and of a table; leaves of both.
        2 | 5 => header + 12,
        10 | 13 => header + 8,
        _ => return None,
    };
    let number_at =
        |at: usize| Some(usize::from(u16::from_be_bytes([*page.get(at)?, *page.get(at + 1)?])));
    let from = pointers + 2 * number_at(header + 3)?;
    let to = match number_at(header + 5)? {
        0 => 65_536,
        to => to,
    };
    page.get(from..to)?.iter().any(|byte| *byte != 0).then(|| {
        let mut page = page.to_vec();
        page[from..to].fill(0);
        page
    })
}

/// How far an erasure has come that takes several turns.
#[derive(Debug)]
pub(super) struct Progress {
    /// The first page that is not scrubbed.
    next: u32,
    /// The number that changes when someone else commits, as of the last turn.
    data_version: i64,
    /// Whether someone else has committed between turns: a page that was scrubbed may since have taken
    /// over what stood in the gap of another.
    disturbed: bool,
    /// How long a turn may take. It doubles each time that it was disturbed up to the end: where others always
    /// commit in between, the last time is one turn, or it would go on for ever.
    time: Duration,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { next: 1, data_version: 0, disturbed: false, time: SCRUBBING }
    }

    /// Scrubs for a turn, in the transaction that `connection` is in. It is done where that comes to the
    /// end, and no one else has committed since it began.
    pub(super) fn scrub(&mut self, connection: &Connection) -> rusqlite::Result<Scrubbed> {
        let data_version = connection.query_row("PRAGMA data_version", [], |row| row.get(0))?;
        self.disturbed |= self.next > 1 && data_version != self.data_version;
        self.data_version = data_version;
        match scrub(connection, self.next, self.time)? {
            Scrubbed::All if self.disturbed => {
                *self = Self { time: self.time.saturating_mul(2), ..Self::new() };
                Ok(Scrubbed::Until(self.next))
            }
            Scrubbed::Until(next) => {
                self.next = next;
                Ok(Scrubbed::Until(next))
            }
            scrubbed => Ok(scrubbed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A leaf of a table with two cells, and something in its gap.
    fn leaf() -> Vec<u8> {
        let mut page = vec![0; 4096];
        page[..8].copy_from_slice(&[13, 0, 0, 0, 2, 0x0f, 0xf0, 0]);
        page[8..12].copy_from_slice(&[0x0f, 0xf8, 0x0f, 0xf0]);
        page[0xff0..].fill(7);
        page[100..105].copy_from_slice(b"stale");
        page
    }

    #[test]
    fn an_erasure_ends_also_where_others_always_commit() {
        let home = tempfile::tempdir().unwrap();
        let open = || Connection::open(home.path().join("db")).unwrap();
        let (own, other) = (open(), open());
        let fill = "PRAGMA journal_mode=WAL; CREATE TABLE t(a, b);
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
                    INSERT INTO t SELECT i, randomblob(1000) FROM n;";
        own.execute_batch(fill).unwrap();
        let mut progress = Progress { time: Duration::from_nanos(1), ..Progress::new() };
        for turn in 1..=10_000 {
            own.execute_batch("BEGIN IMMEDIATE").unwrap();
            let scrubbed = progress.scrub(&own).unwrap();
            own.execute_batch("COMMIT").unwrap();
            if let Scrubbed::All = scrubbed {
                assert!(turn > 50, "it takes several turns");
                return;
            }
            other.execute("UPDATE t SET a = a + 1 WHERE rowid = 1", []).unwrap();
        }
        panic!("it goes on for ever");
    }

    #[test]
    fn what_stands_between_pointers_and_cells_is_overwritten_and_nothing_else() {
        let page = leaf();
        let cleaned = without_gap(2, &page).unwrap();
        assert!(cleaned[12..0xff0].iter().all(|byte| *byte == 0));
        assert_eq!((&cleaned[..12], &cleaned[0xff0..]), (&page[..12], &page[0xff0..]));
        assert_eq!(without_gap(2, &cleaned), None);
    }

    #[test]
    fn what_is_no_page_of_a_tree_is_left_as_it_is() {
        for first in [0, 1, 3, 4, 255] {
            let mut page = leaf();
            page[0] = first;
            assert_eq!(without_gap(2, &page), None, "{first}");
        }
        // A header that lies.
        let mut page = leaf();
        page[5..7].copy_from_slice(&[0, 4]);
        assert_eq!(without_gap(2, &page), None);
        assert_eq!(without_gap(2, &[]), None);
    }

    #[test]
    fn pages_that_say_what_points_to_others_are_where_the_format_has_them() {
        let page = [0; 4096];
        let maps: Vec<u32> = (1..2000).filter(|number| is_pointer_map(*number, &page)).collect();
        assert_eq!(maps, [2, 822, 1642]);
    }
}
