//! What a writer expects of a stream, and when two events are the same.

use super::StreamFacts;
use crate::event::{DataRef, Expect, Json, NewEvent, Version};
use crate::store::{Error, SealedEvent};

/// What is stored of an event, as far as it is compared with another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stood<'a> {
    pub(crate) stream: &'a str,
    /// None where the event is removed; then what follows is none as well.
    pub(crate) event_type: Option<&'a str>,
    /// None where the event is redacted or removed; then there is no metadata either.
    pub(crate) data: Option<DataRef<'a>>,
    pub(crate) metadata: Option<&'a str>,
    pub(crate) tags: Option<&'a str>,
}

impl<'a> Stood<'a> {
    pub(super) fn of(event: &'a NewEvent) -> Self {
        Self {
            stream: event.stream.as_str(),
            event_type: Some(event.event_type.as_str()),
            data: Some(event.data.borrow()),
            metadata: event.metadata.as_ref().map(Json::as_str),
            tags: event.tags.borrow().text(),
        }
    }
}

/// Whether what stands under the id of `event` is the same event. What was removed can't be compared any
/// more, but for its stream; what was redacted, but for its stream and type.
pub(crate) fn is_same(stood: &Stood<'_>, event: &NewEvent) -> bool {
    let new = Stood::of(event);
    let same_type = stood.event_type.is_none() || stood.event_type == new.event_type;
    let same_content =
        stood.data == new.data && stood.metadata == new.metadata && stood.tags == new.tags;
    stood.stream == new.stream && same_type && (stood.data.is_none() || same_content)
}

/// What an event expects; `before` is the version at which the event before it, in the same input, was
/// stored or found.
pub(super) fn expected(sealed: &SealedEvent, before: Option<Version>) -> Result<Expect, Error> {
    match (sealed.follows(), before) {
        (false, _) => Ok(sealed.event().expect),
        (true, Some(before)) => Ok(Expect::At(before)),
        (true, None) => Err(Error::FollowsNothing),
    }
}

/// That the stream is as a writer expects.
pub(super) fn check(stream: &str, expected: Expect, facts: &StreamFacts) -> Result<(), Error> {
    let actual = Version(facts.version);
    let holds = match expected {
        Expect::Any => true,
        Expect::NoStream => !facts.exists(),
        Expect::Exists => facts.exists(),
        Expect::At(version) => version == actual,
    };
    if holds {
        return Ok(());
    }
    Err(Error::WrongExpectedVersion {
        stream: stream.into(),
        expected,
        actual,
        removed: actual.0 > 0 && !facts.exists(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Data, EventType, StreamName};
    use crate::store::Sealer;

    #[test]
    fn expectations_of_a_stream_new_written_removed_and_written_again() {
        let at = |version| Expect::At(Version(version));
        for (name, version, removed, expected) in [
            ("new", 0, 0, [true, true, false, true, false]),
            ("written", 3, 0, [true, false, true, false, true]),
            ("removed", 3, 3, [true, true, false, false, true]),
            ("written again", 4, 3, [true, false, true, false, false]),
        ] {
            let facts = StreamFacts { version, removed, ..StreamFacts::default() };
            let found = [Expect::Any, Expect::NoStream, Expect::Exists, at(0), at(3)]
                .map(|expect| check("s", expect, &facts).is_ok());
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn what_follows_expects_the_version_of_the_event_before() {
        let mut sealer = Sealer::new().unwrap();
        let mut event = NewEvent::new(StreamName::stored("s"), EventType::stored("T"));
        event.expect = Expect::NoStream;
        let alone = sealer.seal(event.clone());
        let following = sealer.seal(event).following();
        let before = Some(Version(3));
        assert_eq!(expected(&alone, None).unwrap(), Expect::NoStream);
        assert_eq!(expected(&alone, before).unwrap(), Expect::NoStream);
        assert_eq!(expected(&following, before).unwrap(), Expect::At(Version(3)));
        assert!(matches!(expected(&following, None), Err(Error::FollowsNothing)));
    }

    #[test]
    fn what_makes_an_event_another_one() {
        let new = |stream: &str, event_type: &str, data: Data, metadata: Option<&str>| {
            let mut event =
                NewEvent::new(StreamName::stored(stream), EventType::stored(event_type));
            (event.data, event.metadata) = (data, metadata.map(Json::stored));
            event
        };
        let json = |text: &str| Data::Json(Json::stored(text));
        let event = new("s", "T", json("1"), None);
        let stood = Stood::of(&event);
        for (other, same) in [
            (new("s", "T", json("1"), None), true),
            (new("t", "T", json("1"), None), false),
            (new("s", "U", json("1"), None), false),
            (new("s", "T", json("1.0"), None), false),
            (new("s", "T", Data::Bytes(b"1".as_slice().into()), None), false),
            (new("s", "T", json("1"), Some("{}")), false),
        ] {
            assert_eq!(is_same(&stood, &other), same, "{other:?}");
            let redacted = Stood { data: None, metadata: None, ..stood };
            let removed = Stood { event_type: None, ..redacted };
            let same_stream = other.stream == event.stream;
            let same_type = other.event_type == event.event_type;
            assert_eq!(is_same(&removed, &other), same_stream, "{other:?}");
            assert_eq!(is_same(&redacted, &other), same_stream && same_type, "{other:?}");
            assert!(!is_same(&Stood { tags: Some("x"), ..stood }, &other), "{other:?}");
        }
    }
}
