//! `ream import`: takes what `ream export` wrote, and events of other systems.

mod lines;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use ream::{
    Appended, Error, Expect, NewState, NewSubscription, Position, ProjectionEntry, SealedEvent,
    Sealer, Store, Version,
};
use serde::Serialize;

use self::lines::{Item, Lines, Place};
use crate::args::{Format, Global};
use crate::environment::Environment;
use crate::input::{self, Input};
use crate::output::{Output, note, to_line, with_causes};
use crate::payload;
use crate::progress;
use crate::refused::invalid;
use crate::signals::Signals;

/// What wrote the input
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    /// `ream export`
    Export,
    /// Anything that writes CloudEvents 1.0, one a line
    Cloudevents,
}

/// Read what `export` wrote
///
/// Stores each event under its id, once, however often the import is run; so one that was interrupted can be run
/// again. Events keep their times, and get positions and versions of this store. A state is stored with the event
/// that it reflects, if its stream holds no other events. A projection's program can run after `ream project allow`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream import monday.jsonl
  gunzip < orders.jsonl.gz | ream import -
  ream import --from cloudevents events.jsonl")]
pub(crate) struct ImportArgs {
    /// The file, or - for standard input
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    /// What wrote the input
    #[arg(long, value_name = "WHAT", default_value = "export", hide_default_value = true)]
    from: From,
}

/// Why a state is not stored with the event that it reflects.
const OTHER_EVENTS: &str = "the stream holds other events than the export";

/// What was taken, as JSON, with its fields in this order.
#[derive(Debug, Default, Serialize)]
struct Taken {
    imported: u64,
    duplicates: u64,
    redacted: u64,
    states: u64,
    states_left_out: u64,
    protected: u64,
    projections: u64,
    subscriptions: u64,
}

impl ImportArgs {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        let mut store = global.open(environment, &options)?;
        let mut lines = Lines::new(self.from == From::Export);
        let longest = payload::most_input(store.max_data_bytes()).saturating_mul(2);
        let source = input::open(&self.file)?;
        let input = Input::start(source, longest, move |line| lines.read(line))?;
        let mut importing = Importing {
            global,
            store: &mut store,
            signals: &signals,
            sealer: Sealer::new()?,
            taken: Taken::default(),
            waiting: Vec::new(),
            protected: Vec::new(),
            subscriptions: BTreeMap::new(),
            last: Position(0),
            ended: self.from != From::Export,
            progress: progress::count(global, "events"),
        };
        let done = importing.all(&input);
        importing.progress.finish_and_clear();
        done?;
        let taken = importing.taken;
        let output = Output::new(global);
        let shown = match output.format {
            Format::Table if global.quiet => Vec::new(),
            Format::Table => {
                let Taken { imported, duplicates, states, .. } = taken;
                format!("{imported} events and {states} states are stored, {duplicates} events were there already\n")
                    .into_bytes()
            }
            _ => [to_line(&taken)?, b"\n".into()].concat(),
        };
        output.done(&shown)
    }
}

/// An import that goes on.
struct Importing<'i> {
    global: &'i Global,
    store: &'i mut Store,
    signals: &'i Signals,
    sealer: Sealer,
    taken: Taken,
    /// Events that are to be stored together, with the line and the place in the exported store of each.
    waiting: Vec<(SealedEvent, u64, Place)>,
    protected: Vec<ream::StreamName>,
    /// Where in the exported store subscriptions stand that were not reached yet; those of each place.
    subscriptions: BTreeMap<u64, Vec<NewSubscription>>,
    /// The last event that was stored or found.
    last: Position,
    /// Whether the line came that is the last.
    ended: bool,
    progress: ProgressBar,
}

impl Importing<'_> {
    fn all(&mut self, input: &Input<Item>) -> anyhow::Result<()> {
        loop {
            let arrived = input.take();
            for (item, line) in arrived.items.into_iter().zip(arrived.lines) {
                self.item(item, line)?;
            }
            self.flush()?;
            self.signals.check()?;
            match arrived.end {
                None => {}
                Some(Ok(())) => break,
                Some(Err(bad)) => return Err(self.stopped_at(bad.line, bad.to_error())),
            }
        }
        if !self.ended {
            let error = "the export is not whole: its last line is missing; what is stored is found again by its id";
            return Err(self.stopped_at(None, invalid(error)));
        }
        self.end()
    }

    fn item(&mut self, item: Item, line: u64) -> anyhow::Result<()> {
        match item {
            Item::Head => {}
            Item::Event(event, place) => {
                self.waiting.push((self.sealer.seal(*event), line, place));
            }
            Item::Redacted(stream) => {
                self.taken.redacted += 1;
                if let Some(stream) = stream {
                    self.left_out(stream.as_str(), "the event that it reflects was redacted");
                }
            }
            Item::State(state) => {
                // Before the events behind it.
                self.flush()?;
                self.state(&state).map_err(|error| self.stopped_at(Some(line), error.into()))?;
            }
            Item::Protected(stream) => self.protected.push(stream),
            Item::Projection(entry) => self.projection(&entry, line)?,
            Item::Subscription(new, place) => {
                self.subscriptions.entry(place.0).or_default().push(new);
            }
            Item::End => self.ended = true,
        }
        Ok(())
    }

    /// Stores the events that wait.
    fn flush(&mut self) -> anyhow::Result<()> {
        let mut waiting = std::mem::take(&mut self.waiting);
        while !waiting.is_empty() {
            let (events, of): (Vec<_>, Vec<_>) =
                waiting.into_iter().map(|(event, line, place)| (event, (line, place))).unzip();
            let done = self.signals.hold(|| self.store.append_sealed_each(&events, None));
            let done = done.map_err(|error| self.stopped_at(of.first().map(|of| of.0), error))?;
            for ((event, appended), (_, place)) in events.iter().zip(&done.appended).zip(&of) {
                self.count(event, appended, *place);
            }
            let mut rest = events.into_iter().zip(of).skip(done.appended.len());
            waiting = Vec::new();
            if let Some(stopped) = done.stopped {
                let Some((event, (line, place))) = rest.next() else { break };
                let is_of_state = event.event().state.is_some();
                let (true, Error::WrongExpectedVersion { .. }) = (is_of_state, &stopped.error)
                else {
                    return Err(self.stopped_at(Some(line), stopped.error.into()));
                };
                // The stream holds something else as well, of which the state knows nothing.
                self.left_out(event.event().stream.as_str(), OTHER_EVENTS);
                let mut event = event.event().clone();
                (event.state, event.expect) = (None, Expect::Any);
                waiting.push((self.sealer.seal(event), line, place));
            }
            waiting.extend(rest.map(|(event, (line, place))| (event, line, place)));
        }
        let so_far = self.taken.imported + self.taken.duplicates;
        self.progress.set_position(so_far);
        Ok(())
    }

    /// Counts an event that is stored, and has subscriptions that stand before it be there.
    fn count(&mut self, event: &SealedEvent, appended: &Appended, place: Place) {
        if let Some(Place(position)) = Some(place).filter(|_| !self.subscriptions.is_empty()) {
            let reached: Vec<u64> =
                self.subscriptions.range(..position).map(|(at, _)| *at).collect();
            for at in reached {
                let new = self.subscriptions.remove(&at).unwrap_or_default();
                self.subscribe(new);
            }
        }
        self.last = self.last.max(appended.position);
        if appended.duplicate {
            self.taken.duplicates += 1;
        } else {
            self.taken.imported += 1;
            self.taken.states += u64::from(event.event().state.is_some());
        }
    }

    /// Makes subscriptions that go on behind the last event that was stored.
    fn subscribe(&mut self, new: Vec<NewSubscription>) {
        for new in new {
            match self.store.subscribe(&new, self.last) {
                Ok(_) => self.taken.subscriptions += 1,
                Err(error) => self.warn(&error),
            }
        }
    }

    /// Stores a state that reflects none of the events.
    fn state(&mut self, state: &NewState) -> Result<(), Error> {
        let mut state = state.clone();
        state.version = Some(Version(0));
        state.expect = Expect::NoStream;
        match self.store.set_state(&state) {
            Ok(_) => self.taken.states += 1,
            Err(Error::WrongExpectedVersion { .. } | Error::StateBehind { .. }) => {
                self.left_out(state.stream.as_str(), "the stream has events or a state already");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn projection(&mut self, entry: &ProjectionEntry, line: u64) -> anyhow::Result<()> {
        match self.store.define_projection(entry) {
            Ok(_) => self.taken.projections += 1,
            Err(error @ (Error::ProjectionExists { .. } | Error::NameTaken { .. })) => {
                self.warn(&error);
            }
            Err(error) => return Err(self.stopped_at(Some(line), error.into())),
        }
        Ok(())
    }

    /// Does what comes behind the events.
    fn end(&mut self) -> anyhow::Result<()> {
        let left = std::mem::take(&mut self.subscriptions);
        for new in left.into_values() {
            self.subscribe(new);
        }
        let protected = std::mem::take(&mut self.protected);
        for stream in protected {
            match self.store.protect(std::slice::from_ref(&stream), true) {
                Ok(()) => self.taken.protected += 1,
                // It had only events that are redacted.
                Err(error @ Error::StreamNotFound { .. }) => self.warn(&error),
                Err(error) => return Err(self.stopped_at(None, error.into())),
            }
        }
        Ok(())
    }

    /// Says that a state was not taken.
    fn left_out(&mut self, stream: &str, why: &str) {
        self.taken.states_left_out += 1;
        let message =
            format!("the state of `{}` is left out: {why}", crate::output::escape(stream));
        note(self.global, "warning:", &message);
    }

    fn warn(&self, error: &Error) {
        note(self.global, "warning:", &format!("left out: {}", with_causes(error)));
    }

    /// Why it stopped, and what is stored.
    fn stopped_at(&self, line: Option<u64>, error: anyhow::Error) -> anyhow::Error {
        let place = line.map_or_else(String::new, |line| format!(" at line {line}"));
        let Taken { imported, duplicates, .. } = self.taken;
        let context = format!(
            "stopped{place}: {imported} events are stored, {duplicates} were there already"
        );
        error.context(context)
    }
}
