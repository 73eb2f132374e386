//! `ream import`: takes what `ream export` wrote, and events of other systems.

mod lines;
mod prefixes;
mod states;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use ream::{
    Appended, Error, NewSubscription, Position, ProjectionEntry, SealedEvent, Sealer, Store,
    StreamName, Version,
};
use serde::Serialize;

use self::lines::{Erased, Item, Lines, NOT_AN_EXPORT, Origin};
use self::prefixes::{Found, Prefixes};
use self::states::WaitingState;
use super::confirm::plural;
use super::log::RECORD;
use crate::args::{Format, Global};
use crate::environment::Environment;
use crate::hint::Hint;
use crate::input::{self, BadInput, Input};
use crate::output::{Output, note, to_line, with_causes};
use crate::payload;
use crate::progress;
use crate::refused::{Refused, invalid};
use crate::signals::Signals;

/// What wrote the input
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    /// `ream export`
    Export,
    /// Anything that writes CloudEvents 1.0, one per line
    Cloudevents,
}

/// Read what `export` wrote
///
/// Stores each event once, by its id, however often the import is run; an import that was interrupted is run again.
/// Events keep their times, and get positions and versions of this store. A state is stored after the events, if its
/// stream begins with the same events that it was made from, if none of them was erased here, and if no later state
/// is here. What is here already stays as it is. The programs of projections can run after `ream project allow`.
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

/// What was taken, as JSON, with its fields in this order.
#[derive(Debug, Default, Serialize)]
struct Taken {
    imported: u64,
    duplicates: u64,
    redacted: u64,
    states: u64,
    /// Those that were there already, and those that a later one is there of.
    states_there: u64,
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
        let acts = store.version(RECORD)?;
        let file = self.file.to_string_lossy();
        let mut importing = Importing {
            global,
            file: &file,
            store: &mut store,
            signals: &signals,
            sealer: Sealer::new()?,
            taken: Taken::default(),
            events: Vec::new(),
            states: Vec::new(),
            prefixes: Prefixes::default(),
            acts,
            protected: Vec::new(),
            subscriptions: BTreeMap::new(),
            last: Position(0),
            ended: self.from != From::Export,
            progress: progress::count(global, "events"),
        };
        let done = importing.all(&input);
        importing.sum_up_left_out();
        importing.progress.finish_and_clear();
        done?;
        let taken = importing.taken;
        let output = Output::new(global);
        let shown = match output.format {
            Format::Table if global.quiet => Vec::new(),
            Format::Table => {
                let events = plural(taken.imported, "event");
                let states = plural(taken.states, "state");
                let there = plural(taken.duplicates, "event");
                format!("stored {events} and {states}; {there} were here already\n").into_bytes()
            }
            _ => [to_line(&taken)?, b"\n".into()].concat(),
        };
        output.done(&shown)
    }
}

/// An import that goes on.
struct Importing<'i> {
    global: &'i Global,
    file: &'i str,
    store: &'i mut Store,
    signals: &'i Signals,
    sealer: Sealer,
    taken: Taken,
    /// Events that are to be stored together, and those that were redacted, in order.
    events: Vec<Waiting>,
    /// States that are to be stored together behind them.
    states: Vec<WaitingState>,
    prefixes: Prefixes,
    /// The version of the stream that records acts, up to which is known what was erased here.
    acts: Version,
    protected: Vec<StreamName>,
    /// Where in the exported store subscriptions stand that were not reached yet; those of each place.
    subscriptions: BTreeMap<Position, Vec<NewSubscription>>,
    /// The last event that was stored or found.
    last: Position,
    /// Whether the line came that is the last.
    ended: bool,
    progress: ProgressBar,
}

/// An event of the input.
enum Waiting {
    /// It is to be stored; its line, and where it stood in an export.
    Event(SealedEvent, u64, Option<Origin>),
    /// There is nothing to be stored of it.
    Erased(Erased),
}

impl Importing<'_> {
    fn all(&mut self, input: &Input<Item>) -> anyhow::Result<()> {
        loop {
            let arrived = input.take();
            for (item, line) in arrived.items.into_iter().zip(arrived.lines) {
                self.item(item, line)?;
            }
            self.flush_events()?;
            self.flush_states()?;
            self.signals.check()?;
            match arrived.end {
                None => {}
                Some(Ok(())) => break,
                Some(Err(bad)) => return Err(self.stopped_at(bad.line, self.refused(&bad))),
            }
        }
        if !self.ended {
            let error = "the export is incomplete: its last line is missing; import a complete one, which stores what is \
                         missing and nothing twice";
            return Err(self.stopped_at(None, invalid(error)));
        }
        self.end()
    }

    fn item(&mut self, item: Item, line: u64) -> anyhow::Result<()> {
        match item {
            Item::Head => {}
            Item::Event(event, origin) => {
                self.flush_states()?;
                self.events.push(Waiting::Event(self.sealer.seal(*event), line, origin));
            }
            Item::Redacted(erased) => {
                self.taken.redacted += 1;
                self.flush_states()?;
                self.events.extend(erased.map(Waiting::Erased));
            }
            Item::State(state) => {
                self.flush_events()?;
                self.states.push(WaitingState::new(*state, line));
            }
            Item::Protected(stream) => self.protected.push(stream),
            Item::Projection(entry) => self.projection(&entry, line)?,
            Item::Subscription(new, position) => {
                self.subscriptions.entry(position).or_default().push(new);
            }
            Item::End => self.ended = true,
        }
        Ok(())
    }

    /// Stores the events that wait.
    fn flush_events(&mut self) -> anyhow::Result<()> {
        let (mut events, mut of) = (Vec::new(), Vec::new());
        for waiting in std::mem::take(&mut self.events) {
            match waiting {
                Waiting::Event(event, line, origin) => {
                    events.push(event);
                    of.push(Ok((line, origin)));
                }
                Waiting::Erased(erased) => of.push(Err(erased)),
            }
        }
        let first = of.iter().find_map(|of| of.as_ref().ok()).map(|(line, _)| *line);
        let done = self.signals.hold(|| self.store.append_sealed_each(&events, None));
        let done = done.map_err(|error| self.stopped_at(first, error))?;
        let mut stored = events.iter().zip(&done.appended);
        for of in of {
            match of {
                Err(erased) => self.pass_erased(&erased)?,
                Ok((line, origin)) => match stored.next() {
                    Some((event, appended)) => self.count(event, appended, origin),
                    None => {
                        let error = done.stopped.map(|stopped| stopped.error.into());
                        let missing = || anyhow::anyhow!("the store answered for too few events");
                        return Err(self.stopped_at(Some(line), error.unwrap_or_else(missing)));
                    }
                },
            }
        }
        self.progress.set_position(self.taken.imported + self.taken.duplicates);
        Ok(())
    }

    /// Goes on behind an event of which there is nothing to store: it may have come here before it was redacted.
    fn pass_erased(&mut self, erased: &Erased) -> Result<(), Error> {
        let Erased { stream, version, id } = erased;
        let found = self.store.event_by_id(id)?.filter(|found| found.stream == *stream);
        let found = found.map(|found| Found { version: found.version, erased: false });
        self.prefixes.pass(stream.as_str(), version.0, found.as_ref());
        Ok(())
    }

    /// Counts an event that is stored, and has subscriptions that stand before it be there.
    fn count(&mut self, event: &SealedEvent, appended: &Appended, origin: Option<Origin>) {
        if let Some(Origin { position, version }) = origin {
            let reached: Vec<Position> =
                self.subscriptions.range(..position).map(|(at, _)| *at).collect();
            for at in reached {
                let new = self.subscriptions.remove(&at).unwrap_or_default();
                self.subscribe(new);
            }
            let erased = appended.removed || appended.redacted;
            let found = Found { version: appended.version, erased };
            self.prefixes.pass(event.event().stream.as_str(), version.0, Some(&found));
        }
        self.last = self.last.max(appended.position);
        if appended.duplicate {
            self.taken.duplicates += 1;
        } else {
            self.taken.imported += 1;
        }
    }

    /// Makes subscriptions that go on behind the last event that was stored.
    fn subscribe(&mut self, new: Vec<NewSubscription>) {
        for new in new {
            match self.subscribe_one(&new) {
                Ok(is_new) => self.taken.subscriptions += u64::from(is_new),
                Err(error) => self.warn(&error),
            }
        }
    }

    /// Makes a subscription, where it is not there; whether it was not.
    fn subscribe_one(&mut self, new: &NewSubscription) -> Result<bool, Error> {
        let found = self.store.subscription(new.name.as_str());
        self.store.subscribe(new, self.last)?;
        Ok(matches!(found, Err(Error::SubscriptionNotFound { .. })))
    }

    fn projection(&mut self, entry: &ProjectionEntry, line: u64) -> anyhow::Result<()> {
        match self.store.define_projection(entry) {
            Ok(is_new) => self.taken.projections += u64::from(is_new),
            Err(error @ (Error::ProjectionExists(_) | Error::NameTaken { .. })) => {
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
        let mut protected = Vec::new();
        for stream in std::mem::take(&mut self.protected) {
            match self.store.stream(stream.as_str()) {
                Ok(found) if found.protected => {}
                Ok(_) => protected.push(stream),
                // It had only events that are redacted, or was removed here.
                Err(error @ Error::StreamNotFound { .. }) => self.warn(&error),
                Err(error) => return Err(self.stopped_at(None, error.into())),
            }
        }
        let done = self.signals.hold(|| self.store.protect(&protected, true));
        done.map_err(|error| self.stopped_at(None, error))?;
        self.taken.protected = protected.len() as u64;
        Ok(())
    }

    fn warn(&self, error: &Error) {
        note(self.global, "warning:", &format!("left out: {}", with_causes(error)));
    }

    /// What is wrong with the input, and what it may be instead.
    fn refused(&self, bad: &BadInput) -> anyhow::Error {
        let error = bad.to_error();
        if bad.reason != NOT_AN_EXPORT {
            return error;
        }
        let events =
            Hint::other("if it holds events, one per line", &["append", "--jsonl"], &[self.file]);
        let hint =
            Hint::again("if it holds CloudEvents").option("--from", "cloudevents").or(events);
        Refused::Invalid { message: error.to_string(), hint: Some(hint) }.into()
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
