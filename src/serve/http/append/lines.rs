//! Events that come one on each line. The whole body is taken first, so that a client need not read while it sends;
//! then they are stored in groups, and acknowledged one on each line.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;

use crate::event::{Expect, StreamName, Version};
use crate::serve::http::backend::Backend;
use crate::serve::http::body::{self, LINES, Received};
use crate::serve::http::parameters::Parameters;
use crate::serve::http::problem::Problem;
use crate::serve::http::schemas::{AcknowledgementJson, ProblemJson};
use crate::serve::metrics::Metrics;
use crate::store::{AppendedEach, Error, SealedEvent, Sealer, Store};
use crate::wire::{self, Defaults};

/// How long a body may be, in bytes.
const BODY: usize = 64 << 20;
/// How many events are stored at once.
const EVENTS: usize = 1000;
/// How many bytes of lines.
const BYTES: usize = 4 << 20;

/// Appends events, of any streams.
#[utoipa::path(
    post,
    path = "/events",
    params(("atomic" = Option<bool>, Query, description = "Store all, or none")),
    request_body(content = String, content_type = "application/jsonl", description = "An event on each line"),
    responses(
        (status = 200, description = "An acknowledgement on each line; the last one says how it ended", body = AcknowledgementJson, content_type = "application/jsonl"),
        (status = "default", description = "What went wrong", body = ProblemJson, content_type = "application/problem+json")
    )
)]
pub(in crate::serve::http) async fn append_lines(
    State(backend): State<Arc<Backend>>,
    RawQuery(given): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(given.as_deref(), &["atomic"], None)?;
    if let Some(kind) = body::kind(&headers)?.filter(|kind| !body::is_lines(kind)) {
        return Err(body::unsupported(&kind, LINES));
    }
    append_to(&backend, None, Expect::Any, parameters.is("atomic")?, body).await
}

/// Appends events to one stream, or to those that the lines name.
pub(super) async fn append_to(
    backend: &Arc<Backend>,
    stream: Option<StreamName>,
    expect: Expect,
    atomic: bool,
    body: Body,
) -> Result<Response, Problem> {
    let received = body::receive(body, BODY, &backend.memory).await?;
    let defaults = Defaults { stream, expect };
    let mut importing = Importing::new(received, defaults, Arc::clone(&backend.metrics))?;
    let first = backend.change(move |store| {
        let acknowledged = if atomic { importing.all(store) } else { importing.some(store) }?;
        Ok((importing, acknowledged))
    });
    let (mut importing, Acknowledged { lines, is_last }) = first.await?;
    if is_last {
        return Ok(body::whole(LINES, lines));
    }
    let (pieces, response) = body::pieces(LINES);
    let backend = Arc::clone(backend);
    tokio::spawn(async move {
        let (mut lines, mut is_last) = (lines, is_last);
        loop {
            // Where no one listens any more they are stored all the same: for that they were sent.
            let _ = pieces.send(Ok(lines)).await;
            if is_last {
                return;
            }
            let next = backend.go_on(move |store| {
                let acknowledged = importing.some(store);
                Ok((importing, acknowledged))
            });
            match next.await {
                Ok((same, Ok(next))) => {
                    (importing, lines, is_last) = (same, next.lines, next.is_last);
                }
                Ok((same, Err(problem))) => {
                    (importing, lines, is_last) = (same, Vec::new(), true);
                    importing.stopped(&mut lines, &problem);
                }
                // What became of them is not known: the answer ends before its end.
                Err(_) => return drop(pieces.send(Err(body::Broken)).await),
            }
        }
    });
    Ok(response)
}

/// Acknowledgements, one on each line.
struct Acknowledged {
    lines: Vec<u8>,
    is_last: bool,
}

/// What is being appended.
struct Importing {
    received: Received,
    metrics: Arc<Metrics>,
    defaults: Defaults,
    sealer: Sealer,
    /// Whether the later lines follow the first one, whose version was expected.
    follows: bool,
    is_first: bool,
    /// Where the next line begins, and its number.
    at: usize,
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
    fn new(received: Received, defaults: Defaults, metrics: Arc<Metrics>) -> Result<Self, Problem> {
        let follows = matches!(defaults.expect, Expect::NoStream | Expect::At(_));
        let sealer = Sealer::new()?;
        let (is_first, at, number, before, stored) = (true, 0, 0, None, 0);
        Ok(Self {
            received,
            metrics,
            defaults,
            sealer,
            follows,
            is_first,
            at,
            number,
            before,
            stored,
        })
    }

    /// Reads on: at most so many events and bytes, or one line.
    fn read(&mut self, events: usize, bytes: usize) -> Read {
        let mut read = Read { events: Vec::new(), numbers: Vec::new(), wrong: None };
        let end = self.at.saturating_add(bytes);
        while read.events.len() < events && (self.at < end || read.events.is_empty()) {
            let rest = &self.received.bytes[self.at..];
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
        self.at == self.received.bytes.len()
    }

    /// Stores the next events, each for itself up to the first that is refused.
    fn some(&mut self, store: &mut Store) -> Result<Acknowledged, Problem> {
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
    fn all(&mut self, store: &mut Store) -> Result<Acknowledged, Problem> {
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

    fn acknowledge(
        &mut self,
        lines: &mut Vec<u8>,
        events: &[SealedEvent],
        appended: &[crate::store::Appended],
    ) {
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
    fn stopped(&self, lines: &mut Vec<u8>, problem: &Problem) {
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
