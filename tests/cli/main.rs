//! `ream` as a program: what each command takes, says and ends with.
//!
//! A test has a directory of its own, an environment without a trace of who runs it, and reads as
//! a story: see `harness.rs`. What the store does in all its cases is in `tests/store`; what
//! processes and files do to it, in `tests/invariants`.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "where something is missing, a test shall fail")]

#[path = "../shared/commands.rs"]
mod commands;
mod harness;

mod append;
mod backup;
mod compact;
mod count;
mod decide;
mod doctor;
mod ends;
mod following;
mod help;
mod hints;
mod init;
mod log;
mod lost;
mod moving;
mod printable;
mod project;
mod read;
mod redact;
mod restore;
mod state;
mod status;
mod stream;
mod tail;
mod terminal;
mod trust;
mod unreported;
mod verify;
