//! What SQL calls back: calculations that tell an overflow, exact comparisons, patterns.

use std::cmp::Ordering as Order;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use regex::Regex;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value as Answer, ValueRef as Column};
use rusqlite::{Connection, Error, Result, ffi};

use crate::expression::{Calculation, Operator, Overflow, Span, Type, calculate};
use crate::schema::{Decimal, Value};
use crate::store::Options;

/// What one statement calls, by number.
#[derive(Debug, Default)]
pub(super) struct Functions {
    calculations: Vec<Calculated>,
    comparisons: Vec<(Type, Type)>,
    patterns: Vec<Regex>,
    /// The calculation that overflowed, counted from 1.
    overflowed: Arc<AtomicUsize>,
}

#[derive(Debug, Clone, Copy)]
struct Calculated {
    operator: Operator,
    left: Type,
    right: Type,
    result: Type,
    span: Span,
}

impl Functions {
    pub(super) fn calculation(&mut self, calculation: &Calculation) -> usize {
        self.calculations.push(Calculated {
            operator: calculation.operator,
            left: calculation.left.kind(),
            right: calculation.right.kind(),
            result: calculation.result,
            span: calculation.span,
        });
        self.calculations.len() - 1
    }

    pub(super) fn comparison(&mut self, left: Type, right: Type) -> usize {
        self.comparisons.push((left, right));
        self.comparisons.len() - 1
    }

    pub(super) fn pattern(&mut self, regex: &Regex) -> usize {
        self.patterns.push(regex.clone());
        self.patterns.len() - 1
    }

    /// Where the statement stopped since a number became too large.
    pub(super) fn overflow(&self) -> Option<Overflow> {
        let number = self.overflowed.swap(0, Ordering::Relaxed).checked_sub(1)?;
        Some(Overflow { span: self.calculations.get(number)?.span })
    }

    /// Lets the statements of `connection` call what is here, in the place of what was there before.
    pub(super) fn install(&self, connection: &Connection, options: &Options) -> Result<()> {
        let flags = FunctionFlags::SQLITE_UTF8
            | FunctionFlags::SQLITE_DETERMINISTIC
            | FunctionFlags::SQLITE_DIRECTONLY;
        if !self.calculations.is_empty() {
            let calculations = self.calculations.clone();
            let overflowed = Arc::clone(&self.overflowed);
            connection.create_scalar_function("ream_calculate", 3, flags, move |context| {
                let number: usize = context.get(2)?;
                let Some(calculation) = calculations.get(number) else { return Err(unknown()) };
                let left = value(context, 0, calculation.left);
                let right = value(context, 1, calculation.right);
                match calculate(calculation.operator, &left, &right, calculation.result) {
                    Some(value) => Ok(answer(&value)),
                    None => {
                        overflowed.store(number + 1, Ordering::Relaxed);
                        Err(Error::UserFunctionError("the result is too large".into()))
                    }
                }
            })?;
        }
        if !self.comparisons.is_empty() {
            let comparisons = self.comparisons.clone();
            connection.create_scalar_function("ream_compare", 3, flags, move |context| {
                let Some((left, right)) = comparisons.get(context.get::<usize>(2)?) else {
                    return Err(unknown());
                };
                let order = value(context, 0, *left).compare(&value(context, 1, *right));
                Ok(order.map(|order| match order {
                    Order::Less => -1,
                    Order::Equal => 0,
                    Order::Greater => 1,
                }))
            })?;
        }
        if !self.patterns.is_empty() {
            let patterns = self.patterns.clone();
            // What SQLite counts is its own instructions, of which a text that takes long has few.
            let interrupt = options.interrupt.clone().filter(|_| options.goes_on == 0);
            let is_over =
                move || interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed));
            connection.create_scalar_function("ream_match", 2, flags, move |context| {
                let Some(regex) = patterns.get(context.get::<usize>(1)?) else {
                    return Err(unknown());
                };
                if is_over() {
                    let interrupted = ffi::Error::new(ffi::SQLITE_INTERRUPT);
                    return Err(Error::SqliteFailure(interrupted, None));
                }
                Ok(match context.get_raw(0) {
                    Column::Text(text) => Some(regex.is_match(std::str::from_utf8(text)?)),
                    _ => None,
                })
            })?;
        }
        Ok(())
    }
}

fn unknown() -> Error {
    Error::UserFunctionError("a number that stands for nothing".into())
}

/// The value of an argument: an exact number is a whole one, times ten to its scale.
fn value(context: &Context<'_>, at: usize, kind: Type) -> Value {
    match (context.get_raw(at), kind) {
        (Column::Integer(number), Type::Decimal(scale)) => {
            Decimal::new(number, scale).map_or(Value::Null, Value::Decimal)
        }
        (Column::Integer(number), _) => Value::Integer(number),
        (Column::Real(number), _) => Value::Float(number),
        _ => Value::Null,
    }
}

fn answer(value: &Value) -> Answer {
    match value {
        Value::Integer(number) => Answer::Integer(*number),
        Value::Decimal(number) => Answer::Integer(number.mantissa()),
        Value::Float(number) => Answer::Real(*number),
        _ => Answer::Null,
    }
}
