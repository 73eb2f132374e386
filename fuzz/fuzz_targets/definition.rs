//! Any text as the definition of a projection.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ream_fuzz::definition;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = definition::definition(text);
    }
});
