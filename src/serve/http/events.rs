//! `GET /events`: events that are there, one on each line.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::backend::Backend;
use super::choice::{CHOICE, query};
use super::parameters::Parameters;
use super::pieces::{self, Piece, Source};
use super::problem::Problem;
use crate::store::{Reader, Store};
use crate::wire;

impl Source for Reader {
    fn next(&mut self, _: &mut Store) -> Result<Piece, Problem> {
        let mut lines = Vec::new();
        let batch = self.next_batch(|event| wire::write_event(&mut lines, event))?;
        Ok(Piece { lines, is_last: batch.caught_up })
    }
}

/// Reads events, batch by batch.
pub(super) async fn read(
    State(backend): State<Arc<Backend>>,
    RawQuery(given): RawQuery,
) -> Result<Response, Problem> {
    let query = query(&Parameters::read(given.as_deref(), &CHOICE, None)?)?;
    pieces::answer(&backend, move |store| Ok(store.read(&query)?)).await
}
