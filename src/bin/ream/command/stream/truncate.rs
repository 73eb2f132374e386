//! `ream stream truncate`.

use std::io::{self, Write as _};

use clap::Args;
use ream::{Before, Error, Mark, Store, StreamName, Truncated};
use serde::Serialize;

use super::target::Target;
use crate::args::Global;
use crate::command::confirm::{self, plural};
use crate::command::erasing::{
    Taken, is_none, report_done, report_planned, warn_of_missed, with_tags,
};
use crate::output::escape;
use crate::signals::Signals;
use crate::units;

/// Remove the first events of streams
///
/// Removes the events before a place from the streams, as `ream stream rm` removes all of them: they are
/// erased, and their positions, versions and ids are not used again. States stay, and represent the events
/// that are removed: `ream decide` starts from the state. If a stream has no state, or one that reflects less
/// than what is removed, decisions see the remaining events only; store a state first, with `ream state set`.
///
/// A projection that is rebuilt later is made from the remaining events, so the projections that may have rows
/// made from the removed ones are named. Subscriptions, and projections with a program, that have not processed
/// all of the removed events will miss them; each gets a warning. It is one transaction for all of the streams.
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
    /// Remove what precedes POS: a position, or @N for a version if one stream is given; or what precedes the
    /// first event of TIME or later: a time, or how long ago (90d)
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

/// What a truncation takes, as JSON.
#[derive(Serialize)]
pub(crate) struct TruncatedJson<'s> {
    stream: &'s str,
    version: u64,
    removed: u64,
    events: u64,
    /// How many of them have tags. Not said where none has.
    #[serde(skip_serializing_if = "is_none")]
    tagged: u64,
    /// The version that the state reflects, which stays. Not said where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    state_version: Option<u64>,
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
        warn_of_missed(global, &store.behind(&truncatable)?);
        if self.dry_run {
            return report_planned(global, &store, &truncatable, &[]);
        }
        if !self.yes && !truncatable.is_empty() {
            let events = truncatable.iter().map(|one| one.events).sum();
            let streams = plural(truncatable.len() as u64, "stream");
            confirm::ask(&format!("removing {} of {streams}", plural(events, "event")))?;
        }
        let removal = signals.hold(|| store.truncate(&streams, self.before))?;
        report_done(global, &store, &removal, &[])
    }
}

impl Taken for Truncated {
    type Json<'t> = TruncatedJson<'t>;

    fn stream(&self) -> &StreamName {
        &self.stream
    }

    fn json(&self) -> TruncatedJson<'_> {
        TruncatedJson {
            stream: self.stream.as_str(),
            version: self.version.0,
            removed: self.removed.0,
            events: self.events,
            tagged: self.tagged,
            state_version: self.state.map(|version| version.0),
        }
    }

    fn write(&self, buffer: &mut Vec<u8>, would: bool) -> io::Result<()> {
        let verb = if would { "would remove" } else { "removed" };
        let (name, events) = (escape(self.stream.as_str()), plural(self.events, "event"));
        let (removed, version, tagged) = (self.removed, self.version, with_tags(self.tagged));
        writeln!(buffer, "{name}: {verb} {events}, up to version {removed} of {version}{tagged}")?;
        match self.state {
            Some(state) if state < removed => {
                writeln!(buffer, "  its state stays; it reflects version {state} and nothing later")
            }
            _ => Ok(()),
        }
    }
}
