//! Rows as JSON objects.

use std::cell::Cell;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Field, FieldType, Schema, Value, ValueError, ValueRef};
use crate::excerpt::{QUOTED, excerpt};
use crate::wire::{self, Line, LineError, Text, object};

/// A row: a value for each field of its schema, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(pub(crate) Vec<Value>);

impl Row {
    /// Reads a row from a JSON object with the schema's fields; one that may be null can be left out.
    ///
    /// ```
    /// use ream::{Row, Schema, Value};
    ///
    /// let schema = Schema::of(&["id:integer:key", "salary:decimal:12:2", "nickname:text:null"])?;
    /// let row = Row::parse(br#"{"id":1,"salary":1200.5}"#, &schema)?;
    /// assert_eq!(row.values()[1].borrow(&mut String::new()), ream::ValueRef::Decimal("1200.50".parse()?));
    /// assert_eq!(row.values()[2], Value::Null);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`LineError`] where the line is no JSON object, misses a field or has one that the schema has
    /// not, or has a value that can't stand in its field.
    pub fn parse(line: &[u8], schema: &Schema) -> Result<Self, LineError> {
        let place = Cell::new(None);
        object(line, &place, |line| RowVisitor(FieldsVisitor { line, schema }))
    }

    /// A row of values.
    ///
    /// # Errors
    ///
    /// Which field's value can't stand in it, and why; a number behind the last field where there are
    /// too many values or too few.
    pub fn new(values: Vec<Value>, schema: &Schema) -> Result<Self, (usize, ValueError)> {
        if values.len() != schema.fields.len() {
            return Err((schema.fields.len(), ValueError::Null));
        }
        for (at, (value, field)) in values.iter().zip(&schema.fields).enumerate() {
            check(value, field).map_err(|error| (at, error))?;
        }
        Ok(Self(values))
    }

    /// The values, in the order of the fields.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.0
    }

    /// The row as a JSON object.
    #[must_use]
    pub fn to_json(&self, schema: &Schema) -> String {
        let mut line = Vec::new();
        for (at, (value, field)) in self.0.iter().zip(&schema.fields).enumerate() {
            line.push(if at == 0 { b'{' } else { b',' });
            wire::write_string(&mut line, field.name.as_str());
            line.push(b':');
            value.borrow(&mut String::new()).write(&mut line);
        }
        line.push(b'}');
        // It is made of texts.
        String::from_utf8(line).unwrap_or_default()
    }

    /// How much memory its texts and bytes take, roughly.
    #[must_use]
    pub fn size(&self) -> usize {
        let long = |value: &Value| match value {
            Value::Text(text) => text.len(),
            Value::Blob(bytes) => bytes.len(),
            Value::Json(json) => json.as_str().len(),
            _ => 0,
        };
        size_of_val(&*self.0) + self.0.iter().map(long).sum::<usize>()
    }
}

/// That a value can stand in a field.
fn check(value: &Value, field: &Field) -> Result<(), ValueError> {
    let fits = match (value, field.field_type) {
        (Value::Decimal(number), FieldType::Decimal { precision, scale }) => {
            number.scale() == scale && number.fitting(precision, scale).is_ok()
        }
        (Value::Null, _)
        | (Value::Integer(_), FieldType::Integer)
        | (Value::Float(_), FieldType::Float)
        | (Value::Text(_), FieldType::Text { .. })
        | (Value::Blob(_), FieldType::Blob { .. })
        | (Value::Timestamp(_), FieldType::Timestamp)
        | (Value::Boolean(_), FieldType::Boolean)
        | (Value::Json(_), FieldType::Json) => true,
        _ => false,
    };
    if !fits {
        let mut json = Vec::new();
        value.borrow(&mut String::new()).write(&mut json);
        let found = String::from_utf8_lossy(&json).into_owned();
        return Err(ValueError::OtherType { found, wanted: field.field_type });
    }
    value.check(field.field_type, field.nullable)
}

/// The values of some fields of a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldValues(pub(crate) Vec<(usize, Value)>);

impl FieldValues {
    /// Reads values from a JSON object with some of the schema's fields.
    ///
    /// # Errors
    ///
    /// [`LineError`] where the line is no JSON object, has a field that the schema has not, or has a
    /// value that can't stand in its field.
    pub fn parse(line: &[u8], schema: &Schema) -> Result<Self, LineError> {
        let place = Cell::new(None);
        let values = object(line, &place, |line| FieldsVisitor { line, schema })?;
        let given = values.into_iter().enumerate();
        Ok(Self(given.filter_map(|(at, value)| Some((at, value?))).collect()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads a row.
struct RowVisitor<'a>(FieldsVisitor<'a>);

impl<'de> Visitor<'de> for RowVisitor<'_> {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Row, A::Error> {
        let fields = &self.0.schema.fields;
        let missing =
            |field: &Field| A::Error::custom(format_args!("the field `{}` is missing", field.name));
        let values = self.0.visit_map(map)?.into_iter().zip(fields);
        let values = values.map(|(value, field)| match value {
            Some(value) => Ok(value),
            None if field.nullable => Ok(Value::Null),
            None => Err(missing(field)),
        });
        Ok(Row(values.collect::<Result<_, _>>()?))
    }
}

/// Reads the values of fields, those that are given.
struct FieldsVisitor<'a> {
    line: Line<'a, 'a>,
    schema: &'a Schema,
}

impl<'de> Visitor<'de> for FieldsVisitor<'_> {
    type Value = Vec<Option<Value>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row: a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let fields = &self.schema.fields;
        let mut values: Vec<Option<Value>> = vec![None; fields.len()];
        let mut expected = 0;
        while let Some(name) = map.next_key::<Text<'de>>()? {
            // Most rows have their fields in the schema's order.
            let in_order = fields.get(expected).is_some_and(|field| field.name.as_str() == name.0);
            let at = if in_order { Some(expected) } else { self.schema.position(&name.0) };
            let Some(at) = at else { return Err(A::Error::custom(self.unknown(&name.0))) };
            expected = at + 1;
            if values[at].is_some() {
                return Err(A::Error::custom(format_args!("the field `{}` appears twice", name.0)));
            }
            let raw: &RawValue = map.next_value()?;
            values[at] = Some(self.value(raw, &fields[at])?);
        }
        Ok(values)
    }
}

impl FieldsVisitor<'_> {
    fn unknown(&self, name: &str) -> String {
        let meant = self.schema.near(name);
        let meant = meant.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        format!("no field `{}`{meant}", excerpt(name, QUOTED).escape_debug())
    }

    fn value<E: serde::de::Error>(&self, raw: &RawValue, field: &Field) -> Result<Value, E> {
        let value = match field.field_type {
            FieldType::Json if raw.get() != "null" => self.line.json(raw).map(Value::Json)?,
            field_type => {
                parse(raw.get(), field_type).map_err(|error| self.wrong(raw, field, &error))?
            }
        };
        value
            .check(field.field_type, field.nullable)
            .map_err(|error| self.wrong(raw, field, &error))?;
        Ok(value)
    }

    fn wrong<E: serde::de::Error>(&self, raw: &RawValue, field: &Field, error: &ValueError) -> E {
        self.line.wrong(raw, 1, format!("the field `{}`: {error}", field.name))
    }
}

/// The value that a JSON text is to a field.
fn parse(json: &str, field_type: FieldType) -> Result<Value, ValueError> {
    match json.as_bytes() {
        b"null" => Ok(Value::Null),
        b"true" | b"false" if field_type == FieldType::Boolean => {
            Ok(Value::Boolean(json == "true"))
        }
        [b'"', ..] => {
            let text: Text<'_> =
                serde_json::from_str(json).map_err(|error| ValueError::Json(error.to_string()))?;
            match field_type {
                // The text itself, without another copy.
                FieldType::Text { .. } => Ok(Value::Text(text.0.into_owned())),
                _ => Value::text(&text.0, field_type),
            }
        }
        [b'-' | b'0'..=b'9', ..] => Value::number(json, field_type),
        [first, ..] => {
            let found = match first {
                b'{' => "an object",
                b'[' => "an array",
                _ => json,
            };
            Err(ValueError::OtherType { found: found.into(), wanted: field_type })
        }
        [] => Err(ValueError::Null),
    }
}

/// Writes rows as JSON objects.
#[derive(Debug, Clone)]
pub struct RowWriter {
    /// What stands before each value.
    before: Vec<Vec<u8>>,
}

impl RowWriter {
    /// One that gives the values these names.
    #[must_use]
    pub fn new(names: &[&str]) -> Self {
        let before = names.iter().enumerate().map(|(at, name)| {
            let mut before = vec![if at == 0 { b'{' } else { b',' }];
            wire::write_string(&mut before, name);
            before.push(b':');
            before
        });
        Self { before: before.collect() }
    }

    /// Writes a row, whose values are told by their places; without an end of line.
    ///
    /// # Errors
    ///
    /// Where a value can't be told.
    pub fn write<'v, E>(
        &self,
        line: &mut Vec<u8>,
        mut value: impl FnMut(usize) -> Result<ValueRef<'v>, E>,
    ) -> Result<(), E> {
        for (place, before) in self.before.iter().enumerate() {
            line.extend_from_slice(before);
            value(place)?.write(line);
        }
        line.extend_from_slice(if self.before.is_empty() { b"{}" } else { b"}" });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        Schema::of(&[
            "id:integer:key",
            "name:text:8",
            "salary:decimal:6:2:null",
            "born:timestamp:null",
            "photo:blob:4:null",
            "active:boolean:null",
            "score:float:null",
            "extra:json:null",
        ])
        .unwrap()
    }

    fn refused(line: &str) -> String {
        Row::parse(line.as_bytes(), &schema()).unwrap_err().to_string()
    }

    #[test]
    fn a_row_comes_out_as_it_went_in() {
        let line = r#"{"id":-7,"name":"Zoë \"Z\"","salary":1200.50,"born":"2026-11-23T04:49:13.000000Z","photo":"AAEC","active":true,"score":0.1,"extra":{"a":[1.0,null]}}"#;
        let row = Row::parse(line.as_bytes(), &schema()).unwrap();
        let schema = schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name.as_str()).collect();
        let mut texts = vec![String::new(); row.0.len()];
        let values: Vec<ValueRef<'_>> =
            row.0.iter().zip(&mut texts).map(|(value, text)| value.borrow(text)).collect();
        let mut written = Vec::new();
        let told = RowWriter::new(&names).write(&mut written, |place| Ok::<_, ()>(values[place]));
        told.unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), line);
        assert_eq!(row.to_json(&schema), line);
        // In any order, with other spellings, and without what may be null.
        let other = r#" {"name" : "Zo\u00eb \"Z\"", "salary":"1200.5", "born":"2026-11-23T05:49:13+01:00","photo":"AAEC","active":true,"score":1e-1,"extra":{"a": [1.0, null]}, "id":-7} "#;
        assert_eq!(Row::parse(other.as_bytes(), &schema).unwrap(), row);
        let short = Row::parse(br#"{"id":1,"name":"x","extra":null}"#, &schema).unwrap();
        assert_eq!(short.0[2..], vec![Value::Null; 6]);
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_field_and_place() {
        let with = |field: &str| refused(&format!(r#"{{"id":1,"name":"x",{field}}}"#));
        assert_eq!(refused(r#"{"id":1}"#), "column 8: the field `name` is missing");
        assert_eq!(with(r#""nam":1"#), "column 24: no field `nam`; did you mean `name`?");
        assert_eq!(with(r#""id":2"#), "column 23: the field `id` appears twice");
        assert_eq!(
            refused(r#"{"id":1.5,"name":"x"}"#),
            "column 7: the field `id`: 1.5 is no integer"
        );
        assert_eq!(
            refused(r#"{"id":null,"name":"x"}"#),
            "column 7: the field `id`: it can't be null"
        );
        assert_eq!(
            refused(r#"{"id":1,"name":"too long a name"}"#),
            "column 16: the field `name`: it has 15 characters; 8 are allowed"
        );
        assert_eq!(
            refused(r#"{"id":1,"name":"éééééééé"}"#.replace('}', ",\"x\":1}").as_str()),
            "column 37: no field `x`"
        );
        assert_eq!(
            refused(r#"{"id":1,"name":"a\u0000"}"#),
            "column 16: the field `name`: it has the character U+0000"
        );
        assert_eq!(
            with(r#""salary":1.005"#),
            "column 29: the field `salary`: 1.005 has 3 digits behind the point; 2 fit"
        );
        assert_eq!(
            with(r#""salary":10000"#),
            "column 29: the field `salary`: 10000 is too large: 4 digits fit before the point"
        );
        assert!(with(r#""born":"soon""#).contains("the field `born`: `soon` is not a valid time"));
        assert!(with(r#""photo":"?""#).contains("the field `photo`: not valid base64"));
        assert!(with(r#""photo":"AAECAwQ=""#).contains("it has 5 bytes; 4 are allowed"));
        assert_eq!(
            with(r#""active":1"#),
            "column 29: the field `active`: the number 1 is no boolean"
        );
        assert_eq!(with(r#""score":{}"#), "column 28: the field `score`: an object is no float");
        assert_eq!(with(r#""score":true"#), "column 28: the field `score`: true is no float");
        assert_eq!(with(r#""extra":{"a":"\ud800"}"#), "column 34: half of a surrogate pair");
    }
}
