//! `ream redact`.

use std::io::{self, Write as _};

use clap::Args;
use ream::{Position, Redacted, Redaction, StreamName};
use serde::Serialize;

use super::confirm::{self, plural};
use super::erasing::{Taken, report_done, report_planned};
use crate::args::Global;
use crate::environment::Environment;
use crate::output::escape;
use crate::refused::Refused;
use crate::signals::Signals;

/// Erase what single events say
///
/// Erases the data and metadata of the events for good. "erased":true in the answer means that no byte of
/// them is left in any file of the store, except for projections: those that may keep rows made from the
/// events are named, and `ream project rebuild` makes them anew. Position, stream, version, id, type, times
/// and tags stay, and the event is shown with "redacted":true instead of its data. With --tags the tags are
/// erased as well. The states of the events' streams may repeat what is erased, so they are removed as well,
/// unless --state-kept is given.
///
/// It is one transaction, recorded in `$ream` with the reason. The reason stays for ever, so it must not
/// repeat what is to be erased.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream redact 1842 --reason 'request 77'
  ream redact order-42@3 order-42@5 --reason 'request 77' --dry-run
  ream redact payment-7 --reason 'card number' --state-kept --yes
  ream redact 1842 --tags --reason 'request 77'")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct RedactArgs {
    /// The events: a position, STREAM@N for a version of a stream, or an id
    #[arg(value_name = "EVENT", required = true)]
    events: Vec<String>,
    /// Why; it is stored for ever
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Keep the states of the streams, if they repeat nothing of what is erased
    #[arg(long)]
    state_kept: bool,
    /// Erase the tags as well
    #[arg(long)]
    tags: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Only print what would be redacted
    #[arg(long)]
    dry_run: bool,
}

/// What a redaction takes, as JSON.
#[derive(Serialize)]
pub(crate) struct RedactedJson<'s> {
    position: u64,
    stream: &'s str,
    version: u64,
    /// Whether the state of its stream goes with it.
    state: bool,
    /// Whether its tags go with it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tags: bool,
}

impl RedactArgs {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        if self.reason.trim().is_empty() {
            return Err(Refused::Usage("--reason says nothing".into()).into());
        }
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        let mut store = global.open(environment, &options)?;
        let positions = self.events.iter().map(|event| store.find_event(event));
        let positions = positions.collect::<Result<Vec<Position>, _>>()?;
        let redaction = Redaction { keeps_states: self.state_kept, takes_tags: self.tags };
        let redactable = store.redactable(&positions, redaction)?;
        if self.dry_run {
            return report_planned(global, &store, &redactable, &[]);
        }
        if !self.yes && !redactable.is_empty() {
            confirm::ask(&erasing(&redactable))?;
        }
        let removal = signals.hold(|| store.redact(&positions, &self.reason, redaction))?;
        report_done(global, &store, &removal, &[])
    }
}

/// What is asked about: all that would go.
fn erasing(redactable: &[Redacted]) -> String {
    let say = if redactable.len() == 1 { "says" } else { "say" };
    let count = |is: fn(&Redacted) -> bool| redactable.iter().filter(|one| is(one)).count() as u64;
    let (tagged, states) = (count(|one| one.tags), count(|one| one.state));
    let mut parts = vec![format!("erasing what {} {say}", plural(count(|_| true), "event"))];
    parts.extend((tagged > 0).then(|| format!("the tags of {}", plural(tagged, "event"))));
    parts.extend((states > 0).then(|| plural(states, "state")));
    let comma = if parts.len() > 1 { "," } else { "" };
    parts.join(", and ") + comma
}

impl Taken for Redacted {
    type Json<'t> = RedactedJson<'t>;

    fn stream(&self) -> &StreamName {
        &self.stream
    }

    fn json(&self) -> RedactedJson<'_> {
        RedactedJson {
            position: self.position.0,
            stream: self.stream.as_str(),
            version: self.version.0,
            state: self.state,
            tags: self.tags,
        }
    }

    fn write(&self, buffer: &mut Vec<u8>, would: bool) -> io::Result<()> {
        let done = if would { "would be redacted" } else { "redacted" };
        let with = match (self.state, self.tags) {
            (false, false) => "",
            (true, false) => ", with the state of its stream",
            (false, true) => ", with its tags",
            (true, true) => ", with its tags and the state of its stream",
        };
        let (name, version, position) = (escape(self.stream.as_str()), self.version, self.position);
        writeln!(buffer, "{name}@{version} at position {position}: {done}{with}")
    }
}
