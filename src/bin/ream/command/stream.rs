//! `ream stream`.

use clap::Args;
use ream::{Error, Pattern, ProjectionEntry, Query, Removed, Store, Stream, StreamName};
use serde::Serialize;

use super::backup::{keeping, note_keeping};
use super::confirm::{self, plural};
use super::definition::commands;
use super::list::{PAGE, list};
use crate::args::{Format, Global};
use crate::environment::Environment;
use crate::output::{Output, escape, note, table, to_line};
use crate::signals::Signals;

commands! {
    /// Look at streams, protect them, remove what they hold
    enum StreamCommand {
        "list" List(ListArgs),
        "show" Show(ShowArgs),
        "protect" Protect(ProtectArgs),
        "unprotect" Unprotect(UnprotectArgs),
        "rm" Rm(RmArgs),
    }
}

/// List streams by name
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only streams that match; `*` stands for any characters: 'order-*'
    #[arg(value_name = "PATTERN")]
    pattern: Option<Pattern>,
}

/// Show a stream
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The stream
    #[arg(value_name = "STREAM")]
    stream: String,
}

/// Protect streams from removal
#[derive(Debug, Args)]
pub(crate) struct ProtectArgs {
    /// The streams
    #[arg(value_name = "STREAM", required = true)]
    streams: Vec<StreamName>,
}

/// Allow the removal of streams again
#[derive(Debug, Args)]
pub(crate) struct UnprotectArgs {
    /// The streams
    #[arg(value_name = "STREAM", required = true)]
    streams: Vec<StreamName>,
}

/// Remove what streams hold
///
/// Erases data and metadata of all events of the streams, and their states. Where the answer says
/// "erased":true, no byte of them is in any file of the store, but for projections: those that keep
/// rows made of them are named. A process that is reading the store stands in the way; it is waited
/// for as long as --lock-timeout says. Positions, versions and ids stay spent: a removed stream
/// keeps its version, and an id that was used answers as a duplicate.
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

impl StreamCommand {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let mut options = global.options(environment);
        match self {
            Self::List(args) => {
                let store = global.open(environment, &options)?;
                args.run(global, &store)?;
                Ok(())
            }
            Self::Show(args) => {
                let store = global.open(environment, &options)?;
                show(global, &store.stream(&args.stream)?)?;
                Ok(())
            }
            Self::Protect(ProtectArgs { streams }) => protect(global, environment, streams, true),
            Self::Unprotect(UnprotectArgs { streams }) => {
                protect(global, environment, streams, false)
            }
            Self::Rm(args) => {
                let signals = Signals::take_over()?;
                options.interrupt = Some(signals.flag());
                args.run(global, global.open(environment, &options)?, &signals)
            }
        }
    }
}

impl ListArgs {
    fn run(&self, global: &Global, store: &Store) -> anyhow::Result<()> {
        let pattern = self.pattern.clone().unwrap_or_else(Pattern::all);
        let page = |last: Option<&Stream>| {
            store.streams(&pattern, last.map(|stream| stream.name.as_str()), PAGE)
        };
        list(global, &HEADER, page, row, to_json)
    }
}

const HEADER: [&str; 5] = ["STREAM", "VERSION", "EVENTS", "LAST POSITION", "PROTECTED"];

fn row(stream: &Stream) -> Vec<String> {
    vec![
        stream.name.to_string(),
        stream.version.to_string(),
        stream.events.to_string(),
        stream.last_position.to_string(),
        if stream.protected { "yes" } else { "" }.into(),
    ]
}

/// A stream as JSON, with its fields in this order.
#[derive(Serialize)]
struct StreamJson<'s> {
    stream: &'s str,
    version: u64,
    events: u64,
    last_position: u64,
    protected: bool,
}

fn to_json(stream: &Stream) -> anyhow::Result<Vec<u8>> {
    to_line(&StreamJson {
        stream: stream.name.as_str(),
        version: stream.version.0,
        events: stream.events,
        last_position: stream.last_position.0,
        protected: stream.protected,
    })
}

fn show(global: &Global, stream: &Stream) -> anyhow::Result<()> {
    let output = Output::new(global);
    let shown = match output.format {
        Format::Table => table(&HEADER, vec![row(stream)]).into_bytes(),
        _ => [to_json(stream)?, b"\n".into()].concat(),
    };
    output.write(&shown)
}

fn protect(
    global: &Global,
    environment: &Environment,
    streams: &[StreamName],
    protected: bool,
) -> anyhow::Result<()> {
    let mut store = global.open(environment, &global.options(environment))?;
    store.protect(streams, protected)?;
    let mut output = Output::new(global);
    let mut buffer = Vec::new();
    for name in streams {
        let stream = name.as_str();
        if output.format == Format::Table {
            let done = if protected { "protected" } else { "no longer protected" };
            buffer.extend_from_slice(format!("{}: {done}\n", escape(stream)).as_bytes());
        } else {
            output.record(&mut buffer, &to_line(&ProtectedJson { stream, protected })?);
        }
    }
    buffer.extend_from_slice(output.end());
    output.done(&buffer)
}

/// What was done to a stream, as JSON.
#[derive(Serialize)]
struct ProtectedJson<'s> {
    stream: &'s str,
    protected: bool,
}

impl RmArgs {
    fn run(&self, global: &Global, mut store: Store, signals: &Signals) -> anyhow::Result<()> {
        let removable = store.removable(&self.streams)?;
        let kept = |name: &StreamName| kept_by(&store, name);
        let projections = removable.iter().map(|removed| kept(&removed.stream));
        let projections = projections.collect::<Result<Vec<_>, _>>()?;
        if self.dry_run {
            let backups = backups_keeping(&store, &removable);
            report(global, &removable, &projections, &backups, None)?;
            note_keeping(global, &backups);
            return Ok(());
        }
        if !self.yes && !removable.is_empty() {
            let events = removable.iter().map(|removed| removed.events).sum();
            let states = removable.iter().filter(|removed| removed.state).count() as u64;
            let what = format!(
                "removing {} of {}",
                contents(events, states),
                plural(removable.len() as u64, "stream")
            );
            confirm::ask(&what)?;
        }
        let removal = signals.hold(|| store.remove(&self.streams))?;
        let projections = removal.removed.iter().map(|removed| kept_by(&store, &removed.stream));
        let projections = projections.collect::<Result<Vec<_>, _>>()?;
        let backups = backups_keeping(&store, &removal.removed);
        let erased = Some(removal.unfinished.is_none());
        let reported = report(global, &removal.removed, &projections, &backups, erased);
        warn_of_bytes_left(global, removal.unfinished.as_ref());
        note_keeping(global, &backups);
        reported
    }
}

/// The backups that keep what was removed of each stream.
fn backups_keeping(store: &Store, removed: &[Removed]) -> Vec<Vec<String>> {
    removed.iter().map(|removed| keeping(store, &removed.stream)).collect()
}

/// The projections that follow the stream `name`, and keep the rows that were made of its events.
fn kept_by(store: &Store, name: &StreamName) -> anyhow::Result<Vec<String>> {
    let follows = |entry: &ProjectionEntry| {
        Query::of(entry.definition.from.clone()).chooses_stream(name.as_str())
    };
    let entries = store.projections()?.into_iter().filter(follows);
    Ok(entries.map(|entry| entry.name.to_string()).collect())
}

/// What is removed, for the eye.
fn contents(events: u64, states: u64) -> String {
    match (events, states) {
        (events, 0) => plural(events, "event"),
        (0, states) => plural(states, "state"),
        (events, states) => format!("{} and {}", plural(events, "event"), plural(states, "state")),
    }
}

/// What a removal did, or would do, as JSON.
#[derive(Serialize)]
struct RemovedJson<'s> {
    stream: &'s str,
    version: u64,
    events: u64,
    state: bool,
    dry_run: bool,
    /// Not said of what was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    erased: Option<bool>,
    projections: &'s [String],
    /// Those that keep what was removed.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    backups: &'s [String],
}

/// Says what was removed, and whether it is erased; or what would be removed.
fn report(
    global: &Global,
    removed: &[Removed],
    projections: &[Vec<String>],
    backups: &[Vec<String>],
    erased: Option<bool>,
) -> anyhow::Result<()> {
    let mut output = Output::new(global);
    let mut buffer = Vec::new();
    for ((removal, projections), backups) in removed.iter().zip(projections).zip(backups) {
        let (name, events) = (removal.stream.as_str(), removal.events);
        if output.format == Format::Table {
            let verb = if erased.is_none() { "would remove" } else { "removed" };
            let contents = contents(events, removal.state.into());
            let line = format!("{}: {verb} {contents}\n", escape(name));
            buffer.extend_from_slice(line.as_bytes());
            for projection in projections {
                let line = format!(
                    "  the projection `{projection}` keeps rows made of it until it is rebuilt\n"
                );
                buffer.extend_from_slice(line.as_bytes());
            }
        } else {
            let json = RemovedJson {
                stream: name,
                version: removal.version.0,
                events,
                state: removal.state,
                dry_run: erased.is_none(),
                erased,
                projections,
                backups,
            };
            output.record(&mut buffer, &to_line(&json)?);
        }
    }
    buffer.extend_from_slice(output.end());
    output.done_or_planned(&buffer, erased.is_none())
}

/// Warns where bytes of what was removed are still in a file of the store.
pub(super) fn warn_of_bytes_left(global: &Global, unfinished: Option<&Error>) {
    if let Some(error) = unfinished {
        let message = format!(
            "it is removed, and bytes of it are left in the store's files: {error}; whoever writes next tries again"
        );
        note(global, "warning:", &message);
    }
}
