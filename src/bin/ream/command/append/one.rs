//! One event, from the command line.

use std::collections::HashMap;

use ream::{Appended, Data, Expect, Json, NewEvent, Store, wire};
use serde_json::value::RawValue;

use super::AppendArgs;
use crate::args::{Format, Global};
use crate::output::{Output, escape, warn_of};
use crate::payload;
use crate::refused::{Refused, invalid, quote};
use crate::signals::Signals;

/// The event that the arguments describe.
pub(super) fn event(args: &AppendArgs) -> anyhow::Result<NewEvent> {
    let (Some(stream), Some(event_type)) = (&args.stream, &args.event_type) else {
        return Err(Refused::Usage("STREAM and TYPE are needed".into()).into());
    };
    let mut event = NewEvent::new(stream.clone(), event_type.clone());
    event.expect = args.expect;
    event.id.clone_from(&args.id);
    event.time = args.time;
    event.metadata = metadata(args)?;
    let command = format!("ream append {} {}", quote(stream.as_str()), quote(event_type.as_str()));
    if let Some(state) = &args.state {
        if !matches!(args.expect, Expect::At(_) | Expect::NoStream) {
            return Err(
                Refused::Usage("--state needs --expect N, or --expect no-stream".into()).into()
            );
        }
        let command = format!("{command} --expect {} --state", args.expect);
        event.state =
            Some(payload::data(state, &payload::read_or_file(state)?, "--state", &command)?);
    }
    match args.data.as_deref() {
        None if args.base64 => event.data = Data::Bytes(Box::default()),
        None => {}
        Some(data) if args.base64 => event.data = payload::base64(&payload::read(data)?)?,
        Some(data) => event.data = payload::data(data, &payload::read(data)?, "DATA", &command)?,
    }
    Ok(event)
}

fn metadata(args: &AppendArgs) -> anyhow::Result<Option<Json>> {
    let mut metadata = match &args.meta {
        Some(text) => {
            let json = Json::parse(text)
                .map_err(|error| invalid(format!("--meta is no JSON: {error}")))?;
            if !json.is_object() {
                return Err(invalid("--meta must be a JSON object"));
            }
            Some(json)
        }
        None => None,
    };
    for (key, value) in [("correlation_id", &args.correlation), ("causation_id", &args.causation)] {
        if let Some(value) = value {
            let object = metadata.unwrap_or_else(Json::empty_object);
            metadata = Some(with_key(&object, key, value)?);
        }
    }
    Ok(metadata)
}

/// Puts `"key":"value"` at the end of a JSON object, as text.
fn with_key(object: &Json, key: &str, value: &str) -> anyhow::Result<Json> {
    let keys: HashMap<String, &RawValue> = serde_json::from_str(object.as_str())?;
    if keys.contains_key(key) {
        return Err(invalid(format!("--meta has `{key}` already")));
    }
    let value = serde_json::to_string(value)?;
    let members = object.as_str().trim_start_matches('{').strip_suffix('}').unwrap_or_default();
    let comma = if members.is_empty() { "" } else { "," };
    Ok(Json::parse(&format!("{{{members}{comma}\"{key}\":{value}}}"))?)
}

/// Appends the event and tells where it stands.
pub(super) fn append(
    event: NewEvent,
    global: &Global,
    store: &mut Store,
    signals: &Signals,
) -> anyhow::Result<()> {
    let events = [event];
    let appended = signals.hold(|| store.append(&events))?;
    let mut buffer = Vec::new();
    let output = Output::new(global);
    for (event, appended) in events.iter().zip(&appended) {
        match output.format {
            Format::Table if global.quiet => {}
            Format::Table => buffer.extend_from_slice(readable(event, appended).as_bytes()),
            Format::Json | Format::Jsonl => acknowledge(&mut buffer, event, appended, store.id()),
        }
    }
    output.write(&buffer)?;
    warn_of(global, store);
    Ok(signals.check()?)
}

fn readable(event: &NewEvent, appended: &Appended) -> String {
    let note = match (appended.duplicate, appended.removed) {
        (true, true) => " (stored before, and removed since)",
        (true, false) => " (stored before)",
        _ => "",
    };
    format!(
        "{}@{} at position {}{note}\n",
        escape(event.stream.as_str()),
        appended.version,
        appended.position
    )
}

/// Writes the acknowledgement of an event as a line of JSON.
pub(super) fn acknowledge(
    line: &mut Vec<u8>,
    event: &NewEvent,
    appended: &Appended,
    store_id: &str,
) {
    line.extend_from_slice(b"{\"stream\":");
    wire::write_string(line, event.stream.as_str());
    line.extend_from_slice(b",\"version\":");
    wire::write_number(line, appended.version.0);
    line.extend_from_slice(b",\"position\":");
    wire::write_number(line, appended.position.0);
    line.extend_from_slice(b",\"id\":");
    match &event.id {
        Some(id) => wire::write_string(line, id.as_str()),
        None => {
            line.push(b'"');
            line.extend_from_slice(store_id.as_bytes());
            line.push(b'/');
            wire::write_number(line, appended.position.0);
            line.push(b'"');
        }
    }
    if appended.duplicate {
        line.extend_from_slice(b",\"duplicate\":true");
    }
    if appended.removed {
        line.extend_from_slice(b",\"removed\":true");
    }
    line.extend_from_slice(b"}\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_added_to_an_object_as_it_stands() {
        let add = |object: &str| with_key(&Json::parse(object).unwrap(), "k", "v\"");
        assert_eq!(add("{}").unwrap().as_str(), r#"{"k":"v\""}"#);
        assert_eq!(add(r#"{"n":1.0,"o":{}}"#).unwrap().as_str(), r#"{"n":1.0,"o":{},"k":"v\""}"#);
        assert!(add(r#"{"k":1}"#).is_err());
        assert!(add(r#"{"o":{"k":1}}"#).is_ok());
    }
}
