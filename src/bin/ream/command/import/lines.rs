//! What the lines of an import say.

use std::borrow::Cow;

use ream::wire::{self, CriteriaParts, Defaults, EventLine};
use ream::{
    Data, Definition, Expect, Json, NewEvent, NewSubscription, Position, ProjectionEntry,
    StreamName, Version,
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Where an event stood in the store that was exported.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) position: Position,
    pub(super) version: Version,
}

/// What a line says.
#[derive(Debug)]
pub(super) enum Item {
    Head,
    /// An event, and where it stood in an export.
    Event(Box<NewEvent>, Option<Origin>),
    /// An event whose data was erased, so that there is nothing to store; nothing of a CloudEvent.
    Redacted(Option<Erased>),
    State(Box<OtherState>),
    Protected(StreamName),
    Projection(Box<ProjectionEntry>),
    /// A subscription, and where it stood.
    Subscription(NewSubscription, Position),
    End,
}

/// An event of an export whose data was erased.
#[derive(Debug)]
pub(super) struct Erased {
    pub(super) stream: StreamName,
    pub(super) version: Version,
    pub(super) id: String,
}

/// A state of the store that was exported.
#[derive(Debug)]
pub(super) struct OtherState {
    pub(super) stream: StreamName,
    /// The version there that it reflects.
    pub(super) version: Version,
    /// The version up to which events of the stream were removed there, and the hash of their ids, where some were.
    pub(super) removed: Option<(Version, String)>,
    pub(super) data: Data,
}

/// Reads lines one after another.
#[derive(Debug)]
pub(super) struct Lines {
    /// Whether they are those of an export; CloudEvents otherwise.
    export: bool,
    began: bool,
    ended: bool,
    /// How many events and states there were.
    events: u64,
    states: u64,
}

/// What other lines than events have.
#[derive(Deserialize)]
struct OtherJson<'l> {
    ream_export: Option<u32>,
    position: Option<u64>,
    version: Option<u64>,
    removed: Option<u64>,
    removed_ids: Option<String>,
    id: Option<String>,
    source: Option<String>,
    #[serde(default)]
    redacted: bool,
    #[serde(borrow)]
    stream: Option<Cow<'l, str>>,
    #[serde(borrow)]
    state: Option<&'l RawValue>,
    state_base64: Option<String>,
    protected: Option<String>,
    projection: Option<String>,
    #[serde(borrow)]
    definition: Option<&'l RawValue>,
    subscription: Option<String>,
    #[serde(default)]
    from: Vec<String>,
    #[serde(default)]
    types: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    query: Option<Box<RawValue>>,
    checkpoint: Option<u64>,
    end: Option<EndJson>,
    #[serde(borrow, rename = "type")]
    event_type: Option<Cow<'l, str>>,
}

/// What the last line says.
#[derive(Deserialize)]
struct EndJson {
    events: u64,
    states: u64,
}

/// The first characters of a line with an event.
const EVENT: &[u8] = b"{\"position\":";

/// Why the first line is not taken.
pub(super) const NOT_AN_EXPORT: &str =
    "this is not an export: its first line does not say that it is one";
/// Why a line is not taken.
const NO_LINE: &str = "this is not a line of an export";

impl Lines {
    pub(super) fn new(export: bool) -> Self {
        Self { export, began: !export, ended: false, events: 0, states: 0 }
    }

    /// What a line says, and how many bytes that takes.
    pub(super) fn read(&mut self, line: &[u8]) -> Result<(Item, usize), String> {
        if self.ended {
            return Err("there is something behind the last line of the export".into());
        }
        let item = if !self.export {
            match wire::parse_cloud_event(line) {
                Ok(event) => Item::Event(Box::new(event), None),
                Err(_) if is_redacted(line) => Item::Redacted(None),
                Err(error) => return Err(error.to_string()),
            }
        } else if self.began && line.starts_with(EVENT) {
            self.event(line)?
        } else {
            self.other(line)?
        };
        Ok((item, line.len()))
    }

    /// Reads an event.
    fn event(&mut self, line: &[u8]) -> Result<Item, String> {
        self.events += 1;
        let parsed = wire::parse_event_with(line, &Defaults::default());
        let EventLine { event, position, version, .. } = match parsed {
            Ok(line) => line,
            Err(error) => return redacted(line)?.ok_or_else(|| error.to_string()),
        };
        if event.state.is_some() || event.expect != Expect::Any {
            return Err(format!("{NO_LINE}: a state has a line of its own there"));
        }
        let (Some(position), Some(version)) = (position, version) else {
            return Err(format!("{NO_LINE}: it has no `position` or no `version`"));
        };
        Ok(Item::Event(Box::new(event), Some(Origin { position, version })))
    }

    fn other(&mut self, line: &[u8]) -> Result<Item, String> {
        let other = other(line)?;
        if !self.began {
            return match other.ream_export {
                Some(1) => {
                    self.began = true;
                    Ok(Item::Head)
                }
                Some(_) => {
                    Err("a later version of ream wrote this export: import it with that version"
                        .into())
                }
                None => Err(NOT_AN_EXPORT.into()),
            };
        }
        if let Some(end) = &other.end {
            return self.end(end);
        }
        if other.position.is_some() && other.event_type.is_some() {
            return self.event(line);
        }
        if let Some(name) = other.protected {
            return Ok(Item::Protected(StreamName::new(name).map_err(in_words)?));
        }
        if let (Some(name), Some(definition)) = (&other.projection, other.definition) {
            let definition = Definition::parse(definition.get()).map_err(in_words)?;
            let name = name.parse().map_err(in_words)?;
            return Ok(Item::Projection(Box::new(ProjectionEntry::new(name, definition))));
        }
        if let (Some(name), Some(checkpoint)) = (&other.subscription, other.checkpoint) {
            let [from, types, tags] = [&other.from, &other.types, &other.tags]
                .map(|texts| texts.iter().map(|text| &**text).collect());
            let criteria = CriteriaParts { from, types, tags, query: other.query }.read()?;
            let new = NewSubscription { name: name.parse().map_err(in_words)?, criteria };
            return Ok(Item::Subscription(new, Position(checkpoint)));
        }
        self.states += 1;
        state(other)
    }

    /// Reads the last line, which says how much came before it.
    fn end(&mut self, end: &EndJson) -> Result<Item, String> {
        for (what, said, found) in
            [("events", end.events, self.events), ("states", end.states, self.states)]
        {
            if said != found {
                return Err(format!(
                    "the export has {said} {what} by its last line, and {found} came before it"
                ));
            }
        }
        self.ended = true;
        Ok(Item::End)
    }
}

/// Reads a state.
fn state(other: OtherJson<'_>) -> Result<Item, String> {
    let data = match (other.state, other.state_base64) {
        (Some(json), None) => Data::Json(Json::parse(json.get()).map_err(in_words)?),
        (None, Some(text)) => Data::Bytes(wire::decode_base64(&text)?),
        _ => return Err(NO_LINE.into()),
    };
    let (Some(stream), Some(version)) = (other.stream, other.version) else {
        return Err(NO_LINE.into());
    };
    let stream = StreamName::new(stream.into_owned()).map_err(in_words)?;
    let removed = other.removed.map(Version).zip(other.removed_ids);
    Ok(Item::State(Box::new(OtherState { stream, version: Version(version), removed, data })))
}

/// Whether a CloudEvent is one that was redacted in a store.
fn is_redacted(line: &[u8]) -> bool {
    let is_ours = |source: &String| source.starts_with("urn:ream:");
    other(line).is_ok_and(|other| other.redacted && other.source.as_ref().is_some_and(is_ours))
}

/// Reads an event that was redacted; nothing where it is another line.
fn redacted(line: &[u8]) -> Result<Option<Item>, String> {
    let Some(other) = other(line).ok().filter(|other| other.redacted) else { return Ok(None) };
    let (Some(stream), Some(version), Some(id)) = (other.stream, other.version, other.id) else {
        return Ok(None);
    };
    let stream = StreamName::new(stream.into_owned()).map_err(in_words)?;
    Ok(Some(Item::Redacted(Some(Erased { stream, version: Version(version), id }))))
}

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn other(line: &[u8]) -> Result<OtherJson<'_>, String> {
    serde_json::from_slice(line).map_err(|error| format!("column {}: {NO_LINE}", error.column()))
}
