//! Wakes followers: the system's word that the bell was rung, and a look at least every 250 ms.
//!
//! The word is a hint. A writer may die between its commit and the bell, the system may lose
//! events, run out of watches or have none; so a follower looks by itself all the same.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use notify::event::{EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use super::layout::Layout;
use crate::platform::can_spawn;

/// How long a follower sleeps at most.
const LOOK: Duration = Duration::from_millis(250);
/// How long it sleeps where the system gives no word.
const LOOK_UNTOLD: Duration = Duration::from_millis(50);

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    /// Events were stored, it seems.
    Bell,
    /// It is time to look.
    Time,
    /// A [`Waker`] was used.
    Waker,
}

/// Ends a wait from another thread.
#[derive(Debug, Clone)]
pub struct Waker(Sender<Woken>);

impl Waker {
    /// Ends the wait, or the next one.
    pub fn wake(&self) {
        // Who no longer waits needs no waking.
        let _ = self.0.send(Woken::Waker);
    }
}

/// Waits for the bell.
#[derive(Debug)]
pub(crate) struct Watch {
    sender: Sender<Woken>,
    receiver: Receiver<Woken>,
    watcher: Option<RecommendedWatcher>,
}

impl Watch {
    /// Watches the bell of the store in `layout`.
    pub(super) fn new(layout: &Layout) -> Self {
        let (sender, receiver) = mpsc::channel();
        let watcher = watcher(layout, sender.clone()).ok();
        Self { sender, receiver, watcher }
    }

    /// Waits until the bell is rung, a waker is used, or it is time to look.
    pub(crate) fn wait(&self) -> Woken {
        let look = if self.watcher.is_some() { LOOK } else { LOOK_UNTOLD };
        match self.receiver.recv_timeout(look) {
            Ok(woken) => self.newest(woken),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Woken::Time,
        }
    }

    /// Several rings are one; a waker goes before them.
    fn newest(&self, first: Woken) -> Woken {
        let others = self.receiver.try_iter();
        others.fold(first, |woken, next| if woken == Woken::Waker { woken } else { next })
    }

    pub(crate) fn waker(&self) -> Waker {
        Waker(self.sender.clone())
    }
}

/// Watches the bell's directory, not the bell: a follower opens nothing, and nothing else lies
/// there. Only a modification counts, since others' reading and closing would wake all for ever;
/// an overflow (`Rescan`) has no path and counts too.
fn watcher(layout: &Layout, sender: Sender<Woken>) -> notify::Result<RecommendedWatcher> {
    // It starts a thread, and panics where that is not there.
    if !can_spawn() {
        return Err(notify::Error::generic("can't start a thread"));
    }
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let rung = event.is_ok_and(|event| {
            event.need_rescan()
                || matches!(event.kind, EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any))
        });
        if rung {
            // Who no longer waits needs no word.
            let _ = sender.send(Woken::Bell);
        }
    })?;
    watcher.watch(&layout.bell_dir, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}
