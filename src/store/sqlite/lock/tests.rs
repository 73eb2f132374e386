//! Tests of the queues.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::*;

fn options(lock_timeout: Duration) -> Options {
    Options { lock_timeout, ..Options::default() }
}

/// A process waits once it holds the turnstile.
fn wait_until_locked(layout: &Layout, turnstile: &str) {
    let file = opened(layout, turnstile);
    while file.try_lock().is_ok() {
        file.unlock().unwrap();
        thread::yield_now();
    }
}

fn opened(layout: &Layout, name: &str) -> File {
    layout.place.open_file(name, Access::Create).unwrap()
}

#[test]
fn a_process_that_waits_for_one_lock_holds_up_no_other_queue() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::open(dir.path(), &Options::default()).unwrap();
    let queue = |name: &str| Queue::of_runner(&layout, name.into());
    let run = queue("seen").enter(&Options::default()).unwrap();
    let waiting = queue("seen");
    let waiter = thread::spawn({
        let mut waiting = waiting;
        move || drop(waiting.enter(&Options::default()).unwrap())
    });
    wait_until_locked(&layout, "seen.next");
    let mut rebuild = queue("seen.rebuild");
    for _ in 0..2 {
        rebuild.enter(&options(Duration::from_secs(1))).unwrap();
    }
    drop(run);
    waiter.join().unwrap();
}

#[test]
fn a_wait_ends_at_its_deadline_and_a_later_one_gets_its_turn() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::open(dir.path(), &Options::default()).unwrap();
    let queue = || Queue::of_writers(&layout);
    let turn = queue().enter(&Options::default()).unwrap();
    for timeout in [Duration::ZERO, Duration::from_millis(20)] {
        let error = queue().enter(&options(timeout)).unwrap_err();
        assert!(matches!(error, Error::Busy { waited } if waited == timeout), "{error}");
    }
    assert!(queue().try_enter().unwrap().is_none());
    drop(turn);
    // The two that gave up may still be in the queue; they give their turns back.
    queue().enter(&Options::default()).unwrap();
}

#[test]
fn who_comes_back_goes_behind_who_waits() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::open(dir.path(), &Options::default()).unwrap();
    let mut bulk = Queue::of_writers(&layout);
    let turn = bulk.enter(&Options::default()).unwrap();
    let (sender, receiver) = mpsc::channel();
    let waiting = layout.clone();
    let waiter = thread::spawn(move || {
        let turn = Queue::of_writers(&waiting).enter(&Options::default()).unwrap();
        sender.send("waiter").unwrap();
        drop(turn);
    });
    wait_until_locked(&layout, "turnstile");
    drop(turn);
    let _turn = bulk.enter(&Options::default()).unwrap();
    assert_eq!(receiver.try_recv(), Ok("waiter"));
    waiter.join().unwrap();
}

#[test]
fn who_comes_back_locks_the_file_that_others_lock() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::open(dir.path(), &Options::default()).unwrap();
    let mut queue = Queue::of_writers(&layout);
    for _ in 0..2 {
        assert!(queue.enter_now().unwrap().is_some());
    }
    for name in ["lock", "turnstile"] {
        std::fs::rename(dir.path().join(name), dir.path().join("old")).unwrap();
        let other = opened(&layout, name);
        other.lock().unwrap();
        assert!(queue.enter_now().unwrap().is_none(), "{name}");
        other.unlock().unwrap();
        assert!(queue.enter_now().unwrap().is_some(), "{name}");
    }
}

#[test]
fn who_would_not_wait_leaves_no_one_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::open(dir.path(), &Options::default()).unwrap();
    let turn = Queue::of_writers(&layout).enter(&Options::default()).unwrap();
    let mut queue = Queue::of_writers(&layout);
    for _ in 0..2 {
        let error = queue.enter(&options(Duration::ZERO)).unwrap_err();
        assert!(matches!(error, Error::Busy { .. }), "{error}");
        assert!(opened(&layout, "turnstile").try_lock().is_ok());
    }
    // And takes what is free, whoever waits to come first.
    drop(turn);
    let turnstile = opened(&layout, "turnstile");
    turnstile.lock().unwrap();
    queue.enter(&options(Duration::ZERO)).unwrap();
}

#[test]
fn who_is_stopped_in_the_queue_holds_up_no_one() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::open(dir.path(), &Options::default()).unwrap();
    let mut queue = Queue::of_writers(&layout);
    drop(queue.enter(&Options::default()).unwrap());
    // One that is stopped holds the turnstile and does not take the lock.
    let turnstile = opened(&layout, "turnstile");
    turnstile.lock().unwrap();
    for _ in 0..3 {
        queue.enter(&options(Duration::from_secs(30))).unwrap();
    }
    // One thread has waited for all of them.
    assert!(queue.waiter.as_ref().is_some_and(Waiter::goes_on));
    queue.waiter.as_ref().unwrap().give_up();
    // It goes on where it can, and takes nothing that is no longer wanted.
    turnstile.unlock().unwrap();
    while queue.waiter.as_ref().is_some_and(Waiter::goes_on) {
        queue.waiter.as_ref().unwrap().give_up();
        thread::yield_now();
    }
    drop(queue.enter(&options(Duration::from_secs(30))).unwrap());
    assert!(opened(&layout, "lock").try_lock().is_ok());
}

#[test]
fn an_interrupt_ends_the_wait() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::open(dir.path(), &Options::default()).unwrap();
    let queue = || Queue::of_writers(&layout);
    let _turn = queue().enter(&Options::default()).unwrap();
    let flag = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let options = Options { interrupt: Some(flag), ..Options::default() };
    assert!(matches!(queue().enter(&options), Err(Error::Interrupted)));
}

/// Lets others go on.
fn linger() {
    for _ in 0..20 {
        thread::yield_now();
    }
}

/// What each of many threads does in the queue, again and again.
fn queue_up(layout: &Layout, thread: u64, taken: &AtomicU64, inside: &AtomicBool) -> u64 {
    let mut queue = Queue::of_writers(layout);
    let mut turns = 0;
    for round in 0..60 {
        let turn = match (thread + 3 * round) % 5 {
            0 => queue.enter_now().unwrap(),
            1 => queue.try_enter().unwrap(),
            // Some give up, and do not come back at once: what they get then is given back.
            2 => {
                let turn = queue.enter(&options(Duration::from_micros(50))).ok();
                linger();
                turn
            }
            3 => {
                let flag = Arc::new(AtomicBool::new(true));
                let options = Options { interrupt: Some(flag), ..Options::default() };
                queue.enter(&options).ok()
            }
            _ => Some(queue.enter(&options(Duration::from_secs(60))).unwrap()),
        };
        if turn.is_some() {
            assert!(!inside.swap(true, Ordering::SeqCst), "two have the turn");
            // In two steps, which only one may be in.
            let before = taken.load(Ordering::SeqCst);
            linger();
            taken.store(before + 1, Ordering::SeqCst);
            turns += 1;
            inside.store(false, Ordering::SeqCst);
        }
    }
    turns
}

#[test]
fn many_threads_have_the_turn_one_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::open(dir.path(), &Options::default()).unwrap();
    let (taken, inside) = (AtomicU64::new(0), AtomicBool::new(false));
    let turns: u64 = thread::scope(|scope| {
        let threads = (0..16).map(|thread| {
            let (layout, taken, inside) = (&layout, &taken, &inside);
            scope.spawn(move || queue_up(layout, thread, taken, inside))
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(taken.into_inner(), turns);
    // Each that waited for good had its turns, and no one who gave up keeps any.
    assert!(turns >= 16 * 60 / 5, "{turns}");
    drop(Queue::of_writers(&layout).enter(&options(Duration::from_secs(60))).unwrap());
}
