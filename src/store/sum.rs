//! The sum in each row: what is read is what was written.
//!
//! It is XXH3-64 (<https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>) with the seed 0 over the
//! columns that a read fetches, as fields (`hash`), kept as a signed integer. It is no proof against who
//! means to deceive; the chain is.

use std::cell::RefCell;

use xxhash_rust::xxh3::xxh3_64;

use super::hash::Fields;

/// How much room is kept for the next row, in bytes.
const KEPT: usize = 1 << 20;

thread_local! {
    /// Where the fields of a row are gathered.
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The sum of the fields that `write` writes.
#[inline]
pub(crate) fn sum(write: impl FnOnce(&mut Fields<&mut Vec<u8>>)) -> i64 {
    ROOM.with_borrow_mut(|room| {
        room.clear();
        room.shrink_to(KEPT);
        write(&mut Fields(room));
        xxh3_64(room).cast_signed()
    })
}
