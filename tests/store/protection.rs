//! Protected streams refuse removal, not appends.

use ream::{Error, StreamName};

use crate::store;
use crate::support::{Fresh, acts, event, everything, numbered};

fn name(text: &str) -> StreamName {
    text.parse().unwrap()
}

fn with_a_protected() -> Fresh {
    let mut store = store();
    store.append(&numbered("a", 2)).unwrap();
    store.append(&numbered("b", 2)).unwrap();
    store.protect(&[name("a")], true).unwrap();
    store
}

#[test]
fn a_protected_stream_refuses_removal_and_takes_events() {
    let mut store = with_a_protected();
    assert!(store.stream("a").unwrap().protected);
    assert!(!store.stream("b").unwrap().protected);
    let refused = store.remove(&[name("a")]);
    assert!(matches!(&refused, Err(Error::Protected { stream }) if stream == "a"), "{refused:?}");
    assert!(matches!(store.removable(&[name("a")]), Err(Error::Protected { .. })));
    store.append(&[event("a", "T")]).unwrap();
    let stream = store.another().stream("a").unwrap();
    assert_eq!((stream.version.0, stream.protected), (3, true));
}

#[test]
fn one_protected_stream_keeps_all_that_were_to_be_removed() {
    let mut store = with_a_protected();
    let before = everything(&store);
    for names in [[name("b"), name("a")], [name("a"), name("b")]] {
        assert!(matches!(store.remove(&names), Err(Error::Protected { .. })));
    }
    assert_eq!(everything(&store), before);
}

#[test]
fn protection_is_lifted_and_each_change_of_it_is_an_event() {
    let mut store = with_a_protected();
    store.protect(&[name("a"), name("b")], true).unwrap();
    store.protect(&[name("a"), name("a")], false).unwrap();
    store.protect(&[name("a")], false).unwrap();
    let acts = acts(&store);
    let told: Vec<_> = acts.iter().map(|(act, data)| (&**act, &**data)).collect();
    let (a, b) = (r#"{"stream":"a"}"#, r#"{"stream":"b"}"#);
    // Not where it was so before.
    assert_eq!(told, [("StreamProtected", a), ("StreamProtected", b), ("StreamUnprotected", a)]);
    store.remove(&[name("a")]).unwrap();
    assert!(matches!(store.remove(&[name("b")]), Err(Error::Protected { .. })));
}

#[test]
fn where_one_name_is_missing_none_is_protected() {
    let mut store = with_a_protected();
    for missing in ["c", "bb"] {
        let refused = store.protect(&[name("b"), name(missing)], true);
        assert!(matches!(&refused, Err(Error::StreamNotFound { stream, .. }) if stream == missing));
    }
    assert!(!store.stream("b").unwrap().protected);
    store.remove(&[name("b")]).unwrap();
    assert!(matches!(store.protect(&[name("b")], true), Err(Error::StreamNotFound { .. })));
}
