//! Events, commands and replies as lines of JSON, coming in and going out.
//!
//! Payloads pass as text: never through a tree of values, which would respell numbers and drop
//! repeated keys.

mod cloud;
mod criteria;
mod duration;
mod key;
mod line;
mod lines;
mod object;
mod reply;

use std::borrow::Cow;

use base64::engine::general_purpose::STANDARD as BASE64;
use base64::{DecodeError, Engine as _};

use self::criteria::{write_condition, write_expect};
use crate::event::{
    AppendCondition, Cursor, DataRef, EventRef, Expect, Link, NewEvent, Position, TagsRef,
};

pub use cloud::{parse_cloud_event, write_cloud_event};
pub use criteria::{CriteriaParts, parse_query, query_text, write_query};
pub use duration::parse_duration;
pub use line::{Defaults, EventLine, parse_event, parse_event_with};
pub use lines::Lines;
pub use object::LineError;
pub(crate) use object::{Line, Text, object};
pub use reply::{AnyCommand, Members, Part, Parts, Reply, Role, Where, parse_command, parse_reply};

/// Appends `event` to `line` as one line of JSON, its end of line included.
pub fn write_event(line: &mut Vec<u8>, event: &EventRef<'_>) {
    line.extend_from_slice(b"{\"position\":");
    write_number(line, event.position.0);
    line.extend_from_slice(b",\"stream\":");
    write_string(line, event.stream);
    line.extend_from_slice(b",\"version\":");
    write_number(line, event.version.0);
    line.extend_from_slice(b",\"id\":");
    write_id(line, event.given_id, &event.link, event.position);
    line.extend_from_slice(b",\"type\":");
    write_string(line, event.event_type);
    line.extend_from_slice(b",\"time\":\"");
    event.time.write(line);
    if event.recorded != event.time {
        line.extend_from_slice(b"\",\"recorded\":\"");
        event.recorded.write(line);
    }
    line.push(b'"');
    write_tags(line, event.tags);
    if event.redacted {
        line.extend_from_slice(b",\"redacted\":true");
    } else {
        write_payload(line, "data", event.data);
    }
    if let Some(metadata) = event.metadata {
        line.extend_from_slice(b",\"metadata\":");
        line.extend_from_slice(metadata.as_bytes());
    }
    line.extend_from_slice(b"}\n");
}

/// Writes the tags of an event, where there are some.
fn write_tags(line: &mut Vec<u8>, tags: TagsRef<'_>) {
    let mut before: &[u8] = b",\"tags\":[";
    for tag in tags.iter() {
        line.extend_from_slice(before);
        write_string(line, tag);
        before = b",";
    }
    if !tags.is_empty() {
        line.push(b']');
    }
}

/// Writes the id of the event with this link that stands at `position`, as a JSON string: the one that it was given,
/// or the one that it is known by.
pub(crate) fn write_id(text: &mut Vec<u8>, given: Option<&str>, link: &Link, position: Position) {
    match given {
        Some(id) => write_string(text, id),
        None => {
            text.push(b'"');
            write_derived_id(text, link, position);
            text.push(b'"');
        }
    }
}

/// Appends to `text` the id of the event with this link that stands at `position` and has none of its own.
pub fn write_derived_id(text: &mut Vec<u8>, link: &Link, position: Position) {
    text.extend_from_slice(&link.prefix());
    text.push(b'/');
    write_number(text, position.0);
}

/// Appends an event that is yet to be stored to `line`, without an end of line: as [`parse_event`]
/// reads it.
pub fn write_new_event(line: &mut Vec<u8>, event: &NewEvent) {
    line.extend_from_slice(b"{\"stream\":");
    write_string(line, event.stream.as_str());
    line.extend_from_slice(b",\"type\":");
    write_string(line, event.event_type.as_str());
    if let Some(id) = &event.id {
        line.extend_from_slice(b",\"id\":");
        write_string(line, id.as_str());
    }
    if let Some(time) = event.time {
        line.extend_from_slice(b",\"time\":\"");
        time.write(line);
        line.push(b'"');
    }
    write_tags(line, event.tags.borrow());
    write_payload(line, "data", event.data.borrow());
    if let Some(metadata) = &event.metadata {
        line.extend_from_slice(b",\"metadata\":");
        line.extend_from_slice(metadata.as_str().as_bytes());
    }
    if let Some(expected) = expected(event) {
        line.extend_from_slice(b",\"expect\":");
        match expected {
            Expected::Of(expect) => write_expect(line, expect),
            Expected::Condition(condition) => write_condition(line, &condition),
        }
    }
    if let Some(state) = &event.state {
        write_payload(line, "state", state.borrow());
    }
    line.push(b'}');
}

/// What a line says under `expect`.
enum Expected<'e> {
    Of(Expect),
    Condition(Cow<'e, AppendCondition>),
}

/// What has to hold before an event is stored, as a line says it: nothing where nothing has to.
fn expected(event: &NewEvent) -> Option<Expected<'_>> {
    let Some(condition) = event.condition.as_deref() else {
        return (event.expect != Expect::Any).then_some(Expected::Of(event.expect));
    };
    let mut condition = Cow::Borrowed(condition);
    if event.expect != Expect::Any && condition.expected_of(&event.stream).is_none() {
        condition.to_mut().versions.push((event.stream.clone(), event.expect));
    }
    Some(Expected::Condition(condition))
}

/// Writes a payload behind other keys, under `key` where it is JSON, and `key_base64` where it is not.
pub fn write_payload(line: &mut Vec<u8>, key: &str, data: DataRef<'_>) {
    line.extend_from_slice(b",\"");
    line.extend_from_slice(key.as_bytes());
    match data {
        DataRef::Json(json) => {
            line.extend_from_slice(b"\":");
            line.extend_from_slice(json.as_bytes());
        }
        DataRef::Bytes(bytes) => {
            line.extend_from_slice(b"_base64\":\"");
            line.extend_from_slice(encode_base64(bytes).as_bytes());
            line.push(b'"');
        }
    }
}

/// Writes behind other keys that something was stored before, where it was, and that it was removed or redacted
/// since.
pub fn write_repeated(line: &mut Vec<u8>, duplicate: bool, removed: bool, redacted: bool) {
    if duplicate {
        line.extend_from_slice(b",\"duplicate\":true");
    }
    if removed {
        line.extend_from_slice(b",\"removed\":true");
    }
    if redacted {
        line.extend_from_slice(b",\"redacted\":true");
    }
}

/// Writes the line before the events that are read: the first position that is looked at, and up to where all that is
/// chosen is given.
pub fn write_bounds(line: &mut Vec<u8>, from: Position, head: &Cursor) {
    line.extend_from_slice(b"{\"from\":");
    write_number(line, from.0);
    line.extend_from_slice(b",\"head\":");
    write_number(line, head.position.0);
    line.extend_from_slice(b",\"cursor\":");
    write_string(line, &head.to_string());
    line.extend_from_slice(b"}\n");
}

/// Writes the line behind the events that are read: that all were given up to the position `head`.
pub fn write_caught_up(line: &mut Vec<u8>, head: Position) {
    line.extend_from_slice(b"{\"caught_up\":");
    write_number(line, head.0);
    line.extend_from_slice(b"}\n");
}

/// Writes `number` in decimal.
pub fn write_number(line: &mut Vec<u8>, number: u64) {
    line.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Writes `number` in decimal.
pub fn write_integer(line: &mut Vec<u8>, number: i64) {
    line.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Writes a finite `number` with as few digits as tell it from every other.
pub fn write_float(line: &mut Vec<u8>, number: f64) {
    // Writing a number into memory does not fail.
    let _ = serde_json::to_writer(line, &number);
}

/// Writes `text` as a JSON string; as it stands where nothing in it needs an escape.
pub fn write_string(line: &mut Vec<u8>, text: &str) {
    if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        // Writing a string into memory does not fail.
        let _ = serde_json::to_writer(line, text);
    } else {
        line.push(b'"');
        line.extend_from_slice(text.as_bytes());
        line.push(b'"');
    }
}

/// Encodes bytes as base64 (RFC 4648, the standard alphabet, padded).
#[must_use]
pub fn encode_base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Decodes base64 (RFC 4648, the standard alphabet, padded).
///
/// # Errors
///
/// What is wrong with the text.
pub fn decode_base64(text: &str) -> Result<Box<[u8]>, String> {
    let decoded = BASE64.decode(text).map(Vec::into_boxed_slice);
    decoded.map_err(|error| format!("not valid base64: {}", base64_fault(text, &error)))
}

fn base64_fault(text: &str, error: &DecodeError) -> String {
    match error {
        DecodeError::InvalidByte(offset, _) => {
            let found =
                text.get(*offset..).and_then(|rest| rest.chars().next()).unwrap_or_default();
            format!("{found:?} at byte {} is not of its alphabet", offset + 1)
        }
        DecodeError::InvalidLength(_) => "its length is not a multiple of four".into(),
        DecodeError::InvalidLastSymbol { .. } => "its last character has bits too many".into(),
        DecodeError::InvalidPadding => "its padding with `=` is missing or wrong".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Tags, Timestamp, Version};

    fn event<'a>(data: DataRef<'a>, given_id: Option<&'a str>) -> EventRef<'a> {
        EventRef {
            position: Position(1842),
            stream: "order-\"42\"",
            version: Version(3),
            given_id,
            event_type: "OrderPaid",
            time: Timestamp::from_micros(1_795_409_353_784_077).unwrap(),
            recorded: Timestamp::from_micros(1_795_409_353_784_077).unwrap(),
            tags: TagsRef::default(),
            data,
            metadata: None,
            redacted: false,
            link: Link::from_bytes(&[0; 16]).unwrap(),
        }
    }

    fn line(event: &EventRef<'_>) -> String {
        let mut line = Vec::new();
        write_event(&mut line, event);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn an_event_is_one_line_in_a_fixed_order() {
        let mut event = event(DataRef::Json(r#"{"a":1.0}"#), None);
        assert_eq!(
            line(&event),
            concat!(
                r#"{"position":1842,"stream":"order-\"42\"","version":3,"id":"0000000000000/1842","#,
                r#""type":"OrderPaid","time":"2026-11-23T04:49:13.784077Z","data":{"a":1.0}}"#,
                "\n"
            )
        );
        event.metadata = Some(r#"{"m":2}"#);
        event.recorded = event.time.plus_micros(1);
        assert!(line(&event).contains(r#","recorded":"2026-11-23T04:49:13.784078Z","data""#));
        let tags = Tags::new(["b", "a\"", "b"]).unwrap();
        event.tags = tags.borrow();
        assert!(line(&event).contains(r#"78Z","tags":["a\"","b"],"data""#));
        assert_eq!(parse_event(line(&event).as_bytes()).unwrap().tags, tags);
        assert!(line(&event).ends_with(",\"metadata\":{\"m\":2}}\n"));
    }

    #[test]
    fn a_redacted_event_says_so_and_is_not_taken_in_again() {
        let event = EventRef { redacted: true, ..event(DataRef::Json("{}"), Some("a")) };
        let line = line(&event);
        assert!(line.ends_with("Z\",\"redacted\":true}\n"), "{line}");
        let refused = parse_event(line.as_bytes()).unwrap_err();
        assert!(refused.reason.starts_with("the event was redacted, "), "{refused}");
        parse_event(line.replace("true", "false").as_bytes()).unwrap();
    }

    #[test]
    fn bytes_go_out_as_base64_and_come_in_again() {
        let line = line(&event(DataRef::Bytes(b"\0\xff"), Some("a\\b")));
        assert!(line.contains(r#""id":"a\\b""#), "{line}");
        assert!(line.contains(r#","data_base64":"AP8="}"#), "{line}");
        let parsed = parse_event(line.as_bytes()).unwrap();
        assert_eq!(parsed.data.borrow(), DataRef::Bytes(b"\0\xff"));
        assert_eq!(parsed.id.unwrap().as_str(), "a\\b");
    }

    #[test]
    fn an_event_to_append_is_read_as_it_was_written() {
        for line in [
            r#"{"stream":"s","type":"T","data":{}}"#,
            r#"{"stream":"s","type":"T","id":"a\"","time":"2026-11-23T04:49:13.784077Z","data":[1.0],"metadata":{"m":1},"expect":3,"state":{"n":2}}"#,
            r#"{"stream":"s","type":"T","data_base64":"AP8=","expect":"no-stream","state_base64":"AP8="}"#,
            r#"{"stream":"s","type":"T","data":{},"expect":{"versions":{"t":3},"none":[{"tags":["a"]}],"after":7}}"#,
        ] {
            let mut written = Vec::new();
            write_new_event(&mut written, &parse_event(line.as_bytes()).unwrap());
            assert_eq!(String::from_utf8(written).unwrap(), line);
        }
    }

    #[test]
    fn what_is_wrong_with_base64_is_said_in_words() {
        for (text, fault) in [
            ("?", "'?' at byte 1 is not of its alphabet"),
            ("AAé=", "'é' at byte 3 is not of its alphabet"),
            ("AAAAA", "its length is not a multiple of four"),
            ("AA==AA==", "'=' at byte 3 is not of its alphabet"),
            ("AP9=", "its last character has bits too many"),
            ("AP8", "its padding with `=` is missing or wrong"),
        ] {
            assert_eq!(decode_base64(text), Err(format!("not valid base64: {fault}")), "{text}");
        }
    }

    #[test]
    fn numbers_have_their_digits() {
        for number in [0, 7, 10, 1842, u64::MAX] {
            let mut line = Vec::new();
            write_number(&mut line, number);
            assert_eq!(String::from_utf8(line).unwrap(), number.to_string());
        }
    }
}
