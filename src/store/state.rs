//! States: what an aggregator made of a stream, and of how much of it.

use crate::event::{Data, Expect, Position, StreamName, Version};

/// The state of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct State {
    /// The stream.
    pub stream: StreamName,
    /// The version that the state reflects.
    pub version: Version,
    /// The version that the stream is at.
    pub stream_version: Version,
    /// Where the event of `version` stands; 0 for version 0.
    pub position: Position,
    /// The state.
    pub data: Data,
}

/// A state to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewState {
    /// The stream.
    pub stream: StreamName,
    /// The state.
    pub data: Data,
    /// What the stream must be like.
    pub expect: Expect,
    /// The version that the state reflects; the stream's, if not given.
    pub version: Option<Version>,
}

impl NewState {
    /// A state of the stream as it is, with no expectation.
    #[must_use]
    pub fn new(stream: StreamName, data: Data) -> Self {
        Self { stream, data, expect: Expect::Any, version: None }
    }
}

/// A state without its data.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateEntry {
    /// The stream.
    pub stream: StreamName,
    /// The version that the state reflects.
    pub version: Version,
    /// The version that the stream is at.
    pub stream_version: Version,
    /// How many bytes the data has.
    pub bytes: u64,
}

/// How many states the streams of a category have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateCategory {
    /// What stands before the first `-` of the streams' names.
    pub category: String,
    /// How many states.
    pub states: u64,
}
