//! What an engine does for the verbs: facts to rule by, and changes to be made, in one transaction.

use super::rules::names::Name;
use super::rules::{Changes, Facts, Setting, StreamFacts, Unit};
use super::{Before, Error, EventEntry, Removed, SealedEvent, State, Truncated};
use crate::event::{Position, StreamName, Version};

/// A transaction that writes.
///
/// What an engine promises: nothing is told before it is durable, what was found neither (unless that is
/// known, the commit syncs); where there is nothing to change, the transaction is rolled back and nothing
/// is synced; after a commit that failed, nothing is acknowledged before the end of the log is known to be
/// on the disk; and what it keeps between transactions is dropped with one that failed.
pub(crate) trait Tx {
    /// What the store says about what `units` ask for: one look, before anything is written.
    fn facts(&mut self, units: &[Unit<'_>]) -> Result<Facts, Error>;

    /// What the store says about streams, one after another, and whether they have a state.
    fn streams(&mut self, names: &[StreamName]) -> Result<Vec<StreamFacts>, Error>;

    /// The state of a stream, where it has one.
    fn state(&mut self, name: &StreamName) -> Result<Option<State>, Error>;

    /// Does what the rules made of the facts that were asked for last.
    fn apply(&mut self, changes: &Changes<'_>) -> Result<(), Error>;

    /// Stores the events that record what else is done, behind all that is there.
    fn record(&mut self, records: &[SealedEvent]) -> Result<(), Error>;

    /// Removes the events and states of streams, forgets what may quote what is removed, and has no byte of it
    /// be left.
    fn remove(&mut self, removed: &[Removed]) -> Result<(), Error>;

    /// What the store says about events, each of which has to be there.
    fn events(&mut self, positions: &[Position]) -> Result<Vec<EventEntry>, Error>;

    /// Redacts events that are whole, forgets what may quote them, and has no byte of them be left.
    fn redact(&mut self, positions: &[Position]) -> Result<(), Error>;

    /// The last versions of streams that stand before a place.
    fn last_before(&mut self, names: &[StreamName], before: Before) -> Result<Vec<Version>, Error>;

    /// Removes the first events of streams, forgets what may quote them, and has no byte of them be left. Their
    /// states stay.
    fn truncate(&mut self, truncated: &[Truncated]) -> Result<(), Error>;

    /// Removes the states of streams; those that had one. Nothing that may quote them is kept, and no byte
    /// of them is left.
    fn remove_states(&mut self, names: &[StreamName]) -> Result<Vec<StreamName>, Error>;

    /// Protects streams from removal, or no longer.
    fn protect(&mut self, names: &[StreamName], protected: bool) -> Result<(), Error>;

    /// All settings: pattern, key and value of each.
    fn settings(&mut self) -> Result<Vec<(String, String, String)>, Error>;

    /// Keeps a setting in the place of what was set, or no longer.
    fn put_setting(&mut self, setting: &Setting) -> Result<(), Error>;

    /// What the store keeps of a name, but for upper and lower case.
    fn name(&mut self, name: &str) -> Result<Option<Name>, Error>;

    /// Keeps this of a name, in the place of what was kept of it.
    fn put_name(&mut self, name: &Name) -> Result<(), Error>;
}
