//! `GET /streams` and `GET /streams/{stream}`.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::Uri;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::backend::Backend;
use super::body::{self, JSON};
use super::name::name_in;
use super::parameters::Parameters;
use super::pieces::{self, Piece, Source};
use super::problem::Problem;
use super::schemas::ProblemJson;
use crate::event::Pattern;
use crate::store::{Store, Stream};

/// How many streams are read at once.
const PAGE: usize = 1000;

/// A stream, with its fields in this order.
#[derive(Serialize, ToSchema)]
#[schema(as = Stream)]
struct StreamJson<'s> {
    stream: &'s str,
    version: u64,
    events: u64,
    /// The version up to which its events were removed, where some were.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<u64>,
    last_position: u64,
    protected: bool,
}

fn write(lines: &mut Vec<u8>, stream: &Stream) {
    let json = StreamJson {
        stream: stream.name.as_str(),
        version: stream.version.0,
        events: stream.events,
        removed: (stream.removed.0 > 0).then_some(stream.removed.0),
        last_position: stream.last_position.0,
        protected: stream.protected,
    };
    body::write_line(lines, &json);
}

/// Streams that are listed, and how far that is.
struct Listing {
    pattern: Pattern,
    last: Option<String>,
}

impl Source for Listing {
    fn next(&mut self, store: &mut Store) -> Result<Piece, Problem> {
        let streams = store.streams(&self.pattern, self.last.as_deref(), PAGE)?;
        let mut lines = Vec::new();
        for stream in &streams {
            write(&mut lines, stream);
        }
        self.last = streams.last().map(|stream| stream.name.to_string());
        Ok(Piece { lines, is_last: streams.len() < PAGE })
    }
}

/// Lists the streams that a pattern chooses, one on each line.
#[utoipa::path(
    get,
    path = "/streams",
    operation_id = "list_streams",
    params(("stream" = Option<String>, Query, min_length = 1, description = "Only streams that this pattern matches")),
    responses(
        (status = 200, description = "Streams, one on each line", body = StreamJson, content_type = "application/jsonl"),
        (status = "default", description = "What went wrong", body = ProblemJson, content_type = "application/problem+json")
    )
)]
pub(super) async fn list(
    State(backend): State<Arc<Backend>>,
    RawQuery(given): RawQuery,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(given.as_deref(), &["stream"], None)?;
    let pattern = parameters.one_as::<Pattern>("stream")?.unwrap_or_else(Pattern::all);
    pieces::answer(&backend, move |_| Ok(Listing { pattern, last: None })).await
}

/// Shows a stream.
#[utoipa::path(
    get,
    path = "/streams/{stream}",
    operation_id = "show_stream",
    params(("stream" = String, Path, min_length = 1, description = "The stream")),
    responses((status = 200, description = "The stream", body = StreamJson), (status = "default", description = "What went wrong", body = ProblemJson, content_type = "application/problem+json"))
)]
pub(super) async fn show(
    State(backend): State<Arc<Backend>>,
    uri: Uri,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(uri.query(), &[], None)?;
    let name = name_in(&uri, "/streams/", &parameters)?;
    let stream = backend.perform(move |store| Ok(store.stream(&name)?)).await?;
    let mut line = Vec::new();
    write(&mut line, &stream);
    Ok(body::whole(JSON, line))
}
