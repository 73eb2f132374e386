//! How long what has begun to come may take until it is whole.

use std::time::Duration;

use tokio::time::Instant;

use super::frames::Begun;

/// How many bytes of payloads make it a second more.
const SECOND: u64 = 1 << 20;

/// What has begun to come, and since when that is received.
#[derive(Debug)]
pub(super) struct Pace {
    begun: Begun,
    since: Instant,
    longest: Duration,
}

impl Pace {
    pub(super) fn new(longest: Duration) -> Self {
        Self { begun: Begun::Nothing, since: Instant::now(), longest }
    }

    /// Takes what has begun to come. Time in which it is not received does not count.
    pub(super) fn note(&mut self, begun: Begun, is_received: bool) {
        if begun != self.begun || !is_received {
            (self.begun, self.since) = (begun, Instant::now());
        }
    }

    /// When it is to be looked again.
    pub(super) fn next(&self) -> Instant {
        // Whatever begins after a look is looked at by then.
        self.end().unwrap_or_else(|| Instant::now() + self.longest)
    }

    /// Whether it takes too long.
    pub(super) fn is_over(&self) -> bool {
        self.end().is_some_and(|end| end <= Instant::now())
    }

    fn end(&self) -> Option<Instant> {
        let more = match self.begun {
            Begun::Nothing => return None,
            Begun::Line(_) => 0,
            Begun::Payloads { bytes, .. } => bytes / SECOND,
        };
        Some(self.since + self.longest + Duration::from_secs(more))
    }
}
