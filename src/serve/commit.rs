//! Group commit: what waits to be published is stored in one transaction, with one sync.

use std::cell::{Cell, OnceCell};
use std::collections::VecDeque;
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::answer::failure;
use super::memory::Reserved;
use super::message::{Publish, Request};
use super::metrics::Metrics;
use super::session;
use super::told::{Slot, Stored, Told};
use crate::platform;
use crate::store::{Appended, Error, SealedEvent, Stopped, Store};

/// How many events a group has at most.
const EVENTS: usize = 1000;
/// How many bytes their payloads have at most; a larger one goes alone.
const BYTES: usize = 4 << 20;

/// How many events are committed on the spot, and how many bytes their payloads have.
pub(super) const FEW: usize = 4;
const FEW_BYTES: usize = 64 << 10;
/// How long it takes to get the turn to write where no one else has it.
const TURN: Duration = Duration::from_micros(200);
/// How long a commit takes that holds up no other connection.
const LONG: Duration = Duration::from_millis(4);
/// How many groups the thread commits after one that took longer.
const REST: usize = 64;

/// An event that is to be published, and who waits for that.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) whom: Whom,
    pub(super) event: SealedEvent,
    /// That of its payloads.
    pub(super) _room: Reserved,
}

/// Who waits for an event to be published.
#[derive(Debug)]
pub(super) enum Whom {
    /// A connection that speaks REAM, in this minor version.
    Connection {
        slot: Slot,
        publish: Publish,
        minor: u64,
    },
    Request(oneshot::Sender<Stored>),
}

impl Asked {
    fn bytes(&self) -> usize {
        let event = self.event.event();
        event.data.len() + event.state.as_ref().map_or(0, crate::event::Data::len)
    }
}

/// What commits: a thread, or whoever asks where that takes no longer than to ask.
#[derive(Debug)]
pub(super) struct Committer {
    asking: Sender<Vec<Asked>>,
    store: Arc<Mutex<Store>>,
    /// How many events the thread has been asked for and has not committed.
    behind: Arc<AtomicUsize>,
    /// How many groups go to the thread, since a commit took long.
    rest: Cell<usize>,
    metrics: Arc<Metrics>,
}

impl Committer {
    /// Starts the thread, which ends with this.
    pub(super) fn start(
        store: Store,
        told: UnboundedSender<Told>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        let (asking, asked) = mpsc::channel();
        let (store, behind) = (Arc::new(Mutex::new(store)), Arc::<AtomicUsize>::default());
        let committer = Self {
            asking,
            store: Arc::clone(&store),
            behind: Arc::clone(&behind),
            rest: Cell::new(0),
            metrics: Arc::clone(&metrics),
        };
        let started = platform::spawn(move || {
            let mut waiting = VecDeque::new();
            while wait(&asked, &mut waiting) {
                let mut group = Vec::new();
                gather(&asked, &mut waiting, &mut group);
                let more = |group: &mut Vec<Asked>| gather(&asked, &mut waiting, group);
                let (group, done) = commit(&mut lock(&store), group, more, &metrics);
                behind.fetch_sub(group.len(), Ordering::Release);
                let lots = tell(group, done, &metrics);
                if lots.into_iter().any(|lot| told.send(lot).is_err()) {
                    return;
                }
            }
        });
        started.map_err(|error| Error::Engine { action: "serve", source: error.into() })?;
        Ok(committer)
    }

    /// Whether the thread has nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.behind.load(Ordering::Acquire) == 0
    }

    /// Has a group be committed. What came of it, where it was on the spot: a few events, behind which the
    /// thread has nothing left to do, and which need not wait for anyone. To wake two threads takes as long
    /// as half of a commit.
    pub(super) fn commit(&self, group: Vec<Asked>) -> Vec<Told> {
        let few = group.len() <= FEW && group.iter().map(Asked::bytes).sum::<usize>() <= FEW_BYTES;
        let group = if few && self.is_idle() {
            match self.commit_now(group) {
                Ok(told) => return told,
                Err(group) => group,
            }
        } else {
            group
        };
        self.behind.fetch_add(group.len(), Ordering::Relaxed);
        // The thread ends after all that ask it.
        let _ = self.asking.send(group);
        Vec::new()
    }

    fn commit_now(&self, group: Vec<Asked>) -> Result<Vec<Told>, Vec<Asked>> {
        if self.rest.get() > 0 {
            self.rest.set(self.rest.get() - 1);
            return Err(group);
        }
        let begun = Instant::now();
        let told = commit_now(&mut lock(&self.store), group, &self.metrics);
        if begun.elapsed() > LONG {
            self.rest.set(REST);
        }
        told
    }
}

/// The store, which no panic leaves half changed.
fn lock(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The events of a group, each for itself.
fn units(group: &[Asked]) -> Vec<&[SealedEvent]> {
    group.iter().map(|asked| slice::from_ref(&asked.event)).collect()
}

/// What came of events, each of which stands for itself.
type Done = Result<Vec<Result<Vec<Appended>, Stopped>>, Error>;

/// Stores a group. Where the turn to write is long in coming, what comes by then is stored with it. (Where it is
/// not, what comes meanwhile is received while this group is committed, and is the next one.)
fn commit(
    store: &mut Store,
    mut group: Vec<Asked>,
    gather: impl FnOnce(&mut Vec<Asked>),
    metrics: &Metrics,
) -> (Vec<Asked>, Done) {
    let (begun, whole) = (Instant::now(), OnceCell::new());
    let done = store.append_gathered(true, || {
        units(whole.get_or_init(|| {
            let mut group = std::mem::take(&mut group);
            if begun.elapsed() > TURN {
                gather(&mut group);
            }
            group
        }))
    });
    metrics.commits.observe(begun.elapsed().as_secs_f64());
    (whole.into_inner().unwrap_or(group), done)
}

/// Stores a group and tells what came of it, unless something has to be waited for; then the group comes back.
fn commit_now(
    store: &mut Store,
    group: Vec<Asked>,
    metrics: &Metrics,
) -> Result<Vec<Told>, Vec<Asked>> {
    let begun = Instant::now();
    let Some(done) = store.append_units_now(&units(&group)).transpose() else { return Err(group) };
    metrics.commits.observe(begun.elapsed().as_secs_f64());
    Ok(tell(group, done, metrics))
}

/// Tells each what became of its event.
fn tell(group: Vec<Asked>, done: Done, metrics: &Metrics) -> Vec<Told> {
    let done: Vec<Result<_, Arc<Error>>> = match done {
        Ok(done) => done.into_iter().map(Ok).collect(),
        Err(error) => {
            let error = Arc::new(error);
            group.iter().map(|_| Err(Arc::clone(&error))).collect()
        }
    };
    done.iter().flatten().for_each(|done| metrics.count(done));
    let (mut answers, mut waited) = (Vec::with_capacity(group.len()), Vec::new());
    for (Asked { whom, .. }, done) in group.into_iter().zip(done) {
        match whom {
            Whom::Connection { slot, publish, minor } => {
                let answer = match &done {
                    Ok(done) => session::published(&publish, minor, done),
                    Err(error) => failure(&Request::Publish(publish), minor, error),
                };
                answers.push((slot, answer));
            }
            Whom::Request(waiting) => {
                let nothing = || Error::Damaged { what: "an append stored nothing".into() };
                let stored = done.and_then(|done| match done {
                    Ok(appended) => appended.first().copied().ok_or_else(|| nothing().into()),
                    Err(stopped) => Err(stopped.error.into()),
                });
                waited.push((waiting, stored));
            }
        }
    }
    let mut told = Vec::new();
    if !answers.is_empty() {
        told.push(Told::Answers(answers));
    }
    if !waited.is_empty() {
        told.push(Told::Stored(waited));
    }
    told
}

/// Waits until something is asked for; whether something is, which it is not once no one asks any more.
fn wait(asked: &Receiver<Vec<Asked>>, waiting: &mut VecDeque<Asked>) -> bool {
    if waiting.is_empty() {
        waiting.extend(asked.recv().unwrap_or_default());
    }
    !waiting.is_empty()
}

/// Adds to a group what is asked for by now, as much as it takes.
fn gather(asked: &Receiver<Vec<Asked>>, waiting: &mut VecDeque<Asked>, group: &mut Vec<Asked>) {
    let mut bytes: usize = group.iter().map(Asked::bytes).sum();
    loop {
        while let Some(next) = waiting.pop_front() {
            bytes += next.bytes();
            if group.len() == EVENTS || (bytes > BYTES && !group.is_empty()) {
                return waiting.push_front(next);
            }
            group.push(next);
        }
        let Ok(more) = asked.try_recv() else { return };
        waiting.extend(more);
    }
}
