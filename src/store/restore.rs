//! Restoring: where the log of the new store ends, and what becomes of what lies behind that.

use std::path::PathBuf;

use super::{Backup, Checkpoint, Mark};
use crate::event::{Position, StreamName, Timestamp};

/// Where the log of a restored store ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreUntil {
    /// At this position, inclusive.
    Position(Position),
    /// At the last event that was recorded at this time or before it.
    Time(Timestamp),
}

impl RestoreUntil {
    /// The place that a command line names; nothing where that is a version.
    #[must_use]
    pub fn of(mark: Mark) -> Option<Self> {
        match mark {
            Mark::Position(position) => Some(Self::Position(position)),
            Mark::Version(_) => None,
        }
    }
}

/// What a restore made, and what of the backup it left out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// The directory of the store.
    pub path: PathBuf,
    /// The backup.
    pub backup: Backup,
    /// The last event of the backup that is in the store, and the link of that.
    pub head: Checkpoint,
    /// How large its databases are, in bytes.
    pub bytes: u64,
    /// What was given up, where the log ends before that of the backup.
    pub dropped: Dropped,
    /// The projections whose rows were restored.
    pub projections: Vec<String>,
    /// The projections that have no rows until they are rebuilt.
    pub to_rebuild: Vec<String>,
}

/// What a restore gave up that lies behind the end of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// How many events.
    pub events: u64,
    /// The streams whose states reflected one of those.
    pub states: Vec<StreamName>,
    /// How many remembered decisions.
    pub decisions: u64,
    /// The subscriptions that were moved back to the end of the log.
    pub subscriptions: Vec<String>,
}
