//! `ream stream rm`.

use std::io::{self, Write as _};

use clap::Args;
use ream::{Removed, Store, StreamName, Version};
use serde::Serialize;

use super::target::Target;
use crate::args::Global;
use crate::command::confirm::{self, plural};
use crate::command::erasing::{Taken, is_none, report_done, report_planned, with_tags};
use crate::output::escape;
use crate::refused::Refused;
use crate::signals::Signals;

/// Remove what streams hold
///
/// Erases the data and metadata of all events of the streams, and their states. "erased":true in the answer
/// means that no byte of them is left in any file of the store, except for projections: those that keep rows
/// made from the events are named. Processes that read the store delay this; ream waits for them up to
/// --lock-timeout. Positions, versions and ids are not used again: a removed stream keeps its version, and
/// an append with an id that was used is a duplicate.
///
/// All of the streams are removed in one transaction, or none; other writers wait while it runs. If one of
/// them is protected, nothing is removed. A pattern is matched when the command starts: a stream that begins
/// later stays.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream stream rm order-42
  ream stream rm 'cart-*' --dry-run      what would be removed
  ream stream rm order-42 --expect 7     only if nothing came since version 7")]
pub(crate) struct RmArgs {
    /// The streams; `*` stands for any characters: 'order-*'
    #[arg(value_name = "PATTERN", required = true)]
    targets: Vec<Target>,
    /// Only if the one stream is at version N; exit code 3 where it is not
    #[arg(long, value_name = "N")]
    expect: Option<u64>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Only print what would be removed
    #[arg(long)]
    dry_run: bool,
}

impl RmArgs {
    pub(super) fn run(
        &self,
        global: &Global,
        mut store: Store,
        signals: &Signals,
    ) -> anyhow::Result<()> {
        let expected = self.expected()?;
        let streams = Target::streams(&self.targets, &store)?;
        let removable = match expected {
            Some((stream, version)) => store.removable_at(stream, version)?,
            None => store.removable(&streams)?,
        };
        if self.dry_run {
            return report_planned(global, &store, &removable, &[]);
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
        let removal = signals.hold(|| match expected {
            Some((stream, version)) => store.remove_at(stream, version),
            None => store.remove(&streams),
        })?;
        report_done(global, &store, &removal, &[])
    }
}

impl RmArgs {
    /// The one stream and the version that it has to be at, where that is said.
    fn expected(&self) -> anyhow::Result<Option<(&StreamName, Version)>> {
        match (self.expect, &*self.targets) {
            (None, _) => Ok(None),
            (Some(version), [Target::Stream(stream)]) => Ok(Some((stream, Version(version)))),
            _ => {
                Err(Refused::Usage("--expect is about one stream, by its whole name".into()).into())
            }
        }
    }
}

/// What is removed, for the eye.
fn contents(events: u64, states: u64) -> String {
    match (events, states) {
        (events, 0) => plural(events, "event"),
        (0, states) => plural(states, "state"),
        (events, states) => format!("{} and {}", plural(events, "event"), plural(states, "state")),
    }
}

/// What a removal takes, as JSON.
#[derive(Serialize)]
pub(crate) struct RemovedJson<'s> {
    stream: &'s str,
    version: u64,
    events: u64,
    /// How many of them have tags. Not said where none has.
    #[serde(skip_serializing_if = "is_none")]
    tagged: u64,
    /// Whether the state goes as well.
    state: bool,
}

impl Taken for Removed {
    type Json<'t> = RemovedJson<'t>;

    fn stream(&self) -> &StreamName {
        &self.stream
    }

    fn json(&self) -> RemovedJson<'_> {
        let Self { events, tagged, state, .. } = *self;
        RemovedJson { stream: self.stream.as_str(), version: self.version.0, events, tagged, state }
    }

    fn write(&self, buffer: &mut Vec<u8>, would: bool) -> io::Result<()> {
        let verb = if would { "would remove" } else { "removed" };
        let contents = contents(self.events, self.state.into());
        let tagged = with_tags(self.tagged);
        writeln!(buffer, "{}: {verb} {contents}{tagged}", escape(self.stream.as_str()))
    }
}
