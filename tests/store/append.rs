//! Positions, versions, and that a refused append leaves nothing behind.

use ream::{Error, Position, Query, Version};

use crate::store;
use crate::support::{
    Build as _, at, event, everything, head, numbered, places, positions, read, versions,
};

#[test]
fn positions_count_the_store_and_versions_the_stream() {
    let mut store = store();
    let appended =
        store.append(&[event("a", "T"), event("b", "T"), event("a", "T"), event("a", "T")]);
    let expected = [(1, 1, false), (2, 1, false), (3, 2, false), (4, 3, false)];
    assert_eq!(places(&appended.unwrap()), expected);
    assert_eq!(places(&store.append(&[event("b", "T")]).unwrap()), [(5, 2, false)]);
    let events = everything(&store);
    assert_eq!(positions(&events), [1, 2, 3, 4, 5]);
    assert_eq!(versions(&events), [1, 1, 2, 3, 2]);
}

#[test]
fn no_position_is_reused_when_the_last_stream_is_removed() {
    let mut store = store();
    store.append(&numbered("a", 2)).unwrap();
    store.append(&numbered("b", 3)).unwrap();
    store.remove(&["b".parse().unwrap()]).unwrap();
    assert_eq!(head(&store), 6, "five events and the record of the removal");
    assert_eq!(places(&store.append(&[event("c", "T")]).unwrap()), [(7, 1, false)]);
    store.remove(&["c".parse().unwrap(), "a".parse().unwrap()]).unwrap();
    assert_eq!(places(&store.append(&[event("b", "T")]).unwrap()), [(10, 4, false)]);
}

#[test]
fn no_position_is_reused_when_everything_is_removed() {
    let mut store = store();
    for round in 0..5 {
        let appended = store.append(&numbered("a", 2)).unwrap();
        let first = round * 3 + 1;
        assert_eq!(
            places(&appended),
            [(first, round * 2 + 1, false), (first + 1, round * 2 + 2, false)]
        );
        store.remove(&["a".parse().unwrap()]).unwrap();
    }
    assert_eq!(read(&store, &Query::default()), []);
}

#[test]
fn a_refused_append_takes_no_position_and_no_version() {
    let mut store = store();
    store.append(&[event("a", "T")]).unwrap();
    let refused = store.append(&[event("a", "T"), event("b", "T"), event("a", "T").expect(at(9))]);
    assert!(matches!(refused, Err(Error::WrongExpectedVersion { .. })), "{refused:?}");
    assert_eq!(head(&store), 1);
    assert!(matches!(store.stream("b"), Err(Error::StreamNotFound { .. })));
    assert_eq!(
        places(&store.append(&[event("b", "T"), event("a", "T")]).unwrap()),
        [(2, 1, false), (3, 2, false)]
    );
}

#[test]
fn an_append_of_nothing_stores_nothing() {
    let mut store = store();
    assert_eq!(store.append(&[]).unwrap(), []);
    let each = store.append_each(&[]).unwrap();
    assert!(each.appended.is_empty() && each.stopped.is_none());
    assert_eq!(head(&store), 0);
    assert_eq!(read(&store, &Query::default()), []);
}

#[test]
fn handles_on_one_store_see_each_others_events() {
    let mut first = store();
    let mut second = first.another();
    for round in 0..4 {
        assert_eq!(
            places(&first.append(&[event("a", "T").expect(at(round * 2))]).unwrap()),
            [(round * 2 + 1, round * 2 + 1, false)]
        );
        assert_eq!(
            places(&second.append(&[event("a", "T").expect(at(round * 2 + 1))]).unwrap()),
            [(round * 2 + 2, round * 2 + 2, false)]
        );
    }
    assert_eq!(everything(&first), everything(&second));
    assert_eq!(first.id(), second.id());
}

#[test]
fn a_large_batch_is_stored_whole_and_in_order() {
    let mut store = store();
    let appended = store.append_each(&numbered("a", 3000)).unwrap().appended;
    assert_eq!(appended.len(), 3000);
    assert_eq!((appended[2999].position, appended[2999].version), (Position(3000), Version(3000)));
    let texts = read(&store, &Query::default());
    let numbers: Vec<String> = texts
        .iter()
        .map(|event| match &event.data {
            ream::Data::Json(json) => json.as_str().to_owned(),
            ream::Data::Bytes(_) => panic!("bytes"),
        })
        .collect();
    let expected: Vec<String> = (1..=3000).map(|number| number.to_string()).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn data_may_be_as_large_as_the_store_says_and_no_larger() {
    let mut store = store();
    let max = store.max_data_bytes();
    assert_eq!(max, 16 * 1024 * 1024);
    assert_eq!(store.status().unwrap().max_data_bytes, 16 * 1024 * 1024);
    let mut bytes = vec![7; max + 1];
    for refused in [
        store.append(&[event("a", "T").bytes(&bytes)]).unwrap_err(),
        store.append(&[event("a", "T"), event("a", "T").bytes(&bytes)]).unwrap_err(),
    ] {
        let told = matches!(refused, Error::TooLarge { bytes, max: most } if bytes == max + 1 && most == max);
        assert!(told, "{refused:?}");
    }
    assert_eq!(head(&store), 0);
    bytes.pop();
    store.append(&[event("a", "T").bytes(&bytes)]).unwrap();
    let events = everything(&store);
    assert_eq!(events[0].data, ream::Data::Bytes(bytes.into()));
}
