//! Batches that repeat what is stored, in part or as a whole, and batches that stop.

use ream::{Error, Expect, NewEvent, Stopped, Store};

use crate::store;
use crate::support::{Build as _, at, conflict, event, everything, head, places};

fn batch(ids: &[&str]) -> Vec<NewEvent> {
    ids.iter().map(|id| event(&format!("s-{id}"), "T").data("[]").id(id)).collect()
}

/// That an atomic append of `events` is refused as partly stored: how many are, and the first.
#[track_caller]
fn partly(store: &mut Store, events: &[NewEvent]) -> (usize, String, u64) {
    let before = everything(store);
    let all = store.append_all(events).unwrap();
    assert_eq!(all.appended, []);
    let Stopped { index, error, .. } = all.stopped.unwrap();
    assert_eq!(everything(store), before, "something was stored");
    match error {
        Error::PartlyDuplicate { duplicates, events: count, id, position, .. } => {
            assert_eq!(count, events.len());
            assert_eq!(events[index].id.as_ref().unwrap().as_str(), id);
            (duplicates, id, position.0)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_atomic_batch_that_is_repeated_whole_answers_with_the_first() {
    let mut store = store();
    let first: Vec<NewEvent> =
        batch(&["a", "b", "c"]).into_iter().map(|event| event.expect(Expect::NoStream)).collect();
    store.append(&first).unwrap();
    assert_eq!(places(&store.append(&first).unwrap()), [(1, 1, true), (2, 1, true), (3, 1, true)]);
    // A part of it is a whole of its own, in whatever order.
    assert_eq!(places(&store.append(&batch(&["c", "a"])).unwrap()), [(3, 1, true), (1, 1, true)]);
    assert_eq!(head(&store), 3);
}

#[test]
fn an_atomic_batch_that_is_stored_in_part_is_refused_whole() {
    let mut store = store();
    store.append(&batch(&["a", "b"])).unwrap();
    assert_eq!(partly(&mut store, &batch(&["a", "b", "c"])), (2, "a".into(), 1));
    assert_eq!(partly(&mut store, &batch(&["c", "b", "d"])), (1, "b".into(), 2));
    let mut with_a_conflict = batch(&["a", "c"]);
    with_a_conflict[1].expect = at(7);
    assert_eq!(partly(&mut store, &with_a_conflict).1, "a");
    // Without an id, an event is never stored already.
    let nameless = [batch(&["b"]).remove(0), event("s-b", "T").data("[]")];
    assert_eq!(partly(&mut store, &nameless), (1, "b".into(), 2));
}

#[test]
fn an_atomic_batch_stored_in_part_and_removed_since_is_refused_too() {
    let mut store = store();
    store.append(&batch(&["a"])).unwrap();
    store.remove(&["s-a".parse().unwrap()]).unwrap();
    assert_eq!(partly(&mut store, &batch(&["a", "b"])), (1, "a".into(), 1));
}

#[test]
fn a_streamed_batch_stores_what_is_new_of_it() {
    let mut store = store();
    store.append(&batch(&["b"])).unwrap();
    let each = store.append_each(&batch(&["a", "b", "c", "b"])).unwrap();
    assert!(each.stopped.is_none());
    assert_eq!(places(&each.appended), [(2, 1, false), (1, 1, true), (3, 1, false), (1, 1, true)]);
}

#[test]
fn an_id_twice_in_a_streamed_batch_is_one_event() {
    let mut store = store();
    let each = store.append_each(&batch(&["a", "a", "b", "a"])).unwrap();
    assert_eq!(places(&each.appended), [(1, 1, false), (1, 1, true), (2, 1, false), (1, 1, true)]);
    assert_eq!(head(&store), 2);
    let other = [batch(&["x"]).remove(0), event("s-x", "Other").id("x")];
    let stopped = store.append_each(&other).unwrap().stopped.unwrap();
    assert_eq!(stopped.index, 1);
    assert!(matches!(stopped.error, Error::IdReused { .. }), "{:?}", stopped.error);
    assert_eq!(head(&store), 3);
}

#[test]
fn an_id_twice_in_an_atomic_batch_stores_nothing() {
    let mut store = store();
    let refused = |store: &mut Store, events: &[NewEvent]| {
        let stopped = store.append_all(events).unwrap().stopped.unwrap();
        match stopped.error {
            Error::SameId { id, first, second } => {
                assert_eq!((stopped.index + 1, &*id), (second, "a"));
                (first, second)
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&mut store, &batch(&["a", "b", "a"])), (1, 3));
    let other = [batch(&["x", "a"]), vec![event("s-x", "Other").id("a")]].concat();
    assert_eq!(refused(&mut store, &other), (2, 3));
    assert_eq!(head(&store), 0);
    // Nor where it is stored already: it was never stored as a whole.
    store.append(&batch(&["a"])).unwrap();
    assert_eq!(refused(&mut store, &batch(&["a", "a"])), (1, 2));
    assert_eq!(head(&store), 1);
    assert_eq!(store.append(&batch(&["x", "b"])).unwrap().len(), 2);
}

#[test]
fn a_derived_id_finds_the_event_that_it_was_derived_from() {
    let mut store = store();
    store.append(&[event("s", "T")]).unwrap();
    let derived = everything(&store).remove(0).id;
    let events = [event("s", "T").id(&derived), event("s", "T"), event("s", "T").id(&derived)];
    let each = store.append_each(&events).unwrap();
    assert_eq!(places(&each.appended), [(1, 1, true), (2, 2, false), (1, 1, true)]);
}

#[test]
fn a_streamed_batch_stops_at_the_first_event_that_is_refused() {
    let too_large = vec![0; store().max_data_bytes() + 1];
    for (why, bad) in [
        ("expectation", event("s", "T").expect(at(9))),
        ("size", event("s", "T").bytes(&too_large)),
        ("time", event("s", "T").time(ream::Timestamp::MAX.as_micros())),
        ("id", event("s", "T").id("taken")),
    ] {
        let mut store = store();
        store.append(&[event("other", "T").id("taken")]).unwrap();
        let events = [event("s", "T"), event("s", "T"), bad, event("s", "T")];
        let each = store.append_each(&events).unwrap();
        assert_eq!(places(&each.appended), [(2, 1, false), (3, 2, false)], "{why}");
        assert_eq!(each.stopped.unwrap().index, 2, "{why}");
        assert_eq!(head(&store), 3, "{why}");

        let all = store.append_all(&events).unwrap();
        assert_eq!((all.appended.len(), all.stopped.unwrap().index), (0, 2), "{why}");
        assert_eq!(head(&store), 3, "{why}");
    }
}

#[test]
fn the_first_of_several_failures_is_the_one_that_is_told() {
    let mut store = store();
    let too_large = vec![0; store.max_data_bytes() + 1];
    let events =
        [event("s", "T").expect(at(9)), event("s", "T").bytes(&too_large), event("s", "T")];
    let stopped = store.append_each(&events).unwrap().stopped.unwrap();
    assert_eq!((stopped.index, conflict(&stopped.error)), (0, (at(9), 0, false)));
}
