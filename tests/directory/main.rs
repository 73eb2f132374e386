//! What a store in a directory does beside what every engine's does: its files, backups, permits.

#![allow(clippy::unwrap_used, reason = "where something is missing, a test shall fail")]

mod backups;
mod files;
mod permits;
mod restores;
#[path = "../store/support.rs"]
#[allow(dead_code, reason = "the words of both suites")]
mod support;

use std::path::Path;

use ream::{Options, Store};

use support::Fresh;

/// A store without events, in a place of its own.
fn store() -> Fresh {
    let place = tempfile::tempdir().unwrap();
    let (store, created) = Store::init(&place.path().join("store"), &Options::default()).unwrap();
    assert!(created);
    Fresh { place: Some(place), store }
}

impl Fresh {
    /// The directory in which the store lies.
    fn home(&self) -> &Path {
        self.place.as_ref().unwrap().path()
    }
}
