//! Conditions and assignments on a projection's fields: how they are read, checked against a schema,
//! and what they make of a row.
//!
//! The language is described in `docs/expressions.md`. Nothing here knows how rows are stored; a
//! store makes of a checked expression what it searches by, and [`Condition::keeps`] is what that has
//! to agree with.

mod check;
mod error;
mod evaluate;
mod parameters;
mod parser;
mod pattern;
mod syntax;
mod token;
mod typed;

use std::sync::Arc;

use crate::schema::{Decimal, DecimalError, FieldType, Row, Schema, Value, ValueError};

use self::check::Checker;
pub use self::error::{ExpressionError, Span};
pub(crate) use self::evaluate::{Overflow, calculate};
pub use self::parameters::{Parameter, Parameters};
pub(crate) use self::syntax::{Comparison, Operator};
pub(crate) use self::typed::{Calculation, Node, Type};

/// A condition on rows, checked against their schema.
///
/// ```
/// use ream::{Condition, Parameters, Row, Schema};
///
/// let schema = Schema::of(&["id:integer:key", "city:text", "salary:decimal:12:2"])?;
/// let parameters = Parameters::default();
/// let condition = Condition::new(r#"city IN ("London", "Rome") AND salary > 1000"#, &schema, &parameters)?;
/// let row = Row::parse(br#"{"id":1,"city":"Rome","salary":1000.01}"#, &schema)?;
/// assert!(condition.keeps(&row)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Condition {
    text: Arc<str>,
    schema: Arc<Schema>,
    pub(crate) node: Node,
}

impl Condition {
    /// Reads a condition on rows of `schema`; `parameters` has the values of its `:names`.
    ///
    /// # Errors
    ///
    /// [`ExpressionError`] where the text is no expression, names no field, or puts together what does
    /// not go together.
    pub fn new(
        text: &str,
        schema: &Schema,
        parameters: &Parameters,
    ) -> Result<Self, ExpressionError> {
        let node = Checker { text, schema, parameters }.condition(&parser::expression(text)?)?;
        Ok(Self { text: text.into(), schema: Arc::new(schema.clone()), node })
    }

    /// Whether it is true of a row; where that is unknown, since a field is null, it is not.
    ///
    /// # Errors
    ///
    /// [`ExpressionError`] where a number becomes too large, and the rest does not decide.
    pub fn keeps(&self, row: &Row) -> Result<bool, ExpressionError> {
        match evaluate::evaluate(&self.node, row.values()) {
            Ok(value) => Ok(evaluate::truth(&value) == Some(true)),
            Err(overflow) => Err(too_large(&self.text, overflow)),
        }
    }

    /// The schema that it was checked against.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(crate) fn overflow<E: From<Box<ExpressionError>>>(&self, overflow: Overflow) -> E {
        Box::new(too_large(&self.text, overflow)).into()
    }
}

fn too_large(text: &str, overflow: Overflow) -> ExpressionError {
    ExpressionError::new(text, overflow.span, "the result is too large for a row")
}

/// What fields of a row are set to, checked against its schema.
///
/// ```
/// use ream::{Assignments, Parameters, Row, Schema};
///
/// let schema = Schema::of(&["id:integer:key", "visits:integer"])?;
/// let assignments = Assignments::new("visits = visits + 1", &schema, &Parameters::default())?;
/// let row = Row::parse(br#"{"id":1,"visits":2}"#, &schema)?;
/// assert_eq!(assignments.apply(&row)?, Row::parse(br#"{"id":1,"visits":3}"#, &schema)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Assignments {
    text: Arc<str>,
    schema: Arc<Schema>,
    /// Each field, and its value.
    set: Vec<(usize, Node)>,
}

/// Why a row can't be set as assignments say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssignmentError {
    /// A number becomes too large.
    #[error(transparent)]
    Overflow(#[from] ExpressionError),
    /// A value can't stand in its field.
    #[error("the field `{field}`: {error}")]
    Value {
        /// The field.
        field: String,
        /// Why not.
        error: ValueError,
    },
}

impl Assignments {
    /// Reads `field = expression, …` for rows of `schema`; `parameters` has the values of the `:names`.
    ///
    /// # Errors
    ///
    /// [`ExpressionError`], also where a field is set twice or is in the key, or null can't stand in it.
    pub fn new(
        text: &str,
        schema: &Schema,
        parameters: &Parameters,
    ) -> Result<Self, ExpressionError> {
        let checker = Checker { text, schema, parameters };
        let mut set: Vec<(usize, Node)> = Vec::new();
        for parser::Assignment { field: name, span, value } in parser::assignments(text)? {
            let at = checker.assigned(&name, span)?;
            if set.iter().any(|(other, ..)| *other == at) {
                let reason = format!("`{name}` is set twice");
                return Err(ExpressionError::new(text, span, reason));
            }
            let field = &schema.fields()[at];
            let node = checker.value(&value, field.field_type)?;
            if let Some(constant) = node.constant()
                && let Err(error) = fitted(constant.clone(), field.field_type)
                    .and_then(|value| value.check(field.field_type, field.nullable))
            {
                return Err(ExpressionError::new(text, value.span, format!("`{name}`: {error}")));
            }
            set.push((at, node));
        }
        Ok(Self { text: text.into(), schema: Arc::new(schema.clone()), set })
    }

    /// The row with its fields set; the expressions see the row as it was.
    ///
    /// # Errors
    ///
    /// [`AssignmentError`].
    pub fn apply(&self, row: &Row) -> Result<Row, AssignmentError> {
        let mut values = row.values().to_vec();
        for (at, node) in &self.set {
            let field = &self.schema.fields()[*at];
            let value = evaluate::evaluate(node, row.values())
                .map_err(|overflow| too_large(&self.text, overflow))?;
            let refuse = |error| AssignmentError::Value { field: field.name.to_string(), error };
            let value = fitted(value, field.field_type).map_err(refuse)?;
            value.check(field.field_type, field.nullable).map_err(refuse)?;
            values[*at] = value;
        }
        Ok(Row(values))
    }

    /// The schema that they were checked against.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The fields that are set, by number.
    pub(crate) fn fields(&self) -> impl Iterator<Item = usize> {
        self.set.iter().map(|(field, ..)| *field)
    }
}

/// A value as its field holds it: an exact number is rounded to the field's digits behind the point.
fn fitted(value: Value, field_type: FieldType) -> Result<Value, ValueError> {
    let too_large = |text: String| DecimalError::TooManyDigits { text };
    Ok(match (value, field_type) {
        (Value::Integer(number), FieldType::Decimal { precision, scale }) => {
            let decimal = Decimal::new(number, 0);
            let decimal = decimal.ok_or_else(|| too_large(number.to_string()))?;
            Value::Decimal(decimal.fitting(precision, scale)?)
        }
        (Value::Decimal(number), FieldType::Decimal { precision, scale }) => {
            let rounded = number.rounded(scale).unwrap_or(number);
            Value::Decimal(rounded.fitting(precision, scale)?)
        }
        #[expect(clippy::cast_precision_loss, reason = "a float is the nearest one there is")]
        (Value::Integer(number), FieldType::Float) => Value::Float(number as f64),
        (value, _) => value,
    })
}

impl Checker<'_> {
    /// The field that an assignment names.
    fn assigned(&self, name: &str, span: Span) -> Result<usize, ExpressionError> {
        match self.field_named(name, span)? {
            at if self.schema.key().contains(&at) => {
                let reason = format!("`{name}` is in the key, which stays");
                Err(ExpressionError::new(self.text, span, reason))
            }
            at => Ok(at),
        }
    }
}
