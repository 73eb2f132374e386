//! What is done again and again costs no more than what it is about: waiting does not count a store's
//! streams.

use ream::NewEvent;

use crate::support::{Home, calls, ended};

/// A store of so many streams that their table does not fit into SQLite's cache.
fn large() -> Home {
    let home = Home::new();
    let event = |number: u32| {
        NewEvent::new(format!("s-{number:0>150}").parse().unwrap(), "T".parse().unwrap())
    };
    home.open().append(&(0..20_000).map(event).collect::<Vec<_>>()).unwrap();
    home
}

#[test]
fn to_wait_for_a_projection_reads_as_little_in_a_large_store() {
    let home = large();
    home.run(&["project", "create", "made", "id:integer:key"]).done();
    let strace = ["strace", "-f", "-y", "-e", "trace=read,pread64", "-e", "signal=none"];
    let select = ["project", "select", "made", "--at-least", "20001", "--wait", "1s"];
    let waited = ended(&mut home.wrapped(&strace, &select));
    assert_eq!(waited.code, Some(10), "{waited:#?}");
    let lines: Vec<String> = waited.stderr.lines().map(str::to_owned).collect();
    let reads = calls(&lines).iter().filter(|call| call.is(&["read", "pread64"])).count();
    assert!((10..300).contains(&reads), "{reads}");
}
