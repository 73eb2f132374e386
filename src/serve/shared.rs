//! What connections share: who works for them, and who is told of which stream. All of it is on one thread.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, broadcast};

use super::access::Access;
use super::commit::{Asked, Committer, FEW};
use super::followed::{Followed, Heard, Pushed, load};
use super::memory::Memory;
use super::metrics::Metrics;
use super::pool::Pool;
use super::push::Feed;
use super::told::Told;
use crate::store::{Error, Sealer};

/// How many lots of what was stored are kept for who is slow to hear of it; who misses some reads.
const HEARD: usize = 64;

/// How long a connection may be silent, and what else it is held to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) keep_alive: Duration,
    pub(super) ping_timeout: Duration,
    pub(super) connections: usize,
    /// What anyone may do at most.
    pub(super) access: Access,
    /// How long a line may take to come; payloads take a second a MiB more.
    pub(super) receive: Duration,
    /// How long a payload may be, in bytes.
    pub(super) payload: u64,
}

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) limits: Limits,
    pub(super) memory: Memory,
    pub(super) metrics: Arc<Metrics>,
    pub(super) committer: Committer,
    /// What is to be committed, once all that has been received is taken.
    asked: RefCell<Vec<Asked>>,
    is_asked: Notify,
    /// How many events the last group had.
    last_group: Cell<usize>,
    pub(super) pool: Arc<Pool>,
    /// Reads for subscribers that are behind.
    pub(super) loader: Arc<Pool>,
    /// Reads what is pushed, while there are subscriptions.
    pub(super) feed: Arc<Feed>,
    /// What is stored, for those who follow without a connection here.
    pub(super) heard: broadcast::Sender<Arc<Heard>>,
    pub(super) told: UnboundedSender<Told>,
    pub(super) sealer: RefCell<Sealer>,
    /// The connections with subscriptions to streams that have got all there is, by stream.
    live: RefCell<HashMap<Box<str>, Vec<u64>>>,
    /// The connections with a pass that has got all there is.
    live_passes: RefCell<Vec<u64>>,
    /// All events up to here have been told.
    position: Cell<u64>,
    is_ending: Cell<bool>,
}

impl Shared {
    pub(super) fn new(
        limits: Limits,
        memory: Memory,
        committer: Committer,
        (pool, loader): (Arc<Pool>, Arc<Pool>),
        feed: Feed,
        told: UnboundedSender<Told>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        Ok(Self {
            limits,
            memory,
            metrics,
            committer,
            asked: RefCell::default(),
            is_asked: Notify::new(),
            last_group: Cell::new(0),
            pool,
            loader,
            feed: Arc::new(feed),
            heard: broadcast::channel(HEARD).0,
            told,
            sealer: RefCell::new(Sealer::new()?),
            live: RefCell::default(),
            live_passes: RefCell::default(),
            position: Cell::new(0),
            is_ending: Cell::new(false),
        })
    }

    /// Has an event be committed, with all that others have asked for by now.
    pub(super) fn ask(&self, asked: Asked) {
        self.asked.borrow_mut().push(asked);
        self.is_asked.notify_one();
    }

    /// Waits until something is to be committed, and gives it: once all connections that have received
    /// something have been at work, so that theirs is one group.
    pub(super) async fn group(&self) -> Vec<Asked> {
        loop {
            self.is_asked.notified().await;
            // What has come by now has been taken. What is about to come is looked for where others published
            // with the last one, unless it is the turn of half of them.
            let (last, waiting) = (self.last_group.get(), self.asked.borrow().len());
            let are_half = self.committer.is_idle() && waiting > FEW && 2 * waiting >= last;
            if last > 1 && !are_half {
                tokio::task::yield_now().await;
            }
            let waiting = self.asked.borrow().len();
            if waiting > 0 {
                self.last_group.set(waiting);
                // The next one is about as large.
                return self.asked.replace(Vec::with_capacity(waiting));
            }
        }
    }

    /// Whether connections are to end once they have their answers.
    pub(super) fn is_ending(&self) -> bool {
        self.is_ending.get()
    }

    pub(super) fn end(&self) {
        self.is_ending.set(true);
    }

    /// That all events up to `position` have been told.
    pub(super) fn has_told(&self, position: u64) {
        self.position.set(position);
    }

    /// The connections that are to be told of an event.
    pub(super) fn followers(&self, event: &Pushed) -> Vec<u64> {
        let mut followers = self.live_passes.borrow().clone();
        followers.extend(self.live.borrow().get(&event.stream).into_iter().flatten());
        followers
    }

    /// Whether all events up to `position` have been told: who has read up to there has missed none.
    pub(super) fn has_told_no_more_than(&self, position: u64) -> bool {
        self.position.get() <= position
    }

    /// Has a connection be told what comes.
    pub(super) fn take_up(&self, connection: u64, followed: &Followed) {
        match followed {
            Followed::Stream { name, .. } => {
                self.live.borrow_mut().entry((&**name).into()).or_default().push(connection);
            }
            Followed::Pass { .. } => self.live_passes.borrow_mut().push(connection),
        }
    }

    /// Has a connection no longer be told what comes.
    pub(super) fn lay_down(&self, connection: u64, followed: &Followed) {
        match followed {
            Followed::Stream { name, .. } => {
                let mut live = self.live.borrow_mut();
                if let Some(connections) = live.get_mut(&**name) {
                    connections.retain(|other| *other != connection);
                    if connections.is_empty() {
                        live.remove(&**name);
                    }
                }
            }
            Followed::Pass { .. } => {
                self.live_passes.borrow_mut().retain(|other| *other != connection);
            }
        }
    }

    /// Reads for a connection's subscription that is behind.
    pub(super) fn load(&self, connection: u64, subscription: u64, followed: Followed) {
        let told = self.told.clone();
        self.loader.queue(move |store| {
            // Where no one is there to be told, the server has ended.
            let _ = told.send(Told::Loaded(connection, subscription, load(store, &followed)));
        });
    }
}
