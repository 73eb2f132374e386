//! Where what follows the log stands in it.

use crate::event::Position;
use crate::store::{Checkpoint, Error, Store};

/// Why a checkpoint is no place in the store's log, where it is none; and behind which place events are to be done.
pub(super) fn place(
    store: &Store,
    name: &str,
    checkpoint: &Checkpoint,
) -> Result<(Option<&'static str>, Position), Error> {
    match store.check_checkpoint(name, checkpoint) {
        Ok(()) => Ok((None, checkpoint.position)),
        Err(Error::OtherLog { reason, .. }) => Ok((Some(reason), Position(0))),
        Err(error) => Err(error),
    }
}
