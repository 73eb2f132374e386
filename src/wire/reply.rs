//! What programs hear and answer: commands and replies, a line each.

use std::cell::Cell;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::key::{CommandKey, ReplyKey};
use super::line::{Defaults, parse_event_with};
use super::object::{Line, LineError, Text, bytes, name, object};
use crate::event::{Command, Data, EventId, Json, NewEvent, StreamName};

/// A program's reply.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// Append an event.
    Append(NewEvent),
    /// Store a state.
    State(Data),
    /// Reject the command, for this reason.
    Reject(String),
    /// What was asked up to this number is answered.
    Ack(u64),
}

/// Reads a reply: an object with one key, which says what it is.
///
/// ```
/// use ream::wire::{Defaults, Reply, parse_reply};
///
/// let reply = parse_reply(br#"{"reject":"overdrawn"}"#, &Defaults::default())?;
/// assert_eq!(reply, Reply::Reject("overdrawn".into()));
/// # Ok::<(), ream::wire::LineError>(())
/// ```
///
/// # Errors
///
/// [`LineError`] where the line is no such thing. `defaults` hold for the event of an `append`, as in
/// [`parse_event_with`].
pub fn parse_reply(line: &[u8], defaults: &Defaults) -> Result<Reply, LineError> {
    let place = Cell::new(None);
    object(line, &place, |line| ReplyVisitor { line, defaults })
}

struct ReplyVisitor<'a> {
    line: Line<'a>,
    defaults: &'a Defaults,
}

impl<'de> Visitor<'de> for ReplyVisitor<'_> {
    type Value = Reply;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reply: a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Reply, A::Error> {
        let Some(key) = map.next_key::<ReplyKey>()? else {
            return Err(A::Error::custom("a reply has one key, here is none"));
        };
        let reply = match key {
            ReplyKey::Append => {
                let raw: &RawValue = map.next_value()?;
                let event = parse_event_with(raw.get().as_bytes(), self.defaults);
                Reply::Append(
                    event.map_err(|error| self.line.wrong(raw, error.column, error.reason))?,
                )
            }
            ReplyKey::State => Reply::State(self.line.json(map.next_value()?).map(Data::Json)?),
            ReplyKey::StateBase64 => Reply::State(bytes(&map.next_value()?)?),
            ReplyKey::Reject => Reply::Reject(map.next_value()?),
            ReplyKey::Ack => Reply::Ack(map.next_value()?),
        };
        match map.next_key::<ReplyKey>()? {
            None => Ok(reply),
            Some(other) => Err(A::Error::custom(format_args!(
                "a reply has one key, here are `{key}` and `{other}`: write a line each"
            ))),
        }
    }
}

/// Reads a command: `{"stream":…,"command":…,"id":…}`, of which the id may be missing.
///
/// # Errors
///
/// [`LineError`] where the line is no such thing.
pub fn parse_command(line: &[u8]) -> Result<Command, LineError> {
    let place = Cell::new(None);
    object(line, &place, |line| CommandVisitor { line })
}

struct CommandVisitor<'a> {
    line: Line<'a>,
}

impl<'de> Visitor<'de> for CommandVisitor<'_> {
    type Value = Command;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a command: a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Command, A::Error> {
        let (mut stream, mut data, mut id) = (None, None::<Json>, None);
        let twice = |key| A::Error::custom(format_args!("the key `{key}` appears twice"));
        while let Some(key) = map.next_key::<CommandKey>()? {
            let before = match key {
                CommandKey::Stream => {
                    let text = map.next_value::<Text<'de>>()?;
                    stream.replace(name(&text, StreamName::new)?).is_some()
                }
                CommandKey::Command => data.replace(self.line.json(map.next_value()?)?).is_some(),
                CommandKey::Id => {
                    let text: Option<Text<'de>> = map.next_value()?;
                    let given = text.map(|text| name(&text, EventId::new)).transpose()?;
                    id.replace(given).is_some()
                }
            };
            if before {
                return Err(twice(key));
            }
        }
        let stream = stream.ok_or_else(|| A::Error::custom("no `stream`"))?;
        let data = data.ok_or_else(|| A::Error::custom("no `command`"))?;
        let mut command = Command::new(stream, data);
        command.id = id.flatten();
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{DataRef, Expect};

    fn reply(line: &str) -> Result<Reply, String> {
        let defaults = Defaults {
            stream: Some(StreamName::new("account-1").unwrap()),
            expect: Expect::Continues,
        };
        parse_reply(line.as_bytes(), &defaults).map_err(|error| error.to_string())
    }

    #[test]
    fn replies_are_told_apart_by_their_key() {
        let Ok(Reply::Append(event)) = reply(r#"{"append":{"type":"T","data":{"a":1.0}}}"#) else {
            panic!("no event");
        };
        assert_eq!(event.data.borrow(), DataRef::Json(r#"{"a":1.0}"#));
        assert_eq!((event.stream.as_str(), event.expect), ("account-1", Expect::Continues));
        let state = |line| match reply(line).unwrap() {
            Reply::State(data) => data,
            other => panic!("{other:?}"),
        };
        assert_eq!(state(r#"{"state": {"n": 1.50} }"#).borrow(), DataRef::Json(r#"{"n":1.50}"#));
        assert_eq!(state(r#"{"state":null}"#).borrow(), DataRef::Json("null"));
        assert_eq!(state(r#"{"state_base64":"AP8="}"#).borrow(), DataRef::Bytes(b"\0\xff"));
        assert_eq!(reply(r#"{"reject":"no \"x\""}"#), Ok(Reply::Reject("no \"x\"".into())));
        assert_eq!(reply(r#"{"ack":7}"#), Ok(Reply::Ack(7)));
    }

    #[test]
    fn what_is_no_reply_says_why_and_where() {
        for (line, error) in [
            ("hello", "column 1: expected value"),
            ("[]", "column 1: invalid type: sequence, expected a reply: a JSON object"),
            ("{}", "column 2: a reply has one key, here is none"),
            (r#"{"apend":{}}"#, "column 8: unknown reply `apend`; did you mean `append`?"),
            (r#"{"type":"T"}"#, "column 7: unknown reply `type`"),
            (
                r#"{"ack":1,"reject":"x"}"#,
                "column 17: a reply has one key, here are `ack` and `reject`: write a line each",
            ),
            (
                r#"{"append":{"type":"T","dat":1}}"#,
                "column 27: unknown key `dat`; did you mean `data`?",
            ),
            (r#"{"append":{"data":1}}"#, "column 20: no `type`"),
            (r#"{"append":7}"#, "column 11: invalid type: integer `7`, expected an event"),
            (
                r#"{"append":{"type":"T","stream":"b"}}"#,
                "column 35: the line is for the stream `b`, the command for `account-1`",
            ),
            (r#"{"append":{"type":"T","data":["\ud800"]}}"#, "column 32: half of a surrogate pair"),
            (r#"{"state":["\ud800"]}"#, "column 12: half of a surrogate pair"),
            (r#"{"reject":7}"#, "column 11: invalid type: integer `7`, expected a string"),
            (r#"{"ack":-1}"#, "column 9: invalid value: integer `-1`"),
            (r#"{"append":{"type":"T"}"#, "column 22: EOF while parsing an object"),
        ] {
            let found = reply(line).unwrap_err();
            assert!(found.starts_with(error), "{line}: {found}");
        }
    }

    #[test]
    fn a_command_names_its_stream() {
        let command = parse_command(br#"{"stream":"s","command":{"n": 1.0},"id":"a"}"#).unwrap();
        assert_eq!((command.stream.as_str(), command.data.as_str()), ("s", r#"{"n":1.0}"#));
        assert_eq!(command.id.unwrap().as_str(), "a");
        let command = parse_command(br#"{"command":null,"stream":"s","id":null}"#).unwrap();
        assert_eq!((command.data.as_str(), command.id), ("null", None));
        for (line, error) in [
            (r#"{"command":1}"#, "column 13: no `stream`"),
            (r#"{"stream":"s"}"#, "column 14: no `command`"),
            (r#"{"stream":"s","comand":1}"#, "unknown key `comand`; did you mean `command`?"),
            (r#"{"stream":"s","stream":"s"}"#, "the key `stream` appears twice"),
            (r#"{"stream":"*","command":1}"#, "has `*`"),
        ] {
            let found = parse_command(line.as_bytes()).unwrap_err().to_string();
            assert!(found.contains(error), "{line}: {found}");
        }
    }
}
