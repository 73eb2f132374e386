//! Any bytes as the line of a program's reply.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ream::Schema;
use ream_fuzz::{expression, lines};

static SCHEMA: LazyLock<Schema> = LazyLock::new(expression::schema);

fuzz_target!(|bytes: &[u8]| {
    let _ = lines::reply_line(bytes, &SCHEMA);
});
