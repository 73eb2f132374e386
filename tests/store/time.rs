//! The clock of the log, and the times that writers give.

use std::cell::Cell;

use ream::{Error, Options, Query, Store, Timestamp};

use crate::store;
use crate::support::{Build as _, event, everything, head, read};

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(0) };
}

fn clock() -> Timestamp {
    Timestamp::from_micros(NOW.get()).unwrap()
}

const NOON: i64 = 1_795_409_353_784_077;
const DAY: i64 = Timestamp::DAY;
const FIRST: i64 = Timestamp::MIN.as_micros();
const LAST: i64 = Timestamp::MAX.as_micros();

fn by_the_clock() -> Options {
    let mut options = Options::default();
    options.clock = clock;
    options
}

fn append_at(store: &mut Store, now: i64, events: &[ream::NewEvent]) -> Result<(), Error> {
    NOW.set(now);
    store.append(events).map(|_| ())
}

/// What each event says: when it was recorded, and its time.
fn times(store: &Store) -> Vec<(i64, i64)> {
    let pair = |event: &ream::Event| (event.recorded.as_micros(), event.time.as_micros());
    everything(store).iter().map(pair).collect()
}

#[test]
fn the_clock_records_and_the_time_is_the_writers_or_the_same() {
    let fresh = store();
    let mut store = fresh.another_with(&by_the_clock());
    append_at(&mut store, NOON, &[event("s", "T"), event("s", "T").time(5)]).unwrap();
    append_at(&mut store, NOON + 1, &[event("s", "T").time(FIRST)]).unwrap();
    assert_eq!(times(&store), [(NOON, NOON), (NOON, 5), (NOON + 1, FIRST)]);
    assert_eq!(store.status().unwrap().last_recorded, Timestamp::from_micros(NOON + 1));
}

#[test]
fn a_time_lies_a_day_ahead_at_most() {
    let fresh = store();
    let mut store = fresh.another_with(&by_the_clock());
    append_at(&mut store, NOON, &[event("s", "T").time(NOON + DAY)]).unwrap();
    let refused = append_at(&mut store, NOON, &[event("s", "T").time(NOON + DAY + 1)]);
    match refused.unwrap_err() {
        Error::TimeAhead { time, recorded } => {
            assert_eq!((time.as_micros(), recorded.as_micros()), (NOON + DAY + 1, NOON));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(head(&store), 1);
}

#[test]
fn recorded_never_goes_back_even_if_the_clock_does() {
    let fresh = store();
    let mut store = fresh.another_with(&by_the_clock());
    for now in [NOON, NOON - DAY, NOON - 1, NOON + 7, 0] {
        append_at(&mut store, now, &[event("s", "T")]).unwrap();
    }
    let expected = [NOON, NOON, NOON, NOON + 7, NOON + 7];
    assert_eq!(times(&store), expected.map(|recorded| (recorded, recorded)));
    // A handle that has not seen the others' events goes by the log as well.
    let mut other = fresh.another_with(&by_the_clock());
    append_at(&mut other, 3, &[event("s", "T")]).unwrap();
    assert_eq!(times(&other)[5], (NOON + 7, NOON + 7));
    // A day ahead is a day ahead of the log's clock.
    append_at(&mut other, 3, &[event("s", "T").time(NOON + 7 + DAY)]).unwrap();
    assert!(append_at(&mut other, 3, &[event("s", "T").time(NOON + 8 + DAY)]).is_err());
}

#[test]
fn a_removal_is_recorded_by_the_same_clock() {
    let fresh = store();
    let mut store = fresh.another_with(&by_the_clock());
    append_at(&mut store, NOON, &[event("s", "T")]).unwrap();
    NOW.set(NOON - 5);
    store.remove(&["s".parse().unwrap()]).unwrap();
    assert_eq!(times(&store), [(NOON, NOON)]);
}

#[test]
fn since_and_until_are_inclusive_and_go_by_the_writers_time() {
    let fresh = store();
    let mut store = fresh.another_with(&by_the_clock());
    append_at(&mut store, NOON - 3 * DAY, &[event("s", "T"), event("s", "T").time(NOON - 2 * DAY)])
        .unwrap();
    append_at(&mut store, NOON, &[event("s", "T").time(10), event("s", "T")]).unwrap();
    append_at(&mut store, NOON + 1, &[event("s", "T"), event("s", "T").time(NOON + DAY)]).unwrap();
    let found = |since: Option<i64>, until: Option<i64>| {
        let mut query = Query::default();
        query.since = since.and_then(Timestamp::from_micros);
        query.until_time = until.and_then(Timestamp::from_micros);
        read(&store, &query).iter().map(|event| event.position.0).collect::<Vec<_>>()
    };
    assert_eq!(found(None, None), [1, 2, 3, 4, 5, 6]);
    assert_eq!(found(Some(NOON), None), [4, 5, 6]);
    assert_eq!(found(Some(NOON + 1), None), [5, 6]);
    assert_eq!(found(Some(NOON - 2 * DAY), None), [2, 4, 5, 6], "recorded a day earlier");
    assert_eq!(found(Some(NOON + DAY), None), [6]);
    assert_eq!(found(Some(NOON + DAY + 1), None), [0; 0]);
    assert_eq!(found(None, Some(NOON)), [1, 2, 3, 4]);
    assert_eq!(found(None, Some(NOON - 1)), [1, 2, 3]);
    assert_eq!(found(Some(11), Some(NOON - 3 * DAY)), [1]);
    assert_eq!(found(Some(FIRST), Some(LAST)), [1, 2, 3, 4, 5, 6]);
}
