//! What is pushed: events that are stored, from wherever they come. Where no one follows, none is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::mpsc::{Sender, UnboundedSender};

use super::followed::{News, Pushed};
use super::told::Told;
use crate::platform;
use crate::store::{Error, Query, Store, Waker};
use crate::subscription::Follower;

/// The thread that reads what is to be pushed; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Feed {
    wanted: Arc<Wanted>,
    waker: Waker,
}

/// What the thread is there for.
#[derive(Debug, Default)]
struct Wanted {
    subscriptions: AtomicUsize,
    has_ended: AtomicBool,
}

impl Feed {
    /// Starts the thread.
    pub(super) fn start(
        store: &Store,
        news: Sender<News>,
        told: UnboundedSender<Told>,
    ) -> Result<Self, Error> {
        let query = Query { new: true, ..Query::default() };
        let follower = Follower::new(store, &query)?;
        let (wanted, waker) = (Arc::<Wanted>::default(), follower.waker());
        let seen = Arc::clone(&wanted);
        let started = platform::spawn(move || {
            if let Err(error) = push(follower, &seen, &news) {
                // Where no one is there to be told, the server has ended.
                let _ = told.send(Told::Failed(error));
            }
        });
        started.map_err(|error| Error::Engine { action: "serve", source: error.into() })?;
        Ok(Self { wanted, waker })
    }

    /// That there is a subscription more.
    pub(super) fn subscribed(&self) {
        if self.wanted.subscriptions.fetch_add(1, Ordering::Relaxed) == 0 {
            self.waker.wake();
        }
    }

    /// That there are so many subscriptions less.
    pub(super) fn unsubscribed(&self, subscriptions: usize) {
        self.wanted.subscriptions.fetch_sub(subscriptions, Ordering::Relaxed);
    }
}

/// One who follows what the thread reads, until this is dropped.
#[derive(Debug)]
pub(super) struct Wanting(Arc<Feed>);

impl Wanting {
    pub(super) fn new(feed: &Arc<Feed>) -> Self {
        feed.subscribed();
        Self(Arc::clone(feed))
    }
}

impl Drop for Wanting {
    fn drop(&mut self) {
        self.0.unsubscribed(1);
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.wanted.has_ended.store(true, Ordering::Relaxed);
        self.waker.wake();
    }
}

/// Tells all events that are stored while there are subscriptions, until that is no longer wanted.
fn push(mut follower: Follower, wanted: &Wanted, news: &Sender<News>) -> Result<(), Error> {
    let (mut position, mut rests) = (0, false);
    while !wanted.has_ended.load(Ordering::Relaxed) {
        if wanted.subscriptions.load(Ordering::Relaxed) == 0 {
            rests = true;
            follower.rest()?;
            continue;
        }
        if std::mem::take(&mut rests) {
            position = follower.skip()?.0;
            if news.blocking_send(News { events: Vec::new(), position, skips: true }).is_err() {
                return Ok(());
            }
        }
        let mut events = Vec::new();
        let batch = follower.next_batch(|event| events.push(Pushed::of(event)))?;
        if batch.position.0 > position || !events.is_empty() {
            position = batch.position.0;
            if news.blocking_send(News { events, position, skips: false }).is_err() {
                return Ok(());
            }
        }
        if batch.caught_up {
            follower.wait()?;
        }
    }
    Ok(())
}
