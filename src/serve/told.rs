//! What other threads tell the one that has the sockets.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::answer::{Answer, wrong};
use super::followed::{Followed, Loaded};
use crate::store::{Appended, Error};

/// Which answer of which connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) connection: u64,
    pub(super) number: u64,
}

/// Where an event is stored, or why not.
pub(super) type Stored = Result<Appended, Arc<Error>>;
/// A request that waits for that, and what it is told.
pub(super) type Waited = (oneshot::Sender<Stored>, Stored);

/// What other threads tell.
#[derive(Debug)]
pub(super) enum Told {
    Answers(Vec<(Slot, Answer)>),
    /// What became of events that requests brought.
    Stored(Vec<Waited>),
    /// Whether a subscription can begin, and where.
    Subscribed(Slot, Result<(Answer, Followed), Answer>),
    /// What was read for a connection's subscription, under its number.
    Loaded(u64, u64, Result<Loaded, Error>),
    /// The server can't go on.
    Failed(Error),
}

impl Told {
    /// Splits off the second half of answers, where they are so `many`.
    pub(super) fn split_off(&mut self, many: usize) -> Option<Self> {
        match self {
            Self::Answers(answers) if answers.len() >= many => {
                Some(Self::Answers(answers.split_off(answers.len() / 2)))
            }
            Self::Stored(waited) if waited.len() >= many => {
                Some(Self::Stored(waited.split_off(waited.len() / 2)))
            }
            _ => None,
        }
    }
}

/// The answer that is owed to a request. Where it is dropped, no one knows what became of that.
#[derive(Debug)]
pub(super) struct Owed {
    slot: Slot,
    told: Option<UnboundedSender<Told>>,
}

impl Owed {
    pub(super) fn new(slot: Slot, told: UnboundedSender<Told>) -> Self {
        Self { slot, told: Some(told) }
    }

    /// Answers.
    pub(super) fn answer(self, answer: Answer) {
        self.tell(|slot| Told::Answers(vec![(slot, answer)]));
    }

    /// Tells what becomes of the request.
    pub(super) fn tell(mut self, what: impl FnOnce(Slot) -> Told) {
        if let Some(told) = self.told.take() {
            // Where no one is there to be told, the server has ended.
            let _ = told.send(what(self.slot));
        }
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if let Some(told) = self.told.take() {
            let unknown = wrong("outcome unknown: the request was broken off", true);
            // As above.
            let _ = told.send(Told::Answers(vec![(self.slot, unknown)]));
        }
    }
}
