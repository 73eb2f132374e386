//! Any bytes as a line that is a CloudEvent.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    let _ = ream_fuzz::lines::cloud_event(line);
});
