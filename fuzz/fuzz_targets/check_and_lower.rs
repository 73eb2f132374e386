//! Any text as a condition that a store is asked.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ream_fuzz::expression::Stored;

thread_local! {
    static STORED: Stored = Stored::new();
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = STORED.with(|stored| stored.check_and_lower(text));
    }
});
