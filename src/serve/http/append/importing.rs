//! Lines that are being appended: read, stored in groups, and acknowledged.

use std::sync::Arc;

use crate::event::{Expect, Version};
use crate::serve::http::body::Received;
use crate::serve::http::problem::Problem;
use crate::serve::memory::Reserved;
use crate::serve::metrics::Metrics;
use crate::store::{Appended, AppendedEach, Error, SealedEvent, Sealer, Store};
use crate::wire::{self, Defaults};

/// How many events are stored at once.
const EVENTS: usize = 1000;
/// How many bytes of lines.
const BYTES: usize = 4 << 20;

/// Acknowledgements, one on each line.
pub(super) struct Acknowledged {
    pub(super) lines: Vec<u8>,
    pub(super) is_last: bool,
}

/// What is being appended.
pub(super) struct Importing {
    received: Received,
    metrics: Arc<Metrics>,
    defaults: Defaults,
    sealer: Sealer,
    /// Whether the later lines follow the first one, whose version was expected.
    follows: bool,
    is_first: bool,
    /// Where the next line begins, and up to where lines are whole.
    at: usize,
    whole: usize,
    /// Whether no more comes.
    has_ended: bool,
    /// The number of the line before.
    number: u64,
    /// The version of the event before.
    before: Option<Version>,
    stored: u64,
}

/// Events of lines, and their numbers; and why no more were read, where one is wrong.
struct Read {
    events: Vec<SealedEvent>,
    numbers: Vec<u64>,
    wrong: Option<Problem>,
}

impl Importing {
    /// What has come as a whole.
    pub(super) fn new(
        received: Received,
        defaults: Defaults,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Problem> {
        let follows = matches!(defaults.expect, Expect::NoStream | Expect::At(_));
        let sealer = Sealer::new()?;
        let (is_first, at, number, before, stored) = (true, 0, 0, None, 0);
        let (whole, has_ended) = (received.bytes.len(), true);
        Ok(Self {
            received,
            metrics,
            defaults,
            sealer,
            follows,
            is_first,
            at,
            whole,
            has_ended,
            number,
            before,
            stored,
        })
    }

    /// What comes by and by.
    pub(super) fn coming(
        room: Reserved,
        defaults: Defaults,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Problem> {
        let received = Received { bytes: Vec::new(), room, more: Vec::new() };
        Ok(Self { has_ended: false, ..Self::new(received, defaults, metrics)? })
    }

    /// Takes what has come; nothing at the end.
    pub(super) fn feed(&mut self, bytes: Option<&[u8]>) {
        let buffer = &mut self.received.bytes;
        buffer.drain(..self.at);
        (self.whole, self.at) = (self.whole - self.at, 0);
        match bytes {
            Some(bytes) => {
                buffer.extend_from_slice(bytes);
                let ends = bytes.iter().rposition(|byte| *byte == b'\n');
                let before = buffer.len() - bytes.len();
                self.whole = ends.map_or(self.whole, |end| before + end + 1);
            }
            None => (self.whole, self.has_ended) = (buffer.len(), true),
        }
    }

    /// Whether there is something to be stored, or nothing more comes.
    pub(super) fn is_ready(&self) -> bool {
        self.has_ended || self.at < self.whole
    }

    /// How many bytes have come that are not stored.
    pub(super) fn ahead(&self) -> usize {
        self.received.bytes.len() - self.at
    }

    /// The number of the line that comes next.
    pub(super) fn next_line(&self) -> u64 {
        self.number + 1
    }

    /// Reads on: at most so many events and bytes, or one line.
    fn read(&mut self, events: usize, bytes: usize) -> Read {
        let mut read = Read { events: Vec::new(), numbers: Vec::new(), wrong: None };
        let end = self.at.saturating_add(bytes);
        while read.events.len() < events && (self.at < end || read.events.is_empty()) {
            let rest = &self.received.bytes[self.at..self.whole];
            if rest.is_empty() {
                break;
            }
            let length = rest.iter().position(|byte| *byte == b'\n');
            let line = &rest[..length.unwrap_or(rest.len())];
            self.at += length.map_or(rest.len(), |length| length + 1);
            self.number += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            match wire::parse_event_with(line, &self.defaults) {
                Ok(line) => {
                    self.defaults.expect = Expect::Any;
                    let event = self.sealer.seal(line.event);
                    let is_first = std::mem::take(&mut self.is_first);
                    let follows = self.follows && !is_first && !line.expects;
                    read.events.push(if follows { event.following() } else { event });
                    read.numbers.push(self.number);
                }
                Err(error) => {
                    let problem = Problem::invalid(format!("line {}, {error}", self.number));
                    let problem = problem.in_line(self.number);
                    read.wrong = Some(problem.number("column", error.column as u64));
                    break;
                }
            }
        }
        read
    }

    fn is_at_end(&self) -> bool {
        self.has_ended && self.at == self.whole
    }

    /// Stores the next events, each for itself up to the first that is refused.
    pub(super) fn some(&mut self, store: &mut Store) -> Result<Acknowledged, Problem> {
        let Read { events, numbers, wrong } = self.read(EVENTS, BYTES);
        let mut lines = Vec::new();
        let done = store.append_sealed_each(&events, self.before);
        let AppendedEach { appended, stopped, .. } =
            done.map_err(|error| refused(&error, numbers.first()))?;
        self.before = appended.last().map(|one| one.version);
        self.acknowledge(&mut lines, &events, &appended);
        let stopped = stopped.map(|stopped| {
            self.metrics.count_refused(&stopped.error);
            refused(&stopped.error, numbers.get(stopped.index))
        });
        match stopped.or(wrong) {
            Some(problem) if self.stored == 0 => return Err(problem),
            Some(problem) => self.stopped(&mut lines, &problem),
            None if self.is_at_end() => self.done(&mut lines),
            None => return Ok(Acknowledged { lines, is_last: false }),
        }
        Ok(Acknowledged { lines, is_last: true })
    }

    /// Stores all events, or none.
    pub(super) fn all(&mut self, store: &mut Store) -> Result<Acknowledged, Problem> {
        let Read { events, numbers, wrong } = self.read(usize::MAX, usize::MAX);
        if let Some(problem) = wrong {
            return Err(problem);
        }
        let done = store.append_sealed(&events).map_err(|error| refused(&error, None))?;
        if let Some(stopped) = done.stopped {
            self.metrics.count_refused(&stopped.error);
            let line = |event: usize| numbers.get(event.wrapping_sub(1)).copied().unwrap_or(0);
            let error = match stopped.error {
                Error::SameId { id, first, second } => {
                    let (first, second) = (line(first), line(second));
                    let title = format!("lines {first} and {second} have the same id, `{id}`");
                    let problem = Problem::invalid(title).text("id", &id);
                    return Err(problem.number("first", first).number("second", second));
                }
                error => error,
            };
            return Err(refused(&error, numbers.get(stopped.index)));
        }
        let mut lines = Vec::new();
        self.acknowledge(&mut lines, &events, &done.appended);
        self.done(&mut lines);
        Ok(Acknowledged { lines, is_last: true })
    }

    fn acknowledge(&mut self, lines: &mut Vec<u8>, events: &[SealedEvent], appended: &[Appended]) {
        for (event, one) in events.iter().map(SealedEvent::event).zip(appended) {
            one.write(lines, &event.stream, event.id.as_ref());
            lines.push(b'\n');
        }
        self.metrics.count_appended(appended);
        self.stored += appended.len() as u64;
    }

    /// Ends the answer where all is stored.
    fn done(&self, lines: &mut Vec<u8>) {
        lines.extend_from_slice(b"{\"done\":");
        wire::write_number(lines, self.stored);
        lines.extend_from_slice(b"}\n");
    }

    /// Ends the answer where a line was refused, and no later one is stored.
    pub(super) fn stopped(&self, lines: &mut Vec<u8>, problem: &Problem) {
        lines.extend_from_slice(b"{\"error\":");
        problem.write(lines);
        if let Some(line) = problem.line() {
            lines.extend_from_slice(b",\"line\":");
            wire::write_number(lines, line);
        }
        lines.extend_from_slice(b",\"stored\":");
        wire::write_number(lines, self.stored);
        lines.extend_from_slice(b"}\n");
    }
}

/// That the event of a line is refused.
fn refused(error: &Error, line: Option<&u64>) -> Problem {
    let problem = Problem::from(error);
    match line {
        Some(line) => problem.in_line(*line),
        None => problem,
    }
}
