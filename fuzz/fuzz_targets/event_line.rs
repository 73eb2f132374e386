//! Any bytes as the line of an event.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ream_fuzz::lines;

fuzz_target!(|bytes: &[u8]| {
    let _ = lines::event_line(bytes);
});
