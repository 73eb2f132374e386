//! Compaction: room is given back, and nothing else is different, wherever it ends.

use rusqlite::Connection;
use rusqlite::types::Value;

use serde_json::Value as Json;

use crate::support::{Home, killed_at_calls, sized, text_of};
use crate::verified::{found, rows};

/// A store in which `events` events of 300 bytes are in turn of ten streams, of which four are removed.
fn with_gaps(events: usize) -> Home {
    let home = Home::new();
    let data = text_of(300);
    let all: Vec<_> = (0..events)
        .map(|number| {
            let mut event = sized(&format!("s-{}", number % 10), &data);
            if number % 7 == 0 {
                event.id = Some(format!("id-{number}").parse().unwrap());
            }
            event
        })
        .collect();
    home.open().append(&all).unwrap();
    home.run(&["stream", "rm", "s-1", "s-4", "s-6", "s-9", "--yes"]).done();
    home
}

/// What a command said.
fn json(said: &str) -> Json {
    serde_json::from_str(said).unwrap()
}

/// What the store holds, but for the words of SQLite.
fn held(home: &Home) -> Vec<Vec<Value>> {
    rows(&home.store()).unwrap()
}

#[test]
fn what_removals_left_is_given_back_and_all_else_stays_as_it_was() {
    let home = with_gaps(6000);
    let (before, length) = (held(&home), home.length("db"));
    let told = json(&home.run(&["compact"]).done());
    assert_eq!(told["shrunk"], true, "{told}");
    assert_eq!(told["packed"], 2400, "{told}");
    let bytes = told["bytes"].as_u64().unwrap();
    assert_eq!((bytes, home.length("db-wal") < 50_000), (home.length("db"), true), "{told}");
    // Four of ten events have some 80 bytes left of some 400.
    assert!(bytes < length * 8 / 10, "{length} {told}");
    assert_eq!(held(&home), before);
    assert_eq!(found(&home.store()), []);
    // A second time there is hardly anything to gain.
    let again = json(&home.run(&["compact"]).done());
    assert!(again["gained_bytes"].as_u64().unwrap() < bytes / 20, "{again}");
    assert_eq!(home.append("s-1"), 6005);
}

#[test]
fn a_reader_in_the_way_keeps_the_file_as_long_as_it_was_and_nothing_else() {
    let home = with_gaps(6000);
    let length = home.length("db");
    let reader = Connection::open(home.file("db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM events").unwrap();
    let told = home.run(&["compact", "--lock-timeout", "100ms"]);
    assert!(told.stderr.contains("warning: the file is as long as it was"), "{told:#?}");
    let told = json(&told.stdout);
    assert_eq!((&told["shrunk"], home.length("db") >= length), (&false.into(), true), "{told}");
    reader.execute_batch("COMMIT").unwrap();
    drop(reader);
    home.append("s-1");
    assert_eq!(home.length("db"), told["bytes"].as_u64().unwrap());
    assert_eq!(found(&home.store()), []);
}

#[test]
fn one_that_is_killed_leaves_a_whole_store_and_can_be_run_again() {
    let home = with_gaps(400);
    let before = held(&home);
    let mut kills = 0;
    killed_at_calls(&home, "fdatasync,fsync,ftruncate", &["compact"], |home, _, place| {
        kills += 1;
        assert_eq!(held(home), before, "{place}");
        let told = json(&home.run(&["compact"]).done());
        assert_eq!(told["shrunk"], true, "{place}: {told}");
        assert_eq!(held(home), before, "{place}");
        assert_eq!(found(&home.store()), [], "{place}");
    });
    assert!(kills > 8, "{kills}");
}
