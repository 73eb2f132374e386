//! `ream state`.

use std::io::Write as _;

use clap::Args;
use ream::wire;
use ream::{
    Data, Expect, NewState, Pattern, State, StateCategory, StateEntry, Store, StreamName, Version,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::backup::{keeping, note_keeping};
use super::confirm;
use super::definition::commands;
use super::erasing::warn_of_bytes_left;
use super::list::{PAGE, list};
use crate::args::{Format, Global};
use crate::environment::Environment;
use crate::output::{Output, escape, to_line};
use crate::payload;
use crate::signals::Signals;

commands! {
    /// Look at states, store them, remove them
    ///
    /// An aggregate's current state is kept under its stream's name, with the version that it
    /// reflects. `ream append --state` stores one together with an event.
    enum StateCommand {
        "get" Get(GetArgs),
        "set" Set(SetArgs),
        "rm" Rm(RmArgs),
        "list" List(ListArgs),
    }
}

/// Show the state of a stream
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// The stream
    #[arg(value_name = "STREAM")]
    stream: String,
    /// Only the data, as they are
    #[arg(long)]
    data: bool,
}

/// Store the state of a stream, without an event
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream state set account-1 '{\"balance\":120.50}' --expect 7
  ream state set account-1 @state.json --at 5
  ./fold.py < events | ream state set account-1 -")]
pub(crate) struct SetArgs {
    /// The stream
    #[arg(value_name = "STREAM")]
    stream: StreamName,
    /// The state as JSON, @FILE to read it from FILE, or - to read it from standard input
    #[arg(value_name = "DATA")]
    data: String,
    /// What the stream must be: any, no-stream, exists, or at version N
    #[arg(long, value_name = "EXPECT", default_value = "any", hide_default_value = true)]
    expect: Expect,
    /// The version that the state reflects [default: the stream's]
    #[arg(long, value_name = "N")]
    at: Option<u64>,
    /// DATA is base64 of bytes that are no JSON
    #[arg(long)]
    base64: bool,
}

/// Remove the states of streams; their events stay
///
/// Where the answer says "erased":true, no byte of the states, nor of those that they had replaced,
/// is in any file of the store. A process that is reading the store stands in the way; it is waited
/// for as long as --lock-timeout says.
#[derive(Debug, Args)]
pub(crate) struct RmArgs {
    /// The streams, by their whole names
    #[arg(value_name = "STREAM", required = true)]
    streams: Vec<StreamName>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Only print what would be removed
    #[arg(long)]
    dry_run: bool,
}

/// List states by stream; without a pattern, how many each category has
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Streams; `*` stands for any characters: 'account-*'
    #[arg(value_name = "PATTERN")]
    pattern: Option<Pattern>,
}

impl StateCommand {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let mut options = global.options(environment);
        match self {
            Self::Get(args) => {
                let store = global.open(environment, &options)?;
                args.run(global, &store)?;
                store.leave();
                Ok(())
            }
            Self::List(args) => {
                let store = global.open(environment, &options)?;
                args.run(global, &store)?;
                Ok(())
            }
            Self::Set(args) => {
                let signals = Signals::take_over()?;
                options.interrupt = Some(signals.flag());
                let mut store = global.open(environment, &options)?;
                let state = args.state(store.max_data_bytes())?;
                let entry = signals.hold(|| store.set_state(&state))?;
                tell(global, &entry)?;
                Ok(signals.check()?)
            }
            Self::Rm(args) => {
                let signals = Signals::take_over()?;
                options.interrupt = Some(signals.flag());
                args.run(global, global.open(environment, &options)?, &signals)
            }
        }
    }
}

/// A state as JSON, with its fields in this order.
#[derive(Serialize)]
struct StateJson<'s> {
    stream: &'s str,
    version: u64,
    stream_version: u64,
    position: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'s RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_base64: Option<String>,
}

impl GetArgs {
    fn run(&self, global: &Global, store: &Store) -> anyhow::Result<()> {
        let state = store.state(&self.stream)?;
        let output = Output::new(global);
        if self.data {
            return match &state.data {
                Data::Json(json) => output.write(format!("{}\n", json.as_str()).as_bytes()),
                // What is no text is no line either.
                Data::Bytes(bytes) => output.raw(bytes),
            };
        }
        let shown = match output.format {
            Format::Table => readable(&state),
            _ => json(&state)?,
        };
        output.write(&shown)
    }
}

fn readable(state: &State) -> Vec<u8> {
    let mut shown = format!(
        "{}@{} of {}, at position {}\n",
        escape(state.stream.as_str()),
        state.version,
        state.stream_version,
        state.position
    )
    .into_bytes();
    // Writing into memory does not fail.
    let _ = match &state.data {
        Data::Json(json) => writeln!(shown, "{}", escape(json.as_str())),
        Data::Bytes(bytes) => writeln!(shown, "({} bytes)", bytes.len()),
    };
    shown
}

fn json(state: &State) -> anyhow::Result<Vec<u8>> {
    let (data, data_base64) = match &state.data {
        Data::Json(json) => (Some(serde_json::from_str(json.as_str())?), None),
        Data::Bytes(bytes) => (None, Some(wire::encode_base64(bytes))),
    };
    let line = to_line(&StateJson {
        stream: state.stream.as_str(),
        version: state.version.0,
        stream_version: state.stream_version.0,
        position: state.position.0,
        data,
        data_base64,
    })?;
    Ok([line, b"\n".into()].concat())
}

impl SetArgs {
    fn state(&self, max_data: usize) -> anyhow::Result<NewState> {
        let bytes = payload::read(&self.data, payload::most_input(max_data))?;
        let data = if self.base64 {
            payload::base64(&bytes)?
        } else {
            Data::Json(payload::json(&self.data, &bytes, "DATA")?)
        };
        let mut state = NewState::new(self.stream.clone(), data);
        state.expect = self.expect;
        state.version = self.at.map(Version);
        Ok(state)
    }
}

/// A state without its data, as JSON.
#[derive(Serialize)]
struct EntryJson<'s> {
    stream: &'s str,
    version: u64,
    stream_version: u64,
    bytes: u64,
}

fn entry(entry: &StateEntry) -> anyhow::Result<Vec<u8>> {
    to_line(&EntryJson {
        stream: entry.stream.as_str(),
        version: entry.version.0,
        stream_version: entry.stream_version.0,
        bytes: entry.bytes,
    })
}

fn tell(global: &Global, stored: &StateEntry) -> anyhow::Result<()> {
    let output = Output::new(global);
    let shown = match output.format {
        Format::Table if global.quiet => Vec::new(),
        Format::Table => format!(
            "{}@{} of {}: stored\n",
            escape(stored.stream.as_str()),
            stored.version,
            stored.stream_version
        )
        .into_bytes(),
        _ => [entry(stored)?, b"\n".into()].concat(),
    };
    output.done(&shown)
}

/// What was done to a state, as JSON.
#[derive(Serialize)]
struct RemovedJson<'s> {
    stream: &'s str,
    dry_run: bool,
    /// Not said of what was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    erased: Option<bool>,
    /// Those that keep what was removed.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    backups: &'s [String],
}

impl RmArgs {
    fn run(&self, global: &Global, mut store: Store, signals: &Signals) -> anyhow::Result<()> {
        let mut there: Vec<StreamName> = Vec::new();
        for name in &self.streams {
            let states = store.states(&Pattern::new(name.as_str())?, None, 1)?;
            let state = states.into_iter().map(|state| state.stream).next();
            there.extend(state.filter(|stream| !there.contains(stream)));
        }
        let mut erased = None;
        let mut unfinished = None;
        if !self.dry_run {
            if !self.yes && !there.is_empty() {
                let what = format!("removing {}", confirm::plural(there.len() as u64, "state"));
                confirm::ask(&what)?;
            }
            let removal = signals.hold(|| store.remove_states(&self.streams))?;
            (there, unfinished) = (removal.removed, removal.unfinished);
            erased = Some(unfinished.is_none());
        }
        let backups: Vec<_> = there.iter().map(|stream| keeping(&store, stream)).collect();
        let mut output = Output::new(global);
        let mut buffer = Vec::new();
        for (name, backups) in there.iter().zip(&backups) {
            let stream = name.as_str();
            if output.format == Format::Table {
                let done = if self.dry_run { "would remove" } else { "removed" };
                writeln!(buffer, "{}: {done} its state", escape(stream))?;
            } else {
                let json = RemovedJson { stream, dry_run: self.dry_run, erased, backups };
                output.record(&mut buffer, &to_line(&json)?);
            }
        }
        buffer.extend_from_slice(output.end());
        let reported = output.done_or_planned(&buffer, self.dry_run);
        warn_of_bytes_left(global, unfinished.as_ref());
        note_keeping(global, backups.iter().flatten());
        reported
    }
}

/// How many states a category has, as JSON.
#[derive(Serialize)]
struct CategoryJson<'s> {
    category: &'s str,
    states: u64,
}

impl ListArgs {
    fn run(&self, global: &Global, store: &Store) -> anyhow::Result<()> {
        match &self.pattern {
            Some(pattern) => states(global, store, pattern),
            None => categories(global, store),
        }
    }
}

fn states(global: &Global, store: &Store, pattern: &Pattern) -> anyhow::Result<()> {
    let page = |last: Option<&StateEntry>| {
        store.states(pattern, last.map(|state| state.stream.as_str()), PAGE)
    };
    let cells = |state: &StateEntry| {
        vec![
            state.stream.to_string(),
            state.version.to_string(),
            state.stream_version.to_string(),
            state.bytes.to_string(),
        ]
    };
    list(global, &["STREAM", "VERSION", "STREAM VERSION", "BYTES"], page, cells, entry)
}

fn categories(global: &Global, store: &Store) -> anyhow::Result<()> {
    // All of them are one page.
    let page = |last: Option<&StateCategory>| match last {
        None => store.state_categories(),
        Some(_) => Ok(Vec::new()),
    };
    let cells = |one: &StateCategory| vec![one.category.clone(), one.states.to_string()];
    let json = |one: &StateCategory| {
        to_line(&CategoryJson { category: &one.category, states: one.states })
    };
    list(global, &["CATEGORY", "STATES"], page, cells, json)
}
