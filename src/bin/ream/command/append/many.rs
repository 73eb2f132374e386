//! Many events, from a file or a pipe: one thread reads, one stores, one acknowledges.

mod acknowledge;

use std::io::Read;
use std::path::Path;

use indicatif::ProgressBar;
use ream::wire::{self, Defaults};
use ream::{
    AppendCondition, Appended, AppendedEach, Error, Expect, Position, SealedEvent, Sealer, Store,
};

use self::acknowledge::Acknowledger;
use super::AppendArgs;
use crate::args::{Format, Global};
use crate::input::{self, Arrived, BadInput, Input};
use crate::output::{Output, is_closed_output};
use crate::payload;
use crate::progress;
use crate::refused::invalid;
use crate::signals::Signals;

/// Appends the events in `file`, as they come or all together.
pub(super) fn append(
    args: &AppendArgs,
    file: &Path,
    global: &Global,
    store: &mut Store,
    signals: &Signals,
) -> anyhow::Result<()> {
    let condition = args.condition(global)?;
    let input = input(input::open(file)?, args, condition, store.max_data_bytes())?;
    let output = Output::new(global);
    let sums_up = output.format == Format::Table;
    let mut storing = Storing {
        store,
        signals,
        acknowledger: (!sums_up).then(|| Acknowledger::start(output)).transpose()?,
        stored: 0,
        duplicates: 0,
        last: None,
        progress: progress::count(global, "events"),
    };
    let done = if args.atomic { storing.all(&input) } else { storing.each(&input) };
    storing.progress.finish_and_clear();
    let told = storing.acknowledger.take().map_or(Ok(()), Acknowledger::finish);
    told.map_err(|error| storing.unacknowledged(error))?;
    done?;
    if sums_up && !global.quiet {
        Output::new(global).done(format!("{}\n", storing.so_far()).as_bytes())?;
    }
    Ok(())
}

/// The events of a file or a pipe.
fn input(
    source: impl Read + Send + 'static,
    args: &AppendArgs,
    mut condition: Option<Box<AppendCondition>>,
    max_data: usize,
) -> anyhow::Result<Input<SealedEvent>> {
    let mut defaults = Defaults { stream: args.stream.clone(), expect: args.expect };
    // The later lines of an input whose first one names a version follow each other.
    let follows = matches!(args.expect, Expect::NoStream | Expect::At(_));
    let mut is_first = true;
    let mut sealer = Sealer::new()?;
    let input = Input::start(source, payload::most_input(max_data), move |line| {
        let mut line =
            wire::parse_event_with(line, &defaults).map_err(|error| error.to_string())?;
        defaults.expect = Expect::Any;
        let size = line.event.size();
        // It holds for all of them, or for none.
        if let Some(condition) = condition.take() {
            line.event.condition = Some(joined(line.event.condition.take(), *condition)?);
        }
        let event = sealer.seal(line.event);
        let follows = follows && !std::mem::take(&mut is_first) && !line.expects;
        Ok((if follows { event.following() } else { event }, size))
    });
    Ok(input?)
}

/// What the first line expects, and what the command line does.
fn joined(
    own: Option<Box<AppendCondition>>,
    given: AppendCondition,
) -> Result<Box<AppendCondition>, String> {
    match own {
        None => Ok(Box::new(given)),
        Some(own) if own.none.is_none() => {
            Ok(Box::new(AppendCondition { versions: own.versions, ..given }))
        }
        Some(_) => Err("the line says `none`, as the command line does with --none".into()),
    }
}

/// The thread that stores, and what it has stored.
struct Storing<'s> {
    store: &'s mut Store,
    signals: &'s Signals,
    acknowledger: Option<Acknowledger>,
    stored: u64,
    duplicates: u64,
    /// The last line that is stored, and the position of its event.
    last: Option<(u64, Position)>,
    progress: ProgressBar,
}

impl Storing<'_> {
    /// Commits what has arrived, again and again.
    fn each(&mut self, input: &Input<SealedEvent>) -> anyhow::Result<()> {
        let mut before = None;
        loop {
            let Arrived { items: events, lines, end, .. } = input.take();
            if !events.is_empty() {
                let AppendedEach { appended, stopped, .. } = self
                    .signals
                    .hold(|| self.store.append_sealed_each(&events, before))
                    .map_err(|error| self.stopped_at(lines.first().copied(), error))?;
                before = appended.last().map(|one| one.version);
                self.acknowledge(events, appended, &lines)?;
                if let Some(stopped) = stopped {
                    let line = lines.get(stopped.index).copied();
                    return Err(self.stopped_at(line, stopped.error.into()));
                }
                self.signals.check()?;
            }
            match end {
                None => {}
                Some(Ok(())) => return Ok(()),
                Some(Err(bad)) => return Err(self.bad_input(&bad)),
            }
        }
    }

    /// Waits for the end of the input and commits all of it, or nothing.
    fn all(&mut self, input: &Input<SealedEvent>) -> anyhow::Result<()> {
        let Arrived { items: events, lines, end, .. } = input.take_all();
        if let Some(Err(bad)) = end {
            return Err(self.bad_input(&bad));
        }
        if events.is_empty() {
            return Ok(());
        }
        let AppendedEach { appended, stopped, .. } = self
            .signals
            .hold(|| self.store.append_sealed(&events))
            .map_err(|error| self.stopped_at(None, error))?;
        if let Some(stopped) = stopped {
            let line = lines.get(stopped.index).copied();
            let error = match stopped.error {
                Error::SameId { id, first, second } => {
                    let line = |event: usize| lines[event - 1];
                    let lines = (line(first), line(second));
                    invalid(format!("lines {} and {} have the same id, `{id}`", lines.0, lines.1))
                }
                error => error.into(),
            };
            return Err(self.stopped_at(line, error));
        }
        self.acknowledge(events, appended, &lines)?;
        Ok(self.signals.check()?)
    }

    /// Counts and acknowledges events that have been committed.
    fn acknowledge(
        &mut self,
        mut events: Vec<SealedEvent>,
        appended: Vec<Appended>,
        lines: &[u64],
    ) -> anyhow::Result<()> {
        let last = lines.iter().zip(&appended).next_back().map(|(line, one)| (*line, one.position));
        self.last = last.or(self.last);
        let duplicates = appended.iter().filter(|one| one.duplicate).count() as u64;
        self.duplicates += duplicates;
        self.stored += appended.len() as u64 - duplicates;
        self.progress.set_position(self.stored + self.duplicates);
        events.truncate(appended.len());
        match &mut self.acknowledger {
            Some(acknowledger) => acknowledger.send(events, appended),
            None => Ok(()),
        }
    }

    /// What is stored by now.
    fn so_far(&self) -> String {
        let duplicates = match self.duplicates {
            0 => String::new(),
            duplicates => format!(", {duplicates} were there already"),
        };
        match self.stored {
            1 => format!("1 event is stored{duplicates}"),
            stored => format!("{stored} events are stored{duplicates}"),
        }
    }

    /// That acknowledgements failed, and what is stored all the same.
    fn unacknowledged(&self, error: anyhow::Error) -> anyhow::Error {
        // Who closed the output does not ask.
        if is_closed_output(&error) {
            return error;
        }
        let last = self.last.map_or_else(String::new, |(line, position)| {
            format!(", up to line {line}, at position {position}")
        });
        error.context(format!("not acknowledged: {}{last}", self.so_far()))
    }

    fn stopped_at(&self, line: Option<u64>, error: anyhow::Error) -> anyhow::Error {
        let place = line.map_or_else(String::new, |line| format!(" at line {line}"));
        error.context(format!("stopped{place}: {}", self.so_far()))
    }

    fn bad_input(&self, bad: &BadInput) -> anyhow::Error {
        self.stopped_at(bad.line, bad.to_error())
    }
}
