//! Any text as a condition and as assignments.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ream_fuzz::expression::Table;

static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = TABLE.parse(text);
    }
});
