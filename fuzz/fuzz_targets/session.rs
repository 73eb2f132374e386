//! Any bytes as what a client sends to a server.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ream_fuzz::session;

fuzz_target!(|bytes: &[u8]| {
    let _ = session::session(bytes);
});
