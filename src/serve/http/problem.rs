//! What is answered where something goes wrong: `application/problem+json`, as RFC 9457 has it.
//!
//! One table goes from the cause to the status and to the code that a command would have ended with.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::address;
use crate::event::{Expect, Position};
use crate::store::{ConditionFault, Error};
use crate::wire::{query_text, write_number, write_string};

/// A header that goes with a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// When the client may ask again.
    Retry,
    /// That a token is needed.
    Challenge,
    /// That no one has the token.
    InvalidToken,
}

impl Header {
    fn parts(self) -> (HeaderName, &'static str) {
        match self {
            Self::Retry => (header::RETRY_AFTER, "1"),
            Self::Challenge => (header::WWW_AUTHENTICATE, "Bearer"),
            Self::InvalidToken => (header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\""),
        }
    }
}

/// The cause of what fails inside the server.
const INTERNAL: &str = "internal";
/// What to do where it is not known whether something is stored.
const UNKNOWN: &str =
    "it may be stored or not; with an id the same request can be sent again safely";

/// What went wrong with a request.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    /// What it is called, in its `type`.
    cause: &'static str,
    title: Box<str>,
    /// What to do about it.
    detail: Option<Box<str>>,
    /// What a command would have ended with.
    exit_code: u8,
    /// What else is known, as members of an object, each behind a comma.
    members: Vec<u8>,
    /// In which line of the body it is, where it has lines.
    line: Option<u64>,
    header: Option<Header>,
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        cause: &'static str,
        exit_code: u8,
        title: impl Into<Box<str>>,
    ) -> Self {
        let (detail, members, header, line) = (None, Vec::new(), None, None);
        Self { status, cause, title: title.into(), detail, exit_code, members, line, header }
    }

    /// That a request can't be understood.
    pub(super) fn usage(title: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", 2, title)
    }

    /// That what a request brings is not what it should be.
    pub(super) fn invalid(title: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-input", 6, title)
    }

    /// That too much is asked of the server at once.
    pub(super) fn busy(title: impl Into<Box<str>>) -> Self {
        let busy = Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", 5, title);
        busy.with_header(Header::Retry).with_detail("send the request again")
    }

    /// That the server failed by itself.
    pub(super) fn internal() -> Self {
        let title = "the request failed inside the server";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL, 1, title)
    }

    /// The same of a request that was to change something, where it may have been broken off half-way.
    pub(super) fn of_unknown_outcome(self) -> Self {
        if self.cause != INTERNAL {
            return self;
        }
        let title = "the outcome is unknown: the request failed inside the server";
        let unknown =
            Self::new(self.status, "outcome-unknown", 9, title).text("outcome", "unknown");
        unknown.with_detail(UNKNOWN)
    }

    pub(super) fn with_detail(self, detail: impl Into<Box<str>>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    pub(super) fn with_header(self, header: Header) -> Self {
        Self { header: Some(header), ..self }
    }

    /// In which line of the body it is.
    pub(super) fn in_line(self, line: u64) -> Self {
        Self { line: Some(line), ..self }.number("line", line)
    }

    /// In which line of the body it is, where that is known.
    pub(super) fn line(&self) -> Option<u64> {
        self.line
    }

    pub(super) fn text(mut self, key: &str, text: &str) -> Self {
        self.key(key);
        write_string(&mut self.members, text);
        self
    }

    pub(super) fn number(mut self, key: &str, number: u64) -> Self {
        self.key(key);
        write_number(&mut self.members, number);
        self
    }

    fn texts(mut self, key: &str, texts: &[String]) -> Self {
        self.key(key);
        self.members.push(b'[');
        for (at, text) in texts.iter().enumerate() {
            if at > 0 {
                self.members.push(b',');
            }
            write_string(&mut self.members, text);
        }
        self.members.push(b']');
        self
    }

    fn key(&mut self, key: &str) {
        self.members.push(b',');
        write_string(&mut self.members, key);
        self.members.push(b':');
    }

    /// Appends it to `out`, as an object without an end of line.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"type\":\"urn:ream:");
        out.extend_from_slice(self.cause.as_bytes());
        out.extend_from_slice(b"\",\"title\":");
        write_string(out, &self.title);
        out.extend_from_slice(b",\"status\":");
        write_number(out, self.status.as_u16().into());
        if let Some(detail) = &self.detail {
            out.extend_from_slice(b",\"detail\":");
            write_string(out, detail);
        }
        out.extend_from_slice(b",\"exit_code\":");
        write_number(out, self.exit_code.into());
        out.extend_from_slice(&self.members);
        out.push(b'}');
    }

    /// As a whole response, for a connection that ends with it.
    pub(super) fn to_raw(&self) -> Vec<u8> {
        let mut body = Vec::new();
        self.write(&mut body);
        let more =
            self.header.map(Header::parts).map(|(name, value)| format!("{name}: {value}\r\n"));
        let more = more.unwrap_or_default();
        let reason = self.status.canonical_reason().unwrap_or_default();
        let head = format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\
             {more}content-length: {}\r\n\r\n",
            self.status.as_u16(),
            body.len()
        );
        [head.as_bytes(), &body].concat()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = Vec::new();
        self.write(&mut body);
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status, [(header::CONTENT_TYPE, kind)], body).into_response();
        if let Some((name, value)) = self.header.map(Header::parts) {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let (status, cause, exit_code) = class(error);
        let mut title = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(error) = source {
            title = format!("{title}: {error}");
            source = error.source();
        }
        let mut problem = Self::new(status, cause, exit_code, title);
        problem.detail = hint(error).map(Into::into);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            problem.header = Some(Header::Retry);
        }
        members(problem, error)
    }
}

/// The status of each cause, what it is called, and what a command ends with.
fn class(error: &Error) -> (StatusCode, &'static str, u8) {
    use StatusCode as S;
    match error {
        Error::WrongExpectedVersion { .. } => (S::CONFLICT, "wrong-expected-version", 3),
        Error::Condition(_) => (S::CONFLICT, "condition-failed", 3),
        Error::PartlyDuplicate { .. } => (S::CONFLICT, "partly-duplicate", 3),
        Error::IdReused { .. } | Error::DecisionIdReused { .. } => (S::CONFLICT, "id-reused", 6),
        Error::StateBehind { .. } => (S::CONFLICT, "state-behind", 6),
        Error::UniqueClash(_) => (S::CONFLICT, "unique-clash", 6),
        Error::SubscriptionDiffers { .. } | Error::NameTaken { .. } => {
            (S::CONFLICT, "name-taken", 6)
        }
        Error::Protected { .. } => (S::CONFLICT, "protected", 1),
        Error::ProjectionExists(_) | Error::ProjectionOpen(_) => (S::CONFLICT, "projection", 1),
        Error::CheckpointMoved { .. } | Error::OtherLog { .. } => (S::CONFLICT, "checkpoint", 1),
        Error::StreamNotFound { .. } => (S::NOT_FOUND, "stream-not-found", 4),
        Error::StateNotFound { .. } => (S::NOT_FOUND, "state-not-found", 4),
        Error::ProjectionNotFound { .. } | Error::Dropped(_) => {
            (S::NOT_FOUND, "projection-not-found", 4)
        }
        Error::SubscriptionNotFound { .. } => (S::NOT_FOUND, "subscription-not-found", 4),
        Error::TooLarge { .. } => (S::PAYLOAD_TOO_LARGE, "too-large", 6),
        Error::BeyondHead { .. } | Error::BeyondStream { .. } => {
            (S::UNPROCESSABLE_ENTITY, "beyond-head", 6)
        }
        Error::SameId { .. }
        | Error::TimeAhead { .. }
        | Error::FollowsNothing
        | Error::StateWithoutVersion { .. }
        | Error::StateAhead { .. }
        | Error::OtherStream { .. }
        | Error::Row { .. }
        | Error::Expression(_) => (S::UNPROCESSABLE_ENTITY, "invalid-input", 6),
        Error::VersionNeedsStream | Error::NoSuchField { .. } => (S::BAD_REQUEST, "bad-request", 2),
        Error::Busy { .. } | Error::LogHeld { .. } | Error::Running { .. } => {
            (S::SERVICE_UNAVAILABLE, "busy", 5)
        }
        Error::Superseded(_) => (S::SERVICE_UNAVAILABLE, "rebuilt", 1),
        Error::Interrupted => (S::SERVICE_UNAVAILABLE, "timed-out", 1),
        Error::OutcomeUnknown { .. } => (S::INTERNAL_SERVER_ERROR, "outcome-unknown", 9),
        Error::Full { .. } => (S::INSUFFICIENT_STORAGE, "no-room", 1),
        Error::LostEvents { .. } | Error::LostChanges { .. } => {
            (S::INTERNAL_SERVER_ERROR, "lost", 1)
        }
        _ => (S::INTERNAL_SERVER_ERROR, "failure", 1),
    }
}

/// What an error carries.
fn members(problem: Problem, error: &Error) -> Problem {
    match error {
        Error::WrongExpectedVersion { stream, expected, actual, .. } => {
            let problem = problem.text("stream", stream);
            let problem = match expected {
                Expect::At(version) => problem.number("expected", version.0),
                expected => problem.text("expected", &expected.to_string()),
            };
            problem.number("actual", actual.0)
        }
        Error::Condition(fault) => match &**fault {
            ConditionFault::Found { position, stream, version, after, .. } => problem
                .number("position", position.0)
                .text("stream", stream.as_str())
                .number("version", version.0)
                .number("after", after.0),
            ConditionFault::OtherLog { cursor } => problem.text("cursor", &cursor.to_string()),
        },
        Error::PartlyDuplicate { duplicates, events, id, position } => problem
            .number("duplicates", *duplicates as u64)
            .number("events", *events as u64)
            .text("id", id)
            .number("position", position.0),
        Error::IdReused { id, position, stream, version, .. } => problem
            .text("id", id)
            .text("stream", stream)
            .number("version", version.0)
            .number("position", position.0),
        Error::SameId { id, first, second } => {
            problem.text("id", id).number("first", *first as u64).number("second", *second as u64)
        }
        Error::StateBehind { stream, version, stored } => {
            problem.text("stream", stream).number("version", version.0).number("stored", stored.0)
        }
        Error::TooLarge { bytes, max } => {
            problem.number("bytes", *bytes as u64).number("max", *max as u64)
        }
        Error::BeyondHead { position, head } => {
            problem.number("position", position.0).number("head", head.0)
        }
        Error::BeyondStream { stream, version, actual }
        | Error::StateAhead { stream, version, actual } => {
            problem.text("stream", stream).number("version", version.0).number("actual", actual.0)
        }
        Error::StreamNotFound { stream: name, near }
        | Error::StateNotFound { stream: name, near }
        | Error::ProjectionNotFound { name, near }
        | Error::SubscriptionNotFound { name, near } => {
            problem.text("name", name).texts("near", near)
        }
        Error::OutcomeUnknown { .. } => problem.text("outcome", "unknown"),
        Error::Expression(error) => {
            let span = error.span();
            problem.number("start", span.start as u64).number("end", span.end as u64)
        }
        _ => problem,
    }
}

/// What to do about an error: a request, where one helps.
fn hint(error: &Error) -> Option<String> {
    let events = |stream: &str, after: String| {
        format!("GET /events?stream={}&after={after}", address::encoded(stream))
    };
    Some(match error {
        Error::WrongExpectedVersion { stream, expected: Expect::Exists, .. } => {
            format!("GET {}", address::of("/streams", stream))
        }
        Error::WrongExpectedVersion { stream, expected: Expect::At(version), actual, .. }
            if version < actual =>
        {
            let request = events(stream, format!("@{version}"));
            format!("read what came in between, decide again: {request}")
        }
        Error::WrongExpectedVersion { stream, .. } => {
            format!(
                "read the stream, decide again: GET /events?stream={}",
                address::encoded(stream)
            )
        }
        Error::Condition(fault) => unmet(fault),
        Error::PartlyDuplicate { .. } => {
            "leave out what is stored, or send the lines without atomic=true".into()
        }
        Error::IdReused { removed: true, .. } => {
            "an id stands for one event for ever; that one has been removed".into()
        }
        Error::IdReused { position, .. } => {
            let before = Position(position.0.saturating_sub(1));
            format!(
                "an id stands for one event for ever; see it: GET /events?after={before}&limit=1"
            )
        }
        Error::BeyondHead { head, .. } => {
            format!("begin with what comes next: GET /events?after={head}")
        }
        Error::BeyondStream { stream, actual, .. } => {
            format!("begin with what comes next: {}", events(stream, format!("@{actual}")))
        }
        Error::StreamNotFound { near, .. } | Error::StateNotFound { near, .. } => {
            near_or(near, "GET /streams")
        }
        Error::ProjectionNotFound { near, .. } => near_or(near, "GET /projections"),
        Error::SubscriptionNotFound { near, .. } => near_or(near, "GET /subscriptions"),
        Error::StateBehind { stream, .. } => format!("GET {}", address::of("/states", stream)),
        Error::StateAhead { stream, .. } => format!("GET {}", address::of("/streams", stream)),
        Error::TooLarge { .. } => {
            "how much a store takes is its setting max-data-bytes, in its file `store`".into()
        }
        Error::Busy { .. } | Error::Superseded(_) => "send the request again".into(),
        Error::Interrupted => "ask for less, or give the server a longer --request-timeout".into(),
        Error::OutcomeUnknown { .. } => UNKNOWN.into(),
        Error::Full { .. } => "make room; nothing that was acknowledged is lost".into(),
        Error::VersionNeedsStream => {
            "name one stream, or give a position instead of a version".into()
        }
        Error::Expression(error) => return error.hint().map(Into::into),
        _ => return None,
    })
}

/// Names that are near to one that is not there, or what lists all.
fn near_or(near: &[String], list: &str) -> String {
    let names: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { list.into() } else { format!("there is {}", names.join(", ")) }
}

/// What to do where something is there that must not be.
fn unmet(fault: &ConditionFault) -> String {
    let ConditionFault::Found { criteria, after, .. } = fault else {
        return "read what is there anew, and decide on that".into();
    };
    let query = query_text(criteria);
    let query = address::encoded(&query);
    format!("read what is there by now, decide again: GET /events?after={after}&query={query}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::Version;

    fn told(error: Error) -> String {
        let mut body = Vec::new();
        Problem::from(error).write(&mut body);
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn each_cause_has_its_status_its_code_and_what_it_carries() {
        let conflict = |expected, actual| Error::WrongExpectedVersion {
            stream: "order-1".into(),
            expected,
            actual: Version(actual),
            removed: false,
        };
        let not_found =
            Error::StreamNotFound { stream: "a/b".into(), near: vec!["a".into(), "b".into()] };
        let table = [
            (
                conflict(Expect::At(Version(3)), 5),
                r#"{"type":"urn:ream:wrong-expected-version","title":"wrong expected version of the stream `order-1`: expected 3, actual 5","status":409,"detail":"read what came in between, decide again: GET /events?stream=order-1&after=@3","exit_code":3,"stream":"order-1","expected":3,"actual":5}"#,
            ),
            (
                conflict(Expect::NoStream, 5),
                r#"{"type":"urn:ream:wrong-expected-version","title":"wrong expected version of the stream `order-1`: expected no-stream, actual 5","status":409,"detail":"read the stream, decide again: GET /events?stream=order-1","exit_code":3,"stream":"order-1","expected":"no-stream","actual":5}"#,
            ),
            (
                not_found,
                r#"{"type":"urn:ream:stream-not-found","title":"no stream `a/b`","status":404,"detail":"there is `a`, `b`","exit_code":4,"name":"a/b","near":["a","b"]}"#,
            ),
            (
                Error::StateBehind { stream: "..".into(), version: Version(1), stored: Version(2) },
                r#"{"type":"urn:ream:state-behind","title":"the state of `..` reflects version 2, and can't go back to 1","status":409,"detail":"GET /states?stream=..","exit_code":6,"stream":"..","version":1,"stored":2}"#,
            ),
            (
                Error::OutcomeUnknown { source: "disk".into() },
                r#"{"type":"urn:ream:outcome-unknown","title":"the outcome is unknown: the commit failed half-way: disk","status":500,"detail":"it may be stored or not; with an id the same request can be sent again safely","exit_code":9,"outcome":"unknown"}"#,
            ),
            (
                Error::TooLarge { bytes: 9, max: 8 },
                r#"{"type":"urn:ream:too-large","title":"the data has 9 bytes; this store takes 8","status":413,"detail":"how much a store takes is its setting max-data-bytes, in its file `store`","exit_code":6,"bytes":9,"max":8}"#,
            ),
            (
                Error::Damaged { what: "x".into() },
                r#"{"type":"urn:ream:failure","title":"the store is damaged: x","status":500,"exit_code":1}"#,
            ),
        ];
        for (error, expected) in table {
            assert_eq!(told(error), expected);
        }
    }

    #[test]
    fn who_is_to_come_again_is_told_when() {
        let busy = Problem::from(Error::Busy { waited: Duration::from_secs(1) }).into_response();
        assert_eq!(busy.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(busy.headers()[header::RETRY_AFTER], "1");
        let full = Problem::from(Error::Full { path: "s".into() }).into_response();
        assert_eq!(full.status(), StatusCode::INSUFFICIENT_STORAGE);
        assert!(full.headers().get(header::RETRY_AFTER).is_none());
        assert_eq!(full.headers()[header::CONTENT_TYPE], "application/problem+json");
    }
}
