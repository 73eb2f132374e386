//! From a tree to one in which each part has a type, by a schema and the parameters' values.

use super::evaluate::{calculate, compare};
use super::parameters::{Parameter, Parameters};
use super::pattern;
use super::syntax::{Comparison, Operator, Syntax, SyntaxKind};
use super::typed::{Calculation, Node, Type};
use super::{ExpressionError, Span};
use crate::event::Json;
use crate::schema::{Decimal, FieldType, MAX_DIGITS, Schema, Value, ValueError};

/// Gives each part of an expression a type.
pub(super) struct Checker<'c> {
    pub(super) text: &'c str,
    pub(super) schema: &'c Schema,
    pub(super) parameters: &'c Parameters,
}

/// A part that has been checked. What is written as a number or a string takes the type of what it
/// meets.
enum Operand {
    Node(Node),
    /// A number as it is spelled.
    Number(String),
    Text(String),
    /// A text that a program bound; beside an exact number it is the number that it spells.
    Bound(String),
    /// A text that may be a number, or something else.
    Untyped(String),
    /// A parameter that is null.
    Null,
}

type Checked<T> = Result<T, ExpressionError>;

impl Checker<'_> {
    fn refuse<T>(&self, span: Span, reason: impl Into<String>) -> Checked<T> {
        Err(ExpressionError::new(self.text, span, reason))
    }

    /// A part that is true or false.
    pub(super) fn condition(&self, syntax: &Syntax) -> Checked<Node> {
        let node = match self.operand(syntax)? {
            Operand::Number(_) => {
                return self.refuse(syntax.span, "this is a number, and no condition");
            }
            Operand::Text(_) | Operand::Bound(_) => {
                return self.refuse(syntax.span, "this is text, and no condition");
            }
            operand => self.resolve(operand, Type::Boolean, syntax.span)?,
        };
        match node.kind() {
            Type::Boolean | Type::Null => Ok(node),
            kind => self.refuse(syntax.span, format!("this is {kind}, and no condition")),
        }
    }

    /// What a field is set to: of its type, or a number that becomes it.
    pub(super) fn value(&self, syntax: &Syntax, field: FieldType) -> Checked<Node> {
        let wanted = Type::from(field);
        if syntax.kind == SyntaxKind::Null {
            return Ok(Node::Constant(Value::Null, Type::Null));
        }
        let node = match self.operand(syntax)? {
            // Where the value is known, all that its field asks for is.
            Operand::Number(text) => {
                self.known(syntax.span, Value::number(&text, field), wanted)?
            }
            Operand::Untyped(text) if wanted.is_number() => {
                self.known(syntax.span, Value::number(&text, field), wanted)?
            }
            Operand::Bound(text) if wanted.is_exact() => {
                self.known(syntax.span, Value::number(&text, field), wanted)?
            }
            Operand::Text(text) | Operand::Bound(text) | Operand::Untyped(text)
                if wanted == Type::Json =>
            {
                match Json::parse(&text) {
                    Ok(json) => Node::Constant(Value::Json(json), Type::Json),
                    Err(error) => {
                        return self
                            .refuse(syntax.span, format!("this is not valid JSON: {error}"));
                    }
                }
            }
            operand => self.resolve(operand, wanted, syntax.span)?,
        };
        let fits = match (node.kind(), wanted) {
            (Type::Null, _)
            | (Type::Integer, Type::Float | Type::Decimal(_))
            | (Type::Decimal(_), Type::Decimal(_)) => true,
            (kind, wanted) => kind == wanted,
        };
        if !fits {
            return self
                .refuse(syntax.span, format!("this is {}, and the field is {field}", node.kind()));
        }
        Ok(node)
    }

    fn known(&self, span: Span, value: Result<Value, ValueError>, kind: Type) -> Checked<Node> {
        match value {
            Ok(value) => Ok(Node::Constant(value, kind)),
            Err(error) => self.refuse(span, error.to_string()),
        }
    }

    fn operand(&self, syntax: &Syntax) -> Checked<Operand> {
        let span = syntax.span;
        Ok(Operand::Node(match &syntax.kind {
            SyntaxKind::Null => Node::Constant(Value::Null, Type::Null),
            SyntaxKind::Boolean(truth) => Node::Constant(Value::Boolean(*truth), Type::Boolean),
            SyntaxKind::Number(text) => return Ok(Operand::Number(text.clone())),
            SyntaxKind::Text(text) => return Ok(Operand::Text(text.clone())),
            SyntaxKind::Parameter(name) => return self.parameter(name, span),
            SyntaxKind::Field(name) => self.field(name, span)?,
            SyntaxKind::Negate(number) => return self.negate(number, span),
            SyntaxKind::Calculate(operator, left, right, sign) => {
                return self.calculate(*operator, left, right, *sign);
            }
            SyntaxKind::Compare(comparison, left, right) => {
                self.compare(*comparison, left, right)?
            }
            SyntaxKind::In(value, members) => self.within(value, members)?,
            SyntaxKind::Contains(text, part) => {
                let (text, part) = (self.text(text, "CONTAINS")?, self.text(part, "CONTAINS")?);
                match (text.constant(), part.constant()) {
                    (Some(Value::Text(text)), Some(Value::Text(part))) => {
                        truth(Some(text.contains(part)))
                    }
                    (Some(_), Some(_)) => truth(None),
                    _ => Node::Contains(Box::new(text), Box::new(part)),
                }
            }
            SyntaxKind::Matches(text, pattern) => self.matches(text, pattern)?,
            SyntaxKind::IsNull(value) => {
                let operand = self.operand(value)?;
                Node::IsNull(Box::new(self.by_itself(operand, value.span)?))
            }
            SyntaxKind::Not(part) => Node::Not(Box::new(self.condition(part)?)),
            SyntaxKind::And(parts) => Node::And(self.conditions(parts)?),
            SyntaxKind::Or(parts) => Node::Or(self.conditions(parts)?),
        }))
    }

    fn conditions(&self, parts: &[Syntax]) -> Checked<Vec<Node>> {
        parts.iter().map(|part| self.condition(part)).collect()
    }

    fn field(&self, name: &str, span: Span) -> Checked<Node> {
        let at = self.field_named(name, span)?;
        Ok(Node::Field(at, self.schema.fields()[at].field_type.into()))
    }

    /// The number of the field `name`.
    pub(super) fn field_named(&self, name: &str, span: Span) -> Checked<usize> {
        let Some(at) = self.schema.position(name) else {
            let error = ExpressionError::new(self.text, span, format!("no field `{name}`"));
            return Err(match self.schema.near(name) {
                Some(near) => error.with_hint(format!("did you mean `{near}`?")),
                None => {
                    let all: Vec<usize> = (0..self.schema.fields().len().min(20)).collect();
                    error.with_hint(format!("there are {}", self.schema.names(&all)))
                }
            });
        };
        Ok(at)
    }

    fn parameter(&self, name: &str, span: Span) -> Checked<Operand> {
        Ok(match self.parameters.get(name) {
            Some(Parameter::Untyped(text)) => Operand::Untyped(text.clone()),
            Some(Parameter::Text(text)) => Operand::Bound(text.clone()),
            Some(Parameter::Number(text)) => Operand::Number(text.clone()),
            Some(Parameter::Boolean(truth)) => {
                Operand::Node(Node::Constant(Value::Boolean(*truth), Type::Boolean))
            }
            Some(Parameter::Null) => Operand::Null,
            None => {
                let error = ExpressionError::new(
                    self.text,
                    span,
                    format!("the parameter `:{name}` has no value"),
                );
                return Err(error.with_hint(format!("a value for `{name}` is missing in `with`")));
            }
        })
    }

    fn negate(&self, number: &Syntax, span: Span) -> Checked<Operand> {
        let operand = self.operand(number)?;
        if let Operand::Number(text) = &operand {
            let negated = text.strip_prefix('-').map_or_else(|| format!("-{text}"), str::to_owned);
            return Ok(Operand::Number(negated));
        }
        let zero = Operand::Number("0".into());
        self.calculated(Operator::Subtract, (zero, span), (operand, number.span), span)
    }

    fn calculate(
        &self,
        operator: Operator,
        left: &Syntax,
        right: &Syntax,
        sign: Span,
    ) -> Checked<Operand> {
        let (a, b) = (self.operand(left)?, self.operand(right)?);
        self.calculated(operator, (a, left.span), (b, right.span), sign)
    }

    fn calculated(
        &self,
        operator: Operator,
        (left, left_span): (Operand, Span),
        (right, right_span): (Operand, Span),
        sign: Span,
    ) -> Checked<Operand> {
        let literals = !matches!((&left, &right), (Operand::Node(_), _) | (_, Operand::Node(_)));
        let (left, right) = match (left, right) {
            // Only numbers calculate, so that is what two given values are.
            (
                Operand::Bound(left) | Operand::Untyped(left),
                Operand::Bound(right) | Operand::Untyped(right),
            ) => (Operand::Number(left), Operand::Number(right)),
            pair => pair,
        };
        let (left, right) = self.pair((left, left_span), (right, right_span))?;
        for (node, span) in [(&left, left_span), (&right, right_span)] {
            if !node.kind().is_number() && node.kind() != Type::Null {
                return self
                    .refuse(span, format!("this is {}, which does not calculate", node.kind()));
            }
        }
        let result = match (left.kind(), right.kind()) {
            (Type::Decimal(_), Type::Float) | (Type::Float, Type::Decimal(_)) => {
                let reason =
                    "a decimal and a float do not calculate: one is exact, the other is not";
                return self.refuse(left_span.to(right_span), reason);
            }
            (Type::Null, other) | (other, Type::Null) => other,
            (Type::Integer, Type::Integer) => Type::Integer,
            (Type::Float, _) | (_, Type::Float) => Type::Float,
            (a, b) if operator == Operator::Multiply => Type::Decimal(a.scale() + b.scale()),
            (a, b) => Type::Decimal(a.scale().max(b.scale())),
        };
        if result.scale() > MAX_DIGITS {
            let reason = format!(
                "the product has {} digits behind the point; {MAX_DIGITS} are allowed",
                result.scale()
            );
            return self.refuse(sign, reason);
        }
        let zero = |value: &Value| {
            value.compare(&Value::Integer(0)).is_some_and(std::cmp::Ordering::is_eq)
        };
        let divisor_is_zero = match right.constant() {
            Some(Value::Decimal(number)) => number.mantissa() == 0,
            Some(value) => zero(value),
            None => false,
        };
        if operator == Operator::Divide && divisor_is_zero {
            return self.refuse(right_span, "this divides by zero");
        }
        if let (Some(a), Some(b)) = (left.constant(), right.constant()) {
            let Some(value) = calculate(operator, a, b, result) else {
                return self.refuse(sign, "the result is too large");
            };
            return Ok(match value {
                // What is made of numbers as they are written is as if it were written.
                Value::Integer(number) if literals => Operand::Number(number.to_string()),
                Value::Decimal(number) if literals => Operand::Number(number.to_string()),
                value => Operand::Node(Node::Constant(value, result)),
            });
        }
        let calculation = Calculation { operator, left, right, result, span: sign };
        Ok(Operand::Node(Node::Calculate(Box::new(calculation))))
    }

    fn compare(&self, comparison: Comparison, left: &Syntax, right: &Syntax) -> Checked<Node> {
        for (side, other) in [(left, right), (right, left)] {
            if side.kind == SyntaxKind::Null {
                let what = &self.text[other.span.start..other.span.end];
                let not = if comparison == Comparison::NotEqual { "NOT " } else { "" };
                let error = ExpressionError::new(self.text, side.span, "nothing compares to NULL");
                return Err(error.with_hint(format!("write `{what} IS {not}NULL`")));
            }
        }
        let (a, b) = (self.operand(left)?, self.operand(right)?);
        self.compared(comparison, (a, left.span), (b, right.span))
    }

    fn compared(
        &self,
        comparison: Comparison,
        left: (Operand, Span),
        right: (Operand, Span),
    ) -> Checked<Node> {
        let span = left.1.to(right.1);
        let (left, right) = self.pair(left, right)?;
        let (a, b) = (left.kind(), right.kind());
        let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        match (a, b) {
            (Type::Json, _) | (_, Type::Json) => {
                return self.refuse(span, "json does not compare; it IS NULL or IS NOT NULL");
            }
            (Type::Boolean, Type::Boolean) if ordered => {
                return self.refuse(span, "true and false have no order");
            }
            (Type::Decimal(_), Type::Float) | (Type::Float, Type::Decimal(_)) => {
                return self.refuse(
                    span,
                    "a decimal and a float do not compare: one is exact, the other is not",
                );
            }
            (Type::Null, _) | (_, Type::Null) => {}
            (a, b) if a == b || a.is_number() && b.is_number() => {}
            (a, b) => return self.refuse(span, format!("{a} and {b} do not compare")),
        }
        Ok(match (left.constant(), right.constant()) {
            (Some(a), Some(b)) => truth(compare(comparison, a, b)),
            _ => Node::Compare(comparison, Box::new(left), Box::new(right)),
        })
    }

    fn within(&self, value: &Syntax, members: &[Syntax]) -> Checked<Node> {
        let mut equals = Vec::new();
        for member in members {
            equals.push(self.compare(Comparison::Equal, value, member)?);
        }
        // A list of constants is one question, for which an index serves.
        let mut constants = Vec::new();
        for equal in &equals {
            match equal {
                Node::Compare(_, _, member) if member.constant().is_some() => {
                    constants.push((**member).clone());
                }
                _ => {
                    return Ok(if equals.len() == 1 { equals.remove(0) } else { Node::Or(equals) });
                }
            }
        }
        match equals.into_iter().next() {
            Some(Node::Compare(_, value, _)) => Ok(Node::In(value, constants)),
            _ => self.refuse(value.span, "the list of IN is empty"),
        }
    }

    fn matches(&self, text: &Syntax, pattern: &Syntax) -> Checked<Node> {
        let value = self.text(text, "=~")?;
        let regex = match self.text(pattern, "=~")? {
            Node::Constant(Value::Text(text), _) => {
                pattern::compile(&text).or_else(|reason| self.refuse(pattern.span, reason))?
            }
            Node::Constant(..) => return Ok(truth(None)),
            _ => return self.refuse(pattern.span, "a pattern is a string or a parameter"),
        };
        Ok(match value.constant() {
            Some(Value::Text(text)) => truth(Some(regex.is_match(text))),
            Some(_) => truth(None),
            None => Node::Matches(Box::new(value), regex),
        })
    }

    /// A part that is a text.
    fn text(&self, syntax: &Syntax, sign: &str) -> Checked<Node> {
        let operand = self.operand(syntax)?;
        let node = match operand {
            Operand::Number(_) => {
                return self
                    .refuse(syntax.span, format!("{sign} takes texts, and this is a number"));
            }
            operand => self.resolve(operand, Type::Text, syntax.span)?,
        };
        match node.kind() {
            Type::Text | Type::Null => Ok(node),
            kind => self.refuse(syntax.span, format!("{sign} takes texts, and this is {kind}")),
        }
    }

    /// Two parts that meet, each with a type: what is written takes that of the other.
    fn pair(
        &self,
        (left, left_span): (Operand, Span),
        (right, right_span): (Operand, Span),
    ) -> Checked<(Node, Node)> {
        use Operand::{Bound, Node as Typed, Null, Number, Text, Untyped};
        Ok(match (left, right) {
            (Typed(left), Typed(right)) => (left, right),
            (Typed(left), right) => {
                let right = self.resolve(right, left.kind(), right_span)?;
                (left, right)
            }
            (left, Typed(right)) => (self.resolve(left, right.kind(), left_span)?, right),
            (left @ (Number(_) | Bound(_) | Untyped(_)), right @ Number(_))
            | (left @ Number(_), right @ (Bound(_) | Untyped(_))) => {
                // Exact where both are, however they are spelled.
                let float = [&left, &right].iter().any(|operand| {
                    matches!(operand, Number(text) | Untyped(text) if text.contains(['e', 'E']))
                });
                let kind = if float { Type::Float } else { Type::Decimal(0) };
                (self.resolve(left, kind, left_span)?, self.resolve(right, kind, right_span)?)
            }
            (Text(_), Number(_)) | (Number(_), Text(_)) => {
                return self
                    .refuse(left_span.to(right_span), "text and a number do not go together");
            }
            (
                left @ (Text(_) | Bound(_) | Untyped(_)),
                right @ (Text(_) | Bound(_) | Untyped(_)),
            ) => (
                self.resolve(left, Type::Text, left_span)?,
                self.resolve(right, Type::Text, right_span)?,
            ),
            (Null, right) => (null(), self.by_itself(right, right_span)?),
            (left, Null) => (self.by_itself(left, left_span)?, null()),
        })
    }

    /// A part that meets nothing which could give it a type.
    fn by_itself(&self, operand: Operand, span: Span) -> Checked<Node> {
        let kind = match &operand {
            Operand::Number(text) if text.contains(['e', 'E']) => Type::Float,
            Operand::Number(_) => Type::Decimal(0),
            _ => Type::Text,
        };
        self.resolve(operand, kind, span)
    }

    /// What is written, as it is beside something of type `kind`.
    fn resolve(&self, operand: Operand, kind: Type, span: Span) -> Checked<Node> {
        let (text, untyped) = match operand {
            Operand::Node(node) => return Ok(node),
            Operand::Null => return Ok(null()),
            Operand::Number(text) => return self.number(&text, kind, span),
            Operand::Bound(text) if kind.is_exact() => return self.number(&text, kind, span),
            Operand::Untyped(text) if kind.is_number() => return self.number(&text, kind, span),
            Operand::Text(text) | Operand::Bound(text) => (text, false),
            Operand::Untyped(text) => (text, true),
        };
        let value = match kind {
            Type::Boolean
                if untyped && ["true", "false"].contains(&&*text.to_ascii_lowercase()) =>
            {
                Value::Boolean(text.eq_ignore_ascii_case("true"))
            }
            Type::Timestamp => {
                return self.known(span, Value::text(&text, FieldType::Timestamp), kind);
            }
            Type::Blob => {
                return self.known(span, Value::text(&text, FieldType::Blob { max: None }), kind);
            }
            Type::Text | Type::Null => {
                if text.contains('\0') {
                    return self.refuse(span, "a text can't have the character U+0000");
                }
                return Ok(Node::Constant(Value::Text(text), Type::Text));
            }
            _ => {
                let what = if untyped { "the parameter's value" } else { "this text" };
                return self.refuse(span, format!("{what} is beside {kind}, which it can't be"));
            }
        };
        Ok(Node::Constant(value, kind))
    }

    fn number(&self, text: &str, beside: Type, span: Span) -> Checked<Node> {
        if beside == Type::Float {
            return self.known(span, Value::number(text, FieldType::Float), Type::Float);
        }
        if !beside.is_number() && beside != Type::Null {
            return self.refuse(span, format!("this number is beside {beside}"));
        }
        // With a point it is a decimal, even where it is whole.
        let integer = (!text.contains('.')).then(|| Value::number(text, FieldType::Integer));
        let whole = !text.contains(['.', 'e', 'E']);
        match (integer, text.parse::<Decimal>()) {
            (Some(Ok(value)), _) => Ok(Node::Constant(value, Type::Integer)),
            (Some(Err(error)), _) if whole => self.refuse(span, error.to_string()),
            (_, Ok(number)) => {
                Ok(Node::Constant(Value::Decimal(number), Type::Decimal(number.scale())))
            }
            (Some(_), Err(_)) if beside == Type::Integer => {
                self.known(span, Value::number(text, FieldType::Float), Type::Float)
            }
            (_, Err(error)) => self.refuse(span, error.to_string()),
        }
    }
}

fn null() -> Node {
    Node::Constant(Value::Null, Type::Null)
}

fn truth(truth: Option<bool>) -> Node {
    Node::Constant(truth.map_or(Value::Null, Value::Boolean), Type::Boolean)
}

#[cfg(test)]
mod tests;
