//! Many events, from a file or a pipe.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use ream::wire::Defaults;
use ream::{Appended, AppendedEach, Expect, NewEvent, Store, Version};

use super::AppendArgs;
use super::one::acknowledge;
use crate::args::{Format, Global};
use crate::failure::{invalid, is_closed_output};
use crate::input::{Arrived, BadInput, Input, later_expectation};
use crate::output::Output;
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
    let input = Input::start(open(file)?, first, later, store.max_data_bytes());
    let mut acknowledgements = Acknowledgements::new(global, store.id());
    if args.atomic {
        all(&input, store, signals, &mut acknowledgements)?;
    } else {
        each(&input, store, signals, &mut acknowledgements)?;
    }
    acknowledgements.sum_up()
}

fn open(file: &Path) -> anyhow::Result<Box<dyn Read + Send>> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let opened = File::open(file).with_context(|| format!("can't open {}", file.display()))?;
    Ok(Box::new(opened))
}

/// Commits what has arrived, again and again.
fn each(
    input: &Input,
    store: &mut Store,
    signals: &Signals,
    acknowledgements: &mut Acknowledgements,
) -> anyhow::Result<()> {
    let mut before = None;
    loop {
        let Arrived { mut events, lines, end, .. } = input.take();
        if !events.is_empty() {
            continue_from(&mut events, before);
            let AppendedEach { appended, stopped, .. } =
                signals.hold(|| store.append_each(&events)).map_err(|error| {
                    acknowledgements.stopped_at(lines.first().copied(), error.into())
                })?;
            before = appended.last().map(|one| one.version);
            acknowledgements.send(&events, &appended)?;
            if let Some(stopped) = stopped {
                let line = lines.get(stopped.index).copied();
                return Err(acknowledgements.stopped_at(line, stopped.error.into()));
            }
            signals.check()?;
        }
        match end {
            None => {}
            Some(Ok(())) => return Ok(()),
            Some(Err(bad)) => return Err(acknowledgements.bad_input(&bad)),
        }
    }
}

/// An event that continues the one before it, in a batch of its own, expects its version.
fn continue_from(events: &mut [NewEvent], before: Option<Version>) {
    if let (Some(first), Some(before)) = (events.first_mut(), before)
        && first.expect == Expect::Continues
    {
        first.expect = Expect::At(before);
    }
}

/// Waits for the end of the input and commits all of it, or nothing.
fn all(
    input: &Input,
    store: &mut Store,
    signals: &Signals,
    acknowledgements: &mut Acknowledgements,
) -> anyhow::Result<()> {
    let (mut events, mut lines) = (Vec::new(), Vec::new());
    loop {
        let mut arrived = input.take();
        events.append(&mut arrived.events);
        lines.append(&mut arrived.lines);
        match arrived.end {
            None => {}
            Some(Ok(())) => break,
            Some(Err(bad)) => return Err(acknowledgements.bad_input(&bad)),
        }
    }
    if events.is_empty() {
        return Ok(());
    }
    let AppendedEach { appended, stopped, .. } = signals
        .hold(|| store.append_all(&events))
        .map_err(|error| acknowledgements.stopped_at(None, error.into()))?;
    if let Some(stopped) = stopped {
        let line = lines.get(stopped.index).copied();
        return Err(acknowledgements.stopped_at(line, stopped.error.into()));
    }
    acknowledgements.send(&events, &appended)?;
    Ok(signals.check()?)
}

/// Tells what is stored: each event in a pipe, the sum on a terminal.
struct Acknowledgements {
    output: Output,
    store_id: String,
    stored: u64,
    duplicates: u64,
    closed: bool,
    quiet: bool,
    buffer: Vec<u8>,
    progress: ProgressBar,
}

impl Acknowledgements {
    fn new(global: &Global, store_id: &str) -> Self {
        Self {
            output: Output::new(global),
            store_id: store_id.to_owned(),
            stored: 0,
            duplicates: 0,
            closed: false,
            quiet: global.quiet,
            buffer: Vec::new(),
            progress: progress(global),
        }
    }

    /// Acknowledges events that have been committed. Where nobody listens any more, the events
    /// go on being stored: that is what they were sent for.
    fn send(&mut self, events: &[NewEvent], appended: &[Appended]) -> anyhow::Result<()> {
        let duplicates = appended.iter().filter(|one| one.duplicate).count() as u64;
        self.duplicates += duplicates;
        self.stored += appended.len() as u64 - duplicates;
        self.progress.set_position(self.stored + self.duplicates);
        if self.output.format == Format::Table || self.closed {
            return Ok(());
        }
        for (event, one) in events.iter().zip(appended) {
            if self.output.format == Format::Json {
                let mut line = Vec::new();
                acknowledge(&mut line, event, one, &self.store_id);
                line.pop();
                self.output.record(&mut self.buffer, &line);
            } else {
                acknowledge(&mut self.buffer, event, one, &self.store_id);
            }
        }
        let written = self.output.write(&self.buffer);
        self.buffer.clear();
        match written {
            Err(error) if is_closed_output(&error) => {
                self.closed = true;
                Ok(())
            }
            written => written,
        }
    }

    /// What is stored when the input ends at `line`.
    fn so_far(&self) -> String {
        let duplicates = match self.duplicates {
            0 => String::new(),
            duplicates => format!(", {duplicates} were there already"),
        };
        format!("{} stored{duplicates}", events(self.stored))
    }

    fn stopped_at(&self, line: Option<u64>, error: anyhow::Error) -> anyhow::Error {
        self.progress.finish_and_clear();
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

    fn sum_up(&self) -> anyhow::Result<()> {
        self.progress.finish_and_clear();
        if self.output.format == Format::Table && !self.quiet {
            return self.output.write(format!("{}\n", self.so_far()).as_bytes());
        }
        if self.closed { Ok(()) } else { self.output.write(self.output.end()) }
    }
}

fn events(count: u64) -> String {
    if count == 1 { "1 event is".into() } else { format!("{count} events are") }
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
