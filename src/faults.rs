//! Remedies against faults of the disk, and what wakes followers, switched off one by one so that a test sees what
//! each of them is for; and a request of a server that panics.
//!
//! Only a build with the feature `faults` can do that: it reads `REAM_FAULTS`, names separated by
//! commas, such as `no-cut,no-mark`. A release has neither the feature nor the variable's name.

#[cfg(all(feature = "faults", not(debug_assertions)))]
compile_error!("the feature `faults` switches off what keeps events: it is for tests alone");

/// What a store does against a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Where a commit failed, the log is cut before anything else is done.
    Cut,
    /// A failed commit leaves a mark, so that the next process cuts the log.
    Mark,
    /// A log is cut only where it still reads as whoever found it read it.
    Check,
    /// Where a checkpoint failed, the database gets back the length that it had before.
    Length,
    /// A store that lost changes is warned of, and not written to.
    Count,
    /// A commit with an event rewrites the bell.
    Bell,
    /// The system tells followers that the bell was rung.
    Notices,
    /// A follower looks by itself when it has slept for so long.
    Looks,
}

impl Remedy {
    /// What switches it off.
    #[cfg(feature = "faults")]
    const fn off(self) -> &'static str {
        match self {
            Self::Cut => "no-cut",
            Self::Mark => "no-mark",
            Self::Check => "no-check",
            Self::Length => "no-length",
            Self::Count => "no-count",
            Self::Bell => "no-bell",
            Self::Notices => "no-notices",
            Self::Looks => "no-looks",
        }
    }
}

/// Whether a test has switched this remedy off.
#[cfg(feature = "faults")]
pub(crate) fn is_off(remedy: Remedy) -> bool {
    std::env::var("REAM_FAULTS").is_ok_and(|off| off.split(',').any(|name| name == remedy.off()))
}

/// Whether a test has switched this remedy off: never, without the feature.
#[cfg(not(feature = "faults"))]
pub(crate) const fn is_off(_: Remedy) -> bool {
    false
}

/// Panics, the first eight times, where a test asks for that (`panic`): more often than there are threads that
/// could end of it.
#[cfg(all(unix, feature = "serve", feature = "faults"))]
pub(crate) fn panic_at_first() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static TIMES: AtomicUsize = AtomicUsize::new(0);
    let is_asked = || std::env::var("REAM_FAULTS").is_ok_and(|names| names == "panic");
    let is_over = TIMES.fetch_add(1, Ordering::Relaxed) >= 8;
    assert!(is_over || !is_asked(), "a test asks for this panic");
}

/// Panics where a test asks for that: never, without the feature.
#[cfg(all(unix, feature = "serve", not(feature = "faults")))]
pub(crate) const fn panic_at_first() {}
