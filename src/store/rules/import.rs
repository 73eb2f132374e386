//! Importing states: which are taken.

use crate::store::{Error, ImportedState, NewState, State};

/// What comes of a state that is imported into a stream that has `stored`; a store takes `max` bytes.
pub(crate) fn import(stored: Option<&State>, state: &NewState, max: usize) -> ImportedState {
    let bytes = state.data.len();
    if bytes > max {
        return ImportedState::Refused(Error::TooLarge { bytes, max });
    }
    let Some(stored) = stored else { return ImportedState::Stored };
    match state.version.unwrap_or(stored.stream_version).cmp(&stored.version) {
        std::cmp::Ordering::Greater => ImportedState::Stored,
        std::cmp::Ordering::Less => ImportedState::AlreadyThere,
        std::cmp::Ordering::Equal if stored.data == state.data => ImportedState::AlreadyThere,
        std::cmp::Ordering::Equal => ImportedState::Differs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Data, Json, Position, StreamName, Version};

    fn data(json: &str) -> Data {
        Data::Json(Json::stored(json))
    }

    #[test]
    fn a_state_is_taken_where_there_is_none_or_an_earlier_one() {
        let stored = State {
            stream: StreamName::stored("s"),
            version: Version(3),
            stream_version: Version(5),
            position: Position(9),
            data: data("1"),
        };
        let state = |version, json| {
            let state = NewState::new(StreamName::stored("s"), data(json));
            NewState { version: Some(Version(version)), ..state }
        };
        let come =
            |stored, version, json| format!("{:?}", import(stored, &state(version, json), 4));
        assert_eq!(come(None, 0, "1"), "Stored");
        assert_eq!(come(Some(&stored), 4, "2"), "Stored");
        assert_eq!(come(Some(&stored), 3, "1"), "AlreadyThere");
        assert_eq!(come(Some(&stored), 3, "2"), "Differs");
        assert_eq!(come(Some(&stored), 2, "2"), "AlreadyThere");
        assert!(come(None, 0, "12345").starts_with("Refused(TooLarge"));
    }
}
