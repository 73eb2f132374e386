//! What has to hold for any bytes that come from elsewhere: a line, a file of a store, an expression.
//! `tests/fuzz_corpus.rs` has the seeds go through it without a fuzzer.

pub mod definition;
pub mod expression;
pub mod files;
#[cfg(unix)]
pub mod http;
pub mod lines;
#[cfg(unix)]
pub mod session;
