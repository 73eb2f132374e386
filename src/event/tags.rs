//! Tags: what an event is about besides its stream.

use std::fmt;

use super::name::{NameError, check_tag};

/// How many tags an event may have.
pub const MAX_TAGS: usize = 32;

/// Why texts are not an event's tags.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TagsError {
    /// One of them is no tag.
    #[error(transparent)]
    Tag(#[from] NameError),
    /// They are too many.
    #[error("an event has {MAX_TAGS} tags at most")]
    TooMany,
}

/// The tags of an event: a set of texts such as `course:c1`, by which events of several streams are found.
///
/// A tag has 1 to 128 bytes of UTF-8, no white space, no comma, no control character, and no `$` at the start; an
/// event has 32 at most. Everyone who reads the events reads their tags: do not put personal data into them.
///
/// ```
/// use ream::Tags;
///
/// let tags = Tags::new(["student:s7", "course:c1", "student:s7"])?;
/// assert_eq!(tags.iter().collect::<Vec<_>>(), ["course:c1", "student:s7"]);
/// # Ok::<(), ream::TagsError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Tags(Option<Box<str>>);

impl Tags {
    /// The set of these tags.
    ///
    /// # Errors
    ///
    /// [`TagsError`] says which rule is broken.
    pub fn new<T: AsRef<str>>(tags: impl IntoIterator<Item = T>) -> Result<Self, TagsError> {
        let mut sorted: Vec<T> = Vec::new();
        for tag in tags {
            check_tag(tag.as_ref())?;
            match sorted.binary_search_by(|known| known.as_ref().cmp(tag.as_ref())) {
                Ok(_) => {}
                Err(_) if sorted.len() == MAX_TAGS => return Err(TagsError::TooMany),
                Err(at) => sorted.insert(at, tag),
            }
        }
        let texts: Vec<&str> = sorted.iter().map(AsRef::as_ref).collect();
        Ok(Self((!texts.is_empty()).then(|| texts.join(" ").into())))
    }

    /// Those that the store gives out.
    pub(crate) fn stored(text: Option<&str>) -> Self {
        Self(text.map(Into::into))
    }

    /// The same tags, borrowed.
    #[must_use]
    pub fn borrow(&self) -> TagsRef<'_> {
        TagsRef(self.0.as_deref())
    }

    /// Each of them, in the order of their bytes.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.borrow().iter()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Display for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or_default())
    }
}

/// Borrowed [`Tags`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TagsRef<'a>(Option<&'a str>);

impl<'a> TagsRef<'a> {
    /// The tags that a row holds: sorted, with a space between two.
    pub(crate) fn stored(text: Option<&'a str>) -> Self {
        Self(text)
    }

    /// As a row holds them; nothing where there are none.
    pub(crate) fn text(self) -> Option<&'a str> {
        self.0
    }

    /// Each of them, in the order of their bytes.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        self.0.into_iter().flat_map(|text| text.split(' '))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0.is_none()
    }

    /// Whether all of `others` are among them.
    #[must_use]
    pub fn contain(self, others: TagsRef<'_>) -> bool {
        // Both are in order, so each is looked for behind the one before it.
        let mut own = self.iter();
        others.iter().all(|other| own.find(|tag| *tag >= other) == Some(other))
    }

    /// The tags with what they borrow.
    #[must_use]
    pub fn to_tags(self) -> Tags {
        Tags::stored(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_a_set_that_keeps_the_rules() {
        let what = "the tag";
        let refused = |tag: &str| match Tags::new([tag]) {
            Err(TagsError::Tag(error)) => error,
            other => panic!("{tag:?}: {other:?}"),
        };
        assert_eq!(refused(""), NameError::Empty { what });
        assert_eq!(refused(&"x".repeat(129)), NameError::TooLong { what, bytes: 129, most: 128 });
        assert_eq!(refused("$x"), NameError::Reserved { what });
        for (text, character) in
            [("a b", ' '), ("a,b", ','), ("a\u{3000}b", '\u{3000}'), ("a\nb", '\n'), ("a\0b", '\0')]
        {
            assert_eq!(refused(text), NameError::Forbidden { what, character, at: 2 });
        }
        for good in ["course:c1", "a=b", "*", "x$", "é", "\"", &"x".repeat(128)] {
            assert_eq!(Tags::new([good]).unwrap().to_string(), good);
        }
        let many = |many: usize| Tags::new((0..many).map(|number| format!("t{number}")));
        assert_eq!(many(33), Err(TagsError::TooMany));
        assert_eq!(many(32).unwrap().iter().count(), 32);
        assert_eq!(Tags::new(std::iter::repeat_n("a", 40)).unwrap().to_string(), "a");
        assert_eq!(Tags::new(["b", "a", "b"]), Tags::new(["a", "b"]));
        assert_eq!(Tags::new::<&str>([]), Ok(Tags::default()));
    }

    #[test]
    fn tags_contain_all_of_others_or_not() {
        for (tags, others, contain) in [
            (&["a", "b", "d"][..], &[][..], true),
            (&["a", "b", "d"], &["a", "d"], true),
            (&["a", "b", "d"], &["a", "b", "d"], true),
            (&["a", "b", "d"], &["c"], false),
            (&["a", "b", "d"], &["a", "e"], false),
            (&["ab"], &["a"], false),
            (&[], &["a"], false),
            (&[], &[], true),
        ] {
            let of = |tags: &[&str]| Tags::new(tags).unwrap();
            assert_eq!(
                of(tags).borrow().contain(of(others).borrow()),
                contain,
                "{tags:?} {others:?}"
            );
        }
    }
}
