//! Until when something is waited for. Nothing is added to a point in time, so no wait is too long.

use std::time::{Duration, Instant};

/// Until when something is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    begun: Instant,
    timeout: Duration,
}

impl Deadline {
    /// `timeout` from now on.
    pub(crate) fn after(timeout: Duration) -> Self {
        Self { begun: Instant::now(), timeout }
    }

    /// How long that was in all.
    pub(crate) fn timeout(self) -> Duration {
        self.timeout
    }

    /// How much of it is left.
    pub(crate) fn left(self) -> Duration {
        self.timeout.saturating_sub(self.begun.elapsed())
    }

    /// Whether nothing is left.
    pub(crate) fn is_over(self) -> bool {
        self.left().is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_wait_is_a_wait() {
        let deadline = Deadline::after(Duration::MAX);
        assert!(!deadline.is_over());
        assert_eq!(deadline.timeout(), Duration::MAX);
        assert!(Deadline::after(Duration::ZERO).is_over());
    }
}
