//! What an expression makes of a row.

use super::Span;
use super::syntax::{Comparison, Operator};
use super::typed::{Calculation, Node, Type};
use crate::schema::{Decimal, Value};

/// A number that is too large for its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overflow {
    /// Where the operator stands.
    pub(crate) span: Span,
}

/// The value of `node` for the row that has `values`.
pub(super) fn evaluate(node: &Node, values: &[Value]) -> Result<Value, Overflow> {
    let truth = match node {
        Node::Constant(value, _) => return Ok(value.clone()),
        Node::Field(at, _) => return Ok(values[*at].clone()),
        Node::Calculate(calculation) => {
            let Calculation { operator, left, right, result, span } = &**calculation;
            let (left, right) = (evaluate(left, values)?, evaluate(right, values)?);
            return calculate(*operator, &left, &right, *result).ok_or(Overflow { span: *span });
        }
        Node::Compare(comparison, left, right) => {
            compare(*comparison, &evaluate(left, values)?, &evaluate(right, values)?)
        }
        Node::In(value, members) => {
            let value = evaluate(value, values)?;
            let mut found = Some(false);
            for member in members {
                let equal = compare(Comparison::Equal, &value, &evaluate(member, values)?);
                found = either(found, equal);
            }
            found
        }
        Node::Contains(text, part) => match (evaluate(text, values)?, evaluate(part, values)?) {
            (Value::Text(text), Value::Text(part)) => Some(text.contains(&part)),
            _ => None,
        },
        Node::Matches(text, regex) => match evaluate(text, values)? {
            Value::Text(text) => Some(regex.is_match(&text)),
            _ => None,
        },
        Node::IsNull(value) => Some(evaluate(value, values)? == Value::Null),
        Node::Not(part) => truth(&evaluate(part, values)?).map(|truth| !truth),
        Node::And(parts) => all(parts, values, false)?,
        Node::Or(parts) => all(parts, values, true)?,
    };
    Ok(truth.map_or(Value::Null, Value::Boolean))
}

/// What parts make together, of which one that is `decisive` decides: whatever the others are, even
/// where they can't be told.
fn all(parts: &[Node], values: &[Value], decisive: bool) -> Result<Option<bool>, Overflow> {
    let mut together = Some(!decisive);
    let mut overflow = None;
    for part in parts {
        match evaluate(part, values).map(|value| truth(&value)) {
            Ok(Some(truth)) if truth == decisive => return Ok(Some(decisive)),
            Ok(Some(_)) => {}
            Ok(None) => together = None,
            Err(error) => overflow = overflow.or(Some(error)),
        }
    }
    overflow.map_or(Ok(together), Err)
}

fn either(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

/// Whether a value is true; nothing where that is unknown.
pub(super) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Boolean(truth) => Some(*truth),
        _ => None,
    }
}

/// Whether two values stand to each other as `comparison` says; nothing where one is null.
pub(super) fn compare(comparison: Comparison, left: &Value, right: &Value) -> Option<bool> {
    let order = left.compare(right)?;
    Some(match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    })
}

/// Calculates with two numbers. Null where one of them is, and where a number is divided by zero;
/// nothing on overflow.
pub(crate) fn calculate(
    operator: Operator,
    left: &Value,
    right: &Value,
    result: Type,
) -> Option<Value> {
    match result {
        _ if *left == Value::Null || *right == Value::Null => Some(Value::Null),
        Type::Integer => integers(operator, as_integer(left)?, as_integer(right)?),
        Type::Float => floats(operator, as_float(left)?, as_float(right)?),
        Type::Decimal(_) => decimals(operator, as_decimal(left)?, as_decimal(right)?),
        _ => Some(Value::Null),
    }
}

fn integers(operator: Operator, left: i64, right: i64) -> Option<Value> {
    let number = match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide if right == 0 => return Some(Value::Null),
        Operator::Divide => left.checked_div(right),
    };
    number.map(Value::Integer)
}

fn floats(operator: Operator, left: f64, right: f64) -> Option<Value> {
    Value::float(match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide if right == 0.0 => return Some(Value::Null),
        Operator::Divide => left / right,
    })
}

fn decimals(operator: Operator, left: Decimal, right: Decimal) -> Option<Value> {
    let number = match operator {
        Operator::Add => left.plus(right),
        Operator::Subtract => left.minus(right),
        Operator::Multiply => left.times(right),
        Operator::Divide if right.mantissa() == 0 => return Some(Value::Null),
        Operator::Divide => left.divided_by(right),
    };
    number.map(Value::Decimal)
}

fn as_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a float is the nearest one there is")]
fn as_float(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

/// A whole number of more digits than a decimal has is too large beside one.
fn as_decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Integer(number) => Decimal::new(*number, 0),
        Value::Decimal(number) => Some(*number),
        _ => None,
    }
}
