//! From text to a tree: recursive descent, by the grammar of `docs/expressions.md`.

use super::syntax::{Comparison, MAX_DEPTH, Operator, Syntax, SyntaxKind};
use super::token::{Token, TokenKind, tokens};
use super::{ExpressionError, Span};

/// How long an expression may be, in bytes.
pub(super) const MAX_BYTES: usize = 64 * 1024;
/// How many words, numbers, strings and signs it may have.
const MAX_TOKENS: usize = 30_000;

/// A field and what it is set to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Assignment {
    pub(super) field: String,
    pub(super) span: Span,
    pub(super) value: Syntax,
}

/// Reads a text that is one expression.
pub(super) fn expression(text: &str) -> Result<Syntax, ExpressionError> {
    let mut parser = Parser::new(text)?;
    let expression = parser.or()?;
    parser.end("an operator, or the end")?;
    Ok(expression)
}

/// Reads `field = expression, …`.
pub(super) fn assignments(text: &str) -> Result<Vec<Assignment>, ExpressionError> {
    let mut parser = Parser::new(text)?;
    let mut assignments = Vec::new();
    loop {
        let Token { kind, span } = parser.next();
        let TokenKind::Name(field) = kind else {
            return Err(parser.unexpected(&kind, span, "a field, as in `field = expression`"));
        };
        parser.expect("=")?;
        assignments.push(Assignment { field: field.into(), span, value: parser.or()? });
        if !parser.take(",") {
            break;
        }
    }
    parser.end("`,`, an operator, or the end")?;
    Ok(assignments)
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token<'t>>,
    at: usize,
    /// How many parts are being read within each other.
    depth: usize,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Result<Self, ExpressionError> {
        let place = |end: usize| Span { start: 0, end };
        if text.len() > MAX_BYTES {
            let reason =
                format!("the expression has {} bytes; {MAX_BYTES} are allowed", text.len());
            return Err(ExpressionError::new(text, place(1), reason));
        }
        let tokens = tokens(text)?;
        if tokens.len() > MAX_TOKENS {
            let reason =
                format!("the expression has {} parts; {MAX_TOKENS} are allowed", tokens.len());
            return Err(ExpressionError::new(text, tokens[MAX_TOKENS].span, reason));
        }
        Ok(Self { text, tokens, at: 0, depth: 0 })
    }

    fn peek(&self) -> &Token<'t> {
        // The last token is the end, which is never passed.
        &self.tokens[self.at]
    }

    fn next(&mut self) -> Token<'t> {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    /// Passes a sign or a keyword, where it comes next.
    fn take(&mut self, word: &str) -> bool {
        let found = matches!(&self.peek().kind, TokenKind::Sign(next) | TokenKind::Keyword(next) if *next == word);
        if found {
            self.next();
        }
        found
    }

    fn expect(&mut self, word: &str) -> Result<Span, ExpressionError> {
        let Token { kind, span } = self.peek().clone();
        if self.take(word) {
            Ok(span)
        } else {
            Err(self.unexpected(&kind, span, &format!("`{word}`")))
        }
    }

    fn end(&mut self, expected: &str) -> Result<(), ExpressionError> {
        let Token { kind, span } = self.next();
        if kind == TokenKind::End { Ok(()) } else { Err(self.unexpected(&kind, span, expected)) }
    }

    fn unexpected(&self, kind: &TokenKind<'_>, span: Span, expected: &str) -> ExpressionError {
        let error =
            ExpressionError::new(self.text, span, format!("expected {expected}, found {kind}"));
        match kind {
            TokenKind::Name(word) => match foreign(word) {
                Some(hint) => error.with_hint(hint),
                None => error,
            },
            _ => error,
        }
    }

    fn node(&self, kind: SyntaxKind, span: Span) -> Result<Syntax, ExpressionError> {
        let depth = kind.depth_within() + 1;
        if depth > MAX_DEPTH {
            return Err(self.too_deep(span));
        }
        Ok(Syntax { kind, span, depth })
    }

    fn too_deep(&self, span: Span) -> ExpressionError {
        ExpressionError::new(self.text, span, format!("nested deeper than {MAX_DEPTH}"))
    }

    /// Reads a part within a part.
    fn within(
        &mut self,
        span: Span,
        read: impl FnOnce(&mut Self) -> Result<Syntax, ExpressionError>,
    ) -> Result<Syntax, ExpressionError> {
        if self.depth >= MAX_DEPTH {
            return Err(self.too_deep(span));
        }
        self.depth += 1;
        let part = read(self);
        self.depth -= 1;
        part
    }

    fn or(&mut self) -> Result<Syntax, ExpressionError> {
        self.list("OR", Self::and, SyntaxKind::Or)
    }

    fn and(&mut self) -> Result<Syntax, ExpressionError> {
        self.list("AND", Self::not, SyntaxKind::And)
    }

    fn list(
        &mut self,
        word: &str,
        read: fn(&mut Self) -> Result<Syntax, ExpressionError>,
        kind: fn(Vec<Syntax>) -> SyntaxKind,
    ) -> Result<Syntax, ExpressionError> {
        let first = read(self)?;
        if !self.take(word) {
            return Ok(first);
        }
        let mut parts = vec![first];
        loop {
            parts.push(read(self)?);
            if !self.take(word) {
                break;
            }
        }
        let span = parts[0].span.to(parts[parts.len() - 1].span);
        self.node(kind(parts), span)
    }

    fn not(&mut self) -> Result<Syntax, ExpressionError> {
        let span = self.peek().span;
        if !self.take("NOT") {
            return self.comparison();
        }
        let part = self.within(span, Self::not)?;
        let span = span.to(part.span);
        self.node(SyntaxKind::Not(Box::new(part)), span)
    }

    fn comparison(&mut self) -> Result<Syntax, ExpressionError> {
        let value = self.sum()?;
        let compared = self.compared(value)?;
        let Token { kind, span } = self.peek().clone();
        if comparison(&kind).is_some() {
            let error = ExpressionError::new(self.text, span, "comparisons do not chain");
            return Err(error.with_hint("write `a < b AND b < c`"));
        }
        Ok(compared)
    }

    /// What stands behind a value that is compared, or the value alone.
    fn compared(&mut self, value: Syntax) -> Result<Syntax, ExpressionError> {
        let span = value.span;
        if let Some(sign) = comparison(&self.peek().kind) {
            self.next();
            let other = self.sum()?;
            let span = span.to(other.span);
            return self.node(SyntaxKind::Compare(sign, Box::new(value), Box::new(other)), span);
        }
        if self.take("=~") {
            let pattern = self.sum()?;
            let span = span.to(pattern.span);
            return self.node(SyntaxKind::Matches(Box::new(value), Box::new(pattern)), span);
        }
        if self.take("IS") {
            let not = self.take("NOT");
            let span = span.to(self.expect("NULL")?);
            return self.negated(not, SyntaxKind::IsNull(Box::new(value)), span);
        }
        let not = self.take("NOT");
        if self.take("IN") {
            self.expect("(")?;
            if let Token { kind: TokenKind::Sign(")"), span } = *self.peek() {
                return Err(ExpressionError::new(self.text, span, "the list of IN is empty"));
            }
            let mut list = vec![self.within(span, Self::sum)?];
            while self.take(",") {
                list.push(self.within(span, Self::sum)?);
            }
            let span = span.to(self.expect(")")?);
            return self.negated(not, SyntaxKind::In(Box::new(value), list), span);
        }
        if self.take("CONTAINS") {
            let part = self.sum()?;
            let span = span.to(part.span);
            let kind = SyntaxKind::Contains(Box::new(value), Box::new(part));
            return self.negated(not, kind, span);
        }
        if not {
            let Token { kind, span } = self.next();
            return Err(self.unexpected(&kind, span, "IN or CONTAINS behind NOT"));
        }
        Ok(value)
    }

    fn negated(&self, not: bool, kind: SyntaxKind, span: Span) -> Result<Syntax, ExpressionError> {
        let part = self.node(kind, span)?;
        if not { self.node(SyntaxKind::Not(Box::new(part)), span) } else { Ok(part) }
    }

    fn sum(&mut self) -> Result<Syntax, ExpressionError> {
        self.calculation(&[("+", Operator::Add), ("-", Operator::Subtract)], Self::product)
    }

    fn product(&mut self) -> Result<Syntax, ExpressionError> {
        self.calculation(&[("*", Operator::Multiply), ("/", Operator::Divide)], Self::unary)
    }

    fn calculation(
        &mut self,
        operators: &[(&str, Operator)],
        read: fn(&mut Self) -> Result<Syntax, ExpressionError>,
    ) -> Result<Syntax, ExpressionError> {
        let mut left = read(self)?;
        loop {
            let sign = self.peek().span;
            let Some((_, operator)) = operators.iter().find(|(sign, _)| self.take(sign)) else {
                return Ok(left);
            };
            let right = read(self)?;
            let span = left.span.to(right.span);
            let kind = SyntaxKind::Calculate(*operator, Box::new(left), Box::new(right), sign);
            left = self.node(kind, span)?;
        }
    }

    fn unary(&mut self) -> Result<Syntax, ExpressionError> {
        let span = self.peek().span;
        if self.take("-") {
            let part = self.within(span, Self::unary)?;
            let span = span.to(part.span);
            return self.node(SyntaxKind::Negate(Box::new(part)), span);
        }
        if self.take("+") {
            return self.within(span, Self::unary);
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Syntax, ExpressionError> {
        let Token { kind, span } = self.next();
        let kind = match kind {
            TokenKind::Sign("(") => {
                let inner = self.within(span, Self::or)?;
                let span = span.to(self.expect(")")?);
                return Ok(Syntax { span, ..inner });
            }
            TokenKind::Name(name) => {
                if matches!(self.peek().kind, TokenKind::Sign("(")) {
                    let reason = format!("there is no function `{name}`");
                    return Err(ExpressionError::new(self.text, span, reason));
                }
                SyntaxKind::Field(name.into())
            }
            TokenKind::Number(text) => SyntaxKind::Number(text.into()),
            TokenKind::Text(text) => SyntaxKind::Text(text),
            TokenKind::Parameter(name) => SyntaxKind::Parameter(name.into()),
            TokenKind::Keyword("NULL") => SyntaxKind::Null,
            TokenKind::Keyword("TRUE") => SyntaxKind::Boolean(true),
            TokenKind::Keyword("FALSE") => SyntaxKind::Boolean(false),
            kind => {
                return Err(self.unexpected(&kind, span, "a value: a field, a number, a string"));
            }
        };
        self.node(kind, span)
    }
}

fn comparison(kind: &TokenKind<'_>) -> Option<Comparison> {
    let TokenKind::Sign(sign) = kind else { return None };
    Some(match *sign {
        "=" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

/// What a word of other languages is here.
fn foreign(word: &str) -> Option<&'static str> {
    match &*word.to_ascii_uppercase() {
        "LIKE" | "ILIKE" | "GLOB" => {
            Some("write `field CONTAINS \"text\"`, or `field =~ \"pattern\"`")
        }
        "BETWEEN" => Some("write `field >= a AND field <= b`"),
        "XOR" => Some("write `(a OR b) AND NOT (a AND b)`"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree with a pair of brackets for each of its parts.
    fn brackets(syntax: &Syntax) -> String {
        let list = |parts: &[Syntax], word: &str| {
            format!("[{}]", parts.iter().map(brackets).collect::<Vec<_>>().join(word))
        };
        match &syntax.kind {
            SyntaxKind::Null => "null".into(),
            SyntaxKind::Boolean(truth) => truth.to_string(),
            SyntaxKind::Number(text) | SyntaxKind::Field(text) => text.clone(),
            SyntaxKind::Text(text) => format!("{text:?}"),
            SyntaxKind::Parameter(name) => format!(":{name}"),
            SyntaxKind::Negate(a) => format!("[-{}]", brackets(a)),
            SyntaxKind::Calculate(operator, a, b, _) => {
                format!("[{} {operator:?} {}]", brackets(a), brackets(b))
            }
            SyntaxKind::Compare(sign, a, b) => {
                format!("[{} {sign:?} {}]", brackets(a), brackets(b))
            }
            SyntaxKind::In(a, members) => format!("[{} in {}]", brackets(a), list(members, ",")),
            SyntaxKind::Contains(a, b) => format!("[{} contains {}]", brackets(a), brackets(b)),
            SyntaxKind::Matches(a, b) => format!("[{} =~ {}]", brackets(a), brackets(b)),
            SyntaxKind::IsNull(a) => format!("[{} is null]", brackets(a)),
            SyntaxKind::Not(a) => format!("[not {}]", brackets(a)),
            SyntaxKind::And(parts) => list(parts, " and "),
            SyntaxKind::Or(parts) => list(parts, " or "),
        }
    }

    fn parsed(text: &str) -> String {
        brackets(&expression(text).unwrap())
    }

    #[test]
    fn precedence_is_that_of_sql() {
        for (text, tree) in [
            ("a or b and not c = 1", "[a or [b and [not [c Equal 1]]]]"),
            ("a and b and c", "[a and b and c]"),
            ("(a or b) and c", "[[a or b] and c]"),
            ("1 + 2 * 3 - 4", "[[1 Add [2 Multiply 3]] Subtract 4]"),
            ("8 / 4 / 2", "[[8 Divide 4] Divide 2]"),
            ("- a * -2", "[[-a] Multiply [-2]]"),
            ("a + 1 < b * 2", "[[a Add 1] Less [b Multiply 2]]"),
            ("not a is not null", "[not [not [a is null]]]"),
            ("a not in (1, -2, :x) or b in ('x')", "[[not [a in [1,[-2],:x]]] or [b in [\"x\"]]]"),
            ("a not contains 'x' and b =~ \"y\"", "[[not [a contains \"x\"]] and [b =~ \"y\"]]"),
            ("(a = 1) = (b = 2)", "[[a Equal 1] Equal [b Equal 2]]"),
            ("not not a", "[not [not a]]"),
            ("true AND False oR nUll is NULL", "[[true and false] or [null is null]]"),
        ] {
            assert_eq!(parsed(text), tree, "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_told_with_its_place() {
        let told = |text: &str| {
            let error = expression(text).unwrap_err();
            format!("{}: {error}", error.span().start)
        };
        assert_eq!(told(""), "0: expected a value: a field, a number, a string, found the end");
        assert_eq!(told("a ="), "3: expected a value: a field, a number, a string, found the end");
        assert_eq!(told("a b"), "2: expected an operator, or the end, found `b`");
        assert_eq!(told("(a = 1"), "6: expected `)`, found the end");
        assert_eq!(told("a = 1)"), "5: expected an operator, or the end, found `)`");
        assert_eq!(told("a in ()"), "6: the list of IN is empty");
        assert_eq!(told("a in 1"), "5: expected `(`, found `1`");
        assert_eq!(told("a < b < c"), "6: comparisons do not chain");
        assert_eq!(told("a is 1"), "5: expected `NULL`, found `1`");
        assert_eq!(told("a not b"), "6: expected IN or CONTAINS behind NOT, found `b`");
        assert_eq!(told("lower(a) = 'x'"), "0: there is no function `lower`");
        assert_eq!(told("'; DROP TABLE users"), "0: the string has no ' at its end");
        assert_eq!(told("a = 1; DROP TABLE users"), "5: `;` has no meaning here");
        let hint = expression("name like 'x%'").unwrap_err();
        assert!(hint.hint().unwrap().contains("CONTAINS"), "{hint:?}");
    }

    #[test]
    fn depth_and_length_have_an_end() {
        let told = |text: &str| expression(text).unwrap_err().to_string();
        for (open, close) in [("(", ")"), ("not ", ""), ("- ", ""), ("+ ", "")] {
            let nested = |depth: usize| format!("{}a{}", open.repeat(depth), close.repeat(depth));
            assert_eq!(told(&nested(10_000)), "nested deeper than 100", "{open}");
            assert!(expression(&nested(99)).is_ok(), "{open}");
        }
        assert_eq!(told(&["a"; 102].join(" + ")), "nested deeper than 100");
        assert!(expression(&vec!["a = 1"; 2000].join(" or ")).is_ok());
        let long = format!("a in ({})", vec!["1"; 16_000].join(","));
        assert_eq!(told(&long), "the expression has 32004 parts; 30000 are allowed");
        assert_eq!(told(&" ".repeat(65_537)), "the expression has 65537 bytes; 65536 are allowed");
    }

    #[test]
    fn assignments_are_fields_with_expressions() {
        let parsed = assignments("position = 'manager', salary = salary + 1000").unwrap();
        let shown: Vec<String> = parsed
            .iter()
            .map(|assignment| format!("{}: {}", assignment.field, brackets(&assignment.value)))
            .collect();
        assert_eq!(shown, ["position: \"manager\"", "salary: [salary Add 1000]"]);
        let told = |text: &str| assignments(text).unwrap_err().to_string();
        assert_eq!(told("a = 1,"), "expected a field, as in `field = expression`, found the end");
        assert_eq!(told("a > 1"), "expected `=`, found `>`");
        assert_eq!(told("a = 1 b = 2"), "expected `,`, an operator, or the end, found `b`");
    }
}
