//! Acts on the store itself, and the event that records each. What runs often is none: no append, state, decision,
//! checkpoint or failure.

use super::names::{Kind, Name};
use crate::event::{Data, EventType, Json, NewEvent, Position, StreamName, Version};
use crate::store::{Actor, Redacted, Removed, Retention, Truncated};
use crate::wire;

/// The reserved stream that records acts.
pub(crate) const RECORD: &str = "$ream";

/// What was done to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    StreamRemoved {
        stream: StreamName,
        version: Version,
        events: u64,
    },
    StreamTruncated {
        stream: StreamName,
        version: Version,
        removed: Version,
        events: u64,
    },
    RetentionSet {
        pattern: String,
        retention: Retention,
    },
    StateRemoved {
        stream: StreamName,
    },
    EventRedacted {
        stream: StreamName,
        version: Version,
        position: Position,
        reason: String,
        tags: bool,
    },
    StreamProtected {
        stream: StreamName,
    },
    StreamUnprotected {
        stream: StreamName,
    },
    ProjectionCreated {
        name: String,
        generation: u64,
    },
    ProjectionChanged {
        name: String,
        generation: u64,
    },
    ProjectionAllowed {
        name: String,
        generation: u64,
    },
    ProjectionSwitched {
        name: String,
        generation: u64,
    },
    ProjectionDropped {
        name: String,
        generation: u64,
    },
    SubscriptionCreated {
        name: String,
        position: Position,
    },
    SubscriptionMoved {
        name: String,
        from: Position,
        to: Position,
    },
    SubscriptionRemoved {
        name: String,
        position: Position,
    },
    StoreRestored {
        store: String,
        position: Position,
        dropped: u64,
    },
}

impl Act {
    /// The removal of what a stream holds: of its state alone where it has no event.
    pub(crate) fn removal(removed: &Removed) -> Self {
        let Removed { stream, version, events, .. } = removed;
        let (stream, version, events) = (stream.clone(), *version, *events);
        match events {
            0 => Self::StateRemoved { stream },
            _ => Self::StreamRemoved { stream, version, events },
        }
    }

    /// The removal of a stream's first events.
    pub(crate) fn truncation(truncated: &Truncated) -> Self {
        let Truncated { stream, version, removed, events, .. } = truncated;
        let (version, removed, events) = (*version, *removed, *events);
        Self::StreamTruncated { stream: stream.clone(), version, removed, events }
    }

    /// The redaction of an event, with its reason.
    pub(crate) fn redaction(redacted: &Redacted, reason: &str) -> Self {
        let Redacted { stream, version, position, tags, .. } = redacted;
        let (stream, reason) = (stream.clone(), reason.to_owned());
        Self::EventRedacted { stream, version: *version, position: *position, reason, tags: *tags }
    }

    /// That a stream is protected from removal, or no longer.
    pub(crate) fn protection(stream: StreamName, protected: bool) -> Self {
        if protected {
            Self::StreamProtected { stream }
        } else {
            Self::StreamUnprotected { stream }
        }
    }

    /// That a name is given back; nothing where it stood for nothing.
    pub(crate) fn giving_back(name: &Name) -> Option<Self> {
        let (text, generation) = (name.text.clone(), name.generation);
        Some(match name.kind? {
            Kind::Projection => Self::ProjectionDropped { name: text, generation },
            Kind::Subscription => {
                let position = name.checkpoint.map_or(Position(0), |at| at.position);
                Self::SubscriptionRemoved { name: text, position }
            }
        })
    }

    /// The event that records it.
    pub(crate) fn event(&self, actor: &Actor) -> NewEvent {
        let (event_type, key, name, numbers) = self.parts();
        let mut data = b"{\"".to_vec();
        data.extend_from_slice(key.as_bytes());
        data.extend_from_slice(b"\":");
        wire::write_string(&mut data, name);
        for (key, number) in numbers {
            data.extend_from_slice(format!(",\"{key}\":{number}").as_bytes());
        }
        if let Self::EventRedacted { reason, tags, .. } = self {
            data.extend_from_slice(b",\"reason\":");
            wire::write_string(&mut data, reason);
            if *tags {
                data.extend_from_slice(b",\"tags\":true");
            }
        }
        data.push(b'}');
        let mut event = NewEvent::new(StreamName::stored(RECORD), EventType::stored(event_type));
        event.data = Data::Json(Json::stored(&String::from_utf8_lossy(&data)));
        event.metadata = actor.to_json().map(|json| Json::stored(&json));
        event
    }

    /// The event's type, and its data: what it is about, by a key and a name, and then numbers.
    fn parts(&self) -> (&'static str, &'static str, &str, Vec<(&'static str, u64)>) {
        const STREAM: &str = "stream";
        const PROJECTION: &str = "projection";
        const SUBSCRIPTION: &str = "subscription";
        let generation = |number: &u64| vec![("generation", *number)];
        match self {
            Self::StreamRemoved { stream, version, events } => {
                let numbers = vec![("version", version.0), ("events", *events)];
                ("StreamRemoved", STREAM, stream.as_str(), numbers)
            }
            Self::StreamTruncated { stream, version, removed, events } => {
                let numbers =
                    vec![("version", version.0), ("removed", removed.0), ("events", *events)];
                ("StreamTruncated", STREAM, stream.as_str(), numbers)
            }
            Self::RetentionSet { pattern, retention: Retention { max_age, max_count } } => {
                let age = max_age.map(|age| ("max_age_seconds", age.as_secs()));
                let count = max_count.map(|count| ("max_count", count));
                ("RetentionSet", "pattern", pattern, age.into_iter().chain(count).collect())
            }
            Self::EventRedacted { stream, version, position, .. } => {
                let numbers = vec![("version", version.0), ("position", position.0)];
                ("EventRedacted", STREAM, stream.as_str(), numbers)
            }
            Self::StateRemoved { stream } => ("StateRemoved", STREAM, stream.as_str(), vec![]),
            Self::StreamProtected { stream } => {
                ("StreamProtected", STREAM, stream.as_str(), vec![])
            }
            Self::StreamUnprotected { stream } => {
                ("StreamUnprotected", STREAM, stream.as_str(), vec![])
            }
            Self::ProjectionCreated { name, generation: number } => {
                ("ProjectionCreated", PROJECTION, name, generation(number))
            }
            Self::ProjectionChanged { name, generation: number } => {
                ("ProjectionChanged", PROJECTION, name, generation(number))
            }
            Self::ProjectionAllowed { name, generation: number } => {
                ("ProjectionAllowed", PROJECTION, name, generation(number))
            }
            Self::ProjectionSwitched { name, generation: number } => {
                ("ProjectionSwitched", PROJECTION, name, generation(number))
            }
            Self::ProjectionDropped { name, generation: number } => {
                ("ProjectionDropped", PROJECTION, name, generation(number))
            }
            Self::SubscriptionCreated { name, position } => {
                ("SubscriptionCreated", SUBSCRIPTION, name, vec![("position", position.0)])
            }
            Self::SubscriptionMoved { name, from, to } => {
                ("SubscriptionMoved", SUBSCRIPTION, name, vec![("from", from.0), ("to", to.0)])
            }
            Self::SubscriptionRemoved { name, position } => {
                ("SubscriptionRemoved", SUBSCRIPTION, name, vec![("position", position.0)])
            }
            Self::StoreRestored { store, position, dropped } => {
                let numbers = vec![("position", position.0), ("events_dropped", *dropped)];
                ("StoreRestored", "store", store, numbers)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ACT_TYPES;

    /// That an act is an event of the reserved stream, with who did it.
    #[track_caller]
    fn is_event(act: &Act, event_type: &str, data: &str) {
        let event = act.event(&Actor::named("anna"));
        assert_eq!((event.stream.as_str(), event.event_type.as_str()), (RECORD, event_type));
        assert_eq!(event.data, Data::Json(Json::stored(data)));
        assert_eq!(event.metadata.unwrap().as_str(), r#"{"user":"anna"}"#);
        assert_eq!(act.event(&Actor::default()).metadata, None);
    }

    #[test]
    fn what_is_erased_is_an_event() {
        let stream = || StreamName::stored("a\"b");
        let removed = |events, state| Removed {
            stream: stream(),
            version: Version(5),
            events,
            tagged: 0,
            state,
        };
        let data = r#"{"stream":"a\"b","version":5,"events":3}"#;
        is_event(&Act::removal(&removed(3, true)), "StreamRemoved", data);
        is_event(&Act::removal(&removed(0, true)), "StateRemoved", r#"{"stream":"a\"b"}"#);
        let truncated = Truncated {
            stream: stream(),
            version: Version(5),
            events: 2,
            tagged: 0,
            removed: Version(3),
            state: Some(Version(3)),
        };
        let data = r#"{"stream":"a\"b","version":5,"removed":3,"events":2}"#;
        is_event(&Act::truncation(&truncated), "StreamTruncated", data);
        let (position, version) = (Position(7), Version(2));
        let redacted = Redacted { position, stream: stream(), version, state: true, tags: false };
        let data = r#"{"stream":"a\"b","version":2,"position":7,"reason":"art. \"17\""}"#;
        is_event(&Act::redaction(&redacted, "art. \"17\""), "EventRedacted", data);
        let redacted = Redacted { tags: true, ..redacted };
        let data = r#"{"stream":"a\"b","version":2,"position":7,"reason":"r","tags":true}"#;
        is_event(&Act::redaction(&redacted, "r"), "EventRedacted", data);
    }

    #[test]
    fn an_act_is_an_event_of_the_reserved_stream_with_who_did_it() {
        let (stream, name) = (|| StreamName::stored("a\"b"), || "users".to_owned());
        let position = Position(7);
        for (act, event_type, data) in [
            (Act::protection(stream(), true), "StreamProtected", r#"{"stream":"a\"b"}"#),
            (Act::protection(stream(), false), "StreamUnprotected", r#"{"stream":"a\"b"}"#),
            (
                Act::ProjectionCreated { name: name(), generation: 1 },
                "ProjectionCreated",
                r#"{"projection":"users","generation":1}"#,
            ),
            (
                Act::SubscriptionMoved { name: name(), from: Position(9), to: position },
                "SubscriptionMoved",
                r#"{"subscription":"users","from":9,"to":7}"#,
            ),
            (
                Act::SubscriptionCreated { name: name(), position },
                "SubscriptionCreated",
                r#"{"subscription":"users","position":7}"#,
            ),
            (
                Act::StoreRestored { store: "4fz0k7m2q9xwb".into(), position, dropped: 2 },
                "StoreRestored",
                r#"{"store":"4fz0k7m2q9xwb","position":7,"events_dropped":2}"#,
            ),
        ] {
            is_event(&act, event_type, data);
        }
    }

    /// Where an act's type is in the list of them. A new act has to be given a place here.
    fn place(act: &Act) -> usize {
        match act {
            Act::StreamRemoved { .. } => 0,
            Act::StreamTruncated { .. } => 1,
            Act::RetentionSet { .. } => 2,
            Act::EventRedacted { .. } => 3,
            Act::StateRemoved { .. } => 4,
            Act::StreamProtected { .. } => 5,
            Act::StreamUnprotected { .. } => 6,
            Act::ProjectionCreated { .. } => 7,
            Act::ProjectionChanged { .. } => 8,
            Act::ProjectionAllowed { .. } => 9,
            Act::ProjectionSwitched { .. } => 10,
            Act::ProjectionDropped { .. } => 11,
            Act::SubscriptionCreated { .. } => 12,
            Act::SubscriptionMoved { .. } => 13,
            Act::SubscriptionRemoved { .. } => 14,
            Act::StoreRestored { .. } => 15,
        }
    }

    #[test]
    fn the_list_of_types_is_whole() {
        let (stream, name, at) = (|| StreamName::stored("s"), || "n".to_owned(), Position(1));
        let (version, events, generation) = (Version(1), 1, 1);
        let all = [
            Act::StreamRemoved { stream: stream(), version, events },
            Act::StreamTruncated { stream: stream(), version, removed: version, events },
            Act::RetentionSet { pattern: name(), retention: Retention::default() },
            Act::EventRedacted {
                stream: stream(),
                version,
                position: at,
                reason: name(),
                tags: false,
            },
            Act::StateRemoved { stream: stream() },
            Act::StreamProtected { stream: stream() },
            Act::StreamUnprotected { stream: stream() },
            Act::ProjectionCreated { name: name(), generation },
            Act::ProjectionChanged { name: name(), generation },
            Act::ProjectionAllowed { name: name(), generation },
            Act::ProjectionSwitched { name: name(), generation },
            Act::ProjectionDropped { name: name(), generation },
            Act::SubscriptionCreated { name: name(), position: at },
            Act::SubscriptionMoved { name: name(), from: at, to: at },
            Act::SubscriptionRemoved { name: name(), position: at },
            Act::StoreRestored { store: name(), position: at, dropped: 0 },
        ];
        assert_eq!(all.len(), ACT_TYPES.len());
        for (index, act) in all.iter().enumerate() {
            assert_eq!((place(act), act.parts().0), (index, ACT_TYPES[index]));
        }
    }

    #[test]
    fn a_name_that_is_given_back_says_what_it_stood_for() {
        let name = |kind| Name { text: "n".into(), kind, generation: 2, ..Name::default() };
        let dropped = Act::ProjectionDropped { name: "n".into(), generation: 2 };
        assert_eq!(Act::giving_back(&name(Some(Kind::Projection))), Some(dropped));
        let removed = Act::SubscriptionRemoved { name: "n".into(), position: Position(0) };
        assert_eq!(Act::giving_back(&name(Some(Kind::Subscription))), Some(removed));
        assert_eq!(Act::giving_back(&name(None)), None);
    }
}
