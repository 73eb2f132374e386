//! Fields and their types.

use std::fmt;
use std::str::FromStr;

use super::decimal::MAX_DIGITS;
use super::name::Identifier;

/// What a field's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldType {
    /// A whole number of 64 bits.
    Integer,
    /// A floating-point number of 64 bits; neither infinite nor no number.
    Float,
    /// An exact number.
    Decimal {
        /// How many digits it has at most, 1 to 18.
        precision: u8,
        /// How many of them stand behind the point.
        scale: u8,
    },
    /// A text without the character U+0000.
    Text {
        /// How many characters it has at most.
        max: Option<u32>,
    },
    /// Bytes; base64 in JSON and in expressions.
    Blob {
        /// How many there are at most.
        max: Option<u32>,
    },
    /// A point in time, in microseconds.
    Timestamp,
    /// True or false.
    Boolean,
    /// Any JSON but null, as it was written.
    Json,
}

/// A field of a projection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// Its name.
    pub name: Identifier,
    /// What its values are.
    pub field_type: FieldType,
    /// Whether it may be null.
    pub nullable: bool,
}

/// Why a text is no [`FieldType`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldTypeError {
    /// There is no such type.
    #[error(
        "there is no type `{name}`; there are integer, float, decimal, text, blob, timestamp, boolean, json"
    )]
    Unknown {
        /// What was named.
        name: String,
        /// The type that has a name like it.
        near: Option<&'static str>,
    },
    /// A number that belongs to the type is none, or out of its range.
    #[error("`{text}` is no {what} from {from} to {to}")]
    Argument {
        /// What was given; empty where nothing was.
        text: String,
        /// What it stands for.
        what: &'static str,
        /// The smallest one.
        from: u32,
        /// The largest one.
        to: u32,
    },
    /// Something stands behind the type that does not belong to it.
    #[error("`{text}` does not belong to {name}")]
    Extra {
        /// The type's name.
        name: &'static str,
        /// What stands there.
        text: String,
    },
}

impl FieldType {
    const NAMES: [&str; 8] =
        ["integer", "float", "decimal", "text", "blob", "timestamp", "boolean", "json"];

    /// Reads a type from the start of `words`, which is what stands between colons; the words that
    /// belong to it are taken.
    pub(super) fn take(words: &mut &[&str]) -> Result<Self, FieldTypeError> {
        let name = words.first().copied().unwrap_or_default();
        *words = words.get(1..).unwrap_or_default();
        Ok(match name {
            "integer" => Self::Integer,
            "float" => Self::Float,
            "decimal" => {
                let precision = argument(words, "precision", 1, MAX_DIGITS.into())?;
                let scale = argument(words, "scale", 0, precision)?;
                // Both are 18 at most.
                Self::Decimal { precision: narrow(precision), scale: narrow(scale) }
            }
            "text" => Self::Text { max: length(words)? },
            "blob" => Self::Blob { max: length(words)? },
            "timestamp" => Self::Timestamp,
            "boolean" => Self::Boolean,
            "json" => Self::Json,
            _ => {
                let near = crate::near::nearest(name, &Self::NAMES);
                return Err(FieldTypeError::Unknown { name: name.into(), near });
            }
        })
    }

    /// The type's name, without its arguments.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Decimal { .. } => "decimal",
            Self::Text { .. } => "text",
            Self::Blob { .. } => "blob",
            Self::Timestamp => "timestamp",
            Self::Boolean => "boolean",
            Self::Json => "json",
        }
    }
}

fn narrow(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// The number that the next word must be.
fn argument(
    words: &mut &[&str],
    what: &'static str,
    from: u32,
    to: u32,
) -> Result<u32, FieldTypeError> {
    let text = words.first().copied().unwrap_or_default();
    *words = words.get(1..).unwrap_or_default();
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok());
    let fitting = number.flatten().filter(|number| (from..=to).contains(number));
    fitting.ok_or_else(|| FieldTypeError::Argument { text: text.into(), what, from, to })
}

/// How long a field's values may be, where the next word begins with a digit.
fn length(words: &mut &[&str]) -> Result<Option<u32>, FieldTypeError> {
    let digit = words.first().is_some_and(|word| {
        word.is_empty() || word.starts_with(|first: char| first.is_ascii_digit() || first == '-')
    });
    digit.then(|| argument(words, "length", 1, 1_000_000_000)).transpose()
}

impl FromStr for FieldType {
    type Err = FieldTypeError;

    /// Reads `integer`, `decimal:12:2`, `text:40`.
    fn from_str(text: &str) -> Result<Self, FieldTypeError> {
        let words: Vec<&str> = text.split(':').collect();
        let mut rest = &words[..];
        let field_type = Self::take(&mut rest)?;
        match rest.first() {
            None => Ok(field_type),
            Some(extra) => {
                Err(FieldTypeError::Extra { name: field_type.name(), text: (*extra).into() })
            }
        }
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Decimal { precision, scale } => write!(f, ":{precision}:{scale}"),
            Self::Text { max: Some(max) } | Self::Blob { max: Some(max) } => write!(f, ":{max}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_they_are_shown() {
        for text in [
            "integer",
            "float",
            "decimal:12:2",
            "decimal:18:18",
            "decimal:1:0",
            "text",
            "text:40",
            "blob",
            "blob:16",
            "timestamp",
            "boolean",
            "json",
        ] {
            assert_eq!(text.parse::<FieldType>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_type_is_told() {
        let told = |text: &str| text.parse::<FieldType>().unwrap_err().to_string();
        assert!(told("number").starts_with("there is no type `number`"));
        assert_eq!(told("decimal"), "`` is no precision from 1 to 18");
        assert_eq!(told("decimal:19:2"), "`19` is no precision from 1 to 18");
        assert_eq!(told("decimal:5:6"), "`6` is no scale from 0 to 5");
        assert_eq!(told("text:0"), "`0` is no length from 1 to 1000000000");
        assert_eq!(told("text:-1"), "`-1` is no length from 1 to 1000000000");
        assert_eq!(told("integer:4"), "`4` does not belong to integer");
        let unknown = "interger".parse::<FieldType>().unwrap_err();
        assert!(matches!(unknown, FieldTypeError::Unknown { near: Some("integer"), .. }));
    }
}
