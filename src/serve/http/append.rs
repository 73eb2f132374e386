//! `POST /streams/{stream}` and `POST /events`: what is appended.

mod coming;
mod importing;
pub(super) mod lines;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::Response;

use super::backend::Backend;
use super::body::{self, JSON, Received};
use super::name::stream_in;
use super::parameters::Parameters;
use super::problem::Problem;
use super::schemas::{AcknowledgementJson, AcknowledgementLineJson, NewEventJson, ProblemJson};
use crate::event::{
    AppendCondition, Cursor, Data, EventId, EventType, Expect, Json, NewEvent, Position, Tags,
};
use crate::serve::memory::Reserved;
use crate::store::Appended;
use crate::wire::parse_query;

/// What the body of an event may be.
const TAKEN: &str = "application/json, application/octet-stream (bytes) and application/jsonl (an event on each line)";

/// Appends an event to a stream, or one on each line.
#[utoipa::path(
    post,
    path = "/streams/{stream}",
    operation_id = "append_event",
    params(
        ("stream" = String, Path, min_length = 1, description = "The stream; one whose name an address would bend is named by `POST /streams?stream=`"),
        ("type" = Option<String>, Query, min_length = 1, description = "The event's type; needed but for lines"),
        ("expect" = Option<String>, Query, pattern = "^(any|no-stream|exists|[0-9]+)$", description = "What the stream is like: `any`, `no-stream`, `exists`, or its version"),
        ("none" = Option<String>, Query, min_length = 1, description = "What must not be there: a query, in words or in JSON"),
        ("none-after" = Option<String>, Query, description = "With `none`: only what follows a position or a cursor"),
        ("id" = Option<String>, Query, min_length = 1, description = "The event's id: with it the request can be repeated"),
        ("metadata" = Option<String>, Query, description = "A JSON object"),
        ("time" = Option<String>, Query, format = DateTime, description = "When it took place"),
        ("tag" = Option<Vec<String>>, Query, description = "What it is about besides its stream; may be repeated"),
        ("atomic" = Option<bool>, Query, description = "Of lines: store all, or none")
    ),
    request_body(description = "The event's data, or with `application/jsonl` an event on each line", content(
        (serde_json::Value = "application/json"),
        (Vec<u8> = "application/octet-stream"),
        (NewEventJson = "application/jsonl")
    )),
    responses(
        (status = 200, description = "Where it is stored; of lines, an acknowledgement on each line, the last of which says how it ended", content(
            (AcknowledgementJson = "application/json"),
            (AcknowledgementLineJson = "application/jsonl")
        )),
        (status = "default", description = "What went wrong", body = ProblemJson, content_type = "application/problem+json")
    )
)]
pub(super) async fn append(
    State(backend): State<Arc<Backend>>,
    request: Request,
) -> Result<Response, Problem> {
    // As extractors, these would be copies.
    let (Parts { uri, headers, .. }, body) = request.into_parts();
    let given = uri.query();
    let kind = body::kind(&headers)?;
    if kind.as_deref().is_some_and(body::is_lines) {
        let known = ["stream", "expect", "atomic"];
        let parameters = Parameters::read(given, &known, None)?;
        let stream = stream_in(&uri, "/streams/", &parameters)?;
        let expect = parameters.one_as::<Expect>("expect")?.unwrap_or_default();
        return lines::append_to(&backend, Some(stream), expect, parameters.is("atomic")?, body)
            .await;
    }
    let known = ["stream", "type", "expect", "none", "none-after", "id", "metadata", "time", "tag"];
    let parameters = Parameters::read(given, &known, None)?;
    let stream = stream_in(&uri, "/streams/", &parameters)?;
    let event_type = parameters.one_as::<EventType>("type")?;
    let event_type = event_type.ok_or_else(|| {
        let problem = Problem::usage("the event has no type");
        problem.with_detail("name one in the parameter `type`")
    })?;
    let is_bytes = match kind.as_deref() {
        Some("application/octet-stream") => true,
        None | Some(JSON) => false,
        Some(kind) if kind.ends_with("+json") => false,
        Some(kind) => return Err(body::unsupported(kind, TAKEN)),
    };
    let mut event = NewEvent::new(stream, event_type);
    event.expect = parameters.one_as("expect")?.unwrap_or_default();
    event.condition = condition(&parameters)?;
    event.id = parameters.one_as::<EventId>("id")?;
    event.time = parameters.one_as("time")?;
    event.tags = Tags::new(parameters.all("tag"))
        .map_err(|error| Problem::usage(format!("the parameter `tag` can't be used: {error}")))?;
    event.metadata = metadata(&parameters)?;
    let max_data = backend.limits.data;
    let Received { bytes, room, more } =
        body::receive(body, body::most(max_data), &backend.memory).await?;
    event.data = match (is_bytes, bytes.is_empty()) {
        (true, _) => Data::Bytes(bytes.into()),
        (false, true) => Data::Json(Json::empty_object()),
        (false, false) => Data::Json(
            Json::parse_bytes(&bytes).map_err(|error| body::no_json("the data", &error))?,
        ),
    };
    let (stream, id) = (event.stream.clone(), event.id.clone());
    let appended = store(&backend, event, room).await?;
    drop(more);
    let mut line = Vec::new();
    appended.write(&mut line, &stream, id.as_ref());
    line.push(b'\n');
    Ok(body::whole(JSON, line))
}

/// Stores an event.
async fn store(
    backend: &Arc<Backend>,
    event: NewEvent,
    room: Reserved,
) -> Result<Appended, Problem> {
    if event.condition.is_none() {
        return backend.append(event, room).await;
    }
    // It may have to look at many events first, and no group waits for that.
    let appended = backend.change(move |store| Ok(store.append(&[event])?)).await?;
    drop(room);
    appended.into_iter().next().ok_or_else(Problem::internal)
}

fn metadata(parameters: &Parameters) -> Result<Option<Json>, Problem> {
    let Some(metadata) = parameters.one("metadata")? else { return Ok(None) };
    let metadata = Json::parse(metadata).map_err(|error| body::no_json("metadata", &error))?;
    if !metadata.is_object() {
        return Err(Problem::invalid("metadata is a JSON object"));
    }
    Ok(Some(metadata))
}

/// What has to hold of the store beside, where that is said.
fn condition(parameters: &Parameters) -> Result<Option<Box<AppendCondition>>, Problem> {
    let after = parameters.one_as::<Cursor>("none-after")?;
    let Some(none) = parameters.one("none")? else {
        return match after {
            Some(_) => Err(Problem::usage("`none-after` needs `none`")),
            None => Ok(None),
        };
    };
    let criteria = parse_query(none)
        .map_err(|error| Problem::invalid(format!("the parameter `none` is no query: {error}")))?;
    let after = after.unwrap_or(Position(0).into());
    Ok(Some(Box::new(AppendCondition::none(criteria, after))))
}
