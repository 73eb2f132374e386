//! `GET`, `PUT` and `DELETE /states/{stream}`: states, each with a tag that says which one it is.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, RawQuery, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::backend::Backend;
use super::body::{self, JSON, Received};
use super::name::{name_in, stream_in};
use super::parameters::Parameters;
use super::problem::Problem;
use super::schemas::ProblemJson;
use crate::event::{Data, Json, Version};
use crate::serve::access::Holder;
use crate::store::{self, NewState};

/// What the body of a state may be.
const TAKEN: &str = "application/json and application/octet-stream (bytes)";
const BYTES: &str = "application/octet-stream";
/// How many bytes of a hash are in a tag.
const HASH: usize = 8;

/// A state without its data, with its fields in this order.
#[derive(Serialize, ToSchema)]
#[schema(as = StateEntry)]
struct EntryJson<'s> {
    stream: &'s str,
    version: u64,
    stream_version: u64,
    bytes: u64,
}

/// What was removed.
#[derive(Serialize, ToSchema)]
#[schema(as = Removed)]
struct RemovedJson<'s> {
    stream: &'s str,
    removed: bool,
    erased: bool,
}

/// The tag of a state: the version that it reflects, and a hash of its bytes.
fn tag(version: Version, data: &Data) -> String {
    let bytes = match data {
        Data::Json(json) => json.as_str().as_bytes(),
        Data::Bytes(bytes) => bytes,
    };
    let mut tag = format!("\"{version}-");
    for byte in Sha256::digest(bytes).iter().take(HASH) {
        // Writing into a string does not fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// What a state is to be like, by `If-Match` and `If-None-Match`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Condition {
    matches: Option<Tags>,
    matches_none: Option<Tags>,
}

#[derive(Debug, PartialEq, Eq)]
enum Tags {
    /// Of any state.
    Any,
    These(Vec<String>),
}

impl Tags {
    fn read(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Self>, Problem> {
        let mut tags = Vec::new();
        for value in headers.get_all(name) {
            let wrong = || Problem::usage(format!("`{name}` has tags in quotes, or is `*`"));
            let value = value.to_str().map_err(|_| wrong())?.trim();
            if value == "*" {
                return Ok(Some(Self::Any));
            }
            for tag in value.split(',').map(str::trim) {
                let is_tag = tag.len() > 1 && tag.starts_with('"') && tag.ends_with('"');
                tags.push(is_tag.then(|| tag.to_owned()).ok_or_else(wrong)?);
            }
        }
        Ok((!tags.is_empty()).then_some(Self::These(tags)))
    }

    /// Whether they are the tags of a state, or of none.
    fn are(&self, found: Option<&str>) -> bool {
        found.is_some_and(|found| match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|tag| tag == found),
        })
    }
}

impl Condition {
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let matches = Tags::read(headers, &header::IF_MATCH)?;
        Ok(Self { matches, matches_none: Tags::read(headers, &header::IF_NONE_MATCH)? })
    }

    fn holds(&self, found: Option<&store::State>) -> bool {
        let found = found.map(|state| tag(state.version, &state.data));
        self.matches.as_ref().is_none_or(|tags| tags.are(found.as_deref()))
            && self.matches_none.as_ref().is_none_or(|tags| !tags.are(found.as_deref()))
    }
}

/// That a state is not as it was to be.
fn changed(stream: &str) -> Problem {
    let title = format!("the state of the stream `{stream}` is not the one that was expected");
    let problem = Problem::new(StatusCode::PRECONDITION_FAILED, "state-changed", 3, title);
    let problem = problem.text("stream", stream);
    let request = super::address::of("/states", stream);
    problem.with_detail(format!("get it and decide again: GET {request}"))
}

fn tagged(tag: &str, response: impl IntoResponse) -> Response {
    let mut response = response.into_response();
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Gets a state.
#[utoipa::path(
    get,
    path = "/states/{stream}",
    operation_id = "get_state",
    params(
        ("stream" = String, Path, min_length = 1, description = "The stream; one whose name an address would bend is named by `/states?stream=`"),
        ("If-None-Match" = Option<String>, Header, description = "Tags of states that are known")
    ),
    responses(
        (status = 200, description = "The state's data", content(
            (serde_json::Value = "application/json"),
            (Vec<u8> = "application/octet-stream")
        ), headers(("ETag" = String, description = "The version that it reflects, and a hash of its bytes"))),
        (status = 304, description = "It is the one that is known"),
        (status = "default", description = "What went wrong", body = ProblemJson, content_type = "application/problem+json")
    )
)]
pub(super) async fn get(
    State(backend): State<Arc<Backend>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(uri.query(), &["stream"], None)?;
    let name = name_in(&uri, "/states/", &parameters)?;
    let known = Tags::read(&headers, &header::IF_NONE_MATCH)?;
    let state = backend.perform(move |store| Ok(store.state(&name)?)).await?;
    let tag = tag(state.version, &state.data);
    if known.is_some_and(|known| known.are(Some(&tag))) {
        return Ok(tagged(&tag, StatusCode::NOT_MODIFIED));
    }
    let (kind, bytes) = match state.data {
        Data::Json(json) => (JSON, json.as_str().as_bytes().to_vec()),
        Data::Bytes(bytes) => (BYTES, bytes.into()),
    };
    Ok(tagged(&tag, body::whole(kind, bytes)))
}

/// Sets a state.
#[utoipa::path(
    put,
    path = "/states/{stream}",
    operation_id = "put_state",
    params(
        ("stream" = String, Path, min_length = 1, description = "The stream; one whose name an address would bend is named by `/states?stream=`"),
        ("expect" = Option<String>, Query, pattern = "^(any|no-stream|exists|[0-9]+)$", description = "What the stream is like: `any`, `no-stream`, `exists`, or its version"),
        ("version" = Option<u64>, Query, description = "The version that it reflects; the stream's by default"),
        ("If-Match" = Option<String>, Header, description = "Only in the place of the state with one of these tags"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only where there is none")
    ),
    request_body(description = "The state's data", content(
        (serde_json::Value = "application/json"),
        (Vec<u8> = "application/octet-stream")
    )),
    responses((status = 200, description = "It is stored", body = EntryJson), (status = "default", description = "What went wrong", body = ProblemJson, content_type = "application/problem+json"))
)]
pub(super) async fn put(
    State(backend): State<Arc<Backend>>,
    RawQuery(given): RawQuery,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(given.as_deref(), &["stream", "expect", "version"], None)?;
    let stream = stream_in(&uri, "/states/", &parameters)?;
    let condition = Condition::read(&headers)?;
    let is_bytes = match body::kind(&headers)?.as_deref() {
        Some(BYTES) => true,
        None | Some(JSON) => false,
        Some(kind) => return Err(body::unsupported(kind, TAKEN)),
    };
    let most = body::most(backend.limits.data);
    let Received { bytes, room, more } = body::receive(body, most, &backend.memory).await?;
    let data = if is_bytes {
        Data::Bytes(bytes.into())
    } else {
        Data::Json(Json::parse_bytes(&bytes).map_err(|error| body::no_json("the state", &error))?)
    };
    let mut state = NewState::new(stream, data);
    state.expect = parameters.one_as("expect")?.unwrap_or_default();
    state.version = parameters.number("version")?.map(Version);
    let stored = backend.change(move |store| {
        let _room = (room, more);
        let stored = store.set_state_if(&state, |found| condition.holds(found))?;
        let stored = stored.ok_or_else(|| changed(state.stream.as_str()))?;
        let tag = tag(stored.version, &state.data);
        Ok((stored, tag))
    });
    let (stored, tag) = stored.await?;
    let mut line = Vec::new();
    let json = EntryJson {
        stream: stored.stream.as_str(),
        version: stored.version.0,
        stream_version: stored.stream_version.0,
        bytes: stored.bytes,
    };
    body::write_line(&mut line, &json);
    Ok(tagged(&tag, body::whole(JSON, line)))
}

/// Removes a state.
#[utoipa::path(
    delete,
    path = "/states/{stream}",
    operation_id = "delete_state",
    params(
        ("stream" = String, Path, min_length = 1, description = "The stream; one whose name an address would bend is named by `/states?stream=`"),
        ("If-Match" = Option<String>, Header, description = "Only in the place of the state with one of these tags"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only where there is none")
    ),
    responses((status = 200, description = "It is removed", body = RemovedJson), (status = "default", description = "What went wrong", body = ProblemJson, content_type = "application/problem+json"))
)]
pub(super) async fn delete(
    State(backend): State<Arc<Backend>>,
    uri: Uri,
    headers: HeaderMap,
    Extension(holder): Extension<Holder>,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(uri.query(), &["stream"], None)?;
    let stream = stream_in(&uri, "/states/", &parameters)?;
    let condition = Condition::read(&headers)?;
    let line = backend.change(move |store| {
        store.act_as(Some(holder.actor()));
        let removal = store.remove_state_if(&stream, |found| condition.holds(found))?;
        let removal = removal.ok_or_else(|| changed(stream.as_str()))?;
        let (removed, erased) = (!removal.removed.is_empty(), removal.unfinished.is_none());
        let mut line = Vec::new();
        body::write_line(&mut line, &RemovedJson { stream: stream.as_str(), removed, erased });
        Ok(line)
    });
    Ok(body::whole(JSON, line.await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(text: &str) -> HeaderMap {
        let lines = text.lines().map(|line| line.split_once(": ").unwrap());
        lines.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_tag_is_of_one_state_alone() {
        let json = |text: &str| Data::Json(Json::parse(text).unwrap());
        // The hash is that of `printf '{"n":1}' | sha256sum`.
        assert_eq!(tag(Version(3), &json("{\"n\": 1}")), "\"3-2bfd14f43d17fc7c\"");
        assert_ne!(tag(Version(3), &json("1")), tag(Version(4), &json("1")));
        assert_ne!(tag(Version(3), &json("1")), tag(Version(3), &json("2")));
    }

    #[test]
    fn a_condition_holds_of_the_tags_that_it_names() {
        let holds = |text: &str, found: Option<&str>| {
            let condition = Condition::read(&headers(text)).unwrap();
            condition.matches.as_ref().is_none_or(|tags| tags.are(found))
                && condition.matches_none.as_ref().is_none_or(|tags| !tags.are(found))
        };
        for (text, of_a, of_b, of_none) in [
            ("", true, true, true),
            ("if-match: \"a\"", true, false, false),
            ("if-match: \"x\", \"a\"", true, false, false),
            ("if-match: *", true, true, false),
            ("if-none-match: *", false, false, true),
            ("if-none-match: \"a\"", false, true, true),
        ] {
            let held = (holds(text, Some("\"a\"")), holds(text, Some("\"b\"")), holds(text, None));
            assert_eq!(held, (of_a, of_b, of_none), "{text}");
        }
        for wrong in ["if-match: a", "if-match: W/\"a\"", "if-match: \"", "if-match: \"a\","] {
            assert!(Condition::read(&headers(wrong)).is_err(), "{wrong}");
        }
    }
}
