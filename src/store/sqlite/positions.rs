//! Positions of a stream's events, packed.
//!
//! A stream's positions are kept in pages of [`PAGE`], so that an append touches one small row of
//! its stream and no index of events: see `docs/stream-index.md`. Within a page each position is
//! the distance from the one before (the first from 0) as LEB128, seven bits a byte, low bits
//! first.

/// How many positions a page holds.
pub(super) const PAGE: u64 = 64;

/// Appends `position`, which follows the position `before` in its page (0 where it is the first).
pub(super) fn push(page: &mut Vec<u8>, before: u64, position: u64) {
    let mut rest = position.wrapping_sub(before);
    while rest >= 0x80 {
        // The low seven bits fit.
        page.push(u8::try_from(rest & 0x7f).unwrap_or_default() | 0x80);
        rest >>= 7;
    }
    page.push(u8::try_from(rest).unwrap_or_default());
}

/// The positions in a page, in order.
pub(super) fn unpack(page: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let mut position = 0_u64;
    let mut bytes = page.iter();
    std::iter::from_fn(move || {
        let (mut distance, mut shift) = (0_u64, 0);
        loop {
            let byte = *bytes.next()?;
            distance |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or_default();
            if byte & 0x80 == 0 {
                position = position.wrapping_add(distance);
                return Some(position);
            }
            shift += 7;
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(distances in prop::collection::vec(1..u64::MAX >> 8, 0..64)) {
            let positions: Vec<u64> = distances
                .iter()
                .scan(0, |position, distance| { *position += distance; Some(*position) })
                .collect();
            let mut page = Vec::new();
            let mut before = 0;
            for position in &positions {
                push(&mut page, before, *position);
                before = *position;
            }
            prop_assert_eq!(unpack(&page).collect::<Vec<_>>(), positions);
        }
    }

    #[test]
    fn neighbours_take_a_byte() {
        let mut page = Vec::new();
        push(&mut page, 0, 1_000_000);
        push(&mut page, 1_000_000, 1_000_001);
        assert_eq!(page.len(), 4);
    }
}
