//! From a checked expression to SQL, with bound values only.
//!
//! Fields that are compared with constants become plain comparisons of columns, so that indexes serve.
//! What SQL would do otherwise, numbers that become too large and patterns, is left to functions.

use rusqlite::types::{ToSqlOutput, Value as Bound};

use super::Table;
use super::columns::{column, to_column};
use super::functions::Functions;
use crate::expression::{Comparison, Condition, Node};
use crate::schema::{Decimal, Schema, Value};
use crate::store::Error;

/// A condition as SQL.
#[derive(Debug, Default)]
pub(super) struct Lowered {
    pub(super) sql: String,
    /// What is bound to `?1`, `?2` and so on.
    pub(super) values: Vec<Bound>,
    /// What the SQL calls.
    pub(super) functions: Functions,
}

impl Table {
    /// The condition as SQL, where it was checked against the schema of this projection.
    pub(super) fn lowered(&self, condition: &Condition) -> Result<Lowered, Error> {
        self.check_schema(condition.schema())?;
        Ok(lower(&condition.node, condition.schema()))
    }

    pub(super) fn check_schema(&self, schema: &Schema) -> Result<(), Error> {
        if *schema == self.schema { Ok(()) } else { Err(Error::OtherSchema) }
    }
}

/// Lowers `node` on rows of `schema`.
fn lower(node: &Node, schema: &Schema) -> Lowered {
    let mut lowering = Lowering { schema, lowered: Lowered::default() };
    let sql = lowering.node(node);
    Lowered { sql, ..lowering.lowered }
}

struct Lowering<'s> {
    schema: &'s Schema,
    lowered: Lowered,
}

impl Lowering<'_> {
    fn bind(&mut self, value: Bound) -> String {
        self.lowered.values.push(value);
        format!("?{}", self.lowered.values.len())
    }

    fn node(&mut self, node: &Node) -> String {
        match node {
            Node::Constant(value, kind) => self.constant(value, kind.scale()),
            Node::Field(at, _) => column(&self.schema.fields()[*at]),
            Node::Calculate(calculation) => {
                let (left, right) = (self.node(&calculation.left), self.node(&calculation.right));
                let number = self.lowered.functions.calculation(calculation);
                format!("ream_calculate({left}, {right}, {number})")
            }
            Node::Compare(comparison, left, right) => self.compare(*comparison, left, right),
            Node::In(value, members) => self.within(value, members),
            Node::Contains(text, part) => {
                format!("(instr({}, {}) > 0)", self.node(text), self.node(part))
            }
            Node::Matches(text, regex) => {
                let text = self.node(text);
                format!("ream_match({text}, {})", self.lowered.functions.pattern(regex))
            }
            Node::IsNull(value) => format!("({} IS NULL)", self.node(value)),
            Node::Not(part) => format!("(NOT {})", self.node(part)),
            Node::And(parts) => self.list(parts, "AND"),
            Node::Or(parts) => self.list(parts, "OR"),
        }
    }

    /// Halves within halves: SQLite bounds how deep an expression is, not how long.
    fn list(&mut self, parts: &[Node], word: &str) -> String {
        match parts {
            [part] => self.node(part),
            parts => {
                let (first, second) = parts.split_at(parts.len() / 2);
                format!("({} {word} {})", self.list(first, word), self.list(second, word))
            }
        }
    }

    /// A constant; an exact number as a whole one, times ten to the `scale`.
    fn constant(&mut self, value: &Value, scale: u8) -> String {
        let bound = match value {
            Value::Decimal(number) => {
                // What has the scale by its type has it exactly.
                let number = number.with_scale(scale).unwrap_or(*number);
                Bound::Integer(number.mantissa())
            }
            value => bound(value),
        };
        self.bind(bound)
    }

    fn compare(&mut self, comparison: Comparison, left: &Node, right: &Node) -> String {
        if left.constant().is_some() {
            // A constant goes to the right; two of them have been compared before.
            return self.compare_sides(comparison.flipped(), right, left);
        }
        self.compare_sides(comparison, left, right)
    }

    fn compare_sides(&mut self, comparison: Comparison, left: &Node, right: &Node) -> String {
        let (a, b) = (left.kind(), right.kind());
        let sign = sign(comparison);
        if !a.is_exact() || !b.is_exact() {
            return format!("({} {sign} {})", self.node(left), self.node(right));
        }
        match right.constant() {
            Some(value) => self.compare_exactly(comparison, left, value),
            None if a.scale() == b.scale() => {
                format!("({} {sign} {})", self.node(left), self.node(right))
            }
            None => {
                let (left, right) = (self.node(left), self.node(right));
                let number = self.lowered.functions.comparison(a, b);
                format!("(ream_compare({left}, {right}, {number}) {sign} 0)")
            }
        }
    }

    /// Compares an exact number with a constant, at the scale of the former.
    fn compare_exactly(&mut self, comparison: Comparison, left: &Node, value: &Value) -> String {
        let column = self.node(left);
        let Some(Scaled { floor, whole }) = scaled(value, left.kind().scale()) else {
            return format!("({column} {} NULL)", sign(comparison));
        };
        // Between two numbers of the scale, what lies below or above is told by the lower one.
        let comparison = match comparison {
            Comparison::Equal if !whole => return never(&column),
            Comparison::NotEqual if !whole => return always(&column),
            Comparison::Less if !whole => Comparison::LessOrEqual,
            Comparison::GreaterOrEqual if !whole => Comparison::Greater,
            comparison => comparison,
        };
        if let Ok(floor) = i64::try_from(floor) {
            let bound = self.bind(Bound::Integer(floor));
            return format!("({column} {} {bound})", sign(comparison));
        }
        let beyond = floor > 0;
        match comparison {
            Comparison::Less | Comparison::LessOrEqual if beyond => always(&column),
            Comparison::Greater | Comparison::GreaterOrEqual if !beyond => always(&column),
            Comparison::NotEqual => always(&column),
            _ => never(&column),
        }
    }

    fn within(&mut self, value: &Node, members: &[Node]) -> String {
        let kind = value.kind();
        let column = self.node(value);
        let mut list = Vec::new();
        for member in members.iter().filter_map(Node::constant) {
            let bound = match (kind.is_exact(), scaled(member, kind.scale())) {
                // One that no row can have is left out.
                (true, Some(Scaled { floor, whole: true })) => {
                    i64::try_from(floor).ok().map(Bound::Integer)
                }
                (true, Some(_)) => None,
                _ => Some(bound(member)),
            };
            list.extend(bound.map(|bound| self.bind(bound)));
        }
        if list.is_empty() {
            never(&column)
        } else {
            format!("({column} IN ({}))", list.join(", "))
        }
    }
}

/// An exact number at a scale.
struct Scaled {
    /// The largest mantissa that is not above it.
    floor: i128,
    /// Whether that is the number.
    whole: bool,
}

fn scaled(value: &Value, scale: u8) -> Option<Scaled> {
    match value {
        Value::Integer(number) => {
            Some(Scaled { floor: i128::from(*number) * 10_i128.pow(scale.into()), whole: true })
        }
        Value::Decimal(number) => {
            let floor = number.floor(scale);
            let back = i64::try_from(floor).ok().and_then(|floor| Decimal::new(floor, scale));
            let whole =
                number.scale() <= scale || back.is_some_and(|back| back.compare(*number).is_eq());
            Some(Scaled { floor, whole })
        }
        _ => None,
    }
}

/// What is false, or unknown where the column is null.
fn never(column: &str) -> String {
    format!("({column} <> {column})")
}

/// What is true, or unknown where the column is null.
fn always(column: &str) -> String {
    format!("({column} = {column})")
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

/// A value as it is bound.
fn bound(value: &Value) -> Bound {
    match to_column(value) {
        ToSqlOutput::Owned(value) => value,
        ToSqlOutput::Borrowed(column) => Bound::try_from(column).unwrap_or(Bound::Null),
        // A value of ours is one of these.
        _ => Bound::Null,
    }
}
