//! The keys of lines, and what a misspelt one was meant to be.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::excerpt::{QUOTED, excerpt};
use crate::near::nearest;

macro_rules! keys {
    ($(#[$doc:meta])* $name:ident: $unknown:literal { $($key:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum $name {
            $($key),+
        }

        impl $name {
            const ALL: &[&str] = &[$($text),+];

            fn named(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$key),)+
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Self::ALL[*self as usize])
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let visitor = KeyVisitor { named: Self::named, all: Self::ALL, unknown: $unknown };
                deserializer.deserialize_identifier(visitor)
            }
        }
    };
}

keys! {
    /// A key of an event's line.
    Key: "unknown key" {
        Position = "position",
        Stream = "stream",
        Version = "version",
        Id = "id",
        Type = "type",
        Time = "time",
        Recorded = "recorded",
        Redacted = "redacted",
        Tags = "tags",
        Data = "data",
        DataBase64 = "data_base64",
        Metadata = "metadata",
        Expect = "expect",
        State = "state",
        StateBase64 = "state_base64",
    }
}

keys! {
    /// The key of a program's reply, which says what it is.
    ReplyKey: "unknown reply" {
        Append = "append",
        State = "state",
        StateBase64 = "state_base64",
        Reject = "reject",
        Set = "set",
        Upsert = "upsert",
        Update = "update",
        Delete = "delete",
        Ack = "ack",
    }
}

keys! {
    /// A key of a command's line.
    CommandKey: "unknown key" {
        Stream = "stream",
        Query = "query",
        Command = "command",
        Id = "id",
    }
}

keys! {
    /// A key of an item of a query.
    ItemKey: "unknown key" {
        Types = "types",
        Tags = "tags",
        Streams = "streams",
    }
}

keys! {
    /// A key of a condition.
    ConditionKey: "unknown key" {
        Versions = "versions",
        None = "none",
        After = "after",
    }
}

struct KeyVisitor<K> {
    named: fn(&str) -> Option<K>,
    all: &'static [&'static str],
    unknown: &'static str,
}

impl<K> Visitor<'_> for KeyVisitor<K> {
    type Value = K;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<K, E> {
        (self.named)(text).ok_or_else(|| {
            let meant = nearest(text, self.all)
                .map_or_else(String::new, |key| format!("; did you mean `{key}`?"));
            E::custom(format_args!(
                "{} `{}`{meant}",
                self.unknown,
                excerpt(text, QUOTED).escape_debug()
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_key_is_named_and_a_far_one_is_not() {
        assert_eq!(nearest("dat", Key::ALL), Some("data"));
        assert_eq!(nearest("typ", Key::ALL), Some("type"));
        assert_eq!(nearest("meta_data", Key::ALL), Some("metadata"));
        assert_eq!(nearest("payload", Key::ALL), None);
    }
}
