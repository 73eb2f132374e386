//! What commands that erase say of it: what went, or would go, and where it is kept all the same.

use std::collections::BTreeSet;
use std::io::Write as _;

use ream::{Behind, Error, ProjectionEntry, Query, Removal, Store, StreamName};
use serde::Serialize;

use super::backup::{keeping, note_keeping};
use super::confirm::plural;
use crate::args::{Format, Global};
use crate::output::{Output, note, to_line};

/// What is taken from a stream.
pub(super) trait Taken {
    /// What of it is said as JSON.
    type Json<'t>: Serialize
    where
        Self: 't;

    fn stream(&self) -> &StreamName;

    fn json(&self) -> Self::Json<'_>;

    /// Writes lines for the eye; of what `would` be done, or was.
    fn write(&self, buffer: &mut Vec<u8>, would: bool) -> std::io::Result<()>;
}

/// What is taken from a stream, as JSON.
#[derive(Serialize)]
struct TakenJson<T> {
    #[serde(flatten)]
    taken: T,
    dry_run: bool,
    /// Not said of what was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    erased: Option<bool>,
    projections: Vec<String>,
    /// Those that keep it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    backups: Vec<String>,
}

/// Whether there are none.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
pub(super) fn is_none(count: &u64) -> bool {
    *count == 0
}

/// How many of events have tags, for the eye.
pub(super) fn with_tags(tagged: u64) -> String {
    if tagged == 0 { String::new() } else { format!(", {tagged} with tags") }
}

/// What follows the log and holds something back, as JSON.
#[derive(Serialize)]
struct HeldJson<'b> {
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription: Option<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    projection: Option<&'b str>,
    checkpoint: u64,
    held_back: u64,
}

/// Says what would be taken, and what `held` back.
pub(super) fn report_planned<T: Taken>(
    global: &Global,
    store: &Store,
    taken: &[T],
    held: &[Behind],
) -> anyhow::Result<()> {
    report(global, store, taken, held, None)
}

/// Says what was taken, what `held` back, and whether it is erased.
pub(super) fn report_done<T: Taken>(
    global: &Global,
    store: &Store,
    removal: &Removal<T>,
    held: &[Behind],
) -> anyhow::Result<()> {
    let erased = Some(removal.unfinished.is_none());
    let reported = report(global, store, &removal.removed, held, erased);
    warn_of_bytes_left(global, removal.unfinished.as_ref());
    reported
}

fn report<T: Taken>(
    global: &Global,
    store: &Store,
    taken: &[T],
    held: &[Behind],
    erased: Option<bool>,
) -> anyhow::Result<()> {
    let mut output = Output::new(global);
    let (mut buffer, mut kept) = (Vec::new(), BTreeSet::new());
    let entries = store.projections()?;
    let would = erased.is_none();
    for one in taken {
        let projections = kept_by(&entries, one.stream());
        let backups = keeping(store, one.stream());
        kept.extend(backups.iter().cloned());
        if output.format == Format::Table {
            one.write(&mut buffer, would)?;
            for projection in projections {
                let keeps = "keeps rows made of it until it is rebuilt";
                writeln!(buffer, "  the projection `{projection}` {keeps}")?;
            }
        } else {
            let taken = one.json();
            let json = TakenJson { taken, dry_run: would, erased, projections, backups };
            output.record(&mut buffer, &to_line(&json)?);
        }
    }
    for one in held {
        if output.format == Format::Table {
            writeln!(buffer, "{} holds back {}", follower(one), plural(one.events, "event"))?;
        } else {
            output.record(&mut buffer, &to_line(&held_json(one))?);
        }
    }
    buffer.extend_from_slice(output.end());
    output.done_or_planned(&buffer, would)?;
    note_keeping(global, &kept);
    Ok(())
}

fn held_json(held: &Behind) -> HeldJson<'_> {
    let name = |wanted| (held.is_projection == wanted).then_some(&*held.name);
    HeldJson {
        subscription: name(false),
        projection: name(true),
        checkpoint: held.checkpoint.0,
        held_back: held.events,
    }
}

/// What follows the log, and where it is.
fn follower(behind: &Behind) -> String {
    let Behind { name, is_projection, checkpoint, .. } = behind;
    let kind = if *is_projection { "projection" } else { "subscription" };
    format!("the {kind} `{name}` is at position {checkpoint}, and")
}

/// Warns whom a removal makes miss events, or would.
pub(super) fn warn_of_missed(global: &Global, behind: &[Behind]) {
    for one in behind {
        let message = format!("{} will miss {} of these events", follower(one), one.events);
        note(global, "warning:", &message);
    }
}

/// The projections that follow the stream `name`, and keep the rows that were made of its events.
fn kept_by(entries: &[ProjectionEntry], name: &StreamName) -> Vec<String> {
    let follows = |entry: &&ProjectionEntry| {
        Query::of(entry.definition.from.clone()).chooses_stream(name.as_str())
    };
    entries.iter().filter(follows).map(|entry| entry.name.to_string()).collect()
}

/// Warns where bytes of what was removed are still in a file of the store.
pub(super) fn warn_of_bytes_left(global: &Global, unfinished: Option<&Error>) {
    if let Some(error) = unfinished {
        let message = format!(
            "it is removed, but bytes of it are left in the store's files: {error}; the next writer tries again"
        );
        note(global, "warning:", &message);
    }
}
