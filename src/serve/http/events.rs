//! `GET /events`: events that are there, one on each line; and those that come, as a stream.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::header::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;

use super::backend::Backend;
use super::choice::{CHOICE, Choice, LIVE};
use super::guard::wants_stream;
use super::live;
use super::parameters::Parameters;
use super::pieces::{self, Piece, Source};
use super::problem::Problem;
use super::schemas::{EventLineJson, ProblemJson};
use crate::event::Position;
use crate::store::{Reader, Store};
use crate::wire;

/// Events that are there.
struct Reading {
    reader: Reader,
    marks: Marks,
}

/// What is said beside the events.
enum Marks {
    None,
    /// From where and up to where is still to be said.
    Bounds,
    /// That all were given up to here is to be said at the end.
    CaughtUp(Position),
}

impl Source for Reading {
    fn next(&mut self, _: &mut Store) -> Result<Piece, Problem> {
        let mut lines = Vec::new();
        if let Marks::Bounds = self.marks {
            let (from, head) = self.reader.bounds()?;
            wire::write_bounds(&mut lines, from, &head);
            self.marks = Marks::CaughtUp(head.position);
        }
        let batch = self.reader.next_batch(|event| wire::write_event(&mut lines, event))?;
        if let (true, Marks::CaughtUp(head)) = (batch.caught_up, &self.marks) {
            wire::write_caught_up(&mut lines, *head);
        }
        Ok(Piece { lines, is_last: batch.caught_up })
    }
}

/// Where a client stands that was cut off.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Reads events, batch by batch; or follows them.
#[utoipa::path(
    get,
    path = "/events",
    operation_id = "read_events",
    params(
        ("stream" = Option<Vec<String>>, Query, description = "Only streams that one of these patterns matches: `order-*`"),
        ("type" = Option<Vec<String>>, Query, description = "Only events of these types"),
        ("tag" = Option<Vec<String>>, Query, description = "Only events with all of these tags"),
        ("query" = Option<String>, Query, description = "Only events that a query chooses, in words or JSON; without `stream`, `type` and `tag`"),
        ("markers" = Option<bool>, Query, description = "Of lines: a first one says up to which position events are given, a last one that all were"),
        ("after" = Option<String>, Query, description = "Only what follows: a position, a cursor, or `@N` for a version of the one stream"),
        ("from" = Option<String>, Query, description = "Only this and what follows: a position, or `@N`"),
        ("until" = Option<String>, Query, description = "Only what comes up to this: a position, `@N`, or a time"),
        ("since" = Option<String>, Query, format = DateTime, description = "Only what has this time or a later one"),
        ("last" = Option<u64>, Query, description = "Only the last N"),
        ("limit" = Option<u64>, Query, description = "At most N"),
        ("Last-Event-ID" = Option<String>, Header, description = "Of a stream: behind which event it goes on")
    ),
    responses(
        (status = 200, description = "Events, one on each line; or as they come", content(
            (EventLineJson = "application/jsonl"),
            (String = "text/event-stream")
        )),
        (status = "default", description = "What went wrong", body = ProblemJson, content_type = "application/problem+json")
    )
)]
pub(super) async fn read(
    State(backend): State<Arc<Backend>>,
    RawQuery(given): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if wants_stream(&headers) {
        let parameters = Parameters::read(given.as_deref(), &LIVE, None)?;
        let last = headers.get(LAST_EVENT_ID).map(HeaderValue::to_str).transpose();
        let last = last.map_err(|_| Problem::usage("`Last-Event-ID` is a position or a cursor"))?;
        return live::follow(&backend, Choice::read(&parameters, last)?).await;
    }
    let parameters = Parameters::read(given.as_deref(), &CHOICE, None)?;
    let choice = Choice::read(&parameters, None)?;
    let marks = if parameters.is("markers")? { Marks::Bounds } else { Marks::None };
    if matches!(marks, Marks::Bounds) && choice.is_by_time() {
        return Err(Problem::usage("`markers` does not go with `since` and a time in `until`"));
    }
    let begin = move |store: &mut Store| {
        choice.check(store)?;
        Ok(Reading { reader: store.read(&choice.query)?, marks })
    };
    pieces::answer(&backend, begin).await
}
