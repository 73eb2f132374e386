//! Files of a store that anything may have written: the marker, and the bell.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ream::{Options, Query, Store};
use tempfile::TempDir;

/// A store with three events, in which one file is anything.
pub struct Kept {
    store: PathBuf,
    _place: TempDir,
}

impl Kept {
    /// A new one.
    pub fn new() -> Self {
        let place = tempfile::tempdir().expect("there is room for a store");
        let store = place.path().join("store");
        let (mut made, _) = Store::init(&store, &Options::default()).expect("a store is made");
        let line = br#"{"stream":"s","type":"T"}"#;
        for _ in 0..3 {
            let event = ream::wire::parse_event(line).expect("it is an event");
            made.append(&[event]).expect("it is stored");
        }
        drop(made);
        Self { store, _place: place }
    }

    /// That a store with this marker is opened or refused; whether it is opened.
    pub fn marker(&self, marker: &[u8]) -> bool {
        fs::write(self.store.join("store"), marker).expect("it can be written");
        match Store::open(&self.store, &Options::default()) {
            Ok(store) => {
                assert!(u32::try_from(store.max_data_bytes()).is_ok());
                true
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                false
            }
        }
    }

    /// That a store with this bell gives its events, with a warning or without; whether without.
    pub fn bell(&self, bell: &[u8]) -> bool {
        fs::write(self.store.join("bell/bell"), bell).expect("it can be written");
        let warned = Arc::new(AtomicBool::new(false));
        let warns = Arc::clone(&warned);
        let mut options = Options::default();
        options.on_warning = Some(Arc::new(move |_| warns.store(true, Ordering::Relaxed)));
        let store = Store::open(&self.store, &options).expect("it is opened");
        let mut reader = store.read(&Query::default()).expect("it is read");
        let mut events = 0;
        while !reader.next_batch(|_| events += 1).expect("its events are there").caught_up {}
        assert_eq!(events, 3);
        !warned.load(Ordering::Relaxed)
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self::new()
    }
}
