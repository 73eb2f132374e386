//! What an engine does for the verbs: facts to rule by, and changes to be made, in one transaction.

use super::Error;
use super::rules::{Changes, Facts, Unit};

/// A transaction that writes.
///
/// What an engine promises: nothing is told before it is durable, what was found neither (unless that is
/// known, the commit syncs); where there is nothing to change, the transaction is rolled back and nothing
/// is synced; after a commit that failed, nothing is acknowledged before the end of the log is known to be
/// on the disk; and what it keeps between transactions is dropped with one that failed.
pub(crate) trait Tx {
    /// What the store says about what `units` ask for: one look, before anything is written.
    fn facts(&mut self, units: &[Unit<'_>]) -> Result<Facts, Error>;

    /// Does what the rules made of the facts that were asked for last.
    fn apply(&mut self, changes: &Changes<'_>) -> Result<(), Error>;
}
