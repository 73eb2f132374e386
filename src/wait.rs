//! Waiting: until when, and how often it is looked around meanwhile.
//!
//! Nothing is added to a point in time, so no wait is too long. Who waits is told where something can tell; the times
//! here are for what nothing tells of, or where the word may be lost.

use std::time::{Duration, Instant};

/// How often who waits for a turn, for a program or for room looks whether it was interrupted, and whether what it waits
/// for was left free by one that died: fewer than 50 looks a second are not felt, and a person feels no 50 ms.
pub(crate) const INTERRUPTED: Duration = Duration::from_millis(50);
/// How often a follower looks at the store by itself: the system's word that the bell was rung may be lost, and its
/// writer may have died before it rang.
pub(crate) const FOLLOWED: Duration = Duration::from_millis(250);
/// The same where the system gives no word, so that all depends on it.
pub(crate) const UNTOLD: Duration = Duration::from_millis(50);
/// How long it is waited for who seems to run something: a process that was killed may have left a child that has not
/// yet become another program, and keeps the lock until it does.
pub(crate) const MOMENT: Duration = Duration::from_millis(200);
/// How long between two looks whether someone keeps a lock: one that gave up waiting for it may get it all the same, and
/// gives it back at once.
pub(crate) const GIVEN_BACK: Duration = Duration::from_millis(1);
/// How long a writer that is about to make durable what can be seen is given, before it is looked again.
pub(crate) const SETTLED: Duration = Duration::from_millis(5);
/// How often a writer looks whether the one who is about to change which generation serves has done so: that takes a
/// commit.
pub(crate) const SWITCHED: Duration = Duration::from_millis(2);
/// How often something is tried while a reader is in its way, which tells no one when it leaves.
pub(crate) const READ: Duration = Duration::from_millis(50);
/// How long a wait for a projection sleeps at first, and at most: those that make it ring no bell, since many that follow
/// each other would ring for ever.
pub(crate) const REACHED: (Duration, Duration) =
    (Duration::from_millis(1), Duration::from_millis(20));

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
