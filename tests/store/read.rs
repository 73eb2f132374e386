//! Reading: streams longer than any page, places to begin and end, patterns.

use ream::{Error, EventType, Mark, NewEvent, Position, Query, Version};

use crate::store;
use crate::support::{Fresh, drain, event, everything, numbered, positions, query, read, versions};

/// A store in which every third event is of the stream `long`, which has `count`.
fn with_long_stream(count: u64) -> Fresh {
    let mut store = store();
    let mut events: Vec<NewEvent> = Vec::new();
    for number in 1..=count {
        events.push(event("long", if number % 2 == 0 { "Even" } else { "Odd" }));
        events.push(event(&format!("short-{number}"), "T"));
        events.push(event("other", "T"));
    }
    // Pages fill within a batch, at its end and across.
    for batch in events.chunks(100) {
        store.append(batch).unwrap();
    }
    store
}

fn long() -> Query {
    query(&["long"])
}

fn with(change: impl FnOnce(&mut Query)) -> Query {
    let mut query = long();
    change(&mut query);
    query
}

const LENGTHS: [u64; 8] = [1, 63, 64, 65, 127, 128, 129, 200];

#[test]
fn a_stream_of_any_length_is_read_by_name_in_order() {
    for count in LENGTHS {
        let store = with_long_stream(count);
        let events = read(&store, &long());
        assert_eq!(versions(&events), (1..=count).collect::<Vec<_>>());
        assert_eq!(positions(&events), (0..count).map(|n| n * 3 + 1).collect::<Vec<_>>());
        assert!(events.iter().all(|event| event.stream.as_str() == "long"));
        assert_eq!(store.stream("long").unwrap().version.0, count);
        assert_eq!(store.stream("long").unwrap().last_position.0, (count - 1) * 3 + 1);
    }
}

#[test]
fn a_stream_is_read_from_and_to_each_of_its_versions() {
    for count in LENGTHS {
        let store = with_long_stream(count);
        for version in 0..=count {
            let mark = Some(Mark::Version(Version(version)));
            let after = read(&store, &with(|query| query.after = mark));
            assert_eq!(versions(&after), (version + 1..=count).collect::<Vec<_>>(), "{version}");
            let until = read(&store, &with(|query| query.until = mark));
            assert_eq!(versions(&until), (1..=version).collect::<Vec<_>>(), "until {version}");
        }
    }
}

#[test]
fn the_last_and_the_first_of_a_stream() {
    for count in LENGTHS {
        let store = with_long_stream(count);
        for some in [0, 1, 2, 63, 64, 65, 128, 200, 201, u64::MAX] {
            let last = read(&store, &with(|query| query.last = Some(some)));
            let first = count.saturating_sub(some) + 1;
            assert_eq!(versions(&last), (first..=count).collect::<Vec<_>>(), "last {some}");
            let limited = read(&store, &with(|query| query.limit = Some(some)));
            assert_eq!(versions(&limited), (1..=count.min(some)).collect::<Vec<_>>());
        }
    }
}

#[test]
fn the_last_events_are_the_last_that_all_else_chooses() {
    let store = with_long_stream(130);
    let even: Vec<EventType> = vec!["Even".parse().unwrap()];
    let last = with(|query| {
        query.criteria.items[0].types.clone_from(&even);
        query.last = Some(3);
    });
    assert_eq!(versions(&read(&store, &last)), [126, 128, 130]);
    let up_to_a_position = with(|query| {
        query.until = Some(Mark::Position(Position(30)));
        query.last = Some(2);
    });
    assert_eq!(versions(&read(&store, &up_to_a_position)), [9, 10]);
    let first_of_the_last = with(|query| {
        query.last = Some(5);
        query.limit = Some(2);
    });
    assert_eq!(versions(&read(&store, &first_of_the_last)), [126, 127]);
}

#[test]
fn the_last_events_up_to_a_version_are_the_last_before_it() {
    let store = with_long_stream(10);
    let query = with(|query| {
        query.until = Some(Mark::Version(Version(7)));
        query.last = Some(2);
    });
    assert_eq!(versions(&read(&store, &query)), [6, 7]);
}

#[test]
fn what_lies_beyond_is_told() {
    let store = with_long_stream(2);
    let read = |query: &Query| store.read(query).map(|_| ());
    let after = |position| with(|query| query.after = Some(Mark::Position(Position(position))));
    assert!(read(&after(6)).is_ok());
    match read(&after(7)).unwrap_err() {
        Error::BeyondHead { position, head } => assert_eq!((position.0, head.0), (7, 6)),
        other => panic!("{other:?}"),
    }
    let version = |version| Some(Mark::Version(Version(version)));
    assert!(read(&with(|query| query.after = version(2))).is_ok());
    match read(&with(|query| query.after = version(3))).unwrap_err() {
        Error::BeyondStream { stream, version, actual } => {
            assert_eq!((&*stream, version.0, actual.0), ("long", 3, 2));
        }
        other => panic!("{other:?}"),
    }
    // Up to a place that is not reached yet is as far as it goes.
    assert!(read(&with(|query| query.until = version(99))).is_ok());
    assert!(read(&with(|query| query.until = Some(Mark::Position(Position(99))))).is_ok());
}

#[test]
fn a_version_needs_exactly_one_stream() {
    let store = with_long_stream(2);
    let mark = Some(Mark::Version(Version(1)));
    for patterns in [&[][..], &["*"], &["lon*"], &["long", "other"], &["long", "long"]] {
        for (after, until) in [(mark, None), (None, mark)] {
            let mut query = query(patterns);
            (query.after, query.until) = (after, until);
            let refused = store.read(&query).map(|_| ());
            assert!(matches!(refused, Err(Error::VersionNeedsStream)), "{patterns:?} {refused:?}");
        }
    }
}

#[test]
fn patterns_that_overlap_choose_each_event_once() {
    let mut store = with_long_stream(70);
    store.append(&numbered("longer", 2)).unwrap();
    let all = everything(&store);
    for patterns in [
        &["long", "long"][..],
        &["long*", "long", "lo*g*"],
        &["long", "l*"],
        &["*g", "long"],
        &["short-1*", "short-*", "short-12"],
        &["long", "*"],
        &["**", "*"],
        &["*", "$ream"],
    ] {
        let query = query(patterns);
        let matches = |event: &&ream::Event| {
            query.criteria.items[0]
                .streams
                .iter()
                .any(|pattern| pattern.matches(event.stream.as_str()))
        };
        let expected: Vec<ream::Event> = all.iter().filter(matches).cloned().collect();
        assert!(!expected.is_empty());
        assert_eq!(read(&store, &query), expected, "{patterns:?}");
    }
}

#[test]
fn a_stream_that_is_not_there_is_empty() {
    let store = with_long_stream(3);
    for pattern in ["lon", "LONG", "longer", "x*", "$ream", "$other"] {
        assert_eq!(read(&store, &query(&[pattern])), [], "{pattern}");
    }
}

#[test]
fn the_reserved_stream_is_read_by_its_name_alone() {
    let mut store = with_long_stream(1);
    store.remove(&["other".parse().unwrap()]).unwrap();
    for pattern in ["*", "$*", "*ream", "**"] {
        let found = read(&store, &query(&[pattern]));
        assert!(found.iter().all(|event| event.stream.as_str() != "$ream"), "{pattern}");
    }
    assert_eq!(read(&store, &Query::default()).len(), 2);
    assert_eq!(positions(&read(&store, &query(&["$ream"]))), [4]);
    assert_eq!(positions(&read(&store, &query(&["$ream", "long"]))), [1, 4]);
}

#[test]
fn a_read_ends_at_the_head_that_it_found() {
    for patterns in [&["long"][..], &[]] {
        let mut store = with_long_stream(2);
        let mut reader = store.read(&query(patterns)).unwrap();
        store.append(&numbered("long", 5)).unwrap();
        let events = drain(&mut reader);
        assert!(events.iter().all(|event| event.position.0 <= 6), "{events:?}");
        let batch = reader.next_batch(|event| panic!("{event:?}")).unwrap();
        assert!(batch.finished && batch.caught_up);
    }
}

#[test]
fn batches_are_bounded_and_their_position_goes_on() {
    let mut store = store();
    store.append_each(&numbered("a", 2500)).unwrap();
    for patterns in [&["a"][..], &[]] {
        let mut reader = store.read(&query(patterns)).unwrap();
        let mut next = 1;
        loop {
            let batch = reader
                .next_batch(|event| {
                    assert_eq!(event.position.0, next);
                    next += 1;
                })
                .unwrap();
            assert!(batch.events <= 1000, "{batch:?}");
            assert_eq!(batch.position.0, next - 1);
            if batch.finished {
                break;
            }
        }
        assert_eq!(next, 2501);
    }
}
