//! Names: of streams, of event types, and the writers' ids.

use std::fmt;
use std::str::FromStr;

/// How long a stream's name, an event's type or an id may be, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 255;
/// How long a tag may be, in bytes of UTF-8.
pub const MAX_TAG_BYTES: usize = 128;

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// It has no character.
    #[error("{what} is empty")]
    Empty {
        /// What was to be named.
        what: &'static str,
    },
    /// It is too long.
    #[error("{what} has {bytes} bytes; {most} are allowed")]
    TooLong {
        /// What was to be named.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
    /// It holds a character that no name may hold.
    #[error("{what} has {} at character {at}", describe(*.character))]
    Forbidden {
        /// What was to be named.
        what: &'static str,
        /// The character.
        character: char,
        /// Which character of the text it is, counted from 1.
        at: usize,
    },
    /// It begins or ends with white space.
    #[error("{what} begins or ends with white space")]
    Padded {
        /// What was to be named.
        what: &'static str,
    },
    /// It begins with `$`.
    #[error("{what} begins with `$`, which is reserved")]
    Reserved {
        /// What was to be named.
        what: &'static str,
    },
}

/// Names a character that can't be shown as it is.
fn describe(character: char) -> String {
    if character.is_control() {
        format!("the control character U+{:04X}", u32::from(character))
    } else {
        format!("`{character}`")
    }
}

/// The rules that every name keeps: 1 to 255 bytes, no control character, no white space at its ends.
pub(super) fn check(what: &'static str, text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { what });
    }
    if text.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong { what, bytes: text.len(), most: MAX_NAME_BYTES });
    }
    forbid(what, text, char::is_control)?;
    let padded = |character: Option<char>| character.is_some_and(char::is_whitespace);
    if padded(text.chars().next()) || padded(text.chars().next_back()) {
        return Err(NameError::Padded { what });
    }
    Ok(())
}

fn forbid(what: &'static str, text: &str, is: impl Fn(char) -> bool) -> Result<(), NameError> {
    match text.chars().enumerate().find(|(_, character)| is(*character)) {
        Some((before, character)) => Err(NameError::Forbidden { what, character, at: before + 1 }),
        None => Ok(()),
    }
}

/// What streams and types keep besides: no `*`, and no `$` at the start.
fn check_unreserved(what: &'static str, text: &str) -> Result<(), NameError> {
    check(what, text)?;
    forbid(what, text, |character| character == '*')?;
    if text.starts_with('$') {
        return Err(NameError::Reserved { what });
    }
    Ok(())
}

/// What tags keep besides: they stand beside each other, and are divided by white space or commas.
pub(super) fn check_tag(text: &str) -> Result<(), NameError> {
    let what = "the tag";
    if text.is_empty() {
        return Err(NameError::Empty { what });
    }
    if text.len() > MAX_TAG_BYTES {
        return Err(NameError::TooLong { what, bytes: text.len(), most: MAX_TAG_BYTES });
    }
    forbid(what, text, |character| {
        character.is_whitespace() || character.is_control() || character == ','
    })?;
    if text.starts_with('$') {
        return Err(NameError::Reserved { what });
    }
    Ok(())
}

/// What names keep that are names of files too.
fn check_plain(what: &'static str, text: &str) -> Result<(), NameError> {
    const MOST: usize = 63;
    check(what, text)?;
    if text.len() > MOST {
        return Err(NameError::TooLong { what, bytes: text.len(), most: MOST });
    }
    let plain = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    forbid(what, text, |character| !plain(character))?;
    let first = text.chars().next().filter(|first| !first.is_ascii_alphabetic() && *first != '_');
    match first {
        Some(character) => Err(NameError::Forbidden { what, character, at: 1 }),
        None => Ok(()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Makes a name of a text that keeps the rules.
            ///
            /// # Errors
            ///
            /// [`NameError`] says which rule it breaks.
            pub fn new(text: impl Into<Box<str>>) -> Result<Self, NameError> {
                let text = text.into();
                $check($what, &text)?;
                Ok(Self(text))
            }

            /// One that the store gives out: checked when it came in, or reserved.
            pub(crate) fn stored(text: &str) -> Self {
                Self(text.into())
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// A stream's name, such as `order-42`: its category is what stands before the first `-`.
    ///
    /// 1 to 255 bytes of UTF-8, no control characters, no `*`, no white space at either end,
    /// no `$` at the start.
    StreamName, "the stream name", check_unreserved
}

name! {
    /// An event's type, such as `OrderPaid`, under the same rules as a stream's name.
    EventType, "the event type", check_unreserved
}

name! {
    /// A writer's idempotency key: 1 to 255 bytes of UTF-8, no control characters, no white space
    /// at either end.
    EventId, "the id", check
}

name! {
    /// A subscription's name: a letter of ASCII or `_`, then letters, digits, `_` and `-`; 63 at most.
    SubscriptionName, "the subscription's name", check_plain
}

impl StreamName {
    /// What stands before the first `-`; the whole name where there is none.
    ///
    /// ```
    /// # use ream::StreamName;
    /// assert_eq!(StreamName::new("order-42-eu")?.category(), "order");
    /// # Ok::<(), ream::NameError>(())
    /// ```
    #[must_use]
    pub fn category(&self) -> &str {
        self.0.split_once('-').map_or(&self.0, |(category, _)| category)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_the_rules() {
        for good in ["a", "order-42", "Zoë's order", "東京-1", "a$b", &"x".repeat(255)] {
            assert!(StreamName::new(good).is_ok(), "{good}");
        }
        let what = "the stream name";
        for (bad, error) in [
            ("", NameError::Empty { what }),
            (&*"é".repeat(128), NameError::TooLong { what, bytes: 256, most: 255 }),
            ("a\nb", NameError::Forbidden { what, character: '\n', at: 2 }),
            ("a\u{85}", NameError::Forbidden { what, character: '\u{85}', at: 2 }),
            ("order-*", NameError::Forbidden { what, character: '*', at: 7 }),
            (" a", NameError::Padded { what }),
            ("a\u{3000}", NameError::Padded { what }),
            ("$ream", NameError::Reserved { what }),
        ] {
            assert_eq!(StreamName::new(bad), Err(error), "{bad:?}");
        }
    }

    #[test]
    fn an_id_may_hold_what_a_stream_may_not() {
        assert!(EventId::new("$import/*/1").is_ok());
        assert!(EventId::new("a\0b").is_err());
        assert!(EventId::new("").is_err());
    }

    #[test]
    fn a_subscription_has_a_plain_name() {
        for good in ["mail", "send-welcome_2", "_x", "order", &"x".repeat(63)] {
            assert!(SubscriptionName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-x", "2x", "a b", "a.b", "a/b", "é", "*", "$x", &"x".repeat(64)] {
            assert!(SubscriptionName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn errors_name_the_character() {
        let error = StreamName::new("a\u{7}b").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the stream name has the control character U+0007 at character 2"
        );
    }
}
