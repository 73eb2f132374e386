//! What goes to standard output, and how it looks on a terminal.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::JoinHandle;

use ream::{DataRef, EventRef, platform, wire};
use serde::Serialize;

use crate::args::{Color, Format, Global};
pub(crate) use crate::printable::escape;
use crate::printable::escape_lines;
use crate::refused::Refused;

/// Standard output, in the format that was asked for or that suits who reads it.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) format: Format,
    /// Whether a terminal shows it.
    pub(crate) terminal: bool,
    /// Whether the opening bracket of a JSON array has been written.
    opened: bool,
}

impl Output {
    pub(crate) fn new(global: &Global) -> Self {
        let terminal = io::stdout().is_terminal();
        let suitable = if terminal { Format::Table } else { Format::Jsonl };
        let asked = global.format.or(global.json.then_some(Format::Json));
        Self { format: asked.unwrap_or(suitable), terminal, opened: false }
    }

    /// Writes results, and sends them off; what could fool a terminal is escaped on one.
    pub(crate) fn write(&self, bytes: &[u8]) -> anyhow::Result<()> {
        show(bytes, self.terminal)
    }

    /// Writes what was done. It is done whether or not that can be written, so the error says it then.
    pub(crate) fn done(&self, bytes: &[u8]) -> anyhow::Result<()> {
        self.write(bytes).map_err(|error| {
            // Who closed the output does not ask.
            if is_closed_output(&error) {
                return error;
            }
            error.context(format!("done, but not reported: {}", lines(bytes)))
        })
    }

    /// Writes what was done, or with `dry_run` what would be.
    pub(crate) fn done_or_planned(&self, bytes: &[u8], dry_run: bool) -> anyhow::Result<()> {
        if dry_run { self.write(bytes) } else { self.done(bytes) }
    }

    /// Writes bytes that may be anything, as they are; not to a terminal, which would act on them.
    pub(crate) fn raw(&self, bytes: &[u8]) -> anyhow::Result<()> {
        if self.terminal { Err(Refused::Unprintable(bytes.len()).into()) } else { send(bytes) }
    }

    /// Writes one of several results: JSON without its end of line, or a line for the eye.
    pub(crate) fn record(&mut self, buffer: &mut Vec<u8>, json: &[u8]) {
        match self.format {
            Format::Json => {
                buffer.extend_from_slice(if self.opened { b",\n" } else { b"[\n" });
                self.opened = true;
                buffer.extend_from_slice(json);
            }
            Format::Jsonl | Format::Table | Format::Csv | Format::Cloudevents => {
                buffer.extend_from_slice(json);
                buffer.push(b'\n');
            }
        }
    }

    /// Writes an event of the store with this id in the format.
    pub(crate) fn event(&mut self, buffer: &mut Vec<u8>, event: &EventRef<'_>, store: &str) {
        match self.format {
            Format::Cloudevents => wire::write_cloud_event(buffer, event, store),
            Format::Jsonl | Format::Csv => wire::write_event(buffer, event),
            Format::Json => {
                let mut line = Vec::new();
                wire::write_event(&mut line, event);
                line.pop();
                self.record(buffer, &line);
            }
            Format::Table => buffer.extend_from_slice(readable(event).as_bytes()),
        }
    }

    /// What closes the results.
    pub(crate) fn end(&self) -> &'static [u8] {
        match (self.format, self.opened) {
            (Format::Json, true) => b"\n]\n",
            (Format::Json, false) => b"[]\n",
            _ => b"",
        }
    }
}

/// A result as JSON without its end of line.
pub(crate) fn to_line(result: &impl Serialize) -> anyhow::Result<Vec<u8>> {
    Ok(serde_json::to_vec(result)?)
}

/// Writes results while the next ones are made: on a thread, which starts when there is more than
/// one buffer of them.
#[derive(Debug)]
pub(crate) struct Outlet {
    terminal: bool,
    writing: Option<Writing>,
    /// Why there is no thread.
    unable: Option<io::Error>,
}

/// The thread that writes.
#[derive(Debug)]
struct Writing {
    sender: SyncSender<Vec<u8>>,
    spares: Receiver<Vec<u8>>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Outlet {
    /// One that writes as `output` does.
    pub(crate) fn new(output: &Output) -> Self {
        Self { terminal: output.terminal, writing: None, unable: None }
    }

    /// Writes what is in `buffer`, soon; an empty buffer in return, or nothing where the output
    /// failed, which [`Outlet::finish`] tells.
    pub(crate) fn send(&mut self, buffer: Vec<u8>) -> Option<Vec<u8>> {
        if self.writing.is_none() {
            let started = Writing::start(self.terminal);
            self.writing = started.map_err(|error| self.unable = Some(error)).ok();
        }
        let writing = self.writing.as_ref()?;
        writing.sender.send(buffer).ok()?;
        Some(writing.spares.try_recv().unwrap_or_default())
    }

    /// Writes the last buffer, and waits until everything is written.
    pub(crate) fn finish(self, buffer: Vec<u8>) -> anyhow::Result<()> {
        if let Some(error) = self.unable {
            return Err(error.into());
        }
        let Some(Writing { sender, thread, .. }) = self.writing else {
            return show(&buffer, self.terminal);
        };
        // Where the output failed, the thread's end tells.
        let _ = sender.send(buffer);
        drop(sender);
        thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("can't write")))
    }
}

impl Writing {
    fn start(terminal: bool) -> io::Result<Self> {
        let (sender, filled) = mpsc::sync_channel::<Vec<u8>>(1);
        let (emptied, spares) = mpsc::channel();
        let thread = platform::spawn(move || {
            for mut buffer in filled {
                show(&buffer, terminal)?;
                buffer.clear();
                // Who is done needs no spare buffer.
                let _ = emptied.send(buffer);
            }
            Ok(())
        })?;
        Ok(Self { sender, spares, thread })
    }
}

/// The results as `terminal` may have them, where one shows them.
pub(crate) fn shown(buffer: Vec<u8>, terminal: bool) -> Vec<u8> {
    match terminal.then(|| escape_lines(&buffer)) {
        Some(Cow::Owned(escaped)) => escaped,
        _ => buffer,
    }
}

/// Writes results, and sends them off; what could fool a terminal is escaped on one.
fn show(bytes: &[u8], terminal: bool) -> anyhow::Result<()> {
    if terminal { send(&escape_lines(bytes)) } else { send(bytes) }
}

/// Writes bytes of our own making, in which nothing needs an escape, and sends them off.
pub(crate) fn send(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => ClosedOutput.into(),
        _ => anyhow::Error::new(error).context("can't write to standard output"),
    })
}

/// Lines of results as one, or the last of many.
fn lines(bytes: &[u8]) -> String {
    const MOST: usize = 10;
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().map(|line| line.trim_end_matches(','));
    let lines: Vec<&str> = lines.filter(|line| !["[", "]", ""].contains(line)).collect();
    match &*lines {
        [.., last] if lines.len() > MOST => format!("{} results, the last: {last}", lines.len()),
        lines => lines.join("; "),
    }
}

/// What came of writing results where the exit code says more: that nobody reads them is no failure.
pub(crate) fn unless_closed(written: anyhow::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if is_closed_output(&error) => Ok(()),
        written => written,
    }
}

/// Whether an error only says that nobody reads our output any more.
pub(crate) fn is_closed_output(error: &anyhow::Error) -> bool {
    error.downcast_ref::<ClosedOutput>().is_some()
}

/// Nobody reads our output any more.
#[derive(Debug)]
pub(crate) struct ClosedOutput;

impl fmt::Display for ClosedOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the output is closed")
    }
}

impl std::error::Error for ClosedOutput {}

/// An event as a line for the eye.
fn readable(event: &EventRef<'_>) -> String {
    let time = event.time.to_string();
    // The date and the time of day, without the fraction.
    let time = time.get(..19).unwrap_or(&time).replace('T', " ");
    let data = match event.data {
        _ if event.redacted => "(redacted)".into(),
        DataRef::Json(json) => escape(json),
        DataRef::Bytes(bytes) => format!("({} bytes)", bytes.len()).into(),
    };
    let mut line = format!(
        "{:>6}  {time}  {}@{}  {}  {data}",
        event.position,
        escape(event.stream),
        event.version,
        escape(event.event_type)
    );
    if let Some(metadata) = event.metadata {
        // Writing into a string does not fail.
        let _ = write!(line, "  {}", escape(metadata));
    }
    line.push('\n');
    line
}

/// Lines up columns for the eye.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    if !header.is_empty() {
        table.set_header(header.to_vec());
    }
    for row in rows {
        table.add_row(row.iter().map(|cell| escape(cell).into_owned()));
    }
    let mut lines = String::new();
    for line in table.lines() {
        lines.push_str(line.trim());
        lines.push('\n');
    }
    lines
}

/// How messages look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    color: bool,
}

impl Style {
    pub(crate) fn new(color: Color) -> Self {
        Self {
            color: match color {
                Color::Always => true,
                Color::Never => false,
                // Asks whether it is a terminal, and NO_COLOR, CLICOLOR and the like.
                Color::Auto => {
                    anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
                }
            },
        }
    }

    pub(crate) fn plain() -> Self {
        Self { color: false }
    }

    pub(crate) fn error(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub(crate) fn hint(self, text: &str) -> String {
        self.paint("36", text)
    }

    pub(crate) fn warning(self, text: &str) -> String {
        self.paint("33", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Says something beside the results: on stderr, unless asked to be quiet.
pub(crate) fn note(global: &Global, label: &str, message: &str) {
    if !global.quiet {
        let style = Style::new(global.color);
        // A closed stderr leaves no one to tell.
        let _ = writeln!(io::stderr(), "{} {}", style.warning(label), escape(message));
    }
}

/// Warns of what is wrong though the command was done, and of all that caused it.
pub(crate) fn warn(global: &Global, warning: &ream::Error) {
    note(global, "warning:", &with_causes(warning));
}

/// What is wrong, and all that caused it.
pub(crate) fn with_causes(error: &ream::Error) -> String {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        // Writing into a string does not fail.
        let _ = write!(message, ": {error}");
        cause = error.source();
    }
    message
}
