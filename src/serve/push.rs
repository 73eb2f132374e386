//! What is pushed: events that are stored, from wherever they come.

use tokio::sync::mpsc::{Sender, UnboundedSender};

use super::followed::{News, Pushed};
use super::told::Told;
use crate::platform;
use crate::store::{Error, Query, Store, Waker};
use crate::subscription::Follower;

/// Tells all events that are stored from now on; gives what ends that.
pub(super) fn start(
    store: &Store,
    news: Sender<News>,
    told: UnboundedSender<Told>,
) -> Result<Waker, Error> {
    let query = Query { new: true, ..Query::default() };
    let mut follower = Follower::new(store, &query)?;
    let waker = follower.waker();
    let started = platform::spawn(move || {
        let mut position = 0;
        loop {
            let mut events = Vec::new();
            let batch = follower.next_batch(|event| events.push(Pushed::of(event)));
            let waited = batch.and_then(|batch| {
                if batch.position.0 > position || !events.is_empty() {
                    position = batch.position.0;
                    if news.blocking_send(News { events, position }).is_err() {
                        return Ok(false);
                    }
                }
                if batch.caught_up { follower.wait() } else { Ok(true) }
            });
            match waited {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return drop(told.send(Told::Failed(error))),
            }
        }
    });
    started.map_err(|error| Error::Engine { action: "serve", source: error.into() })?;
    Ok(waker)
}
