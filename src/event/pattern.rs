//! Patterns that choose streams by name.

use std::fmt;
use std::str::FromStr;

use super::name::{NameError, StreamName, check};

/// A stream's name in which `*` stands for any run of characters and nothing else is special.
///
/// `*` never matches a reserved stream (one that begins with `$`).
///
/// ```
/// use ream::Pattern;
///
/// let orders: Pattern = "order-*".parse()?;
/// assert!(orders.matches("order-42"));
/// assert!(!orders.matches("customer-1"));
/// # Ok::<(), ream::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern(Box<str>);

impl Pattern {
    /// Makes a pattern of a text.
    ///
    /// # Errors
    ///
    /// [`NameError`], for what no stream's name could be.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, NameError> {
        let text = text.into();
        check("the pattern", &text)?;
        Ok(Self(text))
    }

    /// The pattern that matches every stream but the reserved ones.
    #[must_use]
    pub fn all() -> Self {
        Self("*".into())
    }

    /// The pattern that matches one stream.
    pub(crate) fn of(stream: &StreamName) -> Self {
        Self(stream.as_str().into())
    }

    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one stream that it matches, where it has no `*`.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        (!self.0.contains('*')).then_some(&*self.0)
    }

    /// Whether it matches every stream but the reserved ones.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.0.bytes().all(|byte| byte == b'*')
    }

    /// What every name that it matches begins with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.0.split('*').next().unwrap_or_default()
    }

    /// Whether the pattern chooses the stream `name`.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let Some((prefix, rest)) = self.0.split_once('*') else { return *name == *self.0 };
        if name.starts_with('$') {
            return false;
        }
        let Some(mut name) = name.strip_prefix(prefix) else { return false };
        let Some((middle, suffix)) = rest.rsplit_once('*') else { return name.ends_with(rest) };
        for part in middle.split('*') {
            match name.find(part) {
                Some(at) => name = &name[at + part.len()..],
                None => return false,
            }
        }
        name.ends_with(suffix)
    }
}

impl FromStr for Pattern {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The textbook reading: `*` takes nothing, or one character and stays.
    fn matches_slowly(pattern: &[char], name: &[char]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            (['*', rest @ ..], _) => {
                matches_slowly(rest, name)
                    || name.split_first().is_some_and(|(_, name)| matches_slowly(pattern, name))
            }
            ([first, rest @ ..], [character, name @ ..]) => {
                first == character && matches_slowly(rest, name)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_textbook(pattern in "[ab*-]{1,8}", name in "[ab-]{0,8}") {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = matches_slowly(&characters(&pattern), &characters(&name));
            prop_assert_eq!(Pattern::new(pattern).unwrap().matches(&name), expected);
        }
    }

    #[test]
    fn a_star_never_matches_a_reserved_stream() {
        assert!(!Pattern::all().matches("$ream"));
        assert!(!Pattern::new("$*").unwrap().matches("$ream"));
        assert!(Pattern::new("$ream").unwrap().matches("$ream"));
    }

    #[test]
    fn nothing_else_is_special() {
        let pattern = Pattern::new("a?[b].c%_").unwrap();
        assert!(pattern.matches("a?[b].c%_"));
        assert!(!pattern.matches("axb.cyz"));
    }
}
