//! The bell: the record of the acknowledged head, rewritten after each commit with an event.
//!
//! Followers watch its directory, and a store that does not hold what its bell says has lost
//! events. It holds position and link.

use rusqlite::{Connection, OptionalExtension as _};

use super::Layout;
use super::event_row::recorded_and_link;
use super::failure::Failure;
use super::head::Head;
use super::record::{self, Record};
use crate::event::{Link, Position};
use crate::store::Error;

/// The last event that was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Acknowledged {
    pub(super) position: Position,
    pub(super) link: Link,
}

impl Record for Acknowledged {
    const NAME: &'static str = "bell/bell";
    const WRITE: &'static str = "ring the bell";

    fn to_fields(self) -> String {
        format!("{:020} {}", self.position.0, self.link)
    }

    fn from_fields(fields: &str) -> Option<Self> {
        let (position, link) = fields.split_once(' ')?;
        let bytes: Option<Vec<u8>> = (0..link.len() / 2)
            .map(|at| u8::from_str_radix(link.get(at * 2..at * 2 + 2)?, 16).ok())
            .collect();
        Some(Self { position: Position(position.parse().ok()?), link: Link::from_bytes(&bytes?)? })
    }
}

/// Reads the bell; a missing or torn one says nothing.
pub(super) fn read(layout: &Layout) -> Option<Acknowledged> {
    record::read(layout)
}

/// That the store holds what was acknowledged: the event itself, not just one at its position.
pub(super) fn check(
    connection: &Connection,
    layout: &Layout,
    acknowledged: Acknowledged,
    head: &Head,
) -> Result<(), Failure> {
    let found = if acknowledged.position == head.position {
        Some(head.link)
    } else {
        connection
            .query_row(
                "SELECT header FROM events WHERE position = ?1",
                [acknowledged.position.0],
                |row| Ok(recorded_and_link(row, 0)?.1),
            )
            .optional()?
    };
    if found == Some(acknowledged.link) {
        return Ok(());
    }
    Err(Failure::Refused(Error::LostEvents {
        path: layout.root.clone(),
        acknowledged: acknowledged.position,
        head: head.position,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::is_whole_or_nothing;
    use super::super::record::to_line;
    use super::*;

    fn acknowledged(position: u64) -> Acknowledged {
        Acknowledged { position: Position(position), link: Link::genesis("x") }
    }

    #[test]
    fn a_torn_record_says_nothing() {
        is_whole_or_nothing(acknowledged(1842));
    }

    #[test]
    fn every_record_covers_the_one_before() {
        assert_eq!(to_line(acknowledged(0)).len(), to_line(acknowledged(u64::MAX)).len());
    }
}
