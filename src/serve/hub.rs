//! Where answers and events come together with the connections that they are for. All of it is on one
//! thread.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use tokio::task::yield_now;

use super::connection::Connection;
use super::followed::{Heard, News};
use super::refusal::Refusals;
use super::seat::Seat;
use super::shared::Shared;
use super::told::{Slot, Told};
use crate::platform;
use crate::store::Error;

/// How many answers are told in two halves.
const HALVED: usize = 32;
/// How long a connection has to be silent to make room for another.
const SILENT: Duration = Duration::from_secs(10);
/// How many descriptors are kept for the store, for all threads that have it open.
const SPARE: u64 = 64;

/// All connections, and what they share.
#[derive(Debug)]
pub(super) struct Hub {
    pub(super) shared: Shared,
    /// Those that there is no room for.
    pub(super) refusals: Refusals,
    connections: RefCell<HashMap<u64, Rc<Connection>>>,
    last: Cell<u64>,
    /// The connections beside those, which are told nothing here.
    others: RefCell<HashMap<u64, Rc<Seat>>>,
    /// What is to be told next.
    rest: RefCell<Option<Told>>,
    /// Told when a connection has ended.
    gone: Notify,
}

impl Hub {
    pub(super) fn new(shared: Shared) -> Self {
        let (connections, last, gone) = (RefCell::default(), Cell::new(0), Notify::new());
        let (others, rest) = (RefCell::default(), RefCell::default());
        let refusals = Refusals::default();
        Self { shared, refusals, connections, last, others, rest, gone }
    }

    /// Takes in the connection on `socket`, which was opened last; nothing where there are too many, of which
    /// none makes room.
    pub(super) fn connect(&self, socket: &impl AsFd) -> Option<Rc<Connection>> {
        self.make_room(socket)?;
        let number = self.last.get() + 1;
        self.last.set(number);
        let connection = Rc::new(Connection::new(number, self.shared.memory.clone()));
        self.connections.borrow_mut().insert(number, Rc::clone(&connection));
        self.shared.metrics.connections.inc();
        Some(connection)
    }

    /// Takes in the connection on `socket` that is told nothing here, until that is dropped; nothing as above.
    pub(super) fn admit(hub: &Rc<Self>, socket: &impl AsFd) -> Option<Admitted> {
        hub.make_room(socket)?;
        let number = hub.last.get() + 1;
        hub.last.set(number);
        let seat = Rc::<Seat>::default();
        hub.others.borrow_mut().insert(number, Rc::clone(&seat));
        hub.shared.metrics.connections.inc();
        Some(Admitted { hub: Rc::clone(hub), number, seat })
    }

    /// Has the connection that is silent the longest make room for that on `socket`, where there is none;
    /// nothing where none has been silent for long enough.
    fn make_room(&self, socket: &impl AsFd) -> Option<()> {
        let mut connections = self.connections.borrow_mut();
        let mut others = self.others.borrow_mut();
        // Without descriptors nothing could be stored: the last ones are for the store.
        let spare = SPARE.min(platform::most_descriptors() / 2);
        if connections.len() + others.len() < self.shared.limits.connections
            && platform::descriptors_left(socket) >= spare
        {
            return Some(());
        }
        let here = connections.values().filter_map(|one| Some((one.silent_since()?, one.number)));
        let there = others.iter().filter_map(|(number, one)| Some((one.silent_since()?, *number)));
        let (since, silent) = here.chain(there).min()?;
        if since.elapsed() < SILENT {
            return None;
        }
        if let Some(connection) = connections.remove(&silent) {
            connection.give_up();
        }
        if let Some(seat) = others.remove(&silent) {
            seat.give_up();
        }
        Some(())
    }

    /// Forgets a connection that has ended.
    pub(super) fn disconnect(&self, connection: &Connection) {
        self.connections.borrow_mut().remove(&connection.number);
        self.shared.metrics.connections.dec();
        self.gone.notify_one();
        let followed = connection.followed();
        self.shared.feed.unsubscribed(followed.len());
        for followed in followed {
            self.shared.lay_down(connection.number, &followed);
        }
    }

    /// Takes nothing more, and has each connection end once it has its answers.
    pub(super) fn end(&self) {
        self.shared.end();
        for connection in self.connections.borrow().values() {
            connection.wake();
        }
        self.gone.notify_one();
    }

    /// Waits until no connection is left.
    pub(super) async fn emptied(&self) {
        while !self.connections.borrow().is_empty() || !self.others.borrow().is_empty() {
            self.gone.notified().await;
        }
    }

    fn find(&self, number: u64) -> Option<Rc<Connection>> {
        self.connections.borrow().get(&number).map(Rc::clone)
    }

    /// Takes what other threads tell, until the server can't go on.
    pub(super) async fn listen(
        &self,
        told: &mut UnboundedReceiver<Told>,
        news: &mut Receiver<News>,
    ) -> Error {
        self.tell_rest();
        loop {
            tokio::select! {
                biased;
                told = told.recv() => match told {
                    Some(Told::Failed(error)) => return error,
                    Some(told) => self.tell_in_halves(told).await,
                    None => return Error::Interrupted,
                },
                news = news.recv() => match news {
                    Some(news) => self.spread(news),
                    None => return Error::Interrupted,
                },
            }
        }
    }

    /// Has what is published be committed, for as long as it is polled.
    pub(super) async fn commit(&self) {
        loop {
            let group = self.shared.group().await;
            for told in self.shared.committer.commit(group) {
                self.tell(told);
            }
        }
    }

    /// Tells many answers in two halves: who is told first asks again, and that is committed while the others are
    /// told. Told all at once, they would all wait for the thread that commits, and it for them.
    async fn tell_in_halves(&self, mut told: Told) {
        // Where this is broken off, it is told all the same.
        let rest = told.split_off(HALVED);
        let is_halved = rest.is_some();
        self.rest.replace(rest);
        self.tell(told);
        if !is_halved {
            return;
        }
        // Once for what they ask to come, and once for it to be handed on.
        yield_now().await;
        yield_now().await;
        self.tell_rest();
    }

    fn tell_rest(&self) {
        if let Some(rest) = self.rest.take() {
            self.tell(rest);
        }
    }

    fn tell(&self, told: Told) {
        match told {
            Told::Answers(answers) => {
                for (Slot { connection, number }, answer) in answers {
                    if let Some(connection) = self.find(connection) {
                        connection.answer(number, answer);
                    }
                }
            }
            Told::Stored(waited) => {
                for (waiting, stored) in waited {
                    // Who has gone does not hear it.
                    let _ = waiting.send(stored);
                }
            }
            Told::Subscribed(Slot { connection, number }, subscribed) => {
                if let Some(connection) = self.find(connection) {
                    connection.subscribed(&self.shared, number, subscribed);
                }
            }
            Told::Loaded(connection, subscription, loaded) => {
                if let Some(connection) = self.find(connection) {
                    connection.loaded(&self.shared, subscription, loaded);
                }
            }
            Told::Failed(_) => {}
        }
    }

    /// Tells events to those who follow their streams.
    fn spread(&self, news: News) {
        if self.shared.heard.receiver_count() > 0 {
            // They have gone by now, where it is told no one.
            let _ = self.shared.heard.send(Arc::new(Heard::of(&news)));
        }
        let News { events, position, skips } = news;
        if skips {
            for connection in self.connections.borrow().values() {
                connection.fall_behind(&self.shared);
            }
        }
        for event in &events {
            for number in self.shared.followers(event) {
                if let Some(connection) = self.find(number) {
                    connection.push(&self.shared, event);
                }
            }
        }
        self.shared.has_told(position);
    }
}

/// A connection that counts as one, and is told nothing here.
#[derive(Debug)]
pub(super) struct Admitted {
    hub: Rc<Hub>,
    number: u64,
    pub(super) seat: Rc<Seat>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.hub.others.borrow_mut().remove(&self.number);
        self.hub.shared.metrics.connections.dec();
        self.hub.gone.notify_one();
    }
}
