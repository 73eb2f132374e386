//! What a request does on a store, and its answer. Knows no socket.

use std::ops::ControlFlow;

use super::answer::{Answer, Line, failure, list, of_state, refusal, wrong};
use super::assignments;
use super::message::{Publish, Request, dashed};
use crate::event::{Data, EventType, Expect, Json, NewEvent, Pattern, StreamName};
use crate::expression::{Condition, Parameters};
use crate::schema::{Definition, Identifier, OpenDefinition, Row, RowWriter, SchemaBuilder, Value};
use crate::store::{
    Appended, Batched, Error, NewState, Projection, ProjectionEntry, Selection, Stopped, Store,
};
use crate::wire::LineError;

/// How many names are read at once.
const NAMES: usize = 1000;
/// How long an answer to a SELECT may be, in bytes.
const SELECTED: usize = 64 << 20;
/// The type of an event that is published without one.
const EVENT: &str = "Event";

/// Why a request is refused.
enum Refused {
    /// For this reason.
    Reason(String),
    Store(Error),
    /// Rows are stored, and a power loss may take them back.
    Unsettled(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// A refusal for what an error says.
fn because(error: impl std::fmt::Display) -> Refused {
    Refused::Reason(error.to_string())
}

/// That a payload is no JSON.
fn invalid(error: impl std::fmt::Display) -> Refused {
    Refused::Reason(format!("Invalid message: {error}"))
}

type Done = Result<Answer, Refused>;

/// Does what a request asks for, but for what a connection does by itself and with events.
pub(super) fn perform(
    store: &mut Store,
    request: &Request,
    payloads: &[Vec<u8>],
    minor: u64,
) -> Answer {
    let payload = |at: usize| payloads.get(at).map(Vec::as_slice).unwrap_or_default();
    let done = match request {
        Request::ListStreams => list_streams(store),
        Request::RemoveStream { stream } => remove_stream(store, stream),
        Request::SetState { kind, id } => set_state(store, kind, *id, payload(0)),
        Request::GetState { kind, id } => get_state(store, kind, *id),
        Request::RemoveState { kind, id } => remove_state(store, kind, *id),
        Request::ListKinds => list_kinds(store),
        Request::Create { projection, fields } => create(store, projection, fields),
        Request::Drop { projection } => drop_projection(store, projection),
        Request::Set { projection } => set(store, projection, payload(0)),
        Request::Select { projection } => select(store, projection, payload(0)),
        Request::Update { projection } => update(store, projection, payload(0), payload(1)),
        Request::Delete { projection } => delete(store, projection, payload(0)),
        _ => Err(Refused::Reason("this is not done here".into())),
    };
    done.unwrap_or_else(|refused| match refused {
        Refused::Reason(reason) => refusal(request, &reason).into(),
        Refused::Store(error) => failure(request, minor, &error),
        // No word may say that they are not stored.
        Refused::Unsettled(error) => wrong(&format!("outcome unknown: {error}"), true),
    })
}

/// The event that is to be published, with its payloads.
pub(super) fn event(publish: &Publish, payloads: Vec<Vec<u8>>) -> Result<NewEvent, String> {
    let mut payloads = payloads.into_iter();
    let mut payload = || payloads.next().unwrap_or_default();
    let json = |bytes: &[u8]| {
        Json::parse_bytes(bytes).map_err(|error| format!("Invalid message: {error}"))
    };
    let stream = StreamName::new(&*publish.stream).map_err(|error| error.to_string())?;
    let event_type = EventType::new(publish.event_type.as_deref().unwrap_or(EVENT));
    let mut event = NewEvent::new(stream, event_type.map_err(|error| error.to_string())?);
    let data = payload();
    event.data = if publish.bytes { Data::Bytes(data.into()) } else { Data::Json(json(&data)?) };
    if publish.metadata {
        let metadata = json(&payload())?;
        if !metadata.is_object() {
            return Err("Invalid message: metadata are a JSON object".into());
        }
        event.metadata = Some(metadata);
    }
    if publish.state {
        event.state = Some(Data::Json(json(&payload())?));
    }
    event.expect = publish.expect.unwrap_or(Expect::Any);
    let id = publish.id.as_ref().map(|id| id.parse());
    event.id = id.transpose().map_err(|error: crate::event::NameError| error.to_string())?;
    Ok(event)
}

/// What a publisher is told.
pub(super) fn published(
    publish: &Publish,
    minor: u64,
    done: &Result<Vec<Appended>, Stopped>,
) -> Answer {
    let appended = match done {
        Ok(appended) => appended,
        Err(Stopped { error, .. }) => {
            return failure(&Request::Publish(publish.clone()), minor, error);
        }
    };
    let Some(Appended { position, version, duplicate, .. }) = appended.first() else {
        return refusal(&Request::Publish(publish.clone()), "nothing was stored").into();
    };
    let mut line = Line::new("EVENT PUBLISHED").name(&publish.stream).number(version.0);
    if minor > 0 {
        line = line.number(position.0);
        if *duplicate {
            line = line.words("DUPLICATE");
        }
    }
    line.end().into()
}

fn list_streams(store: &Store) -> Done {
    let (mut names, mut after) = (Vec::new(), None::<String>);
    loop {
        let streams = store.streams(&Pattern::all(), after.as_deref(), NAMES)?;
        let is_last = streams.len() < NAMES;
        names.extend(streams.into_iter().map(|stream| stream.name));
        if is_last {
            return Ok(list("EVENT LISTED", names.iter().map(StreamName::as_str)));
        }
        after = names.last().map(ToString::to_string);
    }
}

fn remove_stream(store: &mut Store, name: &str) -> Done {
    let stream = StreamName::new(name).map_err(because)?;
    store.remove(&[stream])?;
    Ok(Line::new("EVENT REMOVED").name(name).end().into())
}

/// The stream whose state that of a kind and an id is.
fn stream_of(kind: &str, id: u128) -> Result<StreamName, Refused> {
    if kind.contains('-') {
        return Err(Refused::Reason(format!("`{kind}` is no kind: it has a `-`")));
    }
    StreamName::new(format!("{kind}-{}", dashed(id))).map_err(because)
}

fn set_state(store: &mut Store, kind: &str, id: u128, payload: &[u8]) -> Done {
    let data = Json::parse_bytes(payload).map_err(invalid)?;
    store.set_state(&NewState::new(stream_of(kind, id)?, Data::Json(data)))?;
    Ok(of_state("AGGREGATE SET DONE", kind, id).end().into())
}

fn get_state(store: &Store, kind: &str, id: u128) -> Done {
    let state = match store.state(stream_of(kind, id)?.as_str()) {
        Err(Error::StateNotFound { .. }) => return Err(Refused::Reason("Not found".into())),
        state => state?,
    };
    let payload = match &state.data {
        Data::Json(json) => json.as_str().as_bytes(),
        Data::Bytes(bytes) => bytes,
    };
    let line = of_state("AGGREGATE GOT", kind, id).number(payload.len() as u64);
    Ok(line.payload(payload).into())
}

fn remove_state(store: &mut Store, kind: &str, id: u128) -> Done {
    match store.remove_states(&[stream_of(kind, id)?]) {
        Err(Error::StateNotFound { .. }) => {}
        removed => drop(removed?),
    }
    Ok(of_state("AGGREGATE REMOVED", kind, id).end().into())
}

fn list_kinds(store: &Store) -> Done {
    let kinds = store.state_categories()?;
    Ok(list("AGGREGATE LISTED", kinds.iter().map(|kind| kind.category.as_str())))
}

fn create(store: &mut Store, name: &str, fields: &[String]) -> Done {
    let projection: Identifier = name.parse().map_err(because)?;
    let (mut schema, mut key) = (SchemaBuilder::default(), None);
    let is_open = fields.iter().all(|field| !field.contains(':'));
    for field in fields {
        let (mark, field) = match field.as_bytes().first() {
            Some(b'+') => ("unique", &field[1..]),
            Some(b'*') => ("index", &field[1..]),
            _ => ("", field.as_str()),
        };
        let field_name = field.split(':').next().unwrap_or_default();
        let typed = if is_open { format!("{field}:text") } else { field.to_owned() };
        schema.field(&typed).map_err(because)?;
        match mark {
            "unique" if key.is_none() => key = Some(field_name),
            "unique" => schema.unique(&[field_name]),
            "index" => schema.index(&[field_name]),
            _ => {}
        }
    }
    if let Some(key) = key {
        schema.key(&[key]).map_err(because)?;
    }
    let schema = schema.build().map_err(because)?;
    if is_open {
        store.create_open_projection(&projection, &OpenDefinition::of(&schema))?;
    } else {
        let definition = Definition::new(schema);
        store.create_projection(&ProjectionEntry::new(projection, definition))?;
    }
    Ok(Line::new("PROJECTION CREATED").name(name).end().into())
}

fn drop_projection(store: &mut Store, name: &str) -> Done {
    store.drop_projection(&name.parse().map_err(because)?)?;
    Ok(Line::new("PROJECTION DROPPED").name(name).end().into())
}

/// That a payload is no row.
fn no_row(error: LineError) -> Refused {
    // Where a field is missing, the column is only that of the end.
    if error.reason.ends_with("` is missing") { because(error.reason) } else { invalid(error) }
}

fn set(store: &mut Store, name: &str, payload: &[u8]) -> Done {
    if let Some(open) = store.open_projection(name)? {
        let definition = open.typed_by(payload).map_err(no_row)?;
        let entry = ProjectionEntry::new(name.parse().map_err(because)?, definition);
        match store.create_projection(&entry) {
            // Another row was faster, and is the first one.
            Err(Error::ProjectionExists(_)) => {}
            created => drop(created?),
        }
    }
    let mut projection = store.projection(name)?;
    let row = Row::parse(payload, projection.schema()).map_err(no_row)?;
    let done = projection.set(std::slice::from_ref(&row), Batched::AllOrNone)?;
    if let Some(stopped) = done.stopped {
        return Err(stopped.error.into());
    }
    // No events are there to make the rows again.
    projection.settle().map_err(Refused::Unsettled)?;
    let key = projection.schema().key().first().and_then(|key| row.values().get(*key));
    let line = Line::new("PROJECTION SET DONE").name(name);
    let line = match key {
        Some(Value::Integer(number)) if *number >= 0 => line.number(number.unsigned_abs()),
        Some(Value::Text(text)) => line.text(text),
        Some(value) => {
            let mut json = Vec::new();
            value.borrow(&mut String::new()).write(&mut json);
            line.text(String::from_utf8_lossy(&json).trim_matches('"'))
        }
        None => line,
    };
    Ok(line.end().into())
}

/// The text of a condition or of assignments.
fn text(payload: &[u8]) -> Result<&str, Refused> {
    std::str::from_utf8(payload).map_err(invalid)
}

/// The condition that a payload is.
fn condition(payload: &[u8], projection: &Projection) -> Result<Condition, Refused> {
    if payload.is_empty() {
        return Err(Refused::Reason("a condition is needed".into()));
    }
    Condition::new(text(payload)?, projection.schema(), &Parameters::default()).map_err(because)
}

fn select(store: &Store, name: &str, payload: &[u8]) -> Done {
    let line = Line::new("PROJECTION SELECTED").name(name);
    let projection = match store.projection(name) {
        // It has no row yet.
        Err(Error::ProjectionOpen(_)) => return Ok(line.number(2).payload(b"[]").into()),
        projection => projection?,
    };
    let schema = projection.schema();
    let mut selection = Selection::all(schema);
    if !payload.is_empty() {
        selection.condition = Some(condition(payload, &projection)?);
    }
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name.as_str()).collect();
    let (writer, mut rows, mut failed) = (RowWriter::new(&names), vec![b'['], None);
    projection.select(&selection, |row| {
        if rows.len() > 1 {
            rows.push(b',');
        }
        if let Err(error) = writer.write(&mut rows, |place| row.value(place)) {
            failed = Some(error);
        }
        let goes_on = failed.is_none() && rows.len() < SELECTED;
        if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    rows.push(b']');
    if rows.len() > SELECTED {
        return Err(Refused::Reason("the rows are more than an answer takes".into()));
    }
    Ok(line.number(rows.len() as u64).payload(&rows).into())
}

fn update(store: &Store, name: &str, asked: &[u8], assignments: &[u8]) -> Done {
    let line = Line::new("PROJECTION UPDATED").name(name);
    let mut projection = match store.projection(name) {
        Err(Error::ProjectionOpen(_)) => return Ok(line.number(0).end().into()),
        projection => projection?,
    };
    let condition = condition(asked, &projection)?;
    let set = assignments::read(text(assignments)?, projection.schema()).map_err(because)?;
    let updated = projection.update(&set, Some(&condition), false)?;
    // No events are there to make the rows again.
    projection.settle().map_err(Refused::Unsettled)?;
    Ok(line.number(updated).end().into())
}

fn delete(store: &Store, name: &str, asked: &[u8]) -> Done {
    let line = Line::new("PROJECTION DELETED").name(name);
    let mut projection = match store.projection(name) {
        Err(Error::ProjectionOpen(_)) => return Ok(line.number(0).end().into()),
        projection => projection?,
    };
    let condition = condition(asked, &projection)?;
    let deleted = projection.delete(&condition, false)?;
    // No events are there to make the rows again.
    projection.settle().map_err(Refused::Unsettled)?;
    // What a reader is in the way of is erased with what is deleted next.
    let _ = store.erase_rows(&projection);
    Ok(line.number(deleted).end().into())
}
