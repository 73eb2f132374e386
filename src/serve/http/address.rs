//! Names in the addresses of requests.

use std::fmt::Write as _;

/// The parameter that may bring a token, where no header can.
pub(super) const ACCESS_TOKEN: &str = "access_token";

/// The address of what is called `name` below `path`: a name that an address would bend is a parameter.
pub(super) fn of(path: &str, name: &str) -> String {
    if matches!(name, "." | "..") || name.contains('/') {
        format!("{path}?stream={}", encoded(name))
    } else {
        format!("{path}/{}", encoded(name))
    }
}

/// A text as a part of an address.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~*@".contains(&byte) {
            encoded.push(byte.into());
        } else {
            // Writing into a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The text that a part of an address stands for, where it is one; in a parameter a `+` is a space.
pub(super) fn decoded(text: &str, is_parameter: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' if is_parameter => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_and_come_back() {
        assert_eq!(of("/streams", "order-42"), "/streams/order-42");
        assert_eq!(of("/streams", "a b?é"), "/streams/a%20b%3F%C3%A9");
        for (name, address) in
            [("..", "/x?stream=.."), (".", "/x?stream=."), ("a/b", "/x?stream=a%2Fb")]
        {
            assert_eq!(of("/x", name), address);
        }
        for text in ["a b?é", "100%", "a+b", "\0", "%2f"] {
            assert_eq!(decoded(&encoded(text), true).unwrap(), text);
            assert_eq!(decoded(&encoded(text), false).unwrap(), text);
        }
        assert_eq!(decoded("a+b", true).unwrap(), "a b");
        assert_eq!(decoded("a+b", false).unwrap(), "a+b");
        for wrong in ["%", "%2", "%zz", "%ff", "%c3%28"] {
            assert_eq!(decoded(wrong, true), None, "{wrong}");
        }
    }
}
