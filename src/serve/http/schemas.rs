//! The forms of what is written member by member elsewhere, as they are described to clients.

use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong, and what is known of that.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemJson {
    /// What it is called: `urn:ream:` and a name.
    r#type: String,
    /// What a command would say.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What to do about it.
    detail: Option<String>,
    /// What a command would have ended with.
    exit_code: u8,
}

/// What is read on a line: an event, or with `markers` what is said of all of them.
#[derive(ToSchema)]
#[schema(as = EventLine)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is written member by member, and described here")]
pub(super) enum EventLineJson {
    Event(Box<EventJson>),
    Bounds(BoundsJson),
    CaughtUp(CaughtUpJson),
}

/// From where and up to where events are given.
#[derive(ToSchema)]
#[schema(as = Bounds)]
#[expect(dead_code, reason = "it is written member by member, and described here")]
pub(super) struct BoundsJson {
    from: u64,
    head: u64,
    /// The head, by which its log is told from others.
    cursor: String,
}

/// That all events up to a position were given.
#[derive(ToSchema)]
#[schema(as = CaughtUp)]
#[expect(dead_code, reason = "it is written member by member, and described here")]
pub(super) struct CaughtUpJson {
    caught_up: u64,
}

/// An event that is stored.
#[derive(ToSchema)]
#[schema(as = Event)]
#[expect(dead_code, reason = "it is written member by member, and described here")]
pub(super) struct EventJson {
    position: u64,
    stream: String,
    version: u64,
    id: String,
    r#type: String,
    /// When it took place, by who appended it.
    #[schema(format = DateTime)]
    time: String,
    /// When it was stored, where that is another time.
    #[schema(format = DateTime)]
    recorded: Option<String>,
    /// What it is about besides its stream, where that is said.
    tags: Option<Vec<String>>,
    /// Any JSON; where it is bytes, `data_base64` stands in its place.
    data: Option<serde_json::Value>,
    data_base64: Option<String>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<serde_json::Value>,
    /// That data and metadata were erased; then it has neither.
    redacted: Option<bool>,
}

/// Where an event is stored.
#[derive(Serialize, ToSchema)]
#[schema(as = Acknowledgement)]
pub(super) struct AcknowledgementJson {
    stream: String,
    version: u64,
    position: u64,
    id: String,
    /// That it was stored before, under the same id.
    duplicate: Option<bool>,
    /// That it was removed since.
    removed: Option<bool>,
    /// That its data and metadata were erased since.
    redacted: Option<bool>,
}

/// What is said of an event on a line, or of all of them on the last one.
#[derive(Serialize, ToSchema)]
#[schema(as = AcknowledgementLine)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is written member by member, and described here")]
pub(super) enum AcknowledgementLineJson {
    Acknowledgement(AcknowledgementJson),
    Done(DoneJson),
    Stopped(StoppedJson),
}

/// That all events are stored.
#[derive(Serialize, ToSchema)]
#[schema(as = Done)]
pub(super) struct DoneJson {
    /// How many events are stored.
    done: u64,
}

/// That an event was refused, and no later one is stored.
#[derive(Serialize, ToSchema)]
#[schema(as = Stopped)]
pub(super) struct StoppedJson {
    error: ProblemJson,
    /// In which line it is, where it is in one.
    line: Option<u64>,
    /// How many events before it are stored.
    stored: u64,
}

/// An event that is to be stored.
#[derive(ToSchema)]
#[schema(as = NewEvent)]
#[expect(dead_code, reason = "it is parsed member by member, and described here")]
pub(super) struct NewEventJson {
    /// Needed where the address names no stream.
    #[schema(min_length = 1)]
    stream: Option<String>,
    #[schema(min_length = 1)]
    r#type: String,
    #[schema(min_length = 1)]
    id: Option<String>,
    /// When it took place.
    #[schema(format = DateTime)]
    time: Option<String>,
    /// What it is about besides its stream.
    #[schema(max_items = 32)]
    tags: Option<Vec<String>>,
    /// Any JSON; where it is bytes, `data_base64` stands in its place.
    data: Option<serde_json::Value>,
    data_base64: Option<String>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<serde_json::Value>,
    /// What the stream is like: `any`, `no-stream`, `exists`, or its version.
    expect: Option<serde_json::Value>,
    /// The state that the stream has from here on; where it is bytes, `state_base64` stands in its place.
    state: Option<serde_json::Value>,
    state_base64: Option<String>,
}
