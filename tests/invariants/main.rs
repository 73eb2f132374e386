//! The invariants: what processes, files and SQLite do to a store, and what it does about it.
//!
//! Each test here was seen to fail when the remedy that it watches was taken out. What a store
//! does whatever keeps it is in `tests/store`.
//!
//! The tests need Linux, root (they change owners and mount file systems), `strace`, `setpriv`,
//! `sqlite3`, `jq`, `mount`, loop devices and `mkfs.ext4`; a plain `cargo test` leaves them out.
//! `.ci/run` installs what they need and runs them, as
//! `cargo test --features faults --test invariants` does; without the feature those are left out
//! that switch remedies off. Long runs of faults, and of all at once, are in `tests/faults`.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "where something is missing, a test shall fail")]
#![allow(clippy::format_collect, reason = "inputs are small, and read as what they are")]

mod acks;
mod bell;
mod boundaries;
mod chain;
mod changes;
mod commit;
mod copies;
mod damage;
mod decimals;
mod durability;
mod erasure;
mod failed_syncs;
mod fence;
mod files;
mod flips;
mod followers;
mod following;
mod foreign;
mod kills;
mod limits;
mod log;
mod looks;
mod making;
mod owners;
mod pages;
mod permits;
mod pipes;
mod place;
mod positions;
mod programs;
mod projections;
mod queue;
mod reading;
mod replaced;
mod room;
mod serving;
mod settling;
mod states;
#[expect(unused_imports, reason = "the faults use the rest of it")]
#[path = "../shared/support.rs"]
mod support;
