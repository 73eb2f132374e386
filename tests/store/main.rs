//! The conformance suite: what every engine's store does, in the words of the model.
//!
//! All of it is written over [`store`], and runs whole on each engine: `REAM_TEST_ENGINE` says which, `sqlite` where
//! it does not, or `memory`. Nothing here knows a file, a table or a process; what is about those is in
//! `tests/directory` and `tests/invariants`.

#![allow(clippy::unwrap_used, reason = "where something is missing, a test shall fail")]

mod append;
mod batches;
mod boundaries;
mod conditions;
mod decisions;
mod expectations;
mod followers;
mod ids;
mod oracle;
mod payloads;
mod projections;
mod property;
mod protection;
mod read;
mod redaction;
mod removal;
mod retention;
mod states;
mod streams;
mod subscriptions;
mod support;
mod tags;
mod time;
mod truncation;
mod units;

use ream::{Options, Store};

use support::Fresh;

/// A store without events.
fn store() -> Fresh {
    let options = Options::default();
    match std::env::var("REAM_TEST_ENGINE").as_deref() {
        Ok("memory") => Fresh { place: None, store: Store::in_memory(&options).unwrap() },
        Ok("sqlite") | Err(_) => {
            let place = tempfile::tempdir().unwrap();
            let (store, created) = Store::init(&place.path().join("store"), &options).unwrap();
            assert!(created);
            Fresh { place: Some(place), store }
        }
        Ok(other) => panic!("REAM_TEST_ENGINE is sqlite or memory, not {other}"),
    }
}
