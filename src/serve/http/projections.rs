//! `GET /projections` and `GET /projections/{name}`.

pub(super) mod selecting;

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::backend::Backend;
use super::body::{self, LINES};
use super::parameters::Parameters;
use super::place::place;
use super::problem::Problem;
use super::schemas::ProblemJson;
use crate::event::Pattern;
use crate::store::{Error, Projection, ProjectionEntry, Query, Store};

/// A projection, with its fields in this order.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = Projection)]
struct ProjectionJson<'p> {
    projection: &'p str,
    /// That it has no types yet, and no rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lag: Option<u64>,
    /// Why its checkpoint is no place in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    mismatch: Option<&'static str>,
    /// Why it can't be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Vec<&'p str>>,
}

/// How a projection stands.
fn stands<'p>(store: &Store, entry: &'p ProjectionEntry) -> Result<ProjectionJson<'p>, Error> {
    let name = entry.name.as_str();
    let projection = store.projection(name)?;
    let (status, checkpoint) = (projection.status()?, Projection::checkpoint(&projection)?);
    let (mismatch, from) = place(store, name, &checkpoint)?;
    let (lag, _) = store.lag(&Query::of(entry.definition.from.clone()), from)?;
    Ok(ProjectionJson {
        rows: Some(status.rows),
        bytes: Some(status.bytes),
        checkpoint: Some(status.checkpoint.0),
        lag: Some(lag),
        mismatch,
        ..ProjectionJson::default()
    })
}

/// Lists the projections, one on each line.
#[utoipa::path(
    get,
    path = "/projections",
    operation_id = "list_projections",
    responses(
        (status = 200, description = "Projections, one on each line", body = ProjectionJson, content_type = "application/jsonl"),
        (status = "default", description = "What went wrong", body = ProblemJson, content_type = "application/problem+json")
    )
)]
pub(super) async fn list(
    State(backend): State<Arc<Backend>>,
    RawQuery(given): RawQuery,
) -> Result<Response, Problem> {
    Parameters::read(given.as_deref(), &[], None)?;
    let lines = backend.perform(|store| {
        let mut lines = Vec::new();
        for entry in store.projections()? {
            let stands = match stands(store, &entry) {
                Ok(stands) => stands,
                // It was dropped since.
                Err(Error::ProjectionNotFound { .. } | Error::Dropped(_)) => continue,
                // Of the others it can be told how they stand.
                Err(error) => {
                    ProjectionJson { broken: Some(error.to_string()), ..ProjectionJson::default() }
                }
            };
            let json = ProjectionJson {
                projection: entry.name.as_str(),
                generation: Some(entry.generation),
                from: Some(entry.definition.from.iter().map(Pattern::as_str).collect()),
                ..stands
            };
            body::write_line(&mut lines, &json);
        }
        for projection in &store.open_projections()? {
            let open = Some(true);
            let json = ProjectionJson { projection, open, ..ProjectionJson::default() };
            body::write_line(&mut lines, &json);
        }
        Ok(lines)
    });
    Ok(body::whole(LINES, lines.await?))
}
