//! Places in a log, as people write them.

use std::str::FromStr;

use crate::event::{Position, TimeError, Timestamp, Version};

/// A place in the store, or in the one stream that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A position of the store.
    Position(Position),
    /// A version of the stream.
    Version(Version),
}

/// Why a text is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither a position nor a version (`@N`)")]
pub struct MarkError;

impl Mark {
    /// The place before this one: what comes after that begins with this one itself.
    #[must_use]
    pub fn before(self) -> Self {
        match self {
            Self::Position(position) => Self::Position(Position(position.0.saturating_sub(1))),
            Self::Version(version) => Self::Version(Version(version.0.saturating_sub(1))),
        }
    }
}

impl FromStr for Mark {
    type Err = MarkError;

    /// Reads a position, or `@N` for a version of the one stream that is read.
    fn from_str(text: &str) -> Result<Self, MarkError> {
        let (digits, is_version) = match text.strip_prefix('@') {
            Some(digits) => (digits, true),
            None => (text, false),
        };
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(MarkError);
        }
        let number = digits.parse::<i64>().map_err(|_| MarkError)?.unsigned_abs();
        Ok(if is_version {
            Self::Version(Version(number))
        } else {
            Self::Position(Position(number))
        })
    }
}

/// A place or a time to stop at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The last place.
    Mark(Mark),
    /// The last time.
    Time(Timestamp),
}

/// A place or a time before which something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// The first place that is not.
    Mark(Mark),
    /// The first time that is not.
    Time(Timestamp),
}

/// Why a text is neither a place nor a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("neither a position nor a version (`@N`), and {0}")]
pub struct UntilError(TimeError);

impl FromStr for Until {
    type Err = UntilError;

    fn from_str(text: &str) -> Result<Self, UntilError> {
        match text.parse() {
            Ok(mark) => Ok(Self::Mark(mark)),
            Err(MarkError) => text.parse().map(Self::Time).map_err(UntilError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_positions_or_versions() {
        assert_eq!("7".parse(), Ok(Mark::Position(Position(7))));
        assert_eq!("@7".parse(), Ok(Mark::Version(Version(7))));
        for text in ["", "@", "-1", "+1", "@-1", "1.5", "9223372036854775808"] {
            assert_eq!(text.parse::<Mark>(), Err(MarkError), "{text}");
        }
        assert_eq!(Mark::Version(Version(7)).before(), Mark::Version(Version(6)));
        assert_eq!(Mark::Position(Position(0)).before(), Mark::Position(Position(0)));
    }

    #[test]
    fn one_stops_at_a_place_or_at_a_time() {
        assert_eq!("@7".parse(), Ok(Until::Mark(Mark::Version(Version(7)))));
        let time = "2026-11-23T00:00:00Z";
        assert_eq!(time.parse(), Ok(Until::Time(time.parse().unwrap())));
        let wrong = "soon".parse::<Until>().unwrap_err().to_string();
        assert!(wrong.starts_with("neither a position nor a version (`@N`), and "), "{wrong}");
    }
}
