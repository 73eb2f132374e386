//! What goes into a program that follows: a thread reads events and writes them into its stdin, as fast
//! as it reads them.

use std::collections::VecDeque;
use std::io;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::told::{Acked, ToldEvent};
use crate::event::{EventRef, Position};
use crate::platform::{Input, Process, ReadEnd, Sent, spawn};
use crate::store::{Batch, Error, Reader, Waker};
use crate::subscription::Follower;
use crate::wait;
use crate::wire;

/// Of how many events that were told last, and are not acked, more is kept than the position. Who acks
/// one event after another has no more of them between two pipes.
const RECENT: usize = 10_000;

/// How events are read.
pub(super) enum Way {
    /// What is there, and then the end.
    Reading(Reader),
    /// What is there, and what comes.
    Following(Follower),
}

/// Where events come from, and whether they are kept as causes.
pub(super) struct Source {
    pub(super) way: Way,
    pub(super) with_causes: bool,
}

impl Source {
    /// Reads the next events.
    pub(super) fn next(&mut self) -> Result<(Events, Batch), Error> {
        let mut events = Events::default();
        let Events { lines, told } = &mut events;
        let with_causes = self.with_causes;
        let mut push = |event: &EventRef<'_>| {
            wire::write_event(lines, event);
            told.push(ToldEvent::of(event, with_causes));
        };
        let batch = match &mut self.way {
            Way::Reading(reader) => reader.next_batch(&mut push),
            Way::Following(follower) => follower.next_batch(&mut push),
        }?;
        Ok((events, batch))
    }
}

/// Events as lines, and what is kept of them.
#[derive(Debug, Default)]
pub(super) struct Events {
    lines: Vec<u8>,
    told: Vec<ToldEvent>,
}

impl Events {
    pub(super) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }
}

/// A thread that feeds a program. It stops when this is dropped.
pub(super) struct Feed {
    shared: Arc<Shared>,
    waker: Option<Waker>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    /// The program has ended.
    ended: AtomicBool,
    told: Mutex<Told>,
}

/// What a program was told.
#[derive(Debug, Default)]
struct Told {
    /// The positions that were told and are not acked, runs of those that follow each other as one.
    runs: VecDeque<RangeInclusive<u64>>,
    /// The last of those, one by one.
    recent: VecDeque<ToldEvent>,
    /// The last that was acked.
    acked: Option<Position>,
    /// The first and the last that were told.
    first: Option<Position>,
    last: Option<Position>,
    /// Everything up to here that is to be told was told.
    seen: Option<Position>,
    /// Whether those are all that there are.
    all: bool,
    /// The program's end of its stdin, once its input has ended behind all that there is.
    read_end: Option<ReadEnd>,
    error: Option<FeedError>,
}

/// Why no more goes into a program, though it reads and there is more.
#[derive(Debug)]
pub(super) enum FeedError {
    /// Events can't be read.
    Store(Error),
    /// The program's stdin can't be written.
    Stdin(io::Error),
}

impl From<Error> for FeedError {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for FeedError {
    fn from(error: io::Error) -> Self {
        Self::Stdin(error)
    }
}

impl Feed {
    /// Starts to feed: `events` first, and what `source` has then. With `markers` the program is told
    /// from which position on, up to which head, and when it has caught up.
    pub(super) fn start(
        events: Events,
        source: Source,
        input: Input,
        markers: Option<Markers>,
    ) -> Result<Self, Error> {
        let waker = match &source.way {
            Way::Reading(_) => None,
            Way::Following(follower) => Some(follower.waker()),
        };
        let shared = Arc::new(Shared::default());
        // Before the program can end: those are what it was run for.
        let Events { lines, told } = events;
        shared.told().add(told);
        let feeding = Feeding { shared: Arc::clone(&shared), source, input, markers };
        let thread = spawn(move || feeding.run(&lines)).map_err(Error::Thread)?;
        Ok(Self { shared, waker, thread: Some(thread) })
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.shared.told()
    }

    /// Takes an ack, or tells what is wrong with it.
    pub(super) fn ack(&self, position: Position) -> Result<Acked, String> {
        let mut told = self.told();
        if told.acked.is_some_and(|acked| position <= acked) {
            return Err(format!("{position} is acked already"));
        }
        let mut events = 0;
        let behind = loop {
            let Some(run) = told.runs.front() else { break None };
            if *run.end() <= position.0 {
                events += run.end() - run.start() + 1;
                let end = *run.end();
                told.runs.pop_front();
                if end == position.0 {
                    break Some(None);
                }
            } else if run.contains(&position.0) {
                events += position.0 - run.start() + 1;
                break Some(Some(position.0 + 1..=*run.end()));
            } else {
                break None;
            }
        };
        let Some(rest) = behind else {
            return Err(format!("the event at {position} was not told"));
        };
        if let Some(rest) = rest
            && let Some(run) = told.runs.front_mut()
        {
            *run = rest;
        }
        told.acked = Some(position);
        let told = told.take_recent(position);
        Ok(Acked { position, events, told })
    }

    /// The last event that was told, where it is not acked.
    pub(super) fn unacked(&self) -> Option<Position> {
        let told = self.told();
        told.last.filter(|_| !told.runs.is_empty())
    }

    /// Up to where everything that is to be told was told and is acked; nothing while something is not.
    pub(super) fn done_up_to(&self) -> Option<Position> {
        let told = self.told();
        told.seen.filter(|_| told.runs.is_empty())
    }

    /// The first and the last event that were told.
    pub(super) fn range(&self) -> Option<(Position, Position)> {
        let told = self.told();
        told.first.zip(told.last)
    }

    /// Whether the program was told all that there is.
    pub(super) fn told_all(&self) -> bool {
        self.told().all
    }

    /// Whether the program, for which [`Feed::finish`] was called, has read its input to the end. To be
    /// asked once.
    ///
    /// # Errors
    ///
    /// Where the system can't tell.
    pub(super) fn was_read(&self) -> io::Result<bool> {
        let read_end = self.told().read_end.take();
        read_end.map_or(Ok(false), ReadEnd::was_drained)
    }

    /// Why it can't go on.
    pub(super) fn take_error(&self) -> Option<FeedError> {
        self.told().error.take()
    }

    /// Ends the program's input, soon.
    pub(super) fn end_input(&self) {
        self.set(&self.shared.stop);
    }

    /// Waits until it is known what the program was told, which has ended.
    pub(super) fn finish(&mut self) {
        self.set(&self.shared.ended);
        self.join();
    }

    fn set(&self, flag: &AtomicBool) {
        flag.store(true, Ordering::Relaxed);
        if let Some(waker) = &self.waker {
            waker.wake();
        }
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // It does not panic; where it did, the input has ended.
            let _ = thread.join();
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.end_input();
        self.join();
    }
}

impl Told {
    fn add(&mut self, events: Vec<ToldEvent>) {
        for ToldEvent { position: Position(position), .. } in &events {
            match self.runs.back_mut() {
                Some(run) if run.end() + 1 == *position => *run = *run.start()..=*position,
                _ => self.runs.push_back(*position..=*position),
            }
        }
        self.first = self.first.or(events.first().map(|event| event.position));
        self.last = events.last().map(|event| event.position).or(self.last);
        self.recent.extend(events);
        let many = self.recent.len().saturating_sub(RECENT);
        self.recent.drain(..many);
    }

    /// Forgets what is acked by an ack of `position`; what is kept of the event there.
    fn take_recent(&mut self, position: Position) -> Option<ToldEvent> {
        let acked = self.recent.partition_point(|event| event.position <= position);
        self.recent.drain(..acked).next_back().filter(|event| event.position == position)
    }
}

impl Shared {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a program is told besides events.
#[derive(Debug, Clone, Copy)]
pub(super) struct Markers {
    /// The first position that it may be told of.
    pub(super) from: Position,
    /// The head at the start.
    pub(super) head: Position,
}

/// What the thread works with.
struct Feeding {
    shared: Arc<Shared>,
    source: Source,
    input: Input,
    markers: Option<Markers>,
}

impl Feeding {
    fn run(mut self, first: &[u8]) {
        match self.feed(first) {
            Ok(true) => {
                let read_end = self.input.end();
                self.shared.told().read_end = Some(read_end);
            }
            Ok(false) => {}
            // Known before the input ends, which the program takes for a good end.
            Err(error) => self.shared.told().error = Some(error),
        }
    }

    /// Writes all that there is; whether the program can read to the end of it.
    fn feed(&mut self, first: &[u8]) -> Result<bool, FeedError> {
        if let Some(Markers { from, head }) = self.markers {
            let line = format!("{{\"from\":{from},\"head\":{head}}}\n");
            if !self.write(line.as_bytes())? {
                return Ok(false);
            }
        }
        if !self.write(first)? {
            return Ok(false);
        }
        let mut news = true;
        loop {
            let (events, batch) = self.source.next()?;
            news |= !events.is_empty();
            if !self.tell(events)? {
                return Ok(false);
            }
            self.shared.told().seen = Some(batch.position);
            if batch.caught_up {
                let over = batch.finished || matches!(self.source.way, Way::Reading(_));
                self.shared.told().all = over;
                if std::mem::take(&mut news) && self.markers.is_some() {
                    let line = format!("{{\"caught_up\":{}}}\n", batch.position);
                    if !self.write(line.as_bytes())? {
                        return Ok(false);
                    }
                }
                match &mut self.source.way {
                    Way::Following(follower) if !over => follower.wait()?,
                    _ => return Ok(true),
                };
                if self.shared.ended.load(Ordering::Relaxed) {
                    return Ok(false);
                }
            }
            if self.shared.stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
        }
    }

    /// Tells of events; whether the program still listens.
    fn tell(&mut self, events: Events) -> Result<bool, FeedError> {
        if self.shared.ended.load(Ordering::Relaxed) && !events.is_empty() {
            let mut told = self.shared.told();
            // It ended before the first of them: those are what it was run for, and has not read.
            if told.first.is_none() {
                told.add(events.told);
            }
            return Ok(false);
        }
        self.shared.told().add(events.told);
        self.write(&events.lines)
    }

    /// Writes lines; whether all of them went.
    fn write(&mut self, mut lines: &[u8]) -> Result<bool, FeedError> {
        while !lines.is_empty() {
            if self.shared.stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            match Process::send(&mut self.input, lines)? {
                Sent::Bytes(bytes) => lines = &lines[bytes..],
                // Something else holds the other end of the pipe.
                Sent::Full if self.shared.ended.load(Ordering::Relaxed) => return Ok(false),
                Sent::Full => Process::wait_for_room(&self.input, wait::INTERRUPTED),
                Sent::Closed => return Ok(false),
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
