//! `ream project rebuild`.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use clap::Args;
use ream::program::{Following, Notice, Program, project};
use ream::{Differences, Identifier, ProjectionStatus, Rebuild, Row, Schema, Store};
use serde::Serialize;
use serde_json::value::RawValue;

use super::run::{self, Allow, MadeArgs};
use crate::args::{Format, Global};
use crate::command::confirm::{self, plural};
use crate::command::following::{self, HowArgs};
use crate::environment::Environment;
use crate::output::{Output, escape, to_line};
use crate::progress;
use crate::refused::invalid;
use crate::signals::Signals;
use crate::units;

/// Make a projection anew, from the first event on
///
/// The new one is made beside the old one, which is read meanwhile, and takes its place when it is whole.
/// Patterns and program are those that are remembered, or others, which are remembered from then on.
/// A `project run` of the old one ends then.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream project rebuild users
  ream project rebuild users --diff             tell what differs, and ask
  ream project rebuild users 'user-*' -- ./users2.py
  ream project rebuild users --allow            even if its program was not allowed here")]
pub(crate) struct RebuildArgs {
    /// The projection
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    made: MadeArgs,
    #[command(flatten)]
    allow: Allow,
    #[command(flatten)]
    how: HowArgs,
    /// Tell how many rows differ, and the first of them; then ask
    #[arg(long)]
    diff: bool,
    /// With --diff: do not ask
    #[arg(long, short, requires = "diff")]
    yes: bool,
    /// Make it and tell what differs, but leave the old one in its place
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Give the program TIME to end when ream is interrupted [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    grace: Option<Duration>,
}

/// How many rows that differ are shown.
const SHOWN: usize = 10;

/// What came of it, as JSON.
#[derive(Serialize)]
struct RebuiltJson<'p> {
    projection: &'p str,
    rebuilt: bool,
    rows: u64,
    checkpoint: u64,
    #[serde(flatten)]
    differences: Option<DifferencesJson>,
}

/// What differs, as JSON.
#[derive(Serialize)]
struct DifferencesJson {
    changed: u64,
    gone: u64,
    new: u64,
    first: Vec<DifferenceJson>,
}

/// A row that differs, as JSON.
#[derive(Serialize)]
struct DifferenceJson {
    was: Option<Box<RawValue>>,
    is: Option<Box<RawValue>>,
}

impl RebuildArgs {
    pub(super) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let name: Identifier = self.name.parse().map_err(invalid)?;
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        self.allow.apply(&mut options);
        let mut store = global.open(environment, &options)?;
        let was = store.projection_entry(&self.name)?;
        if self.diff || self.dry_run {
            // What differs needs both of them.
            store.projection(&self.name)?.checkpoint()?;
        }
        let entry = self.made.entry(&was, &self.how, &store, environment);
        let program = run::program(&store, &entry, &signals)?;
        let asks = self.diff && !self.dry_run && !self.yes;
        let what = format!("putting the new {name} in the place of the old one");
        if asks {
            confirm::can_ask(&what)?;
        }
        let program = program.named(name.as_str()).rebuilding();
        let mut rebuild = store.begin_rebuild(&entry)?;
        let mut following = self.how.following(self.grace);
        following::as_remembered(&mut following, &entry.definition);
        following.until_caught_up = true;
        signals.hold(|| self.make(&mut store, &mut rebuild, &program, &following, global))?;
        let new = &rebuild.projection;
        let differences = if self.diff || self.dry_run {
            Some(new.differences(&store.projection(&self.name)?, SHOWN)?)
        } else {
            None
        };
        if let (true, Some(differences)) = (asks, &differences) {
            // A closed stderr leaves no one to tell.
            let _ = io::stderr().write_all(readable(differences, new.schema()).as_bytes());
            if let Err(declined) = confirm::ask(&what) {
                rebuild.discard()?;
                return Err(declined);
            }
        }
        let status = new.status()?;
        let differences = differences.map(|found| Told::new(&found, new.schema())).transpose()?;
        if self.dry_run {
            rebuild.discard()?;
        } else {
            signals.hold(|| store.switch(&rebuild))?;
        }
        self.tell(&status, differences, global)
    }

    /// Has the program make it, at least as far as the old one has come.
    fn make(
        &self,
        store: &mut Store,
        rebuild: &mut Rebuild,
        program: &Program,
        following: &Following,
        global: &Global,
    ) -> anyhow::Result<()> {
        let bar = progress::bar(global, store.head()?.0);
        loop {
            let mut notice = |notice: Notice<'_>| match notice {
                Notice::Committed { position } => bar.set_position(position.0),
                notice => bar.suspend(|| following::tell(global, &notice)),
            };
            let (program, following) = (program.clone(), following.clone());
            project(store, &mut rebuild.projection, program, following, &mut notice)
                .map_err(following::failed)?;
            // What could be read shall not be gone.
            let old = match store.projection(&self.name).and_then(|old| old.checkpoint()) {
                Ok(old) => old.position,
                Err(error) if following::is_broken(&error) => break,
                Err(error) => return Err(error.into()),
            };
            if old > store.head()? || store.has_reached(&rebuild.projection, old)? {
                break;
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn tell(
        &self,
        status: &ProjectionStatus,
        differences: Option<Told>,
        global: &Global,
    ) -> anyhow::Result<()> {
        let output = Output::new(global);
        let shown = match output.format {
            Format::Table if global.quiet => Vec::new(),
            Format::Table => {
                // Where it was asked, it has been told.
                let told = differences.filter(|_| self.yes || self.dry_run);
                let mut shown = told.map_or_else(String::new, |told| told.readable);
                let done = if self.dry_run { "would have" } else { "rebuilt," };
                let (rows, position) = (plural(status.rows, "row"), status.checkpoint);
                // Writing into a string does not fail.
                let _ = writeln!(shown, "{}: {done} {rows}, at position {position}", self.name);
                shown.into_bytes()
            }
            _ => {
                let json = RebuiltJson {
                    projection: &self.name,
                    rebuilt: !self.dry_run,
                    rows: status.rows,
                    checkpoint: status.checkpoint.0,
                    differences: differences.map(|told| told.json),
                };
                [to_line(&json)?, b"\n".into()].concat()
            }
        };
        output.done_or_planned(&shown, self.dry_run)
    }
}

/// What differs, as it is told.
struct Told {
    readable: String,
    json: DifferencesJson,
}

impl Told {
    fn new(differences: &Differences, schema: &Schema) -> anyhow::Result<Self> {
        let (readable, json) = (readable(differences, schema), to_json(differences, schema)?);
        Ok(Self { readable, json })
    }
}

fn readable(differences: &Differences, schema: &Schema) -> String {
    let Differences { changed, gone, new, first, .. } = differences;
    let mut shown = format!("{} changed, {gone} gone, {new} new\n", plural(*changed, "row"));
    for (was, is) in first {
        for (sign, row) in [('-', was), ('+', is)] {
            if let Some(row) = row {
                let _ = writeln!(shown, "{sign} {}", escape(&row.to_json(schema)));
            }
        }
    }
    shown
}

fn to_json(differences: &Differences, schema: &Schema) -> anyhow::Result<DifferencesJson> {
    let raw = |row: &Option<Row>| {
        row.as_ref().map(|row| RawValue::from_string(row.to_json(schema))).transpose()
    };
    let first = differences
        .first
        .iter()
        .map(|(was, is)| anyhow::Ok(DifferenceJson { was: raw(was)?, is: raw(is)? }));
    let Differences { changed, gone, new, .. } = *differences;
    Ok(DifferencesJson { changed, gone, new, first: first.collect::<Result<_, _>>()? })
}
