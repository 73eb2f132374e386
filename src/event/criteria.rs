//! Criteria: which events are meant, by their streams, types and tags.

use std::collections::HashSet;

use super::{EventType, Pattern, Tags, TagsRef};

/// Which events are meant: those that one of the items chooses; all but those of reserved streams where there is no
/// item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Criteria {
    /// The items.
    pub items: Vec<Criterion>,
}

/// Which events an item chooses: those that are of one of the types, have all of the tags, and are of a stream that
/// one of the patterns matches. What is empty does not choose, but that no pattern leaves reserved streams out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Criterion {
    /// Events of these types; of every type where there is none.
    pub types: Vec<EventType>,
    /// Events with all of these tags.
    pub tags: Tags,
    /// Events of the streams that one of these matches; of every stream where there is none.
    pub streams: Vec<Pattern>,
}

impl Criterion {
    /// Whether every stream but the reserved ones is chosen.
    pub(crate) fn all_streams(&self) -> bool {
        self.streams.is_empty() || self.streams.iter().any(Pattern::is_all)
    }

    /// Whether nothing is said, so that all events but those of reserved streams are chosen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.types.is_empty() && self.tags.is_empty() && self.streams.is_empty()
    }
}

impl Criteria {
    /// The events that an item chooses.
    #[must_use]
    pub fn of(item: Criterion) -> Self {
        Self { items: if item.is_empty() { Vec::new() } else { vec![item] } }
    }

    /// The same in the one form that all have which are written with the same items, types, tags and patterns, in
    /// whatever order.
    #[must_use]
    pub fn canonical(&self) -> Self {
        let mut items = self.items.clone();
        for Criterion { types, streams, .. } in &mut items {
            types.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
            types.dedup();
            streams.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
            streams.dedup();
        }
        let parts = |item: &Criterion| {
            let types: Vec<String> = item.types.iter().map(ToString::to_string).collect();
            let streams: Vec<String> = item.streams.iter().map(ToString::to_string).collect();
            (types, item.tags.to_string(), streams)
        };
        items.sort_by_cached_key(parts);
        items.dedup();
        Self { items }
    }

    /// Whether an event of the stream `name` may be chosen.
    pub(crate) fn chooses_stream(&self, name: &str) -> bool {
        let chooses = |item: &Criterion| ChosenStreams::of(&item.streams).contains(name);
        if self.items.is_empty() { !is_reserved(name) } else { self.items.iter().any(chooses) }
    }
}

fn is_reserved(stream: &str) -> bool {
    stream.starts_with('$')
}

/// The streams that patterns choose. To ask for one takes as long for a thousand names as for one.
#[derive(Debug, Clone)]
pub(crate) struct ChosenStreams {
    /// Every one but the reserved ones.
    all: bool,
    /// Those that are named.
    exact: HashSet<Box<str>>,
    /// The patterns that choose the others.
    wide: Vec<Pattern>,
}

impl ChosenStreams {
    /// Those that `patterns` choose: every one but the reserved ones where there is none.
    pub(crate) fn of(patterns: &[Pattern]) -> Self {
        let (exact, wide): (Vec<_>, Vec<_>) =
            patterns.iter().cloned().partition(|pattern| pattern.exact().is_some());
        let exact = exact.iter().map(|pattern| pattern.as_str().into()).collect();
        Self { all: patterns.is_empty(), exact, wide }
    }

    /// Whether the stream `name` is one of them.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.all && !is_reserved(name)
            || !self.exact.is_empty() && self.exact.contains(name)
            || self.wide.iter().any(|pattern| pattern.matches(name))
    }
}

/// Chooses events by criteria.
#[derive(Debug, Clone)]
pub(crate) struct Chooser(Vec<Item>);

#[derive(Debug, Clone)]
struct Item {
    types: Vec<EventType>,
    tags: Tags,
    streams: ChosenStreams,
}

impl Item {
    /// Whether an event of a stream that is chosen is.
    fn takes(&self, event_type: &str, tags: TagsRef<'_>) -> bool {
        self.may_take(event_type) && tags.contain(self.tags.borrow())
    }

    /// The same of one whose tags are not known.
    fn may_take(&self, event_type: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|chosen| chosen.as_str() == event_type)
    }
}

impl Chooser {
    pub(crate) fn of(criteria: &Criteria) -> Self {
        let everything = [Criterion::default()];
        let items = if criteria.items.is_empty() { &everything } else { &criteria.items[..] };
        let item = |Criterion { types, tags, streams }: &Criterion| Item {
            types: types.clone(),
            tags: tags.clone(),
            streams: ChosenStreams::of(streams),
        };
        Self(items.iter().map(item).collect())
    }

    /// Which item chooses an event, the first one that does.
    #[inline]
    pub(crate) fn item(&self, stream: &str, event_type: &str, tags: TagsRef<'_>) -> Option<usize> {
        let takes = |item: &Item| item.streams.contains(stream) && item.takes(event_type, tags);
        self.0.iter().position(takes)
    }

    /// Whether an event of a stream that the first item chooses is chosen by that.
    #[inline]
    pub(crate) fn takes(&self, event_type: &str, tags: TagsRef<'_>) -> bool {
        self.0[0].takes(event_type, tags)
    }

    /// Whether an event may be chosen whose tags are not known.
    #[cfg(any(test, all(feature = "serve", unix)))]
    pub(crate) fn may_choose(&self, stream: &str, event_type: &str) -> bool {
        self.0.iter().any(|item| item.may_take(event_type) && item.streams.contains(stream))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn criterion(types: &[&str], tags: &[&str], streams: &[&str]) -> Criterion {
        Criterion {
            types: types.iter().map(|text| EventType::stored(text)).collect(),
            tags: Tags::new(tags).unwrap(),
            streams: streams.iter().map(|text| text.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn an_event_is_chosen_by_an_item_of_which_all_holds() {
        let criteria = Criteria {
            items: vec![
                criterion(&["T", "U"], &["a", "c"], &["s-*", "t"]),
                criterion(&["V"], &[], &[]),
                criterion(&[], &["d"], &["$ream"]),
            ],
        };
        let chooser = Chooser::of(&criteria);
        for (stream, event_type, tags, item) in [
            ("s-1", "T", "a b c", Some(0)),
            ("t", "U", "a c", Some(0)),
            ("t", "W", "a c", None),
            ("t", "T", "a b", None),
            ("u", "T", "a c", None),
            ("u", "V", "", Some(1)),
            ("$ream", "V", "", None),
            ("$ream", "V", "d", Some(2)),
        ] {
            let tags = TagsRef::stored((!tags.is_empty()).then_some(tags));
            assert_eq!(chooser.item(stream, event_type, tags), item, "{stream} {event_type}");
            let may = chooser.may_choose(stream, event_type);
            assert!(may || item.is_none(), "{stream} {event_type}");
        }
        assert!(criteria.chooses_stream("$ream") && criteria.chooses_stream("u"));
        assert!(!criteria.chooses_stream("$other"));
    }

    #[test]
    fn without_an_item_all_but_reserved_streams_are_chosen() {
        let chooser = Chooser::of(&Criteria::default());
        assert_eq!(chooser.item("s", "T", TagsRef::default()), Some(0));
        assert_eq!(chooser.item("$ream", "T", TagsRef::default()), None);
        assert!(chooser.may_choose("s", "T") && !chooser.may_choose("$ream", "T"));
        assert_eq!(Criteria::of(Criterion::default()), Criteria::default());
    }
}
