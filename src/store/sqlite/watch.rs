//! Wakes followers: the system's word that the bell was rung, and a look at least every 250 ms.
//!
//! The word is a hint. A writer may die between its commit and the bell, the system may lose
//! events, run out of watches or have none; so a follower looks by itself all the same.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use notify::event::{EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use super::Layout;
use crate::faults::{self, Remedy};
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

/// What has happened since the last wait: however often, it is kept once.
#[derive(Debug, Default)]
struct Calls {
    happened: Mutex<Happened>,
    changed: Condvar,
    /// How many waits have ended.
    #[cfg(feature = "faults")]
    waits: std::sync::atomic::AtomicU64,
}

#[derive(Debug, Default)]
struct Happened {
    bell: bool,
    waker: bool,
}

impl Calls {
    fn happened(&self) -> MutexGuard<'_, Happened> {
        self.happened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, set: impl FnOnce(&mut Happened)) {
        set(&mut self.happened());
        self.changed.notify_all();
    }
}

/// Ends a wait from another thread.
#[derive(Debug, Clone)]
pub struct Waker(Arc<Calls>);

impl Waker {
    /// Ends the wait, or the next one.
    pub fn wake(&self) {
        self.0.call(|happened| happened.waker = true);
    }

    /// How many waits have ended, behind each of which a follower looks at the store: for tests, which count how
    /// often it had to.
    #[cfg(feature = "faults")]
    #[must_use]
    pub fn waits(&self) -> u64 {
        self.0.waits.load(std::sync::atomic::Ordering::SeqCst)
    }
}

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
        watch.listen(true);
        watch
    }

    /// Sets whether the bell ends a wait. While it does not, the system has nothing to watch.
    pub(crate) fn listen(&mut self, listens: bool) {
        if self.is_paused != listens {
            return;
        }
        self.is_paused = !listens;
        let watch = || watcher(&self.layout, Arc::clone(&self.calls)).ok();
        self.watcher = if listens { watch() } else { None };
    }

    /// Waits until the bell is rung, a waker is used, or it is time to look.
    pub(crate) fn wait(&self) -> Woken {
        let look = match self.watcher {
            _ if faults::is_off(Remedy::Looks) => Duration::MAX,
            None if !self.is_paused => LOOK_UNTOLD,
            _ => LOOK,
        };
        let nothing = |happened: &mut Happened| !happened.bell && !happened.waker;
        let waited = self.calls.changed.wait_timeout_while(self.calls.happened(), look, nothing);
        let (mut happened, _) = waited.unwrap_or_else(PoisonError::into_inner);
        #[cfg(feature = "faults")]
        self.calls.waits.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        // A waker goes before the bell: whoever goes on reads first in any case.
        match std::mem::take(&mut *happened) {
            Happened { waker: true, .. } => Woken::Waker,
            Happened { bell: true, .. } => Woken::Bell,
            Happened { .. } => Woken::Time,
        }
    }

    pub(crate) fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.calls))
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
            calls.call(|happened| happened.bell = true);
        }
    })?;
    watcher.watch(&layout.bell_dir, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_often_is_kept_once_and_a_waker_is_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let watch = Watch::new(&Layout::open(dir.path(), &crate::Options::default()).unwrap());
        let waker = watch.waker();
        for _ in 0..100_000 {
            watch.calls.call(|happened| happened.bell = true);
            waker.wake();
        }
        assert_eq!(watch.wait(), Woken::Waker);
        assert_eq!(watch.wait(), Woken::Time);
        watch.calls.call(|happened| happened.bell = true);
        watch.calls.call(|happened| happened.bell = true);
        assert_eq!(watch.wait(), Woken::Bell);
        assert_eq!(watch.wait(), Woken::Time);
    }
}
