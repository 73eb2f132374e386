//! The system's clock that never jumps.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The time on the monotonic clock of the system, `CLOCK_MONOTONIC`, which other processes read as well.
#[must_use]
pub fn monotonic_time() -> Duration {
    // It begins with 0, when the system does.
    clock_gettime(ClockId::Monotonic).try_into().unwrap_or_default()
}
