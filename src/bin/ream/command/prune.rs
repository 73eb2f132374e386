//! `ream prune`.

use clap::Args;

use super::confirm::{self, plural};
use super::erasing::{report_done, report_planned, warn_of_missed};
use crate::args::Global;
use crate::environment::Environment;
use crate::signals::Signals;

/// Remove the events that are kept no longer
///
/// Removes the events that exceed the limits of `ream stream set`, as `ream stream truncate` does: they are
/// erased, and states stay. Protected streams keep all of their events. Events that a subscription, or a
/// projection with a program, has not processed yet are kept, unless --past-subscriptions is given; each that
/// holds events back is listed, with how many.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream prune --dry-run      what would be removed
  ream prune --yes          in a timer")]
pub(crate) struct PruneArgs {
    /// Remove events that subscriptions and projections have not processed yet as well
    #[arg(long)]
    past_subscriptions: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Only print what would be removed
    #[arg(long)]
    dry_run: bool,
}

impl PruneArgs {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        let mut store = global.open(environment, &options)?;
        let all = store.prunable(true)?;
        let behind = store.behind(&all)?;
        let (prunable, held) = if self.past_subscriptions {
            warn_of_missed(global, &behind);
            (all, Vec::new())
        } else {
            (store.prunable(false)?, behind)
        };
        if self.dry_run {
            return report_planned(global, &store, &prunable, &held);
        }
        if !self.yes && !prunable.is_empty() {
            let events = prunable.iter().map(|one| one.events).sum();
            let streams = plural(prunable.len() as u64, "stream");
            confirm::ask(&format!("removing {} of {streams}", plural(events, "event")))?;
        }
        let removal = signals.hold(|| store.prune(self.past_subscriptions))?;
        report_done(global, &store, &removal, &held)
    }
}
