//! Tags: a set beside the payload, which is part of what an event is.

use ream::{Error, Position, Tags};

use crate::store;
use crate::support::{Build as _, event, everything, places};

fn tags(tags: &[&str]) -> Tags {
    Tags::new(tags).unwrap()
}

#[test]
fn an_event_has_its_tags_as_a_set() {
    let mut store = store();
    let tagged = event("a", "T").build(|event| event.tags = tags(&["x:2", "b", "x:1", "b"]));
    store.append(&[tagged, event("a", "T")]).unwrap();
    let found: Vec<Tags> = everything(&store).into_iter().map(|event| event.tags).collect();
    assert_eq!(found, [tags(&["b", "x:1", "x:2"]), Tags::default()]);
    let loaded = store.load(&"a".parse().unwrap()).unwrap();
    assert_eq!(loaded.events[0].tags, found[0]);
    store.check().unwrap();
}

#[test]
fn the_same_id_with_other_tags_is_another_event() {
    let mut store = store();
    let with = |of: &[&str]| event("a", "T").id("i").build(|event| event.tags = tags(of));
    store.append(&[with(&["x", "y"])]).unwrap();
    assert_eq!(places(&store.append(&[with(&["y", "x"])]).unwrap()), [(1, 1, true)]);
    for other in [&["x"][..], &["x", "y", "z"], &[]] {
        let refused = store.append(&[with(other)]).unwrap_err();
        assert!(matches!(refused, Error::IdReused { .. }), "{other:?}: {refused}");
    }
    // What was redacted can't be compared any more.
    store.redact(&[Position(1)], "because", false).unwrap();
    assert_eq!(places(&store.append(&[with(&[])]).unwrap()), [(1, 1, true)]);
}

#[test]
fn tags_go_with_the_event() {
    let mut store = store();
    let tagged = |name: &str| event(name, "T").build(|event| event.tags = tags(&["x"]));
    store.append(&[tagged("a"), tagged("b"), tagged("b")]).unwrap();
    store.redact(&[Position(1)], "because", false).unwrap();
    assert!(everything(&store)[0].tags.is_empty());
    store.remove(&["b".parse().unwrap()]).unwrap();
    assert_eq!(everything(&store)[1..].iter().filter(|event| !event.tags.is_empty()).count(), 0);
    store.check().unwrap();
}
