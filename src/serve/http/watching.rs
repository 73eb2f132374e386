//! `GET /metrics`: what the server counts, and how the store and its followers stand.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::backend::Backend;
use super::body;
use super::parameters::Parameters;
use super::place::place;
use super::problem::Problem;
use super::schemas::ProblemJson;
use crate::serve::metrics::Looked;
use crate::store::{Checkpoint, Error, Query, Store};

/// The kind of the answer.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

fn look(store: &mut Store) -> Result<Looked, Problem> {
    let status = store.status()?;
    let lag = |name: &str, query: &Query, checkpoint: &Checkpoint| {
        let (_, from) = place(store, name, checkpoint)?;
        Ok::<_, Error>(store.lag(query, from)?.0)
    };
    let mut lags = Vec::new();
    for entry in store.projections()? {
        let (name, query) = (entry.name.as_str(), Query::of(entry.definition.from.clone()));
        let checkpoint = store.projection(name).and_then(|projection| projection.checkpoint());
        // One that can't be read has none; the list of projections says why.
        if let Ok(checkpoint) = checkpoint {
            lags.push((name.to_owned(), "projection", lag(name, &query, &checkpoint)?));
        }
    }
    for subscription in store.subscriptions()? {
        let name = &subscription.follows.name;
        let query = Query::by(subscription.follows.criteria.clone());
        let lag = lag(name.as_str(), &query, &subscription.checkpoint)?;
        lags.push((name.to_string(), "subscription", lag));
    }
    Ok(Looked { head: status.head.0, bytes: status.bytes + status.wal_bytes, lags })
}

/// Tells what is counted.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "show_metrics",
    responses(
        (status = 200, description = "Text for OpenMetrics", body = String, content_type = "application/openmetrics-text"),
        (status = "default", description = "What went wrong", body = ProblemJson, content_type = "application/problem+json")
    )
)]
pub(super) async fn metrics(
    State(backend): State<Arc<Backend>>,
    RawQuery(given): RawQuery,
) -> Result<Response, Problem> {
    Parameters::read(given.as_deref(), &[], None)?;
    let looked = backend.perform(look).await?;
    Ok(body::whole(OPENMETRICS, backend.metrics.write(&looked).into_bytes()))
}
