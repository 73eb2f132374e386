//! What is wrong with an expression, and where.

use std::fmt;

use crate::excerpt::{REASON, excerpt};

/// A part of an expression's text, in bytes: where it begins, and where it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub start: usize,
    /// Where it has ended.
    pub end: usize,
}

impl Span {
    /// From the start of this to the end of `other`.
    pub(super) fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }
}

/// What is wrong with an expression, and where.
///
/// ```
/// use ream::{Condition, Parameters, Schema};
///
/// let schema = Schema::of(&["id:integer:key", "city:text"])?;
/// let error = Condition::new("citty = 'London'", &schema, &Parameters::default()).unwrap_err();
/// assert_eq!(error.to_string(), "no field `citty`");
/// assert_eq!(error.excerpt(), "citty = 'London'\n^^^^^");
/// assert_eq!(error.hint(), Some("did you mean `city`?"));
/// # Ok::<(), ream::SchemaError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionError {
    text: Box<str>,
    span: Span,
    reason: String,
    hint: Option<String>,
}

impl ExpressionError {
    pub(crate) fn new(text: &str, span: Span, reason: impl Into<String>) -> Self {
        let reason = excerpt(&reason.into(), REASON).into();
        Self { text: text.into(), span, reason, hint: None }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// What would be right, where that can be told.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The line of the expression that is wrong, or a part of a long one, and a line with `^` under
    /// the place.
    #[must_use]
    pub fn excerpt(&self) -> String {
        /// How much of a long line is shown before the place, and in all, in characters.
        const BEFORE: usize = 40;
        const SHOWN: usize = 76;
        let start = self.span.start.min(self.text.len());
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        // A character is one column, whatever it would do to a terminal.
        let shown: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let column = self.text[line_start..start].chars().count();
        let end = self.span.end.clamp(start, line_start + line.len());
        let width = self.text[start..end].chars().count().max(1);
        let from = if shown.len() <= SHOWN { 0 } else { column.saturating_sub(BEFORE) };
        let mut excerpt = String::new();
        let mut carets = String::new();
        if from > 0 {
            excerpt.push('…');
            carets.push(' ');
        }
        excerpt.extend(shown.iter().skip(from).take(SHOWN));
        if shown.len() > from + SHOWN {
            excerpt.push('…');
        }
        carets.extend(std::iter::repeat_n(' ', column - from));
        carets.extend(std::iter::repeat_n(
            '^',
            width.min(SHOWN.saturating_sub(column - from).max(1)),
        ));
        format!("{excerpt}\n{carets}")
    }
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for ExpressionError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(text: &str, start: usize, end: usize) -> String {
        ExpressionError::new(text, Span { start, end }, "").excerpt()
    }

    #[test]
    fn the_place_is_pointed_at() {
        assert_eq!(excerpt("a = b", 4, 5), "a = b\n    ^");
        assert_eq!(excerpt("a = ", 4, 4), "a = \n    ^");
        assert_eq!(excerpt("é = bcd", 5, 8), "é = bcd\n    ^^^");
        assert_eq!(excerpt("a = 1\nAND b = 2", 10, 11), "AND b = 2\n    ^");
        assert_eq!(excerpt("a\t= \u{1b}x", 4, 9), "a =  x\n    ^^");
        let long = format!("{}b{}", "a".repeat(100), "c".repeat(100));
        let shown = excerpt(&long, 100, 101);
        assert_eq!(shown, format!("…{}b{}…\n {}^", "a".repeat(40), "c".repeat(35), " ".repeat(40)));
        assert_eq!(excerpt(&long, 0, 201).lines().nth(1).unwrap().len(), 76);
    }
}
