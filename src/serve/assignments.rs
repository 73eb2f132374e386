//! The assignments of an UPDATE: a JSON object, whose values may be expressions too.

use crate::expression::{Assignments, Parameters};
use crate::schema::{FieldValues, Schema};

/// Reads `{"field": value, …}`: a value that begins like JSON is JSON, any other is an expression, up to
/// the `,` or `}` outside its quotes and parentheses.
pub(super) fn read(text: &str, schema: &Schema) -> Result<Assignments, String> {
    let (mut values, mut expressions) = (String::from("{"), Vec::new());
    for (name, value) in members(text)? {
        if is_json(value) {
            if values.len() > 1 {
                values.push(',');
            }
            values.push_str(name);
            values.push(':');
            values.push_str(value);
        } else {
            let name = serde_json::from_str(name).map_err(|error| error.to_string())?;
            expressions.push((name, value.to_owned()));
        }
    }
    values.push('}');
    let values = FieldValues::parse(values.as_bytes(), schema).map_err(|error| error.reason)?;
    Assignments::of(values, &expressions, schema, &Parameters::default())
        .map_err(|error| error.to_string())
}

fn is_json(value: &str) -> bool {
    value
        .starts_with(|first: char| matches!(first, '"' | '{' | '[' | '-') || first.is_ascii_digit())
        || matches!(value, "true" | "false" | "null")
}

/// The members of an object, their names in quotes; neither is looked into.
fn members(text: &str) -> Result<Vec<(&str, &str)>, String> {
    let wrong = |what: &str| format!("the assignments are not a JSON object: {what}");
    let text = text.trim();
    let mut rest = text.strip_prefix('{').ok_or_else(|| wrong("they begin with `{`"))?.trim_start();
    let mut members = Vec::new();
    if rest == "}" {
        return Ok(members);
    }
    loop {
        let name = quoted(rest).ok_or_else(|| wrong("a field's name stands in quotes"))?;
        let behind = rest[name.len()..].trim_start();
        let value = behind.strip_prefix(':').ok_or_else(|| wrong("a `:` is missing"))?;
        let end = value_length(value).ok_or_else(|| wrong("a value has no end"))?;
        let (value, behind) = value.split_at(end);
        if value.trim().is_empty() {
            return Err(wrong("a value is missing"));
        }
        members.push((name, value.trim()));
        match behind.split_at_checked(1) {
            Some((",", behind)) => rest = behind.trim_start(),
            Some(("}", "")) => return Ok(members),
            _ => return Err(wrong("something stands behind the `}`")),
        }
    }
}

/// The string that a text begins with, its quotes included.
fn quoted(text: &str) -> Option<&str> {
    let mut escaped = false;
    let inner = text.strip_prefix('"')?;
    let end = inner.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    text.get(..end + 2)
}

/// How long the value is that a text begins with: up to the `,` or `}` that is outside all that it opens.
fn value_length(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += quoted(&text[at..])?.len();
                continue;
            }
            // A quote within a text of an expression is doubled, and so opens the next one.
            b'\'' => at += text[at + 1..].find('\'')? + 1,
            b',' | b'}' if depth == 0 => return Some(at),
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_nothing_of_theirs_is_open() {
        let text =
            r#" { "a" : "x,}\"" ,"b":salary + 1, "c":("lit,"), "d":{"e":[1,2]},"f":'it''s,}'} "#;
        let found = [
            ("\"a\"", r#""x,}\"""#),
            ("\"b\"", "salary + 1"),
            ("\"c\"", "(\"lit,\")"),
            ("\"d\"", r#"{"e":[1,2]}"#),
            ("\"f\"", "'it''s,}'"),
        ];
        assert_eq!(members(text).unwrap(), found);
        assert_eq!(members("{}").unwrap(), []);
        for text in
            ["", "x", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1}}", "{\"a\":(1}", "{a:1}"]
        {
            assert!(members(text).is_err(), "{text}");
        }
    }

    #[test]
    fn json_and_expressions_set_fields() {
        let fields = ["id:integer:key", "name:text", "salary:float", "active:boolean:null"];
        let schema = Schema::of(&fields).unwrap();
        let read = |text| read(text, &schema);
        let row = |line: &str| crate::schema::Row::parse(line.as_bytes(), &schema).unwrap();
        let set = read(r#"{"name":"salary","salary":salary * 2,"active":null}"#).unwrap();
        let changed = set.apply(&row(r#"{"id":1,"name":"x","salary":2,"active":true}"#)).unwrap();
        assert_eq!(changed, row(r#"{"id":1,"name":"salary","salary":4}"#));
        assert_eq!(read(r#"{"nam":"x"}"#).unwrap_err(), "no field `nam`; did you mean `name`?");
        assert!(read(r#"{"id":7}"#).is_err());
        assert!(read(r#"{"salary":}"#).is_err());
    }
}
