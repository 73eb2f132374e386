//! `ream stream`.

mod rm;
mod set;
mod target;
mod truncate;

use clap::Args;
use ream::{Pattern, Store, Stream, StreamName};
use serde::Serialize;

use super::definition::commands;
use super::list::{PAGE, list};
use crate::args::{Format, Global};
use crate::environment::Environment;
use crate::output::{Output, escape, table, to_line};
use crate::signals::Signals;

commands! {
    /// Look at streams, protect them, remove what they hold
    enum StreamCommand {
        "list" List(ListArgs),
        "show" Show(ShowArgs),
        "protect" Protect(ProtectArgs),
        "unprotect" Unprotect(UnprotectArgs),
        "set" Set(set::SetArgs),
        "rm" Rm(rm::RmArgs),
        "truncate" Truncate(truncate::TruncateArgs),
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
            Self::Set(args) => args.run(global, global.open(environment, &options)?),
            Self::Truncate(args) => {
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

const HEADER: [&str; 6] = ["STREAM", "VERSION", "EVENTS", "REMOVED", "LAST POSITION", "PROTECTED"];

fn row(stream: &Stream) -> Vec<String> {
    vec![
        stream.name.to_string(),
        stream.version.to_string(),
        stream.events.to_string(),
        if stream.removed.0 > 0 { stream.removed.to_string() } else { String::new() },
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
    /// Not said where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<u64>,
    last_position: u64,
    protected: bool,
}

fn to_json(stream: &Stream) -> anyhow::Result<Vec<u8>> {
    to_line(&StreamJson {
        stream: stream.name.as_str(),
        version: stream.version.0,
        events: stream.events,
        removed: (stream.removed.0 > 0).then_some(stream.removed.0),
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
