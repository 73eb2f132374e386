//! Payloads as arguments: JSON, a file, standard input; or bytes as base64.

use std::fs::File;
use std::io::{self, Read};

use anyhow::Context as _;
use ream::{Data, Json, wire};

use crate::refused::{Refused, invalid};

/// How much is read for one payload: more than any store takes.
const MOST_INPUT: u64 = 1 << 30;

/// What an argument stands for: itself, the file behind an `@`, or standard input for `-`.
pub(crate) fn read(argument: &str) -> anyhow::Result<Vec<u8>> {
    if argument == "-" {
        return read_stdin();
    }
    match argument.strip_prefix('@') {
        Some(path) => {
            let read = File::open(path).and_then(whole);
            read.with_context(|| format!("can't read {path}"))
        }
        None => Ok(argument.as_bytes().into()),
    }
}

/// All of standard input.
pub(crate) fn read_stdin() -> anyhow::Result<Vec<u8>> {
    whole(io::stdin().lock()).context("can't read standard input")
}

fn whole(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MOST_INPUT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The payload in `bytes`, which `what` names in an error.
pub(crate) fn data(bytes: &[u8], base64: bool, what: &str) -> anyhow::Result<Data> {
    if base64 {
        let text = String::from_utf8_lossy(bytes);
        return wire::decode_base64(text.trim()).map(Data::Bytes).map_err(invalid);
    }
    Json::parse_bytes(bytes).map(Data::Json).map_err(|error| {
        let message = format!("{what} is no JSON: {error}");
        Refused::Invalid { message, hint: None }.into()
    })
}
