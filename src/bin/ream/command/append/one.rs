//! One event, from the command line.

use ream::{Data, Expect, Json, NewEvent, Store, Tags};

use super::AppendArgs;
use crate::args::{Format, Global};
use crate::command::acknowledgement::write_readable;
use crate::output::Output;
use crate::payload;
use crate::refused::{Refused, invalid};
use crate::signals::Signals;

/// The event that the arguments describe, for a store that takes data of at most `max_data` bytes.
pub(super) fn event(args: &AppendArgs, max_data: usize) -> anyhow::Result<NewEvent> {
    let most = payload::most_input(max_data);
    let (Some(stream), Some(event_type)) = (&args.stream, &args.event_type) else {
        return Err(Refused::Usage("STREAM and TYPE are needed".into()).into());
    };
    let mut event = NewEvent::new(stream.clone(), event_type.clone());
    event.expect = args.expect;
    event.id.clone_from(&args.id);
    event.time = args.time;
    event.tags = Tags::new(&args.tags).map_err(|error| invalid(error.to_string()))?;
    event.metadata = metadata(args, most)?;
    if let Some(state) = &args.state {
        if !matches!(args.expect, Expect::At(_) | Expect::NoStream) {
            return Err(
                Refused::Usage("--state needs --expect N, or --expect no-stream".into()).into()
            );
        }
        let given = payload::read(state, most)?;
        event.state = Some(Data::Json(payload::json(state, &given, "--state")?));
    }
    match args.data.as_deref() {
        None if args.base64 => event.data = Data::Bytes(Box::default()),
        None => {}
        Some(data) if args.base64 => event.data = payload::base64(&payload::read(data, most)?)?,
        Some(data) => {
            let given = payload::read(data, most)?;
            event.data = Data::Json(payload::json(data, &given, "DATA")?);
        }
    }
    Ok(event)
}

fn metadata(args: &AppendArgs, most: usize) -> anyhow::Result<Option<Json>> {
    let mut metadata = match &args.meta {
        Some(text) => {
            let json = payload::json(text, &payload::read(text, most)?, "--meta")?;
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
            let with = object.with_member(key, value);
            metadata = Some(with.ok_or_else(|| invalid(format!("--meta has `{key}` already")))?);
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
            Format::Table => write_readable(&mut buffer, &event.stream, appended),
            _ => {
                let id = event.id.as_ref();
                appended.write(&mut buffer, &event.stream, id);
                buffer.push(b'\n');
            }
        }
    }
    let reported = output.done(&buffer);
    reported?;
    Ok(signals.check()?)
}
