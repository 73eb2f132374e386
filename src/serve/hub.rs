//! Where answers and events come together with the connections that they are for. All of it is on one
//! thread.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use tokio::task::yield_now;

use super::answer::Answer;
use super::connection::Connection;
use super::followed::{Heard, News};
use super::shared::Shared;
use super::told::{Slot, Told};
use crate::store::Error;

/// How many answers are told in two halves.
const HALVED: usize = 32;

/// All connections, and what they share.
#[derive(Debug)]
pub(super) struct Hub {
    pub(super) shared: Shared,
    connections: RefCell<HashMap<u64, Rc<Connection>>>,
    last: Cell<u64>,
    /// How many connections there are beside those, of who is told nothing here.
    others: Cell<usize>,
    /// Answers that are to be told next.
    rest: RefCell<Vec<(Slot, Answer)>>,
    /// Told when a connection has ended.
    gone: Notify,
}

impl Hub {
    pub(super) fn new(shared: Shared) -> Self {
        let (connections, last, gone) = (RefCell::default(), Cell::new(0), Notify::new());
        let (others, rest) = (Cell::new(0), RefCell::default());
        Self { shared, connections, last, others, rest, gone }
    }

    /// Takes in a connection; nothing where there are too many.
    pub(super) fn connect(&self) -> Option<Rc<Connection>> {
        let mut connections = self.connections.borrow_mut();
        if connections.len() + self.others.get() >= self.shared.limits.connections {
            return None;
        }
        let number = self.last.get() + 1;
        self.last.set(number);
        let connection = Rc::new(Connection::new(number, self.shared.memory.clone()));
        connections.insert(number, Rc::clone(&connection));
        self.shared.metrics.connections.inc();
        Some(connection)
    }

    /// Takes in a connection that is told nothing here, until that is dropped; nothing where there are too many.
    pub(super) fn admit(hub: &Rc<Self>) -> Option<Admitted> {
        let (others, connections) = (hub.others.get(), hub.connections.borrow().len());
        if connections + others >= hub.shared.limits.connections {
            return None;
        }
        hub.others.set(others + 1);
        hub.shared.metrics.connections.inc();
        Some(Admitted(Rc::clone(hub)))
    }

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
        while !self.connections.borrow().is_empty() || self.others.get() > 0 {
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
                    Some(Told::Answers(answers)) if answers.len() >= HALVED => {
                        self.tell_in_halves(answers).await;
                    }
                    Some(told) => self.tell(told),
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

    /// Tells many answers: who is told first asks again, and that is committed while the others are told. Told
    /// all at once, they would all wait for the thread that commits, and it for them.
    async fn tell_in_halves(&self, mut answers: Vec<(Slot, Answer)>) {
        // Where this is broken off, it is told all the same.
        self.rest.replace(answers.split_off(answers.len() / 2));
        self.tell(Told::Answers(answers));
        // Once for what they ask to come, and once for it to be handed on.
        yield_now().await;
        yield_now().await;
        self.tell_rest();
    }

    fn tell_rest(&self) {
        self.tell(Told::Answers(self.rest.take()));
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
pub(super) struct Admitted(Rc<Hub>);

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.others.set(self.0.others.get() - 1);
        self.0.shared.metrics.connections.dec();
        self.0.gone.notify_one();
    }
}
