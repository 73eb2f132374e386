//! Many events, from a file or a pipe: one thread reads, one stores, one acknowledges.

mod acknowledge;

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use ream::wire::Defaults;
use ream::{Appended, AppendedEach, Batched, Expect, SealedEvent, Sealer, Store, Version};

use self::acknowledge::Acknowledger;
use super::AppendArgs;
use crate::args::{Format, Global};
use crate::input::{Arrived, BadInput, Input, later_expectation};
use crate::output::{Output, warn_of};
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
    let first = Defaults { stream: args.stream.clone(), expect: args.expect };
    let later = Defaults { expect: later_expectation(args.expect), ..first.clone() };
    let input = Input::start(open(file)?, first, later, store.max_data_bytes(), Sealer::new()?);
    let output = Output::new(global);
    let sums_up = output.format == Format::Table;
    let mut storing = Storing {
        store,
        signals,
        acknowledger: (!sums_up).then(|| Acknowledger::start(output)),
        stored: 0,
        duplicates: 0,
        progress: progress(global),
    };
    let done = if args.atomic { storing.all(&input) } else { storing.each(&input) };
    storing.progress.finish_and_clear();
    let told = storing.acknowledger.take().map_or(Ok(()), Acknowledger::finish);
    warn_of(global, storing.store);
    told?;
    done?;
    if sums_up && !global.quiet {
        Output::new(global).write(format!("{}\n", storing.so_far()).as_bytes())?;
    }
    Ok(())
}

fn open(file: &Path) -> anyhow::Result<Box<dyn Read + Send>> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let opened = File::open(file).with_context(|| format!("can't open {}", file.display()))?;
    Ok(Box::new(opened))
}

/// The thread that stores, and what it has stored.
struct Storing<'s> {
    store: &'s mut Store,
    signals: &'s Signals,
    acknowledger: Option<Acknowledger>,
    stored: u64,
    duplicates: u64,
    progress: ProgressBar,
}

impl Storing<'_> {
    /// Commits what has arrived, again and again.
    fn each(&mut self, input: &Input) -> anyhow::Result<()> {
        let mut before = None;
        loop {
            let Arrived { mut events, lines, end, .. } = input.take();
            if !events.is_empty() {
                continue_from(&mut events, before);
                let AppendedEach { appended, stopped, .. } = self
                    .signals
                    .hold(|| self.store.append_sealed(&events, Batched::Each))
                    .map_err(|error| self.stopped_at(lines.first().copied(), error))?;
                before = appended.last().map(|one| one.version);
                self.acknowledge(events, appended)?;
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
    fn all(&mut self, input: &Input) -> anyhow::Result<()> {
        let (mut events, mut lines) = (Vec::new(), Vec::new());
        loop {
            let mut arrived = input.take();
            events.append(&mut arrived.events);
            lines.append(&mut arrived.lines);
            match arrived.end {
                None => {}
                Some(Ok(())) => break,
                Some(Err(bad)) => return Err(self.bad_input(&bad)),
            }
        }
        if events.is_empty() {
            return Ok(());
        }
        let AppendedEach { appended, stopped, .. } = self
            .signals
            .hold(|| self.store.append_sealed(&events, Batched::AllOrNone))
            .map_err(|error| self.stopped_at(None, error))?;
        if let Some(stopped) = stopped {
            let line = lines.get(stopped.index).copied();
            return Err(self.stopped_at(line, stopped.error.into()));
        }
        self.acknowledge(events, appended)?;
        Ok(self.signals.check()?)
    }

    /// Counts and acknowledges events that have been committed.
    fn acknowledge(
        &mut self,
        mut events: Vec<SealedEvent>,
        appended: Vec<Appended>,
    ) -> anyhow::Result<()> {
        let duplicates = appended.iter().filter(|one| one.duplicate).count() as u64;
        self.duplicates += duplicates;
        self.stored += appended.len() as u64 - duplicates;
        self.progress.set_position(self.stored + self.duplicates);
        events.truncate(appended.len());
        match &mut self.acknowledger {
            Some(acknowledger) => acknowledger.send(events, appended, self.store.id()),
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

    fn stopped_at(&self, line: Option<u64>, error: anyhow::Error) -> anyhow::Error {
        let place = line.map_or_else(String::new, |line| format!(" at line {line}"));
        error.context(format!("stopped{place}: {}", self.so_far()))
    }

    fn bad_input(&self, bad: &BadInput) -> anyhow::Error {
        if bad.line == 0 {
            let error = anyhow::anyhow!("can't read the input: {}", bad.reason);
            return self.stopped_at(None, error);
        }
        self.stopped_at(Some(bad.line), invalid(format!("line {}, {}", bad.line, bad.reason)))
    }
}

/// An event that continues the one before it, in a batch of its own, expects its version.
fn continue_from(events: &mut [SealedEvent], before: Option<Version>) {
    if let (Some(first), Some(before)) = (events.first_mut(), before)
        && first.event().expect == Expect::Continues
    {
        first.set_expect(Expect::At(before));
    }
}

/// A count with its rate on a terminal, nothing elsewhere.
fn progress(global: &Global) -> ProgressBar {
    if global.quiet || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} events, {per_sec}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
