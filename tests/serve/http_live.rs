//! Events over HTTP as they come.

use std::time::{Duration, Instant};

use ream::serve::ServeOptions;
use ream::{Query, wire};

use crate::http::Browser;
use crate::support::{Home, event};

fn home() -> Home {
    Home::with_http(ServeOptions::default())
}

/// Who follows, after the head of the answer.
pub(crate) fn follows(home: &Home, query: &str, head: &str) -> Browser {
    let mut browser = home.browser();
    let accept = "Accept: text/event-stream\r\nAuthorization: Bearer t-read\r\n";
    browser.send(format!("GET /events{query} HTTP/1.1\r\nHost: localhost\r\n{accept}{head}\r\n"));
    let answer = browser.head();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    browser
}

/// What is told of the event at a position: with its cursor, and as it is read.
fn told(home: &Home, position: u64) -> (String, String) {
    let mut line = Vec::new();
    let mut cursor = String::new();
    let mut reader = home.open().read(&Query::default()).unwrap();
    let mut note = |event: &ream::EventRef<'_>| {
        if event.position.0 == position {
            wire::write_event(&mut line, event);
            let mut id = Vec::new();
            wire::write_derived_id(&mut id, &event.link, event.position);
            cursor = format!("{position}-{}", String::from_utf8_lossy(&id[..8]));
        }
    };
    while !reader.next_batch(&mut note).unwrap().caught_up {}
    let line = String::from_utf8(line).unwrap();
    (format!("id: {cursor}\ndata: {line}\n"), cursor)
}

/// All that comes until so many events have.
pub(crate) fn events(browser: &mut Browser, count: usize) -> String {
    let mut events = String::new();
    while events.matches("\n\n").count() < count {
        events.push_str(&browser.piece().expect("it goes on"));
    }
    events
}

#[test]
fn what_is_there_comes_first_and_then_what_is_stored_by_anyone() {
    let home = home();
    home.append("s", "1");
    home.append("other", "2");
    let mut browser = follows(&home, "?stream=s", "");
    assert_eq!(events(&mut browser, 1), told(&home, 1).0);
    home.append("other", "3");
    home.append("s", "4");
    assert_eq!(events(&mut browser, 1), told(&home, 4).0);
    home.asks("t-append", "POST /streams/s?type=T", "5");
    assert_eq!(events(&mut browser, 1), told(&home, 5).0);
    let mut named = follows(&home, "?type=Other&after=5", "");
    home.append("s", "6");
    home.asks("t-append", "POST /streams/s?type=Other", "7");
    assert_eq!(events(&mut named, 1), told(&home, 7).0);
    assert_eq!(events(&mut browser, 2), told(&home, 6).0 + &told(&home, 7).0);
    // Who wants no more than so many gets no more.
    let mut some = follows(&home, "?limit=2&from=3", "");
    assert_eq!(events(&mut some, 2), told(&home, 3).0 + &told(&home, 4).0);
    assert_eq!(some.piece(), None);
}

#[test]
fn who_was_cut_off_goes_on_behind_what_was_told_last() {
    let home = home();
    for number in 1..=3 {
        home.append("s", &number.to_string());
    }
    let (_, cursor) = told(&home, 2);
    let third = told(&home, 3).0;
    for (query, head) in [
        (format!("?after={cursor}"), String::new()),
        ("?after=2".into(), String::new()),
        (String::new(), format!("Last-Event-ID: {cursor}\r\n")),
        // What was told last goes before what was asked for at first.
        ("?after=0".into(), format!("Last-Event-ID: {cursor}\r\n")),
        ("?from=1".into(), "Last-Event-ID: 2\r\n".into()),
        ("?last=1".into(), "Last-Event-ID:\r\n".into()),
    ] {
        let mut browser = follows(&home, &query, &head);
        assert_eq!(events(&mut browser, 1), third, "{query} {head}");
    }
    // A reader may go on there as well.
    let read = home.asks("t-read", &format!("GET /events?after={cursor}"), "");
    assert_eq!(read.body.lines().count(), 1);
    // One of another log is none.
    let refused = |head: &str| {
        let head = format!("Authorization: Bearer t-read\nAccept: text/event-stream\n{head}");
        home.browser().asks("GET /events", &head, "")
    };
    for wrong in ["2-00000000", "4-00000000", "0-00000000"] {
        refused(&format!("Last-Event-ID: {wrong}")).is_problem(410, "other-log");
        home.asks("t-read", &format!("GET /events?after={wrong}"), "").is_problem(410, "other-log");
    }
    refused("Last-Event-ID: x").is_problem(400, "bad-request");
    refused("Last-Event-ID: 4").is_problem(422, "beyond-head");
}

#[test]
fn a_token_may_stand_in_the_address_of_a_stream_alone() {
    let home = home();
    let mut browser = home.browser();
    let target = "GET /events?access_token=t-read";
    browser.asks(target, "", "").is_problem(401, "unauthorized");
    browser
        .asks("POST /events?access_token=t-append", "Accept: text/event-stream", "")
        .is_problem(401, "unauthorized");
    browser.send("GET /events?access_token=t-read HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    let answer = browser.head();
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    home.append("s", "1");
    assert_eq!(events(&mut browser, 1), told(&home, 1).0);
}

#[test]
fn a_silent_stream_gets_comments_and_a_last_one_when_the_server_ends() {
    let mut options = ServeOptions::default();
    options.keep_alive = Duration::from_millis(100);
    let home = Home::with_http(options);
    let mut browser = follows(&home, "", "");
    assert_eq!(browser.piece().as_deref(), Some(": \n\n"));
    assert_eq!(browser.piece().as_deref(), Some(": \n\n"));
    home.stop();
    let mut last = browser.piece();
    while last.as_deref() == Some(": \n\n") {
        last = browser.piece();
    }
    assert_eq!(last.as_deref(), Some(": the server is ending\n\n"));
    assert_eq!(browser.piece(), None);
    home.end();
}

#[test]
fn who_does_not_read_is_in_nobody_s_way_and_gets_all_when_it_does() {
    let home = home();
    let mut slow = follows(&home, "", "");
    let large = format!("\"{}\"", "x".repeat(10_000));
    let events_each: Vec<_> = (0..100).map(|_| event("s", &large)).collect();
    let mut store = home.open();
    // More than its socket and the server keep for it.
    for _ in 0..20 {
        store.append(&events_each).unwrap();
    }
    let mut quick = follows(&home, "?after=1999", "");
    assert_eq!(events(&mut quick, 1), told(&home, 2000).0);
    let all = events(&mut slow, 2000);
    let ids: Vec<_> = all.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    let positions: Vec<u64> =
        ids.iter().map(|id| id.split_once('-').unwrap().0.parse().unwrap()).collect();
    assert_eq!(positions, (1..=2000).collect::<Vec<_>>());
}

#[test]
fn many_follow_and_each_gets_its_own_in_order() {
    let home = home();
    let mut following: Vec<_> =
        (0..40).map(|number| follows(&home, &format!("?stream=s-{}", number % 10), "")).collect();
    for round in 0..20 {
        for number in 0..10 {
            home.append(&format!("s-{number}"), &round.to_string());
        }
    }
    for browser in &mut following {
        let all = events(browser, 20);
        let versions: Vec<_> = all
            .split("\"version\":")
            .skip(1)
            .map(|part| part.split(',').next().unwrap().parse::<u64>().unwrap())
            .collect();
        assert_eq!(versions, (1..=20).collect::<Vec<_>>());
    }
}

#[test]
fn who_asks_for_nothing_makes_room_and_who_follows_does_not() {
    let mut options = ServeOptions::default();
    options.max_connections = 2;
    let home = Home::with_http(options);
    let mut follower = follows(&home, "", "");
    let mut idle = home.browser();
    idle.asks("GET /health", "", "").is(200, "");
    let (begun, mut refused) = (Instant::now(), 0);
    let mut next = loop {
        let mut next = home.browser();
        next.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
        if next.answer().status == 200 {
            break next;
        }
        refused += 1;
        assert!(!idle.hears_within(Duration::from_millis(200)), "it makes room too early");
        assert!(begun.elapsed() < Duration::from_secs(60));
    };
    assert!(refused > 0 && begun.elapsed() > Duration::from_secs(9), "{refused}");
    assert_eq!(idle.rest(), "");
    home.append("s", "1");
    assert!(events(&mut follower, 1).contains("\"stream\":\"s\""));
    next.asks("GET /health", "", "").is(200, "");
}
