//! Cursors: a place in the log, and what tells that it is one of this log.

use axum::http::StatusCode;

use super::problem::Problem;
use crate::event::{Link, Position};
use crate::store::{Error, Store};
use crate::wire::write_number;

/// How many characters of a link a cursor has.
const CHARACTERS: usize = 8;

/// The position of an event, and the start of its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) position: Position,
    link: [u8; CHARACTERS],
}

impl Cursor {
    /// Reads a cursor, where a text is one.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (position, link) = text.split_once('-')?;
        let is_number = position.bytes().all(|byte| byte.is_ascii_digit());
        let number = is_number.then(|| position.parse::<i64>().ok()).flatten()?;
        let link = link.as_bytes().try_into().ok()?;
        Some(Self { position: Position(number.unsigned_abs()), link })
    }

    /// Writes the cursor of the event with this link.
    pub(super) fn write(out: &mut Vec<u8>, position: Position, link: &Link) {
        write_number(out, position.0);
        out.push(b'-');
        out.extend_from_slice(&link.prefix()[..CHARACTERS]);
    }

    /// That it is a place in the store's log.
    pub(super) fn check(&self, store: &Store) -> Result<(), Problem> {
        let found = match store.checkpoint(self.position) {
            Ok(checkpoint) => checkpoint.link().prefix().starts_with(&self.link),
            Err(Error::BeyondHead { .. }) => false,
            Err(error) => return Err(error.into()),
        };
        if found {
            return Ok(());
        }
        let title = format!("the cursor at position {} is none of this store's log", self.position);
        let problem = Problem::new(StatusCode::GONE, "other-log", 1, title);
        let problem = problem.number("position", self.position.0);
        Err(problem.with_detail("what was stored there has been replaced; begin anew: GET /events"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_position_and_eight_characters() {
        let cursor = Cursor::read("1842-4fz0k7m2").unwrap();
        assert_eq!((cursor.position, &cursor.link), (Position(1842), b"4fz0k7m2"));
        let mut written = Vec::new();
        Cursor::write(&mut written, Position(7), &Link::from([0xff; 16]));
        assert_eq!(written, b"7-fzzzzzzz");
        for text in [
            "",
            "1842",
            "-4fz0k7m2",
            "1842-",
            "1842-4fz0k7m",
            "1842-4fz0k7m2q",
            "+1-4fz0k7m2",
            "x-4fz0k7m2",
        ] {
            assert_eq!(Cursor::read(text), None, "{text}");
        }
    }
}
