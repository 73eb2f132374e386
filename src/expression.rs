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

use crate::schema::{
    Decimal, DecimalError, Field, FieldType, FieldValues, Row, Schema, Value, ValueError,
};

use self::check::Checker;
pub use self::error::{ExpressionError, Span};
pub(crate) use self::evaluate::{Overflow, calculate};
pub use self::parameters::{Parameter, Parameters};
use self::syntax::Syntax;
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

    /// That the fields have these values, or are null where that is the value.
    ///
    /// # Errors
    ///
    /// [`ExpressionError`] where there is no value, a field is none of the schema's, or one has a type
    /// that compares with nothing.
    pub fn equal(values: &FieldValues, schema: &Schema) -> Result<Self, ExpressionError> {
        let nowhere = Span { start: 0, end: 0 };
        if values.is_empty() {
            return Err(ExpressionError::new("", nowhere, "no field is compared"));
        }
        let terms = values.0.iter().map(|(at, value)| {
            let field = schema.fields().get(*at);
            let field = field.ok_or_else(|| {
                ExpressionError::new("", nowhere, "the values are of another schema")
            })?;
            let (kind, name) = (field.field_type.into(), field.name.as_str());
            let node = Box::new(Node::Field(*at, kind));
            match value {
                Value::Null => Ok(Node::IsNull(node)),
                Value::Json(_) => {
                    let span = Span { start: 0, end: name.len() };
                    Err(ExpressionError::new(name, span, "json compares with nothing"))
                }
                value => {
                    let value = Box::new(Node::Constant(value.clone(), kind));
                    Ok(Node::Compare(Comparison::Equal, node, value))
                }
            }
        });
        let node = Node::And(terms.collect::<Result<_, _>>()?);
        Ok(Self { text: "".into(), schema: Arc::new(schema.clone()), node })
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
    schema: Arc<Schema>,
    set: Vec<Assigned>,
}

/// A field, and what it is set to.
#[derive(Debug, Clone)]
struct Assigned {
    field: usize,
    value: Node,
    /// The text that the value is from.
    text: Arc<str>,
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
        let mut assignments = Self { schema: Arc::new(schema.clone()), set: Vec::new() };
        let checker = Checker { text, schema, parameters };
        let text = Arc::from(text);
        for parser::Assignment { field, span, value } in parser::assignments(&text)? {
            let at = checker.field_named(&field, span)?;
            assignments.add(&checker, at, span, &value, &text)?;
        }
        Ok(assignments)
    }

    /// Sets fields to values, and others to what expressions of their names say.
    ///
    /// # Errors
    ///
    /// As [`Assignments::new`].
    pub fn of(
        values: FieldValues,
        expressions: &[(String, String)],
        schema: &Schema,
        parameters: &Parameters,
    ) -> Result<Self, ExpressionError> {
        let mut assignments = Self { schema: Arc::new(schema.clone()), set: Vec::new() };
        for (field, value) in values.0 {
            let name = schema.fields()[field].name.as_str();
            let checker = Checker { text: name, schema, parameters };
            checker.settable(field, Span { start: 0, end: name.len() })?;
            let value = Node::Constant(value, schema.fields()[field].field_type.into());
            assignments.set.push(Assigned { field, value, text: name.into() });
        }
        for (name, text) in expressions {
            let whole = Span { start: 0, end: name.len() };
            let at = Checker { text: name, schema, parameters }.field_named(name, whole)?;
            let checker = Checker { text, schema, parameters };
            let (value, text) = (parser::expression(text)?, Arc::from(text.as_str()));
            assignments.add(&checker, at, value.span, &value, &text)?;
        }
        Ok(assignments)
    }

    /// Adds that the field at `field` is set to `value`; `span` is where an error is shown.
    fn add(
        &mut self,
        checker: &Checker<'_>,
        field: usize,
        span: Span,
        value: &Syntax,
        text: &Arc<str>,
    ) -> Result<(), ExpressionError> {
        checker.settable(field, span)?;
        let Field { name, field_type, nullable } = &self.schema.fields()[field];
        if self.set.iter().any(|other| other.field == field) {
            let reason = format!("`{name}` is set twice");
            return Err(ExpressionError::new(text, span, reason));
        }
        let node = checker.value(value, *field_type)?;
        if let Some(constant) = node.constant()
            && let Err(error) = fitted(constant.clone(), *field_type)
                .and_then(|value| value.check(*field_type, *nullable))
        {
            return Err(ExpressionError::new(text, value.span, format!("`{name}`: {error}")));
        }
        self.set.push(Assigned { field, value: node, text: Arc::clone(text) });
        Ok(())
    }

    /// The row with its fields set; the expressions see the row as it was.
    ///
    /// # Errors
    ///
    /// [`AssignmentError`].
    pub fn apply(&self, row: &Row) -> Result<Row, AssignmentError> {
        let mut values = row.values().to_vec();
        for Assigned { field: at, value, text } in &self.set {
            let field = &self.schema.fields()[*at];
            let value = evaluate::evaluate(value, row.values())
                .map_err(|overflow| too_large(text, overflow))?;
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

    /// Whether no field is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// The fields that are set, by number.
    pub(crate) fn fields(&self) -> impl Iterator<Item = usize> {
        self.set.iter().map(|assigned| assigned.field)
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
    /// That a field can be set.
    fn settable(&self, field: usize, span: Span) -> Result<(), ExpressionError> {
        if self.schema.key().contains(&field) {
            let name = &self.schema.fields()[field].name;
            let reason = format!("`{name}` is in the key, which stays");
            return Err(ExpressionError::new(self.text, span, reason));
        }
        Ok(())
    }
}
