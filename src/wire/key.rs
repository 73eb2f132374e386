//! The keys of an event's line, and what a misspelt one was meant to be.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

macro_rules! keys {
    ($($key:ident = $text:literal),+ $(,)?) => {
        /// A key of an event's line.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Key {
            $($key),+
        }

        const KEYS: &[&str] = &[$($text),+];

        impl Key {
            fn named(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$key),)+
                    _ => None,
                }
            }
        }
    };
}

keys! {
    Position = "position",
    Stream = "stream",
    Version = "version",
    Id = "id",
    Type = "type",
    Time = "time",
    Recorded = "recorded",
    Data = "data",
    DataBase64 = "data_base64",
    Metadata = "metadata",
    Expect = "expect",
    State = "state",
    StateBase64 = "state_base64",
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(KEYS[*self as usize])
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Key, E> {
                Key::named(text).ok_or_else(|| {
                    let meant = nearest(text, KEYS)
                        .map_or_else(String::new, |key| format!("; did you mean `{key}`?"));
                    E::custom(format_args!("unknown key `{}`{meant}", text.escape_debug()))
                })
            }
        }

        deserializer.deserialize_identifier(KeyVisitor)
    }
}

/// The word of `words` that is nearest to `text`, where one is near.
fn nearest<'a>(text: &str, words: &[&'a str]) -> Option<&'a str> {
    words
        .iter()
        .map(|word| (crate::near::distance(text, word), *word))
        .filter(|(distance, word)| *distance <= word.len().max(3) / 3)
        .min()
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_key_is_named_and_a_far_one_is_not() {
        assert_eq!(nearest("dat", KEYS), Some("data"));
        assert_eq!(nearest("typ", KEYS), Some("type"));
        assert_eq!(nearest("meta_data", KEYS), Some("metadata"));
        assert_eq!(nearest("payload", KEYS), None);
    }
}
