//! Events that come one on each line. The whole body is taken first, so that a client need not read while it sends,
//! unless it asks for acknowledgements meanwhile; they are stored in groups, and acknowledged one on each line.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::coming::{AHEAD, Coming};
use super::importing::{Acknowledged, Importing};
use crate::event::{Expect, StreamName};
use crate::serve::http::backend::Backend;
use crate::serve::http::body::{self, Broken, LINES};
use crate::serve::http::parameters::Parameters;
use crate::serve::http::problem::Problem;
use crate::serve::http::schemas::{AcknowledgementLineJson, NewEventJson, ProblemJson};
use crate::wire::Defaults;

/// How long a body may be, in bytes.
const BODY: usize = 64 << 20;

/// Appends events, of any streams.
#[utoipa::path(
    post,
    path = "/events",
    operation_id = "append_events",
    params(
        ("atomic" = Option<bool>, Query, description = "Store all, or none"),
        ("live" = Option<bool>, Query, description = "Acknowledge lines while more of them come")
    ),
    request_body(content = NewEventJson, content_type = "application/jsonl", description = "An event on each line"),
    responses(
        (status = 200, description = "An acknowledgement on each line; the last one says how it ended", body = AcknowledgementLineJson, content_type = "application/jsonl"),
        (status = "default", description = "What went wrong", body = ProblemJson, content_type = "application/problem+json")
    )
)]
pub(in crate::serve::http) async fn append_lines(
    State(backend): State<Arc<Backend>>,
    RawQuery(given): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(given.as_deref(), &["atomic", "live"], None)?;
    if let Some(kind) = body::kind(&headers)?.filter(|kind| !body::is_lines(kind)) {
        return Err(body::unsupported(&kind, LINES));
    }
    let (atomic, live) = (parameters.is("atomic")?, parameters.is("live")?);
    if live && atomic {
        return Err(Problem::usage("`live` and `atomic` do not go together"));
    }
    if live {
        return append_live(&backend, body).await;
    }
    append_to(&backend, None, Expect::Any, atomic, body).await
}

/// Appends events to one stream, or to those that the lines name.
pub(super) async fn append_to(
    backend: &Arc<Backend>,
    stream: Option<StreamName>,
    expect: Expect,
    atomic: bool,
    body: Body,
) -> Result<Response, Problem> {
    let received = body::receive(body, BODY, &backend.memory).await?;
    let defaults = Defaults { stream, expect };
    let importing = Importing::new(received, defaults, Arc::clone(&backend.metrics))?;
    acknowledge(backend, importing, atomic, None).await
}

/// Appends events, of any streams, as they come.
async fn append_live(backend: &Arc<Backend>, body: Body) -> Result<Response, Problem> {
    let room = backend.memory.wait_for(AHEAD as u64).await;
    let metrics = Arc::clone(&backend.metrics);
    let mut importing = Importing::coming(room, Defaults::default(), metrics)?;
    let mut coming = Coming::new(body, backend);
    coming.take(&mut importing).await?;
    acknowledge(backend, importing, false, Some(coming)).await
}

/// Stores what has come, group by group, and what is `coming` behind it, and acknowledges each event on a line.
async fn acknowledge(
    backend: &Arc<Backend>,
    mut importing: Importing,
    atomic: bool,
    mut coming: Option<Coming>,
) -> Result<Response, Problem> {
    let first = backend.change(move |store| {
        let acknowledged = if atomic { importing.all(store) } else { importing.some(store) }?;
        Ok((importing, acknowledged))
    });
    let (mut importing, Acknowledged { lines, is_last }) = first.await?;
    if is_last {
        return Ok(body::whole(LINES, lines));
    }
    let (pieces, response) = body::pieces(LINES);
    let backend = Arc::clone(backend);
    tokio::spawn(async move {
        let (mut lines, mut is_last) = (lines, is_last);
        loop {
            let has_gone = !lines.is_empty() && pieces.send(Ok(lines)).await.is_err();
            // Of one that has gone nothing more is taken; what it had sent is stored all the same.
            if is_last || has_gone && coming.is_some() {
                return;
            }
            if let Some(coming) = &mut coming
                && let Err(problem) = coming.take(&mut importing).await
            {
                (lines, is_last) = (Vec::new(), true);
                importing.stopped(&mut lines, &problem);
                continue;
            }
            let next = backend.go_on(move |store| {
                let acknowledged = importing.some(store);
                Ok((importing, acknowledged))
            });
            match next.await {
                Ok((same, Ok(next))) => {
                    (importing, lines, is_last) = (same, next.lines, next.is_last);
                }
                Ok((same, Err(problem))) => {
                    (importing, lines, is_last) = (same, Vec::new(), true);
                    importing.stopped(&mut lines, &problem);
                }
                // What became of them is not known: the answer ends before its end.
                Err(_) => return drop(pieces.send(Err(Broken)).await),
            }
        }
    });
    Ok(response)
}
