//! Tests of what a program is told, and acks.

use super::*;
use crate::event::Link;

fn feed(positions: &[RangeInclusive<u64>]) -> Feed {
    let told = Told { runs: positions.iter().cloned().collect(), ..Told::default() };
    let shared = Arc::new(Shared { told: Mutex::new(told), ..Shared::default() });
    Feed { shared, waker: None, thread: None }
}

#[test]
fn an_ack_is_of_what_was_told_and_goes_on() {
    let feed = feed(&[3..=5, 9..=9, 12..=20]);
    let ack = |position| feed.ack(Position(position)).map(|acked| acked.events);
    assert_eq!(ack(4), Ok(2));
    assert_eq!(ack(4), Err("4 is acked already".into()));
    assert_eq!(ack(3), Err("3 is acked already".into()));
    assert_eq!(ack(9), Ok(2));
    assert_eq!(ack(15), Ok(4));
    assert_eq!(ack(20), Ok(5));
    assert_eq!(ack(21), Err("the event at 21 was not told".into()));
}

#[test]
fn an_ack_of_what_was_not_told_is_none() {
    let before = feed(&[3..=5]).ack(Position(2)).unwrap_err();
    assert_eq!(before, "the event at 2 was not told");
    let between = feed(&[3..=5, 9..=9]).ack(Position(7)).unwrap_err();
    assert_eq!(between, "the event at 7 was not told");
}

#[test]
fn what_is_kept_of_an_event_is_bounded() {
    let event = |position| ToldEvent {
        position: Position(position),
        link: Link::from_bytes(&[position.to_le_bytes()[0]; 16]).unwrap(),
        cause: None,
    };
    let many = RECENT as u64;
    let feed = feed(&[]);
    feed.told().add((1..=many).map(event).collect());
    feed.told().add((many + 1..=many + 3).map(event).collect());
    let link = |position| {
        let acked = feed.ack(Position(position)).unwrap();
        acked.told.map(|told| told.link)
    };
    assert_eq!(link(2), None);
    assert_eq!(link(4), Some(event(4).link));
    assert_eq!(link(many + 1), Some(event(many + 1).link));
    assert_eq!(link(many + 3), Some(event(many + 3).link));
    assert!(feed.told().recent.is_empty());
}

#[cfg(unix)]
#[test]
fn what_many_threads_append_is_told_once_in_order_and_acked() {
    use std::io::Read as _;
    use std::process::Command;
    use std::thread;

    use crate::event::{NewEvent, StreamName};
    use crate::platform::Pipes;
    use crate::store::{Options, Query, Store};

    const WRITERS: u64 = 4;
    const EACH: u64 = 50;
    let store = Store::in_memory(&Options::default()).unwrap();
    let follower = Follower::new(&store, &Query::default()).unwrap();
    let (mut process, Pipes { input, mut output, .. }) =
        Process::start(Command::new("cat")).unwrap();
    let source = Source { way: Way::Following(follower), with_causes: false };
    let feed = Feed::start(Events::default(), source, input, None).unwrap();
    let all = Position(WRITERS * EACH);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let mut store = store.again().unwrap();
            let stream: StreamName = format!("w-{writer}").parse().unwrap();
            scope.spawn(move || {
                for _ in 0..EACH {
                    let event = NewEvent::new(stream.clone(), "T".parse().unwrap());
                    store.append(&[event]).unwrap();
                }
            });
        }
        let acking = scope.spawn(|| {
            let (mut lines, mut told, mut acked) = (Vec::new(), 0, 0);
            while told < all.0 {
                process.wait(None, Some(&output), wait::INTERRUPTED).unwrap();
                // What is there, until that is all.
                let _ = output.read_to_end(&mut lines);
                let whole = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                for line in lines.drain(..whole).as_slice().split_inclusive(|byte| *byte == b'\n') {
                    told += 1;
                    let begin = format!("{{\"position\":{told},");
                    assert!(line.starts_with(begin.as_bytes()), "{begin}: {line:?}");
                }
                if told > acked {
                    let of = feed.ack(Position(told)).map(|acked| acked.events);
                    assert_eq!(of, Ok(told - acked));
                    acked = told;
                }
            }
        });
        let mut done = Position(0);
        while done < all && (!acking.is_finished() || feed.unacked().is_none()) {
            let now = feed.done_up_to().unwrap_or(done);
            assert!(now >= done, "{now} behind {done}");
            done = now;
            thread::yield_now();
        }
    });
    assert_eq!(feed.done_up_to(), Some(all));
    assert_eq!((feed.unacked(), feed.range()), (None, Some((Position(1), all))));
}
