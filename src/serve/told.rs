//! What other threads tell the one that has the sockets.

use super::answer::Answer;
use super::followed::{Followed, Loaded};
use crate::store::Error;

/// Which answer of which connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) connection: u64,
    pub(super) number: u64,
}

/// What other threads tell.
#[derive(Debug)]
pub(super) enum Told {
    Answers(Vec<(Slot, Answer)>),
    /// Whether a subscription can begin, and where.
    Subscribed(Slot, Result<(Answer, Followed), Answer>),
    /// What was read for a connection's subscription, under its number.
    Loaded(u64, u64, Result<Loaded, Error>),
    /// The server can't go on.
    Failed(Error),
}
