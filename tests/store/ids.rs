//! Idempotency: an id is unique in the store, kept for ever, and looked up before anything else.

use ream::{Data, Error, Expect, Json, NewEvent, Query, Store};

use crate::store;
use crate::support::{Build as _, at, event, everything, head, places, read};

fn paid() -> NewEvent {
    event("order-1", "Paid").data(r#"{"n":1.0}"#).metadata(r#"{"by":"ann"}"#).id("pay-1")
}

#[track_caller]
fn reused(store: &mut Store, event: NewEvent) {
    match store.append(&[event]).unwrap_err() {
        Error::IdReused { position, version, .. } => assert_eq!((position.0, version.0), (1, 1)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_repeated_id_answers_with_the_first_append_whatever_is_expected() {
    let mut store = store();
    store.append(&[paid().expect(Expect::NoStream)]).unwrap();
    store.append(&[event("order-1", "Shipped")]).unwrap();
    for expect in [Expect::Any, Expect::NoStream, Expect::Exists, at(0), at(1), at(99)] {
        let again = [paid().expect(expect)];
        assert_eq!(places(&store.append(&again).unwrap()), [(1, 1, true)], "{expect}");
        let each = store.append_each(&again).unwrap();
        assert!(each.stopped.is_none());
        assert_eq!(places(&each.appended), [(1, 1, true)], "{expect}");
    }
    assert_eq!(head(&store), 2);
}

#[test]
fn an_id_with_other_content_is_refused_before_its_expectation_is_looked_at() {
    let mut store = store();
    store.append(&[paid()]).unwrap();
    for other in [
        event("order-2", "Paid").data(r#"{"n":1.0}"#).metadata(r#"{"by":"ann"}"#).id("pay-1"),
        event("order-1", "Payed").data(r#"{"n":1.0}"#).metadata(r#"{"by":"ann"}"#).id("pay-1"),
        paid().data(r#"{"n":1.00}"#),
        paid().bytes(br#"{"n":1.0}"#),
        paid().metadata(r#"{"by":"bob"}"#),
        paid().build(|event| event.metadata = None),
    ] {
        reused(&mut store, other.clone());
        reused(&mut store, other.expect(at(99)));
    }
    assert_eq!(head(&store), 1);
}

#[test]
fn white_space_and_another_time_make_no_other_content() {
    let mut store = store();
    store.append(&[paid()]).unwrap();
    for same in [paid().data("{ \"n\" : 1.0 }"), paid().time(1)] {
        assert_eq!(places(&store.append(&[same]).unwrap()), [(1, 1, true)]);
    }
}

#[test]
fn an_id_that_is_not_text_alone_comes_back_as_it_was() {
    let mut store = store();
    let ids = ["a", "A", "a ~ b", "🦀/1", "$x*", "0000000000000/1", &"x".repeat(255)];
    for id in ids {
        store.append(&[event("s", "T").id(id)]).unwrap();
    }
    let found: Vec<String> = everything(&store).into_iter().map(|event| event.id).collect();
    assert_eq!(found, ids);
    for (index, id) in (1..).zip(ids) {
        let again = store.append(&[event("s", "T").id(id)]).unwrap();
        assert_eq!(places(&again), [(index, index, true)], "{id}");
    }
}

#[test]
fn the_id_of_a_removed_event_stays_spent() {
    let mut store = store();
    store.append(&[paid(), event("order-1", "Shipped")]).unwrap();
    let derived = everything(&store).remove(1).id;
    store.remove(&["order-1".parse().unwrap()]).unwrap();
    // What was erased can't be compared any more.
    for again in [paid(), paid().data("2"), paid().expect(at(77))] {
        let appended = store.append(&[again]).unwrap();
        assert_eq!(places(&appended), [(1, 1, true)]);
        assert!(appended[0].removed);
    }
    let appended = store.append(&[event("order-1", "Shipped").id(&derived)]).unwrap();
    assert_eq!(places(&appended), [(2, 2, true)]);
    assert!(appended[0].removed);
    reused(&mut store, event("order-2", "Paid").id("pay-1"));
    assert_eq!(head(&store), 3);
}

#[test]
fn an_event_without_an_id_is_known_by_store_and_position() {
    let mut store = store();
    store.append(&[event("s", "T").data("1"), event("s", "T").data("2").id("own")]).unwrap();
    let ids: Vec<String> = everything(&store).into_iter().map(|event| event.id).collect();
    let (link, position) = ids[0].split_once('/').unwrap();
    assert_eq!((link.len(), position, &*ids[1]), (13, "1", "own"));
    let again = event("s", "T").data("1").id(&ids[0]);
    assert_eq!(places(&store.append(&[again.clone().expect(at(5))]).unwrap()), [(1, 1, true)]);
    reused(&mut store, again.data("2"));
    assert_eq!(head(&store), 2);
}

#[test]
fn an_id_that_is_not_made_of_the_link_there_is_an_id_like_any_other() {
    let mut store = store();
    store.append(&[event("s", "T"), event("s", "T").id("own")]).unwrap();
    let ids: Vec<String> = everything(&store).into_iter().map(|event| event.id).collect();
    let (prefix, _) = ids[0].split_once('/').unwrap();
    let others = ["0", "2", "3", "01", "+1", "-1", "1 x", "x", "1/1", "9223372036854775807", "１"]
        .map(|rest| format!("{prefix}/{rest}"));
    for id in others.into_iter().chain(["0000000000000/1".into(), format!("{prefix}x/1")]) {
        assert!(!store.append(&[event("s", "T").id(&id)]).unwrap()[0].duplicate, "{id}");
        // And is spent, as any is.
        assert!(store.append(&[event("s", "T").id(&id)]).unwrap()[0].duplicate, "{id}");
        let other = store.append(&[event("s", "U").id(&id)]);
        assert!(matches!(other, Err(Error::IdReused { .. })), "{id}: {other:?}");
    }
}

/// What `ream read | ream append --jsonl -` does.
fn copies(from: &Store) -> Vec<NewEvent> {
    let copy = |event: ream::Event| {
        let mut copy = NewEvent::new(event.stream, event.event_type);
        copy.id = Some(event.id.parse().unwrap());
        copy.time = Some(event.time);
        copy.data = event.data;
        copy.metadata = event.metadata;
        copy
    };
    read(from, &Query::default()).into_iter().map(copy).collect()
}

#[test]
fn a_store_copied_into_another_is_copied_once() {
    let mut from = store();
    from.append(&[
        event("a", "T").data("[1,  2]").time(5),
        event("b", "T").bytes(b"\0").id("own"),
        event("a", "U").metadata("{}"),
    ])
    .unwrap();
    let mut to = store();
    to.append(&[event("z", "T")]).unwrap();
    let new = [(2, 1, false), (3, 1, false), (4, 2, false)];
    assert_eq!(places(&to.append_each(&copies(&from)).unwrap().appended), new);
    from.append(&[event("b", "T")]).unwrap();
    for more in [false, true] {
        let each = to.append_each(&copies(&from)).unwrap();
        assert!(each.stopped.is_none());
        assert_eq!(
            places(&each.appended),
            [(2, 1, true), (3, 1, true), (4, 2, true), (5, 2, more)]
        );
    }
    let (from, to) = (everything(&from), everything(&to));
    for (original, copy) in from.iter().zip(&to[1..]) {
        assert_eq!(
            (&original.id, &original.stream, &original.data, &original.metadata, original.time),
            (&copy.id, &copy.stream, &copy.data, &copy.metadata, copy.time)
        );
    }
}

#[test]
fn a_store_copied_into_itself_does_not_change() {
    let mut store = store();
    store.append(&[event("a", "T").data("1"), event("b", "T").id("own"), event("a", "U")]).unwrap();
    let before = everything(&store);
    let copies = copies(&store);
    let again = store.append(&copies).unwrap();
    assert_eq!(places(&again), [(1, 1, true), (2, 1, true), (3, 2, true)]);
    assert_eq!(everything(&store), before);
}

#[test]
fn the_same_json_as_text_and_as_bytes_are_two_contents() {
    let mut store = store();
    store.append(&[event("s", "T").bytes(b"{}").id("a")]).unwrap();
    let json = event("s", "T").id("a").build(|event| event.data = Json::empty_object().into());
    assert!(matches!(json.data, Data::Json(_)));
    assert!(matches!(store.append(&[json]), Err(Error::IdReused { .. })));
}
