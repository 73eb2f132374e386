//! A projection whose fields have no types yet: its first row says what they are.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Definition, Field, FieldType, Row, Schema, SchemaBuilder};
use crate::wire::LineError;

/// What a projection is made of whose fields have no types yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDefinition {
    /// The same with a text in each field.
    texts: Schema,
}

/// An open definition as JSON, with its keys in this order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenJson<'d> {
    #[serde(borrow)]
    fields: Vec<OpenFieldJson<'d>>,
    key: Vec<Cow<'d, str>>,
    unique: Vec<Vec<Cow<'d, str>>>,
    index: Vec<Vec<Cow<'d, str>>>,
    #[serde(default)]
    from: Vec<Cow<'d, str>>,
    #[serde(default)]
    program: Vec<Cow<'d, str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenFieldJson<'d> {
    #[serde(borrow)]
    name: Cow<'d, str>,
}

impl OpenDefinition {
    /// The fields, the key and the indexes of a schema, without the types of the fields.
    #[must_use]
    pub fn of(schema: &Schema) -> Self {
        let untyped = |field: &Field| {
            let (field_type, nullable) = (FieldType::Text { max: None }, false);
            Field { field_type, nullable, ..field.clone() }
        };
        let fields = schema.fields.iter().map(untyped).collect();
        Self { texts: Schema { fields, ..schema.clone() } }
    }

    /// Reads what [`OpenDefinition::to_json`] spells; nothing where that is something else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let json: OpenJson<'_> = serde_json::from_str(text).ok()?;
        if !json.from.is_empty() || !json.program.is_empty() {
            return None;
        }
        let mut builder = SchemaBuilder::default();
        for field in &json.fields {
            builder.field(&format!("{}:text", field.name)).ok()?;
        }
        builder.key(&words(&json.key)).ok()?;
        json.unique.iter().for_each(|list| builder.unique(&words(list)));
        json.index.iter().for_each(|list| builder.index(&words(list)));
        builder.build().ok().map(|texts| Self { texts })
    }

    /// The definition as a JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        let name = |field: &usize| Cow::Borrowed(self.texts.fields[*field].name.as_str());
        let names = |list: &Vec<usize>| list.iter().map(name).collect::<Vec<_>>();
        let json = OpenJson {
            fields: self.names().map(|name| OpenFieldJson { name: name.into() }).collect(),
            key: names(&self.texts.key),
            unique: self.texts.unique.iter().map(names).collect(),
            index: self.texts.index.iter().map(names).collect(),
            from: Vec::new(),
            program: Vec::new(),
        };
        // Lists of texts are always JSON.
        serde_json::to_string(&json).unwrap_or_default()
    }

    /// The names of its fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.texts.fields.iter().map(|field| field.name.as_str())
    }

    /// The definition whose first row `line` is: a string makes a field of texts, a whole number one of
    /// integers, another number one of floats, true and false one of booleans, and all else one of JSON;
    /// null may stand in each but the key.
    ///
    /// # Errors
    ///
    /// [`LineError`], where the line is no such row: then nothing is said of the types.
    pub fn typed_by(&self, line: &[u8]) -> Result<Definition, LineError> {
        let wrong = |reason: String| LineError { column: 1, reason };
        // What is no object is told by what reads it as a row.
        let values: HashMap<Cow<'_, str>, &RawValue> = match serde_json::from_slice(line) {
            Ok(values) => values,
            Err(_) => {
                return Err(Row::parse(line, &self.texts)
                    .err()
                    .unwrap_or_else(|| wrong("it is no row".into())));
            }
        };
        let mut schema = self.texts.clone();
        for (at, field) in schema.fields.iter_mut().enumerate() {
            let value = values.get(field.name.as_str());
            let value =
                value.ok_or_else(|| wrong(format!("the field `{}` is missing", field.name)))?;
            field.field_type = type_of(value.get());
            field.nullable = !self.texts.key.contains(&at);
        }
        let Schema { fields, key, unique, index } = schema;
        let schema =
            Schema::new(fields, key, unique, index).map_err(|error| wrong(error.to_string()))?;
        Row::parse(line, &schema)?;
        Ok(Definition::new(schema))
    }
}

fn words<'w>(list: &'w [Cow<'_, str>]) -> Vec<&'w str> {
    list.iter().map(AsRef::as_ref).collect()
}

/// The type of the field that a value is the first one of.
fn type_of(value: &str) -> FieldType {
    match value.as_bytes() {
        [b'"', ..] => FieldType::Text { max: None },
        [b't' | b'f', ..] => FieldType::Boolean,
        [b'-' | b'0'..=b'9', ..] if value.parse::<i64>().is_ok() => FieldType::Integer,
        [b'-' | b'0'..=b'9', ..] => FieldType::Float,
        _ => FieldType::Json,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> OpenDefinition {
        let fields = ["name:text:key", "age:text:index", "score:text", "active:text", "more:text"];
        OpenDefinition::of(&Schema::of(&fields).unwrap())
    }

    #[test]
    fn the_first_row_says_what_the_types_are() {
        let row = r#"{"name":"x","age":7,"score":1.5,"active":true,"more":null}"#;
        let fields = [
            "name:text:key",
            "age:integer:null:index",
            "score:float:null",
            "active:boolean:null",
            "more:json:null",
        ];
        assert_eq!(open().typed_by(row.as_bytes()).unwrap().schema, Schema::of(&fields).unwrap());
        for (row, reason) in [
            ("{}", "the field `name` is missing"),
            (r#"{"name":"x"}"#, "the field `age` is missing"),
            (
                r#"{"name":null,"age":1,"score":1,"active":1,"more":1}"#,
                "`name` is json, which has no order: it can't be in the key",
            ),
            ("[1]", "invalid type: array, expected a row: a JSON object"),
        ] {
            let error = open().typed_by(row.as_bytes()).unwrap_err();
            assert_eq!(error.reason, reason, "{row}");
        }
        let more = row.replace("{\"name\"", "{\"x\":1,\"name\"");
        assert!(open().typed_by(more.as_bytes()).is_err());
    }

    #[test]
    fn it_is_spelled_without_types() {
        let json = r#"{"fields":[{"name":"name"},{"name":"age"},{"name":"score"},{"name":"active"},{"name":"more"}],"key":["name"],"unique":[],"index":[["age"]],"from":[],"program":[]}"#;
        assert_eq!(open().to_json(), json);
        assert_eq!(OpenDefinition::parse(json), Some(open()));
        for other in [
            "",
            "{}",
            &json.replace("\"from\":[]", "\"from\":[\"x\"]"),
            &json.replace("[[\"age\"]]", "[[\"x\"]]"),
        ] {
            assert_eq!(OpenDefinition::parse(other), None, "{other}");
        }
    }
}
