//! One event, from the command line.

use ream::{Appended, Data, Expect, Json, JsonError, NewEvent, Store, wire};

use super::{AppendArgs, with_key};
use crate::args::{Format, Global};
use crate::output::{Output, escape, warn};
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
    if let Some(state) = &args.state {
        if !matches!(args.expect, Expect::At(_) | Expect::NoStream) {
            return Err(
                Refused::Usage("--state needs --expect N, or --expect no-stream".into()).into()
            );
        }
        event.state = Some(payload::data(&payload::read(state)?, false, "--state")?);
    }
    match args.data.as_deref() {
        None if args.base64 => event.data = Data::Bytes(Box::default()),
        None => {}
        Some("-") => event.data = data(args, &payload::read_stdin()?, None)?,
        Some(text) => event.data = data(args, text.as_bytes(), Some(text))?,
    }
    Ok(event)
}

/// The data in `bytes`; `word` where it stands on the command line.
fn data(args: &AppendArgs, bytes: &[u8], word: Option<&str>) -> anyhow::Result<Data> {
    if args.base64 {
        let text = String::from_utf8_lossy(bytes);
        return wire::decode_base64(text.trim()).map(Data::Bytes).map_err(invalid);
    }
    Json::parse_bytes(bytes).map(Data::Json).map_err(|error| {
        let message = format!("DATA is no JSON: {error}");
        Refused::Invalid { message, hint: word.and_then(|word| string_hint(args, word, &error)) }
            .into()
    })
}

/// For a bare word: the command with the word as a JSON string.
fn string_hint(args: &AppendArgs, word: &str, error: &JsonError) -> Option<String> {
    if error.line > 1 || word.starts_with(['{', '[', '"', '\u{feff}']) {
        return None;
    }
    let (stream, event_type) = (args.stream.as_ref()?, args.event_type.as_ref()?);
    let string = serde_json::to_string(word).ok()?;
    Some(format!(
        "a JSON string has quotes: ream append {} {} {}",
        quote(stream.as_str()),
        quote(event_type.as_str()),
        quote(&string)
    ))
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
    if let Some(warning) = store.warning() {
        warn(global, warning);
    }
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
