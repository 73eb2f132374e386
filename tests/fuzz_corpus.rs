//! The seeds of the fuzz targets, without a fuzzer.

#![allow(clippy::unwrap_used, reason = "where something is missing, a test shall fail")]

#[allow(unreachable_pub, reason = "with the fuzzer it is a crate")]
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use targets::{Stored, Table};

/// Each seed's name and text.
fn seeds() -> Vec<(String, String)> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let mut seeds: Vec<(String, String)> = fs::read_dir(place)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    seeds.sort();
    assert!(seeds.len() > 50, "{} seeds", seeds.len());
    seeds
}

/// What comes of a seed; its name where it panics.
#[track_caller]
fn passed(name: &str, run: impl FnOnce() -> bool) -> bool {
    let passed = panic::catch_unwind(AssertUnwindSafe(run));
    passed.unwrap_or_else(|_| panic!("seed {name}"))
}

#[test]
fn each_seed_is_told_of_rows_or_shown_where_it_is_wrong() {
    let table = Table::new();
    let mut right = 0;
    for (name, text) in seeds() {
        right += usize::from(passed(&name, || table.parse(&text)));
    }
    assert!(right > 20, "{right} are right");
}

#[test]
fn each_seed_that_passes_the_check_can_be_asked() {
    let stored = Stored::new();
    let mut asked = 0;
    for (name, text) in seeds() {
        asked += usize::from(passed(&name, || stored.check_and_lower(&text)));
    }
    assert!(asked > 20, "{asked} are asked");
}
