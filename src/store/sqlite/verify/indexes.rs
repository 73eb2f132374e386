//! What leads to events: where those of each stream stand, their ids, their tags.

use std::ops::ControlFlow;

use rusqlite::{Connection, Row};

use super::cells::{self, Cells};
use super::is_unreadable;
use crate::event::Version;
use crate::store::sqlite::failure::{Failure, damage};
use crate::store::sqlite::stream_index::{COLUMNS, StreamRow, list_positions};
use crate::store::verify::{Finding, FindingKind};

/// Goes through indexes.
pub(super) struct Walk<'w> {
    pub(super) connection: &'w Connection,
    pub(super) cells: &'w Cells,
    pub(super) findings: Vec<Finding>,
}

impl Walk<'_> {
    /// The streams, and where their events stand; how many streams.
    pub(super) fn streams(&mut self) -> Result<u64, Failure> {
        let connection = self.connection;
        let last = "SELECT coalesce(max(position), 0) FROM events";
        let last: u64 = connection.query_row(last, [], |row| row.get(0))?;
        let mut statement =
            connection.prepare(&format!("SELECT {COLUMNS} FROM streams ORDER BY name"))?;
        let mut rows = statement.query([])?;
        let (mut streams, mut before) = (0, None::<String>);
        while let Some(row) = self.next(&mut rows, FindingKind::Stream, "streams")? {
            let (name, found) = match StreamRow::from_row(row) {
                Ok(read) => read,
                Err(error) => {
                    let name = row.get_ref(0)?.as_bytes().map(String::from_utf8_lossy);
                    let finding = Finding::new(FindingKind::Stream, damage(&error));
                    self.findings.push(finding.of(&name.unwrap_or_default(), None));
                    continue;
                }
            };
            streams += 1;
            let what = if before.as_deref().is_some_and(|before| before >= name) {
                Some("its row is out of order, so that it may not be found".into())
            } else if found.removed > found.version {
                Some(format!("{} of its {} events are removed", found.removed, found.version))
            } else {
                self.listed(name, &found, last)?
            };
            if let Some(what) = what {
                self.findings.push(Finding::new(FindingKind::Stream, what).of(name, None));
            }
            let kept = before.get_or_insert_default();
            kept.clear();
            kept.push_str(name);
        }
        Ok(streams)
    }

    /// What is wrong with where a stream's events stand, by itself.
    fn listed(&self, name: &str, found: &StreamRow, last: u64) -> Result<Option<String>, Failure> {
        let stream = cells::stream(name);
        let (mut listed, mut before, mut wrong) = (0, 0, false);
        let all = list_positions(self.connection, name, found, (Version(0), 0), |one| {
            let removed = one.version <= found.removed;
            self.cells.add(one.position, cells::version(stream, one.version, removed));
            wrong |= one.position <= before || one.position > last;
            (listed, before) = (listed + 1, one.position);
            ControlFlow::Continue(())
        });
        match all {
            Err(error) if is_unreadable(&error) || rusqlite_kind(&error) => {
                Ok(Some(damage(&error)))
            }
            Err(error) => Err(error.into()),
            Ok(_) if listed != found.version => {
                Ok(Some(format!("it lists {listed} of its {} events", found.version)))
            }
            Ok(_) if wrong => Ok(Some("it lists events where none can stand".into())),
            Ok(_) => Ok(None),
        }
    }

    /// The ids that writers gave.
    pub(super) fn ids(&mut self) -> Result<(), Failure> {
        let ids = "SELECT id, position FROM events INDEXED BY events_id WHERE id IS NOT NULL";
        self.entries(ids, "the index of ids", cells::id)
    }

    /// The tags.
    pub(super) fn tags(&mut self) -> Result<(), Failure> {
        self.entries("SELECT tag, position FROM tags", "the index of tags", cells::tag)
    }

    fn entries(
        &mut self,
        select: &str,
        what: &str,
        said: impl Fn(&str) -> u64,
    ) -> Result<(), Failure> {
        let connection = self.connection;
        let mut statement = connection.prepare(select)?;
        let mut rows = statement.query([])?;
        while let Some(row) = self.next(&mut rows, FindingKind::Index, what)? {
            // What is no text and no position is no entry of any event; that one is missed then.
            if let (Ok(text), Ok(position)) = (row.get_ref(0)?.as_str(), row.get(1)) {
                self.cells.add(position, said(text));
            }
        }
        Ok(())
    }

    /// The next row; nothing, too, where the database can't be read further.
    fn next<'r>(
        &mut self,
        rows: &'r mut rusqlite::Rows<'_>,
        kind: FindingKind,
        what: &str,
    ) -> Result<Option<&'r Row<'r>>, Failure> {
        match rows.next() {
            Ok(row) => Ok(row),
            Err(error) if is_unreadable(&error) => {
                let what = format!("{what} can't be read to the end: {error}");
                self.findings.push(Finding::new(kind, what));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether it is told by an error that a row is not what was stored.
fn rusqlite_kind(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code().is_none()
}
