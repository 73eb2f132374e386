//! What requests are carried out with: threads with the store open, and the thread that commits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{broadcast, oneshot, watch};

use super::guard::Rules;
use super::problem::Problem;
use crate::event::NewEvent;
use crate::serve::access::Tokens;
use crate::serve::commit::{Asked, Whom};
use crate::serve::followed::Heard;
use crate::serve::memory::{Memory, Reserved};
use crate::serve::metrics::Metrics;
use crate::serve::pool::Pool;
use crate::serve::push::Feed;
use crate::store::{Appended, Sealer, Store};

/// What requests are held to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// How long a client may take nothing of its answer.
    pub(super) patience: Duration,
    /// How long it may be silent before it is asked whether it is there; in HTTP/2, which has a word for that.
    pub(super) keep_alive: Duration,
    /// How long a request may take.
    pub(super) request: Duration,
    /// How long who follows may be told nothing, before a comment is.
    pub(super) comment: Duration,
    /// How long data may be, in bytes.
    pub(super) data: usize,
}

/// What requests are carried out with.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) rules: Rules,
    pub(super) tokens: Arc<Tokens>,
    pub(super) limits: Limits,
    pub(super) memory: Memory,
    pub(super) metrics: Arc<Metrics>,
    pub(super) pool: Arc<Pool>,
    /// Has events be stored, with what others have asked for by then.
    pub(super) asking: UnboundedSender<Asked>,
    pub(super) sealer: Mutex<Sealer>,
    /// Reads for those who follow.
    pub(super) loader: Arc<Pool>,
    /// What is stored, for those who follow.
    pub(super) heard: broadcast::Sender<Arc<Heard>>,
    /// Reads what they hear of.
    pub(super) feed: Arc<Feed>,
    /// Whether the server ends.
    pub(super) ending: watch::Receiver<bool>,
}

impl Backend {
    /// Has a thread do what a request asks for, where not too many wait for that.
    pub(super) async fn perform<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        if self.pool.is_full() {
            return Err(Problem::busy("too many requests wait for the store"));
        }
        self.go_on(job).await
    }

    /// The same of what changes the store.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let job = move |store: &mut Store| Ok(job(store));
        self.perform(job).await.map_err(Problem::of_unknown_outcome)?
    }

    /// Has a thread do what is left of a request that has been begun, however many wait.
    pub(super) async fn go_on<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        Self::await_in(&self.pool, job).await
    }

    /// Has the thread that reads for those who follow do so.
    pub(super) async fn follow<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        Self::await_in(&self.loader, job).await
    }

    async fn await_in<T: Send + 'static>(
        pool: &Pool,
        job: impl FnOnce(&mut Store) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let (done, doing) = oneshot::channel();
        pool.queue(move |store| {
            // Who has gone does not ask.
            let _ = done.send(job(store));
        });
        // A job that is broken off tells nothing.
        doing.await.unwrap_or_else(|_| Err(Problem::internal()))
    }

    /// Appends an event, with what others append by then; where it stands.
    pub(super) async fn append(
        &self,
        event: NewEvent,
        room: Reserved,
    ) -> Result<Appended, Problem> {
        let event = self.sealer.lock().unwrap_or_else(PoisonError::into_inner).seal(event);
        let (waiting, stored) = oneshot::channel();
        let asked = Asked { whom: Whom::Request(waiting), event, _room: room };
        // The one that takes it ends after all connections.
        let _ = self.asking.send(asked);
        match stored.await {
            Ok(stored) => stored.map_err(|error| Problem::from(&*error)),
            Err(_) => Err(Problem::of_unknown_outcome(Problem::internal())),
        }
    }
}

/// Waits until the server ends.
pub(super) async fn ended(ending: &mut watch::Receiver<bool>) {
    // Where no one can say so any more, it has ended.
    let _ = ending.wait_for(|ending| *ending).await;
}
