//! A connection: what is answered and pushed on it, in which order.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::answer::{Answer, wrong};
use super::followed::{Followed, Loaded, Pushed};
use super::memory::{Memory, Reserved};
use super::shared::Shared;
use super::told::Slot;
use crate::event::Pattern;
use crate::store::Error;

/// How many requests are carried out at once.
const AHEAD: usize = 1024;
/// How much may wait to be sent before nothing more is asked or pushed, in bytes. A longer answer is counted.
const UNSENT: usize = 64 << 10;

/// A subscription, and how far it is.
#[derive(Debug)]
struct Subscription {
    number: u64,
    followed: Followed,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It gets events as they come.
    Live,
    /// It is behind, and is being read for.
    Loading,
    /// It is behind, and what is sent has to be received first.
    Behind,
}

/// What a connection shares with the threads that work for it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) number: u64,
    /// What is to be sent.
    out: RefCell<Vec<u8>>,
    /// How much of what was taken from there is not sent yet.
    sending: Cell<usize>,
    memory: Memory,
    /// The room of long answers that are not sent yet.
    counted: RefCell<Vec<Reserved>>,
    /// The answers that are not sent yet, in the order of their requests; the first has the number `first`.
    answers: RefCell<VecDeque<Option<Answer>>>,
    first: Cell<u64>,
    /// Events, each to be sent once the answers before a number are.
    held: RefCell<VecDeque<(u64, Vec<u8>)>>,
    held_bytes: Cell<usize>,
    /// Whether a request is being carried out beside which no other is.
    is_busy: Cell<bool>,
    /// Whether nothing more is taken, and all ends when it is sent.
    is_closing: Cell<bool>,
    subscriptions: RefCell<Vec<Subscription>>,
    last: Cell<u64>,
    is_later: Cell<bool>,
    /// When something came from it last.
    heard: Cell<Instant>,
    /// Whether another has its room.
    is_given_up: Cell<bool>,
    changed: Notify,
}

impl Connection {
    pub(super) fn new(number: u64, memory: Memory) -> Self {
        Self {
            number,
            memory,
            counted: RefCell::default(),
            out: RefCell::default(),
            sending: Cell::new(0),
            answers: RefCell::default(),
            first: Cell::new(0),
            held: RefCell::default(),
            held_bytes: Cell::new(0),
            is_busy: Cell::new(false),
            is_closing: Cell::new(false),
            subscriptions: RefCell::default(),
            last: Cell::new(0),
            is_later: Cell::new(false),
            heard: Cell::new(Instant::now()),
            is_given_up: Cell::new(false),
            changed: Notify::new(),
        }
    }

    /// The minor version that is spoken from here on.
    pub(super) fn speak(&self, minor: u64) {
        self.is_later.set(minor > 0);
    }

    /// That something has come from it.
    pub(super) fn hears(&self, now: Instant) {
        self.heard.set(now);
    }

    /// Since when nothing has come from it; nothing where it waits for an answer, or follows something: who
    /// follows need not say anything.
    pub(super) fn silent_since(&self) -> Option<Instant> {
        let is_idle = self.is_answered() && self.subscriptions.borrow().is_empty();
        is_idle.then(|| self.heard.get())
    }

    /// Ends it for another that needs the room, whether it hears that or not.
    pub(super) fn give_up(&self) {
        self.end(&wrong("another connection needs the room", true));
        self.is_given_up.set(true);
    }

    /// Whether another has its room.
    pub(super) fn is_given_up(&self) -> bool {
        self.is_given_up.get()
    }

    /// Whether what was received is to be carried out.
    pub(super) fn may_be_asked(&self) -> bool {
        self.may_send_ahead() && self.unsent() <= UNSENT
    }

    /// Whether more is to be received.
    pub(super) fn may_send_ahead(&self) -> bool {
        !self.is_closing() && !self.is_busy.get() && self.answers.borrow().len() < AHEAD
    }

    /// Whether all that was asked is answered.
    pub(super) fn is_answered(&self) -> bool {
        self.answers.borrow().is_empty()
    }

    /// Whether nothing more is taken, and all ends when what is to be sent is.
    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.get()
    }

    /// Says something that no one has asked for.
    pub(super) fn say(&self, bytes: &[u8]) {
        self.out.borrow_mut().extend_from_slice(bytes);
        self.changed.notify_one();
    }

    /// Says a last word.
    pub(super) fn end(&self, word: &Answer) {
        if !self.is_closing.replace(true) {
            self.say(&word.bytes);
        }
    }

    /// Gives what is to be sent.
    pub(super) fn take_out(&self, bytes: &mut Vec<u8>) {
        std::mem::swap(&mut *self.out.borrow_mut(), bytes);
    }

    /// How much of what was given is not sent yet.
    pub(super) fn is_sending(&self, bytes: usize) {
        self.sending.set(bytes);
        if bytes == 0 && self.out.borrow().is_empty() {
            self.counted.borrow_mut().clear();
        }
    }

    /// Waits until there is something to be sent, or to be done.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Has the task look whether there is something to be done.
    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }

    fn unsent(&self) -> usize {
        self.out.borrow().len() + self.sending.get() + self.held_bytes.get()
    }

    /// A place for the answer to the next request.
    pub(super) fn slot(&self) -> Slot {
        let mut answers = self.answers.borrow_mut();
        answers.push_back(None);
        let number = self.first.get() + answers.len() as u64 - 1;
        Slot { connection: self.number, number }
    }

    /// The same for a request beside which no other is carried out.
    pub(super) fn slot_alone(&self) -> Slot {
        self.is_busy.set(true);
        self.slot()
    }

    /// Answers the next request on the spot.
    pub(super) fn answer_now(&self, answer: Answer) {
        let Slot { number, .. } = self.slot();
        self.answer(number, answer);
    }

    /// Answers a request; it is sent when those before it are.
    pub(super) fn answer(&self, number: u64, answer: Answer) {
        let mut answers = self.answers.borrow_mut();
        let Ok(at) = usize::try_from(number - self.first.get()) else { return };
        if let Some(place) = answers.get_mut(at) {
            *place = Some(answer);
        }
        while let Some(Some(_)) = answers.front() {
            let Some(Some(Answer { bytes, closes })) = answers.pop_front() else { break };
            self.first.set(self.first.get() + 1);
            if !self.is_closing.get() {
                if bytes.len() > UNSENT {
                    self.counted.borrow_mut().push(self.memory.count(bytes.len() as u64));
                }
                self.out.borrow_mut().extend_from_slice(&bytes);
                self.is_closing.set(closes);
            }
        }
        if answers.is_empty() {
            self.is_busy.set(false);
        }
        drop(answers);
        let mut held = self.held.borrow_mut();
        while held.front().is_some_and(|(before, _)| *before <= self.first.get()) {
            let Some((_, bytes)) = held.pop_front() else { break };
            self.held_bytes.set(self.held_bytes.get() - bytes.len());
            self.out.borrow_mut().extend_from_slice(&bytes);
        }
        drop(held);
        self.changed.notify_one();
    }

    /// What is followed.
    pub(super) fn followed(&self) -> Vec<Followed> {
        self.subscriptions.borrow().iter().map(|one| one.followed.clone()).collect()
    }

    /// Pushes an event that has just been stored.
    pub(super) fn push(&self, shared: &Shared, event: &Pushed) {
        let mut subscriptions = self.subscriptions.borrow_mut();
        for subscription in subscriptions.iter_mut() {
            if subscription.state != State::Live || !subscription.followed.takes(event) {
                continue;
            }
            if self.is_closing.get() || self.unsent() > UNSENT {
                // It costs its place in the log from here on, and is read for when there is room again.
                subscription.state = State::Behind;
                shared.lay_down(self.number, &subscription.followed);
                continue;
            }
            self.send_event(event);
            subscription.followed.told(event);
        }
    }

    /// Sends an event, behind the answers to what is being published: one's own is acknowledged first. What
    /// else is asked is carried out beside no publishing, and keeps no event waiting.
    fn send_event(&self, event: &Pushed) {
        let mut bytes = Vec::new();
        if self.is_later.get() {
            event.write_all(&mut bytes);
        } else {
            event.write(&mut bytes);
        }
        let asked = self.answers.borrow().len() as u64;
        let mut held = self.held.borrow_mut();
        if (asked == 0 || self.is_busy.get()) && held.is_empty() {
            self.out.borrow_mut().extend_from_slice(&bytes);
            self.changed.notify_one();
        } else {
            self.held_bytes.set(self.held_bytes.get() + bytes.len());
            held.push_back((self.first.get() + asked, bytes));
        }
    }

    /// Takes what was read for a subscription that is behind.
    pub(super) fn loaded(&self, shared: &Shared, number: u64, loaded: Result<Loaded, Error>) {
        let mut subscriptions = self.subscriptions.borrow_mut();
        let Some(subscription) = subscriptions.iter_mut().find(|one| one.number == number) else {
            return;
        };
        let Loaded { events, head, position } = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                return self.end(&wrong(&error.to_string(), true));
            }
        };
        for event in &events {
            if subscription.followed.takes(event) {
                self.send_event(event);
                subscription.followed.told(event);
            }
        }
        if let Followed::Pass { next, .. } = &mut subscription.followed {
            *next = (*next).max(position + 1);
        }
        subscription.state = State::Behind;
        match head {
            Some(head) if shared.has_told_no_more_than(head) => {
                subscription.state = State::Live;
                shared.take_up(self.number, &subscription.followed);
            }
            _ => {}
        }
        drop(subscriptions);
        self.catch_up(shared);
    }

    /// Has what is behind be read for, where there is room.
    pub(super) fn catch_up(&self, shared: &Shared) {
        if self.is_closing.get() {
            return;
        }
        for subscription in self.subscriptions.borrow_mut().iter_mut() {
            if subscription.state == State::Behind && self.unsent() <= UNSENT {
                subscription.state = State::Loading;
                shared.load(self.number, subscription.number, subscription.followed.clone());
            }
        }
    }

    /// Has what is followed be read for from where it stands: events have been stored that are not pushed.
    pub(super) fn fall_behind(&self, shared: &Shared) {
        for subscription in self.subscriptions.borrow_mut().iter_mut() {
            if subscription.state == State::Live {
                subscription.state = State::Behind;
                shared.lay_down(self.number, &subscription.followed);
            }
        }
        self.catch_up(shared);
    }

    /// Takes the answer to a SUBSCRIBE.
    pub(super) fn subscribed(
        &self,
        shared: &Shared,
        number: u64,
        subscribed: Result<(Answer, Followed), Answer>,
    ) {
        match subscribed {
            Err(refused) => self.answer(number, refused),
            Ok((answer, followed)) => {
                self.answer(number, answer);
                self.follow(shared, followed);
            }
        }
    }

    /// The pass that is followed: by which patterns, and where it stands.
    pub(super) fn pass(&self) -> Option<(Vec<Pattern>, u64)> {
        self.followed().into_iter().find_map(|followed| match followed {
            Followed::Pass { patterns, next } => Some((patterns, next)),
            Followed::Stream { .. } => None,
        })
    }

    /// Follows a stream or a pass, in the place of the one before.
    pub(super) fn follow(&self, shared: &Shared, followed: Followed) {
        self.unfollow(shared, &followed);
        self.last.set(self.last.get() + 1);
        let (number, state) = (self.last.get(), State::Behind);
        self.subscriptions.borrow_mut().push(Subscription { number, followed, state });
        shared.feed.subscribed();
        self.catch_up(shared);
    }

    /// Ends the subscription to the same stream, or the pass.
    pub(super) fn unfollow(&self, shared: &Shared, followed: &Followed) {
        self.subscriptions.borrow_mut().retain(|subscription| {
            let same = match (&subscription.followed, followed) {
                (Followed::Stream { name, .. }, Followed::Stream { name: other, .. }) => {
                    name == other
                }
                (Followed::Pass { .. }, Followed::Pass { .. }) => true,
                _ => false,
            };
            if same && subscription.state == State::Live {
                shared.lay_down(self.number, &subscription.followed);
            }
            if same {
                shared.feed.unsubscribed(1);
            }
            !same
        });
    }
}
