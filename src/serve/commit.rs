//! Group commit: what waits to be published is stored in one transaction, with one sync.

use std::collections::VecDeque;
use std::slice;
use std::sync::mpsc::{self, Receiver, Sender};

use tokio::sync::mpsc::UnboundedSender;

use super::answer::{Answer, failure};
use super::memory::Reserved;
use super::message::{Publish, Request};
use super::session;
use super::told::{Slot, Told};
use crate::platform;
use crate::store::{Error, SealedEvent, Store};

/// How many events a group has at most.
const EVENTS: usize = 1000;
/// How many bytes their payloads have at most; a larger one goes alone.
const BYTES: usize = 4 << 20;

/// An event that is to be published, and who waits for that.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) slot: Slot,
    pub(super) publish: Publish,
    pub(super) minor: u64,
    pub(super) event: SealedEvent,
    /// That of its payloads.
    pub(super) _room: Reserved,
}

impl Asked {
    fn bytes(&self) -> usize {
        let event = self.event.event();
        event.data.len() + event.state.as_ref().map_or(0, crate::event::Data::len)
    }
}

/// Starts the thread that commits, which ends with the last of those that ask it.
pub(super) fn start(
    mut store: Store,
    told: UnboundedSender<Told>,
) -> Result<Sender<Vec<Asked>>, Error> {
    let (asking, asked) = mpsc::channel();
    let started = platform::spawn(move || {
        let mut waiting = VecDeque::new();
        while let Some(group) = group(&asked, &mut waiting) {
            if told.send(Told::Answers(commit(&mut store, &group))).is_err() {
                return;
            }
        }
    });
    started.map_err(|error| Error::Engine { action: "serve", source: error.into() })?;
    Ok(asking)
}

/// Stores events, each for itself; what each is answered.
fn commit(store: &mut Store, group: &[Asked]) -> Vec<(Slot, Answer)> {
    let units: Vec<&[SealedEvent]> =
        group.iter().map(|asked| slice::from_ref(&asked.event)).collect();
    let done = store.append_units(&units);
    let each = group.iter().enumerate().map(|(at, Asked { slot, publish, minor, .. })| {
        let answer = match &done {
            Ok(done) => session::published(publish, *minor, &done[at]),
            Err(error) => failure(&Request::Publish(publish.clone()), *minor, error),
        };
        (*slot, answer)
    });
    each.collect()
}

/// What is asked for by now, as much as a group takes; waits for the first. Nothing once no one asks.
fn group(asked: &Receiver<Vec<Asked>>, waiting: &mut VecDeque<Asked>) -> Option<Vec<Asked>> {
    if waiting.is_empty() {
        waiting.extend(asked.recv().ok()?);
    }
    let (mut group, mut bytes) = (Vec::new(), 0);
    loop {
        while let Some(next) = waiting.pop_front() {
            bytes += next.bytes();
            if group.len() == EVENTS || (bytes > BYTES && !group.is_empty()) {
                waiting.push_front(next);
                return Some(group);
            }
            group.push(next);
        }
        let Ok(more) = asked.try_recv() else { return Some(group) };
        waiting.extend(more);
    }
}
