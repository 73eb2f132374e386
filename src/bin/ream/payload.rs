//! Payloads as arguments: JSON, a file, standard input; or bytes as base64.

use std::fs::File;
use std::io::{self, Read};

use anyhow::Context as _;
use ream::{Data, Json, wire};

use crate::refused::{Refused, invalid, quote};

/// How many bytes are read of what no store has a limit for.
pub(crate) const MOST_INPUT: usize = 64 * 1024 * 1024;

/// How many bytes are read of what becomes data of at most `max_data` bytes: in base64, or with an
/// escape for every other character, it is longer.
pub(crate) fn most_input(max_data: usize) -> usize {
    max_data.saturating_mul(2).saturating_add(1024 * 1024)
}

/// What an argument stands for: itself, or standard input for `-`, of at most `most` bytes.
pub(crate) fn read(argument: &str, most: usize) -> anyhow::Result<Vec<u8>> {
    if argument == "-" {
        whole(io::stdin().lock(), "standard input", most)
    } else {
        Ok(argument.as_bytes().into())
    }
}

/// The same, or the file behind an `@`.
pub(crate) fn read_or_file(argument: &str, most: usize) -> anyhow::Result<Vec<u8>> {
    let Some(path) = argument.strip_prefix('@') else { return read(argument, most) };
    let file = File::open(path).with_context(|| format!("can't read {path}"))?;
    whole(file, path, most)
}

/// All of `source`, called `name`, unless it has more than `most` bytes: no more are read.
fn whole(source: impl Read, name: &str, most: usize) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut source = source.take((most as u64).saturating_add(1));
    source.read_to_end(&mut bytes).with_context(|| format!("can't read {name}"))?;
    if bytes.len() > most {
        return Err(invalid(format!("{name} has more than {most} bytes")));
    }
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
