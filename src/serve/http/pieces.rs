//! Answers that are made piece by piece, each by itself: so a client that reads slowly holds no thread and nothing
//! of the store.

use std::sync::Arc;

use axum::response::Response;

use super::backend::Backend;
use super::body::{self, Broken, LINES};
use super::problem::Problem;
use crate::store::Store;

/// What was made at once.
pub(super) struct Piece {
    pub(super) lines: Vec<u8>,
    pub(super) is_last: bool,
}

/// What an answer is made of.
pub(super) trait Source: Send + Sized + 'static {
    /// Makes the next piece.
    fn next(&mut self, store: &mut Store) -> Result<Piece, Problem>;
}

/// Answers with JSON lines; where the first piece can't be made, with why.
pub(super) async fn answer<S: Source>(
    backend: &Arc<Backend>,
    begin: impl FnOnce(&mut Store) -> Result<S, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let first = backend.perform(move |store| {
        let mut source = begin(store)?;
        let piece = source.next(store)?;
        Ok((source, piece))
    });
    let (mut source, Piece { lines, is_last }) = first.await?;
    if is_last {
        return Ok(body::whole(LINES, lines));
    }
    let (pieces, response) = body::pieces(LINES);
    let backend = Arc::clone(backend);
    tokio::spawn(async move {
        let (mut lines, mut is_last) = (lines, is_last);
        loop {
            // Who has gone needs no more.
            if !lines.is_empty() && pieces.send(Ok(lines)).await.is_err() || is_last {
                return;
            }
            let Ok(room) = pieces.reserve().await else { return };
            let next = backend.go_on(move |store| source.next(store).map(|piece| (source, piece)));
            match next.await {
                Ok((same, piece)) => {
                    (source, lines, is_last) = (same, piece.lines, piece.is_last);
                    drop(room);
                }
                Err(_) => return room.send(Err(Broken)),
            }
        }
    });
    Ok(response)
}
