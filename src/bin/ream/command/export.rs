//! `ream export`: what a store holds as lines that `ream import` takes.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use ream::{
    Error, EventRef, Mark, Pattern, Position, Query, State, Store, StreamName, Subscription,
    Timestamp, Version, wire,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::list::PAGE;
use crate::args::{Format, Global};
use crate::environment::Environment;
use crate::output::{Output, to_line};
use crate::progress;
use crate::refused::Refused;
use crate::signals::Signals;
use crate::units;

/// Write the store's content as lines that `import` reads
///
/// Writes events with their times, ids and metadata, states, protections, and the definitions of projections and
/// subscriptions. The last line says how many of each there are, so that `import` can detect half an export. Rows
/// of projections are not exported: they are made again from events. With patterns, only events, states and
/// protections of these streams are written. Only the owner can read the file.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream export --out monday.jsonl
  ream export 'order-*' | gzip > orders.jsonl.gz
  gunzip < orders.jsonl.gz | ream import --store other -")]
pub(crate) struct ExportArgs {
    /// Streams to export; `*` stands for any characters: 'order-*' [default: all, and definitions]
    #[arg(value_name = "PATTERN", value_parser = unreserved)]
    patterns: Vec<Pattern>,
    /// Write to FILE, replacing it when the export is complete; - for standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// How often it goes on for states that have moved on: those of a stream that is written to all the time may do so
/// for ever, and are left out then.
const ROUNDS: usize = 10;

/// A pattern of streams that can be imported.
fn unreserved(text: &str) -> Result<Pattern, String> {
    match text.parse::<Pattern>() {
        Ok(pattern) if pattern.as_str().starts_with('$') => {
            Err("streams that begin with $ are reserved, and belong to their store".into())
        }
        pattern => pattern.map_err(|error| error.to_string()),
    }
}

/// The first line of an export.
#[derive(Serialize)]
struct HeadJson<'h> {
    ream_export: u32,
    store: &'h str,
    head: u64,
    link: String,
    time: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    patterns: Vec<&'h str>,
}

/// A projection, as a line.
#[derive(Serialize)]
struct ProjectionJson<'p> {
    projection: &'p str,
    definition: &'p RawValue,
}

/// A subscription, as a line.
#[derive(Serialize)]
struct SubscriptionJson<'s> {
    subscription: &'s str,
    from: Vec<&'s str>,
    types: Vec<&'s str>,
    checkpoint: u64,
}

/// A protected stream, as a line.
#[derive(Serialize)]
struct ProtectedJson<'s> {
    protected: &'s str,
}

/// The last line, and what is told of an export into a file.
#[derive(Debug, Default, Serialize)]
struct Counts {
    events: u64,
    states: u64,
    protected: u64,
    projections: u64,
    subscriptions: u64,
}

#[derive(Serialize)]
struct EndJson<'c> {
    end: &'c Counts,
}

#[derive(Serialize)]
struct DoneJson<'d> {
    exported: String,
    bytes: u64,
    #[serde(flatten)]
    counts: &'d Counts,
}

impl ExportArgs {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        let store = global.open(environment, &options)?;
        let output = Output::new(global);
        let mut sink = match &self.out {
            None => Sink::Output(output),
            Some(path) if path == Path::new("-") => Sink::Output(output),
            Some(path) => Sink::file(path)?,
        };
        let bar = match &self.out {
            None => progress::bar(&Global { quiet: true, ..global.clone() }, 0),
            Some(_) => progress::bar(global, store.head()?.0),
        };
        let mut export = Export {
            store: &store,
            patterns: &self.patterns,
            counts: Counts::default(),
            pending: HashMap::new(),
            moved_on: false,
            line: Vec::new(),
            failed: None,
        };
        let done = signals.hold(|| export.write(&mut sink, |done| bar.set_position(done)));
        bar.finish_and_clear();
        done?;
        let counts = export.counts;
        if let (Sink::File(file), Some(path)) = (sink, &self.out) {
            let bytes = file.put_in_place(path)?;
            tell(global, path, bytes, &counts)?;
        }
        Ok(())
    }
}

/// Tells what was written into a file.
fn tell(global: &Global, path: &Path, bytes: u64, counts: &Counts) -> anyhow::Result<()> {
    let output = Output::new(global);
    let shown = match output.format {
        Format::Table if global.quiet => Vec::new(),
        Format::Table => {
            let (events, bytes) = (counts.events, units::bytes(bytes));
            format!("{}: {events} events, {bytes}\n", path.display()).into_bytes()
        }
        _ => {
            let exported = path.to_string_lossy().into_owned();
            [to_line(&DoneJson { exported, bytes, counts })?, b"\n".into()].concat()
        }
    };
    output.done(&shown)
}

/// An export that is being written.
struct Export<'e> {
    store: &'e Store,
    patterns: &'e [Pattern],
    counts: Counts,
    /// The versions that states reflect which were not written yet, by stream.
    pending: HashMap<String, Version>,
    /// Whether a state reflects a later event than it did before.
    moved_on: bool,
    /// Lines that were not written yet.
    line: Vec<u8>,
    /// What failed while events were read.
    failed: Option<Error>,
}

impl Export<'_> {
    fn write(&mut self, sink: &mut Sink, passed: impl Fn(u64)) -> anyhow::Result<()> {
        // What hangs on events is looked at first: so they are among those that follow.
        let whole = self.patterns.is_empty();
        let subscriptions = if whole { self.store.subscriptions()? } else { Vec::new() };
        self.look_for_states()?;
        let status = self.store.status()?;
        self.json(&HeadJson {
            ream_export: 1,
            store: self.store.id(),
            head: status.head.0,
            link: status.link.to_string(),
            time: Timestamp::now().to_string(),
            patterns: self.patterns.iter().map(Pattern::as_str).collect(),
        })?;
        if whole {
            self.definitions(&subscriptions)?;
        }
        let (mut done, mut end) = (Position(0), status.head);
        let mut rounds = 0;
        while done < end {
            done = self.events(done, end, sink, &passed)?;
            rounds += 1;
            if std::mem::take(&mut self.moved_on) && rounds < ROUNDS {
                // What they reflect was stored since then.
                end = self.store.head()?;
            }
        }
        self.states_left(done)?;
        self.protections()?;
        let counts = std::mem::take(&mut self.counts);
        self.json(&EndJson { end: &counts })?;
        self.counts = counts;
        sink.write(&mut self.line)
    }

    fn json(&mut self, line: &impl Serialize) -> anyhow::Result<()> {
        self.line.extend_from_slice(&to_line(line)?);
        self.line.push(b'\n');
        Ok(())
    }

    /// The patterns of what is exported.
    fn chosen(&self) -> Vec<Pattern> {
        if self.patterns.is_empty() { vec![Pattern::all()] } else { self.patterns.to_vec() }
    }

    /// Finds what the states reflect.
    fn look_for_states(&mut self) -> Result<(), Error> {
        for pattern in self.chosen() {
            let mut last: Option<StreamName> = None;
            loop {
                let after = last.as_ref().map(StreamName::as_str);
                let found = self.store.states(&pattern, after, PAGE)?;
                let is_last = found.len() < PAGE;
                last = found.last().map(|state| state.stream.clone());
                let found =
                    found.into_iter().map(|state| (state.stream.to_string(), state.version));
                self.pending.extend(found);
                if is_last {
                    break;
                }
            }
        }
        Ok(())
    }

    fn definitions(&mut self, subscriptions: &[Subscription]) -> anyhow::Result<()> {
        for entry in self.store.projections()? {
            let definition = RawValue::from_string(entry.definition.to_json())?;
            self.json(&ProjectionJson {
                projection: entry.name.as_str(),
                definition: &definition,
            })?;
            self.counts.projections += 1;
        }
        for Subscription { follows, checkpoint, .. } in subscriptions {
            self.json(&SubscriptionJson {
                subscription: follows.name.as_str(),
                from: follows.patterns.iter().map(Pattern::as_str).collect(),
                types: follows.types.iter().map(ream::EventType::as_str).collect(),
                checkpoint: checkpoint.position.0,
            })?;
            self.counts.subscriptions += 1;
        }
        Ok(())
    }

    /// Writes the events behind a position, up to another; up to where.
    fn events(
        &mut self,
        after: Position,
        until: Position,
        sink: &mut Sink,
        passed: impl Fn(u64),
    ) -> anyhow::Result<Position> {
        let mut query = Query::of(self.patterns.to_vec());
        (query.after, query.until) = (Some(Mark::Position(after)), Some(Mark::Position(until)));
        let mut reader = self.store.read(&query)?;
        loop {
            let batch = reader.next_batch(|event| {
                if self.failed.is_none() {
                    self.failed = self.event(event).err();
                }
            })?;
            if let Some(error) = self.failed.take() {
                return Err(error.into());
            }
            sink.write(&mut self.line)?;
            passed(batch.position.0);
            if batch.caught_up {
                return Ok(until);
            }
        }
    }

    /// Writes an event, with the state that reflects it.
    fn event(&mut self, event: &EventRef<'_>) -> Result<(), Error> {
        let version = self.pending.get(event.stream).copied();
        if version.is_some_and(|version| version < event.version) {
            // What it reflects is not there any more, or is nothing.
            self.state_alone(event.stream)?;
        }
        wire::write_event(&mut self.line, event);
        self.counts.events += 1;
        if version == Some(event.version)
            && let Some(state) = self.state(event.stream, event.version)?
        {
            // In the place of the end of the line.
            self.line.truncate(self.line.len() - 2);
            wire::write_payload(&mut self.line, "state", state.data.borrow());
            self.line.extend_from_slice(b"}\n");
        }
        Ok(())
    }

    /// Writes a state that reflects none of the events that are written.
    fn state_alone(&mut self, stream: &str) -> Result<(), Error> {
        let Some(version) = self.pending.get(stream).copied() else { return Ok(()) };
        if let Some(state) = self.state(stream, version)? {
            self.line.extend_from_slice(b"{\"stream\":");
            wire::write_string(&mut self.line, stream);
            wire::write_payload(&mut self.line, "state", state.data.borrow());
            self.line.extend_from_slice(b"}\n");
        }
        Ok(())
    }

    /// The state of a stream, where it still reflects this version; it is written then.
    fn state(&mut self, stream: &str, version: Version) -> Result<Option<State>, Error> {
        let pending = self.pending.remove_entry(stream);
        match self.store.state(stream) {
            Ok(state) if state.version == version => {
                self.counts.states += 1;
                return Ok(Some(state));
            }
            Ok(state) => {
                self.moved_on = true;
                self.pending.extend(pending.map(|(name, _)| (name, state.version)));
            }
            Err(Error::StateNotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    /// Writes the states that reflect no event, or one up to `done` that is not there any more. Of one that reflects
    /// a later event, that is not written either.
    fn states_left(&mut self, done: Position) -> Result<(), Error> {
        let left: Vec<String> = self.pending.keys().cloned().collect();
        for stream in left {
            match self.store.state(&stream) {
                Ok(state) if state.position <= done => self.state_alone(&stream)?,
                Ok(_) | Err(Error::StateNotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn protections(&mut self) -> anyhow::Result<()> {
        for pattern in self.chosen() {
            let mut last: Option<StreamName> = None;
            loop {
                let after = last.as_ref().map(StreamName::as_str);
                let found = self.store.streams(&pattern, after, PAGE)?;
                for stream in found.iter().filter(|stream| stream.protected) {
                    self.json(&ProtectedJson { protected: stream.name.as_str() })?;
                    self.counts.protected += 1;
                }
                if found.len() < PAGE {
                    break;
                }
                last = found.into_iter().next_back().map(|stream| stream.name);
            }
        }
        Ok(())
    }
}

/// Where an export goes.
enum Sink {
    Output(Output),
    File(Partial),
}

/// A file that is not whole yet.
struct Partial {
    file: BufWriter<File>,
    path: PathBuf,
}

impl Sink {
    fn file(path: &Path) -> anyhow::Result<Self> {
        // A device, a pipe or a link would be replaced, and not written to.
        if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
            let message = format!(
                "{} is not a regular file; without --out, it goes to stdout",
                path.display()
            );
            return Err(Refused::Usage(message).into());
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let partial = path.with_file_name(name);
        let told = || format!("can't write to {}", partial.display());
        let mut options = OpenOptions::new();
        // What another one left that was killed is written over.
        options.write(true).create(true).truncate(false);
        ream::platform::private(&mut options);
        let file = options.open(&partial).with_context(told)?;
        if file.try_lock().is_err() {
            let message = format!("another export writes to {}", partial.display());
            return Err(anyhow::anyhow!(message));
        }
        file.set_len(0).with_context(told)?;
        Ok(Self::File(Partial { file: BufWriter::new(file), path: partial }))
    }

    /// Writes lines, and forgets them.
    fn write(&mut self, lines: &mut Vec<u8>) -> anyhow::Result<()> {
        match self {
            Self::Output(output) => output.write(lines)?,
            Self::File(partial) => {
                let written = partial.file.write_all(lines);
                written.with_context(|| format!("can't write to {}", partial.path.display()))?;
            }
        }
        lines.clear();
        Ok(())
    }
}

impl Partial {
    /// Puts it in its place, durably; how many bytes it has.
    fn put_in_place(mut self, path: &Path) -> anyhow::Result<u64> {
        let told = || format!("can't write to {}", path.display());
        self.file.flush().with_context(told)?;
        self.file.get_ref().sync_all().with_context(told)?;
        let bytes = self.file.get_ref().metadata().with_context(told)?.len();
        fs::rename(&self.path, path).with_context(told)?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        ream::platform::sync_dir(directory.unwrap_or(Path::new("."))).with_context(told)?;
        Ok(bytes)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // It is there no longer where it was put in its place.
        let _ = fs::remove_file(&self.path);
    }
}
