//! Tags: a set beside the payload, which is part of what an event is.

use ream::{
    Before, Error, Mark, Pattern, Position, Redaction, Removed, Retention, StreamName, Tags,
    Version,
};

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
    store.redact(&[Position(1)], "because", Redaction::default()).unwrap();
    assert_eq!(places(&store.append(&[with(&[])]).unwrap()), [(1, 1, true)]);
}

#[test]
fn a_redaction_takes_tags_where_it_is_told_to() {
    let mut store = store();
    let tagged = event("a", "T").build(|event| event.tags = tags(&["x"]));
    store.append(&[tagged.clone(), tagged, event("a", "T")]).unwrap();
    let of = |positions: [u64; 3]| positions.map(Position);
    let mut redaction = Redaction::default();
    store.redact(&of([1, 1, 3]), "because", redaction).unwrap();
    let found = everything(&store);
    assert_eq!((found[0].redacted, &found[0].tags), (true, &tags(&["x"])));
    // Of what is redacted already the tags are left, where it has some.
    redaction.takes_tags = true;
    let would = store.redactable(&of([1, 2, 3]), redaction).unwrap();
    let done = store.redact(&of([1, 2, 3]), "because", redaction).unwrap().removed;
    assert_eq!(done, would);
    let told: Vec<_> = done.iter().map(|one| (one.position.0, one.tags)).collect();
    assert_eq!(told, [(1, true), (2, true)]);
    assert!(everything(&store).iter().all(|event| event.tags.is_empty()));
    assert_eq!(store.redactable(&of([1, 2, 3]), redaction).unwrap(), []);
    store.check().unwrap();
}

#[test]
fn what_removes_events_counts_those_with_tags() {
    let mut store = store();
    let tagged = |name: &str| event(name, "T").build(|event| event.tags = tags(&["x", "y"]));
    store.append(&[tagged("a"), event("a", "T"), tagged("a"), event("b", "T")]).unwrap();
    let [a, b] = ["a", "b"].map(|name| name.parse::<StreamName>().unwrap());
    let names = [a.clone(), b];
    let counts = |removed: Vec<Removed>| -> Vec<(u64, u64)> {
        removed.iter().map(|one| (one.events, one.tagged)).collect()
    };
    assert_eq!(counts(store.removable(&names).unwrap()), [(3, 2), (1, 0)]);
    let before = |version| Before::Mark(Mark::Version(Version(version)));
    for (version, told) in [(2, (1, 1)), (3, (2, 1)), (4, (3, 2))] {
        let truncatable =
            store.truncatable(std::slice::from_ref(&a), before(version)).unwrap().remove(0);
        assert_eq!((truncatable.events, truncatable.tagged), told);
    }
    let retention = Retention { max_age: None, max_count: Some(1) };
    store.set_retention(&Pattern::new("a").unwrap(), retention).unwrap();
    let would = store.prunable(false).unwrap();
    assert_eq!((would[0].events, would[0].tagged), (2, 1));
    // Each is counted once.
    let pruned = store.prune(false).unwrap().removed;
    assert_eq!(pruned, would);
    assert_eq!(counts(store.remove(&names).unwrap().removed), [(1, 1), (1, 0)]);
}

#[test]
fn tags_go_with_the_event() {
    let mut store = store();
    let tagged = |name: &str| event(name, "T").build(|event| event.tags = tags(&["x"]));
    store.append(&[tagged("a"), tagged("b"), tagged("b")]).unwrap();
    store.remove(&["b".parse().unwrap()]).unwrap();
    assert_eq!(everything(&store).iter().filter(|event| !event.tags.is_empty()).count(), 1);
    store.check().unwrap();
}
