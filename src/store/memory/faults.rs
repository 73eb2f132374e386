//! Failures that are asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::Error;

/// Which of the things that an engine is asked for next is to fail.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults(Arc<AtomicU64>);

impl Faults {
    /// Has the `nth` from now on fail; none where that is 0.
    pub(super) fn fail(&self, nth: u64) {
        self.0.store(nth, Ordering::SeqCst);
    }

    /// Counts one; whether it is the one that fails.
    fn count(&self) -> bool {
        let less = |left: u64| left.checked_sub(1);
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less) == Ok(1)
    }

    /// That what is asked for now does not fail.
    pub(super) fn check(&self, action: &'static str) -> Result<(), Error> {
        if self.count() {
            return Err(Error::Engine { action, source: "this failure was asked for".into() });
        }
        Ok(())
    }
}
