//! The bell: a small record of the acknowledged head, rewritten in place after each commit.
//!
//! Followers watch its directory, and a store that does not hold what its bell says has lost
//! events. The record is one line of text of fixed length: position, link, and a checksum of both,
//! so a torn write shows. It is never synced: after a power loss it may be old, never ahead.

use std::fs::File;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};

use super::failure::Failure;
use super::head::Head;
use super::layout::Layout;
use super::payload::link;
use super::place::Place;
use crate::event::{Link, Position};
use crate::platform;
use crate::platform::directory::Access;
use crate::store::Error;
use crate::store::hash::checksum;

/// The record's file.
const NAME: &str = "bell/bell";
/// What fails where the bell can't be rung.
const RING: &str = "ring the bell";

/// The last event that was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Acknowledged {
    pub(super) position: Position,
    pub(super) link: Link,
}

impl Acknowledged {
    fn to_record(self) -> String {
        let fields = format!("{:020} {}", self.position.0, self.link);
        format!("{fields} {}\n", checksum(&fields))
    }

    fn from_record(record: &str) -> Option<Self> {
        let (fields, sum) = record.trim_end().rsplit_once(' ')?;
        if checksum(fields) != sum {
            return None;
        }
        let (position, link) = fields.split_once(' ')?;
        let bytes: Option<Vec<u8>> = (0..link.len() / 2)
            .map(|at| u8::from_str_radix(link.get(at * 2..at * 2 + 2)?, 16).ok())
            .collect();
        Some(Self { position: Position(position.parse().ok()?), link: Link::from_bytes(&bytes?)? })
    }
}

/// Reads the bell; a missing or torn one says nothing.
pub(super) fn read(layout: &Layout) -> Option<Acknowledged> {
    Record::of(layout).read()
}

/// The bell as who reads it again and again keeps it: to open it each time would wake all who watch it.
#[derive(Debug)]
pub(super) struct Record {
    place: Arc<Place>,
    file: Option<File>,
}

impl Record {
    pub(super) fn of(layout: &Layout) -> Self {
        Self { place: Arc::clone(&layout.place), file: None }
    }

    /// What it says; a missing or torn one says nothing.
    pub(super) fn read(&mut self) -> Option<Acknowledged> {
        if self.file.is_none() {
            self.file = Some(self.place.open_file(NAME, Access::Read).ok()?);
        }
        let mut record = [0; LONGEST];
        let length = platform::read_at(self.file.as_ref()?, &mut record, 0).ok()?;
        let said = std::str::from_utf8(&record[..length]).ok().and_then(Acknowledged::from_record);
        if said.is_none() {
            // Another file may stand there by now.
            self.file = None;
        }
        said
    }

    /// Has the next read open it anew, in case another file stands there by now.
    pub(super) fn reopen(&mut self) {
        self.file = None;
    }
}

/// How long a record is at most.
const LONGEST: usize = 128;

/// That the store holds what was acknowledged: the event itself, not just one at its position.
pub(super) fn check(
    connection: &Connection,
    acknowledged: Acknowledged,
    head: &Head,
) -> Result<(), Failure> {
    let found = if acknowledged.position == head.position {
        Some(head.link)
    } else {
        connection
            .query_row(
                "SELECT link FROM events WHERE position = ?1",
                [acknowledged.position.0],
                |row| link(row, 0),
            )
            .optional()?
    };
    if found == Some(acknowledged.link) {
        return Ok(());
    }
    Err(Failure::Refused(Error::LostEvents {
        acknowledged: acknowledged.position,
        head: head.position,
    }))
}

/// The bell, open to be rung.
#[derive(Debug)]
pub(super) struct Bell(File);

impl Bell {
    pub(super) fn open(layout: &Layout) -> Result<Self, Error> {
        layout.place.open_file(NAME, Access::Create).map(Self).map_err(|error| match error {
            Error::Io { path, source, .. } => Error::Io { action: RING, path, source },
            error => error,
        })
    }

    /// Records what is now acknowledged, and wakes whoever follows.
    pub(super) fn ring(&self, layout: &Layout, acknowledged: Acknowledged) -> Result<(), Error> {
        platform::write_at(&self.0, acknowledged.to_record().as_bytes(), 0)
            .map_err(|error| Error::io(RING, &layout.place.path(NAME))(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_record_says_nothing() {
        let acknowledged = Acknowledged { position: Position(1842), link: Link::genesis("x") };
        let record = acknowledged.to_record();
        assert_eq!(Acknowledged::from_record(&record), Some(acknowledged));
        for at in 0..record.len() - 1 {
            let mut torn = record.clone().into_bytes();
            torn[at] = if torn[at] == b'7' { b'8' } else { b'7' };
            assert_eq!(Acknowledged::from_record(&String::from_utf8(torn).unwrap()), None, "{at}");
            assert_eq!(Acknowledged::from_record(&record[..at]), None, "{at}");
        }
    }

    #[test]
    fn every_record_covers_the_one_before() {
        let length = |position| {
            Acknowledged { position: Position(position), link: Link::genesis("x") }
                .to_record()
                .len()
        };
        assert_eq!(length(0), length(u64::MAX));
    }
}
