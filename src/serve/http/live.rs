//! `GET /events` with `Accept: text/event-stream`: what is there and then what comes, as the HTML standard has it
//! for `EventSource`.
//!
//! A client that does not read costs its place in the log and one batch: the next one is read once it has taken that.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{self, HeaderValue};
use axum::response::Response;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep_until};

use super::backend::{Backend, ended};
use super::body::{self, Broken};
use super::choice::Choice;
use super::pieces::Piece;
use super::problem::Problem;
use crate::event::{Chooser, Cursor, EventRef, Position};
use crate::serve::followed::Heard;
use crate::serve::push::Wanting;
use crate::store::{Mark, Reader, Store};
use crate::wire;

/// The kind of the answer.
const STREAM: &str = "text/event-stream";

/// What is followed, and how far that is.
struct Following {
    choice: Choice,
    chooser: Chooser,
    /// All up to here has been looked at, once something has.
    position: Option<Position>,
    /// What reads while there is more.
    reader: Option<Reader>,
}

impl Following {
    /// Reads on; the last piece is the one that meets the limit.
    fn next(&mut self, store: &Store) -> Result<Piece, Problem> {
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => store.read(&self.choice.query)?,
        };
        let mut lines = Vec::new();
        let batch = reader.next_batch(|event| write(&mut lines, event))?;
        if let Some(left) = &mut self.choice.query.limit {
            *left = left.saturating_sub(batch.events as u64);
        }
        if !batch.caught_up {
            self.reader = Some(reader);
        }
        self.reached(batch.position);
        Ok(Piece { lines, is_last: self.choice.query.limit == Some(0) })
    }

    fn reached(&mut self, position: Position) {
        let reached = self.position.map_or(position, |before| before.max(position));
        self.position = Some(reached);
        (self.choice.query.after, self.choice.query.last) = (Some(Mark::Position(reached)), None);
    }

    /// Takes what was stored; whether any of it may be followed.
    fn hear(&mut self, heard: &Heard) -> bool {
        if self.position.is_some_and(|position| position.0 >= heard.position) {
            return false;
        }
        if heard.skips {
            return true;
        }
        let mut events = heard.events.iter();
        let is_wanted =
            events.any(|(stream, event_type)| self.chooser.may_choose(stream, event_type));
        if !is_wanted {
            self.reached(Position(heard.position));
        }
        is_wanted
    }
}

fn write(out: &mut Vec<u8>, event: &EventRef<'_>) {
    out.extend_from_slice(b"id: ");
    out.extend_from_slice(Cursor::new(event.position, &event.link).to_string().as_bytes());
    out.extend_from_slice(b"\ndata: ");
    // One line, with its end.
    wire::write_event(out, event);
    out.push(b'\n');
}

/// Follows events.
pub(super) async fn follow(backend: &Arc<Backend>, choice: Choice) -> Result<Response, Problem> {
    // What is stored while the first batch is read is heard of.
    let heard = backend.heard.subscribe();
    let wanting = Wanting::new(&backend.feed);
    let chooser = Chooser::of(&choice.query.criteria);
    let mut following = Following { choice, chooser, position: None, reader: None };
    let first = backend.perform(move |store| {
        following.choice.check(store)?;
        let piece = following.next(store)?;
        Ok((following, piece))
    });
    let (following, piece) = first.await?;
    let (pieces, mut response) = body::pieces(STREAM);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let telling = Telling { backend: Arc::clone(backend), pieces, heard, _wanting: wanting };
    tokio::spawn(telling.tell(following, piece));
    Ok(response)
}

/// Why nothing more is told.
struct Over;

/// One who follows.
struct Telling {
    backend: Arc<Backend>,
    pieces: Sender<Result<Vec<u8>, Broken>>,
    heard: Receiver<Arc<Heard>>,
    _wanting: Wanting,
}

impl Telling {
    /// Tells what there is and what comes, until who follows has gone or the server ends.
    async fn tell(mut self, mut following: Following, mut piece: Piece) {
        loop {
            // An empty one says nothing, and would not be sent.
            if !piece.lines.is_empty() && self.say(piece.lines).await.is_err() {
                return;
            }
            if piece.is_last {
                return;
            }
            if following.reader.is_none() && self.wait(&mut following).await.is_err() {
                return;
            }
            let Ok(room) = self.pieces.reserve().await else { return };
            let read = self.backend.follow(move |store| {
                let piece = following.next(store)?;
                Ok((following, piece))
            });
            match read.await {
                Ok((same, next)) => {
                    (following, piece) = (same, next);
                    drop(room);
                }
                Err(_) => return room.send(Err(Broken)),
            }
        }
    }

    async fn say(&self, words: impl Into<Vec<u8>>) -> Result<(), Over> {
        self.pieces.send(Ok(words.into())).await.map_err(|_| Over)
    }

    /// Waits until something may have come that is followed.
    async fn wait(&mut self, following: &mut Following) -> Result<(), Over> {
        let mut ending = self.backend.ending.clone();
        let pause: Duration = self.backend.limits.comment;
        let mut comment = Instant::now() + pause;
        loop {
            tokio::select! {
                biased;
                () = self.pieces.closed() => return Err(Over),
                () = ended(&mut ending) => {
                    // Who has gone does not hear it.
                    let _ = self.say(": the server is ending\n\n").await;
                    return Err(Over);
                }
                heard = self.heard.recv() => match heard {
                    Ok(heard) if following.hear(&heard) => return Ok(()),
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return Ok(()),
                    Err(RecvError::Closed) => return Err(Over),
                },
                // What stands between may drop a connection that is silent.
                () = sleep_until(comment) => {
                    self.say(": \n\n").await?;
                    comment = Instant::now() + pause;
                }
            }
        }
    }
}
