//! How much all connections keep together: payloads until they are stored, and answers until they are sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

/// Room for what is kept, in bytes.
#[derive(Debug, Clone)]
pub(super) struct Memory(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: u64,
    used: AtomicU64,
    /// Whether someone may wait for room.
    is_short: AtomicBool,
    freed: Notify,
}

impl Memory {
    pub(super) fn new(most: u64) -> Self {
        let (used, is_short, freed) = (AtomicU64::new(0), AtomicBool::new(false), Notify::new());
        Self(Arc::new(Shared { most, used, is_short, freed }))
    }

    /// Room for so many bytes, where there is; where nothing is kept, there is for any number.
    pub(super) fn reserve(&self, bytes: u64) -> Option<Reserved> {
        let more = |used: u64| {
            let more = used.saturating_add(bytes);
            (used == 0 || more <= self.0.most).then_some(more)
        };
        self.0.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).ok()?;
        Some(Reserved { memory: self.clone(), bytes })
    }

    /// The same, once there is.
    pub(super) async fn wait_for(&self, bytes: u64) -> Reserved {
        loop {
            // What is freed from here on is told.
            let freed = self.0.freed.notified();
            self.0.is_short.store(true, Ordering::SeqCst);
            if let Some(reserved) = self.reserve(bytes) {
                return reserved;
            }
            freed.await;
        }
    }

    /// Room for so many bytes that are kept already.
    pub(super) fn count(&self, bytes: u64) -> Reserved {
        self.0.used.fetch_add(bytes, Ordering::SeqCst);
        Reserved { memory: self.clone(), bytes }
    }

    /// Whether more is kept than should be.
    pub(super) fn is_full(&self) -> bool {
        self.0.used.load(Ordering::SeqCst) > self.0.most
    }
}

/// Room that is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Reserved {
    memory: Memory,
    bytes: u64,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let Shared { used, is_short, freed, .. } = &*self.memory.0;
        used.fetch_sub(self.bytes, Ordering::SeqCst);
        if is_short.swap(false, Ordering::SeqCst) {
            freed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn who_finds_no_room_gets_it_when_it_is_freed() {
        let memory = Memory::new(100);
        let first = memory.reserve(60).unwrap();
        assert!(memory.reserve(41).is_none());
        let second = memory.reserve(40).unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let mut third = pin!(memory.wait_for(50));
        let mut fourth = pin!(memory.wait_for(50));
        assert!(third.as_mut().poll(&mut context).is_pending());
        assert!(fourth.as_mut().poll(&mut context).is_pending());
        drop(second);
        assert!(third.as_mut().poll(&mut context).is_pending());
        assert!(fourth.as_mut().poll(&mut context).is_pending());
        drop(first);
        let Poll::Ready(third) = third.as_mut().poll(&mut context) else { panic!("no room") };
        let Poll::Ready(fourth) = fourth.as_mut().poll(&mut context) else { panic!("no room") };
        drop((third, fourth));
    }

    #[test]
    fn what_is_kept_already_counts_and_alone_one_may_have_any() {
        let memory = Memory::new(100);
        let counted = memory.count(101);
        assert!(memory.is_full());
        assert!(memory.reserve(0).is_none());
        drop(counted);
        assert!(!memory.is_full());
        let alone = memory.reserve(1000).unwrap();
        assert!(memory.reserve(1).is_none());
        drop(alone);
        assert!(memory.reserve(1).is_some());
    }
}
