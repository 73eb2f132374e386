//! `ream compact`.

use clap::Args;
use serde::Serialize;

use crate::args::{Format, Global};
use crate::environment::Environment;
use crate::output::{Output, note, to_line};
use crate::progress;
use crate::signals::Signals;
use crate::units;

/// Give back the room that removals left
///
/// Later events use the room that removed ones left; this makes the file smaller. It works in short steps, and
/// other processes write in between. It can be interrupted and run again. The file shrinks once no process reads
/// what it held before.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream stream rm --yes order-1
  ream compact")]
pub(crate) struct CompactArgs {}

/// What was given back, as JSON, with its fields in this order.
#[derive(Serialize)]
struct CompactedJson {
    before_bytes: u64,
    bytes: u64,
    gained_bytes: u64,
    packed: u64,
    /// Whether the file is as short as that already.
    shrunk: bool,
}

impl CompactArgs {
    pub(crate) fn run(global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        let mut store = global.open(environment, &options)?;
        let bar = progress::bar(global, 0);
        let compacted = signals.hold(|| {
            store.compact(&mut |done, of| {
                bar.set_length(of);
                bar.set_position(done);
            })
        });
        bar.finish_and_clear();
        let compacted = compacted?;
        let (before, after) = (compacted.before, compacted.after);
        let gained = before.saturating_sub(after);
        let output = Output::new(global);
        let shown = match output.format {
            Format::Table => {
                let [gained, before, after] = [gained, before, after].map(units::bytes);
                format!("gained {gained}: {before} before, {after} now\n").into_bytes()
            }
            _ => {
                let json = CompactedJson {
                    before_bytes: before,
                    bytes: after,
                    gained_bytes: gained,
                    packed: compacted.packed,
                    shrunk: compacted.unfinished.is_none(),
                };
                [to_line(&json)?, b"\n".into()].concat()
            }
        };
        output.done(&shown)?;
        if let Some(error) = &compacted.unfinished {
            let message = format!(
                "the file is as long as it was: {error}; it shrinks when that has ended, with what is written next"
            );
            note(global, "warning:", &message);
        }
        Ok(())
    }
}
