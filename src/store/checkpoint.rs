//! How far a follower has come.

use std::str::FromStr;

use crate::event::{Link, Position};

/// A place in a store's log up to which something is done, and what stands there: so that it is not
/// taken for a place in another log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The position.
    pub position: Position,
    /// The link of the event there.
    pub(super) link: Link,
}

impl Checkpoint {
    /// The link of the event there; that of no event at 0.
    #[must_use]
    pub fn link(&self) -> Link {
        self.link
    }
}

/// Why a text is no place in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a head is LINK/POSITION, with the 32 hexadecimal digits of its link")]
pub struct CheckpointError;

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    /// Reads `LINK/POSITION`, the link in hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let (link, position) = text.split_once('/').ok_or(CheckpointError)?;
        if !position.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CheckpointError);
        }
        let number = position.parse::<i64>().map_err(|_| CheckpointError)?.unsigned_abs();
        let link = link.parse().map_err(|_| CheckpointError)?;
        Ok(Self { position: Position(number), link })
    }
}
