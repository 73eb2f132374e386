//! `ream backup`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use ream::{Backup, NewBackup, Store, StreamName};
use serde::Serialize;

use super::confirm::plural;
use crate::args::{Format, Global};
use crate::environment::Environment;
use crate::output::{Output, escape, note, to_line};
use crate::progress;
use crate::signals::Signals;
use crate::units;

/// Back the store up into a new directory
///
/// Copies the store as it is at one moment, while others read and write it. DIR appears when the copy is
/// whole and on the disk, and not before; it must be missing or empty, and nothing is overwritten.
///
/// A backup is a store that is not written to: `ream read --store DIR` and the like work on it, and
/// `ream restore` makes a store of it that is. Rows of projections are left out unless --projections says
/// otherwise, since they can be made again from events.
///
/// A backup keeps what is removed from the store later.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream backup /backup/shop-2026-11-28
  ream backup /backup/shop --projections      with the rows of projections
  ream read --store /backup/shop -n 1         the last event in it")]
pub(crate) struct BackupArgs {
    /// The directory of the backup: missing or empty
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Copy the rows of projections as well
    #[arg(long)]
    projections: bool,
    /// Take a store that has lost what was acknowledged as it is
    #[arg(long)]
    damaged: bool,
}

/// A backup, as JSON, with its fields in this order.
#[derive(Serialize)]
pub(super) struct BackupJson<'b> {
    backup: Cow<'b, str>,
    store: &'b str,
    head: u64,
    link: String,
    time: String,
    events: u64,
    bytes: u64,
    projections: Vec<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    damaged: Option<&'b str>,
}

impl BackupArgs {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        let store = global.open(environment, &options)?;
        let mut new = NewBackup::default();
        (new.projections, new.damaged) = (self.projections, self.damaged);
        let bar = progress::copying(global);
        let mut show = |at| progress::show_copying(&bar, at);
        let made = signals.hold(|| store.backup(&self.directory, &new, &mut show));
        bar.finish_and_clear();
        let backup = made?;
        let output = Output::new(global);
        let shown = match output.format {
            Format::Table if global.quiet => Vec::new(),
            Format::Table => readable(&backup).into_bytes(),
            _ => [to_line(&json(&backup))?, b"\n".into()].concat(),
        };
        output.done(&shown)
    }
}

fn json(backup: &Backup) -> BackupJson<'_> {
    BackupJson {
        backup: backup.path.to_string_lossy(),
        store: &backup.store,
        head: backup.head.position.0,
        link: backup.head.link().to_string(),
        time: backup.time.to_string(),
        events: backup.events,
        bytes: backup.bytes(),
        projections: backup.projections.iter().map(|projection| &*projection.name).collect(),
        damaged: backup.damaged.as_deref(),
    }
}

fn readable(backup: &Backup) -> String {
    let (path, events) = (backup.path.to_string_lossy(), plural(backup.events, "event"));
    let (head, bytes) = (backup.head.position, units::bytes(backup.bytes()));
    format!("{}: backed up, {events}, up to position {head}, {bytes}\n", escape(&path))
}

/// The backups that keep what is removed of a stream. What is not known of them is no failure of a removal.
pub(in crate::command) fn keeping(store: &Store, stream: &StreamName) -> Vec<String> {
    let paths = store.backups_of(stream).unwrap_or_default();
    paths.iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

/// Notes which backups keep what was removed, or would be.
pub(in crate::command) fn note_keeping<'b>(
    global: &Global,
    keeping: impl IntoIterator<Item = &'b String>,
) {
    let paths: BTreeSet<&str> = keeping.into_iter().map(String::as_str).collect();
    for path in paths {
        note(
            global,
            "note:",
            &format!("the backup {path} keeps what was in the store when it was made"),
        );
    }
}
