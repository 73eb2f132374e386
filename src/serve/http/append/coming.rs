//! Events that are acknowledged while more of them come.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use tokio::sync::watch;

use super::importing::{Acknowledged, Importing};
use crate::serve::http::backend::Backend;
use crate::serve::http::body::{self, Broken, LINES};
use crate::serve::http::problem::Problem;
use crate::wire::Defaults;

/// How many bytes are read ahead of what is stored; nothing is while the client does not take what it is told.
const AHEAD: usize = 1 << 20;

/// What is still to come.
struct Coming {
    body: Body,
    ending: watch::Receiver<bool>,
    /// How long a line may be, in bytes.
    longest: usize,
}

impl Coming {
    /// Waits for a line, and takes what has come by then.
    async fn take(&mut self, importing: &mut Importing) -> Result<(), Problem> {
        while !importing.is_ready() {
            if importing.ahead() > self.longest {
                let title = format!("a line has more than {} bytes", self.longest);
                return Err(Problem::invalid(title).in_line(importing.next_line()));
            }
            tokio::select! {
                biased;
                bytes = body::next(&mut self.body) => importing.feed(bytes?.as_deref()),
                () = ended(&mut self.ending) => return Err(Problem::busy("the server is ending")),
            }
        }
        while importing.ahead() < AHEAD {
            tokio::select! {
                biased;
                bytes = body::next(&mut self.body) => {
                    let bytes = bytes?;
                    importing.feed(bytes.as_deref());
                    if bytes.is_none() {
                        return Ok(());
                    }
                }
                () = std::future::ready(()) => return Ok(()),
            }
        }
        Ok(())
    }
}

/// Waits until the server ends.
async fn ended(ending: &mut watch::Receiver<bool>) {
    // Where no one can say so any more, it has ended.
    let _ = ending.wait_for(|ending| *ending).await;
}

/// Appends events, of any streams, as they come.
pub(super) async fn append_live(backend: &Arc<Backend>, body: Body) -> Result<Response, Problem> {
    let room = backend.memory.wait_for(AHEAD as u64).await;
    let metrics = Arc::clone(&backend.metrics);
    let mut importing = Importing::coming(room, Defaults::default(), metrics)?;
    let longest = body::most(backend.limits.data);
    let mut coming = Coming { body, ending: backend.ending.clone(), longest };
    coming.take(&mut importing).await?;
    let first = backend.change(move |store| {
        let acknowledged = importing.some(store)?;
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
            // Of one that has gone nothing more is taken.
            if !lines.is_empty() && pieces.send(Ok(lines)).await.is_err() || is_last {
                return;
            }
            if let Err(problem) = coming.take(&mut importing).await {
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
