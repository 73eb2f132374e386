//! What is read costs what it is, and not what stands before it or in it.

use ream::{Follower, NewSubscription, Pattern, Position, Query};
use rusqlite::Connection;

use crate::support::{Home, numbered, sized, text_of, traced};

/// A store with a stream of twelve full pages of positions.
fn long() -> Home {
    Home::with(64 * 12)
}

/// Has some pages of where the stream's events stand be none that ream wrote.
fn damage(home: &Home, pages: &str) {
    let database = Connection::open(home.file("db")).unwrap();
    database.pragma_update(None, "busy_timeout", 5000).unwrap();
    let update = format!("UPDATE stream_pages SET sum = sum + 1 WHERE page {pages}");
    assert!(database.execute(&update, []).unwrap() > 0);
}

fn of(pattern: &str) -> Query {
    Query::of(vec![Pattern::new(pattern).unwrap()])
}

#[test]
fn a_stream_is_read_from_the_page_on_where_it_begins() {
    let home = long();
    damage(&home, "< 5");
    let read = home.run(&["read", "s", "--after", "700"]).done();
    assert_eq!(read.lines().count(), 68);
    let refused = home.run(&["read", "s"]);
    assert!(refused.stderr.contains("the versions 1 to 64"), "{refused:#?}");
}

#[test]
fn a_follower_reads_no_page_that_it_has_read() {
    let home = long();
    let mut store = home.open();
    let mut follower = Follower::new(&store, &of("s")).unwrap();
    let mut seen = 0;
    while !follower.next_batch(|_| seen += 1).unwrap().caught_up {}
    damage(&home, "< 12");
    for _ in 0..3 {
        store.append(&numbered("s", 1)).unwrap();
        while !follower.next_batch(|_| seen += 1).unwrap().caught_up {}
    }
    assert_eq!(seen, 64 * 12 + 3);
}

/// How many pages a command reads of the database.
fn pages(home: &Home, args: &[&str]) -> usize {
    let calls = traced(home, "pread64", args);
    calls.iter().filter(|call| call.on("db") || call.on("db-wal")).count()
}

#[test]
fn how_far_behind_something_is_is_found_without_the_data() {
    let home = Home::new();
    let mut store = home.open();
    let new = NewSubscription::of("mail".parse().unwrap(), vec![]);
    store.subscribe(&new, Position(0)).unwrap();
    for _ in 0..20 {
        store.append(&[sized("s", &text_of(400_000))]).unwrap();
    }
    let shown = home.run(&["subscription", "show", "mail"]).done();
    assert!(shown.contains("\"lag\":20"), "{shown}");
    // The data of one event fills a hundred pages.
    let read = pages(&home, &["subscription", "show", "mail"]);
    assert!(read < 200, "{read}");
}
