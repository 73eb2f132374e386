//! Lines that are stored while more of them come.

use axum::body::Body;
use tokio::sync::watch;

use super::importing::Importing;
use crate::serve::http::backend::{Backend, ended};
use crate::serve::http::body;
use crate::serve::http::problem::Problem;

/// How many bytes are read ahead of what is stored; nothing is while the client does not take what it is told.
pub(super) const AHEAD: usize = 1 << 20;

/// What is still to come.
pub(super) struct Coming {
    body: Body,
    ending: watch::Receiver<bool>,
    /// How long a line may be, in bytes.
    longest: usize,
}

impl Coming {
    pub(super) fn new(body: Body, backend: &Backend) -> Self {
        let longest = body::most(backend.limits.data);
        Self { body, ending: backend.ending.clone(), longest }
    }

    /// Waits for a line, and takes what has come by then.
    pub(super) async fn take(&mut self, importing: &mut Importing) -> Result<(), Problem> {
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
