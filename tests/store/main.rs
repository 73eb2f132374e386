//! The conformance suite: what every engine's store does, in the words of the model.
//!
//! All of it is written over [`store`], so that another engine can run it whole. Nothing here
//! knows a file, a table or a process; what is about those is in `tests/invariants`.

#![allow(clippy::unwrap_used, reason = "where something is missing, a test shall fail")]

mod append;
mod backups;
mod batches;
mod decisions;
mod expectations;
mod followers;
mod ids;
mod oracle;
mod payloads;
mod permits;
mod projections;
mod property;
mod protection;
mod read;
mod redaction;
mod removal;
mod restores;
mod retention;
mod states;
mod streams;
mod subscriptions;
mod support;
mod time;
mod truncation;
mod units;

use ream::{Options, Store};

use support::Fresh;

/// A store without events, in a place of its own.
fn store() -> Fresh {
    let place = tempfile::tempdir().unwrap();
    let (store, created) = Store::init(&place.path().join("store"), &Options::default()).unwrap();
    assert!(created);
    Fresh { place, store }
}
