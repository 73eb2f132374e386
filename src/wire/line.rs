//! Reads an event from a line.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::criteria;
use super::key::Key;
use super::object::{Line, LineError, Text, bytes, name, object};
use crate::event::{
    AppendCondition, Data, EventId, EventType, Expect, ExpectError, Json, NewEvent, Position,
    StreamName, Tags, Timestamp, Version,
};
use crate::excerpt::{QUOTED, excerpt};

/// Why an event that was redacted is not stored again.
const REDACTED: &str = "the event was redacted, and has no data to be stored; leave the line out";

/// Reads an event that names its stream.
///
/// ```
/// let line = br#"{"stream":"order-42","type":"OrderPaid","data":{"amount":12.50}}"#;
/// let event = ream::wire::parse_event(line)?;
/// assert_eq!(event.stream.as_str(), "order-42");
/// # Ok::<(), ream::wire::LineError>(())
/// ```
///
/// # Errors
///
/// [`LineError`] where the line is no JSON object, misses `stream` or `type`, has an unknown key
/// or a value that its key can't have.
pub fn parse_event(line: &[u8]) -> Result<NewEvent, LineError> {
    Ok(parse_event_with(line, &Defaults::default())?.event)
}

/// An event as a line gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventLine {
    /// The event.
    pub event: NewEvent,
    /// Whether the line itself says what the event expects.
    pub expects: bool,
    /// Where it stood in the store that wrote the line, where it says that.
    pub position: Option<Position>,
    /// Where it stood in its stream there, where the line says that.
    pub version: Option<Version>,
}

/// What holds for a line that does not say otherwise.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// The stream of every line: a line may leave it out, and not name another.
    pub stream: Option<StreamName>,
    /// What a line without `expect` expects.
    pub expect: Expect,
}

/// Reads an event, of which a part is known.
///
/// # Errors
///
/// As [`parse_event`], and where the line names another stream.
pub fn parse_event_with(line: &[u8], defaults: &Defaults) -> Result<EventLine, LineError> {
    let place = Cell::new(None);
    object(line, &place, |line| EventVisitor { line, defaults })
}

struct EventVisitor<'a> {
    line: Line<'a, 'a>,
    defaults: &'a Defaults,
}

impl<'de> Visitor<'de> for EventVisitor<'_> {
    type Value = EventLine;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event: a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EventLine, A::Error> {
        let mut seen = 0_u32;
        let (mut stream, mut event_type, mut id, mut time) = (None, None, None, None);
        let (mut data, mut metadata, mut expect, mut state) = (None, None, None, None);
        let (mut position, mut version, mut tags) = (None, None, Tags::default());
        let mut condition = None;
        while let Some(key) = map.next_key::<Key>()? {
            let bit = 1 << key as u32;
            if seen & bit != 0 {
                return Err(A::Error::custom(format_args!("the key `{key}` appears twice")));
            }
            seen |= bit;
            match key {
                Key::Position => position = number(map.next_value()?).map(Position),
                Key::Version => version = number(map.next_value()?).map(Version),
                Key::Recorded => drop(map.next_value::<IgnoredAny>()?),
                Key::Redacted => {
                    if map.next_value()? {
                        return Err(A::Error::custom(REDACTED));
                    }
                }
                Key::Stream => {
                    stream = Some(name(&map.next_value::<Text<'de>>()?, StreamName::new)?);
                }
                Key::Type => {
                    event_type = Some(name(&map.next_value::<Text<'de>>()?, EventType::new)?);
                }
                Key::Id => id = optional(&mut map, |text| name(&text, EventId::new))?,
                Key::Time => {
                    let parse = |text: Text<'de>| text.0.parse().map_err(A::Error::custom);
                    time = optional::<_, Timestamp>(&mut map, parse)?;
                }
                Key::Tags => tags = tags_in(&mut map)?,
                Key::Data => {
                    once(&mut data, "data", self.line.json(map.next_value()?).map(Data::Json)?)?;
                }
                Key::DataBase64 => once(&mut data, "data", bytes(&map.next_value()?)?)?,
                Key::State => {
                    once(&mut state, "state", self.line.json(map.next_value()?).map(Data::Json)?)?;
                }
                Key::StateBase64 => once(&mut state, "state", bytes(&map.next_value()?)?)?,
                Key::Metadata => metadata = self.metadata(map.next_value()?)?,
                Key::Expect => (expect, condition) = self.expectation(map.next_value()?)?,
            }
        }
        let stream = self.stream(stream)?;
        let event_type = event_type.ok_or_else(|| A::Error::custom("no `type`"))?;
        let mut event = NewEvent::new(stream, event_type);
        event.id = id;
        event.time = time;
        event.tags = tags;
        event.metadata = metadata;
        let expects = expect.is_some() || condition.is_some();
        // A condition says all that is expected.
        let default = if condition.is_some() { Expect::Any } else { self.defaults.expect };
        event.expect = expect.unwrap_or(default);
        event.condition = condition;
        event.state = state;
        if let Some(data) = data {
            event.data = data;
        }
        Ok(EventLine { event, expects, position, version })
    }
}

/// What a text is read as; nothing where it is `null`.
fn optional<'de, A: MapAccess<'de>, T>(
    map: &mut A,
    read: impl FnOnce(Text<'de>) -> Result<T, A::Error>,
) -> Result<Option<T>, A::Error> {
    let text: Option<Text<'de>> = map.next_value()?;
    text.map(read).transpose()
}

/// The set of tags that an array is; none where it is `null`.
fn tags_in<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Tags, A::Error> {
    let texts: Option<Vec<Text<'de>>> = map.next_value()?;
    let texts = texts.unwrap_or_default();
    Tags::new(texts.iter().map(|text| &*text.0)).map_err(A::Error::custom)
}

/// The number that a value is, whatever else it may be.
fn number(value: &RawValue) -> Option<u64> {
    value.get().parse().ok()
}

/// Keeps a payload that stands in a line once, as JSON or as bytes.
fn once<E: serde::de::Error>(kept: &mut Option<Data>, key: &str, data: Data) -> Result<(), E> {
    match kept.replace(data) {
        None => Ok(()),
        Some(_) => Err(E::custom(format_args!("`{key}` and `{key}_base64` together"))),
    }
}

impl EventVisitor<'_> {
    /// The stream that the line names, or the one that is known.
    fn stream<E: serde::de::Error>(&self, named: Option<StreamName>) -> Result<StreamName, E> {
        match (named, &self.defaults.stream) {
            (Some(found), Some(wanted)) if found != *wanted => Err(E::custom(format_args!(
                "the line is for the stream `{found}`, the command for `{wanted}`"
            ))),
            (Some(stream), _) => Ok(stream),
            (None, Some(wanted)) => Ok(wanted.clone()),
            (None, None) => Err(E::custom("no `stream`")),
        }
    }

    fn metadata<E: serde::de::Error>(&self, raw: &RawValue) -> Result<Option<Json>, E> {
        let json = self.line.json(raw)?;
        match json.as_str() {
            "null" => Ok(None),
            _ if json.is_object() => Ok(Some(json)),
            _ => Err(E::custom("`metadata` must be a JSON object")),
        }
    }

    /// What a line expects: a word or a version of its own stream, or a condition.
    fn expectation<E: serde::de::Error>(
        &self,
        raw: &RawValue,
    ) -> Result<(Option<Expect>, Option<Box<AppendCondition>>), E> {
        if !raw.get().starts_with('{') {
            return Ok((expectation(raw)?, None));
        }
        let condition = criteria::json(raw.get());
        let wrong = |error: LineError| self.line.wrong(raw, error.column, error.reason);
        Ok((None, Some(Box::new(condition.map_err(wrong)?))))
    }
}

/// An expectation of the line's own stream is a string or a number.
fn expectation<E: serde::de::Error>(raw: &RawValue) -> Result<Option<Expect>, E> {
    let text = raw.get();
    if text == "null" {
        return Ok(None);
    }
    let refuse = || E::custom(ExpectError::Unknown(excerpt(text, QUOTED).into()));
    if text.starts_with('"') {
        let word: Cow<'_, str> = serde_json::from_str(text).map_err(|_| refuse())?;
        return match word.parse() {
            // A version is a number on the wire, never a string.
            Ok(Expect::At(_)) | Err(_) => Err(refuse()),
            Ok(expect) => Ok(Some(expect)),
        };
    }
    // What is no string and no number is none of the words either.
    text.parse().map(Some).map_err(E::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::DataRef;

    fn refuse(line: &str) -> String {
        parse_event(line.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_line_needs_stream_and_type_alone() {
        let event = parse_event(br#"{"type":"T","stream":"s"}"#).unwrap();
        assert_eq!(event.data.borrow(), DataRef::Json("{}"));
        assert_eq!((event.metadata, event.id, event.time), (None, None, None));
        assert_eq!(refuse(r#"{"type":"T"}"#), "column 12: no `stream`");
        assert_eq!(refuse(r#"{"stream":"s"}"#), "column 14: no `type`");
    }

    #[test]
    fn what_a_store_writes_is_read_and_its_numbers_ignored() {
        let line = r#"{"position":1842,"stream":"order-42","version":3,"id":"x/1","type":"T","time":"2026-11-23T04:49:13.784077Z","recorded":"2026-11-23T04:49:14Z","data":{"b":1.0,"b":2},"metadata":{"k":null}}"#;
        let event = parse_event(line.as_bytes()).unwrap();
        assert_eq!(event.data.borrow(), DataRef::Json(r#"{"b":1.0,"b":2}"#));
        assert_eq!(event.metadata.unwrap().as_str(), r#"{"k":null}"#);
        assert_eq!(event.time.unwrap().to_string(), "2026-11-23T04:49:13.784077Z");
    }

    #[test]
    fn data_that_is_null_is_null() {
        let event =
            parse_event(br#"{"stream":"s","type":"T","data":null,"metadata":null}"#).unwrap();
        assert_eq!(event.data.borrow(), DataRef::Json("null"));
        assert_eq!(event.metadata, None);
    }

    #[test]
    fn errors_name_the_column_and_what_is_wrong() {
        for (line, error) in [
            (r#"{"stream":"s","typ":"T"}"#, "column 19: unknown key `typ`; did you mean `type`?"),
            (
                r#"{"stream":"s","type":"T","dat":1}"#,
                "column 30: unknown key `dat`; did you mean `data`?",
            ),
            (r#"{"stream":"s","type":"T","data":{}"#, "column 34: it ends within an object"),
            (r#"{"stream":"s","type":"T"} {}"#, "column 27: trailing characters"),
            (r#"["s"]"#, "column 1: invalid type: array, expected an event: a JSON object"),
            (r#"{"stream":"s","type":"T","type":"U"}"#, "column 31: the key `type` appears twice"),
            (
                r#"{"stream":"$x","type":"T"}"#,
                "column 14: the stream name begins with `$`, which is reserved",
            ),
            (
                r#"{"stream":"s","type":"T","metadata":[]}"#,
                "column 39: `metadata` must be a JSON object",
            ),
            (
                r#"{"stream":"s","type":"T","data":1,"data_base64":""}"#,
                "column 51: `data` and `data_base64` together",
            ),
            (
                r#"{"stream":"s","type":"T","data_base64":"?"}"#,
                "column 43: not valid base64: '?' at byte 1 is not of its alphabet",
            ),
            (r#"{"stream":"s","type":"T","time":"soon"}"#, "soon"),
            (r#"{"stream":"s","type":"T","expect":{"n":1}}"#, "column 38: unknown key `n`"),
            (r#"{"stream":"s","type":"T","expect":[1]}"#, "unknown expectation `[1]`"),
            (r#"{"stream":"s","type":"T","expect":"3"}"#, "unknown expectation"),
            (r#"{"stream":"s","type":"T","expect":-1}"#, "unknown expectation"),
            (
                r#"{"stream":"s","type":"T","expect":9223372036854775808}"#,
                "the version 9223372036854775808 is out of range",
            ),
            (
                r#"{"stream":"s","type":"T","data":["\ud800"]}"#,
                "column 35: half of a surrogate pair",
            ),
            (
                r#"{"stream":"s","type":"T","tags":["a b"]}"#,
                "column 40: the tag has ` ` at character 2",
            ),
            (r#"{"stream":"s","type":"T","tags":"a"}"#, "invalid type: string \"a\""),
            (r#"{"stream":"s","type":"T","tags":[1]}"#, "invalid type: integer `1`"),
            (r#"{"stream":"s","type":7}"#, "invalid type: integer `7`"),
        ] {
            let found = refuse(line);
            assert!(found.contains(error), "{line}: {found}");
        }
        assert_eq!(parse_event(b"{\"a\xff").unwrap_err().to_string(), "column 4: invalid UTF-8");
    }

    #[test]
    fn expectations_are_words_or_numbers() {
        for (text, expect) in [
            ("3", Expect::At(Version(3))),
            ("\"any\"", Expect::Any),
            ("\"no-stream\"", Expect::NoStream),
            ("\"exists\"", Expect::Exists),
            ("null", Expect::Any),
        ] {
            let line = format!(r#"{{"stream":"s","type":"T","expect":{text}}}"#);
            assert_eq!(parse_event(line.as_bytes()).unwrap().expect, expect);
        }
    }

    #[test]
    fn a_commands_stream_fills_in_and_binds() {
        let stream = StreamName::new("s").unwrap();
        let defaults = Defaults { stream: Some(stream.clone()), expect: Expect::Exists };
        let EventLine { event, expects, .. } =
            parse_event_with(br#"{"type":"T"}"#, &defaults).unwrap();
        assert_eq!((event.stream, event.expect, expects), (stream, Expect::Exists, false));
        let own = parse_event_with(br#"{"type":"T","expect":"any"}"#, &defaults).unwrap();
        assert_eq!((own.event.expect, own.expects), (Expect::Any, true));
        let error = parse_event_with(br#"{"type":"T","stream":"t"}"#, &defaults).unwrap_err();
        assert!(error.reason.contains("for the stream `t`, the command for `s`"), "{error}");
    }
}
