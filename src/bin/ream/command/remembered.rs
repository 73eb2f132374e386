//! How a program that the store remembers is shown.

use ream::{ProjectionEntry, Store};
use serde::Serialize;

use crate::hint::quote_all;

/// How a remembered program is run, and whether it may be, as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct RunsJson {
    /// The program and its arguments as a shell takes them.
    command: String,
    /// The directory that it is run in.
    runs_in: String,
    /// Whether it was given or allowed here.
    allowed: bool,
}

/// A remembered program, with whose it is, as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct ProgramJson<'p> {
    projection: &'p str,
    program: &'p [String],
    #[serde(flatten)]
    runs: RunsJson,
}

impl RunsJson {
    /// The program that a projection remembers, where it does.
    pub(crate) fn of(store: &Store, entry: &ProjectionEntry) -> Option<Self> {
        let program = &entry.definition.program;
        (!program.is_empty()).then(|| Self {
            command: quote_all(program),
            runs_in: store.program_directory(&entry.definition).to_string_lossy().into_owned(),
            allowed: store.allows(entry),
        })
    }

    /// The same for the eye.
    pub(crate) fn readable(&self) -> String {
        let Self { command, runs_in, allowed } = self;
        let allowed = if *allowed { "allowed" } else { "not allowed here" };
        format!("{command}, in {runs_in}: {allowed}")
    }
}

impl<'p> ProgramJson<'p> {
    /// The program that a projection remembers, where it does.
    pub(crate) fn of(store: &Store, entry: &'p ProjectionEntry) -> Option<Self> {
        let (projection, program) = (entry.name.as_str(), &*entry.definition.program);
        Some(Self { projection, program, runs: RunsJson::of(store, entry)? })
    }

    /// The same for the eye.
    pub(crate) fn readable(&self) -> String {
        format!("{}: {}", self.projection, self.runs.readable())
    }
}
