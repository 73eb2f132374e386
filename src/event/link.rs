//! What stands at a position of a log, and before it, in a few bytes.
//!
//! An event without an id of its own is known by its link and its position.

use std::fmt;
use std::str::FromStr;

use super::Position;

/// How many bytes a link has.
pub(crate) const LINK_BYTES: usize = 16;

/// An event's chain link: what stands at its position, and before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Link([u8; LINK_BYTES]);

impl Link {
    /// The bytes of the link.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The link with these bytes, where it can be one.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// Crockford's base32 (<https://www.crockford.com/base32.html>), in lower case.
pub(crate) const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// How many characters of base32 the first 64 bits of a link are.
pub(crate) const PREFIX_LENGTH: usize = 13;

impl Link {
    /// The first 64 bits of the link, in base32, highest bits first.
    pub(crate) fn prefix(&self) -> [u8; PREFIX_LENGTH] {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0[..8]);
        let mut rest = u64::from_be_bytes(first);
        let mut prefix = [0; PREFIX_LENGTH];
        for character in prefix.iter_mut().rev() {
            *character = BASE32[(rest % 32) as usize];
            rest /= 32;
        }
        prefix
    }

    /// The id of the event with this link that stands at `position` and has none of its own.
    pub(crate) fn event_id(&self, position: Position) -> String {
        format!("{}/{position}", String::from_utf8_lossy(&self.prefix()))
    }
}

/// The position in an id that is made of a link and a position, and the link's part of it; nothing where
/// the id is of another form.
pub(crate) fn position_in(id: &str) -> Option<(&str, Position)> {
    let (prefix, position) = id.split_once('/')?;
    let number: i64 = position.parse().ok()?;
    (prefix.len() == PREFIX_LENGTH && number > 0 && number.to_string() == position)
        .then(|| (prefix, Position(number.unsigned_abs())))
}

impl From<[u8; LINK_BYTES]> for Link {
    fn from(bytes: [u8; LINK_BYTES]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        // All at once: each commit writes one.
        let mut text = [0; 2 * LINK_BYTES];
        for (digits, byte) in text.chunks_exact_mut(2).zip(self.0) {
            digits[0] = DIGITS[usize::from(byte >> 4)];
            digits[1] = DIGITS[usize::from(byte & 0xf)];
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// Why a text is no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a link has 32 hexadecimal digits")]
pub struct LinkError;

impl FromStr for Link {
    type Err = LinkError;

    /// Reads what a link is shown as.
    fn from_str(text: &str) -> Result<Self, LinkError> {
        if text.len() != 2 * LINK_BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(LinkError);
        }
        let mut link = [0; LINK_BYTES];
        for (at, byte) in link.iter_mut().enumerate() {
            let digits = text.get(2 * at..2 * at + 2).ok_or(LinkError)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| LinkError)?;
        }
        Ok(Self(link))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bits_of_a_link_are_thirteen_characters() {
        let mut bytes = [0; LINK_BYTES];
        assert_eq!(&Link(bytes).prefix(), b"0000000000000");
        bytes[7] = 33;
        bytes[8] = 0xff;
        assert_eq!(&Link(bytes).prefix(), b"0000000000011");
        assert_eq!(&Link([0xff; LINK_BYTES]).prefix(), b"fzzzzzzzzzzzz");
        assert_eq!(Link(bytes).event_id(Position(1842)), "0000000000011/1842");
    }

    #[test]
    fn what_a_link_is_shown_as_is_read() {
        let link = Link([0xa5; LINK_BYTES]);
        assert_eq!(link.to_string().parse(), Ok(link));
        assert_eq!("A5".repeat(LINK_BYTES).parse(), Ok(link));
        for text in ["", "a5", &"a5".repeat(17), &"+5".repeat(16), &"é".repeat(16)] {
            assert_eq!(text.parse::<Link>(), Err(LinkError), "{text}");
        }
    }

    #[test]
    fn what_is_no_link_and_position_is_another_id() {
        let at = |position| Some(("0000000000011", Position(position)));
        assert_eq!(position_in("0000000000011/1842"), at(1842));
        assert_eq!(position_in("0000000000011/9223372036854775807"), at(i64::MAX as u64));
        for id in [
            "",
            "/",
            "a/1",
            "0000000000011",
            "0000000000011/",
            "0000000000011/0",
            "0000000000011/01",
            "0000000000011/+1",
            "0000000000011/-1",
            "0000000000011/1 ",
            "0000000000011/1/1",
            "0000000000011/9223372036854775808",
            "00000000000011/1",
        ] {
            assert_eq!(position_in(id), None, "{id}");
        }
    }
}
