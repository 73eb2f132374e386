//! Events as CloudEvents 1.0, in the JSON format, one per line
//! (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>,
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>).
//!
//! The stream is `subject`, and the store is `source`, as `urn:ream:` and its id. Position and version are the
//! extensions `position` and `streamversion`, as numbers where CloudEvents' integers of 32 bits hold them, and as
//! texts otherwise. A redacted event has no data and the extension `redacted`. What metadata have under `correlation_id` and `causation_id` is `correlationid` and
//! `causationid`, where it is a text; all of the metadata is `metadata`, a text of JSON. The tags are `tags`, a text in which
//! spaces divide them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{LineError, decode_base64, write_id, write_number, write_payload, write_string};
use crate::event::{
    Data, DataRef, EventId, EventRef, EventType, Json, JsonError, NewEvent, StreamName, Tags,
};
use crate::excerpt::{QUOTED, excerpt};

/// What the source of an event of a store begins with.
const SOURCE: &str = "urn:ream:";

/// The attributes that hold what has a place of its own in an event, or in none.
const KNOWN: [&str; 14] = [
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
    "data",
    "data_base64",
    "metadata",
    "tags",
    "position",
    "streamversion",
];

/// Those of them that have no place in an event where another system gave them that name: they become metadata.
const OWN: [&str; 3] = ["dataschema", "metadata", "tags"];

/// The keys of metadata that are attributes of their own, and those.
const LINKS: [(&str, &str); 2] =
    [("correlation_id", "correlationid"), ("causation_id", "causationid")];

/// Appends `event` of the store with the id `store` to `line` as a CloudEvent, its end of line included.
pub fn write_cloud_event(line: &mut Vec<u8>, event: &EventRef<'_>, store: &str) {
    line.extend_from_slice(b"{\"specversion\":\"1.0\",\"id\":");
    write_id(line, event.given_id, &event.link, event.position);
    line.extend_from_slice(b",\"source\":\"");
    line.extend_from_slice(SOURCE.as_bytes());
    line.extend_from_slice(store.as_bytes());
    line.extend_from_slice(b"\",\"type\":");
    write_string(line, event.event_type);
    line.extend_from_slice(b",\"subject\":");
    write_string(line, event.stream);
    line.extend_from_slice(b",\"time\":\"");
    event.time.write(line);
    line.push(b'"');
    for (name, number) in [("position", event.position.0), ("streamversion", event.version.0)] {
        line.extend_from_slice(format!(",\"{name}\":").as_bytes());
        if i32::try_from(number).is_ok() {
            write_number(line, number);
        } else {
            write_string(line, &number.to_string());
        }
    }
    if let Some(tags) = event.tags.text() {
        line.extend_from_slice(b",\"tags\":");
        write_string(line, tags);
    }
    if let Some(metadata) = event.metadata {
        let texts: Option<Links> = serde_json::from_str(metadata).ok();
        let links = texts.map(|texts| [texts.correlation_id, texts.causation_id]);
        for ((_, attribute), text) in LINKS.iter().zip(links.into_iter().flatten()) {
            if let Some(serde_json::Value::String(text)) = text {
                line.extend_from_slice(format!(",\"{attribute}\":").as_bytes());
                write_string(line, &text);
            }
        }
        line.extend_from_slice(b",\"metadata\":");
        write_string(line, metadata);
    }
    if event.redacted {
        line.extend_from_slice(b",\"redacted\":true}\n");
        return;
    }
    let content = match event.data {
        DataRef::Json(_) => &b",\"datacontenttype\":\"application/json\""[..],
        DataRef::Bytes(_) => b",\"datacontenttype\":\"application/octet-stream\"",
    };
    line.extend_from_slice(content);
    write_payload(line, "data", event.data);
    line.extend_from_slice(b"}\n");
}

/// What metadata say of other events.
#[derive(Deserialize)]
struct Links {
    correlation_id: Option<serde_json::Value>,
    causation_id: Option<serde_json::Value>,
}

/// A CloudEvent, as far as it is known.
#[derive(Deserialize)]
struct CloudJson<'l> {
    specversion: String,
    id: String,
    source: String,
    #[serde(rename = "type")]
    event_type: String,
    subject: Option<String>,
    time: Option<String>,
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'l RawValue>,
    data_base64: Option<String>,
    metadata: Option<String>,
    #[serde(borrow)]
    tags: Option<&'l RawValue>,
    #[serde(default)]
    redacted: bool,
}

/// What is there, `null` too.
fn present<'de: 'l, 'l, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'l RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Reads an event from a CloudEvent in the JSON format. Its `subject` is the stream, and its `source` where it has
/// none. What another system sent has the id `SOURCE ID`, since its ids are unique within their source alone; a space
/// in the source, which is no URI then, is `%20` there, so that no two of them are one. Other attributes become
/// metadata.
///
/// # Errors
///
/// Where the line is not a CloudEvent 1.0, or what stands in it is no event of a store: a name that is not one, an id
/// of more than 255 bytes, metadata that are not an object or too deep.
pub fn parse_cloud_event(line: &[u8]) -> Result<NewEvent, LineError> {
    if line.trim_ascii_start().first() != Some(&b'{') {
        return Err(wrong("not a CloudEvent: expected a JSON object".into()));
    }
    let cloud: CloudJson<'_> = serde_json::from_slice(line).map_err(unread)?;
    if cloud.specversion != "1.0" {
        let version = excerpt(&cloud.specversion, QUOTED);
        let reason = format!("CloudEvents {version} are not known, 1.0 are");
        return Err(wrong(reason));
    }
    let is_ours = cloud.source.starts_with(SOURCE);
    if cloud.redacted && is_ours {
        return Err(wrong("the event was redacted, so there is nothing to store".into()));
    }
    let stream = cloud.subject.as_deref().unwrap_or(&cloud.source);
    let stream = StreamName::new(stream).map_err(|error| named("`subject`", &error))?;
    let event_type = EventType::new(&*cloud.event_type).map_err(|error| named("`type`", &error))?;
    let mut event = NewEvent::new(stream, event_type);
    event.id = Some(if is_ours {
        EventId::new(cloud.id).map_err(|error| named("`id`", &error))?
    } else {
        let id = format!("{} {}", cloud.source.replace(' ', "%20"), cloud.id);
        EventId::new(id).map_err(|error| named("`source` and `id` together", &error))?
    });
    if let Some(time) = &cloud.time {
        event.time = Some(time.parse().map_err(|error| named("`time`", &error))?);
    }
    event.data = match (cloud.data, cloud.data_base64) {
        (Some(_), Some(_)) => return Err(wrong("`data` and `data_base64` together".into())),
        (Some(json), None) => Data::Json(json_in(line, json, "`data`")?),
        (None, Some(text)) => {
            Data::Bytes(decode_base64(&text).map_err(|error| named("`data_base64`", &error))?)
        }
        (None, None) => event.data,
    };
    if let (true, Some(tags)) = (is_ours, cloud.tags) {
        let tags: String = serde_json::from_str(tags.get()).map_err(unread)?;
        event.tags = Tags::new(tags.split(' ')).map_err(|error| named("`tags`", &error))?;
    }
    event.metadata = match cloud.metadata {
        Some(text) if is_ours => Some(metadata(&text)?),
        _ => extensions(line, is_ours)?,
    };
    Ok(event)
}

/// What is wrong with a line as a whole.
fn wrong(reason: String) -> LineError {
    LineError { column: 1, reason }
}

/// What is wrong with an attribute.
fn named(what: &str, error: &dyn std::fmt::Display) -> LineError {
    wrong(format!("{what}: {error}"))
}

/// That a line can't be read.
fn unread(error: serde_json::Error) -> LineError {
    let JsonError { column, reason, .. } = error.into();
    LineError { column, reason: format!("not a CloudEvent: {reason}") }
}

/// A value of a line.
fn json_in(line: &[u8], raw: &RawValue, what: &str) -> Result<Json, LineError> {
    // `raw` borrows from the line, so their addresses tell.
    let before = raw.get().as_ptr().addr() - line.as_ptr().addr();
    Json::from_raw(raw).map_err(|error| LineError {
        column: before + error.column,
        reason: format!("{what}: {}", error.reason),
    })
}

/// The metadata of an event of a store.
fn metadata(text: &str) -> Result<Json, LineError> {
    let json = Json::parse(text).map_err(|error| named("`metadata`", &error))?;
    if json.is_object() {
        return Ok(json);
    }
    Err(named("`metadata`", &"expected a JSON object, as a text"))
}

/// What an event has besides, as metadata.
fn extensions(line: &[u8], is_ours: bool) -> Result<Option<Json>, LineError> {
    let all: BTreeMap<String, &RawValue> = serde_json::from_slice(line).map_err(unread)?;
    let mut metadata = BTreeMap::new();
    for (name, value) in all {
        let is_kept = OWN.contains(&&*name) && !(is_ours && name == "tags");
        if KNOWN.contains(&&*name) && !is_kept {
            continue;
        }
        let own = LINKS.iter().find(|(_, attribute)| *attribute == name);
        metadata.insert(own.map_or(name, |(key, _)| (*key).to_owned()), value);
    }
    if metadata.is_empty() {
        return Ok(None);
    }
    let text = serde_json::to_string(&metadata).map_err(unread)?;
    let json = Json::parse(&text).map_err(|error| named("the metadata", &error.reason))?;
    Ok(Some(json))
}
