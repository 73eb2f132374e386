//! `ream status`.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use ream::Timestamp;
use serde::Serialize;

use super::confirm::plural;
use super::doctor::examine;
use super::following::Broken;
use super::subscription::{Follows, Reached};
use crate::args::{Format, Global};
use crate::command::remembered::ProgramJson;
use crate::environment::Environment;
use crate::output::{Output, table, to_line, unless_closed, warn};
use crate::refused::Refused;
use crate::units;

/// How a store stands, as JSON, with its fields in this order.
#[derive(Serialize)]
struct StatusJson<'s> {
    path: Cow<'s, str>,
    store: &'s str,
    head: u64,
    /// The link there.
    link: String,
    events: u64,
    streams: u64,
    last_recorded: Option<String>,
    bytes: u64,
    wal_bytes: u64,
    erasing: bool,
    max_data_bytes: u64,
    format: u32,
    engine: &'s str,
    sqlite_version: &'s str,
    /// The programs that projections remember.
    programs: &'s [ProgramJson<'s>],
}

/// Show how the store stands
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream status
  ream status --json > head.json                        for `verify --against`, later
  ream status --check --max-lag 1000 --max-age 5m       for monitoring: one line, 0 or 1")]
pub(crate) struct StatusArgs {
    /// Print in one line whether something needs a person, as `doctor` finds it; exit with 1 if so
    #[arg(long)]
    check: bool,
    /// With --check: at most N events behind, for everything that follows the log
    #[arg(long, value_name = "N", requires = "check")]
    max_lag: Option<u64>,
    /// With --check: no event waits longer than TIME for anything that follows the log
    #[arg(long, value_name = "TIME", requires = "check", value_parser = units::duration)]
    max_age: Option<Duration>,
}

/// Whether all is well, as JSON.
#[derive(Serialize)]
struct CheckJson<'c> {
    ok: bool,
    problems: &'c [String],
}

impl StatusArgs {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        if self.check { self.check(global, environment) } else { show(global, environment) }
    }

    fn check(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let mut options = global.options(environment);
        // What is lost is one of the problems.
        options.on_warning = None;
        let store = global.open(environment, &options)?;
        let found = examine(&store, global)?.into_iter().filter(|one| one.serious);
        let mut problems: Vec<String> = found.map(|one| one.readable()).collect();
        if self.max_lag.is_some() || self.max_age.is_some() {
            let quiet = Global { quiet: true, ..global.clone() };
            let follows = Follows::all(&store, &quiet, &mut Broken::default(), |_| true)?;
            problems.extend(follows.iter().filter_map(|one| self.late(one)));
        }
        let output = Output::new(global);
        let shown = match output.format {
            Format::Table if problems.is_empty() => b"ok\n".to_vec(),
            Format::Table => format!("not ok: {}\n", problems.join("; ")).into_bytes(),
            _ => {
                let json = CheckJson { ok: problems.is_empty(), problems: &problems };
                [to_line(&json)?, b"\n".into()].concat()
            }
        };
        unless_closed(output.write(&shown))?;
        if problems.is_empty() { Ok(()) } else { Err(Refused::Unwell(problems.len()).into()) }
    }

    /// How what follows the log is later than it may be, where it is.
    fn late(&self, one: &Follows) -> Option<String> {
        let Ok(Reached { lag, behind, .. }) = &one.reached else { return None };
        if self.max_lag.is_some_and(|most| *lag > most) {
            return Some(format!("lag {}: {} behind", one.name, plural(*lag, "event")));
        }
        let seconds = behind.filter(|_| *lag > 0)?;
        let is_late = self.max_age.is_some_and(|most| seconds > most.as_secs_f64());
        is_late.then(|| format!("lag {}: {} behind", one.name, units::seconds(seconds)))
    }
}

fn show(global: &Global, environment: &Environment) -> anyhow::Result<()> {
    let store = global.open(environment, &global.options(environment))?;
    let status = store.status()?;
    // Where one of them is damaged, the rest of this can be told.
    let entries = store.projections().unwrap_or_else(|error| {
        warn(global, &error);
        Vec::new()
    });
    let programs = entries.iter().filter_map(|entry| ProgramJson::of(&store, entry));
    let programs: Vec<ProgramJson<'_>> = programs.collect();
    let output = Output::new(global);
    let path = store.path().unwrap_or(Path::new("")).to_string_lossy();
    let last = status.last_recorded.map(|time: Timestamp| time.to_string());
    let shown = match output.format {
        Format::Table => table(
            &[],
            [
                ("store", path.clone().into_owned()),
                ("id", status.id.clone()),
                ("head", status.head.to_string()),
                ("link", status.link.to_string()),
                ("events", status.events.to_string()),
                ("streams", status.streams.to_string()),
                ("last recorded", last.unwrap_or_else(|| "never".into())),
                ("size", units::bytes(status.bytes)),
                ("log", units::bytes(status.wal_bytes)),
                ("erasing", if status.erasing { "unfinished" } else { "no" }.into()),
                ("largest data", units::bytes(status.max_data_bytes)),
                ("format", status.format.to_string()),
                ("engine", format!("{} {}", status.engine, status.engine_version)),
            ]
            .into_iter()
            .chain(programs.iter().map(|program| ("program", program.readable())))
            .map(|(name, value)| vec![name.to_owned(), value])
            .collect(),
        )
        .into_bytes(),
        _ => {
            let json = StatusJson {
                path,
                store: &status.id,
                head: status.head.0,
                link: status.link.to_string(),
                events: status.events,
                streams: status.streams,
                last_recorded: last,
                bytes: status.bytes,
                wal_bytes: status.wal_bytes,
                erasing: status.erasing,
                max_data_bytes: status.max_data_bytes,
                format: status.format,
                engine: status.engine,
                sqlite_version: &status.engine_version,
                programs: &programs,
            };
            [to_line(&json)?, b"\n".into()].concat()
        }
    };
    output.write(&shown)
}
