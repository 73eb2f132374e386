//! External programs: run as processes, spoken with by lines.
//!
//! Knows pipes, limits and endings, and the protocol; no SQL and no terminal. A program runs in a
//! process group of its own, which is ended with it. Its pipes never block us: what it does not take
//! waits here, what it says waits there, and stderr has a thread.

mod aggregator;
mod answer;
mod changes;
mod error;
mod feed;
mod listener;
mod projector;
mod reactor;
mod runner;
mod running;
mod stdin;
mod told;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::store::{Error, ProjectionEntry, Store};

pub use aggregator::{Aggregator, Refusal, Serving};
pub use error::{LastWords, ProgramError, Wrote};
pub use listener::Listener;
pub use projector::project;
pub use reactor::react;
pub use runner::{FollowError, Following, Notice};

/// How long a line may be, and an answer, in bytes.
const LONGEST: usize = 64 * 1024 * 1024;

/// A program to run: its file and arguments, never a line for a shell.
#[derive(Debug, Clone)]
pub struct Program {
    words: Vec<OsString>,
    /// What it is called in messages.
    name: String,
    environment: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
    interrupt: Option<Arc<AtomicBool>>,
    signal: Option<Arc<AtomicUsize>>,
}

impl Program {
    /// The program `file`, found as the system finds programs, with these arguments.
    pub fn new(file: impl Into<OsString>, args: impl IntoIterator<Item = OsString>) -> Self {
        let file = file.into();
        let name = file.to_string_lossy().into_owned();
        let words = std::iter::once(file).chain(args).collect();
        let environment = Vec::new();
        Self { words, name, environment, directory: None, interrupt: None, signal: None }
    }

    /// The program that a projection remembers, or that was given to it, in the directory that belongs to
    /// it; nothing where there is none. Whatever runs a remembered program has it from here.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`] where it may not run.
    pub fn remembered(store: &Store, entry: &ProjectionEntry) -> Result<Option<Self>, Error> {
        store.check_program(entry)?;
        let Some((file, args)) = entry.definition.program.split_first() else { return Ok(None) };
        let program = Self::new(file, args.iter().map(Into::into));
        let directory = store.program_directory(&entry.definition);
        Ok(Some(program.in_directory(directory).on_store(store)))
    }

    /// The same, with `REAM_STORE` in its environment: the store's directory, where it has one.
    #[must_use]
    pub fn on_store(mut self, store: &Store) -> Self {
        if let Some(path) = store.path() {
            let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
            self.environment.push(("REAM_STORE".into(), path.into()));
        }
        self
    }

    /// The same, run in another directory, where also its file is looked for if that has a path.
    #[must_use]
    pub fn in_directory(mut self, directory: PathBuf) -> Self {
        let file = Path::new(&self.words[0]);
        if file.is_relative() && file.components().count() > 1 {
            self.words[0] = directory.join(file).into();
        }
        self.directory = Some(directory);
        self
    }

    /// The same, with `REAM_NAME` in its environment: what it is run as.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.environment.push(("REAM_NAME".into(), name.into()));
        self
    }

    /// The same, with `REAM_REBUILD=1` in its environment: what it makes is made anew.
    #[must_use]
    pub fn rebuilding(mut self) -> Self {
        self.environment.push(("REAM_REBUILD".into(), "1".into()));
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

    fn is_interrupted(&self) -> bool {
        self.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// The file that is run.
    fn file(&self) -> PathBuf {
        PathBuf::from(&self.words[0])
    }

    /// The command that starts it, and its name.
    fn command(&self) -> (Command, String) {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        (command, self.name.clone())
    }
}
