//! Queries and conditions: which events are meant, and what has to hold before an event is stored.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use super::key::{ConditionKey, ItemKey};
use super::object::{Text, name};
use super::{LineError, write_number, write_string};
use crate::event::{
    AppendCondition, Criteria, Criterion, Cursor, EventType, Expect, ExpectError, JsonError,
    NameError, NoneOf, Pattern, Position, StreamName, Tags, Version,
};
use crate::excerpt::{QUOTED, excerpt};

/// Reads a query: JSON, or words that are `type=`, `tag=` or `stream=` with what follows, up to white space, and
/// together one item.
///
/// ```
/// use ream::wire::parse_query;
///
/// let words = parse_query("type=Subscribed tag=student:s7")?;
/// let json = parse_query(r#"[{"types":["Subscribed"],"tags":["student:s7"]}]"#)?;
/// assert_eq!(words, json);
/// # Ok::<(), ream::wire::LineError>(())
/// ```
///
/// # Errors
///
/// [`LineError`] where the text is neither, or chooses by nothing.
pub fn parse_query(text: &str) -> Result<Criteria, LineError> {
    if text.trim_start().starts_with(['[', '{']) {
        return json(text);
    }
    let mut item = Criterion::default();
    let mut tags = Vec::new();
    for word in text.split_whitespace() {
        // Both are of the same text, so their addresses tell.
        let column = word.as_ptr().addr() - text.as_ptr().addr() + 1;
        let wrong = |reason: String| LineError { column, reason };
        match word.split_once('=') {
            Some(("type", value)) => {
                item.types.push(EventType::new(value).map_err(|error| wrong(error.to_string()))?);
            }
            Some(("tag", value)) => {
                Tags::new([value]).map_err(|error| wrong(error.to_string()))?;
                tags.push(value);
            }
            Some(("stream", value)) => {
                item.streams.push(Pattern::new(value).map_err(|error| wrong(error.to_string()))?);
            }
            _ => {
                let word = excerpt(word, QUOTED);
                return Err(wrong(format!("`{word}` is none of type=, tag= and stream=")));
            }
        }
    }
    item.tags =
        Tags::new(&tags).map_err(|error| LineError { column: 1, reason: error.to_string() })?;
    if item.is_empty() {
        return Err(LineError { column: 1, reason: EMPTY_QUERY.into() });
    }
    Ok(Criteria::of(item))
}

/// What is wrong with a query without an item.
const EMPTY_QUERY: &str = "the query is empty";

/// Reads what JSON says.
pub(super) fn json<'l, T: FromJson<'l>>(text: &'l str) -> Result<T, LineError> {
    serde_json::from_str(text).map(|Read(value, _)| value).map_err(|error| {
        let JsonError { column, reason, .. } = error.into();
        LineError { column, reason }
    })
}

/// What is read from JSON here and nowhere else.
pub(super) trait FromJson<'l>: Sized {
    fn read<D: Deserializer<'l>>(deserializer: D) -> Result<Self, D::Error>;
}

pub(super) struct Read<'l, T>(pub(super) T, PhantomData<&'l ()>);

impl<'l, T: FromJson<'l>> Deserialize<'l> for Read<'l, T> {
    fn deserialize<D: Deserializer<'l>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(|value| Self(value, PhantomData))
    }
}

impl<'l> FromJson<'l> for Criteria {
    fn read<D: Deserializer<'l>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CriteriaVisitor)
    }
}

struct CriteriaVisitor;

impl<'l> Visitor<'l> for CriteriaVisitor {
    type Value = Criteria;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a query: an array of items")
    }

    fn visit_seq<A: SeqAccess<'l>>(self, mut items: A) -> Result<Criteria, A::Error> {
        let mut criteria = Criteria::default();
        while let Some(item) = items.next_element_seed(ItemVisitor)? {
            criteria.items.push(item);
        }
        if criteria.items.is_empty() {
            return Err(A::Error::custom(EMPTY_QUERY));
        }
        Ok(criteria)
    }

    /// One item stands for an array of it.
    fn visit_map<A: MapAccess<'l>>(self, map: A) -> Result<Criteria, A::Error> {
        Ok(Criteria { items: vec![ItemVisitor.visit_map(map)?] })
    }
}

struct ItemVisitor;

impl<'l> DeserializeSeed<'l> for ItemVisitor {
    type Value = Criterion;

    fn deserialize<D: Deserializer<'l>>(self, deserializer: D) -> Result<Criterion, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'l> Visitor<'l> for ItemVisitor {
    type Value = Criterion;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item of a query: a JSON object")
    }

    fn visit_map<A: MapAccess<'l>>(self, mut map: A) -> Result<Criterion, A::Error> {
        let (mut types, mut tags, mut streams) = (None, None, None);
        while let Some(key) = map.next_key::<ItemKey>()? {
            let texts: Vec<Text<'l>> = map.next_value()?;
            if texts.is_empty() {
                return Err(A::Error::custom(format_args!("`{key}` is empty")));
            }
            let texts = texts.iter();
            let is_again = match key {
                ItemKey::Types => {
                    let read = texts.map(|text| name(text, EventType::new));
                    types.replace(read.collect::<Result<Vec<_>, A::Error>>()?).is_some()
                }
                ItemKey::Tags => {
                    let read = Tags::new(texts.map(|text| &*text.0));
                    tags.replace(read.map_err(A::Error::custom)?).is_some()
                }
                ItemKey::Streams => {
                    let read = texts.map(|text| name(text, Pattern::new));
                    streams.replace(read.collect::<Result<Vec<_>, A::Error>>()?).is_some()
                }
            };
            if is_again {
                return Err(twice(key));
            }
        }
        let item = Criterion {
            types: types.unwrap_or_default(),
            tags: tags.unwrap_or_default(),
            streams: streams.unwrap_or_default(),
        };
        if item.is_empty() {
            return Err(A::Error::custom("an item of a query needs `types`, `tags` or `streams`"));
        }
        Ok(item)
    }
}

fn twice<E: serde::de::Error>(key: impl fmt::Display) -> E {
    E::custom(format_args!("the key `{key}` appears twice"))
}

impl<'l> FromJson<'l> for AppendCondition {
    fn read<D: Deserializer<'l>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ConditionVisitor)
    }
}

struct ConditionVisitor;

impl<'l> Visitor<'l> for ConditionVisitor {
    type Value = AppendCondition;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a condition: a JSON object")
    }

    fn visit_map<A: MapAccess<'l>>(self, mut map: A) -> Result<AppendCondition, A::Error> {
        let (mut versions, mut none, mut after) = (None, None, None);
        while let Some(key) = map.next_key::<ConditionKey>()? {
            let is_again = match key {
                ConditionKey::Versions => {
                    versions.replace(map.next_value_seed(Versions)?).is_some()
                }
                ConditionKey::None => {
                    let Read(criteria, _) = map.next_value()?;
                    none.replace(criteria).is_some()
                }
                ConditionKey::After => after.replace(map.next_value_seed(Place)?).is_some(),
            };
            if is_again {
                return Err(twice(key));
            }
        }
        let none = match (none, after) {
            (None, Some(_)) => return Err(A::Error::custom("`after` needs `none`")),
            (None, None) => None,
            (Some(criteria), after) => {
                Some(NoneOf { criteria, after: after.unwrap_or(Position(0).into()) })
            }
        };
        if versions.is_none() && none.is_none() {
            return Err(A::Error::custom("a condition needs `versions` or `none`"));
        }
        Ok(AppendCondition { versions: versions.unwrap_or_default(), none })
    }
}

/// What streams have to be, by name.
struct Versions;

impl<'l> DeserializeSeed<'l> for Versions {
    type Value = Vec<(StreamName, Expect)>;

    fn deserialize<D: Deserializer<'l>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'l> Visitor<'l> for Versions {
    type Value = Vec<(StreamName, Expect)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("streams with their versions: a JSON object")
    }

    fn visit_map<A: MapAccess<'l>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut versions: Self::Value = Vec::new();
        while let Some(text) = map.next_key::<Text<'l>>()? {
            let stream: StreamName = name(&text, StreamName::new)?;
            if versions.iter().any(|(other, _)| *other == stream) {
                return Err(A::Error::custom(format_args!("the stream `{stream}` appears twice")));
            }
            versions.push((stream, map.next_value_seed(Expected)?));
        }
        if versions.is_empty() {
            return Err(A::Error::custom("`versions` is empty"));
        }
        Ok(versions)
    }
}

/// What a stream has to be.
struct Expected;

impl<'l> DeserializeSeed<'l> for Expected {
    type Value = Expect;

    fn deserialize<D: Deserializer<'l>>(self, deserializer: D) -> Result<Expect, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Expected {
    type Value = Expect;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a version, \"no-stream\" or \"exists\"")
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Expect, E> {
        let is_one = i64::try_from(number).is_ok();
        let out_of_range = || E::custom(ExpectError::OutOfRange(number.to_string()));
        is_one.then_some(Expect::At(Version(number))).ok_or_else(out_of_range)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Expect, E> {
        match text {
            "no-stream" => Ok(Expect::NoStream),
            "exists" => Ok(Expect::Exists),
            _ => {
                let text = excerpt(text, QUOTED);
                Err(E::custom(format_args!("`{text}` is no version, \"no-stream\" or \"exists\"")))
            }
        }
    }
}

/// A place in the log.
struct Place;

impl<'l> DeserializeSeed<'l> for Place {
    type Value = Cursor;

    fn deserialize<D: Deserializer<'l>>(self, deserializer: D) -> Result<Cursor, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Place {
    type Value = Cursor;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a position, or a cursor as a string")
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Cursor, E> {
        let position = i64::try_from(number).map(|_| Position(number).into());
        position.map_err(|_| E::custom(format_args!("the position {number} is out of range")))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Cursor, E> {
        let cursor = text.parse::<Cursor>().ok().filter(Cursor::tells_log);
        let text = excerpt(text, QUOTED);
        cursor
            .ok_or_else(|| E::custom(format_args!("`{text}` is no cursor, such as 1842-4fz0k7m2")))
    }
}

/// What chooses all but the events of reserved streams, in words of its own.
const EVERYTHING: &[u8] = br#"{"streams":["*"]}"#;

/// Writes a query as JSON, which [`parse_query`] reads. An item that says nothing is written as what it chooses.
pub fn write_query(out: &mut Vec<u8>, criteria: &Criteria) {
    let mut before = b'[';
    for item in &criteria.items {
        out.push(before);
        before = b',';
        if item.is_empty() {
            out.extend_from_slice(EVERYTHING);
            continue;
        }
        let Criterion { types, tags, streams } = item;
        out.push(b'{');
        let first = out.len();
        write_texts(out, first, "types", types.iter().map(EventType::as_str));
        write_texts(out, first, "tags", tags.iter());
        write_texts(out, first, "streams", streams.iter().map(Pattern::as_str));
        out.push(b'}');
    }
    if criteria.items.is_empty() {
        out.push(b'[');
        out.extend_from_slice(EVERYTHING);
    }
    out.push(b']');
}

/// Writes a list of texts under a key, where there are some, in an object that begins at `first`.
fn write_texts<'t>(
    out: &mut Vec<u8>,
    first: usize,
    key: &str,
    texts: impl Iterator<Item = &'t str>,
) {
    for (index, text) in texts.enumerate() {
        if index > 0 {
            out.push(b',');
        } else {
            if out.len() > first {
                out.push(b',');
            }
            write_string(out, key);
            out.extend_from_slice(b":[");
        }
        write_string(out, text);
    }
    if out.last() == Some(&b'"') {
        out.push(b']');
    }
}

/// A query as a text that [`parse_query`] reads: in words, or as JSON where it can't be.
#[must_use]
pub fn query_text(criteria: &Criteria) -> String {
    if let [Criterion { types, tags, streams }] = &criteria.items[..] {
        let types = types.iter().map(|text| ("type", text.as_str()));
        let tags = tags.iter().map(|text| ("tag", text));
        let streams = streams.iter().map(|text| ("stream", text.as_str()));
        let words: Vec<(&str, &str)> = types.chain(tags).chain(streams).collect();
        let has_space = |(_, text): &(&str, &str)| text.contains(char::is_whitespace);
        if !words.is_empty() && !words.iter().any(has_space) {
            let words: Vec<String> =
                words.iter().map(|(key, text)| format!("{key}={text}")).collect();
            return words.join(" ");
        }
    }
    let mut json = Vec::new();
    write_query(&mut json, criteria);
    String::from_utf8_lossy(&json).into_owned()
}

/// Criteria in members of a JSON object: as lists where they are one item, and as a query otherwise.
#[derive(Debug, Clone, Default)]
pub struct CriteriaParts<'c> {
    /// The patterns of streams.
    pub from: Vec<&'c str>,
    /// The types.
    pub types: Vec<&'c str>,
    /// The tags.
    pub tags: Vec<&'c str>,
    /// The query, where there are several items.
    pub query: Option<Box<RawValue>>,
}

impl<'c> CriteriaParts<'c> {
    /// The members for `criteria`.
    #[must_use]
    pub fn of(criteria: &'c Criteria) -> Self {
        match &criteria.items[..] {
            [] => Self::default(),
            [Criterion { types, tags, streams }] => Self {
                from: streams.iter().map(Pattern::as_str).collect(),
                types: types.iter().map(EventType::as_str).collect(),
                tags: tags.iter().collect(),
                query: None,
            },
            _ => {
                let mut json = Vec::new();
                write_query(&mut json, criteria);
                // What was written is JSON.
                let query = RawValue::from_string(String::from_utf8_lossy(&json).into_owned());
                Self { query: query.ok(), ..Self::default() }
            }
        }
    }

    /// The criteria that the members stand for.
    ///
    /// # Errors
    ///
    /// What is wrong with them, in words.
    pub fn read(&self) -> Result<Criteria, String> {
        if let Some(query) = &self.query {
            return json(query.get()).map_err(|error| format!("the query: {error}"));
        }
        let in_words = |error: NameError| error.to_string();
        let types = self.types.iter().map(|text| EventType::new(*text));
        let streams = self.from.iter().map(|text| Pattern::new(*text));
        Ok(Criteria::of(Criterion {
            types: types.collect::<Result<_, _>>().map_err(in_words)?,
            tags: Tags::new(&self.tags).map_err(|error| error.to_string())?,
            streams: streams.collect::<Result<_, _>>().map_err(in_words)?,
        }))
    }
}

/// Writes a condition as JSON.
pub(super) fn write_condition(out: &mut Vec<u8>, condition: &AppendCondition) {
    out.push(b'{');
    let mut before: &[u8] = b"\"versions\":{";
    for (stream, expect) in &condition.versions {
        out.extend_from_slice(before);
        write_string(out, stream.as_str());
        out.push(b':');
        write_expect(out, *expect);
        before = b",";
    }
    if !condition.versions.is_empty() {
        out.push(b'}');
    }
    if let Some(NoneOf { criteria, after }) = &condition.none {
        if !condition.versions.is_empty() {
            out.push(b',');
        }
        out.extend_from_slice(b"\"none\":");
        write_query(out, criteria);
        if after.tells_log() {
            out.extend_from_slice(b",\"after\":");
            write_string(out, &after.to_string());
        } else if after.position.0 > 0 {
            out.extend_from_slice(b",\"after\":");
            write_number(out, after.position.0);
        }
    }
    out.push(b'}');
}

/// Writes what a stream has to be: a version as a number, all else as a string.
pub(super) fn write_expect(out: &mut Vec<u8>, expect: Expect) {
    match expect {
        Expect::At(version) => write_number(out, version.0),
        expect => write_string(out, &expect.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse_query(text).unwrap_err().to_string()
    }

    #[test]
    fn a_query_is_json_or_words_and_comes_back_as_it_was() {
        for (text, written) in [
            ("type=T  tag=b\ttag=a stream=s-*", "type=T tag=a tag=b stream=s-*"),
            ("tag=a=b", "tag=a=b"),
            (r#"{"tags":["b","a","b"]}"#, "tag=a tag=b"),
            (r#" [ {"types":["T U"] } ]"#, r#"[{"types":["T U"]}]"#),
            (
                r#"[{"types":["T","U"],"streams":["s"]},{"tags":["x"]}]"#,
                r#"[{"types":["T","U"],"streams":["s"]},{"tags":["x"]}]"#,
            ),
        ] {
            let criteria = parse_query(text).unwrap();
            assert_eq!(query_text(&criteria), written, "{text}");
            assert_eq!(parse_query(written).unwrap(), criteria, "{text}");
            let mut json = Vec::new();
            write_query(&mut json, &criteria);
            assert_eq!(parse_query(std::str::from_utf8(&json).unwrap()).unwrap(), criteria);
        }
    }

    #[test]
    fn what_says_nothing_is_written_as_what_it_chooses() {
        let tagged = Criterion { tags: Tags::new(["x"]).unwrap(), ..Criterion::default() };
        for (items, written) in [
            (vec![], r#"[{"streams":["*"]}]"#),
            (vec![Criterion::default()], r#"[{"streams":["*"]}]"#),
            (vec![tagged, Criterion::default()], r#"[{"tags":["x"]},{"streams":["*"]}]"#),
        ] {
            let criteria = Criteria { items };
            let mut json = Vec::new();
            write_query(&mut json, &criteria);
            assert_eq!(String::from_utf8(json).unwrap(), written);
            assert_eq!(query_text(&criteria), written);
            parse_query(written).unwrap();
            // What is kept of a subscription is read again.
            CriteriaParts::of(&criteria).read().unwrap();
        }
    }

    #[test]
    fn what_is_no_query_is_refused_with_the_reason_and_its_place() {
        for (text, error) in [
            ("", "column 1: the query is empty"),
            ("  ", "column 1: the query is empty"),
            ("type=T kind=x", "column 8: `kind=x` is none of type=, tag= and stream="),
            ("T", "column 1: `T` is none of type=, tag= and stream="),
            ("type=", "column 1: the event type is empty"),
            ("tag=a,b", "column 1: the tag has `,` at character 2"),
            ("type=T stream=\u{7f}", "column 8: the pattern has"),
            ("[]", "column 2: the query is empty"),
            ("{}", "column 2: an item of a query needs `types`, `tags` or `streams`"),
            (r#"[{"types":[]}]"#, "column 13: `types` is empty"),
            (r#"[{"types":null}]"#, "column 14: invalid type: null"),
            (r#"[{"types":"T"}]"#, "column 13: invalid type: string \"T\""),
            (r#"[{"type":["T"]}]"#, "column 8: unknown key `type`; did you mean `types`?"),
            (r#"[{"tags":["a"],"tags":["b"]}]"#, "the key `tags` appears twice"),
            (r#"[{"tags":["a b"]}]"#, "the tag has ` ` at character 2"),
            (r#"[{"tags":["a"]}"#, "column 15: it ends within an array"),
            (r#"[{"tags":["a"]}] x"#, "column 18: trailing characters"),
            ("[7]", "column 2: invalid type: integer `7`"),
        ] {
            let found = refused(text);
            assert!(found.starts_with(error) || found.ends_with(error), "{text}: {found}");
        }
    }

    #[test]
    fn a_condition_comes_back_as_it_was() {
        for text in [
            r#"{"versions":{"a":3,"b":"no-stream","c":"exists"}}"#,
            r#"{"none":[{"tags":["x"]}]}"#,
            r#"{"versions":{"a":0},"none":[{"types":["T"]}],"after":7}"#,
            r#"{"none":[{"types":["T"]}],"after":"7-4fz0k7m2"}"#,
        ] {
            let condition: AppendCondition = json(text).unwrap();
            let mut written = Vec::new();
            write_condition(&mut written, &condition);
            assert_eq!(String::from_utf8(written).unwrap(), text);
        }
        let zero: AppendCondition = json(r#"{"none":{"tags":["x"]},"after":0}"#).unwrap();
        assert_eq!(zero, json(r#"{"none":[{"tags":["x"]}]}"#).unwrap());
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for (text, error) in [
            ("{}", "a condition needs `versions` or `none`"),
            (r#"{"after":1}"#, "`after` needs `none`"),
            (r#"{"versions":{"a":1},"after":1}"#, "`after` needs `none`"),
            (r#"{"versions":{}}"#, "`versions` is empty"),
            (r#"{"versions":null}"#, "invalid type: null"),
            (r#"{"versions":{"a":null}}"#, "invalid type: null"),
            (r#"{"versions":{"a":"any"}}"#, "`any` is no version"),
            (r#"{"versions":{"a":"3"}}"#, "`3` is no version"),
            (r#"{"versions":{"a":-1}}"#, "invalid type: integer `-1`"),
            (r#"{"versions":{"a":1.5}}"#, "invalid type: floating point"),
            (r#"{"versions":{"a":9223372036854775808}}"#, "is out of range"),
            (r#"{"versions":{"a":1,"a":1}}"#, "the stream `a` appears twice"),
            (r#"{"versions":{"*":1}}"#, "has `*`"),
            (r#"{"none":[]}"#, "the query is empty"),
            (r#"{"none":null}"#, "invalid type: null"),
            (r#"{"none":"tag=x"}"#, "expected a query: an array of items"),
            (r#"{"none":[{"tags":["x"]}],"none":[{"tags":["x"]}]}"#, "`none` appears twice"),
            (r#"{"none":[{"tags":["x"]}],"after":null}"#, "invalid type: null"),
            (r#"{"none":[{"tags":["x"]}],"after":"7"}"#, "`7` is no cursor"),
            (r#"{"none":[{"tags":["x"]}],"after":-7}"#, "invalid type: integer `-7`"),
            (r#"{"version":{"a":1}}"#, "unknown key `version`; did you mean `versions`?"),
        ] {
            let found = json::<AppendCondition>(text).unwrap_err().to_string();
            assert!(found.contains(error), "{text}: {found}");
        }
    }
}
