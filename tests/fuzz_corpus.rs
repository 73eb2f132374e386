//! The seeds of the fuzz targets, without a fuzzer: `fuzz/seeds/TARGET` go through what the target of
//! that name goes through.

#![allow(clippy::unwrap_used, reason = "where something is missing, a test shall fail")]

#[allow(unreachable_pub, reason = "with the fuzzer it is a crate")]
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::{cell::RefCell, time::Duration};

use targets::expression::{self, Stored, Table};
use targets::files::Kept;
#[cfg(unix)]
use targets::http::Site;
#[cfg(unix)]
use targets::session::session;
use targets::{definition, lines};

fn place(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(of)
}

/// Has a target take each of its seeds: some are taken for what they are to be, and some are refused.
#[track_caller]
fn go_through(target: &str, take: impl Fn(&[u8]) -> bool) {
    let (mut taken, mut refused) = (0, 0);
    for entry in fs::read_dir(place("seeds").join(target)).unwrap() {
        let path = entry.unwrap().path();
        let seed = fs::read(&path).unwrap();
        let done = panic::catch_unwind(AssertUnwindSafe(|| take(&seed)));
        let done = done.unwrap_or_else(|_| panic!("{}", path.display()));
        *(if done { &mut taken } else { &mut refused }) += 1;
    }
    assert!(taken > 1 && refused > 1, "{target}: {taken} are taken, {refused} are refused");
}

/// The same for what is text.
#[track_caller]
fn go_through_text(target: &str, take: impl Fn(&str) -> bool) {
    go_through(target, |seed| std::str::from_utf8(seed).is_ok_and(&take));
}

#[test]
fn each_target_has_seeds() {
    let mut targets: Vec<String> = fs::read_dir(place("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        // It asks a store about expressions.
        .filter(|target| target != "check_and_lower")
        .collect();
    let mut seeds: Vec<String> = fs::read_dir(place("seeds"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    targets.sort();
    seeds.sort();
    assert_eq!(targets, seeds);
    let tested = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file!())).unwrap();
    for target in targets {
        assert!(tested.contains(&format!("(\"{target}\", ")), "{target} is in no test here");
    }
}

#[test]
fn lines_are_taken_or_refused() {
    go_through("event_line", lines::event_line);
    go_through("cloud_event", lines::cloud_event);
    go_through("command_line", lines::command_line);
    let schema = expression::schema();
    go_through("reply_line", |line| lines::reply_line(line, &schema));
}

#[cfg(unix)]
#[test]
fn sessions_are_the_same_however_they_are_cut() {
    go_through("session", session);
}

#[cfg(unix)]
#[test]
fn connections_of_http_are_answered_or_ended() {
    let site = RefCell::new(Site::new(Duration::from_millis(200)));
    go_through("http", |sent| site.borrow_mut().answers(sent));
}

#[test]
fn definitions_are_taken_or_refused() {
    go_through_text("definition", definition::definition);
}

#[test]
fn files_of_a_store_are_taken_or_refused() {
    let kept = Kept::new();
    go_through("marker", |marker| kept.marker(marker));
    let kept = Kept::new();
    go_through("bell", |bell| kept.bell(bell));
}

#[test]
fn expressions_are_taken_or_refused() {
    let (table, stored) = (Table::new(), Stored::new());
    go_through_text("expression", |text| table.parse(text));
    go_through_text("expression", |text| stored.check_and_lower(text));
}
