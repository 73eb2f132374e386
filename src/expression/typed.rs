//! The tree of an expression that has been checked: each part has a type.

use std::fmt;

use regex::Regex;

use super::Span;
use super::syntax::{Comparison, Operator};
use crate::schema::{FieldType, Value};

/// What a part of an expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Integer,
    Float,
    /// An exact number with so many digits behind the point.
    Decimal(u8),
    Text,
    Blob,
    Timestamp,
    Boolean,
    Json,
    /// Nothing but null.
    Null,
}

impl From<FieldType> for Type {
    fn from(field_type: FieldType) -> Self {
        match field_type {
            FieldType::Integer => Self::Integer,
            FieldType::Float => Self::Float,
            FieldType::Decimal { scale, .. } => Self::Decimal(scale),
            FieldType::Text { .. } => Self::Text,
            FieldType::Blob { .. } => Self::Blob,
            FieldType::Timestamp => Self::Timestamp,
            FieldType::Boolean => Self::Boolean,
            FieldType::Json => Self::Json,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integer => "an integer",
            Self::Float => "a float",
            Self::Decimal(_) => "a decimal",
            Self::Text => "text",
            Self::Blob => "a blob",
            Self::Timestamp => "a timestamp",
            Self::Boolean => "true or false",
            Self::Json => "json",
            Self::Null => "null",
        })
    }
}

impl Type {
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Float | Self::Decimal(_))
    }

    pub(crate) fn is_exact(self) -> bool {
        matches!(self, Self::Integer | Self::Decimal(_))
    }

    /// How many digits stand behind the point of an exact number.
    pub(crate) fn scale(self) -> u8 {
        match self {
            Self::Decimal(scale) => scale,
            _ => 0,
        }
    }
}

/// A part of a checked expression.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Constant(Value, Type),
    /// A field, by number.
    Field(usize, Type),
    Calculate(Box<Calculation>),
    Compare(Comparison, Box<Node>, Box<Node>),
    /// A value, and constants of its kind, or null.
    In(Box<Node>, Vec<Node>),
    Contains(Box<Node>, Box<Node>),
    Matches(Box<Node>, Regex),
    IsNull(Box<Node>),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
}

/// Two numbers and what is done with them.
#[derive(Debug, Clone)]
pub(crate) struct Calculation {
    pub(crate) operator: Operator,
    pub(crate) left: Node,
    pub(crate) right: Node,
    pub(crate) result: Type,
    /// Where the operator stands.
    pub(crate) span: Span,
}

impl Node {
    pub(crate) fn kind(&self) -> Type {
        match self {
            Self::Constant(_, kind) | Self::Field(_, kind) => *kind,
            Self::Calculate(calculation) => calculation.result,
            _ => Type::Boolean,
        }
    }

    pub(crate) fn constant(&self) -> Option<&Value> {
        match self {
            Self::Constant(value, _) => Some(value),
            _ => None,
        }
    }
}
