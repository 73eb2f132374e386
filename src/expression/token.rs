//! Words, numbers, strings and signs of an expression.

use std::fmt;

use super::{ExpressionError, Span};
use crate::schema::KEYWORDS;

/// A piece of an expression, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'t> {
    pub(super) kind: TokenKind<'t>,
    pub(super) span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind<'t> {
    /// A name that is no keyword.
    Name(&'t str),
    /// A keyword, in upper case.
    Keyword(&'static str),
    /// A number, as it is spelled.
    Number(&'t str),
    /// What stands within quotes.
    Text(String),
    /// The name behind a colon.
    Parameter(&'t str),
    /// A sign.
    Sign(&'static str),
    /// Behind the last one.
    End,
}

/// The signs; a longer one goes before what it begins with.
const SIGNS: [&str; 14] =
    ["!=", "<=", ">=", "=~", "=", "<", ">", "(", ")", ",", "+", "-", "*", "/"];

/// What other languages write, and what is written here.
const FOREIGN: [(&str, &str); 7] = [
    ("<>", "!="),
    ("==", "="),
    ("&&", "AND"),
    ("||", "OR"),
    ("!~", "NOT … =~ …"),
    ("!", "NOT"),
    ("~", "=~"),
];

impl fmt::Display for TokenKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(text) | Self::Number(text) => write!(f, "`{text}`"),
            Self::Keyword(word) | Self::Sign(word) => write!(f, "`{word}`"),
            Self::Text(_) => f.write_str("a string"),
            Self::Parameter(name) => write!(f, "`:{name}`"),
            Self::End => f.write_str("the end"),
        }
    }
}

/// Cuts `text` into its tokens; the last is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, ExpressionError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, length) = token(text, at, first)?;
        tokens.push(Token { kind, span: Span { start: at, end: at + length } });
        at += length;
    }
    tokens.push(Token { kind: TokenKind::End, span: Span { start: at, end: at } });
    Ok(tokens)
}

/// The token that begins with `first` at `at`, and how long it is.
fn token(text: &str, at: usize, first: char) -> Result<(TokenKind<'_>, usize), ExpressionError> {
    let rest = &text[at..];
    let refuse = |length: usize, reason: String| {
        Err(ExpressionError::new(text, Span { start: at, end: at + length }, reason))
    };
    match first {
        'a'..='z' | 'A'..='Z' | '_' => {
            let word = word(rest);
            let upper = word.to_ascii_uppercase();
            let keyword = KEYWORDS.iter().find(|keyword| **keyword == upper);
            let kind = keyword.map_or(TokenKind::Name(word), |word| TokenKind::Keyword(word));
            Ok((kind, word.len()))
        }
        ':' => match word(&rest[1..]) {
            "" => refuse(1, "a parameter's name is missing behind `:`".into()),
            name => Ok((TokenKind::Parameter(name), name.len() + 1)),
        },
        '"' | '\'' => match string(rest, first) {
            Some((content, length)) => Ok((TokenKind::Text(content), length)),
            None => refuse(rest.len(), format!("the string has no {first} at its end")),
        },
        '0'..='9' | '.' => match number(rest) {
            Ok(number) => Ok((TokenKind::Number(number), number.len())),
            Err(length) => refuse(length, format!("`{}` is no number", &rest[..length])),
        },
        _ => {
            let sign = |long: bool| {
                SIGNS.iter().find(|sign| (sign.len() > 1) == long && rest.starts_with(**sign))
            };
            let foreign = FOREIGN.iter().find(|(sign, _)| rest.starts_with(sign));
            match (sign(true), foreign, sign(false)) {
                (Some(sign), _, _) | (None, None, Some(sign)) => {
                    Ok((TokenKind::Sign(sign), sign.len()))
                }
                (None, Some((sign, meant)), _) => {
                    let error = refuse(sign.len(), format!("there is no `{sign}`"));
                    error.map_err(|error| error.with_hint(format!("write `{meant}`")))
                }
                (None, None, None) => {
                    refuse(first.len_utf8(), format!("`{first}` has no meaning here"))
                }
            }
        }
    }
}

/// The letters, digits and `_` at the start.
fn word(text: &str) -> &str {
    let end = text.find(|character: char| character != '_' && !character.is_ascii_alphanumeric());
    &text[..end.unwrap_or(text.len())]
}

/// What stands within quotes, a quote in it doubled; and how long it is with them.
fn string(text: &str, quote: char) -> Option<(String, usize)> {
    let mut content = String::new();
    let mut at = 1;
    loop {
        let length = text[at..].find(quote)?;
        content.push_str(&text[at..at + length]);
        at += length + 1;
        if !text[at..].starts_with(quote) {
            return Some((content, at));
        }
        content.push(quote);
        at += 1;
    }
}

/// The number at the start: digits with at most one point, and an exponent; or how long what looks
/// like one is.
fn number(text: &str) -> Result<&str, usize> {
    let digits = |from: usize| {
        text[from..]
            .find(|character: char| !character.is_ascii_digit())
            .map_or(text.len(), |length| from + length)
    };
    let mut end = digits(0);
    let mut any = end > 0;
    if text[end..].starts_with('.') {
        let fraction = digits(end + 1);
        any |= fraction > end + 1;
        end = fraction;
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = end + 1 + usize::from(text[end + 1..].starts_with(['+', '-']));
        let exponent = digits(sign);
        any &= exponent > sign;
        end = exponent;
    }
    // `12abc` is no number with a name behind it.
    let whole = end + word(&text[end..]).len();
    if any && whole == end && !text[end..].starts_with('.') {
        Ok(&text[..end])
    } else {
        Err(whole.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind<'_>> {
        tokens(text).unwrap().into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn an_expression_is_cut_into_words_numbers_strings_and_signs() {
        use TokenKind::{End, Keyword, Name, Number, Parameter, Sign, Text};
        assert_eq!(
            kinds("a_1 and:min >=-1.5e-3"),
            [
                Name("a_1"),
                Keyword("AND"),
                Parameter("min"),
                Sign(">="),
                Sign("-"),
                Number("1.5e-3"),
                End
            ]
        );
        assert_eq!(
            kinds(r#""it ""is"" 'so'" != 'it''s'"#),
            [Text("it \"is\" 'so'".into()), Sign("!="), Text("it's".into()), End]
        );
        assert_eq!(kinds("x=~'\\d+'"), [Name("x"), Sign("=~"), Text("\\d+".into()), End]);
        assert_eq!(kinds(".5 5."), [Number(".5"), Number("5."), End]);
    }

    #[test]
    fn what_is_no_token_is_told_with_its_place() {
        let told = |text: &str| {
            let error = tokens(text).unwrap_err();
            (error.to_string(), error.span().start, error.span().end)
        };
        assert_eq!(told("a = 'x"), ("the string has no ' at its end".into(), 4, 6));
        assert_eq!(told("a == 1"), ("there is no `==`".into(), 2, 4));
        assert_eq!(told("a <> 1"), ("there is no `<>`".into(), 2, 4));
        assert_eq!(told("!a"), ("there is no `!`".into(), 0, 1));
        assert_eq!(told("1; x"), ("`;` has no meaning here".into(), 1, 2));
        assert_eq!(told("a = é"), ("`é` has no meaning here".into(), 4, 6));
        assert_eq!(told(": x"), ("a parameter's name is missing behind `:`".into(), 0, 1));
        for (text, length) in [("12abc", 5), ("1.2.3", 3), ("1e", 2), (".", 1), ("0x10", 4)] {
            assert_eq!((told(text).1, told(text).2), (0, length), "{text}");
        }
    }
}
