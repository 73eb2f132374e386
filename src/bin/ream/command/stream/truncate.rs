//! `ream stream truncate`.

use std::io::Write as _;

use clap::Args;
use ream::{Before, Error, Mark, Store, Truncated};
use serde::Serialize;

use super::rm::{kept_by, warn_of_bytes_left, write_kept};
use super::target::Target;
use crate::args::{Format, Global};
use crate::command::backup::{keeping, note_keeping};
use crate::command::confirm::{self, plural};
use crate::output::{Output, escape, to_line};
use crate::signals::Signals;
use crate::units;

/// Remove the first events of streams
///
/// Removes the events of the streams that stand before a place, as `ream stream rm` does with all of them: they
/// are erased, and their positions, versions and ids stay spent. The states stay, and stand for what is
/// removed: `ream decide` begins with the state, where it reflects so much. Where a stream has no state,
/// or one of before, a decision is made of the events that are left alone; store one first, with
/// `ream state set`.
///
/// What is made anew is made of what is left, so the projections that may have rows made of the events are
/// named. It is one transaction, for as many streams as there are.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream stream truncate order-42 --before @7       versions 1 to 6
  ream stream truncate 'sensor-*' --before 90d    what is older, up to the first that is not
  ream stream truncate 'sensor-*' --before 5000 --dry-run")]
pub(crate) struct TruncateArgs {
    /// The streams; `*` stands for any characters: 'order-*'
    #[arg(value_name = "PATTERN", required = true)]
    targets: Vec<Target>,
    /// Up to before POS: a position, or @N for a version of the one stream; or before the first event of TIME
    /// or later, or of so long ago: 90d
    #[arg(long, value_name = "POS|TIME", value_parser = before)]
    before: Before,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Only print what would be removed
    #[arg(long)]
    dry_run: bool,
}

/// Reads a place or a time.
fn before(text: &str) -> Result<Before, String> {
    match text.parse::<Mark>() {
        Ok(mark) => Ok(Before::Mark(mark)),
        Err(error) => match units::time_or_ago(text) {
            Ok(time) => Ok(Before::Time(time)),
            Err(no_time) => Err(format!("{error}, and {no_time}")),
        },
    }
}

/// What was removed of a stream, or would be, as JSON.
#[derive(Serialize)]
struct TruncatedJson<'s> {
    stream: &'s str,
    version: u64,
    removed: u64,
    events: u64,
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

impl TruncateArgs {
    pub(super) fn run(
        &self,
        global: &Global,
        mut store: Store,
        signals: &Signals,
    ) -> anyhow::Result<()> {
        let by_pattern = self.targets.iter().any(|target| matches!(target, Target::Pattern(_)));
        if by_pattern && matches!(self.before, Before::Mark(Mark::Version(_))) {
            return Err(Error::VersionNeedsStream.into());
        }
        let streams = Target::streams(&self.targets, &store)?;
        let truncatable = store.truncatable(&streams, self.before)?;
        if self.dry_run {
            return report(global, &store, &truncatable, None);
        }
        if !self.yes && !truncatable.is_empty() {
            let events = truncatable.iter().map(|one| one.events).sum();
            let streams = plural(truncatable.len() as u64, "stream");
            confirm::ask(&format!("removing {} of {streams}", plural(events, "event")))?;
        }
        let removal = signals.hold(|| store.truncate(&streams, self.before))?;
        let erased = Some(removal.unfinished.is_none());
        let reported = report(global, &store, &removal.removed, erased);
        warn_of_bytes_left(global, removal.unfinished.as_ref());
        reported
    }
}

/// Says what was removed, and whether it is erased; or what would be.
pub(in crate::command) fn report(
    global: &Global,
    store: &Store,
    truncated: &[Truncated],
    erased: Option<bool>,
) -> anyhow::Result<()> {
    let mut output = Output::new(global);
    let (mut buffer, mut kept) = (Vec::new(), Vec::new());
    for one in truncated {
        let (stream, removed) = (one.stream.as_str(), one.removed);
        let projections = kept_by(store, &one.stream)?;
        let backups = keeping(store, &one.stream);
        if output.format == Format::Table {
            let done = if erased.is_none() { "would remove" } else { "removed" };
            let (name, events) = (escape(stream), plural(one.events, "event"));
            writeln!(
                buffer,
                "{name}: {done} {events}, up to version {removed} of {}",
                one.version
            )?;
            write_kept(&mut buffer, &projections);
        } else {
            let json = TruncatedJson {
                stream,
                version: one.version.0,
                removed: removed.0,
                events: one.events,
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
