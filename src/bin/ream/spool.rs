//! Writes results of which more come than are read: at first while they are made, then into a file
//! that keeps the rest, so that whoever makes them is not held up for long.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use ream::platform;

use crate::output::{Output, send, shown};

/// How many buffers wait to be written.
const WAITING: usize = 4;
/// How long, in all, who makes results waits for who reads them.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much of the file is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// Writes results on a thread, which starts when there is more than one buffer of them.
#[derive(Debug)]
pub(crate) struct Spool {
    terminal: bool,
    patience: Duration,
    writing: Option<Writing>,
    /// What is kept until all results are made.
    kept: Option<File>,
}

#[derive(Debug)]
struct Writing {
    shared: Arc<Shared>,
    thread: JoinHandle<anyhow::Result<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    filled: VecDeque<Vec<u8>>,
    spares: Vec<Vec<u8>>,
    /// Nothing more comes.
    ended: bool,
    /// Nothing more can be written.
    failed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked ends the program; there is no state to mistrust.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spool {
    /// One that writes as `output` does.
    pub(crate) fn new(output: &Output) -> Self {
        Self { terminal: output.terminal, patience: PATIENCE, writing: None, kept: None }
    }

    /// Takes what is in `buffer`, to be written; an empty buffer in return, or nothing where the output
    /// failed, which [`Spool::finish`] tells.
    pub(crate) fn send(&mut self, mut buffer: Vec<u8>) -> anyhow::Result<Option<Vec<u8>>> {
        // Before it is kept, since what is read back may be cut within a character.
        buffer = shown(buffer, self.terminal);
        if let Some(file) = &mut self.kept {
            keep(file, &buffer)?;
            buffer.clear();
            return Ok(Some(buffer));
        }
        let writing = match self.writing.take() {
            Some(writing) => writing,
            None => Writing::start()?,
        };
        let shared = &self.writing.insert(writing).shared;
        let mut state = shared.lock();
        while state.filled.len() >= WAITING && !state.failed && !self.patience.is_zero() {
            let begun = Instant::now();
            let waited = shared.changed.wait_timeout(state, self.patience);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            self.patience = self.patience.saturating_sub(begun.elapsed());
        }
        if state.failed {
            return Ok(None);
        }
        if state.filled.len() >= WAITING {
            drop(state);
            let mut file =
                tempfile::tempfile().context("can't make a file for what is not yet read")?;
            keep(&mut file, &buffer)?;
            self.kept = Some(file);
            buffer.clear();
            return Ok(Some(buffer));
        }
        state.filled.push_back(buffer);
        shared.changed.notify_all();
        Ok(Some(state.spares.pop().unwrap_or_default()))
    }

    /// Writes what was kept, and the last buffer, and waits until everything is written.
    pub(crate) fn finish(mut self, buffer: Vec<u8>) -> anyhow::Result<()> {
        let buffer = shown(buffer, self.terminal);
        let Some(Writing { shared, thread }) = self.writing.take() else {
            return send(&buffer);
        };
        let fed = self.kept.take().map_or(Ok(()), |file| feed(file, &shared));
        shared.push(buffer);
        shared.lock().ended = true;
        shared.changed.notify_all();
        let written = thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("can't write")));
        written.and(fed)
    }
}

fn keep(file: &mut File, buffer: &[u8]) -> anyhow::Result<()> {
    file.write_all(buffer).context("can't keep what is not yet read")
}

/// Has what is in a file written.
fn feed(mut file: File, shared: &Shared) -> anyhow::Result<()> {
    let failed = "can't read what was kept";
    file.rewind().context(failed)?;
    loop {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).context(failed)?;
        piece.truncate(read);
        if read == 0 || !shared.push(piece) {
            return Ok(());
        }
    }
}

impl Shared {
    /// Has a buffer written, as soon as there is room for it; whether that can be.
    fn push(&self, buffer: Vec<u8>) -> bool {
        let mut state = self.lock();
        while state.filled.len() >= WAITING && !state.failed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.failed {
            return false;
        }
        state.filled.push_back(buffer);
        self.changed.notify_all();
        true
    }

    /// The next buffer to write; nothing at the end.
    fn next(&self) -> Option<Vec<u8>> {
        let mut state = self.lock();
        loop {
            if let Some(buffer) = state.filled.pop_front() {
                self.changed.notify_all();
                return Some(buffer);
            }
            if state.ended {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Writing {
    fn start() -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        let thread = platform::spawn(move || {
            while let Some(mut buffer) = theirs.next() {
                if let Err(error) = send(&buffer) {
                    theirs.lock().failed = true;
                    theirs.changed.notify_all();
                    return Err(error);
                }
                buffer.clear();
                theirs.lock().spares.push(buffer);
            }
            Ok(())
        })?;
        Ok(Self { shared, thread })
    }
}
