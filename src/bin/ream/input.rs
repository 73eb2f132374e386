//! A stream of events that comes in: a thread reads and parses lines, while another stores them.
//!
//! What has arrived is handed over as soon as the input pauses, and at most [`MOST_EVENTS`] or
//! [`MOST_BYTES`] at a time, or one event. While a batch is being stored, the next one fills up.

use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use ream::wire::{self, Defaults, Lines};
use ream::{Expect, SealedEvent, Sealer};

/// How many events are handed over at once.
const MOST_EVENTS: usize = 10_000;
/// How many bytes of them.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How many events are parsed before they are offered.
const OFFERED: usize = 256;

/// What has arrived.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    /// The events, in order.
    pub(crate) events: Vec<SealedEvent>,
    /// The line of each.
    pub(crate) lines: Vec<u64>,
    bytes: usize,
    /// How the input ended, once it has.
    pub(crate) end: Option<Result<(), BadInput>>,
}

/// Where and why an input can't be read on.
#[derive(Debug)]
pub(crate) struct BadInput {
    /// The line, counted from 1; 0 where the input itself failed.
    pub(crate) line: u64,
    pub(crate) reason: String,
}

/// An input that is being read.
#[derive(Debug)]
pub(crate) struct Input {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    arrived: Arrived,
    /// The reader waits for input: what is here is all that has arrived.
    paused: bool,
    /// The reader waits for room.
    full: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked ends the program; there is no state to mistrust.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

impl Input {
    /// Starts to read `source`. `first` holds for its first event, `later` for the others;
    /// `max_data` is how long an event's data may be, in bytes.
    pub(crate) fn start(
        source: impl Read + Send + 'static,
        first: Defaults,
        later: Defaults,
        max_data: usize,
        sealer: Sealer,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            let mut parsing = Parsing {
                shared: &theirs,
                next: 1,
                offered: Arrived::default(),
                first: Some(first),
                later,
                sealer,
            };
            let end = parsing.read(source, max_data);
            parsing.offer();
            let mut state = theirs.lock();
            state.arrived.end = Some(end);
            theirs.changed.notify_all();
        });
        Self { shared }
    }

    /// Waits for events and takes what has arrived.
    pub(crate) fn take(&self) -> Arrived {
        let mut state = self.shared.lock();
        loop {
            let ready = state.arrived.end.is_some()
                || !state.arrived.events.is_empty() && (state.paused || state.full);
            if ready {
                self.shared.changed.notify_all();
                return std::mem::take(&mut state.arrived);
            }
            state = self.shared.wait(state);
        }
    }
}

/// The reading side.
struct Parsing<'s> {
    shared: &'s Shared,
    /// The number of the line that comes next.
    next: u64,
    offered: Arrived,
    first: Option<Defaults>,
    later: Defaults,
    sealer: Sealer,
}

impl Parsing<'_> {
    fn read(&mut self, source: impl Read, max_data: usize) -> Result<(), BadInput> {
        // In base64, or with an escape for every other character, data is longer than it counts.
        let longest = max_data.saturating_mul(2).saturating_add(1024 * 1024);
        let mut lines = Lines::new(source, longest);
        loop {
            self.offer();
            self.shared.lock().paused = true;
            self.shared.changed.notify_all();
            let filled = lines.fill();
            self.shared.lock().paused = false;
            match filled {
                Ok(true) => {}
                Ok(false) => return self.line(lines.rest()),
                Err(error) => {
                    let too_long = error.kind() == io::ErrorKind::InvalidData;
                    let line = if too_long { self.next } else { 0 };
                    return Err(BadInput { line, reason: error.to_string() });
                }
            }
            while let Some(line) = lines.next_whole() {
                self.line(line)?;
            }
        }
    }

    /// Parses a line; an empty one is passed over.
    fn line(&mut self, line: &[u8]) -> Result<(), BadInput> {
        let number = self.next;
        self.next += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let defaults = self.first.as_ref().unwrap_or(&self.later);
        let event = wire::parse_event_with(line, defaults)
            .map_err(|error| BadInput { line: number, reason: error.to_string() })?;
        self.first = None;
        self.offered.bytes += event.size();
        self.offered.events.push(self.sealer.seal(event));
        self.offered.lines.push(number);
        if self.offered.events.len() >= OFFERED || self.offered.bytes >= MOST_BYTES / 16 {
            self.offer();
        }
        Ok(())
    }

    /// Hands over what was parsed, once there is room.
    fn offer(&mut self) {
        if self.offered.events.is_empty() {
            return;
        }
        let mut state = self.shared.lock();
        loop {
            let arrived = &mut state.arrived;
            let fits = arrived.events.len() + self.offered.events.len() <= MOST_EVENTS
                && arrived.bytes + self.offered.bytes <= MOST_BYTES;
            if fits || arrived.events.is_empty() {
                arrived.events.append(&mut self.offered.events);
                arrived.lines.append(&mut self.offered.lines);
                arrived.bytes += std::mem::take(&mut self.offered.bytes);
                state.full = false;
                return;
            }
            state.full = true;
            self.shared.changed.notify_all();
            state = self.shared.wait(state);
        }
    }
}

/// What the lines behind the first expect, where the first expects `expect`.
pub(crate) fn later_expectation(expect: Expect) -> Expect {
    match expect {
        Expect::NoStream | Expect::At(_) => Expect::Continues,
        Expect::Any | Expect::Exists | Expect::Continues => Expect::Any,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A source that gives a piece each time it is told to.
    struct Pieces(mpsc::Receiver<Vec<u8>>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Ok(piece) = self.0.recv() else { return Ok(0) };
            buffer[..piece.len()].copy_from_slice(&piece);
            Ok(piece.len())
        }
    }

    fn input(source: impl Read + Send + 'static) -> Input {
        let sealer = Sealer::new().unwrap();
        Input::start(source, Defaults::default(), Defaults::default(), 1024, sealer)
    }

    fn lines(count: usize) -> String {
        "{\"stream\":\"s\",\"type\":\"T\"}\n".repeat(count)
    }

    #[test]
    fn what_has_arrived_is_handed_over_when_the_input_pauses() {
        let (sender, receiver) = mpsc::channel();
        let input = input(Pieces(receiver));
        sender.send(lines(3).into_bytes()).unwrap();
        assert_eq!(input.take().events.len(), 3);
        // Half a line is kept until the rest comes.
        sender.send(b"{\"stream\":\"s\",".to_vec()).unwrap();
        sender.send(b"\"type\":\"T\"}\n\n{\"stream\"".to_vec()).unwrap();
        let arrived = input.take();
        assert_eq!((arrived.events.len(), arrived.lines), (1, vec![4]));
        drop(sender);
        let end = input.take().end.unwrap().unwrap_err();
        assert_eq!((end.line, &*end.reason), (6, "column 9: EOF while parsing an object"));
    }

    #[test]
    fn a_batch_is_bounded() {
        let input = input(io::Cursor::new(lines(25_000).into_bytes()));
        let mut batches = Vec::new();
        loop {
            let arrived = input.take();
            batches.push(arrived.events.len());
            if arrived.end.is_some() {
                break;
            }
        }
        assert_eq!(batches.iter().sum::<usize>(), 25_000);
        assert!(batches.iter().all(|events| *events <= MOST_EVENTS), "{batches:?}");
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let endless = io::repeat(b'x');
        let end = input(endless).take().end.unwrap().unwrap_err();
        assert_eq!((end.line, &*end.reason), (1, "longer than 1050624 bytes"));
    }
}
