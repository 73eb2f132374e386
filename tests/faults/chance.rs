//! Chance that is repeated by its seed, and how often something is done.

/// Numbers that look random (<https://prng.di.unimi.it/splitmix64.c>).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % most as u64).unwrap()
    }
}

/// The same numbers each time; `REAM_TEST_SEED` has others. A failure shows the seed.
pub(crate) fn seeded() -> (u64, Numbers) {
    let seed = std::env::var("REAM_TEST_SEED").map_or(1, |seed| seed.parse().unwrap());
    (seed, Numbers(seed))
}

/// How many, as the variable says, or so many.
pub(crate) fn how_many(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).map_or(otherwise, |count| count.parse().unwrap())
}
