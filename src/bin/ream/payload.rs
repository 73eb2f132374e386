//! Payloads as arguments: JSON, a file, standard input; or bytes as base64.

use std::fs::File;
use std::io::{self, Read};

use anyhow::Context as _;
use ream::{Data, Json, wire};

use crate::hint::Hint;
use crate::refused::{Refused, invalid};

/// How many bytes are read of what no store has a limit for.
pub(crate) const MOST_INPUT: usize = 64 * 1024 * 1024;

/// How many bytes are read of what becomes data of at most `max_data` bytes: in base64, or with an
/// escape for every other character, it is longer.
pub(crate) fn most_input(max_data: usize) -> usize {
    max_data.saturating_mul(2).saturating_add(1024 * 1024)
}

/// What an argument stands for, of at most `most` bytes: itself, the file behind an `@`, or standard
/// input for `-`.
pub(crate) fn read(argument: &str, most: usize) -> anyhow::Result<Vec<u8>> {
    if argument == "-" {
        return whole(io::stdin().lock(), "standard input", most);
    }
    let Some(path) = argument.strip_prefix('@') else { return Ok(argument.as_bytes().into()) };
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

/// The JSON that `argument` stands for and `bytes` hold; errors call it `what`, as the help does.
pub(crate) fn json(argument: &str, bytes: &[u8], what: &str) -> anyhow::Result<Json> {
    Json::parse_bytes(bytes).map_err(|error| {
        let message = format!("{what} is not valid JSON: {error}");
        let given = argument.as_bytes() == bytes && error.line == 1;
        let hint = if given { meant(argument, what) } else { None };
        Refused::Invalid { message, hint }.into()
    })
}

/// The bytes that a text in base64 stands for.
pub(crate) fn base64(text: &[u8]) -> anyhow::Result<Data> {
    let text = String::from_utf8_lossy(text);
    wire::decode_base64(text.trim()).map(Data::Bytes).map_err(invalid)
}

/// The command with what was likely meant by an argument that is not JSON.
fn meant(argument: &str, what: &str) -> Option<Hint> {
    if let Some(hint) = with_quotes_back(argument, what) {
        return Some(hint);
    }
    let bare = !argument.starts_with(['{', '[', '"', '\u{feff}']);
    let string = serde_json::to_string(argument).ok().filter(|_| bare)?;
    Some(Hint::again("a JSON string has quotes").value(what, string))
}

/// The command with the quotes that a shell took from an argument.
pub(crate) fn with_quotes_back(argument: &str, what: &str) -> Option<Hint> {
    let json = with_quotes(argument)?;
    Some(Hint::again("the shell took the quotes of the JSON").value(what, json))
}

/// The object or array that an argument was before a shell took its quotes away: a shell makes
/// `{amount:12.50}` of `{"amount":12.50}`.
fn with_quotes(argument: &str) -> Option<String> {
    if !argument.starts_with(['{', '[']) || argument.contains(['"', '\'']) {
        return None;
    }
    let (mut json, mut rest) = (String::new(), argument);
    quote_value(&mut rest, &mut json, 0)?;
    // Where none were taken, the JSON is wrong in another way.
    let took = json != argument && rest.trim().is_empty();
    (took && Json::parse(&json).is_ok()).then_some(json)
}

/// Takes a value from the start of `rest`, and writes it with quotes.
fn quote_value(rest: &mut &str, json: &mut String, depth: usize) -> Option<()> {
    *rest = rest.trim_start();
    let close = match rest.chars().next()? {
        '{' => '}',
        '[' => ']',
        _ => {
            let word = take_until(rest, &[',', '}', ']'])?;
            let known = Json::parse(word).is_ok();
            json.push_str(&if known { word.into() } else { serde_json::to_string(word).ok()? });
            return Some(());
        }
    };
    // More than this is not JSON either.
    if depth > 128 {
        return None;
    }
    json.push_str(&rest[..1]);
    *rest = rest[1..].trim_start();
    if let Some(behind) = rest.strip_prefix(close) {
        json.push(close);
        *rest = behind;
        return Some(());
    }
    loop {
        if close == '}' {
            let key = take_until(rest, &[':', ',', '{', '}', '[', ']'])?;
            json.push_str(&serde_json::to_string(key).ok()?);
            *rest = rest.strip_prefix(':')?;
            json.push(':');
        }
        quote_value(rest, json, depth + 1)?;
        *rest = rest.trim_start();
        let next = rest.chars().next().filter(|next| *next == ',' || *next == close)?;
        json.push(next);
        *rest = &rest[1..];
        if next == close {
            return Some(());
        }
    }
}

/// Takes what stands before the first of `ends`, if anything does.
fn take_until<'t>(rest: &mut &'t str, ends: &[char]) -> Option<&'t str> {
    let (word, behind) = rest.split_at(rest.find(ends)?);
    *rest = behind;
    Some(word.trim()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::with_quotes;

    #[test]
    fn quotes_that_a_shell_took_are_put_back() {
        for (argument, json) in [
            ("{amount:12.50}", Some(r#"{"amount":12.50}"#)),
            ("{a:b c,n:-1e3,t:true,x:null}", Some(r#"{"a":"b c","n":-1e3,"t":true,"x":null}"#)),
            ("{url:https://x.org/?a}", Some(r#"{"url":"https://x.org/?a"}"#)),
            ("{a:{b:[1,two,{}]},c:[]}", Some(r#"{"a":{"b":[1,"two",{}]},"c":[]}"#)),
            ("[x]", Some(r#"["x"]"#)),
            ("{a}", None),
            ("{a:}", None),
            ("{a:1", None),
            ("{a:1}}", None),
            ("{'a':1}", None),
            (r#"{"a":b}"#, None),
            ("word", None),
        ] {
            assert_eq!(with_quotes(argument).as_deref(), json, "{argument}");
        }
    }
}
