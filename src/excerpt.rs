//! Excerpts: how much of a text that others wrote an error quotes, and how long it gets by that.

use std::borrow::Cow;

/// How much of a word an error quotes, in bytes.
pub(crate) const QUOTED: usize = 200;
/// How long the reason is that an error gives, in bytes.
pub(crate) const REASON: usize = 1000;

/// The text, or as much of its start as fits into `most` bytes with a sign that there is more.
pub(crate) fn excerpt(text: &str, most: usize) -> Cow<'_, str> {
    const MORE: &str = "…";
    if text.len() <= most {
        return text.into();
    }
    let mut end = most.saturating_sub(MORE.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{MORE}", &text[..end]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(excerpt("short", 5), "short");
        assert_eq!(excerpt("longer", 5), "lo…");
        for most in 3..30 {
            let cut = excerpt("é東𝄞é東𝄞é東𝄞é東𝄞", most);
            assert!(cut.len() <= most && cut.ends_with('…'), "{most}: {cut}");
        }
    }
}
