//! Followers read what is there and then what comes, in order, without a gap or a repeat.

use std::sync::mpsc;
use std::thread;

use ream::{Follower, Mark, Position, Query, Version};

use crate::store;
use crate::support::{Build as _, event, numbered, query};

/// What has come so far, until the follower has caught up.
fn catch_up(follower: &mut Follower, seen: &mut Vec<u64>) -> bool {
    loop {
        let batch = follower.next_batch(|event| seen.push(event.position.0)).unwrap();
        if batch.caught_up {
            return batch.finished;
        }
    }
}

#[test]
fn a_follower_sees_what_is_there_and_then_what_comes() {
    for patterns in [&["a"][..], &["a*", "b"], &[]] {
        let mut store = store();
        store.append(&numbered("a", 70)).unwrap();
        let mut follower = Follower::new(&store, &query(patterns)).unwrap();
        let mut seen = Vec::new();
        assert!(!catch_up(&mut follower, &mut seen));
        assert_eq!(seen.len(), 70);
        for count in [1, 63, 64, 130] {
            store.append(&numbered("a", count)).unwrap();
            assert!(follower.wait().unwrap());
            while !catch_up(&mut follower, &mut seen) && (seen.len() as u64) < store_head(&store) {
                assert!(follower.wait().unwrap());
            }
        }
        assert_eq!(seen, (1..=328).collect::<Vec<_>>(), "{patterns:?}");
    }
}

fn store_head(store: &ream::Store) -> u64 {
    store.status().unwrap().head.0
}

#[test]
fn a_follower_of_what_does_not_exist_yet_sees_it_come() {
    let mut store = store();
    store.append(&numbered("other", 3)).unwrap();
    for (patterns, first) in [(&["new"][..], 4), (&["ne*"], 5)] {
        let mut follower = Follower::new(&store, &query(patterns)).unwrap();
        let mut seen = Vec::new();
        catch_up(&mut follower, &mut seen);
        let before = seen.len();
        store.append(&[event("new", "T")]).unwrap();
        while seen.len() == before {
            assert!(follower.wait().unwrap());
            catch_up(&mut follower, &mut seen);
        }
        assert_eq!(seen.last(), Some(&first), "{patterns:?}");
    }
}

#[test]
fn only_new_events_are_those_behind_the_head_at_the_start() {
    let mut store = store();
    store.append(&numbered("a", 5)).unwrap();
    let mut only_new = Query::default();
    only_new.new = true;
    let mut follower = Follower::new(&store, &only_new).unwrap();
    store.append(&numbered("a", 2)).unwrap();
    let mut seen = Vec::new();
    catch_up(&mut follower, &mut seen);
    assert_eq!(seen, [6, 7]);
}

#[test]
fn a_follower_ends_where_its_limit_or_its_end_is_met() {
    let mut store = store();
    store.append(&numbered("a", 3)).unwrap();
    let mut queries = [query(&["a"]), query(&["a"]), query(&["a"]), query(&[])];
    queries[0].limit = Some(5);
    queries[1].until = Some(Mark::Position(Position(5)));
    queries[2].until = Some(Mark::Version(Version(5)));
    queries[3].limit = Some(5);
    let mut followers = queries.map(|query| (Follower::new(&store, &query).unwrap(), Vec::new()));
    for (follower, seen) in &mut followers {
        assert!(!catch_up(follower, seen));
    }
    store.append(&numbered("a", 4)).unwrap();
    for (follower, seen) in &mut followers {
        assert!(catch_up(follower, seen));
        assert_eq!(*seen, [1, 2, 3, 4, 5]);
        let batch = follower.next_batch(|event| panic!("{event:?}")).unwrap();
        assert!(batch.finished);
    }
}

#[test]
fn a_follower_may_wait_at_the_next_position_and_not_beyond() {
    let mut store = store();
    store.append(&numbered("a", 2)).unwrap();
    let mut query = Query::default();
    query.after = Some(Mark::Position(Position(2)));
    assert!(Follower::new(&store, &query).is_ok());
    query.after = Some(Mark::Position(Position(3)));
    assert!(Follower::new(&store, &query).is_err());
}

#[test]
fn a_waker_ends_the_wait_from_another_thread() {
    let store = store();
    let mut follower = Follower::new(&store, &Query::default()).unwrap();
    let waker = follower.waker();
    let (sender, receiver) = mpsc::channel();
    let waiting = thread::spawn(move || {
        sender.send(()).unwrap();
        follower.wait().unwrap()
    });
    receiver.recv().unwrap();
    waker.wake();
    assert!(!waiting.join().unwrap());
}

#[test]
fn many_writers_are_followed_in_order() {
    let store = store();
    let mut follower = Follower::new(&store, &Query::default()).unwrap();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let mut store = store.another();
            thread::spawn(move || {
                for number in 0..25 {
                    let event = event(&format!("w-{writer}"), "T").data(&number.to_string());
                    store.append(&[event]).unwrap();
                }
            })
        })
        .collect();
    let mut seen = Vec::new();
    while seen.len() < 100 {
        assert!(follower.wait().unwrap());
        catch_up(&mut follower, &mut seen);
    }
    for writer in writers {
        writer.join().unwrap();
    }
    assert_eq!(seen, (1..=100).collect::<Vec<_>>());
}
