//! Payloads as arguments: JSON, a file, standard input; or bytes as base64.

use std::fs::File;
use std::io::{self, Read};

use anyhow::Context as _;
use ream::{Data, Json, wire};

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

/// The bytes that a text in base64 stands for.
pub(crate) fn base64(text: &[u8]) -> anyhow::Result<Data> {
    let text = String::from_utf8_lossy(text);
    wire::decode_base64(text.trim()).map(Data::Bytes).map_err(invalid)
}
