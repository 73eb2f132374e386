//! `ream stream rm`.

use clap::Args;
use ream::{Error, ProjectionEntry, Query, Removed, Store, StreamName, Version};
use serde::Serialize;

use super::target::Target;
use crate::args::{Format, Global};
use crate::command::backup::{keeping, note_keeping};
use crate::command::confirm::{self, plural};
use crate::output::{Output, escape, note, to_line};
use crate::refused::Refused;
use crate::signals::Signals;

/// Remove what streams hold
///
/// Erases data and metadata of all events of the streams, and their states. Where the answer says
/// "erased":true, no byte of them is in any file of the store, but for projections: those that keep
/// rows made of them are named. A process that is reading the store stands in the way; it is waited
/// for as long as --lock-timeout says. Positions, versions and ids stay spent: a removed stream
/// keeps its version, and an id that was used answers as a duplicate.
///
/// It is one transaction, for as many streams as there are: others wait to write meanwhile, and whatever
/// interrupts it, all of them are removed or none. One that is protected keeps all. What a pattern
/// matches is looked up first; a stream that begins later stays.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream stream rm order-42
  ream stream rm 'cart-*' --dry-run      what it would take
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
        let removal = signals.hold(|| match expected {
            Some((stream, version)) => store.remove_at(stream, version),
            None => store.remove(&streams),
        })?;
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

/// The backups that keep what was removed of each stream.
fn backups_keeping(store: &Store, removed: &[Removed]) -> Vec<Vec<String>> {
    removed.iter().map(|removed| keeping(store, &removed.stream)).collect()
}

/// The projections that follow the stream `name`, and keep the rows that were made of its events.
pub(in crate::command) fn kept_by(store: &Store, name: &StreamName) -> anyhow::Result<Vec<String>> {
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
            write_kept(&mut buffer, projections);
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

/// Writes which projections keep rows that were made of what is removed, for the eye.
pub(in crate::command) fn write_kept(buffer: &mut Vec<u8>, projections: &[String]) {
    for projection in projections {
        let line =
            format!("  the projection `{projection}` keeps rows made of it until it is rebuilt\n");
        buffer.extend_from_slice(line.as_bytes());
    }
}

/// Warns where bytes of what was removed are still in a file of the store.
pub(in crate::command) fn warn_of_bytes_left(global: &Global, unfinished: Option<&Error>) {
    if let Some(error) = unfinished {
        let message = format!(
            "it is removed, and bytes of it are left in the store's files: {error}; whoever writes next tries again"
        );
        note(global, "warning:", &message);
    }
}
