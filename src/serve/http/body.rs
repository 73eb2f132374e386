//! Bodies: what comes in, up to a length and in time; and what goes out piece by piece.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use hyper::body::Frame;
use serde::Serialize;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, timeout_at};

use super::problem::Problem;
use crate::event::JsonError;
use crate::serve::memory::{Memory, Reserved};

/// JSON, one object.
pub(super) const JSON: &str = "application/json";
/// JSON, an object on each line.
pub(super) const LINES: &str = "application/jsonl";
/// How long the first bytes of a body may take.
const FIRST: Duration = Duration::from_secs(10);
/// How many more bytes make it a second more.
const SECOND: u64 = 1 << 20;
/// How much room is reserved for a body that does not say how long it is.
const UNSAID: u64 = 64 << 10;

/// A body that came in.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: Vec<u8>,
    pub(super) room: Reserved,
    /// Room of what came beyond that.
    pub(super) more: Vec<Reserved>,
}

/// Reads a body of at most `most` bytes, once there is room for it.
pub(super) async fn receive(
    mut body: Body,
    most: usize,
    memory: &Memory,
) -> Result<Received, Problem> {
    let too_large = || {
        let title = format!("the body has more than {most} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", 6, title)
            .number("max", most as u64)
    };
    let said = body.size_hint().exact();
    if said.is_some_and(|said| said > most as u64) {
        return Err(too_large());
    }
    let room = memory.wait_for(said.unwrap_or(UNSAID)).await;
    let mut received = Received { bytes: Vec::new(), room, more: Vec::new() };
    let (began, mut reserved) = (Instant::now(), said.unwrap_or(UNSAID));
    loop {
        let length = received.bytes.len() as u64;
        let longest = FIRST + Duration::from_secs(said.unwrap_or(length) / SECOND);
        let bytes = timeout_at(began + longest, next(&mut body)).await.map_err(|_| {
            let title = "the body did not come whole in time";
            Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", 6, title)
        })?;
        let Some(bytes) = bytes? else { return Ok(received) };
        if received.bytes.len() + bytes.len() > most {
            return Err(too_large());
        }
        received.bytes.extend_from_slice(&bytes);
        if received.bytes.len() as u64 > reserved {
            // It is here already.
            received.more.push(memory.count(reserved));
            reserved *= 2;
        }
    }
}

/// The next bytes of a body; nothing at its end.
pub(super) async fn next(body: &mut Body) -> Result<Option<Bytes>, Problem> {
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
        let Some(frame) = frame else { return Ok(None) };
        let frame =
            frame.map_err(|error| Problem::usage(format!("can't read the body: {error}")))?;
        if let Ok(bytes) = frame.into_data() {
            return Ok(Some(bytes));
        }
    }
}

/// How long a body may be that becomes data of at most `data` bytes: JSON may have white space in it.
pub(super) fn most(data: usize) -> usize {
    data.saturating_mul(2).saturating_add(1 << 20)
}

/// That JSON is none, and where.
pub(super) fn no_json(what: &str, error: &JsonError) -> Problem {
    let problem = Problem::invalid(format!("{what} is not valid JSON: {error}"));
    problem.number("line", error.line as u64).number("column", error.column as u64)
}

/// Appends an object to `lines`, with an end of line.
pub(super) fn write_line(lines: &mut Vec<u8>, object: &impl Serialize) {
    // Writing text and numbers into memory does not fail.
    let _ = serde_json::to_writer(&mut *lines, object);
    lines.push(b'\n');
}

/// What a body is, by its `Content-Type`, without parameters and in lower case.
pub(super) fn kind(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let kind = match (kinds.next(), kinds.next()) {
        (None, _) => return Ok(None),
        (Some(kind), None) => kind.to_str().ok(),
        _ => None,
    };
    let kind =
        kind.and_then(|kind| kind.split(';').next()).map(|kind| kind.trim().to_ascii_lowercase());
    kind.map(Some).ok_or_else(|| Problem::usage("a request has one `Content-Type`"))
}

/// Whether a kind of body is JSON lines.
pub(super) fn is_lines(kind: &str) -> bool {
    [LINES, "application/x-ndjson", "application/ndjson"].contains(&kind)
}

/// That a body of this kind is not taken.
pub(super) fn unsupported(kind: &str, taken: &str) -> Problem {
    let title = format!("a body of the type `{kind}` is not taken here");
    let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-type", 6, title);
    problem.with_detail(format!("send it with one of the types {taken}"))
}

/// An answer that is whole.
pub(super) fn whole(kind: &'static str, bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], bytes).into_response()
}

/// That an answer can't go on: it ends before its end, so that no one takes it for a whole one.
#[derive(Debug)]
pub(super) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer can't go on")
    }
}

impl Error for Broken {}

/// An answer whose pieces come by and by, and where they are sent.
pub(super) fn pieces(kind: &'static str) -> (Sender<Result<Vec<u8>, Broken>>, Response) {
    let (sender, receiver) = channel(1);
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(kind))];
    (sender, (kind, Body::new(Pieces(receiver))).into_response())
}

/// A body whose pieces come by and by.
#[derive(Debug)]
struct Pieces(Receiver<Result<Vec<u8>, Broken>>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let piece = self.0.poll_recv(context);
        piece.map(|piece| piece.map(|piece| piece.map(|bytes| Frame::data(bytes.into()))))
    }
}
