//! What is followed: events to be pushed, how far a subscription is, and what is read for it.

use std::sync::Arc;

use super::answer::{Answer, Line, failure, refusal};
use super::message::{Request, Start};
use crate::event::{DataRef, EventRef, Pattern, Position, StreamName, Version};
use crate::store::{Error, Mark, Query, Store};

/// How many events are read at once for a subscriber that is behind.
const BEHIND: u64 = 64;

/// An event that is to be pushed.
#[derive(Debug)]
pub(super) struct Pushed {
    pub(super) stream: Box<str>,
    pub(super) version: u64,
    pub(super) position: u64,
    event_type: Box<str>,
    is_json: bool,
    data: Box<[u8]>,
    metadata: Option<Box<str>>,
}

impl Pushed {
    pub(super) fn of(event: &EventRef<'_>) -> Self {
        let (is_json, data) = match event.data {
            DataRef::Json(text) => (true, text.as_bytes()),
            DataRef::Bytes(bytes) => (false, bytes),
        };
        Self {
            stream: event.stream.into(),
            version: event.version.0,
            position: event.position.0,
            event_type: event.event_type.into(),
            is_json,
            data: data.into(),
            metadata: event.metadata.map(Into::into),
        }
    }

    /// The event as it is told by 1.0.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let line = Line::new("EVENT").name(&self.stream).number(self.version);
        out.extend_from_slice(&line.number(self.data.len() as u64).payload(&self.data));
    }

    /// The event as it is told by 1.1.
    pub(super) fn write_all(&self, out: &mut Vec<u8>) {
        let line = Line::new("EVENT").name(&self.stream).number(self.version);
        let line = line.number(self.data.len() as u64).words("POSITION").number(self.position);
        let mut line = line.words("TYPE").name(&self.event_type);
        if !self.is_json {
            line = line.words("BYTES");
        }
        if let Some(metadata) = &self.metadata {
            line = line.words("META").number(metadata.len() as u64);
        }
        out.extend_from_slice(&line.payload(&self.data));
        if let Some(metadata) = &self.metadata {
            out.extend_from_slice(metadata.as_bytes());
            out.push(b'\n');
        }
    }
}

/// Events that have been stored.
#[derive(Debug)]
pub(super) struct News {
    pub(super) events: Vec<Pushed>,
    /// All up to here have been told with them.
    pub(super) position: u64,
    /// Whether events were stored that are not among them, while no one followed anything.
    pub(super) skips: bool,
}

/// What has been stored, without what is in it.
#[derive(Debug)]
pub(super) struct Heard {
    /// The streams and the types of the events.
    pub(super) events: Vec<(Box<str>, Box<str>)>,
    /// All up to here are among them, or were heard of before.
    pub(super) position: u64,
    /// Whether others were stored that are not among them, while no one followed anything.
    pub(super) skips: bool,
}

impl Heard {
    pub(super) fn of(news: &News) -> Self {
        let events = news.events.iter();
        let events = events.map(|event| (event.stream.clone(), event.event_type.clone()));
        Self { events: events.collect(), position: news.position, skips: news.skips }
    }
}

/// What a subscription follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Followed {
    /// A stream, from a version on.
    Stream { name: Arc<str>, next: u64 },
    /// What patterns match, from a position on.
    Pass { patterns: Vec<Pattern>, next: u64 },
}

impl Followed {
    /// Whether an event is to be told next, where what came before it has been told.
    pub(super) fn takes(&self, event: &Pushed) -> bool {
        match self {
            Self::Stream { name, next } => **name == *event.stream && event.version >= *next,
            Self::Pass { patterns, next } => {
                event.position >= *next
                    && patterns.iter().any(|pattern| pattern.matches(&event.stream))
            }
        }
    }

    /// That an event has been told.
    pub(super) fn told(&mut self, event: &Pushed) {
        match self {
            Self::Stream { next, .. } => *next = event.version + 1,
            Self::Pass { next, .. } => *next = event.position + 1,
        }
    }
}

/// What was read for a subscriber that is behind.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) events: Vec<Pushed>,
    /// Where the log ended before it was read, if all up to there is in it.
    pub(super) head: Option<u64>,
    /// Up to where all has been looked at.
    pub(super) position: u64,
}

/// Reads the next events of what is followed.
pub(super) fn load(store: &Store, followed: &Followed) -> Result<Loaded, Error> {
    let (patterns, after) = match followed {
        Followed::Stream { name, next } => (
            vec![Pattern::new(&**name).unwrap_or_else(|_| Pattern::all())],
            Mark::Version(Version(next - 1)),
        ),
        Followed::Pass { patterns, next } => (patterns.clone(), Mark::Position(Position(next - 1))),
    };
    let mut query = Query::of(patterns);
    (query.after, query.limit) = (Some(after), Some(BEHIND));
    let head = store.head()?.0;
    let mut reader = match store.read(&query) {
        // Nothing has come yet.
        Err(Error::BeyondHead { .. } | Error::BeyondStream { .. }) => {
            return Ok(Loaded { events: Vec::new(), head: Some(head), position: head });
        }
        reader => reader?,
    };
    let mut events = Vec::new();
    let batch = reader.next_batch(|event| events.push(Pushed::of(event)))?;
    let all = batch.caught_up && (events.len() as u64) < BEHIND;
    Ok(Loaded { events, head: all.then_some(head), position: batch.position.0 })
}

/// Whether a subscription can begin, and where; `standing` is the pass that the connection has.
pub(super) fn subscribe(
    store: &Store,
    request: &Request,
    standing: Option<(Vec<Pattern>, u64)>,
) -> Result<(Answer, Followed), Answer> {
    let Request::Subscribe { stream, start } = request else { return Err(Answer::default()) };
    let refused = |reason: &str| Answer::from(refusal(request, reason));
    let failed = |error: Error| failure(request, 0, &error);
    let line = Line::new("EVENT SUBSCRIBED").name(stream);
    match *start {
        Start::Version(next) => {
            let name = StreamName::new(&**stream).map_err(|error| refused(&error.to_string()))?;
            if name.as_str().starts_with('$') {
                return Err(refused("a reserved stream is not followed"));
            }
            let version = store.version(name.as_str()).map_err(failed)?.0;
            // Others may append in between, so both come from one look.
            let (last, held) = match store.stream(name.as_str()) {
                Ok(stream) => (stream.version.0, stream.events),
                Err(Error::StreamNotFound { .. }) => (version, 0),
                Err(error) => return Err(failed(error)),
            };
            if next == 0 || next > last + 1 {
                return Err(refused(&format!("the stream has ids up to {last}")));
            }
            let line = if last == 0 {
                line.words("EMPTY")
            } else {
                line.number(next.max(last - held + 1)).number(last)
            };
            let followed = Followed::Stream { name: name.as_str().into(), next };
            Ok((line.end().into(), followed))
        }
        Start::Position(next) => {
            let pattern = Pattern::new(&**stream).map_err(|error| refused(&error.to_string()))?;
            let head = store.head().map_err(failed)?.0;
            let (mut patterns, stands) = standing.unwrap_or((Vec::new(), next));
            if next == 0 || next > head + 1 {
                return Err(refused(&format!("the log has positions up to {head}")));
            }
            if next != stands {
                return Err(refused(&format!("the pass of this connection stands at {stands}")));
            }
            patterns.retain(|other| *other != pattern);
            patterns.push(pattern);
            let line = line.words("FROM").number(next);
            Ok((line.end().into(), Followed::Pass { patterns, next }))
        }
    }
}
