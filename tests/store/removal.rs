//! Removal erases what streams hold; their versions, positions and ids stay spent.

use ream::{Actor, Data, Mark, NewState, Options, Position, Query, StreamName, Version};

use crate::store;
use crate::support::{
    Build as _, Fresh, drain, event, everything, head, numbered, places, positions, query, read,
    versions,
};

fn name(text: &str) -> StreamName {
    text.parse().unwrap()
}

/// Three streams of 70 events each, in turns.
fn mixed() -> Fresh {
    let mut store = store();
    let events: Vec<_> = (0..70)
        .flat_map(|number| ["a", "b", "c"].map(|name| event(name, "T").data(&number.to_string())))
        .collect();
    store.append(&events).unwrap();
    store
}

#[test]
fn a_removal_takes_the_streams_that_it_names_and_no_other() {
    let mut store = mixed();
    let kept: Vec<_> =
        everything(&store).into_iter().filter(|event| event.stream.as_str() == "b").collect();
    let would = store.removable(&[name("a"), name("c"), name("x")]).unwrap();
    assert_eq!(head(&store), 210);
    let removed = store.remove(&[name("a"), name("c"), name("x")]).unwrap().removed;
    assert_eq!(removed, would);
    let told: Vec<_> = removed
        .iter()
        .map(|removed| (removed.stream.as_str(), removed.version.0, removed.events))
        .collect();
    assert_eq!(told, [("a", 70, 70), ("c", 70, 70)]);
    assert_eq!(read(&store, &Query::default()), kept);
    assert_eq!(read(&store, &query(&["b"])), kept);
    assert_eq!(read(&store, &query(&["a"])), []);
    assert_eq!(store.status().unwrap().events, 70);
}

#[test]
fn a_removal_is_an_event_of_the_reserved_stream() {
    let mut store = mixed();
    store.remove(&[name("a"), name("c")]).unwrap();
    let records = read(&store, &query(&["$ream"]));
    assert_eq!(positions(&records), [211, 212]);
    assert_eq!(versions(&records), [1, 2]);
    for (record, name) in records.iter().zip(["a", "c"]) {
        assert_eq!(record.event_type.as_str(), "StreamRemoved");
        let Data::Json(json) = &record.data else { panic!("{record:?}") };
        let data: serde_json::Value = serde_json::from_str(json.as_str()).unwrap();
        assert_eq!(data, serde_json::json!({"stream": name, "version": 70, "events": 70}));
    }
}

#[test]
fn what_holds_nothing_is_passed_over() {
    let mut store = mixed();
    assert_eq!(store.remove(&[name("x")]).unwrap().removed, []);
    assert_eq!(store.remove(&[]).unwrap().removed, []);
    assert_eq!(head(&store), 210);
    store.remove(&[name("a")]).unwrap();
    assert_eq!(store.removable(&[name("a")]).unwrap(), []);
    assert_eq!(store.remove(&[name("a")]).unwrap().removed, []);
    assert_eq!(head(&store), 211);
}

#[test]
fn a_stream_named_twice_is_removed_once() {
    let mut store = mixed();
    assert_eq!(store.removable(&[name("a"), name("a")]).unwrap().len(), 1);
    assert_eq!(store.remove(&[name("a"), name("a")]).unwrap().removed.len(), 1);
    assert_eq!(head(&store), 211);
}

#[test]
fn a_stream_written_again_is_removed_again() {
    let mut store = mixed();
    store.remove(&[name("a")]).unwrap();
    let appended = store.append(&numbered("a", 60)).unwrap();
    assert_eq!(places(&appended)[0], (212, 71, false));
    let events = read(&store, &query(&["a"]));
    assert_eq!(versions(&events), (71..=130).collect::<Vec<_>>());
    assert_eq!(store.stream("a").unwrap().events, 60);
    let removed = store.remove(&[name("a")]).unwrap().removed;
    assert_eq!((removed[0].version.0, removed[0].events), (130, 60));
    assert_eq!(read(&store, &query(&["a"])), []);
    assert_eq!(places(&store.append(&[event("a", "T")]).unwrap()), [(273, 131, false)]);
    assert_eq!(versions(&read(&store, &query(&["a"]))), [131]);
}

#[test]
fn places_of_removed_events_are_still_places() {
    let mut store = mixed();
    store.remove(&[name("a")]).unwrap();
    store.append(&[event("a", "T")]).unwrap();
    let after = |mark| {
        let mut query = query(&["a"]);
        query.after = Some(mark);
        versions(&read(&store, &query))
    };
    assert_eq!(after(Mark::Version(Version(1))), [71]);
    assert_eq!(after(Mark::Version(Version(70))), [71]);
    assert_eq!(after(Mark::Version(Version(71))), [0; 0]);
    assert_eq!(after(Mark::Position(Position(1))), [71]);
    let mut until = query(&["a"]);
    until.until = Some(Mark::Version(Version(70)));
    assert_eq!(read(&store, &until), []);
    let mut last = query(&["a", "b"]);
    last.last = Some(3);
    assert_eq!(positions(&read(&store, &last)), [206, 209, 212]);
}

#[test]
fn a_reader_that_was_there_before_sees_no_removed_event() {
    for patterns in [&["a"][..], &["a", "b"], &[]] {
        let mut store = mixed();
        let mut reader = store.read(&query(patterns)).unwrap();
        store.remove(&[name("a")]).unwrap();
        let events = drain(&mut reader);
        assert!(events.iter().all(|event| event.stream.as_str() != "a"), "{patterns:?}");
    }
}

#[test]
fn removal_is_seen_by_other_handles() {
    let mut store = mixed();
    let mut other = store.another();
    other.append(&[event("a", "T")]).unwrap();
    store.remove(&[name("a")]).unwrap();
    assert_eq!(read(&other, &query(&["a"])), []);
    assert_eq!(places(&other.append(&[event("a", "T")]).unwrap()), [(213, 72, false)]);
}

#[test]
fn who_acts_is_said_once_and_stored_with_each_act() {
    let mut options = Options::default();
    options.actor = Some(Actor::named("anna"));
    let mut store = store();
    store.append(&[event("a", "T"), event("b", "T")]).unwrap();
    store.set_state(&NewState::new(name("b"), Data::Json("1".parse().unwrap()))).unwrap();
    let mut by_anna = store.another_with(&options);
    by_anna.remove(&[name("a")]).unwrap();
    by_anna.remove_states(&[name("a"), name("b")]).unwrap();
    store.protect(&[name("b")], true).unwrap();
    let acts = read(&store, &query(&["$ream"]));
    let who: Vec<_> = acts.iter().map(|act| act.metadata.as_ref().unwrap().as_str()).collect();
    assert_eq!(who[..2], [r#"{"user":"anna"}"#; 2]);
    // By itself it is the user of the process.
    let process = Actor::of_process();
    assert!(who[2].ends_with(&format!("\"uid\":{}}}", process.uid.unwrap())), "{}", who[2]);
    let types: Vec<_> = acts.iter().map(|act| act.event_type.as_str()).collect();
    assert_eq!(types, ["StreamRemoved", "StateRemoved", "StreamProtected"]);
}
