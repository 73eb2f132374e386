//! `ream project set`.

use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;
use ream::{Batched, Error, Json, Projection, Row, SetEach, Stopped};
use serde::Serialize;

use super::settle;
use crate::args::{Format, Global};
use crate::command::confirm::plural;
use crate::environment::Environment;
use crate::hint::Hint;
use crate::input::{self, Arrived, Input};
use crate::output::{Output, to_line};
use crate::payload;
use crate::progress;
use crate::refused::{Refused, invalid};
use crate::signals::Signals;

/// How long a row's line may be, in bytes.
const LONGEST: usize = 64 * 1024 * 1024;

/// Insert rows, or replace those with their keys
///
/// A row is a JSON object with the projection's fields; those that may be null can be left out.
/// Numbers keep their digits.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream project set users '{\"id\":1,\"email\":\"ann@mail.com\",\"city\":\"London\",\"salary\":1200.50}'
  ream project set users --jsonl rows.jsonl
  ./export | ream project set users --jsonl -")]
pub(crate) struct SetArgs {
    /// The projection
    #[arg(value_name = "NAME")]
    name: String,
    /// The row as JSON, @FILE to read it from FILE, or - to read it from standard input
    #[arg(value_name = "ROW", required_unless_present = "jsonl")]
    row: Option<String>,
    /// Set the rows in FILE, one JSON object a line; - for standard input. Committed as they come
    #[arg(long, value_name = "FILE", conflicts_with = "row")]
    jsonl: Option<PathBuf>,
    /// With --jsonl: all of them or none
    #[arg(long, requires = "jsonl")]
    atomic: bool,
}

/// How many rows were set, as JSON.
#[derive(Serialize)]
struct SetJson<'p> {
    projection: &'p str,
    set: u64,
}

impl SetArgs {
    pub(super) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        if self.atomic && self.jsonl.is_none() {
            return Err(Refused::Usage("--atomic needs --jsonl FILE".into()).into());
        }
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        let store = global.open(environment, &options)?;
        let mut projection = store.projection(&self.name)?;
        let set = match &self.jsonl {
            Some(file) => {
                let input = input(file, &projection)?;
                let mut setting = Setting {
                    projection: &mut projection,
                    signals: &signals,
                    set: 0,
                    progress: progress::count(global, "rows"),
                };
                let done = if self.atomic { setting.all(&input) } else { setting.each(&input) };
                setting.progress.finish_and_clear();
                let set = setting.set;
                done?;
                set
            }
            None => {
                let row = self.row(&projection)?;
                let rows = std::slice::from_ref(&row);
                let SetEach { stopped, .. } =
                    signals.hold(|| projection.set(rows, Batched::AllOrNone))?;
                if let Some(Stopped { error, .. }) = stopped {
                    return Err(error.into());
                }
                1
            }
        };
        signals.hold(|| settle(&projection))?;
        let output = Output::new(global);
        let told = match output.format {
            Format::Table if global.quiet => Vec::new(),
            Format::Table => format!("{}: {}\n", self.name, so_far(set)).into_bytes(),
            _ => [to_line(&SetJson { projection: &self.name, set })?, b"\n".into()].concat(),
        };
        output.done(&told)?;
        Ok(signals.check()?)
    }

    fn row(&self, projection: &Projection) -> anyhow::Result<Row> {
        let argument = self.row.as_deref().unwrap_or("-");
        let bytes = payload::read(argument, payload::MOST_INPUT)?;
        let text = bytes.trim_ascii();
        Row::parse(text, projection.schema()).map_err(|error| {
            let bare = !text.starts_with(b"{");
            let example = || Hint::words("a row is a JSON object, such as {\"field\":1}");
            let hint = payload::with_quotes_back(argument, "ROW").or_else(|| bare.then(example));
            // A column tells the place in a line.
            let message = match Json::parse_bytes(text) {
                _ if !text.contains(&b'\n') => error.to_string(),
                Ok(_) => error.reason,
                Err(error) => error.to_string(),
            };
            Refused::Invalid { message, hint }.into()
        })
    }
}

/// The rows of a file or a pipe.
fn input(file: &std::path::Path, projection: &Projection) -> anyhow::Result<Input<Row>> {
    let schema = projection.schema().clone();
    let input = Input::start(input::open(file)?, LONGEST, move |line| {
        let row = Row::parse(line, &schema).map_err(|error| error.to_string())?;
        let size = row.size();
        Ok((row, size))
    });
    Ok(input?)
}

/// The thread that stores, and how many rows it has set.
struct Setting<'s> {
    projection: &'s mut Projection,
    signals: &'s Signals,
    set: u64,
    progress: ProgressBar,
}

impl Setting<'_> {
    /// Commits what has arrived, again and again.
    fn each(&mut self, input: &Input<Row>) -> anyhow::Result<()> {
        loop {
            let Arrived { items, lines, end, .. } = input.take();
            self.batch(&items, &lines, Batched::Each)?;
            match end {
                None => {}
                Some(Ok(())) => return Ok(()),
                Some(Err(bad)) => return Err(self.stopped_at(bad.line, bad.to_error())),
            }
        }
    }

    /// Waits for the end of the input and commits all of it, or nothing.
    fn all(&mut self, input: &Input<Row>) -> anyhow::Result<()> {
        let Arrived { items, lines, end, .. } = input.take_all();
        if let Some(Err(bad)) = end {
            return Err(self.stopped_at(bad.line, bad.to_error()));
        }
        self.batch(&items, &lines, Batched::AllOrNone)
    }

    fn batch(&mut self, rows: &[Row], lines: &[u64], batched: Batched) -> anyhow::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let done = self.signals.hold(|| self.projection.set(rows, batched));
        let SetEach { set, stopped, .. } =
            done.map_err(|error| self.stopped_at(lines.first().copied(), error))?;
        self.set += set as u64;
        self.progress.set_position(self.set);
        if let Some(Stopped { index, error }) = stopped {
            return Err(self.stopped_at(lines.get(index).copied(), in_line(error)));
        }
        Ok(self.signals.check()?)
    }

    fn stopped_at(&self, line: Option<u64>, error: anyhow::Error) -> anyhow::Error {
        let place = line.map_or_else(String::new, |line| format!(" at line {line}"));
        error.context(format!("stopped{place}: {}", so_far(self.set)))
    }
}

fn in_line(error: Error) -> anyhow::Error {
    match error {
        Error::UniqueClash(clash) => invalid(clash),
        error => error.into(),
    }
}

fn so_far(set: u64) -> String {
    let is = if set == 1 { "is" } else { "are" };
    format!("{} {is} set", plural(set, "row"))
}
