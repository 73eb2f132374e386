//! The forms of what is written member by member elsewhere, as they are described to clients.

use utoipa::ToSchema;

/// What went wrong, and what is known of that.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "it is written member by member, and described here")]
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
    time: String,
    /// When it was stored, where that is another time.
    recorded: Option<String>,
    /// Any JSON; where it is bytes, `data_base64` stands in its place.
    data: Option<serde_json::Value>,
    data_base64: Option<String>,
    metadata: Option<serde_json::Value>,
}

/// Where an event is stored.
#[derive(ToSchema)]
#[schema(as = Acknowledgement)]
#[expect(dead_code, reason = "it is written member by member, and described here")]
pub(super) struct AcknowledgementJson {
    stream: String,
    version: u64,
    position: u64,
    id: String,
    /// That it was stored before, under the same id.
    duplicate: Option<bool>,
    /// That it was removed since.
    removed: Option<bool>,
}
