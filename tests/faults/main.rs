//! The faults: kills, failing calls, power losses, flipped bits and a storm of all at once, in runs that are long
//! or by chance, each repeatable by its seed.
//!
//! Each test here was seen to fail when the remedy that it watches was taken out. They need what `tests/invariants`
//! need; a plain `cargo test` leaves them out. `.ci/run` runs them, as
//! `cargo test --features faults --test faults` does.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "where something is missing, a test shall fail")]
#![allow(clippy::format_collect, reason = "inputs are small, and read as what they are")]
#![allow(clippy::print_stdout, reason = "a long run says how much it did")]

mod backups;
mod chance;
mod compacted;
mod flipped;
mod injected;
mod limited;
mod power;
mod storm;
#[expect(dead_code, unused_imports, reason = "the invariants use the rest of it")]
#[path = "../shared/support.rs"]
mod support;
mod verified;
mod wakeups;
