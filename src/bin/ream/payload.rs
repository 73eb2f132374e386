//! Payloads as arguments: JSON, a file, standard input; or bytes as base64.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};

use anyhow::Context as _;
use ream::{Data, Json, wire};
use serde_json::value::RawValue;

use crate::refused::{Refused, invalid, quote};

/// How much is read for one payload: more than any store takes.
const MOST_INPUT: u64 = 1 << 30;

/// What an argument stands for: itself, or standard input for `-`.
pub(crate) fn read(argument: &str) -> anyhow::Result<Vec<u8>> {
    if argument == "-" { read_stdin() } else { Ok(argument.as_bytes().into()) }
}

/// The same, or the file behind an `@`.
pub(crate) fn read_or_file(argument: &str) -> anyhow::Result<Vec<u8>> {
    let Some(path) = argument.strip_prefix('@') else { return read(argument) };
    File::open(path).and_then(whole).with_context(|| format!("can't read {path}"))
}

/// All of standard input.
fn read_stdin() -> anyhow::Result<Vec<u8>> {
    whole(io::stdin().lock()).context("can't read standard input")
}

fn whole(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MOST_INPUT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The payload that `argument` stands for and `bytes` hold; as [`json`].
pub(crate) fn data(
    argument: &str,
    bytes: &[u8],
    what: &str,
    command: &str,
) -> anyhow::Result<Data> {
    json(argument, bytes, what, command).map(Data::Json)
}

/// The JSON that `argument` stands for and `bytes` hold; errors call it `what`. For a bare word the
/// hint is `command` with the word as a JSON string.
pub(crate) fn json(
    argument: &str,
    bytes: &[u8],
    what: &str,
    command: &str,
) -> anyhow::Result<Json> {
    Json::parse_bytes(bytes).map_err(|error| {
        let message = format!("{what} is no JSON: {error}");
        let bare = argument.as_bytes() == bytes
            && error.line == 1
            && !argument.starts_with(['{', '[', '"', '\u{feff}']);
        let string = serde_json::to_string(argument).ok().filter(|_| bare);
        let hint =
            string.map(|string| format!("a JSON string has quotes: {command} {}", quote(&string)));
        Refused::Invalid { message, hint }.into()
    })
}

/// A JSON object with `"key":"value"` at its end, as text; nothing where it has the key already.
pub(crate) fn with_member(object: &Json, key: &str, value: &str) -> anyhow::Result<Option<Json>> {
    let keys: HashMap<String, &RawValue> = serde_json::from_str(object.as_str())?;
    if keys.contains_key(key) {
        return Ok(None);
    }
    let value = serde_json::to_string(value)?;
    let members = object.as_str().trim_start_matches('{').strip_suffix('}').unwrap_or_default();
    let comma = if members.is_empty() { "" } else { "," };
    Ok(Some(Json::parse(&format!("{{{members}{comma}\"{key}\":{value}}}"))?))
}

/// The bytes that a text in base64 stands for.
pub(crate) fn base64(text: &[u8]) -> anyhow::Result<Data> {
    let text = String::from_utf8_lossy(text);
    wire::decode_base64(text.trim()).map(Data::Bytes).map_err(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_added_to_an_object_as_it_stands() {
        let add = |object: &str| {
            let with = with_member(&Json::parse(object).unwrap(), "k", "v\"").unwrap();
            with.map(|json| json.to_string())
        };
        assert_eq!(add("{}").unwrap(), r#"{"k":"v\""}"#);
        assert_eq!(add(r#"{"n":1.0,"o":{}}"#).unwrap(), r#"{"n":1.0,"o":{},"k":"v\""}"#);
        assert_eq!(add(r#"{"k":1}"#), None);
        assert!(add(r#"{"o":{"k":1}}"#).is_some());
    }
}
