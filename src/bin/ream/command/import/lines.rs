//! What the lines of an import say.

use std::borrow::Cow;
use std::collections::HashMap;

use ream::wire::{self, Defaults};
use ream::{
    Data, Definition, EventType, Expect, Json, NewEvent, NewState, NewSubscription, Pattern,
    ProjectionEntry, StreamName, Version,
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A position in the store that was exported.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(pub(super) u64);

/// What a line says.
#[derive(Debug)]
pub(super) enum Item {
    Head,
    Event(Box<NewEvent>, Place),
    /// An event of which the data was erased: there is nothing to store. The stream, where its state is on the line.
    Redacted(Option<StreamName>),
    State(NewState),
    Protected(StreamName),
    Projection(Box<ProjectionEntry>),
    Subscription(NewSubscription, Place),
    End,
}

/// Reads lines one after another.
#[derive(Debug)]
pub(super) struct Lines {
    /// Whether they are those of an export; CloudEvents otherwise.
    export: bool,
    began: bool,
    ended: bool,
    /// How many events of a stream there were.
    events: HashMap<StreamName, u64>,
    /// How many events there were in all.
    count: u64,
}

/// What other lines than events have.
#[derive(Deserialize)]
struct OtherJson<'l> {
    ream_export: Option<u32>,
    position: Option<u64>,
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
    checkpoint: Option<u64>,
    end: Option<EndJson>,
    #[serde(borrow, rename = "type")]
    event_type: Option<Cow<'l, str>>,
}

/// What the last line says.
#[derive(Deserialize)]
struct EndJson {
    events: u64,
}

/// The first characters of a line with an event.
const EVENT: &[u8] = b"{\"position\":";

impl Lines {
    pub(super) fn new(export: bool) -> Self {
        Self { export, began: !export, ended: false, events: HashMap::new(), count: 0 }
    }

    /// What a line says, and how many bytes that takes.
    pub(super) fn read(&mut self, line: &[u8]) -> Result<(Item, usize), String> {
        if self.ended {
            return Err("there is something behind the last line of the export".into());
        }
        let item = if !self.export {
            match wire::parse_cloud_event(line) {
                Ok(event) => Item::Event(Box::new(event), Place(0)),
                Err(_) if other(line).is_ok_and(|other| other.redacted) => Item::Redacted(None),
                Err(error) => return Err(error.to_string()),
            }
        } else if self.began && line.starts_with(EVENT) {
            self.event(line)?
        } else {
            self.other(line)?
        };
        Ok((item, line.len()))
    }

    fn event(&mut self, line: &[u8]) -> Result<Item, String> {
        let digits = &line[EVENT.len()..];
        let length = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
        let place = std::str::from_utf8(&digits[..length]).ok().and_then(|text| text.parse().ok());
        match place {
            Some(place) => self.event_at(line, Place(place)),
            None => self.other(line),
        }
    }

    /// Reads an event that stood at this place.
    fn event_at(&mut self, line: &[u8], place: Place) -> Result<Item, String> {
        self.count += 1;
        let parsed = wire::parse_event_with(line, &Defaults::default());
        let mut event = match parsed {
            Ok(line) => line.event,
            Err(error) => {
                let other = other(line).ok().filter(|other| other.redacted);
                let other = other.ok_or_else(|| error.to_string())?;
                let has_state = other.state.is_some() || other.state_base64.is_some();
                let stream = other.stream.filter(|_| has_state);
                let stream = stream.map(|name| StreamName::new(name.into_owned())).transpose();
                return Ok(Item::Redacted(stream.map_err(|error| error.to_string())?));
            }
        };
        let events = self.events.entry(event.stream.clone()).or_default();
        if event.state.is_some() {
            event.expect =
                if *events == 0 { Expect::NoStream } else { Expect::At(Version(*events)) };
        }
        *events += 1;
        Ok(Item::Event(Box::new(event), place))
    }

    fn other(&mut self, line: &[u8]) -> Result<Item, String> {
        let other = other(line)?;
        if !self.began {
            return match other.ream_export {
                Some(1) => {
                    self.began = true;
                    Ok(Item::Head)
                }
                Some(_) => Err("a later ream wrote this export".into()),
                None => Err("this is no export: its first line does not say that it is one".into()),
            };
        }
        let told = |error: &dyn std::fmt::Display| error.to_string();
        if let Some(end) = other.end {
            if end.events != self.count {
                return Err(format!(
                    "the export has {} events by its last line, and {} came before it",
                    end.events, self.count
                ));
            }
            self.ended = true;
            return Ok(Item::End);
        }
        if let (Some(position), Some(_)) = (other.position, other.event_type) {
            return self.event_at(line, Place(position));
        }
        if let Some(name) = other.protected {
            return Ok(Item::Protected(StreamName::new(name).map_err(|error| told(&error))?));
        }
        if let (Some(name), Some(definition)) = (other.projection, other.definition) {
            let definition = Definition::parse(definition.get()).map_err(|error| told(&error))?;
            let name = name.parse().map_err(|error| told(&error))?;
            return Ok(Item::Projection(Box::new(ProjectionEntry::new(name, definition))));
        }
        if let (Some(name), Some(checkpoint)) = (other.subscription, other.checkpoint) {
            let patterns = other.from.into_iter().map(Pattern::new).collect::<Result<_, _>>();
            let types = other.types.into_iter().map(EventType::new).collect::<Result<_, _>>();
            let new = NewSubscription {
                name: name.parse().map_err(|error| told(&error))?,
                patterns: patterns.map_err(|error| told(&error))?,
                types: types.map_err(|error| told(&error))?,
            };
            return Ok(Item::Subscription(new, Place(checkpoint)));
        }
        let data = match (other.state, other.state_base64) {
            (Some(json), None) => {
                Data::Json(Json::parse(json.get()).map_err(|error| told(&error))?)
            }
            (None, Some(text)) => Data::Bytes(wire::decode_base64(&text)?),
            _ => return Err("the line is none of an export".into()),
        };
        let stream = other.stream.filter(|_| other.position.is_none());
        let stream = stream.ok_or("the line is none of an export")?;
        let stream = StreamName::new(stream.into_owned()).map_err(|error| told(&error))?;
        Ok(Item::State(NewState::new(stream, data)))
    }
}

fn other(line: &[u8]) -> Result<OtherJson<'_>, String> {
    serde_json::from_slice(line)
        .map_err(|error| format!("column {}: no line of an export", error.column()))
}
