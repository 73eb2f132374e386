//! `ream project drop`.

use clap::Args;
use ream::{Error, Identifier};

use super::show::DoneJson;
use crate::args::{Format, Global};
use crate::command::confirm::{self, plural};
use crate::environment::Environment;
use crate::output::{Output, to_line};
use crate::refused::invalid;
use crate::signals::Signals;

/// Drop a projection and its rows; the events stay
#[derive(Debug, Args)]
pub(crate) struct DropArgs {
    /// The projection
    #[arg(value_name = "NAME")]
    name: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Only tell what would be dropped
    #[arg(long)]
    dry_run: bool,
}

impl DropArgs {
    pub(super) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let name: Identifier = self.name.parse().map_err(invalid)?;
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        let mut store = global.open(environment, &options)?;
        let rows = match store.projection(name.as_str()) {
            Ok(projection) => Some(projection.status()?.rows),
            Err(Error::ProjectionNotFound { .. }) => None,
            // One that can't be read can be dropped.
            Err(_) if self.yes => Some(0),
            Err(error) => return Err(error.into()),
        };
        if let Some(rows) = rows
            && !self.dry_run
            && !self.yes
        {
            let what = format!("dropping {name} and its {}", plural(rows, "row"));
            confirm::ask(&what)?;
        }
        let dropped = match rows {
            Some(_) if self.dry_run => true,
            _ if self.dry_run => false,
            _ => signals.hold(|| store.drop_projection(&name))?,
        };
        let output = Output::new(global);
        let line = match (output.format, dropped) {
            (Format::Table, _) if global.quiet => Vec::new(),
            (Format::Table, false) => format!("{name}: is not there\n").into_bytes(),
            (Format::Table, true) if self.dry_run => {
                format!("{name}: would drop {}\n", plural(rows.unwrap_or_default(), "row"))
                    .into_bytes()
            }
            (Format::Table, true) => format!("{name}: dropped\n").into_bytes(),
            _ => {
                let (dropped, dry_run) = (Some(dropped), self.dry_run);
                let json = DoneJson { projection: name.as_str(), dropped, dry_run, created: None };
                [to_line(&json)?, b"\n".into()].concat()
            }
        };
        output.done_or_planned(&line, self.dry_run)
    }
}
