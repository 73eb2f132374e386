//! What ends a follower.

use std::fs;

use rustix::process::Signal;

use super::event;
use crate::harness::ream;

#[test]
fn a_limit_ends_it_when_it_is_met() {
    let shop = ream();
    shop.fill("s", 2);
    assert_eq!(shop.run(["tail", "--limit", "2"]).values().len(), 2);
    shop.run(["tail", "--limit", "0"]).stdout("");
    let mut tail = shop.run(["tail", "--limit", "3"]).start();
    tail.hears(&event(1, 1)).hears(&event(2, 2));
    shop.append("s", "T", "3").ok();
    tail.hears(&event(3, 3)).ends_by_itself();
}

#[test]
fn until_a_position_ends_it_when_that_is_reached() {
    let shop = ream();
    shop.fill("s", 2);
    assert_eq!(shop.run(["tail", "--until", "1"]).values().len(), 1);
    assert_eq!(shop.run(["tail", "--until", "2"]).values().len(), 2);
    shop.run(["tail", "--until", "1", "--after", "2"]).stdout("");
    let mut tail = shop.run(["tail", "s", "--until", "3"]).start();
    tail.hears(&event(1, 1)).hears(&event(2, 2));
    // The position is reached by an event of another stream.
    shop.append("other", "T", "1").ok();
    tail.ends(0);
}

#[test]
fn until_a_version_ends_it_when_that_is_reached() {
    let shop = ream();
    shop.fill("s", 2);
    assert_eq!(shop.run(["tail", "s", "--until", "@1"]).values().len(), 1);
    let mut tail = shop.run(["tail", "s", "--until", "@3"]).start();
    tail.hears(&event(1, 1)).hears(&event(2, 2));
    shop.append("s", "T", "3").ok();
    tail.hears(&event(3, 3)).ends_by_itself();
}

#[test]
fn a_version_that_is_passed_already_ends_it_at_once() {
    let shop = ream();
    shop.fill("s", 3);
    shop.run(["tail", "s", "--until", "@2", "--after", "@2"]).stdout("");
    shop.run(["tail", "s", "--until", "@2", "--new"]).stdout("");
    shop.run(["tail", "s", "--until", "@0"]).stdout("");
}

#[test]
fn a_version_whose_event_is_removed_ends_it_all_the_same() {
    let shop = ream();
    shop.fill("s", 3).run(["stream", "rm", "s", "--yes"]).ok();
    shop.run(["tail", "s", "--until", "@2"]).stdout("");
}

#[test]
fn until_a_time_ends_it_when_the_clock_has_passed_it() {
    let shop = ream();
    shop.fill("s", 1);
    assert_eq!(shop.run(["tail", "--until", "2020-01-01T00:00:00Z"]).text(), "");
    let soon = (jiff::Timestamp::now() + jiff::SignedDuration::from_millis(400)).to_string();
    let begun = std::time::Instant::now();
    let mut tail = shop.run(["tail", "--until", &soon]).start();
    tail.hears(&event(1, 1));
    tail.ends(0);
    assert!(begun.elapsed().as_millis() >= 350, "it ended after {:?}", begun.elapsed());
}

#[test]
fn a_reader_that_leaves_ends_it_though_nothing_comes() {
    let shop = ream();
    shop.fill("s", 3);
    // `head` has gone, and nothing more is written that could fail.
    shop.sh("{ \"$REAM\" tail; echo $? >code; } | head -n 3 >/dev/null").stdout("");
    assert_eq!(fs::read_to_string(shop.path("code")).unwrap(), "0\n");
    shop.sh("{ \"$REAM\" tail --new; echo $? >code; } | true").stdout("");
    assert_eq!(fs::read_to_string(shop.path("code")).unwrap(), "0\n");
}

#[test]
fn a_signal_ends_it_while_it_waits() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let shop = ream();
        shop.fill("s", 1);
        let mut tail = shop.run(["tail"]).start();
        tail.hears(&event(1, 1)).signal(signal);
        tail.ends(code);
    }
}
