//! From a projector's replies to changes of rows.

use crate::expression::{Assignments, Condition, ExpressionError, Parameter, Parameters};
use crate::schema::{FieldValues, Row, Schema};
use crate::store::Change;
use crate::wire::{LineError, Part, Parts, Reply, Role, Where};

/// The change that a reply is, of rows of `schema`; what is wrong with it, where it is none.
pub(super) fn change(reply: Reply<'_>, schema: &Schema) -> Result<Change, String> {
    match reply {
        Reply::Set(part) => Ok(Change::Set(row(part, schema)?)),
        Reply::Upsert { row: part, compute, with } => {
            let (row, none) = (row(part, schema)?, FieldValues::default());
            let assignments = Assignments::of(none, &compute, schema, &parameters(with)?);
            Ok(Change::Upsert(row, assignments.map_err(|error| told(&error))?))
        }
        Reply::Update { rows, set, compute, with } => {
            let values = match set {
                Some(part) => values(part, schema)?,
                None => FieldValues::default(),
            };
            if values.is_empty() && compute.is_empty() {
                return Err("an update needs `set` or `compute`, and a field in it".into());
            }
            let assignments = Assignments::of(values, &compute, schema, &parameters(with)?);
            Ok(Change::Update(assignments.map_err(|error| told(&error))?, condition(rows, schema)?))
        }
        Reply::Delete(rows) => Ok(Change::Delete(condition(rows, schema)?)),
        reply => Err(reply.misplaced(Role::Projector)),
    }
}

fn row(part: Part<'_>, schema: &Schema) -> Result<Row, String> {
    Row::parse(part.text.as_bytes(), schema).map_err(|error| placed(part, error))
}

fn values(part: Part<'_>, schema: &Schema) -> Result<FieldValues, String> {
    FieldValues::parse(part.text.as_bytes(), schema).map_err(|error| placed(part, error))
}

fn condition(rows: Where<'_>, schema: &Schema) -> Result<Condition, String> {
    match rows {
        Where::Equal(part) => {
            let values = values(part, schema)?;
            if values.is_empty() {
                return Err("which rows? name a field; {\"expr\":\"TRUE\"} is all of them".into());
            }
            Condition::equal(&values, schema).map_err(|error| told(&error))
        }
        Where::Expression { text, with } => {
            Condition::new(&text, schema, &parameters(with)?).map_err(|error| told(&error))
        }
        #[allow(unreachable_patterns, reason = "there may be more")]
        _ => Err("which rows?".into()),
    }
}

fn parameters(with: Parts<'_>) -> Result<Parameters, String> {
    let mut parameters = Parameters::default();
    for (name, Part { text, before }) in with {
        let value = match text.as_bytes().first() {
            Some(b'"') => Parameter::Text(
                serde_json::from_str(text)
                    .map_err(|error| format!("column {}: {error}", before + 1))?,
            ),
            Some(b't') => Parameter::Boolean(true),
            Some(b'f') => Parameter::Boolean(false),
            Some(b'n') => Parameter::Null,
            Some(b'-' | b'0'..=b'9') => Parameter::Number(text.into()),
            _ => {
                let column = before + 1;
                return Err(format!(
                    "column {column}: `:{name}` is text, a number, true, false or null"
                ));
            }
        };
        parameters.insert(name, value);
    }
    Ok(parameters)
}

/// An error, placed within the line.
fn placed(part: Part<'_>, LineError { column, reason }: LineError) -> String {
    LineError { column: part.before + column, reason }.to_string()
}

/// What is wrong with an expression, in one line.
fn told(error: &ExpressionError) -> String {
    let excerpt = error.excerpt();
    let shown = excerpt.lines().next().unwrap_or_default();
    let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
    format!("{error}, in `{}`{hint}", shown.trim())
}
