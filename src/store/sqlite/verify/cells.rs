//! Whether events and the indexes that lead to them say the same, with one word for each event.
//!
//! An event adds what it says of itself to its word: its stream, its version, whether it is removed, its id,
//! its tags; and each entry of an index adds what it says of the event that it leads to. Whoever adds the same
//! thing a second time takes it out. So a word that is zero in the end says that both agree, in whatever order
//! they came, and no index has to be searched.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// How many events have a word at once: 128 MiB.
pub(super) const AT_ONCE: u64 = 1 << 24;

const STREAM: u64 = 1;
const ID: u64 = 2;
const TAG: u64 = 3;

/// A word for each of some events.
#[derive(Debug)]
pub(super) struct Cells {
    first: u64,
    words: Vec<AtomicU64>,
}

impl Cells {
    /// Words for the events at these positions, which are no more than [`AT_ONCE`].
    pub(super) fn new(positions: RangeInclusive<u64>) -> Self {
        let words = positions.clone().map(|_| AtomicU64::new(0)).collect();
        Self { first: *positions.start(), words }
    }

    /// No words: for who looks at each event by itself.
    pub(super) fn none() -> Self {
        Self { first: 1, words: Vec::new() }
    }

    /// Adds what is said of the event at `position`, where that has a word, or takes it out.
    pub(super) fn add(&self, position: u64, said: u64) {
        let word = position.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
        if let Some(word) = word.and_then(|at| self.words.get(at)) {
            word.fetch_xor(said, Ordering::Relaxed);
        }
    }

    /// The positions where not all say the same, and what is left there.
    pub(super) fn differing(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let words = self.words.iter().map(|word| word.load(Ordering::Relaxed));
        (self.first..).zip(words).filter(|(_, word)| *word != 0)
    }
}

/// The name of a stream, as it goes into what is said of its events.
pub(super) fn stream(name: &str) -> u64 {
    xxh3_64_with_seed(name.as_bytes(), STREAM)
}

/// That an event is this version of a stream, and whether it is removed.
pub(super) fn version(stream: u64, version: u64, removed: bool) -> u64 {
    mixed(stream.wrapping_add(version << 1 | u64::from(removed)))
}

/// That an event has this id.
pub(super) fn id(id: &str) -> u64 {
    xxh3_64_with_seed(id.as_bytes(), ID)
}

/// That an event has this tag.
pub(super) fn tag(tag: &str) -> u64 {
    xxh3_64_with_seed(tag.as_bytes(), TAG)
}

/// A number of which each bit hangs on each bit of `number`, other numbers giving others: the finalizer of
/// `SplitMix64` (<https://doi.org/10.1145/2714064.2660195>).
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_twice_is_agreed_on() {
        let cells = Cells::new(11..=13);
        let order = stream("order-1");
        for position in 10..=14 {
            cells.add(position, version(order, position, false));
        }
        assert_eq!(
            cells.differing().map(|(position, _)| position).collect::<Vec<_>>(),
            [11, 12, 13]
        );
        for position in 10..=14 {
            cells.add(position, version(order, position, position == 12));
        }
        let left = version(order, 12, false) ^ version(order, 12, true);
        assert_eq!(cells.differing().collect::<Vec<_>>(), [(12, left)]);
    }

    #[test]
    fn other_things_are_other_words() {
        let said = [
            version(stream("a"), 1, false),
            version(stream("a"), 1, true),
            version(stream("a"), 2, false),
            version(stream("b"), 1, false),
            id("a"),
            id("b"),
            tag("a"),
            tag("b"),
        ];
        let different: std::collections::HashSet<u64> = said.into_iter().collect();
        assert_eq!(different.len(), said.len());
    }
}
