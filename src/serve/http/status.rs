//! `GET /status` and `GET /subscriptions`: how the store stands, and what follows its log.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::backend::Backend;
use super::body::{self, JSON, LINES};
use super::parameters::Parameters;
use super::place::place;
use super::problem::Problem;
use super::schemas::ProblemJson;
use crate::event::Timestamp;
use crate::store::{Query, Store, Subscription};
use crate::wire::CriteriaParts;
use serde_json::value::RawValue;

/// How a store stands, with its fields in this order.
#[derive(Serialize, ToSchema)]
#[schema(as = Status)]
struct StatusJson<'s> {
    store: &'s str,
    head: u64,
    /// The link there.
    link: String,
    events: u64,
    streams: u64,
    last_recorded: Option<String>,
    bytes: u64,
    wal_bytes: u64,
    erasing: bool,
    max_data_bytes: u64,
    format: u32,
    engine: &'s str,
    sqlite_version: &'s str,
}

/// Shows how the store stands.
#[utoipa::path(
    get,
    path = "/status",
    operation_id = "show_status",
    responses((status = 200, description = "How it stands", body = StatusJson), (status = "default", description = "What went wrong", body = ProblemJson, content_type = "application/problem+json"))
)]
pub(super) async fn status(
    State(backend): State<Arc<Backend>>,
    RawQuery(given): RawQuery,
) -> Result<Response, Problem> {
    Parameters::read(given.as_deref(), &[], None)?;
    let status = backend.perform(|store| Ok(store.status()?)).await?;
    let json = StatusJson {
        store: &status.id,
        head: status.head.0,
        link: status.link.to_string(),
        events: status.events,
        streams: status.streams,
        last_recorded: status.last_recorded.map(|time| time.to_string()),
        bytes: status.bytes,
        wal_bytes: status.wal_bytes,
        erasing: status.erasing,
        max_data_bytes: status.max_data_bytes,
        format: status.format,
        engine: status.engine,
        sqlite_version: &status.engine_version,
    };
    let mut line = Vec::new();
    body::write_line(&mut line, &json);
    Ok(body::whole(JSON, line))
}

/// A subscription, with its fields in this order.
#[derive(Serialize, ToSchema)]
#[schema(as = Subscription)]
struct SubscriptionJson<'s> {
    name: &'s str,
    kind: &'static str,
    checkpoint: u64,
    head: u64,
    lag: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    mismatch: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    behind_seconds: Option<f64>,
    from: Vec<&'s str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    types: Vec<&'s str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    query: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_time: Option<String>,
}

/// Lists the subscriptions, one on each line.
#[utoipa::path(
    get,
    path = "/subscriptions",
    operation_id = "list_subscriptions",
    responses(
        (status = 200, description = "Subscriptions, one on each line", body = SubscriptionJson, content_type = "application/jsonl"),
        (status = "default", description = "What went wrong", body = ProblemJson, content_type = "application/problem+json")
    )
)]
pub(super) async fn subscriptions(
    State(backend): State<Arc<Backend>>,
    RawQuery(given): RawQuery,
) -> Result<Response, Problem> {
    Parameters::read(given.as_deref(), &[], None)?;
    let lines = backend.perform(|store| {
        let mut lines = Vec::new();
        for subscription in store.subscriptions()? {
            write(&mut lines, store, &subscription)?;
        }
        Ok(lines)
    });
    Ok(body::whole(LINES, lines.await?))
}

fn write(lines: &mut Vec<u8>, store: &Store, subscription: &Subscription) -> Result<(), Problem> {
    let follows = &subscription.follows;
    let name = follows.name.as_str();
    let query = Query::by(follows.criteria.clone());
    let parts = CriteriaParts::of(&follows.criteria);
    let (mismatch, from) = place(store, name, &subscription.checkpoint)?;
    let (lag, first) = store.lag(&query, from)?;
    let age = |first: Timestamp| {
        let micros = Timestamp::now().as_micros().saturating_sub(first.as_micros()).max(0);
        std::time::Duration::from_micros(micros.unsigned_abs()).as_secs_f64()
    };
    let failure = store.last_failure(name)?;
    let json = SubscriptionJson {
        name,
        kind: "subscription",
        checkpoint: subscription.checkpoint.position.0,
        head: store.head()?.0,
        lag,
        mismatch,
        behind_seconds: first.map(age),
        from: parts.from,
        types: parts.types,
        tags: parts.tags,
        query: parts.query,
        runner: store.runner(name)?,
        error_time: failure.as_ref().map(|failure| failure.time.to_string()),
        error: failure.map(|failure| failure.message),
    };
    body::write_line(lines, &json);
    Ok(())
}
