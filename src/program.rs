//! External programs: run as processes, spoken with by lines.
//!
//! Knows pipes, limits and endings, and the protocol; no SQL and no terminal. A program runs in a
//! process group of its own, which is ended with it. Its pipes never block us: what it does not take
//! waits here, what it says waits there, and stderr has a thread.

mod aggregator;
mod answer;
mod error;
mod listener;
mod running;

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

pub use aggregator::{Aggregator, Refusal, Serving};
pub use error::{LastWords, ProgramError, Wrote};
pub use listener::Listener;

/// How long a line may be, and an answer, in bytes.
const LONGEST: usize = 64 * 1024 * 1024;

/// A program to run: its file and arguments, never a line for a shell.
#[derive(Debug, Clone)]
pub struct Program {
    words: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    interrupt: Option<Arc<AtomicBool>>,
    signal: Option<Arc<AtomicUsize>>,
}

impl Program {
    /// The program `file`, found as the system finds programs, with these arguments.
    pub fn new(file: impl Into<OsString>, args: impl IntoIterator<Item = OsString>) -> Self {
        let words = std::iter::once(file.into()).chain(args).collect();
        Self { words, environment: Vec::new(), interrupt: None, signal: None }
    }

    /// The same, with `REAM_STORE` in its environment: the store's directory.
    #[must_use]
    pub fn on_store(mut self, path: &Path) -> Self {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        self.environment.push(("REAM_STORE".into(), path.into()));
        self
    }

    /// The same, ended when the flag is set to `true`.
    #[must_use]
    pub fn interrupted_by(mut self, flag: Arc<AtomicBool>) -> Self {
        self.interrupt = Some(flag);
        self
    }

    /// The same; a program that listens is ended by the signal of this number, where it is not 0.
    #[must_use]
    pub fn passing_on(mut self, signal: Arc<AtomicUsize>) -> Self {
        self.signal = Some(signal);
        self
    }

    /// The command that starts it, and its name.
    fn command(&self) -> (Command, String) {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        (command, self.words[0].to_string_lossy().into_owned())
    }
}
