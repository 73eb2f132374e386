//! The tree of an expression as it is written.

use super::Span;

/// How deep an expression may nest.
pub(super) const MAX_DEPTH: usize = 100;

/// An expression, or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Syntax {
    pub(super) kind: SyntaxKind,
    pub(super) span: Span,
    /// How many parts are within each other here.
    pub(super) depth: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum SyntaxKind {
    Null,
    Boolean(bool),
    /// A number as it is spelled.
    Number(String),
    Text(String),
    Parameter(String),
    Field(String),
    Negate(Box<Syntax>),
    /// Two numbers, and where the sign stands.
    Calculate(Operator, Box<Syntax>, Box<Syntax>, Span),
    Compare(Comparison, Box<Syntax>, Box<Syntax>),
    In(Box<Syntax>, Vec<Syntax>),
    Contains(Box<Syntax>, Box<Syntax>),
    Matches(Box<Syntax>, Box<Syntax>),
    IsNull(Box<Syntax>),
    Not(Box<Syntax>),
    /// Two or more, all of which have to be true.
    And(Vec<Syntax>),
    /// Two or more, one of which has to be true.
    Or(Vec<Syntax>),
}

/// What is done with two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// How two values have to stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The same with its sides changed.
    pub(crate) fn flipped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Equal | Self::NotEqual => self,
        }
    }
}

impl SyntaxKind {
    /// How many parts are within each other below this one.
    pub(super) fn depth_within(&self) -> usize {
        let most = |parts: &[Syntax]| parts.iter().map(|part| part.depth).max().unwrap_or(0);
        match self {
            Self::Null
            | Self::Boolean(_)
            | Self::Number(_)
            | Self::Text(_)
            | Self::Parameter(_)
            | Self::Field(_) => 0,
            Self::Negate(a) | Self::IsNull(a) | Self::Not(a) => a.depth,
            Self::Calculate(_, a, b, _)
            | Self::Compare(_, a, b)
            | Self::Contains(a, b)
            | Self::Matches(a, b) => a.depth.max(b.depth),
            Self::In(a, list) => a.depth.max(most(list)),
            Self::And(parts) | Self::Or(parts) => most(parts),
        }
    }
}
