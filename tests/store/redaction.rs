//! Redaction erases what single events say; all that stands around it stays.

use ream::{Data, Error, EventFault, NewState, Position, Redaction, StreamName};

use crate::store;
use crate::support::{Build as _, Fresh, acts, event, everything, head, numbered, query, read};

fn name(text: &str) -> StreamName {
    text.parse().unwrap()
}

/// The streams `a` and `b` with three events each, in turns, under ids.
fn mixed() -> Fresh {
    let mut store = store();
    let events: Vec<_> = (1..=3)
        .flat_map(|number| ["a", "b"].map(|name| (name, number)))
        .map(|(name, number)| {
            event(name, "T").data(&format!("\"{name}{number}\"")).id(&format!("{name}{number}"))
        })
        .collect();
    store.append(&events).unwrap();
    store
}

#[test]
fn an_event_keeps_its_place_and_loses_what_it_says() {
    let mut store = mixed();
    let before = everything(&store);
    let would = store.redactable(&[Position(3)], Redaction::default()).unwrap();
    assert_eq!(everything(&store), before);
    let removal = store.redact(&[Position(3)], "request 77", Redaction::default()).unwrap();
    assert!(removal.unfinished.is_none());
    assert_eq!(removal.removed, would);
    let mut expected = before.clone();
    expected[2].data = Data::Json("{}".parse().unwrap());
    expected[2].redacted = true;
    let after = everything(&store);
    assert_eq!(after[..6], expected);
    let data = r#"{"stream":"a","version":2,"position":3,"reason":"request 77"}"#.to_owned();
    assert_eq!(acts(&store), [("EventRedacted".into(), data)]);
    // By a stream alone, too; and the stream goes on.
    assert_eq!(read(&store, &query(&["a"])), [&after[0], &after[2], &after[4]].map(Clone::clone));
    store.append(&numbered("a", 1)).unwrap();
    assert_eq!(store.version("a").unwrap().0, 4);
    store.check().unwrap();
}

#[test]
fn a_repeat_is_a_duplicate_of_what_was_redacted() {
    let mut store = mixed();
    store.redact(&[Position(3)], "r", Redaction::default()).unwrap();
    let again = store.append(&[event("a", "T").data("\"a2\"").id("a2")]).unwrap();
    assert_eq!((again[0].position.0, again[0].duplicate), (3, true));
    assert_eq!((again[0].redacted, again[0].removed), (true, false));
    let other_type = store.append(&[event("a", "U").id("a2")]);
    assert!(matches!(other_type, Err(Error::IdReused { .. })), "{other_type:?}");
    // Once it is removed, it is no longer redacted.
    store.remove(&[name("a")]).unwrap();
    let again = store.append(&[event("a", "T").id("a2")]).unwrap();
    assert_eq!((again[0].redacted, again[0].removed), (false, true));
}

#[test]
fn the_states_of_its_streams_go_unless_they_are_kept() {
    for keep in [false, true] {
        let mut store = mixed();
        for stream in ["a", "b"] {
            store
                .set_state(&NewState::new(name(stream), Data::Json("1".parse().unwrap())))
                .unwrap();
        }
        let positions = [Position(1), Position(3)];
        let redaction = Redaction { keeps_states: keep, takes_tags: false };
        let told = |redacted: &[ream::Redacted]| -> Vec<bool> {
            redacted.iter().map(|one| one.state).collect()
        };
        // Both are of one stream, whose state goes once.
        assert_eq!(told(&store.redactable(&positions, redaction).unwrap()), [!keep, false]);
        let done = store.redact(&positions, "r", redaction).unwrap().removed;
        assert_eq!(told(&done), [!keep, false]);
        assert_eq!(store.state("a").is_ok(), keep);
        assert!(store.state("b").is_ok());
        let types: Vec<String> = acts(&store).into_iter().map(|(act, _)| act).collect();
        let state: &[&str] = if keep { &[] } else { &["StateRemoved"] };
        assert_eq!(types, [&["EventRedacted"; 2][..], state].concat());
    }
}

#[test]
fn what_is_redacted_already_is_left_out() {
    let mut store = mixed();
    store.redact(&[Position(3), Position(3)], "r", Redaction::default()).unwrap();
    assert_eq!(head(&store), 7);
    assert_eq!(store.redactable(&[Position(3)], Redaction::default()).unwrap(), []);
    assert_eq!(store.redact(&[Position(3)], "r", Redaction::default()).unwrap().removed, []);
    assert_eq!(store.redact(&[], "r", Redaction::default()).unwrap().removed, []);
    assert_eq!(head(&store), 7);
}

#[test]
fn where_one_can_not_be_redacted_none_is() {
    let mut store = mixed();
    store.remove(&[name("b")]).unwrap();
    let before = everything(&store);
    for (position, error) in [
        (
            2,
            "the event at position 2 (`b`, version 1) was removed: nothing of it is left to redact",
        ),
        (7, "the event at position 7 is a record of `$ream`, which stays as it is"),
        (8, "no event `8`"),
        (0, "no event `0`"),
    ] {
        let positions = [Position(1), Position(position)];
        let refused = store.redact(&positions, "r", Redaction::default()).unwrap_err();
        assert_eq!(refused.to_string(), error);
        let refused = store.redactable(&positions, Redaction::default()).unwrap_err();
        assert_eq!(refused.to_string(), error);
    }
    assert_eq!(everything(&store), before);
}

#[test]
fn an_event_is_found_by_its_place_or_its_id() {
    let mut store = mixed();
    store.append(&[event("c", "T"), event("c", "T").id("2"), event("c", "T").id("a@1")]).unwrap();
    store.append(&[event("d", "T").id("8")]).unwrap();
    let derived = read(&store, &query(&["c"]))[0].id.clone();
    let found = |text: &str| store.find_event(text);
    for (text, position) in
        [("1", 1), ("7", 7), ("a@3", 5), ("b@1", 2), ("a3", 5), (&*derived, 7), ("c@2", 8)]
    {
        assert_eq!(found(text).unwrap(), Position(position), "{text}");
    }
    for text in ["0", "11", "a@0", "a@4", "x@1", "x", "", "a@", "@1", "-1", "a@-1"] {
        let refused = found(text);
        assert!(
            matches!(refused, Err(Error::Event(EventFault::NotFound { .. }))),
            "{text}: {refused:?}"
        );
    }
    for (text, place, id) in [("2", 2, 8), ("a@1", 1, 9), ("8", 8, 10)] {
        let refused = found(text).unwrap_err().to_string();
        let told = format!(
            "`{text}` is the event at position {place}, and the id of the one at position {id}"
        );
        assert_eq!(refused, told);
    }
}
