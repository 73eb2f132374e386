//! What programs hear and answer: commands and replies, a line each.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::criteria::Read;
use super::key::{CommandKey, ReplyKey};
use super::line::{Defaults, EventLine, parse_event_with};
use super::object::{Line, LineError, Text, bytes, name, object};
use crate::event::{
    BoundaryCommand, Command, Criteria, Data, EventId, Json, JsonError, StreamName,
};

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A program that decides on commands.
    Aggregator,
    /// A program that answers events with events.
    Reactor,
    /// A program that answers events with changes of rows.
    Projector,
}

/// A program's reply.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply<'l> {
    /// Append an event.
    Append(EventLine),
    /// Store a state.
    State(Data),
    /// Reject the command, for this reason.
    Reject(String),
    /// Insert a row, or replace the one with its key.
    Set(Part<'l>),
    /// Insert a row, or change the one with its key.
    Upsert {
        /// The row.
        row: Part<'l>,
        /// What fields are set to where there is one, by expressions.
        compute: Members,
        /// What the expressions' parameters stand for.
        with: Parts<'l>,
    },
    /// Change rows.
    Update {
        /// Which.
        rows: Where<'l>,
        /// What fields are set to, as an object.
        set: Option<Part<'l>>,
        /// What fields are set to, by expressions.
        compute: Members,
        /// What the expressions' parameters stand for.
        with: Parts<'l>,
    },
    /// Delete rows.
    Delete(Where<'l>),
    /// What was asked up to this number is answered.
    Ack(u64),
}

/// A value within a line, as it is spelled there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'l> {
    /// The value's JSON.
    pub text: &'l str,
    /// How many bytes of the line come before it.
    pub before: usize,
}

/// Which rows a reply is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Where<'l> {
    /// Those that have the values of an object in its fields.
    Equal(Part<'l>),
    /// Those that a condition keeps.
    Expression {
        /// The condition.
        text: String,
        /// What its parameters stand for.
        with: Parts<'l>,
    },
}

/// Names with texts.
pub type Members = Vec<(String, String)>;

/// Names with values.
pub type Parts<'l> = Vec<(String, Part<'l>)>;

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
pub fn parse_reply<'l>(line: &'l [u8], defaults: &Defaults) -> Result<Reply<'l>, LineError> {
    let place = Cell::new(None);
    object(line, &place, |line| ReplyVisitor { line, defaults })
}

impl Role {
    /// What it is called, and what it answers with.
    fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::Aggregator => ("an aggregator", "append, state, reject, ack"),
            Self::Reactor => ("a reactor", "append, ack"),
            Self::Projector => ("a projector", "set, upsert, update, delete, ack"),
        }
    }
}

impl Reply<'_> {
    /// That it is no reply of who gave it.
    #[must_use]
    pub fn misplaced(&self, role: Role) -> String {
        let key = match self {
            Self::Append(_) => ReplyKey::Append,
            Self::State(_) => ReplyKey::State,
            Self::Reject(_) => ReplyKey::Reject,
            Self::Set(_) => ReplyKey::Set,
            Self::Upsert { .. } => ReplyKey::Upsert,
            Self::Update { .. } => ReplyKey::Update,
            Self::Delete(_) => ReplyKey::Delete,
            Self::Ack(_) => ReplyKey::Ack,
        };
        let (role, replies) = role.told();
        format!("`{key}` is no reply of {role}: {replies}")
    }
}

struct ReplyVisitor<'a, 'l> {
    line: Line<'l, 'a>,
    defaults: &'a Defaults,
}

impl<'de> Visitor<'de> for ReplyVisitor<'_, 'de> {
    type Value = Reply<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reply: a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Reply<'de>, A::Error> {
        let Some(key) = map.next_key::<ReplyKey>()? else {
            return Err(A::Error::custom("a reply has one key, here is none"));
        };
        let line = self.line;
        let reply = match key {
            ReplyKey::Append => {
                let raw: &RawValue = map.next_value()?;
                let event = parse_event_with(raw.get().as_bytes(), self.defaults);
                Reply::Append(event.map_err(|error| line.wrong(raw, error.column, error.reason))?)
            }
            ReplyKey::State => Reply::State(line.json(map.next_value()?).map(Data::Json)?),
            ReplyKey::StateBase64 => Reply::State(bytes(&map.next_value()?)?),
            ReplyKey::Reject => Reply::Reject(map.next_value()?),
            ReplyKey::Set => Reply::Set(line.part(map.next_value()?)),
            ReplyKey::Upsert => {
                let UpsertJson { row, compute, with } = map.next_value()?;
                Reply::Upsert { row: line.part(row), compute: compute.0, with: line.parts(with) }
            }
            ReplyKey::Update => {
                let UpdateJson { rows, set, compute, with } = map.next_value()?;
                Reply::Update {
                    rows: line.rows(rows)?,
                    set: set.map(|set| line.part(set)),
                    compute: compute.0,
                    with: line.parts(with),
                }
            }
            ReplyKey::Delete => Reply::Delete(line.rows(map.next_value()?)?),
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpsertJson<'l> {
    #[serde(borrow)]
    row: &'l RawValue,
    #[serde(default)]
    compute: Pairs<String>,
    #[serde(default, borrow)]
    with: Pairs<&'l RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateJson<'l> {
    #[serde(borrow, rename = "where")]
    rows: &'l RawValue,
    #[serde(default, borrow)]
    set: Option<&'l RawValue>,
    #[serde(default)]
    compute: Pairs<String>,
    #[serde(default, borrow)]
    with: Pairs<&'l RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhereJson<'l> {
    expr: String,
    #[serde(default, borrow)]
    with: Pairs<&'l RawValue>,
}

/// The members of an object, each once, in their order.
struct Pairs<T>(Vec<(String, T)>);

impl<T> Default for Pairs<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor(PhantomData))
    }
}

struct PairsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for PairsVisitor<T> {
    type Value = Pairs<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<T>, A::Error> {
        let mut pairs: Vec<(String, T)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, T>()? {
            if pairs.iter().any(|(other, _)| *other == name) {
                return Err(A::Error::custom(format_args!("the key `{name}` appears twice")));
            }
            pairs.push((name, value));
        }
        Ok(Pairs(pairs))
    }
}

impl<'l> Line<'l, '_> {
    fn part(self, raw: &'l RawValue) -> Part<'l> {
        Part { text: raw.get(), before: self.start_of(raw) }
    }

    fn parts(self, pairs: Pairs<&'l RawValue>) -> Parts<'l> {
        pairs.0.into_iter().map(|(name, raw)| (name, self.part(raw))).collect()
    }

    /// What says which rows: an object with `expr`, or one of fields.
    fn rows<E: serde::de::Error>(self, raw: &'l RawValue) -> Result<Where<'l>, E> {
        let keys: Pairs<IgnoredAny> = self.within(raw)?;
        if !keys.0.iter().any(|(key, _)| key == "expr") {
            return Ok(Where::Equal(self.part(raw)));
        }
        let WhereJson { expr, with } = self.within(raw)?;
        Ok(Where::Expression { text: expr, with: self.parts(with) })
    }

    /// A value of the line, read once more.
    fn within<T: Deserialize<'l>, E: serde::de::Error>(self, raw: &'l RawValue) -> Result<T, E> {
        serde_json::from_str(raw.get()).map_err(|error| {
            let JsonError { column, reason, .. } = error.into();
            self.wrong(raw, column, reason)
        })
    }
}

/// A command, and what it is decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnyCommand {
    /// A stream.
    Stream(Command),
    /// A boundary.
    Boundary(BoundaryCommand),
}

/// Reads a command: `{"stream":…,"command":…,"id":…}`, of which the id may be missing, or with a `query` in the place of
/// the stream.
///
/// # Errors
///
/// [`LineError`] where the line is no such thing.
pub fn parse_command(line: &[u8]) -> Result<AnyCommand, LineError> {
    let place = Cell::new(None);
    object(line, &place, |line| CommandVisitor { line })
}

struct CommandVisitor<'a> {
    line: Line<'a, 'a>,
}

impl<'de> Visitor<'de> for CommandVisitor<'_> {
    type Value = AnyCommand;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a command: a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AnyCommand, A::Error> {
        let (mut stream, mut data, mut id, mut query) = (None, None::<Json>, None, None);
        let twice = |key| A::Error::custom(format_args!("the key `{key}` appears twice"));
        while let Some(key) = map.next_key::<CommandKey>()? {
            let before = match key {
                CommandKey::Stream => {
                    let text = map.next_value::<Text<'de>>()?;
                    stream.replace(name(&text, StreamName::new)?).is_some()
                }
                CommandKey::Query => {
                    let criteria: Read<'de, Criteria> = map.next_value()?;
                    query.replace(criteria.0).is_some()
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
        let on = match (stream, query) {
            (Some(stream), None) => Ok(stream),
            (None, Some(criteria)) => Err(criteria),
            (None, None) => return Err(A::Error::custom("no `stream` and no `query`")),
            (Some(_), Some(_)) => {
                return Err(A::Error::custom(
                    "a command is about a `stream` or a `query`, not both",
                ));
            }
        };
        let data = data.ok_or_else(|| A::Error::custom("no `command`"))?;
        let id = id.flatten();
        Ok(match on {
            Ok(stream) => AnyCommand::Stream(Command { id, ..Command::new(stream, data) }),
            Err(criteria) => {
                AnyCommand::Boundary(BoundaryCommand { id, ..BoundaryCommand::new(criteria, data) })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{DataRef, Expect};

    fn reply(line: &str) -> Result<Reply<'_>, String> {
        let stream = Some(StreamName::new("account-1").unwrap());
        let defaults = Defaults { stream, expect: Expect::Exists };
        parse_reply(line.as_bytes(), &defaults).map_err(|error| error.to_string())
    }

    #[test]
    fn replies_are_told_apart_by_their_key() {
        let Ok(Reply::Append(EventLine { event, expects: false, .. })) =
            reply(r#"{"append":{"type":"T","data":{"a":1.0}}}"#)
        else {
            panic!("no event");
        };
        assert_eq!(event.data.borrow(), DataRef::Json(r#"{"a":1.0}"#));
        assert_eq!((event.stream.as_str(), event.expect), ("account-1", Expect::Exists));
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
            ("[]", "column 1: invalid type: array, expected a reply: a JSON object"),
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
            (r#"{"append":{"type":"T"}"#, "column 22: it ends within an object"),
        ] {
            let found = reply(line).unwrap_err();
            assert!(found.starts_with(error), "{line}: {found}");
        }
    }

    fn of_stream(line: &[u8]) -> Command {
        match parse_command(line).unwrap() {
            AnyCommand::Stream(command) => command,
            AnyCommand::Boundary(command) => panic!("{command:?}"),
        }
    }

    #[test]
    fn a_command_names_its_stream_or_a_query() {
        let command = of_stream(br#"{"stream":"s","command":{"n": 1.0},"id":"a"}"#);
        assert_eq!((command.stream.as_str(), command.data.as_str()), ("s", r#"{"n":1.0}"#));
        assert_eq!(command.id.unwrap().as_str(), "a");
        let command = of_stream(br#"{"command":null,"stream":"s","id":null}"#);
        assert_eq!((command.data.as_str(), command.id), ("null", None));
        let line = br#"{"query":[{"tags":["x"]}],"command":7,"id":"a"}"#;
        let AnyCommand::Boundary(command) = parse_command(line).unwrap() else {
            panic!("it has none")
        };
        assert_eq!((command.data.as_str(), command.criteria.items.len()), ("7", 1));
        assert_eq!(command.id.unwrap().as_str(), "a");
        for (line, error) in [
            (r#"{"command":1}"#, "column 13: no `stream` and no `query`"),
            (r#"{"query":[],"command":1}"#, "the query is empty"),
            (r#"{"query":"tag=x","command":1}"#, "expected a query: an array of items"),
            (r#"{"query":[{"tags":["x"]}],"stream":"s","command":1}"#, "not both"),
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
