//! Cursors: places in a log, which can tell that log from another.

use std::fmt;
use std::str::FromStr;

use super::{Link, Position};

/// How many characters of a link a cursor has.
const CHARACTERS: usize = 8;

/// A place in a log: a position, and, where it is known, the start of the link that stands there, which no other log
/// has there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The position.
    pub position: Position,
    link: Option<[u8; CHARACTERS]>,
}

impl Cursor {
    /// The place of the event with this link.
    #[must_use]
    pub fn new(position: Position, link: &Link) -> Self {
        Self { position, link: link.prefix().first_chunk().copied() }
    }

    /// Whether it tells its log from others.
    #[must_use]
    pub fn tells_log(&self) -> bool {
        self.link.is_some()
    }

    /// Whether it is a place in the log that has this link there.
    #[must_use]
    pub fn is_at(&self, link: &Link) -> bool {
        self.link.is_none_or(|start| link.prefix().starts_with(&start))
    }
}

impl From<Position> for Cursor {
    fn from(position: Position) -> Self {
        Self { position, link: None }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.position.fmt(f)?;
        match &self.link {
            Some(link) => write!(f, "-{}", String::from_utf8_lossy(link)),
            None => Ok(()),
        }
    }
}

/// Why a text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a place is a position, or a cursor such as 1842-4fz0k7m2")]
pub struct CursorError;

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (position, link) = match text.split_once('-') {
            Some((position, link)) => (position, Some(link)),
            None => (text, None),
        };
        if position.is_empty() || !position.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CursorError);
        }
        let position: i64 = position.parse().map_err(|_| CursorError)?;
        let start = |link: &str| {
            let is_base32 = link.bytes().all(|byte| super::BASE32.contains(&byte));
            link.as_bytes().try_into().ok().filter(|_| is_base32).ok_or(CursorError)
        };
        let link = link.map(start).transpose()?;
        Ok(Self { position: Position(position.unsigned_abs()), link })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_position_and_eight_characters() {
        let cursor: Cursor = "1842-4fz0k7m2".parse().unwrap();
        assert_eq!(
            (cursor.position, cursor.to_string().as_str()),
            (Position(1842), "1842-4fz0k7m2")
        );
        let of = Cursor::new(Position(7), &Link::from([0xff; 16]));
        assert_eq!(of.to_string(), "7-fzzzzzzz");
        assert!(of.tells_log() && of.is_at(&Link::from([0xff; 16])));
        assert!(!of.is_at(&Link::from([0; 16])));
        let bare: Cursor = "1842".parse().unwrap();
        assert_eq!((bare, bare.to_string().as_str()), (Position(1842).into(), "1842"));
        assert!(!bare.tells_log() && bare.is_at(&Link::from([0; 16])));
        for text in [
            "",
            "-4fz0k7m2",
            "1842-",
            "1842-4fz0k7m",
            "1842-4fz0k7m2q",
            "1842-4fz0k7mu",
            "+1-4fz0k7m2",
            "x-4fz0k7m2",
            "9223372036854775808",
            "-1",
            "1 ",
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
        }
    }
}
