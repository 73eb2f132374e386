//! What the program itself refuses, before or beside the store.

use std::fmt;
use std::path::PathBuf;

/// What the program itself refuses, before or beside the store.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The command line makes no sense.
    Usage(String),
    /// What came in is not valid; the hint is a command, where there is one.
    Invalid { message: String, hint: Option<String> },
    /// No directory here or above holds a store; or this one is a store itself, which is not looked
    /// for.
    NoStoreNear { directory: PathBuf, itself: bool },
    /// A question needs an answer, and nobody can be asked.
    Unconfirmed { what: String, hint: String },
    /// The question was answered with no.
    Declined,
    /// An aggregator rejected the command, for this reason.
    Rejected(String),
    /// A signal came.
    Signal(u8),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Invalid { message, .. } => f.write_str(message),
            Self::NoStoreNear { directory, .. } => {
                write!(f, "no store in {} or above it", directory.display())
            }
            Self::Unconfirmed { what, .. } => write!(f, "{what} needs to be confirmed"),
            Self::Declined => f.write_str("nothing was changed"),
            Self::Rejected(reason) => write!(f, "rejected: {reason}"),
            Self::Signal(_) => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for Refused {}

/// Marks input as invalid.
pub(crate) fn invalid(message: impl fmt::Display) -> anyhow::Error {
    Refused::Invalid { message: message.to_string(), hint: None }.into()
}

/// A word as a shell takes it.
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./@:+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, quoted) in [
            ("order-42", "order-42"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$x", "'$x'"),
            ("東京-1", "東京-1"),
        ] {
            assert_eq!(quote(word), quoted);
        }
    }
}
