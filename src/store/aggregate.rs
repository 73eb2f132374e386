//! Aggregates: what a decision is made of, what it is, and what came of it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::seal::same_id;
use super::{Appended, Error};
use crate::event::{
    Data, Event, EventId, Json, JsonError, Link, NewEvent, Position, StreamName, Version,
};
use crate::wire;

/// A stream as an aggregator needs it: its state, and the events that the state does not reflect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Aggregate {
    /// The stream.
    pub stream: StreamName,
    /// Its version; 0 where it was never written.
    pub version: Version,
    /// Its state, where one is stored.
    pub state: Option<Data>,
    /// The version that the state reflects; 0 where there is none.
    pub state_version: Version,
    /// The events behind that version, in order.
    pub events: Vec<Event>,
}

/// What an aggregator decided: the events to store, and the state after them.
///
/// It belongs to the [`Aggregate`] that it was made of, and is stored only while the stream is at
/// that version.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// The stream.
    pub stream: StreamName,
    /// The version that the decision was made of.
    pub version: Version,
    /// The events, all of this stream. What they expect is not looked at.
    pub events: Vec<NewEvent>,
    /// The state after the events. Without one, the stored one stays.
    pub state: Option<Data>,
}

/// An event that a decision stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecidedEvent {
    /// Its stream.
    pub stream: StreamName,
    /// Where it stands.
    pub appended: Appended,
    /// The id that it was given, if it was.
    pub id: Option<EventId>,
}

/// What came of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decided {
    /// The stream's version after the decision; 0 where it was made on a boundary.
    pub version: Version,
    /// The events that it stored.
    pub events: Vec<DecidedEvent>,
    /// Whether it was there already, under the same id.
    pub duplicate: bool,
    /// Whether its stream has been removed since.
    pub removed: bool,
}

/// A state or an event is not of the type that an aggregator takes, or can't be stored.
#[derive(Debug, thiserror::Error)]
#[error("{what} does not fit: {reason}")]
pub struct Unfit {
    /// What does not fit.
    pub what: String,
    /// Why.
    pub reason: String,
}

impl Unfit {
    fn new(what: impl Into<String>, reason: &impl ToString) -> Self {
        Self { what: what.into(), reason: reason.to_string() }
    }
}

impl Aggregate {
    /// A stream without state and events.
    #[cfg(test)]
    pub(crate) fn empty(stream: StreamName, version: Version) -> Self {
        Self { stream, version, state: None, state_version: Version(0), events: Vec::new() }
    }

    /// The current state: the stored one, or the type's default, with the later events applied.
    ///
    /// Events are an enum that serde tags with `type` and `data`.
    ///
    /// # Errors
    ///
    /// [`Unfit`] where the state or an event is not of its type.
    pub fn fold<S, E>(&self, apply: impl FnMut(S, E) -> S) -> Result<S, Unfit>
    where
        S: DeserializeOwned + Default,
        E: DeserializeOwned,
    {
        let state = match &self.state {
            None => S::default(),
            Some(data) => {
                let what = || format!("the state of `{}`", self.stream);
                let text = text(data).ok_or_else(|| Unfit::new(what(), &"it is not JSON"))?;
                serde_json::from_str(text).map_err(|error| Unfit::new(what(), &error))?
            }
        };
        folded(state, &self.events, apply)
    }

    /// A decision that accepts the command, and stores nothing yet.
    #[must_use]
    pub fn accept(&self) -> Decision {
        let (stream, version) = (self.stream.clone(), self.version);
        Decision { stream, version, events: Vec::new(), state: None }
    }
}

impl Decision {
    /// The same with one more event: a variant of an enum that serde tags with `type` and `data`.
    ///
    /// # Errors
    ///
    /// [`Unfit`] where it is no such thing.
    pub fn event(mut self, event: &impl Serialize) -> Result<Self, Unfit> {
        self.events.push(new_event(self.stream.clone(), event)?);
        Ok(self)
    }

    /// The same with this state after its events.
    ///
    /// # Errors
    ///
    /// [`Unfit`] where it can't be JSON.
    pub fn state(mut self, state: &impl Serialize) -> Result<Self, Unfit> {
        let what = || format!("the state of `{}`", self.stream);
        let text = serde_json::to_string(state).map_err(|error| Unfit::new(what(), &error))?;
        let json =
            Json::parse(&text).map_err(|JsonError { reason, .. }| Unfit::new(what(), &reason))?;
        self.state = Some(Data::Json(json));
        Ok(self)
    }

    /// Whether there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.state.is_none()
    }

    /// That its events are of its stream, and each has an id of its own.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if let Some(event) = self.events.iter().find(|event| event.stream != self.stream) {
            return Err(Error::OtherStream {
                stream: self.stream.to_string(),
                other: event.stream.to_string(),
            });
        }
        same_id(&self.events).map_or(Ok(()), |stopped| Err(stopped.error))
    }
}

/// A state with events applied to it, each as a type's value.
pub(super) fn folded<S, E: DeserializeOwned>(
    mut state: S,
    events: &[Event],
    mut apply: impl FnMut(S, E) -> S,
) -> Result<S, Unfit> {
    for event in events {
        let Event { event_type, stream, version, .. } = event;
        let what = || format!("the event `{event_type}` at {stream}@{version}");
        let typed = typed(event).map_err(|reason| Unfit::new(what(), &reason))?;
        state = apply(state, typed);
    }
    Ok(state)
}

/// An event of a stream that a value is.
pub(super) fn new_event(stream: StreamName, event: &impl Serialize) -> Result<NewEvent, Unfit> {
    let what = format!("an event for `{stream}`");
    let line = serde_json::to_string(event).map_err(|error| Unfit::new(&what, &error))?;
    let defaults = wire::Defaults { stream: Some(stream), ..Default::default() };
    let line = wire::parse_event_with(line.as_bytes(), &defaults);
    Ok(line.map_err(|error| Unfit::new(what, &error.reason))?.event)
}

fn text(data: &Data) -> Option<&str> {
    match data {
        Data::Json(json) => Some(json.as_str()),
        Data::Bytes(_) => None,
    }
}

/// An event as a type's value.
fn typed<E: DeserializeOwned>(event: &Event) -> Result<E, String> {
    let data = text(&event.data).ok_or("its data are not JSON")?;
    let mut line = b"{\"type\":".to_vec();
    wire::write_string(&mut line, event.event_type.as_str());
    let bare = line.len();
    line.extend_from_slice(b",\"data\":");
    line.extend_from_slice(data.as_bytes());
    line.push(b'}');
    serde_json::from_slice(&line).or_else(|error| {
        // A variant without fields has no data, and was stored with `{}`.
        if data == "{}" {
            line.truncate(bare);
            line.push(b'}');
            if let Ok(event) = serde_json::from_slice(&line) {
                return Ok(event);
            }
        }
        Err(error.to_string())
    })
}

impl DecidedEvent {
    /// An event of a decision that is found again.
    pub(crate) fn found(
        stream: StreamName,
        (position, version): (Position, Version),
        link: Link,
        id: Option<EventId>,
    ) -> Self {
        let (duplicate, removed, redacted) = (true, false, false);
        let appended = Appended { position, version, link, duplicate, removed, redacted };
        Self { stream, appended, id }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::event::{EventType, Timestamp};

    #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type", content = "data")]
    enum Happened {
        Opened,
        Deposited { amount: u64 },
    }

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Account {
        open: bool,
        balance: u64,
    }

    fn apply(mut account: Account, event: Happened) -> Account {
        match event {
            Happened::Opened => account.open = true,
            Happened::Deposited { amount } => account.balance += amount,
        }
        account
    }

    fn event(version: u64, event_type: &str, data: &str) -> Event {
        Event {
            position: Position(version),
            stream: StreamName::stored("account-1"),
            version: Version(version),
            id: format!("x/{version}"),
            event_type: EventType::stored(event_type),
            time: Timestamp::MIN,
            recorded: Timestamp::MIN,
            tags: crate::event::Tags::default(),
            data: Data::Json(Json::stored(data)),
            metadata: None,
            redacted: false,
            link: Link::genesis("x"),
        }
    }

    fn aggregate(state: Option<&str>, events: Vec<Event>) -> Aggregate {
        Aggregate {
            stream: StreamName::stored("account-1"),
            version: Version(2),
            state: state.map(|text| Data::Json(Json::stored(text))),
            state_version: Version(0),
            events,
        }
    }

    #[test]
    fn events_are_folded_onto_the_state() {
        let events = vec![event(1, "Opened", "{}"), event(2, "Deposited", r#"{"amount":5}"#)];
        let fresh = aggregate(None, events).fold(apply).unwrap();
        assert_eq!(fresh, Account { open: true, balance: 5 });
        let stored = aggregate(Some(r#"{"open":true,"balance":7}"#), vec![]).fold(apply).unwrap();
        assert_eq!(stored, Account { open: true, balance: 7 });
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let fold = |state, events| aggregate(state, events).fold(apply).unwrap_err().to_string();
        let told = fold(None, vec![event(1, "Closed", "{}")]);
        assert!(
            told.starts_with(
                "the event `Closed` at account-1@1 does not fit: unknown variant `Closed`"
            ),
            "{told}"
        );
        let told = fold(Some("7"), vec![]);
        assert!(told.starts_with("the state of `account-1` does not fit: invalid type"), "{told}");
    }

    #[test]
    fn a_decision_holds_what_it_is_given() {
        let decision = aggregate(None, vec![]).accept();
        assert!(decision.is_empty());
        let decision = decision.event(&Happened::Deposited { amount: 5 }).unwrap();
        let decision = decision.event(&Happened::Opened).unwrap();
        let decision = decision.state(&Account { open: true, balance: 5 }).unwrap();
        let events: Vec<_> = decision
            .events
            .iter()
            .map(|event| (event.event_type.as_str(), text(&event.data).unwrap()))
            .collect();
        assert_eq!(events, [("Deposited", r#"{"amount":5}"#), ("Opened", "{}")]);
        assert_eq!(decision.state.as_ref().and_then(text), Some(r#"{"open":true,"balance":5}"#));
        let told = decision.event(&7).unwrap_err().to_string();
        assert!(told.starts_with("an event for `account-1` does not fit: "), "{told}");
    }
}
