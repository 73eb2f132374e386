//! `ream export`: what a store holds as lines that `ream import` takes.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use ream::wire::CriteriaParts;
use ream::{
    Error, Mark, Pattern, Position, Query, State, StateEntry, Store, Stream, StreamName,
    Subscription, Timestamp, Version, wire,
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
/// subscriptions. The last line says how many of each there are, so that `import` can detect an incomplete export. Rows
/// of projections are not exported: they are made again from events. With patterns, only events, states and
/// protections of these streams are written. A file is readable by its owner only.
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

/// How many bytes of states are written together.
const BUFFERED: usize = 64 * 1024;

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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<Box<RawValue>>,
    checkpoint: u64,
}

/// A protected stream, as a line.
#[derive(Serialize)]
struct ProtectedJson<'s> {
    protected: &'s str,
}

/// The last line, and what is printed of an export into a file.
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
            done: Position(0),
            line: Vec::new(),
        };
        let done = signals.hold(|| export.write(&mut sink, |done| bar.set_position(done)));
        bar.finish_and_clear();
        done?;
        let counts = export.counts;
        if let (Sink::File(file), Some(path)) = (sink, &self.out) {
            let bytes = file.put_in_place(path)?;
            report(global, path, bytes, &counts)?;
        }
        Ok(())
    }
}

/// Prints what was written into a file.
fn report(global: &Global, path: &Path, bytes: u64, counts: &Counts) -> anyhow::Result<()> {
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
    /// The position up to which the events are written.
    done: Position,
    /// Lines that were not written yet.
    line: Vec<u8>,
}

impl Export<'_> {
    fn write(&mut self, sink: &mut Sink, passed: impl Fn(u64)) -> anyhow::Result<()> {
        // What hangs on events is looked at first: so they are among those that follow.
        let whole = self.patterns.is_empty();
        let subscriptions = if whole { self.store.subscriptions()? } else { Vec::new() };
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
        self.events(status.head, sink, &passed)?;
        self.states(sink, &passed)?;
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

    /// What there is of each stream that is exported, once: of those of a pattern, `page` gives what is behind a name.
    fn each<T>(
        &mut self,
        page: impl Fn(&Store, &Pattern, Option<&str>) -> Result<Vec<T>, Error>,
        name: impl Fn(&T) -> &StreamName,
        mut write: impl FnMut(&mut Self, &T) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let chosen = self.chosen();
        for (index, pattern) in chosen.iter().enumerate() {
            let mut last: Option<T> = None;
            loop {
                let after = last.as_ref().map(|last| name(last).as_str());
                let found = page(self.store, pattern, after)?;
                for one in &found {
                    if !chosen[..index].iter().any(|before| before.matches(name(one).as_str())) {
                        write(self, one)?;
                    }
                }
                if found.len() < PAGE {
                    break;
                }
                last = found.into_iter().next_back();
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
            let CriteriaParts { from, types, tags, query } = CriteriaParts::of(&follows.criteria);
            self.json(&SubscriptionJson {
                subscription: follows.name.as_str(),
                from,
                types,
                tags,
                query,
                checkpoint: checkpoint.position.0,
            })?;
            self.counts.subscriptions += 1;
        }
        Ok(())
    }

    /// Writes the events behind those that are written, up to a position.
    fn events(
        &mut self,
        until: Position,
        sink: &mut Sink,
        passed: &impl Fn(u64),
    ) -> anyhow::Result<()> {
        if until <= self.done {
            return Ok(());
        }
        let mut query = Query::of(self.patterns.to_vec());
        query.after = Some(Mark::Position(self.done));
        query.until = Some(Mark::Position(until));
        let mut reader = self.store.read(&query)?;
        loop {
            let batch = reader.next_batch(|event| wire::write_event(&mut self.line, event))?;
            self.counts.events += batch.events as u64;
            sink.write(&mut self.line)?;
            passed(batch.position.0);
            if batch.caught_up {
                self.done = until;
                return Ok(());
            }
        }
    }

    /// Writes the states. One that reflects an event that was stored since then goes behind that event.
    fn states(&mut self, sink: &mut Sink, passed: &impl Fn(u64)) -> anyhow::Result<()> {
        self.each(
            |store, pattern, after| store.states(pattern, after, PAGE),
            |entry: &StateEntry| &entry.stream,
            |export, entry| {
                let state = match export.store.state(entry.stream.as_str()) {
                    Err(Error::StateNotFound { .. }) => return Ok(()),
                    state => state?,
                };
                if state.position > export.done {
                    export.events(export.store.head()?, sink, passed)?;
                }
                let removed = export.removed_before(&state)?;
                export.state(&state, removed);
                if export.line.len() < BUFFERED { Ok(()) } else { sink.write(&mut export.line) }
            },
        )
    }

    /// The version up to which events of a state's stream were removed, and the hash of their ids; nothing where none
    /// were.
    fn removed_before(&self, state: &State) -> Result<Option<(Version, String)>, Error> {
        if state.stream_version == Version(0) {
            return Ok(None);
        }
        let name = state.stream.as_str();
        let removed = match self.store.stream(name) {
            Err(Error::StreamNotFound { .. }) => state.stream_version,
            stream => stream?.removed,
        };
        if removed == Version(0) {
            return Ok(None);
        }
        Ok(self.store.hash_of_ids(name, removed)?.map(|ids| (removed, ids)))
    }

    fn state(&mut self, state: &State, removed: Option<(Version, String)>) {
        self.line.extend_from_slice(b"{\"stream\":");
        wire::write_string(&mut self.line, state.stream.as_str());
        self.line.extend_from_slice(b",\"version\":");
        wire::write_number(&mut self.line, state.version.0);
        if let Some((removed, ids)) = removed {
            self.line.extend_from_slice(b",\"removed\":");
            wire::write_number(&mut self.line, removed.0);
            self.line.extend_from_slice(b",\"removed_ids\":");
            wire::write_string(&mut self.line, &ids);
        }
        wire::write_payload(&mut self.line, "state", state.data.borrow());
        self.line.extend_from_slice(b"}\n");
        self.counts.states += 1;
    }

    fn protections(&mut self) -> anyhow::Result<()> {
        self.each(
            |store, pattern, after| store.streams(pattern, after, PAGE),
            |stream: &Stream| &stream.name,
            |export, stream| {
                if stream.protected {
                    export.json(&ProtectedJson { protected: stream.name.as_str() })?;
                    export.counts.protected += 1;
                }
                Ok(())
            },
        )
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
                "{} is not a regular file; leave out --out to write to standard output",
                path.display()
            );
            return Err(Refused::Usage(message).into());
        }
        // Nor is a file of a store replaced.
        Store::check_outside(path).map_err(|error| Refused::Usage(error.to_string()))?;
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let partial = path.with_file_name(name);
        let failed = || format!("can't write to {}", partial.display());
        let mut options = OpenOptions::new();
        // What another one left that was killed is written over.
        options.write(true).create(true).truncate(false);
        ream::platform::private(&mut options);
        let file = options.open(&partial).with_context(failed)?;
        if file.try_lock().is_err() {
            let message = format!("another export writes to {}", partial.display());
            return Err(anyhow::anyhow!(message));
        }
        file.set_len(0).with_context(failed)?;
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
        let failed = || format!("can't write to {}", path.display());
        self.file.flush().with_context(failed)?;
        self.file.get_ref().sync_all().with_context(failed)?;
        let bytes = self.file.get_ref().metadata().with_context(failed)?.len();
        fs::rename(&self.path, path).with_context(failed)?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        ream::platform::sync_dir(directory.unwrap_or(Path::new("."))).with_context(failed)?;
        Ok(bytes)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // It is there no longer where it was put in its place.
        let _ = fs::remove_file(&self.path);
    }
}
