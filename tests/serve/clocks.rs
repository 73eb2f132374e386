//! A clock that jumps under a server. What it waits for goes by another clock, which `tests/house` holds it to.

use std::sync::atomic::{AtomicI64, Ordering};

use ream::serve::ServeOptions;
use ream::{Options, Query, Timestamp};

use crate::support::Home;

const NOON: i64 = 1_795_409_353_784_077;
const HOUR: i64 = Timestamp::DAY / 24;

static NOW: AtomicI64 = AtomicI64::new(NOON);

fn clock() -> Timestamp {
    Timestamp::from_micros(NOW.load(Ordering::Relaxed)).unwrap()
}

/// What each event says: when it was recorded, and its time.
fn times(home: &Home) -> Vec<(i64, i64)> {
    let mut times = Vec::new();
    let mut note = |event: &ream::EventRef<'_>| {
        times.push((event.recorded.as_micros(), event.time.as_micros()));
    };
    let mut reader = home.open().read(&Query::default()).unwrap();
    while !reader.next_batch(&mut note).unwrap().caught_up {}
    times
}

#[test]
fn when_the_clock_jumps_the_log_never_goes_back_and_no_one_is_sent_away() {
    let mut store = Options::default();
    store.clock = clock;
    let home = Home::with_http_on(&store, ServeOptions::default());
    let (mut client, mut follower) = (home.client(), home.client());
    follower.asks("EVENT SUBSCRIBE s 1\n", "EVENT SUBSCRIBED s EMPTY\n");
    let mut browser = home.browser();
    let bearer = "Authorization: Bearer t-append";
    let (mut version, mut last, mut expected) = (0, NOON, Vec::new());
    for jump in [0, 6 * HOUR, -6 * HOUR, -30 * Timestamp::DAY, 12 * HOUR] {
        NOW.store(NOON + jump, Ordering::Relaxed);
        last = last.max(NOON + jump);
        // By each of the ways to append there is.
        client.asks("EVENT PUBLISH s 1\n1\n", &format!("EVENT PUBLISHED s {}\n", version + 1));
        let body = "{\"stream\":\"s\",\"type\":\"T\"}\n";
        for (request, body) in [
            ("POST /streams/s?type=T".to_owned(), "1"),
            ("POST /events".into(), body),
            ("POST /events?atomic=true".into(), body),
        ] {
            assert_eq!(browser.asks(&request, bearer, body).status, 200, "{request}");
        }
        expected.extend([(last, last); 4]);
        // Times of one's own lie a day ahead of the log's clock at most, wherever the other one is.
        let at = |micros: i64| {
            let time = Timestamp::from_micros(micros).unwrap();
            format!("POST /streams/s?type=T&time={time}")
        };
        let ahead = browser.asks(&at(last + Timestamp::DAY), bearer, "1");
        assert_eq!(ahead.status, 200, "{ahead:?}");
        expected.push((last, last + Timestamp::DAY));
        let too_far = browser.asks(&at(last + Timestamp::DAY + 1), bearer, "1");
        assert_eq!(too_far.status, 422, "{too_far:?}");
        for _ in 0..5 {
            version += 1;
            let line = follower.line();
            assert!(line.starts_with(&format!("EVENT s {version} ")), "{line}");
            follower.line();
        }
    }
    assert_eq!(times(&home), expected);
    // None was asked whether it is there.
    follower.asks("PING\n", "PONG\n");
    client.asks("PING\n", "PONG\n");
    home.end();
}
