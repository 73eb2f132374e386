//! Streams as they stand, and the store's vital signs.

use ream::{Error, Pattern, Stream};

use crate::store;
use crate::support::{Build as _, Fresh, event, numbered};

fn shop() -> Fresh {
    let mut store = store();
    for (name, count) in [("order-2", 2), ("order-10", 1), ("customer-1", 130), ("order", 1)] {
        store.append(&numbered(name, count)).unwrap();
    }
    store.append(&numbered("gone", 3)).unwrap();
    store.remove(&["gone".parse().unwrap()]).unwrap();
    store
}

fn names(streams: &[Stream]) -> Vec<&str> {
    streams.iter().map(|stream| stream.name.as_str()).collect()
}

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

#[test]
fn streams_are_listed_by_name_without_those_that_hold_nothing() {
    let store = shop();
    let all = store.streams(&Pattern::all(), None, 100).unwrap();
    assert_eq!(names(&all), ["customer-1", "order", "order-10", "order-2"]);
    let orders = store.streams(&pattern("order-*"), None, 100).unwrap();
    assert_eq!(names(&orders), ["order-10", "order-2"]);
    assert_eq!(names(&store.streams(&pattern("order"), None, 100).unwrap()), ["order"]);
    assert_eq!(
        names(&store.streams(&pattern("*1*"), None, 9).unwrap()),
        ["customer-1", "order-10"]
    );
    assert_eq!(store.streams(&pattern("gone"), None, 100).unwrap(), []);
    assert_eq!(store.streams(&pattern("nothing*"), None, 100).unwrap(), []);
    assert_eq!(names(&store.streams(&pattern("$ream"), None, 100).unwrap()), ["$ream"]);
}

#[test]
fn a_list_goes_on_behind_a_name() {
    let store = shop();
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = store.streams(&Pattern::all(), after.as_deref(), 1).unwrap();
        let Some(stream) = page.first() else { break };
        assert_eq!(page.len(), 1);
        found.push(stream.name.to_string());
        after = Some(stream.name.to_string());
    }
    assert_eq!(found, ["customer-1", "order", "order-10", "order-2"]);
    let behind = |after| store.streams(&pattern("order*"), Some(after), 9).unwrap();
    assert_eq!(names(&behind("order-1")), ["order-10", "order-2"]);
    assert_eq!(names(&behind("a")), ["order", "order-10", "order-2"]);
    assert_eq!(names(&behind("z")), [""; 0]);
    assert_eq!(store.streams(&pattern("order"), Some("order"), 9).unwrap(), []);
}

#[test]
fn a_stream_tells_its_version_events_and_last_position() {
    let mut store = shop();
    let stream = store.stream("customer-1").unwrap();
    assert_eq!(
        (stream.version.0, stream.events, stream.last_position.0, stream.protected),
        (130, 130, 133, false)
    );
    store.append(&[event("gone", "T")]).unwrap();
    let again = store.stream("gone").unwrap();
    assert_eq!((again.version.0, again.events, again.last_position.0), (4, 1, 139));
    assert_eq!(store.streams(&pattern("gone"), None, 9).unwrap(), [again]);
}

#[test]
fn a_stream_that_is_not_there_names_near_ones() {
    let store = shop();
    for (asked, expected) in
        [("ordr-2", Some("order-2")), ("custo", Some("customer-1")), ("zzzzzz", None)]
    {
        match store.stream(asked).unwrap_err() {
            Error::StreamNotFound { stream, near } => {
                assert_eq!(stream, asked);
                assert_eq!(near.first().map(String::as_str), expected, "{near:?}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(store.stream("gone"), Err(Error::StreamNotFound { .. })));
}

#[test]
fn the_status_counts_what_can_be_read() {
    let empty = store();
    let status = empty.status().unwrap();
    assert_eq!((status.head.0, status.events, status.streams), (0, 0, 0));
    assert_eq!((status.last_recorded, status.format), (None, 1));
    let store = shop();
    let status = store.status().unwrap();
    assert_eq!((status.head.0, status.events, status.streams), (138, 134, 4));
    assert!(status.last_recorded.is_some());
    assert_eq!(status.id, store.id());
    assert_ne!(status.id, empty.id());
    assert!(status.id.len() == 13, "{status:?}");
    assert!(!status.engine.is_empty() && !status.engine_version.is_empty());
    store.check().unwrap();
}

#[test]
fn a_store_keeps_its_id() {
    let mut store = store();
    store.append(&[event("s", "T").data("1")]).unwrap();
    let id = store.id().to_owned();
    let other = store.another();
    assert_eq!(other.id(), id);
}
