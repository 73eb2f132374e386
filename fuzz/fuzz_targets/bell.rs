//! Any bytes as the bell of a store.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ream_fuzz::files::Kept;

thread_local! {
    static KEPT: Kept = Kept::new();
}

fuzz_target!(|bytes: &[u8]| {
    let _ = KEPT.with(|kept| kept.bell(bytes));
});
