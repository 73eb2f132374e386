//! What a compaction gave back.

use super::Error;

/// What a compaction did.
#[derive(Debug)]
#[non_exhaustive]
pub struct Compacted {
    /// How many bytes the database had before, free ones too.
    pub before: u64,
    /// How many it has.
    pub after: u64,
    /// How many events of which only a skeleton is left were packed.
    pub packed: u64,
    /// Why the file is still as long as it was, where it is: [`Error::LogHeld`] where a reader is in the way. It
    /// shrinks when that has ended and something is written.
    pub unfinished: Option<Error>,
}
