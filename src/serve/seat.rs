//! The places of connections, of which there are so many: who makes room for another.

use std::cell::Cell;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The place of a connection that is told nothing by the hub.
#[derive(Debug)]
pub(super) struct Seat {
    /// When something came last.
    heard: Cell<Instant>,
    /// Whether something is being answered.
    is_busy: Cell<bool>,
    given_up: Notify,
}

impl Default for Seat {
    fn default() -> Self {
        let (heard, is_busy) = (Cell::new(Instant::now()), Cell::new(false));
        Self { heard, is_busy, given_up: Notify::new() }
    }
}

impl Seat {
    /// That something has come.
    pub(super) fn hears(&self) {
        self.heard.set(Instant::now());
    }

    /// That something is being answered from here on, or nothing.
    pub(super) fn set_busy(&self, is_busy: bool) {
        self.is_busy.set(is_busy);
        self.hears();
    }

    /// Since when nothing has come; nothing where something is being answered.
    pub(super) fn silent_since(&self) -> Option<Instant> {
        (!self.is_busy.get()).then(|| self.heard.get())
    }

    /// Has the connection end for another.
    pub(super) fn give_up(&self) {
        self.given_up.notify_one();
    }

    /// Waits until the connection has to end for another.
    pub(super) async fn given_up(&self) {
        self.given_up.notified().await;
    }
}
