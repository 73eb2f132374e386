//! `GET /events`: events that are there, one on each line.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::backend::Backend;
use super::body::{self, Broken, LINES};
use super::choice::{CHOICE, query};
use super::parameters::Parameters;
use super::problem::Problem;
use crate::store::Reader;
use crate::wire;

/// What was read at once.
struct Piece {
    lines: Vec<u8>,
    is_last: bool,
}

fn next(reader: &mut Reader) -> Result<Piece, Problem> {
    let mut lines = Vec::new();
    let batch = reader.next_batch(|event| wire::write_event(&mut lines, event))?;
    Ok(Piece { lines, is_last: batch.caught_up })
}

/// Reads events: each batch by itself, once the client has room for it.
pub(super) async fn read(
    State(backend): State<Arc<Backend>>,
    RawQuery(given): RawQuery,
) -> Result<Response, Problem> {
    let query = query(&Parameters::read(given.as_deref(), &CHOICE, None)?)?;
    let first = backend.perform(move |store| {
        let mut reader = store.read(&query)?;
        let piece = next(&mut reader)?;
        Ok((reader, piece))
    });
    let (mut reader, Piece { lines, is_last }) = first.await?;
    if is_last {
        return Ok(body::whole(LINES, lines));
    }
    let (pieces, response) = body::pieces(LINES);
    tokio::spawn(async move {
        let (mut lines, mut is_last) = (lines, is_last);
        loop {
            // Who has gone needs no more.
            if !lines.is_empty() && pieces.send(Ok(lines)).await.is_err() || is_last {
                return;
            }
            let Ok(room) = pieces.reserve().await else { return };
            let read = backend.go_on(move |_| next(&mut reader).map(|piece| (reader, piece)));
            match read.await {
                Ok((same, piece)) => {
                    (reader, lines, is_last) = (same, piece.lines, piece.is_last);
                    drop(room);
                }
                Err(_) => return room.send(Err(Broken)),
            }
        }
    });
    Ok(response)
}
