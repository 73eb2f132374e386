//! How far a follower has come.

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
