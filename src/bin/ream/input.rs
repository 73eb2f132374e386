//! A stream of lines that comes in: a thread reads and parses them, while another stores what they say.
//!
//! What has arrived is handed over as soon as the input pauses, and at most [`MOST_ITEMS`] or
//! [`MOST_BYTES`] at a time, or one item. While a batch is being stored, the next one fills up.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use ream::platform;
use ream::wire::Lines;

use crate::refused::invalid;

/// How many items are handed over at once.
const MOST_ITEMS: usize = 10_000;
/// How many bytes of them.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How many items are parsed before they are offered.
const OFFERED: usize = 256;

/// What has arrived.
#[derive(Debug)]
pub(crate) struct Arrived<T> {
    /// What the lines say, in order.
    pub(crate) items: Vec<T>,
    /// The line of each.
    pub(crate) lines: Vec<u64>,
    bytes: usize,
    /// How the input ended, once it has.
    pub(crate) end: Option<Result<(), BadInput>>,
}

impl<T> Default for Arrived<T> {
    fn default() -> Self {
        Self { items: Vec::new(), lines: Vec::new(), bytes: 0, end: None }
    }
}

/// Where and why an input can't be read on.
#[derive(Debug)]
pub(crate) struct BadInput {
    /// The line, counted from 1; nothing where the input itself failed.
    pub(crate) line: Option<u64>,
    pub(crate) reason: String,
}

impl BadInput {
    /// The error that it is.
    pub(crate) fn to_error(&self) -> anyhow::Error {
        match self.line {
            Some(line) => invalid(format!("line {line}, {}", self.reason)),
            None => anyhow::anyhow!("can't read the input: {}", self.reason),
        }
    }
}

/// Opens a file, or standard input for `-`.
pub(crate) fn open(file: &Path) -> anyhow::Result<Box<dyn Read + Send>> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let opened = File::open(file).with_context(|| format!("can't open {}", file.display()))?;
    Ok(Box::new(opened))
}

/// An input that is being read.
#[derive(Debug)]
pub(crate) struct Input<T> {
    shared: Arc<Shared<T>>,
}

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    arrived: Arrived<T>,
    /// The reader waits for input: what is here is all that has arrived.
    paused: bool,
    /// The reader waits for room.
    full: bool,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // A thread that panicked ends the program; there is no state to mistrust.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State<T>>) -> MutexGuard<'s, State<T>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> Input<T> {
    /// Starts to read `source`, whose lines have at most `longest` bytes. `parse` makes of a line what
    /// it says, with how many bytes that takes, or says what is wrong with it.
    pub(crate) fn start(
        source: impl Read + Send + 'static,
        longest: usize,
        parse: impl FnMut(&[u8]) -> Result<(T, usize), String> + Send + 'static,
    ) -> io::Result<Self> {
        let state = State { arrived: Arrived::default(), paused: false, full: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let theirs = Arc::clone(&shared);
        platform::spawn(move || {
            let mut parsing =
                Parsing { shared: &theirs, next: 1, offered: Arrived::default(), parse };
            let end = parsing.read(source, longest);
            parsing.offer();
            let mut state = theirs.lock();
            state.arrived.end = Some(end);
            theirs.changed.notify_all();
        })?;
        Ok(Self { shared })
    }

    /// Waits for items and takes what has arrived.
    pub(crate) fn take(&self) -> Arrived<T> {
        let mut state = self.shared.lock();
        loop {
            let ready = state.arrived.end.is_some()
                || !state.arrived.items.is_empty() && (state.paused || state.full);
            if ready {
                self.shared.changed.notify_all();
                return std::mem::take(&mut state.arrived);
            }
            state = self.shared.wait(state);
        }
    }

    /// Waits for the end of the input and takes all that has arrived.
    pub(crate) fn take_all(&self) -> Arrived<T> {
        let mut all = self.take();
        while all.end.is_none() {
            let mut arrived = self.take();
            all.items.append(&mut arrived.items);
            all.lines.append(&mut arrived.lines);
            all.end = arrived.end;
        }
        all
    }
}

/// The reading side.
struct Parsing<'s, T, P> {
    shared: &'s Shared<T>,
    /// The number of the line that comes next.
    next: u64,
    offered: Arrived<T>,
    parse: P,
}

impl<T, P: FnMut(&[u8]) -> Result<(T, usize), String>> Parsing<'_, T, P> {
    fn read(&mut self, source: impl Read, longest: usize) -> Result<(), BadInput> {
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
                    let line = too_long.then_some(self.next);
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
        let parsed = (self.parse)(line);
        let (item, bytes) = parsed.map_err(|reason| BadInput { line: Some(number), reason })?;
        self.offered.bytes += bytes;
        self.offered.items.push(item);
        self.offered.lines.push(number);
        if self.offered.items.len() >= OFFERED || self.offered.bytes >= MOST_BYTES / 16 {
            self.offer();
        }
        Ok(())
    }

    /// Hands over what was parsed, once there is room.
    fn offer(&mut self) {
        if self.offered.items.is_empty() {
            return;
        }
        let mut state = self.shared.lock();
        loop {
            let arrived = &mut state.arrived;
            let fits = arrived.items.len() + self.offered.items.len() <= MOST_ITEMS
                && arrived.bytes + self.offered.bytes <= MOST_BYTES;
            if fits || arrived.items.is_empty() {
                arrived.items.append(&mut self.offered.items);
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use ream::{NewEvent, wire};

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

    /// The events of a source.
    fn input(source: impl Read + Send + 'static) -> Input<NewEvent> {
        Input::start(source, 1_050_624, |line| {
            let event = wire::parse_event(line).map_err(|error| error.to_string())?;
            let size = event.size();
            Ok((event, size))
        })
        .unwrap()
    }

    fn lines(count: usize) -> String {
        "{\"stream\":\"s\",\"type\":\"T\"}\n".repeat(count)
    }

    #[test]
    fn what_has_arrived_is_handed_over_when_the_input_pauses() {
        let (sender, receiver) = mpsc::channel();
        let input = input(Pieces(receiver));
        sender.send(lines(3).into_bytes()).unwrap();
        assert_eq!(input.take().items.len(), 3);
        // Half a line is kept until the rest comes.
        sender.send(b"{\"stream\":\"s\",".to_vec()).unwrap();
        sender.send(b"\"type\":\"T\"}\n\n{\"stream\"".to_vec()).unwrap();
        let arrived = input.take();
        assert_eq!((arrived.items.len(), arrived.lines), (1, vec![4]));
        drop(sender);
        let end = input.take().end.unwrap().unwrap_err();
        assert_eq!((end.line, &*end.reason), (Some(6), "column 9: it ends within an object"));
    }

    #[test]
    fn a_batch_is_bounded() {
        let input = input(io::Cursor::new(lines(25_000).into_bytes()));
        let mut batches = Vec::new();
        loop {
            let arrived = input.take();
            batches.push(arrived.items.len());
            if arrived.end.is_some() {
                break;
            }
        }
        assert_eq!(batches.iter().sum::<usize>(), 25_000);
        assert!(batches.iter().all(|items| *items <= MOST_ITEMS), "{batches:?}");
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let endless = io::repeat(b'x');
        let end = input(endless).take().end.unwrap().unwrap_err();
        assert_eq!((end.line, &*end.reason), (Some(1), "longer than 1050624 bytes"));
    }
}
