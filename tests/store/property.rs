//! Every query, on random stores, against a naive filter over all that can be read.

use std::ops::Range;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use ream::{
    Criteria, Criterion, Event, Follower, Mark, NewEvent, Position, Query, Tags, Timestamp, Version,
};

use crate::store;
use crate::support::{Build as _, drain, event, everything};

/// Streams: a few hold most events, many hold few, and one name is the beginning of another.
const STREAMS: [&str; 12] = [
    "big-1", "big-1", "big-1", "big-1", "big-1", "big-2", "big-2", "big-2", "x-1", "x-10", "x", "é",
];
const TYPES: [&str; 3] = ["Placed", "Paid", "Sent"];
/// Tags: one that most events have, and rare ones.
const TAGS: [&str; 6] = ["all", "all", "all", "rare", "one", "é:1"];
const PATTERNS: [&str; 14] = [
    "*", "big-1", "big-2", "big-*", "x-1", "x-*", "x*", "*1", "*-1*", "x", "é", "none", "none*",
    "$ream",
];
/// Writers' times: before everything that is recorded.
const TIMES: Range<i64> = 0..200;

fn an_event() -> impl Strategy<Value = NewEvent> {
    let tags = proptest::collection::vec(0..TAGS.len(), 0..3);
    (0..STREAMS.len(), 0..TYPES.len(), proptest::option::of(TIMES), tags).prop_map(
        |(stream, event_type, time, tags)| {
            let mut event = event(STREAMS[stream], TYPES[event_type]);
            event.time = time.and_then(Timestamp::from_micros);
            event.tags = Tags::new(tags.iter().map(|tag| TAGS[*tag])).unwrap();
            event
        },
    )
}

/// A query without its places, which depend on the store.
#[derive(Debug, Clone)]
struct Choice {
    /// Of each item, patterns, types and tags.
    items: Vec<[Vec<usize>; 3]>,
    since: Option<i64>,
    until_time: Option<i64>,
    after: Option<(bool, u64)>,
    until: Option<(bool, u64)>,
    last: Option<u64>,
    limit: Option<u64>,
}

fn a_choice() -> impl Strategy<Value = Choice> {
    let count = || proptest::option::weighted(0.3, prop_oneof![0..5_u64, 0..80_u64]);
    let place = proptest::option::weighted(0.4, (any::<bool>(), any::<u64>()));
    let some = proptest::collection::vec::<Range<usize>>;
    // Often one, in which versions can count.
    let patterns = || prop_oneof![some(0..PATTERNS.len(), 1..2), some(0..PATTERNS.len(), 0..4)];
    let tags = || prop_oneof![some(0..TAGS.len(), 0..1), some(0..TAGS.len(), 0..3)];
    let item = move || (patterns(), some(0..TYPES.len(), 0..2), tags());
    let item = move || item().prop_map(|(patterns, types, tags)| [patterns, types, tags]);
    let items =
        prop_oneof![proptest::collection::vec(item(), 1), proptest::collection::vec(item(), 0..4)];
    let time = || proptest::option::weighted(0.25, TIMES);
    (items, time(), time(), place.clone(), place, count(), count()).prop_map(
        |(items, since, until_time, after, until, last, limit)| Choice {
            items,
            since,
            until_time,
            after,
            until,
            last,
            limit,
        },
    )
}

impl Choice {
    /// The query, its places within a store with this head and these events.
    fn query(&self, head: u64, events: &[Event]) -> Query {
        let item = |[patterns, types, tags]: &[Vec<usize>; 3]| Criterion {
            streams: patterns.iter().map(|index| PATTERNS[*index].parse().unwrap()).collect(),
            types: types.iter().map(|index| TYPES[*index].parse().unwrap()).collect(),
            tags: Tags::new(tags.iter().map(|index| TAGS[*index])).unwrap(),
        };
        let mut query = Query::by(Criteria { items: self.items.iter().map(item).collect() });
        query.since = self.since.and_then(Timestamp::from_micros);
        query.until_time = self.until_time.and_then(Timestamp::from_micros);
        let one = one_stream(&query);
        let place = |(by_version, number): (bool, u64)| match &one {
            Some(stream) if by_version => {
                let of = events.iter().filter(|event| event.stream.as_str() == stream);
                let version = of.map(|event| event.version.0).max().unwrap_or_default();
                Mark::Version(Version(number % (version + 1)))
            }
            _ => Mark::Position(Position(number % (head + 1))),
        };
        query.after = self.after.map(place);
        query.until = self.until.map(place);
        query.last = self.last;
        query.limit = self.limit;
        query
    }
}

/// The one stream that a query is about.
fn one_stream(query: &Query) -> Option<String> {
    let [Criterion { streams, .. }] = &query.criteria.items[..] else { return None };
    let [pattern] = &streams[..] else { return None };
    pattern.exact().map(str::to_owned)
}

/// The textbook reading of a pattern.
fn matches(pattern: &str, name: &str) -> bool {
    fn rest(pattern: &[char], name: &[char]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            (['*', tail @ ..], _) => {
                rest(tail, name) || name.split_first().is_some_and(|(_, name)| rest(pattern, name))
            }
            ([first, tail @ ..], [character, name @ ..]) => first == character && rest(tail, name),
            _ => false,
        }
    }
    let characters = |text: &str| text.chars().collect::<Vec<_>>();
    if pattern.contains('*') && name.starts_with('$') {
        return false;
    }
    rest(&characters(pattern), &characters(name))
}

/// Whether the query chooses the event, `last` and `limit` aside.
fn chosen(query: &Query, event: &Event) -> bool {
    let name = event.stream.as_str();
    let takes = |Criterion { types, tags, streams }: &Criterion| {
        let stream = match &streams[..] {
            [] => !name.starts_with('$'),
            patterns => patterns.iter().any(|pattern| matches(pattern.as_str(), name)),
        };
        let has = |tag: &str| event.tags.iter().any(|other| other == tag);
        stream && (types.is_empty() || types.contains(&event.event_type)) && tags.iter().all(has)
    };
    let item = match &query.criteria.items[..] {
        [] => !name.starts_with('$'),
        items => items.iter().any(takes),
    };
    let behind = match query.after {
        Some(Mark::Position(position)) => event.position > position,
        Some(Mark::Version(version)) => event.version > version,
        None => true,
    };
    let before = match query.until {
        Some(Mark::Position(position)) => event.position <= position,
        Some(Mark::Version(version)) => event.version <= version,
        None => true,
    };
    item && behind
        && before
        && query.since.is_none_or(|since| event.time >= since)
        && query.until_time.is_none_or(|until| event.time <= until)
}

/// The naive filter; `last` counts the events up to `head`.
fn filter(query: &Query, events: &[Event], head: u64) -> Vec<Event> {
    let mut found: Vec<&Event> = events.iter().filter(|event| chosen(query, event)).collect();
    if let Some(last) = query.last {
        let there = found.iter().filter(|event| event.position.0 <= head).count();
        let left = usize::try_from(last).unwrap().min(there);
        found.drain(..there - left);
    }
    let limit = query.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
    found.into_iter().take(limit).cloned().collect()
}

fn agree(
    store: &ream::Store,
    query: &Query,
    all: &[Event],
    head: u64,
) -> Result<(), TestCaseError> {
    let found = drain(&mut store.read(query).unwrap());
    let expected = filter(query, all, head);
    let short = |events: &[Event]| {
        events.iter().map(|event| (event.position.0, event.version.0)).collect::<Vec<_>>()
    };
    prop_assert_eq!(short(&found), short(&expected), "{:?}", query);
    prop_assert_eq!(found, expected);
    Ok(())
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

#[test]
fn each_query_of_a_small_store_agrees_with_the_filter() {
    let given = (
        proptest::collection::vec(an_event(), 0..300),
        proptest::collection::vec(an_event(), 0..40),
        proptest::sample::subsequence(STREAMS.to_vec(), 0..3),
        proptest::collection::vec(a_choice(), 100),
    );
    let done = runner(30).run(&given, |(first, second, removed, choices)| {
        let mut store = store();
        store.append(&first).unwrap();
        let names: Vec<_> = removed.iter().map(|name| name.parse().unwrap()).collect();
        store.remove(&names).unwrap();
        store.append(&second).unwrap();
        let (all, head) = (everything(&store), store.status().unwrap().head.0);
        for choice in choices {
            agree(&store, &choice.query(head, &all), &all, head)?;
        }
        Ok(())
    });
    done.unwrap_or_else(|error| panic!("{error}"));
}

/// Larger than any batch of rows, with streams that hold one event in a thousand.
#[test]
fn each_query_of_a_large_store_agrees_with_the_filter() {
    let mut store = store();
    let events: Vec<NewEvent> = (0_u32..24_000)
        .map(|number| {
            let stream = match number.wrapping_mul(2_654_435_761) >> 22 {
                0 => "x-1",
                1 => "x-10",
                2 => "é",
                3 => "x",
                few if few < 30 => "big-2",
                _ => "big-1",
            };
            let mut event = event(stream, TYPES[number as usize % TYPES.len()]);
            let rare = [(2, "all"), (99, "rare"), (101, "one"), (7_001, "é:1")];
            let tags = rare.iter().filter(|(every, _)| number % every == 0).map(|(_, tag)| tag);
            event.tags = Tags::new(tags).unwrap();
            if number % 7 == 0 { event.time(i64::from(number) % TIMES.end) } else { event }
        })
        .collect();
    for batch in events.chunks(6000) {
        store.append(batch).unwrap();
    }
    store.remove(&["x-10".parse().unwrap()]).unwrap();
    let (all, head) = (everything(&store), store.status().unwrap().head.0);
    assert!(head > 24_000 && (all.len() as u64) < head);
    let done =
        runner(150).run(&a_choice(), |choice| agree(&store, &choice.query(head, &all), &all, head));
    done.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn each_query_that_follows_agrees_with_the_filter() {
    let given = (
        proptest::collection::vec(an_event(), 0..150),
        proptest::collection::vec((an_event(), 0_u8..4), 0..150),
        proptest::collection::vec(a_choice(), 20),
    );
    let done = runner(25).run(&given, |(first, later, choices)| {
        let mut store = store();
        store.append(&first).unwrap();
        let (before, head) = (everything(&store), store.status().unwrap().head.0);
        let mut followers = Vec::new();
        for choice in choices {
            let query = choice.query(head, &before);
            followers.push((Follower::new(&store, &query).unwrap(), query, Vec::new()));
        }
        for batch in later.chunks(25) {
            let events: Vec<NewEvent> = batch.iter().map(|(event, _)| event.clone()).collect();
            store.append(&events).unwrap();
            let looks = batch.iter().filter(|(_, look)| *look == 0).count();
            for (follower, _, seen) in &mut followers {
                for _ in 0..looks {
                    follower.next_batch(|event| seen.push(event.to_event())).unwrap();
                }
            }
        }
        let all = everything(&store);
        for (mut follower, query, mut seen) in followers {
            while !follower.next_batch(|event| seen.push(event.to_event())).unwrap().caught_up {}
            let expected = filter(&query, &all, head);
            prop_assert_eq!(
                seen.iter().map(|event| event.position.0).collect::<Vec<_>>(),
                expected.iter().map(|event| event.position.0).collect::<Vec<_>>(),
                "{:?}",
                query
            );
            prop_assert_eq!(seen, expected);
        }
        Ok(())
    });
    done.unwrap_or_else(|error| panic!("{error}"));
}
