//! States: stored with events or without, with the version that they reflect.

use ream::{
    Data, Error, EventId, Expect, Json, NewState, Pattern, SealedEvent, Sealer, State, Store,
    Version,
};

use crate::store;
use crate::support::{Build as _, Fresh, at, event, numbered};

fn json(text: &str) -> Data {
    Data::Json(Json::parse(text).unwrap())
}

fn new_state(stream: &str, text: &str) -> NewState {
    NewState::new(stream.parse().unwrap(), json(text))
}

/// The state of a stream: version, the stream's version, position, data.
#[track_caller]
fn state(store: &Fresh, name: &str) -> (u64, u64, u64, Data) {
    let State { version, stream_version, position, data, .. } = store.state(name).unwrap();
    (version.0, stream_version.0, position.0, data)
}

fn is_missing(store: &Fresh, name: &str) -> bool {
    matches!(store.state(name), Err(Error::StateNotFound { .. }))
}

#[test]
fn a_state_is_stored_with_its_event() {
    let mut store = store();
    store.append(&numbered("other", 2)).unwrap();
    store.append(&[event("s", "T").expect(Expect::NoStream).state("{\"n\":1.0}")]).unwrap();
    assert_eq!(state(&store, "s"), (1, 1, 3, json("{\"n\":1.0}")));
    store.append(&[event("s", "T").expect(at(1)).state("2")]).unwrap();
    assert_eq!(state(&store, "s"), (2, 2, 4, json("2")));
    // An event without a state leaves it as it is, and behind.
    store.append(&[event("s", "T")]).unwrap();
    assert_eq!(state(&store, "s"), (2, 3, 4, json("2")));
}

#[test]
fn a_state_needs_to_know_its_version() {
    for expect in [Expect::Any, Expect::Exists] {
        let mut store = store();
        store.append(&numbered("s", 1)).unwrap();
        let refused = store.append(&[event("s", "T").expect(expect).state("1")]);
        assert!(matches!(refused, Err(Error::StateWithoutVersion { .. })), "{refused:?}");
        assert_eq!(store.stream("s").unwrap().version, Version(1));
        assert!(is_missing(&store, "s"));
    }
}

#[test]
fn a_conflict_keeps_event_and_state_out() {
    let mut store = store();
    store.append(&[event("s", "T").expect(at(0)).state("1")]).unwrap();
    let refused = store.append(&[event("s", "T").expect(at(0)).state("2")]);
    assert!(matches!(refused, Err(Error::WrongExpectedVersion { .. })), "{refused:?}");
    assert_eq!(state(&store, "s"), (1, 1, 1, json("1")));
}

#[test]
fn a_duplicate_leaves_the_state_of_its_first_time() {
    let mut store = store();
    let first = event("s", "T").id("a").expect(at(0)).state("1");
    store.append(&[first]).unwrap();
    store.append(&[event("s", "T").expect(at(1)).state("2")]).unwrap();
    let again = store.append(&[event("s", "T").id("a").expect(at(0)).state("3")]).unwrap();
    assert!(again[0].duplicate);
    assert_eq!(state(&store, "s"), (2, 2, 2, json("2")));
}

#[test]
fn in_a_batch_the_last_state_of_a_stream_stands() {
    let whole: fn(&mut Store, &[SealedEvent]) -> _ = |store, events| store.append_sealed(events);
    for append in [whole, |store, events| store.append_sealed_each(events, None)] {
        let mut store = store();
        let mut sealer = Sealer::new().unwrap();
        let events = [
            event("s", "T").expect(at(0)).state("1"),
            event("t", "T").expect(Expect::NoStream).state("10"),
            event("s", "T").expect(at(1)).state("2"),
            event("s", "T"),
        ];
        let ready: Vec<_> = events.into_iter().map(|event| sealer.seal(event)).collect();
        append(&mut store, &ready).unwrap();
        assert_eq!(state(&store, "s"), (2, 3, 3, json("2")));
        assert_eq!(state(&store, "t"), (1, 1, 2, json("10")));
    }
}

#[test]
fn what_fails_in_a_batch_takes_its_states_along() {
    let mut store = store();
    let events =
        [event("s", "T").expect(at(0)).state("1"), event("s", "T").expect(at(7)).state("2")];
    store.append(&events).unwrap_err();
    assert!(is_missing(&store, "s"));
    let each = store.append_each(&events).unwrap();
    assert_eq!(each.stopped.unwrap().index, 1);
    assert_eq!(state(&store, "s"), (1, 1, 1, json("1")));
}

#[test]
fn a_state_comes_back_byte_for_byte() {
    let mut store = store();
    for text in ["{\"b\":1.0,\"a\":1e-2,\"a\":null}", "null", "\"\\u00e9é\"", "-0"] {
        store.set_state(&new_state("s", text)).unwrap();
        assert_eq!(store.state("s").unwrap().data, json(text));
    }
    let bytes = Data::Bytes([0, 255, 10, 34].into());
    store.set_state(&NewState::new("s".parse().unwrap(), bytes.clone())).unwrap();
    assert_eq!(store.state("s").unwrap().data, bytes);
}

#[test]
fn a_state_is_set_without_an_event() {
    let mut store = store();
    store.append(&numbered("s", 3)).unwrap();
    let entry = store.set_state(&new_state("s", "[1]")).unwrap();
    assert_eq!((entry.version, entry.stream_version, entry.bytes), (Version(3), Version(3), 3));
    assert_eq!(state(&store, "s"), (3, 3, 3, json("[1]")));
    // No event comes of it.
    assert_eq!(store.status().unwrap().head.0, 3);
    // That of a stream that was never written is of version 0.
    store.set_state(&new_state("new", "{}")).unwrap();
    assert_eq!(state(&store, "new"), (0, 0, 0, json("{}")));
}

#[test]
fn a_state_that_is_set_may_expect() {
    let mut store = store();
    store.append(&numbered("s", 2)).unwrap();
    let expecting = |expect| NewState { expect, ..new_state("s", "1") };
    for expect in [at(1), at(3), Expect::NoStream] {
        let refused = store.set_state(&expecting(expect));
        assert!(matches!(refused, Err(Error::WrongExpectedVersion { .. })), "{expect}");
        assert!(is_missing(&store, "s"));
    }
    for expect in [at(2), Expect::Exists, Expect::Any] {
        store.set_state(&expecting(expect)).unwrap();
    }
}

#[test]
fn a_state_reflects_no_more_than_there_is_and_never_less_than_before() {
    let mut store = store();
    store.append(&numbered("s", 3)).unwrap();
    let of = |version| NewState { version: Some(Version(version)), ..new_state("s", "1") };
    let refused = store.set_state(&of(4));
    assert!(matches!(refused, Err(Error::StateAhead { actual: Version(3), .. })), "{refused:?}");
    assert!(is_missing(&store, "s"));
    store.set_state(&of(2)).unwrap();
    assert_eq!(state(&store, "s"), (2, 3, 2, json("1")));
    let refused = store.set_state(&of(1));
    assert!(matches!(refused, Err(Error::StateBehind { stored: Version(2), .. })), "{refused:?}");
    store.set_state(&of(2)).unwrap();
    store.set_state(&of(3)).unwrap();
    assert_eq!(state(&store, "s"), (3, 3, 3, json("1")));
}

#[test]
fn a_state_takes_the_place_of_the_one_that_was_seen() {
    let mut store = store();
    let is = |text: &str| {
        let wanted = json(text);
        move |found: Option<&State>| found.is_some_and(|state| state.data == wanted)
    };
    assert!(store.set_state_if(&new_state("s", "1"), is("0")).unwrap().is_none());
    assert!(is_missing(&store, "s"));
    let entry = store.set_state_if(&new_state("s", "1"), |found| found.is_none()).unwrap().unwrap();
    assert_eq!((entry.stream.as_str(), entry.version, entry.bytes), ("s", Version(0), 1));
    assert!(store.set_state_if(&new_state("s", "2"), |found| found.is_none()).unwrap().is_none());
    assert!(store.set_state_if(&new_state("s", "2"), is("1")).unwrap().is_some());
    assert_eq!(state(&store, "s").3, json("2"));
    let stream = "s".parse().unwrap();
    assert!(store.remove_state_if(&stream, is("1")).unwrap().is_none());
    assert_eq!(state(&store, "s").3, json("2"));
    assert_eq!(store.remove_state_if(&stream, is("2")).unwrap().unwrap().removed, [stream]);
    assert!(is_missing(&store, "s"));
}

#[test]
fn states_are_removed_and_their_events_stay() {
    let mut store = store();
    store.append(&[event("s", "T").expect(at(0)).state("1")]).unwrap();
    let names = ["s".parse().unwrap(), "other".parse().unwrap()];
    assert_eq!(store.remove_states(&names).unwrap().removed, [names[0].clone()]);
    assert!(is_missing(&store, "s"));
    assert_eq!(store.remove_states(&names).unwrap().removed, []);
    assert_eq!(store.stream("s").unwrap().events, 1);
    // It can begin anew, at any version.
    store.set_state(&NewState { version: Some(Version(0)), ..new_state("s", "0") }).unwrap();
    assert_eq!(state(&store, "s"), (0, 1, 0, json("0")));
}

#[test]
fn a_stream_takes_its_state_along() {
    let mut store = store();
    store.append(&[event("s", "T").expect(at(0)).state("1")]).unwrap();
    store.remove(&["s".parse().unwrap()]).unwrap();
    assert!(is_missing(&store, "s"));
    store.append(&[event("s", "T").expect(at(1)).state("2")]).unwrap();
    assert_eq!(state(&store, "s"), (2, 2, 3, json("2")));
}

#[test]
fn states_are_listed_by_stream_and_counted_by_category() {
    let mut store = store();
    for name in ["order-2", "order-1", "order", "cart.x-1", "cart-1", "cart"] {
        store.set_state(&new_state(name, "[1,2]")).unwrap();
    }
    store.append(&numbered("cart-1", 2)).unwrap();
    let listed = |pattern: &str, after: Option<&str>, limit| -> Vec<String> {
        let pattern: Pattern = pattern.parse().unwrap();
        let states = store.states(&pattern, after, limit).unwrap();
        states.iter().map(|entry| entry.stream.to_string()).collect()
    };
    assert_eq!(listed("*", None, 9), ["cart", "cart-1", "cart.x-1", "order", "order-1", "order-2"]);
    assert_eq!(listed("order-*", None, 9), ["order-1", "order-2"]);
    assert_eq!(listed("*-1", Some("cart-1"), 1), ["cart.x-1"]);
    assert_eq!(listed("order", None, 9), ["order"]);
    let entry = &store.states(&"cart-1".parse().unwrap(), None, 1).unwrap()[0];
    assert_eq!((entry.version, entry.stream_version, entry.bytes), (Version(0), Version(2), 5));
    let categories = store.state_categories().unwrap();
    let counts: Vec<(&str, u64)> =
        categories.iter().map(|one| (&*one.category, one.states)).collect();
    assert_eq!(counts, [("cart", 2), ("cart.x", 1), ("order", 3)]);
}

#[test]
fn a_state_that_is_not_there_names_near_ones() {
    let mut store = store();
    store.set_state(&new_state("order-1", "1")).unwrap();
    let Err(Error::StateNotFound { near, .. }) = store.state("order-2") else { panic!() };
    assert_eq!(near, ["order-1"]);
}

#[test]
fn a_state_is_as_large_as_data_may_be() {
    let mut store = store();
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let most = store.max_data_bytes();
    store.set_state(&new_state("s", &text(most))).unwrap();
    let refused = store.set_state(&new_state("s", &text(most + 1)));
    assert!(matches!(refused, Err(Error::TooLarge { .. })));
    let refused = store.append(&[event("t", "T").expect(at(0)).state(&text(most + 1))]);
    assert!(matches!(refused, Err(Error::TooLarge { .. })));
}

/// What comes of states that are imported into streams as they are at these versions.
fn imported(store: &mut Fresh, acts: u64, states: &[(&str, u64, &str)]) -> Option<Vec<String>> {
    let state = |(stream, version, text): &(&str, u64, &str)| NewState {
        version: Some(Version(*version)),
        ..new_state(stream, text)
    };
    let states: Vec<NewState> = states.iter().map(state).collect();
    let states: Vec<&NewState> = states.iter().collect();
    let come = store.import_states(&states, Version(acts)).unwrap()?;
    Some(
        come.iter()
            .map(|one| format!("{one:?}").chars().take_while(|c| *c != '(').collect())
            .collect(),
    )
}

#[test]
fn states_are_imported_where_they_are_newer() {
    let mut store = store();
    store.append(&numbered("a", 2)).unwrap();
    store.append(&numbered("b", 2)).unwrap();
    store.append(&[event("c", "T").expect(Expect::NoStream).state("1")]).unwrap();
    let all = [("a", 2, "1"), ("b", 1, "2"), ("c", 1, "1"), ("d", 0, "4")];
    let stored = ["Stored", "Stored", "AlreadyThere", "Stored"].map(String::from);
    assert_eq!(imported(&mut store, 0, &all), Some(stored.to_vec()));
    assert_eq!(imported(&mut store, 0, &all), Some(vec!["AlreadyThere".to_owned(); 4]));
    assert_eq!(state(&store, "b"), (1, 2, 3, json("2")));
    let others = [("a", 1, "5"), ("b", 2, "6"), ("c", 1, "7"), ("d", 1, "8")];
    let come = ["AlreadyThere", "Stored", "Differs", "Refused"].map(String::from);
    assert_eq!(imported(&mut store, 0, &others), Some(come.to_vec()));
    assert_eq!(state(&store, "a"), (2, 2, 2, json("1")));
    assert_eq!(state(&store, "b"), (2, 2, 4, json("6")));
    assert_eq!(state(&store, "d"), (0, 0, 0, json("4")));
}

/// What a state is made of may have been erased since it was looked at.
#[test]
fn no_state_is_imported_behind_an_act_that_is_not_known() {
    let mut store = store();
    store.append(&numbered("a", 2)).unwrap();
    store.redact(&[ream::Position(1)], "r", ream::Redaction::default()).unwrap();
    assert_eq!(imported(&mut store, 0, &[("a", 2, "1")]), None);
    assert!(is_missing(&store, "a"));
    let stored = Some(vec!["Stored".to_owned()]);
    assert_eq!(imported(&mut store, 1, &[("a", 2, "1")]), stored);
}

#[test]
fn the_ids_of_the_same_events_have_one_hash_removed_or_not() {
    let (mut one, mut other) = (store(), store());
    one.append(&numbered("s", 3)).unwrap();
    // As a copy knows them, whose positions are others.
    let copies = crate::support::everything(&one).into_iter().map(|event| {
        let id = event.borrow().id().into_owned();
        let mut copy = self::event("s", "T");
        copy.id = Some(EventId::new(id).unwrap());
        copy
    });
    other.append(&numbered("other", 5)).unwrap();
    other.append(&copies.collect::<Vec<_>>()).unwrap();
    let hash = |store: &Fresh, last| store.hash_of_ids("s", Version(last)).unwrap();
    let before: Vec<_> = (0..=4).map(|last| hash(&one, last)).collect();
    assert!(before[..4].iter().all(Option::is_some) && before[4].is_none(), "{before:?}");
    assert!(before[..4].windows(2).all(|pair| pair[0] != pair[1]), "{before:?}");
    assert_eq!((0..=4).map(|last| hash(&other, last)).collect::<Vec<_>>(), before);
    one.remove(&["s".parse().unwrap()]).unwrap();
    assert_eq!((0..=4).map(|last| hash(&one, last)).collect::<Vec<_>>(), before);
    assert_ne!(other.hash_of_ids("other", Version(3)).unwrap(), before[3]);
    // Of more events than are looked at together.
    one.append(&numbered("long", 2100)).unwrap();
    let long = |last| one.hash_of_ids("long", Version(last)).unwrap();
    assert!(long(1000) != long(2000) && long(2000) != long(2100));
    assert!(long(2100).is_some() && long(2101).is_none());
}
