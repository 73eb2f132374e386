//! Wakes followers: the system's word that the bell was rung, and a look at least every 250 ms.
//!
//! The word is a hint. A writer may die between its commit and the bell, the system may lose
//! events, run out of watches or have none; so a follower looks by itself all the same.

use std::sync::Arc;
use std::time::Duration;

use notify::event::{EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use super::Layout;
use crate::faults::{self, Remedy};
use crate::platform::can_spawn;
use crate::store::watch::{self, Calls, Waker, Woken};
use crate::wait;

/// Waits for the bell.
#[derive(Debug)]
pub(crate) struct Watch {
    calls: Arc<Calls>,
    layout: Layout,
    watcher: Option<RecommendedWatcher>,
    /// Whether the bell is not listened for.
    is_paused: bool,
}

impl Watch {
    /// Watches the bell of the store in `layout`.
    pub(super) fn new(layout: &Layout) -> Self {
        let (calls, layout) = (Arc::default(), layout.clone());
        let mut watch = Self { calls, layout, watcher: None, is_paused: true };
        watch.set_listening(true);
        watch
    }

    /// Sets whether the bell ends a wait. While it does not, the system has nothing to watch.
    fn set_listening(&mut self, listens: bool) {
        if self.is_paused != listens {
            return;
        }
        self.is_paused = !listens;
        let watch = || watcher(&self.layout, Arc::clone(&self.calls)).ok();
        self.watcher = if listens { watch() } else { None };
    }
}

impl watch::Watch for Watch {
    fn wait(&self) -> Woken {
        self.calls.wait(match self.watcher {
            _ if faults::is_off(Remedy::Looks) => Duration::MAX,
            None if !self.is_paused => wait::UNTOLD,
            _ => wait::FOLLOWED,
        })
    }

    fn waker(&self) -> Waker {
        self.calls.waker()
    }

    #[cfg(all(feature = "serve", unix))]
    fn listen(&mut self, listens: bool) {
        self.set_listening(listens);
    }
}

/// Watches the bell's directory, not the bell: a follower opens nothing, and nothing else lies
/// there. Only a modification counts, since others' reading and closing would wake all for ever;
/// an overflow (`Rescan`) has no path and counts too.
fn watcher(layout: &Layout, calls: Arc<Calls>) -> notify::Result<RecommendedWatcher> {
    if faults::is_off(Remedy::Notices) {
        return Err(notify::Error::generic("switched off"));
    }
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
            calls.ring();
        }
    })?;
    watcher.watch(&layout.bell_dir, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::watch::Watch as _;

    #[test]
    fn what_happens_often_is_kept_once_and_a_waker_is_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let watch = Watch::new(&Layout::open(dir.path(), &crate::Options::default()).unwrap());
        let waker = watch.waker();
        for _ in 0..100_000 {
            watch.calls.ring();
            waker.wake();
        }
        assert_eq!(watch.wait(), Woken::Waker);
        assert_eq!(watch.wait(), Woken::Time);
        watch.calls.ring();
        watch.calls.ring();
        assert_eq!(watch.wait(), Woken::Bell);
        assert_eq!(watch.wait(), Woken::Time);
    }
}
