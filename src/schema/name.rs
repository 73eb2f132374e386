//! Names of projections and of their fields.

use std::fmt;
use std::str::FromStr;

/// How long an [`Identifier`] may be, in characters.
pub const MAX_IDENTIFIER: usize = 63;

/// The name of a projection or of one of its fields: a letter or `_`, then letters, digits and `_`;
/// of ASCII, and no reserved word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier(Box<str>);

/// Why a text is no [`Identifier`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentifierError {
    /// It has no character.
    #[error("a name is empty")]
    Empty,
    /// It is longer than [`MAX_IDENTIFIER`].
    #[error("the name `{name}` has {characters} characters; {MAX_IDENTIFIER} are allowed")]
    TooLong {
        /// Its first characters.
        name: String,
        /// How many it has.
        characters: usize,
    },
    /// It holds a character that no name may hold.
    #[error(
        "the name `{name}` has {} at character {at}; a name has letters A-Z, digits and `_`, and no digit first",
        describe(*.character)
    )]
    Forbidden {
        /// The name.
        name: String,
        /// The character.
        character: char,
        /// Which character of the text it is, counted from 1.
        at: usize,
    },
    /// It means something else.
    #[error("`{name}` is a word of {of}, and can't be a name; `{name}_` can")]
    Reserved {
        /// The name.
        name: String,
        /// Where it means something else.
        of: &'static str,
    },
    /// It begins as names do that are reserved.
    #[error("the name `{name}` begins with `{prefix}`, which is reserved")]
    ReservedPrefix {
        /// The name.
        name: String,
        /// What it begins with.
        prefix: &'static str,
    },
}

/// A character that may look like another, with its number.
fn describe(character: char) -> String {
    if character.is_ascii_graphic() {
        format!("`{character}`")
    } else if character.is_control() || character.is_whitespace() {
        format!("U+{:04X}", u32::from(character))
    } else {
        format!("`{character}` (U+{:04X})", u32::from(character))
    }
}

/// The words of the expression language.
pub(crate) const KEYWORDS: [&str; 9] =
    ["AND", "OR", "NOT", "IN", "IS", "CONTAINS", "NULL", "TRUE", "FALSE"];

/// The words that a table or a column can't be named by in SQL without quotes.
#[rustfmt::skip]
pub(crate) const SQL: [&str; 64] = [
    "ADD", "ALL", "ALTER", "AND", "AS", "AUTOINCREMENT", "BETWEEN", "CASE", "CAST", "CHECK",
    "COLLATE", "COMMIT", "CONSTRAINT", "CREATE", "CURRENT_DATE", "CURRENT_TIME",
    "CURRENT_TIMESTAMP", "DEFAULT", "DEFERRABLE", "DELETE", "DISTINCT", "DROP", "ELSE", "ESCAPE",
    "EXCEPT", "EXISTS", "FOREIGN", "FROM", "GROUP", "HAVING", "IF", "IN", "INDEX", "INSERT",
    "INTERSECT", "INTO", "IS", "ISNULL", "JOIN", "LIMIT", "NOT", "NOTHING", "NOTNULL", "NULL",
    "ON", "OR", "ORDER", "PRIMARY", "RAISE", "REFERENCES", "RETURNING", "SELECT", "SET", "TABLE",
    "THEN", "TO", "TRANSACTION", "UNION", "UNIQUE", "UPDATE", "USING", "VALUES", "WHEN", "WHERE",
];

/// What a name can't begin with, in any case.
const PREFIXES: [&str; 2] = ["sqlite_", "ream_"];

impl Identifier {
    /// Makes a name of a text that keeps the rules.
    ///
    /// # Errors
    ///
    /// [`IdentifierError`] says which rule it breaks.
    pub fn new(text: &str) -> Result<Self, IdentifierError> {
        let name = || text.chars().take(MAX_IDENTIFIER).collect::<String>();
        if text.is_empty() {
            return Err(IdentifierError::Empty);
        }
        let allowed = |at: usize, character: char| {
            character == '_'
                || character.is_ascii_alphabetic()
                || at > 0 && character.is_ascii_digit()
        };
        let mut characters = text.chars().enumerate();
        if let Some((at, character)) = characters.find(|(at, character)| !allowed(*at, *character))
        {
            return Err(IdentifierError::Forbidden { name: name(), character, at: at + 1 });
        }
        if text.len() > MAX_IDENTIFIER {
            return Err(IdentifierError::TooLong { name: name(), characters: text.len() });
        }
        let upper = text.to_ascii_uppercase();
        for (words, of) in [(&KEYWORDS[..], "the expression language"), (&SQL[..], "SQL")] {
            if words.contains(&&*upper) {
                return Err(IdentifierError::Reserved { name: name(), of });
            }
        }
        if let Some(prefix) =
            PREFIXES.iter().find(|prefix| upper.starts_with(&prefix.to_uppercase()))
        {
            return Err(IdentifierError::ReservedPrefix { name: name(), prefix });
        }
        Ok(Self(text.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Identifier {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        Self::new(text)
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_words() {
        for name in ["users", "_", "a1", "Position", "key", "order_", &"x".repeat(63)] {
            assert_eq!(Identifier::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn what_is_no_name_is_told() {
        let told = |text: &str| Identifier::new(text).unwrap_err().to_string();
        let rule = "a name has letters A-Z, digits and `_`, and no digit first";
        assert_eq!(told(""), "a name is empty");
        assert_eq!(told("a\"b"), format!("the name `a\"b` has `\"` at character 2; {rule}"));
        assert_eq!(told("1st"), format!("the name `1st` has `1` at character 1; {rule}"));
        assert_eq!(
            told("сity"),
            format!("the name `сity` has `с` (U+0441) at character 1; {rule}")
        );
        assert!(told("a b").contains("U+0020 at character 2"), "{}", told("a b"));
        assert!(told(&"x".repeat(64)).ends_with("has 64 characters; 63 are allowed"));
        assert_eq!(told("Order"), "`Order` is a word of SQL, and can't be a name; `Order_` can");
        assert_eq!(
            told("contains"),
            "`contains` is a word of the expression language, and can't be a name; `contains_` can"
        );
        assert_eq!(
            told("SQLite_x"),
            "the name `SQLite_x` begins with `sqlite_`, which is reserved"
        );
    }
}
