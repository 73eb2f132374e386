//! `POST /streams/{stream}` and `POST /events`: what is appended.

mod lines;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;

use super::address::decoded;
use super::backend::Backend;
use super::body::{self, Received};
use super::parameters::Parameters;
use super::problem::Problem;
use crate::event::{Data, EventId, EventType, Expect, Json, NewEvent, StreamName};

pub(super) use lines::append_lines;

/// What an acknowledgement is.
const JSON: &str = "application/json";
/// What the body of an event may be.
const TAKEN: &str = "application/json, application/octet-stream (bytes) and application/jsonl (an event on each line)";

/// The name behind `path`, or in the parameter `stream`.
pub(super) fn name_in(uri: &Uri, path: &str, parameters: &Parameters) -> Result<String, Problem> {
    let behind = uri.path().strip_prefix(path).filter(|name| !name.is_empty());
    let behind = behind.map(|name| {
        let wrong =
            || Problem::usage(format!("`{name}` in the address is not percent-encoded UTF-8"));
        decoded(name, false).ok_or_else(wrong)
    });
    match (behind.transpose()?, parameters.one("stream")?) {
        (Some(name), None) => Ok(name),
        (None, Some(name)) => Ok(name.into()),
        (None, None) => {
            let problem = Problem::usage("no stream is named");
            Err(problem
                .with_detail(format!("it stands behind {path}, or in the parameter `stream`")))
        }
        _ => Err(Problem::usage("the stream is named twice, in the path and in `stream`")),
    }
}

/// The stream behind `/streams/`.
pub(super) fn stream_in(
    uri: &Uri,
    path: &str,
    parameters: &Parameters,
) -> Result<StreamName, Problem> {
    StreamName::new(name_in(uri, path, parameters)?)
        .map_err(|error| Problem::invalid(error.to_string()))
}

/// How long a body may be that becomes data of at most `max_data` bytes: JSON may have white space in it.
fn most(max_data: usize) -> usize {
    max_data.saturating_mul(2).saturating_add(1 << 20)
}

/// That JSON is none, and where.
pub(super) fn no_json(what: &str, error: &crate::event::JsonError) -> Problem {
    let problem = Problem::invalid(format!("{what} is not valid JSON: {error}"));
    problem.number("line", error.line as u64).number("column", error.column as u64)
}

/// Appends an event to a stream, or one on each line.
pub(super) async fn append(
    State(backend): State<Arc<Backend>>,
    RawQuery(given): RawQuery,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let kind = body::kind(&headers)?;
    if kind.as_deref().is_some_and(body::is_lines) {
        let known = ["stream", "expect", "atomic"];
        let parameters = Parameters::read(given.as_deref(), &known, None)?;
        let stream = stream_in(&uri, "/streams/", &parameters)?;
        let expect = parameters.one_as::<Expect>("expect")?.unwrap_or_default();
        return lines::append_to(&backend, Some(stream), expect, parameters.is("atomic")?, body)
            .await;
    }
    let known = ["stream", "type", "expect", "id", "metadata", "time"];
    let parameters = Parameters::read(given.as_deref(), &known, None)?;
    let stream = stream_in(&uri, "/streams/", &parameters)?;
    let event_type = parameters.one_as::<EventType>("type")?;
    let event_type = event_type.ok_or_else(|| {
        let problem = Problem::usage("the event has no type");
        problem.with_detail("name one in the parameter `type`")
    })?;
    let is_bytes = match kind.as_deref() {
        Some("application/octet-stream") => true,
        None | Some("application/json") => false,
        Some(kind) if kind.ends_with("+json") => false,
        Some(kind) => return Err(body::unsupported(kind, TAKEN)),
    };
    let mut event = NewEvent::new(stream, event_type);
    event.expect = parameters.one_as("expect")?.unwrap_or_default();
    event.id = parameters.one_as::<EventId>("id")?;
    event.time = parameters.one_as("time")?;
    if let Some(metadata) = parameters.one("metadata")? {
        let metadata = Json::parse(metadata).map_err(|error| no_json("metadata", &error))?;
        if !metadata.is_object() {
            return Err(Problem::invalid("metadata is a JSON object"));
        }
        event.metadata = Some(metadata);
    }
    let max_data = backend.limits.data;
    let Received { bytes, room, more } =
        body::receive(body, most(max_data), &backend.memory).await?;
    event.data = match (is_bytes, bytes.is_empty()) {
        (true, _) => Data::Bytes(bytes.into()),
        (false, true) => Data::Json(Json::empty_object()),
        (false, false) => {
            Data::Json(Json::parse_bytes(&bytes).map_err(|error| no_json("the data", &error))?)
        }
    };
    let (stream, id) = (event.stream.clone(), event.id.clone());
    let appended = backend.append(event, room).await?;
    drop(more);
    let mut line = Vec::new();
    appended.write(&mut line, &stream, id.as_ref());
    line.push(b'\n');
    Ok(body::whole(JSON, line))
}
