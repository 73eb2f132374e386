//! The words of the model: events, streams, versions, positions, patterns.
//!
//! Everything here is plain data with the rules for making it. Nothing here knows a store, a file
//! or a wire format, and nothing of ours is imported.

mod command;
mod condition;
mod criteria;
mod cursor;
mod json;
mod link;
mod name;
mod pattern;
mod tags;
mod time;

use std::borrow::Cow;
use std::fmt;

use crate::excerpt::{QUOTED, excerpt};

pub use command::{BoundaryCommand, Command};
pub use condition::{AppendCondition, NoneOf};
pub(crate) use criteria::{Chooser, ChosenStreams};
pub use criteria::{Criteria, Criterion};
pub use cursor::{Cursor, CursorError};
pub use json::{Json, JsonError, MAX_DEPTH};
pub(crate) use link::{BASE32, LINK_BYTES, position_in};
pub use link::{Link, LinkError};
pub use name::{
    EventId, EventType, MAX_NAME_BYTES, MAX_TAG_BYTES, NameError, StreamName, SubscriptionName,
};
pub use pattern::Pattern;
pub use tags::{MAX_TAGS, Tags, TagsError, TagsRef};
pub use time::{TimeError, Timestamp};

/// An event's number within the store: 1, 2, 3, without gaps, never reused.
///
/// Position 0 stands before the first event.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

/// An event's number within its stream: 1, 2, 3, without gaps.
///
/// A stream that was never written is at version 0.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Position {
    /// The position after this one; itself where there is none.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl Version {
    /// The version after this one; itself where there is none.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// What the writer knows of a stream before an append.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Nothing: append whatever is there.
    #[default]
    Any,
    /// The stream holds no event: never written, or all of it removed.
    NoStream,
    /// The stream holds an event.
    Exists,
    /// The stream is at this version.
    At(Version),
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::NoStream => f.write_str("no-stream"),
            Self::Exists => f.write_str("exists"),
            Self::At(version) => write!(f, "{version}"),
        }
    }
}

/// Why a text is not an expectation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpectError {
    /// It is none of `any`, `no-stream`, `exists` and a version.
    #[error("unknown expectation `{0}`: any, no-stream, exists or a version")]
    Unknown(String),
    /// It is a number that no version can have.
    #[error("the version {0} is out of range: {max} at most", max = i64::MAX)]
    OutOfRange(String),
}

impl std::str::FromStr for Expect {
    type Err = ExpectError;

    fn from_str(text: &str) -> Result<Self, ExpectError> {
        let quoted = || excerpt(text, QUOTED).into_owned();
        match text {
            "any" => Ok(Self::Any),
            "no-stream" => Ok(Self::NoStream),
            "exists" => Ok(Self::Exists),
            number if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
                let version: Option<i64> = number.parse().ok();
                let version = version.ok_or_else(|| ExpectError::OutOfRange(quoted()))?;
                Ok(Self::At(Version(version.unsigned_abs())))
            }
            _ => Err(ExpectError::Unknown(quoted())),
        }
    }
}

/// An event's payload: JSON text, or bytes that are no JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// JSON, kept byte for byte but for white space outside strings.
    Json(Json),
    /// Anything else.
    Bytes(Box<[u8]>),
}

impl Data {
    /// How long the payload is, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.borrow().len()
    }

    /// Whether the payload has no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same payload, borrowed.
    #[must_use]
    pub fn borrow(&self) -> DataRef<'_> {
        match self {
            Self::Json(json) => DataRef::Json(json.as_str()),
            Self::Bytes(bytes) => DataRef::Bytes(bytes),
        }
    }
}

impl From<Json> for Data {
    fn from(json: Json) -> Self {
        Self::Json(json)
    }
}

/// A borrowed [`Data`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataRef<'a> {
    /// JSON text without white space outside strings.
    Json(&'a str),
    /// Bytes that are no JSON.
    Bytes(&'a [u8]),
}

impl DataRef<'_> {
    /// The payload with what it borrows.
    #[must_use]
    pub fn to_data(&self) -> Data {
        match self {
            Self::Json(text) => Data::Json(Json::stored(text)),
            Self::Bytes(bytes) => Data::Bytes((*bytes).into()),
        }
    }

    /// How long the payload is, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Json(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether the payload has no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An event to append.
///
/// ```
/// use ream::{Data, Expect, Json, NewEvent, Tags};
///
/// let mut event = NewEvent::new("order-42".parse()?, "OrderPaid".parse()?);
/// event.data = Data::Json(Json::parse(r#"{ "amount": 12.50 }"#)?);
/// event.expect = Expect::Exists;
/// event.id = Some("payment-7".parse()?);
/// event.tags = Tags::new(["customer:c7"])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewEvent {
    /// The stream to append to.
    pub stream: StreamName,
    /// What happened.
    pub event_type: EventType,
    /// The writer's idempotency key, unique in the store.
    pub id: Option<EventId>,
    /// When it happened; when it is recorded, if not given.
    pub time: Option<Timestamp>,
    /// What it is about, besides its stream.
    pub tags: Tags,
    /// The payload, `{}` by default.
    pub data: Data,
    /// A JSON object beside the payload.
    pub metadata: Option<Json>,
    /// What the stream must be like before the append.
    pub expect: Expect,
    /// What else must hold of the store before the append: before all of what is stored together with the event.
    pub condition: Option<Box<AppendCondition>>,
    /// The stream's state as of this event, stored with it. It needs an expectation that names a
    /// version: a state that was made of N events must not cover one that its writer has not seen.
    pub state: Option<Data>,
}

impl NewEvent {
    /// An event with the data `{}`, no id, no tags, no metadata, no expectation and no condition.
    #[must_use]
    pub fn new(stream: StreamName, event_type: EventType) -> Self {
        Self {
            stream,
            event_type,
            id: None,
            time: None,
            tags: Tags::default(),
            data: Data::Json(Json::empty_object()),
            metadata: None,
            expect: Expect::Any,
            condition: None,
            state: None,
        }
    }

    /// Whether it, or its condition, expects a version of its stream, or that there is none.
    #[must_use]
    pub fn names_version(&self) -> bool {
        let expected = |condition: &AppendCondition| condition.expected_of(&self.stream);
        [Some(self.expect), self.condition.as_deref().and_then(expected)]
            .iter()
            .any(|expect| matches!(expect, Some(Expect::At(_) | Expect::NoStream)))
    }

    /// How much of an input this event is, in bytes: its payload, metadata, tags and names.
    #[must_use]
    pub fn size(&self) -> usize {
        self.data.len()
            + self.state.as_ref().map_or(0, Data::len)
            + self.metadata.as_ref().map_or(0, |json| json.as_str().len())
            + self.id.as_ref().map_or(0, |id| id.as_str().len())
            + self.tags.borrow().text().map_or(0, str::len)
            + self.stream.as_str().len()
            + self.event_type.as_str().len()
    }
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Where it stands in the store.
    pub position: Position,
    /// The stream it belongs to.
    pub stream: StreamName,
    /// Where it stands in its stream.
    pub version: Version,
    /// The writer's id, or `LINK/POSITION`: see [`EventRef::id`].
    pub id: String,
    /// What happened.
    pub event_type: EventType,
    /// When it happened, as the writer says.
    pub time: Timestamp,
    /// When the store recorded it; never before the event at the position before.
    pub recorded: Timestamp,
    /// What it is about, besides its stream.
    pub tags: Tags,
    /// The payload.
    pub data: Data,
    /// A JSON object beside the payload, if the writer gave one.
    pub metadata: Option<Json>,
    /// Whether data and metadata were erased: then `data` is `{}`, and there is no metadata.
    pub redacted: bool,
    /// What stands here, and before it.
    pub link: Link,
}

/// A stored event, borrowed from where it is read.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct EventRef<'a> {
    /// Where it stands in the store.
    pub position: Position,
    /// The stream it belongs to.
    pub stream: &'a str,
    /// Where it stands in its stream.
    pub version: Version,
    /// The writer's id, if it gave one.
    pub given_id: Option<&'a str>,
    /// What happened.
    pub event_type: &'a str,
    /// When it happened, as the writer says.
    pub time: Timestamp,
    /// When the store recorded it.
    pub recorded: Timestamp,
    /// What it is about, besides its stream.
    pub tags: TagsRef<'a>,
    /// The payload.
    pub data: DataRef<'a>,
    /// A JSON object beside the payload, if the writer gave one.
    pub metadata: Option<&'a str>,
    /// Whether data and metadata were erased: then `data` is `{}`, and there is no metadata.
    pub redacted: bool,
    /// What stands here, and before it.
    pub link: Link,
}

impl Event {
    /// The same event, borrowed.
    #[must_use]
    pub fn borrow(&self) -> EventRef<'_> {
        EventRef {
            position: self.position,
            stream: self.stream.as_str(),
            version: self.version,
            given_id: Some(&self.id),
            event_type: self.event_type.as_str(),
            time: self.time,
            recorded: self.recorded,
            tags: self.tags.borrow(),
            data: self.data.borrow(),
            metadata: self.metadata.as_ref().map(Json::as_str),
            redacted: self.redacted,
            link: self.link,
        }
    }
}

impl<'a> EventRef<'a> {
    /// The writer's id, or `LINK/POSITION`: 13 characters that are made of the event's link, and where it
    /// stands. Copies of a store have the same for what they share, and never for anything else.
    #[must_use]
    pub fn id(&self) -> Cow<'a, str> {
        match self.given_id {
            Some(id) => Cow::Borrowed(id),
            None => Cow::Owned(self.link.event_id(self.position)),
        }
    }

    /// The event with what it borrows.
    #[must_use]
    pub fn to_event(&self) -> Event {
        Event {
            position: self.position,
            stream: StreamName::stored(self.stream),
            version: self.version,
            id: self.id().into_owned(),
            event_type: EventType::stored(self.event_type),
            time: self.time,
            recorded: self.recorded,
            tags: self.tags.to_tags(),
            data: self.data.to_data(),
            metadata: self.metadata.map(Json::stored),
            redacted: self.redacted,
            link: self.link,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_have_four_spellings_and_no_other() {
        for (text, expect) in [
            ("any", Expect::Any),
            ("no-stream", Expect::NoStream),
            ("exists", Expect::Exists),
            ("0", Expect::At(Version(0))),
            ("17", Expect::At(Version(17))),
        ] {
            assert_eq!(text.parse(), Ok(expect));
            assert_eq!(expect.to_string(), text);
        }
        for text in ["", "-1", "+1", "1.0", "Any", "no_stream", "continues"] {
            assert_eq!(text.parse::<Expect>(), Err(ExpectError::Unknown(text.into())), "{text}");
        }
        for text in ["9223372036854775808", "18446744073709551616"] {
            assert_eq!(text.parse::<Expect>(), Err(ExpectError::OutOfRange(text.into())), "{text}");
        }
        assert!("9223372036854775807".parse::<Expect>().is_ok());
    }
}
