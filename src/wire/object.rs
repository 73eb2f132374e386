//! One object on a line: how it is read, and where in it something is wrong.

use std::borrow::Cow;
use std::cell::Cell;

use serde::de::{Deserializer as _, Visitor};
use serde_json::value::RawValue;

use crate::event::{Data, Json, JsonError, NameError};
use crate::wire::decode_base64;

/// What is wrong with a line, and at which column of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {reason}")]
pub struct LineError {
    /// The column, in bytes, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
}

/// A line that is being read.
#[derive(Clone, Copy)]
pub(crate) struct Line<'l, 'p> {
    text: &'l str,
    /// Where an error stands that the parser would place behind the value.
    place: &'p Cell<Option<usize>>,
}

/// Reads the one object that a line holds, with the visitor that `visitor` gives.
pub(crate) fn object<'l, 'p, V: Visitor<'l>>(
    line: &'l [u8],
    place: &'p Cell<Option<usize>>,
    visitor: impl FnOnce(Line<'l, 'p>) -> V,
) -> Result<V::Value, LineError> {
    let text = std::str::from_utf8(line).map_err(|error| LineError {
        column: error.valid_up_to() + 1,
        reason: "invalid UTF-8".into(),
    })?;
    if text.starts_with('\u{feff}') {
        return Err(LineError { column: 1, reason: "a byte order mark is not JSON".into() });
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let parsed = reader.deserialize_map(visitor(Line { text, place }));
    parsed.and_then(|value| reader.end().map(|()| value)).map_err(|error| {
        let JsonError { column, reason, .. } = error.into();
        LineError { column: place.get().unwrap_or(column), reason }
    })
}

impl Line<'_, '_> {
    /// A value of the line, its errors placed within the line.
    pub(crate) fn json<E: serde::de::Error>(self, raw: &RawValue) -> Result<Json, E> {
        Json::from_raw(raw).map_err(|error| self.wrong(raw, error.column, error.reason))
    }

    /// That something is wrong at a column of a value.
    pub(crate) fn wrong<E: serde::de::Error>(
        self,
        raw: &RawValue,
        column: usize,
        reason: String,
    ) -> E {
        self.place.set(Some(self.start_of(raw) + column));
        E::custom(reason)
    }

    /// How many bytes of the line come before a value of it.
    pub(super) fn start_of(self, raw: &RawValue) -> usize {
        // `raw` borrows from the line, so their addresses tell.
        raw.get().as_ptr().addr() - self.text.as_ptr().addr()
    }
}

/// A string, borrowed where it holds no escape.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// The name that a string is.
pub(super) fn name<T, E: serde::de::Error>(
    text: &Text<'_>,
    new: impl Fn(Box<str>) -> Result<T, NameError>,
) -> Result<T, E> {
    new(text.0.as_ref().into()).map_err(E::custom)
}

/// The bytes that a string is base64 of.
pub(super) fn bytes<E: serde::de::Error>(text: &Text<'_>) -> Result<Data, E> {
    decode_base64(&text.0).map(Data::Bytes).map_err(E::custom)
}
