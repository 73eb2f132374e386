//! How far a follower has come.

use super::chain::Link;
use crate::event::Position;

/// A place in a store's log up to which something is done, and what stands there: so that it is not
/// taken for a place in another log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The position.
    pub position: Position,
    /// The link of the event there.
    pub(super) link: Link,
    /// The store's id.
    pub(super) store: String,
    /// The store's incarnation.
    pub(super) incarnation: String,
}
