//! Who acts on a store.

use crate::platform;
use crate::wire;

/// The types of the events in the reserved stream `$ream`, one for each kind of act on a store. Later versions have
/// more.
pub const ACT_TYPES: [&str; 16] = [
    "StreamRemoved",
    "StreamTruncated",
    "RetentionSet",
    "EventRedacted",
    "StateRemoved",
    "StreamProtected",
    "StreamUnprotected",
    "ProjectionCreated",
    "ProjectionChanged",
    "ProjectionAllowed",
    "ProjectionSwitched",
    "ProjectionDropped",
    "SubscriptionCreated",
    "SubscriptionMoved",
    "SubscriptionRemoved",
    "StoreRestored",
];

/// Who acts on a store: what the acts that are recorded in the stream `$ream` say in their metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Actor {
    /// The name of the user, or of the holder of a server's token.
    pub user: Option<String>,
    /// The user's number, where it is a user of this system.
    pub uid: Option<u32>,
}

impl Actor {
    /// Someone who is known by a name alone.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { user: Some(name.into()), uid: None }
    }

    /// The user that this process acts as, with the name that `/etc/passwd` has for it.
    #[must_use]
    pub fn of_process() -> Self {
        let uid = platform::user();
        Self { user: uid.and_then(platform::user_name), uid }
    }

    /// What is said of it in the metadata of an event, as a JSON object; nothing where nothing is known.
    pub(super) fn to_json(&self) -> Option<String> {
        let mut json = Vec::new();
        if let Some(user) = &self.user {
            json.extend_from_slice(b"\"user\":");
            wire::write_string(&mut json, user);
        }
        if let Some(uid) = self.uid {
            json.extend_from_slice(if json.is_empty() { b"\"uid\":" } else { b",\"uid\":" });
            wire::write_number(&mut json, uid.into());
        }
        if json.is_empty() { None } else { Some(format!("{{{}}}", String::from_utf8_lossy(&json))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_say_what_is_known() {
        let json = |user: Option<&str>, uid| Actor { user: user.map(Into::into), uid }.to_json();
        assert_eq!(json(Some("anna"), Some(1000)).unwrap(), r#"{"user":"anna","uid":1000}"#);
        assert_eq!(json(None, Some(0)).unwrap(), r#"{"uid":0}"#);
        assert_eq!(json(Some("a\"b"), None).unwrap(), r#"{"user":"a\"b"}"#);
        assert_eq!(json(None, None), None);
    }
}
