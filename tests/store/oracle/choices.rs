//! Numbers that decide what is made, so that what fails gets smaller with them.

use std::slice::Iter;

/// Numbers that are taken one by one; behind the last one all are zero, which makes the simplest.
pub(super) struct Choices<'c>(Iter<'c, u16>);

impl<'c> Choices<'c> {
    pub(super) fn new(numbers: &'c [u16]) -> Self {
        Self(numbers.iter())
    }

    fn number(&mut self) -> u16 {
        self.0.next().copied().unwrap_or_default()
    }

    /// A number below `count`.
    pub(super) fn below(&mut self, count: usize) -> usize {
        self.number() as usize % count
    }

    pub(super) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// True once in `count` times.
    pub(super) fn once_in(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }

    /// Any number of 64 bits.
    pub(super) fn wide(&mut self) -> i64 {
        (0..4).fold(0, |number, _| number << 16 | i64::from(self.number()))
    }
}
