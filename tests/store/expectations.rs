//! The matrix of expectations: each × a stream in each condition × each way to append.

use ream::{Error, Expect, NewEvent, Store, Version};

use crate::store;
use crate::support::{Build as _, Fresh, at, conflict, event, following, head, numbered, places};

/// Appends one event and says what became of it: its version, or the conflict.
type Append = fn(&mut Store, NewEvent) -> Result<u64, Error>;

const WAYS: [(&str, Append); 3] = [
    ("single", |store, event| Ok(store.append(&[event])?[0].version.0)),
    ("atomic", |store, event| {
        let other = crate::support::event("other", "T");
        Ok(store.append(&[other, event])?[1].version.0)
    }),
    ("streamed", |store, event| {
        let other = crate::support::event("other", "T");
        let each = store.append_each(&[other, event])?;
        each.stopped.map_or_else(|| Ok(each.appended[1].version.0), |stopped| Err(stopped.error))
    }),
];

/// A store in which the stream `s` is in that condition.
fn stream_in(condition: &str) -> Fresh {
    let mut store = store();
    let name = ["s".parse().unwrap()];
    match condition {
        "never written" => {}
        "at 3" => drop(store.append(&numbered("s", 3)).unwrap()),
        "protected" => {
            store.append(&numbered("s", 3)).unwrap();
            store.protect(&name, true).unwrap();
        }
        "removed" => {
            store.append(&numbered("s", 3)).unwrap();
            store.remove(&name).unwrap();
        }
        "written again" => {
            store.append(&numbered("s", 2)).unwrap();
            store.remove(&name).unwrap();
            store.append(&numbered("s", 1)).unwrap();
        }
        other => panic!("{other}"),
    }
    store
}

#[test]
fn each_expectation_of_each_stream_in_each_way() {
    // Any, no-stream, exists, 0, 2, 3, 4.
    let expectations = [Expect::Any, Expect::NoStream, Expect::Exists, at(0), at(2), at(3), at(4)];
    for (condition, version, holds) in [
        ("never written", 0, [true, true, false, true, false, false, false]),
        ("at 3", 3, [true, false, true, false, false, true, false]),
        ("protected", 3, [true, false, true, false, false, true, false]),
        ("removed", 3, [true, true, false, false, false, true, false]),
        ("written again", 3, [true, false, true, false, false, true, false]),
    ] {
        for (expect, holds) in expectations.into_iter().zip(holds) {
            for (way, append) in WAYS {
                let mut store = stream_in(condition);
                let case = format!("{condition}, {expect}, {way}");
                let before = head(&store);
                let done = append(&mut store, event("s", "T").expect(expect));
                if holds {
                    assert_eq!(done.unwrap(), version + 1, "{case}");
                } else {
                    let removed = condition == "removed";
                    let error = done.expect_err(&case);
                    assert_eq!(conflict(&error), (expect, version, removed), "{case}");
                    assert!(error.to_string().contains("stream `s`"), "{case}: {error}");
                    // In a stream of events, the one before stands for itself.
                    let kept = u64::from(way == "streamed");
                    assert_eq!(head(&store), before + kept, "{case}");
                }
            }
        }
    }
}

#[test]
fn an_expectation_counts_the_events_before_it_in_the_batch() {
    let mut store = store();
    let batch = [
        event("s", "T").expect(Expect::NoStream),
        event("s", "T").expect(at(1)),
        event("t", "T").expect(at(0)),
        event("s", "T").expect(Expect::Exists),
        event("s", "T").expect(at(3)),
    ];
    let versions: Vec<u64> =
        places(&store.append(&batch).unwrap()).iter().map(|(_, version, _)| *version).collect();
    assert_eq!(versions, [1, 2, 1, 3, 4]);
    let stale = [event("s", "T"), event("s", "T").expect(at(4))];
    assert_eq!(conflict(&store.append(&stale).unwrap_err()), (at(4), 5, false));
}

#[test]
fn an_event_follows_where_the_one_before_was_stored() {
    let mut store = store();
    store.append(&numbered("s", 3)).unwrap();
    let batch = following([event("s", "T").expect(at(3)), event("s", "T"), event("s", "T")]);
    assert_eq!(
        places(&store.append_sealed_each(&batch, None).unwrap().appended),
        [(4, 4, false), (5, 5, false), (6, 6, false)]
    );
    let whole = following([event("s", "T").expect(at(6)), event("s", "T")]);
    let appended = store.append_sealed(&whole).unwrap().appended;
    assert_eq!(places(&appended), [(7, 7, false), (8, 8, false)]);
}

#[test]
fn an_event_follows_where_the_one_before_was_found() {
    let mut store = store();
    let first = [event("s", "T").id("a").expect(Expect::NoStream), event("s", "T").id("b")];
    store.append_sealed(&following(first)).unwrap();
    // The whole input again, with one more at its end: only that one is new.
    let again = following([
        event("s", "T").id("a").expect(Expect::NoStream),
        event("s", "T").id("b"),
        event("s", "T").id("c"),
    ]);
    let each = store.append_sealed_each(&again, None).unwrap();
    assert!(each.stopped.is_none(), "{each:?}");
    assert_eq!(places(&each.appended), [(1, 1, true), (2, 2, true), (3, 3, false)]);
}

#[test]
fn an_event_does_not_follow_where_someone_came_between() {
    let mut store = store();
    store.append(&[event("s", "T").id("a")]).unwrap();
    store.append(&[event("s", "Other")]).unwrap();
    let again = following([event("s", "T").id("a"), event("s", "T").id("b")]);
    let each = store.append_sealed_each(&again, None).unwrap();
    let stopped = each.stopped.unwrap();
    assert_eq!(places(&each.appended), [(1, 1, true)]);
    assert_eq!((stopped.index, conflict(&stopped.error)), (1, (at(1), 2, false)));
}

#[test]
fn an_input_goes_on_in_another_transaction_where_the_event_before_stands() {
    let mut store = store();
    store.append(&numbered("s", 3)).unwrap();
    let more = following([event("s", "T"), event("s", "T"), event("s", "T")]);
    let each = store.append_sealed_each(&more[1..], Some(Version(3))).unwrap();
    assert_eq!(places(&each.appended), [(4, 4, false), (5, 5, false)]);
    let stopped = store.append_sealed_each(&more[1..], Some(Version(3))).unwrap().stopped.unwrap();
    assert_eq!((stopped.index, conflict(&stopped.error)), (0, (at(3), 5, false)));
}

#[test]
fn a_first_event_follows_nothing() {
    let mut store = store();
    let first = &following([event("s", "T"), event("s", "T")])[1..];
    let all = store.append_sealed(first).unwrap();
    assert!(matches!(all.stopped.unwrap().error, Error::FollowsNothing));
    let each = store.append_sealed_each(first, None).unwrap();
    assert!(matches!(each.stopped.unwrap().error, Error::FollowsNothing));
    assert_eq!(head(&store), 0);
}
