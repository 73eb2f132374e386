//! `ream redact`.

use std::io::Write as _;

use clap::Args;
use ream::{Position, Redacted, Store};
use serde::Serialize;

use super::backup::{keeping, note_keeping};
use super::confirm::{self, plural};
use super::stream::{kept_by, warn_of_bytes_left, write_kept};
use crate::args::{Format, Global};
use crate::environment::Environment;
use crate::output::{Output, escape, to_line};
use crate::refused::Refused;
use crate::signals::Signals;

/// Erase what single events say
///
/// Erases data and metadata of the events for good, and what is kept of them to compare a repeat with. Where
/// the answer says "erased":true, no byte of them is in any file of the store, but for projections: those
/// that may keep rows made of them are named, to be made anew by `ream project rebuild`. Position, stream,
/// version, id, type and times stay, and the event is shown with "redacted":true in the place of its data.
/// The states of the events' streams, which may say the same, are dropped, unless they are kept.
///
/// It is one transaction, recorded in `$ream` with the reason, which stays for ever: it should say
/// nothing that is to be erased.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream redact 1842 --reason 'request 77'
  ream redact order-42@3 order-42@5 --reason 'request 77' --dry-run
  ream redact payment-7 --reason 'card number' --state-kept --yes")]
pub(crate) struct RedactArgs {
    /// The events: a position, STREAM@N for a version of a stream, or an id
    #[arg(value_name = "EVENT", required = true)]
    events: Vec<String>,
    /// Why; it is stored for ever
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Keep the states of the streams, which say nothing of what is erased
    #[arg(long)]
    state_kept: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Only print what would be redacted
    #[arg(long)]
    dry_run: bool,
}

/// What was erased of an event, or would be, as JSON.
#[derive(Serialize)]
struct RedactedJson<'s> {
    position: u64,
    stream: &'s str,
    version: u64,
    state: bool,
    dry_run: bool,
    /// Not said of what was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    erased: Option<bool>,
    projections: Vec<String>,
    /// Those that keep it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    backups: Vec<String>,
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
        let redactable = store.redactable(&positions, self.state_kept)?;
        if self.dry_run {
            return report(global, &store, &redactable, None);
        }
        if !self.yes && !redactable.is_empty() {
            let events = plural(redactable.len() as u64, "event");
            let mut streams: Vec<&str> =
                redactable.iter().filter(|one| one.state).map(|one| one.stream.as_str()).collect();
            streams.sort_unstable();
            streams.dedup();
            confirm::ask(&match streams.len() as u64 {
                0 => format!("erasing what {events} {}", says(redactable.len())),
                states => {
                    let states = plural(states, "state");
                    format!("erasing what {events} {}, and {states},", says(redactable.len()))
                }
            })?;
        }
        let removal = signals.hold(|| store.redact(&positions, &self.reason, self.state_kept))?;
        let erased = Some(removal.unfinished.is_none());
        let reported = report(global, &store, &removal.removed, erased);
        warn_of_bytes_left(global, removal.unfinished.as_ref());
        reported
    }
}

fn says(events: usize) -> &'static str {
    if events == 1 { "says" } else { "say" }
}

/// Says what was redacted, and whether it is erased; or what would be.
fn report(
    global: &Global,
    store: &Store,
    redacted: &[Redacted],
    erased: Option<bool>,
) -> anyhow::Result<()> {
    let mut output = Output::new(global);
    let (mut buffer, mut kept) = (Vec::new(), Vec::new());
    for one in redacted {
        let (stream, version, position) = (one.stream.as_str(), one.version, one.position);
        let projections = kept_by(store, &one.stream)?;
        let backups = keeping(store, &one.stream);
        if output.format == Format::Table {
            let done = if erased.is_none() { "would be redacted" } else { "redacted" };
            let state = if one.state { ", with the state of its stream" } else { "" };
            let name = escape(stream);
            writeln!(buffer, "{name}@{version} at position {position}: {done}{state}")?;
            write_kept(&mut buffer, &projections);
        } else {
            let json = RedactedJson {
                position: position.0,
                stream,
                version: version.0,
                state: one.state,
                dry_run: erased.is_none(),
                erased,
                projections,
                backups: backups.clone(),
            };
            output.record(&mut buffer, &to_line(&json)?);
        }
        kept.push(backups);
    }
    buffer.extend_from_slice(output.end());
    output.done_or_planned(&buffer, erased.is_none())?;
    note_keeping(global, &kept);
    Ok(())
}
