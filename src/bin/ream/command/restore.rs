//! `ream restore`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use ream::{RestoreUntil, Restored, Store, StreamName, Until};
use serde::Serialize;

use super::confirm::plural;
use crate::args::{Format, Global};
use crate::environment::Environment;
use crate::output::{Output, escape, to_line};
use crate::progress;
use crate::refused::Refused;
use crate::signals::Signals;
use crate::units;

/// Make a store of a backup, in a new directory
///
/// Copies the backup into DIR, which must be missing or empty: a store that is there is never restored over.
/// The backup is compared with its manifest, and the copy is verified, before DIR appears. The new store has the
/// id of the old one, and programs that the old one remembers have to be allowed in it.
///
/// With --until the log ends at POS, or at the last event that was recorded at TIME or before. What lies behind is
/// not in the new store: its events, the states that reflect one of them, the decisions that led to them.
/// Subscriptions that had come further are moved back to the end. Projections that are not in the backup, or had
/// come further, have no rows until they are rebuilt.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream restore /backup/shop-2026-11-28 shop
  ream restore /backup/shop /tmp/practice           look whether a backup can be restored
  ream restore /backup/shop shop --until 1842       as it was behind that event
  ream restore /backup/shop shop --until 2026-11-28T09:00:00Z")]
pub(crate) struct RestoreArgs {
    /// The directory of the backup
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    /// The directory of the new store: missing or empty
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// End the log at POS, inclusive, or at the last event recorded at TIME or before
    #[arg(long, value_name = "POS|TIME")]
    until: Option<Until>,
}

/// A store that was restored, as JSON, with its fields in this order.
#[derive(Serialize)]
struct RestoredJson<'r> {
    restored: Cow<'r, str>,
    backup: Cow<'r, str>,
    store: &'r str,
    head: u64,
    link: String,
    bytes: u64,
    events_dropped: u64,
    states_dropped: Vec<&'r str>,
    decisions_dropped: u64,
    subscriptions_moved: &'r [String],
    projections: &'r [String],
    to_rebuild: &'r [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    damaged: Option<&'r str>,
}

impl RestoreArgs {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let until = match self.until {
            None => None,
            Some(Until::Time(time)) => Some(RestoreUntil::Time(time)),
            Some(Until::Mark(mark)) => Some(RestoreUntil::of(mark).ok_or_else(|| {
                Refused::Usage(
                    "--until takes a position or a time, since a version is one of a stream".into(),
                )
            })?),
        };
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        let bar = progress::copying(global);
        let mut show = |at| progress::show_copying(&bar, at);
        let restored = signals
            .hold(|| Store::restore(&self.backup, &self.directory, until, &options, &mut show));
        bar.finish_and_clear();
        let restored = restored?;
        let output = Output::new(global);
        let shown = match output.format {
            Format::Table if global.quiet => Vec::new(),
            Format::Table => readable(&restored).into_bytes(),
            _ => [to_line(&json(&restored))?, b"\n".into()].concat(),
        };
        output.done(&shown)
    }
}

fn json(restored: &Restored) -> RestoredJson<'_> {
    let Restored { backup, head, dropped, .. } = restored;
    RestoredJson {
        restored: restored.path.to_string_lossy(),
        backup: backup.path.to_string_lossy(),
        store: &backup.store,
        head: head.position.0,
        link: head.link().to_string(),
        bytes: restored.bytes,
        events_dropped: dropped.events,
        states_dropped: dropped.states.iter().map(StreamName::as_str).collect(),
        decisions_dropped: dropped.decisions,
        subscriptions_moved: &dropped.subscriptions,
        projections: &restored.projections,
        to_rebuild: &restored.to_rebuild,
        damaged: backup.damaged.as_deref(),
    }
}

fn readable(restored: &Restored) -> String {
    let Restored { head, dropped, to_rebuild, .. } = restored;
    let (path, bytes) = (restored.path.to_string_lossy(), units::bytes(restored.bytes));
    let mut shown =
        format!("{}: restored, up to position {}, {bytes}\n", escape(&path), head.position);
    // Writing into a string does not fail.
    if dropped.events > 0 {
        let _ = writeln!(shown, "  left out: {} behind it", plural(dropped.events, "event"));
    }
    for stream in &dropped.states {
        let stream = escape(stream.as_str());
        let _ = writeln!(shown, "  left out: the state of {stream}, which reflects one of them");
    }
    if dropped.decisions > 0 {
        let _ = writeln!(shown, "  left out: {} behind it", plural(dropped.decisions, "decision"));
    }
    for name in &dropped.subscriptions {
        let _ = writeln!(shown, "  the subscription `{name}` is moved back to it");
    }
    for name in to_rebuild {
        let _ = writeln!(shown, "  the projection `{name}` has no rows until it is rebuilt");
    }
    shown
}
