//! Events that are pushed, from wherever they come.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::support::{Home, event};

/// Ends what another thread does, however the test ends.
struct EndOnDrop<'e>(&'e AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn what_is_there_comes_first_and_then_what_is_stored_by_anyone() {
    let home = Home::new();
    for number in 1..=200 {
        home.append("s", &number.to_string());
        if number % 50 == 0 {
            home.append("other", "0");
        }
    }
    let mut client = home.client();
    client.asks("EVENT SUBSCRIBE s 7\n", "EVENT SUBSCRIBED s 7 200\n");
    for number in 7..=200 {
        let json = number.to_string();
        client.gets(&format!("EVENT s {number} {}\n{json}\n", json.len()));
    }
    home.append("s", "\"beside\"");
    client.gets("EVENT s 201 8\n\"beside\"\n");
    home.append("other", "1");
    // One's own is acknowledged first.
    client.asks("EVENT PUBLISH s 2\n[]\n", "EVENT PUBLISHED s 202\nEVENT s 202 2\n[]\n");
    client.asks("EVENT UNSUBSCRIBE s\n", "EVENT UNSUBSCRIBED s\n");
    home.append("s", "1");
    client.asks("PING\n", "PONG\n");
}

#[test]
fn who_comes_first_while_others_publish_misses_nothing() {
    let home = Home::new();
    let (done, ended) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut publisher = home.client();
            while !ended.load(Ordering::Relaxed) {
                let number = done.load(Ordering::Relaxed) + 1;
                publisher.asks("EVENT PUBLISH s 1\n1\n", &format!("EVENT PUBLISHED s {number}\n"));
                done.store(number, Ordering::Relaxed);
            }
        });
        let _end = EndOnDrop(&ended);
        for _ in 0..20 {
            // No one else follows anything: what is stored meanwhile is not pushed.
            let mut client = home.client();
            let next = done.load(Ordering::Relaxed) + 1;
            client.asks(&format!("EVENT SUBSCRIBE s {next}\n"), "EVENT SUBSCRIBED s ");
            client.line();
            for number in next..next + 50 {
                client.gets(&format!("EVENT s {number} 1\n1\n"));
            }
        }
    });
}

#[test]
fn a_subscription_begins_where_it_may() {
    let home = Home::new();
    let mut client = home.client();
    client.asks("EVENT SUBSCRIBE s 1\n", "EVENT SUBSCRIBED s EMPTY\n");
    client.asks("EVENT SUBSCRIBE s 2\n", "EVENT NON SUBSCRIBED s \"the stream has ids up to 0\"\n");
    client.asks("EVENT SUBSCRIBE s 0\n", "EVENT NON SUBSCRIBED s \"the stream has ids up to 0\"\n");
    client.asks("EVENT SUBSCRIBE \"$ream\" 1\n", "EVENT NON SUBSCRIBED \"$ream\" \"");
    client.line();
    home.append("s", "1");
    client.gets("EVENT s 1 1\n1\n");
    // What follows the last one waits, and takes the place of the subscription before.
    client.asks("EVENT SUBSCRIBE s 2\n", "EVENT SUBSCRIBED s 2 1\n");
    home.append("s", "2");
    client.gets("EVENT s 2 1\n2\n");
    client
        .asks("EVENT SUBSCRIBE s 1\n", "EVENT SUBSCRIBED s 1 2\nEVENT s 1 1\n1\nEVENT s 2 1\n2\n");
    // What was redacted has nothing to say, and is there.
    home.open().redact(&[ream::Position(1)], "because", ream::Redaction::default()).unwrap();
    client
        .asks("EVENT SUBSCRIBE s 1\n", "EVENT SUBSCRIBED s 1 2\nEVENT s 1 2\n{}\nEVENT s 2 1\n2\n");
    home.open().remove(&["s".parse().unwrap()]).unwrap();
    client.asks("EVENT SUBSCRIBE s 1\n", "EVENT SUBSCRIBED s 3 2\n");
    home.append("s", "3");
    client.gets("EVENT s 3 1\n3\n");
}

#[test]
fn a_pass_has_all_that_its_patterns_match_in_the_order_of_the_log() {
    let home = Home::new();
    for (stream, json) in [("order-1", "1"), ("cart-1", "2"), ("order-2", "3"), ("else", "4")] {
        home.append(stream, json);
    }
    let mut client = home.client();
    client.asks("REAM 1.1\n", "REAM 1.1\n");
    client.asks(
        "EVENT SUBSCRIBE \"order-*\" FROM 6\n",
        "EVENT NON SUBSCRIBED \"order-*\" \"the log has positions up to 4\"\n",
    );
    client.asks("EVENT SUBSCRIBE \"order-*\" FROM 2\n", "EVENT SUBSCRIBED \"order-*\" FROM 2\n");
    client.gets("EVENT \"order-2\" 1 1 POSITION 3 TYPE T\n3\n");
    let mut store = home.open();
    let mut bytes = event("order-3", "0");
    bytes.data = ream::Data::Bytes(b"\0".as_slice().into());
    bytes.metadata = Some("{}".parse().unwrap());
    store.append(&[event("cart-2", "5"), bytes]).unwrap();
    client.gets("EVENT \"order-3\" 1 1 POSITION 6 TYPE T BYTES META 2\n\0\n{}\n");
    client.asks(
        "EVENT SUBSCRIBE \"*\" FROM 1\n",
        "EVENT NON SUBSCRIBED \"*\" \"the pass of this connection stands at 7\"\n",
    );
    client.asks("EVENT SUBSCRIBE \"*\" FROM 7\n", "EVENT SUBSCRIBED \"*\" FROM 7\n");
    // Both match, and it comes once.
    home.append("order-1", "7");
    client.gets("EVENT \"order-1\" 2 1 POSITION 7 TYPE T\n7\n");
    client.asks("EVENT UNSUBSCRIBE \"*\"\n", "EVENT UNSUBSCRIBED \"*\"\n");
    home.append("cart-3", "8");
    home.append("order-1", "9");
    client.gets("EVENT \"order-1\" 3 1 POSITION 9 TYPE T\n9\n");
}

#[test]
fn who_does_not_read_keeps_no_one_waiting_and_misses_nothing() {
    let home = Home::new();
    let (mut slow, mut other) = (home.client(), home.client());
    slow.asks("EVENT SUBSCRIBE s 1\n", "EVENT SUBSCRIBED s EMPTY\n");
    let text = format!("\"{}\"", "x".repeat(2000));
    let (mut store, events) = (home.open(), vec![event("s", &text); 100]);
    for _ in 0..30 {
        store.append(&events).unwrap();
        other.asks("PING\n", "PONG\n");
    }
    for id in 1..=3000 {
        slow.gets(&format!("EVENT s {id} 2002\n{text}\n"));
    }
    // And it is with the others again.
    home.append("s", "1");
    slow.gets("EVENT s 3001 1\n1\n");
}

#[test]
fn many_followers_get_all_in_order() {
    let home = Home::new();
    let followers: Vec<_> = (0..40)
        .map(|number| {
            let mut client = home.client();
            let stream = format!("s{}", number % 4);
            client.asks(
                &format!("EVENT SUBSCRIBE {stream} 1\n"),
                &format!("EVENT SUBSCRIBED {stream} EMPTY\n"),
            );
            std::thread::spawn(move || {
                for id in 1..=100 {
                    client.gets(&format!("EVENT {stream} {id} 1\n1\n"));
                }
            })
        })
        .collect();
    let publishers: Vec<_> = (0..4)
        .map(|number| {
            let mut client = home.client();
            std::thread::spawn(move || {
                for id in 1..=100 {
                    let published = format!("EVENT PUBLISHED s{number} {id}\n");
                    client.asks(&format!("EVENT PUBLISH s{number} 1\n1\n"), &published);
                }
            })
        })
        .collect();
    for thread in publishers.into_iter().chain(followers) {
        thread.join().unwrap();
    }
}
