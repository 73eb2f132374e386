//! `ream project allow`.

use clap::Args;

use super::run::check_remembers;
use crate::args::{Format, Global};
use crate::command::remembered::ProgramJson;
use crate::environment::Environment;
use crate::output::{Output, to_line};
use crate::signals::Signals;

/// Allow the program that a projection remembers to run here
///
/// A store may come from elsewhere, and its programs with it. So `project run`, `project rebuild` and
/// `project select --fresh` run a remembered program only where it was given or allowed: by this user, on
/// this machine, for this store. A copy of the store needs to be allowed anew; an edited script does not.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream project show users      which program it is
  ream project allow users     it may run here from now on")]
pub(crate) struct AllowArgs {
    /// The projection
    #[arg(value_name = "NAME")]
    name: String,
}

impl AllowArgs {
    pub(super) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        let mut store = global.open(environment, &options)?;
        check_remembers(&store.projection_entry(&self.name)?)?;
        let entry = signals.hold(|| store.allow(&self.name))?;
        let output = Output::new(global);
        let allowed = ProgramJson::of(&store, &entry);
        output.done(&match output.format {
            Format::Table if global.quiet => Vec::new(),
            Format::Table => {
                let line = allowed.map_or_else(String::new, |program| program.readable());
                format!("{line}\n").into_bytes()
            }
            _ => [to_line(&allowed)?, b"\n".into()].concat(),
        })
    }
}
