//! JSON text, kept as it was written.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde_json::value::RawValue;

use crate::excerpt::{REASON, excerpt};

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 128;

/// A JSON text without white space outside strings, otherwise byte for byte as it was written:
/// the spelling of numbers, the order of keys and repeated keys survive.
///
/// ```
/// use ream::Json;
///
/// let json = Json::parse("{ \"price\": 1.50,\n  \"n\": 1e3 }")?;
/// assert_eq!(json.as_str(), r#"{"price":1.50,"n":1e3}"#);
/// # Ok::<(), ream::JsonError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Json(Box<str>);

/// Where a text stops being JSON, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at line {line} column {column}")]
pub struct JsonError {
    /// What is wrong.
    pub reason: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, in bytes, counted from 1.
    pub column: usize,
}

impl JsonError {
    /// The error at the byte `offset` of `text`.
    pub(crate) fn at(text: &[u8], offset: usize, reason: impl Into<String>) -> Self {
        let before = &text[..offset];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        Self {
            reason: reason.into(),
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            column: offset - line_start + 1,
        }
    }
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        let place = format!(" at line {} column {}", error.line(), error.column());
        let reason = error.to_string();
        let reason = in_words(reason.strip_suffix(&place).unwrap_or(&reason));
        Self {
            reason: excerpt(&reason, REASON).into_owned(),
            line: error.line().max(1),
            column: error.column().max(1),
        }
    }
}

/// The parser's reasons that name what is within it, and what to say instead.
const REASONS: [(&str, &str); 9] = [
    ("EOF while parsing a value", "it ends where a value is expected"),
    ("EOF while parsing an object", "it ends within an object"),
    ("EOF while parsing a list", "it ends within an array"),
    ("EOF while parsing a string", "it ends within a string"),
    ("expected ident", "expected `true`, `false` or `null`"),
    ("key must be a string", "expected a key in double quotes"),
    ("lone leading surrogate in hex escape", "half of a surrogate pair"),
    ("unexpected end of hex escape", "half of a surrogate pair"),
    ("recursion limit exceeded", "nested deeper than 128"),
];

/// The parser's reason in words that need no knowledge of it.
fn in_words(reason: &str) -> String {
    let words = REASONS.iter().find(|(theirs, _)| *theirs == reason);
    let reason = words.map_or(reason, |(_, ours)| ours);
    reason.replacen("invalid type: sequence", "invalid type: array", 1).replacen(
        "invalid type: map",
        "invalid type: object",
        1,
    )
}

impl Json {
    /// Checks that `text` is one JSON value, and keeps it without its white space.
    ///
    /// # Errors
    ///
    /// [`JsonError`] where the text is no JSON (RFC 8259), nests deeper than [`MAX_DEPTH`], or
    /// holds half of a surrogate pair.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        if text.starts_with('\u{feff}') {
            return Err(JsonError::at(text.as_bytes(), 0, "a byte order mark is not JSON"));
        }
        let raw: &RawValue = serde_json::from_str(text)?;
        compact(raw.get()).map_err(|(offset, reason)| {
            // `raw` is a part of `text`: what stands before it is white space.
            let lead = text.len() - text.trim_start_matches([' ', '\t', '\n', '\r']).len();
            JsonError::at(text.as_bytes(), lead + offset, reason)
        })
    }

    /// The same of bytes, which must be UTF-8.
    ///
    /// # Errors
    ///
    /// As [`Json::parse`], and where the bytes are no UTF-8.
    pub fn parse_bytes(bytes: &[u8]) -> Result<Self, JsonError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::parse(text),
            Err(error) => Err(JsonError::at(bytes, error.valid_up_to(), "invalid UTF-8")),
        }
    }

    /// An object with `"key":"value"` at its end, as text; `None` where it has the key already, or is no
    /// object.
    ///
    /// ```
    /// # use ream::Json;
    /// let object = Json::parse(r#"{"n":1.0}"#)?;
    /// assert_eq!(object.with_member("k", "v"), Some(Json::parse(r#"{"n":1.0,"k":"v"}"#)?));
    /// assert_eq!(object.with_member("n", "v"), None);
    /// # Ok::<(), ream::JsonError>(())
    /// ```
    #[must_use]
    pub fn with_member(&self, key: &str, value: &str) -> Option<Self> {
        if self.member(key).is_some() {
            return None;
        }
        let members = self.0.strip_prefix('{')?.strip_suffix('}')?;
        let comma = if members.is_empty() { "" } else { "," };
        let (key, value) = (serde_json::to_string(key).ok()?, serde_json::to_string(value).ok()?);
        Some(Self(format!("{{{members}{comma}{key}:{value}}}").into()))
    }

    /// The JSON of a member of an object.
    #[must_use]
    pub fn member(&self, key: &str) -> Option<&str> {
        let members: HashMap<String, &RawValue> = serde_json::from_str(&self.0).ok()?;
        members.get(key).map(|raw| raw.get())
    }

    /// Compacts what a JSON parser has already taken for one value.
    ///
    /// # Errors
    ///
    /// [`JsonError`], its place counted from the start of `raw`.
    pub(crate) fn from_raw(raw: &RawValue) -> Result<Self, JsonError> {
        let text = raw.get();
        compact(text).map_err(|(offset, reason)| JsonError::at(text.as_bytes(), offset, reason))
    }

    /// `{}`.
    #[must_use]
    pub fn empty_object() -> Self {
        Self("{}".into())
    }

    /// A text that the store gives out: checked when it came in.
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.0.starts_with('{')
    }
}

impl FromStr for Json {
    type Err = JsonError;

    fn from_str(text: &str) -> Result<Self, JsonError> {
        Self::parse(text)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Drops the white space outside strings from a valid JSON text, and checks what a parser that
/// skips values does not: depth, and that surrogates come in pairs.
fn compact(text: &str) -> Result<Json, (usize, &'static str)> {
    let bytes = text.as_bytes();
    let mut compacted = String::with_capacity(bytes.len());
    let (mut depth, mut kept, mut at) = (0_usize, 0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = skip_string(bytes, at)?,
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err((at, "nested deeper than 128"));
                }
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            b' ' | b'\t' | b'\n' | b'\r' => {
                compacted.push_str(&text[kept..at]);
                at += 1;
                kept = at;
            }
            _ => at += 1,
        }
    }
    compacted.push_str(&text[kept..]);
    Ok(Json(compacted.into_boxed_str()))
}

/// The offset behind the string that opens at `open`.
fn skip_string(bytes: &[u8], open: usize) -> Result<usize, (usize, &'static str)> {
    let mut at = open + 1;
    loop {
        match bytes[at] {
            b'"' => return Ok(at + 1),
            b'\\' if bytes[at + 1] == b'u' => {
                at = skip_code_unit(bytes, at).ok_or((at, "half of a surrogate pair"))?;
            }
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The offset behind the `\uXXXX`, or the pair of them, that stands at `at`.
fn skip_code_unit(bytes: &[u8], at: usize) -> Option<usize> {
    match code_unit(bytes, at)? {
        0xd800..=0xdbff => match code_unit(bytes, at + 6)? {
            0xdc00..=0xdfff => Some(at + 12),
            _ => None,
        },
        0xdc00..=0xdfff => None,
        _ => Some(at + 6),
    }
}

fn code_unit(bytes: &[u8], at: usize) -> Option<u16> {
    let escape = bytes.get(at..at + 6)?;
    let digits = escape.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reason(text: &str) -> String {
        Json::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn spelling_order_and_repeated_keys_survive() {
        for text in [
            r#"{"b":1.10,"a":1E+2,"b":-0}"#,
            "12345678901234567890.000",
            r#""tab\tquote\"é\u00e9""#,
            r#"{" a ":[ ]}"#,
            "null",
            r#""😀""#,
        ] {
            let kept = text.replace("[ ]", "[]");
            assert_eq!(Json::parse(text).unwrap().as_str(), kept);
            assert_eq!(Json::parse(&format!(" \n{text}\t\r\n")).unwrap().as_str(), kept);
        }
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        assert_eq!(reason("hello"), "expected value at line 1 column 1");
        assert_eq!(reason("{\"a\":1"), "it ends within an object at line 1 column 6");
        assert_eq!(reason("{} {}"), "trailing characters at line 1 column 4");
        assert_eq!(reason("\u{feff}{}"), "a byte order mark is not JSON at line 1 column 1");
        assert_eq!(reason("\n [\"\\ud800\"]"), "half of a surrogate pair at line 2 column 4");
        assert_eq!(reason(r#""\udc00\ud800""#), "half of a surrogate pair at line 1 column 2");
        assert_eq!(reason(r#""\ud83dx""#), "half of a surrogate pair at line 1 column 2");
        assert!(reason("\"a\0b\"").starts_with("control character"), "{}", reason("\"a\0b\""));
        for text in ["", "01", "1.", "+1", "NaN", "'a'", "{a:1}", "[1,]", "\"\\x\""] {
            assert!(Json::parse(text).is_err(), "{text}");
        }
        assert_eq!(
            Json::parse_bytes(b"{\"a\":\n\"\xff\"}").unwrap_err().to_string(),
            "invalid UTF-8 at line 2 column 2"
        );
    }

    #[test]
    fn depth_ends_at_128() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::parse(&nested(128)).is_ok());
        assert_eq!(reason(&nested(129)), "nested deeper than 128 at line 1 column 129");
        assert!(Json::parse(&format!("[{}]", vec!["[]"; 500].join(","))).is_ok());
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i64>().prop_map(Into::into),
            "\\PC*".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::btree_map("\\PC*", inner, 0..4)
                    .prop_map(|map| { serde_json::Value::Object(map.into_iter().collect()) }),
            ]
        })
    }

    proptest! {
        #[test]
        fn compacting_pretty_text_gives_compact_text(value in value()) {
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            let json = Json::parse(&pretty).unwrap();
            prop_assert_eq!(json.as_str(), value.to_string());
        }
    }
}
