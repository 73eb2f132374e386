//! What may reach a terminal: text in which nothing acts on the terminal, and nothing is invisible.
//!
//! Control characters can move the cursor and color or forge lines; bidirectional marks show a text in
//! another order than it has; and two names that differ in an invisible character alone look the same.
//! All of these are shown as `\uXXXX`, which a JSON string may hold as well. There is no exception for
//! the joiners and variation selectors within emoji: each emoji of such a sequence is still shown, and a
//! name that has one more selector than another is seen to have it.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with control characters, bidirectional marks and invisible characters as `\uXXXX`; those
/// beyond U+FFFF as the two surrogates that JSON has for them.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_dangerous(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing into a string does not fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped.into()
}

/// The same for whole lines: an end of line stays. Bytes that are not UTF-8 are shown as U+FFFD.
pub(crate) fn escape_lines(bytes: &[u8]) -> Cow<'_, [u8]> {
    let text = String::from_utf8_lossy(bytes);
    if !text.chars().any(|character| character != '\n' && is_dangerous(character)) {
        return match text {
            Cow::Borrowed(_) => Cow::Borrowed(bytes),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
    }
    let lines: Vec<Cow<'_, str>> = text.split('\n').map(escape).collect();
    Cow::Owned(lines.join("\n").into_bytes())
}

/// Whether a terminal would act on the character or show nothing: controls, what Unicode calls
/// `Default_Ignorable_Code_Point` (which has the bidirectional marks), separators of lines, and marks of
/// annotations.
pub(crate) fn is_dangerous(character: char) -> bool {
    // Nearly all that is printed is ASCII.
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    matches!(character,
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_fool_a_terminal_is_escaped() {
        assert_eq!(escape("plain é 東京"), "plain é 東京");
        assert_eq!(
            escape("a\u{1b}[31m\u{202e}b\u{7f}\u{9b}"),
            "a\\u001b[31m\\u202eb\\u007f\\u009b"
        );
        assert_eq!(*escape_lines(b"a\n\x1bb\n"), *b"a\n\\u001bb\n");
    }

    #[test]
    fn what_is_invisible_is_escaped() {
        assert_eq!(escape("admin\u{200b}"), "admin\\u200b");
        assert_eq!(escape("\u{e0041}"), "\\udb40\\udc41");
        // Each emoji of a sequence stays.
        assert_eq!(escape("👩\u{200d}💻 ❤\u{fe0f}"), "👩\\u200d💻 ❤\\ufe0f");
    }

    #[test]
    fn what_is_cut_within_a_character_is_not_passed_on_as_it_is() {
        let text = "\u{1b}[2J東".as_bytes();
        let cut = &text[..text.len() - 1];
        assert_eq!(*escape_lines(cut), *"\\u001b[2J\u{fffd}".as_bytes());
        assert_eq!(*escape_lines(b"plain\xff"), *"plain\u{fffd}".as_bytes());
    }
}
