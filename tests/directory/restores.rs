//! Restoring: a backup becomes a store, whole or up to an event.

use std::path::Path;

use ream::{
    Event, Expect, NewBackup, NewSubscription, Options, Position, RestoreUntil, Restored, Store,
    StreamName, Verification, Version,
};

use crate::store;
use crate::support::{Build as _, Fresh, event, everything, head, numbered};

/// Streams of several pages, one of them removed, with states, and a subscription at the head.
fn mixed() -> Fresh {
    let mut store = store();
    for number in 0..70_u64 {
        let events: Vec<_> =
            ["a", "b", "c"].iter().map(|name| event(name, "T").data(&number.to_string())).collect();
        store.append(&events).unwrap();
        if number == 30 {
            let state = event("b", "T").expect(Expect::At(Version(31))).state("31");
            store.append(&[state]).unwrap();
            store.remove(&["c".parse().unwrap()]).unwrap();
        }
    }
    let state = event("a", "T").expect(Expect::At(Version(70))).state("70");
    store.append(&[state]).unwrap();
    let name = "hook".parse().unwrap();
    let new = NewSubscription::of(name, Vec::new());
    let end = store.head().unwrap();
    store.subscribe(&new, end).unwrap();
    store.backup(&backup(&store), &NewBackup::default(), &mut |_| ()).unwrap();
    store
}

fn backup(store: &Fresh) -> std::path::PathBuf {
    store.home().join("backup")
}

fn restore(store: &Fresh, name: &str, until: Option<RestoreUntil>) -> (Restored, Store) {
    let path = store.home().join(name);
    let options = Options::default();
    let restored = Store::restore(&backup(store), &path, until, &options, &mut |_| ()).unwrap();
    (restored, open(&path))
}

fn open(path: &Path) -> Store {
    let store = Store::open(path, &Options::default()).unwrap();
    store.check().unwrap();
    let verified = store.verify(&Verification::default(), &mut |told| {
        assert!(matches!(told, ream::Verifying::Passed { .. }), "{told:?}");
    });
    assert_eq!(verified.unwrap().findings, 0);
    store
}

/// The events of a restored store, but for the one that says that it was restored.
#[track_caller]
fn restored_events(store: &Store) -> Vec<Event> {
    let mut events = everything(store);
    let record = events.pop().unwrap();
    assert_eq!(
        (&*record.stream.to_string(), record.event_type.as_str()),
        ("$ream", "StoreRestored")
    );
    assert_eq!(record.position, store.head().unwrap());
    events
}

#[test]
fn a_restored_store_is_the_one_that_was_backed_up_and_goes_on() {
    let mut store = mixed();
    let (restored, mut copy) = restore(&store, "copy", None);
    assert_eq!(restored_events(&copy), everything(&store));
    assert_eq!(copy.id(), store.id());
    assert_eq!(restored.head, restored.backup.head);
    assert_eq!(restored.dropped, ream::Dropped::default());
    let states = |store: &Store| store.states(&ream::Pattern::all(), None, 9).unwrap();
    assert_eq!(states(&copy), states(&store));
    assert_eq!(copy.subscriptions().unwrap(), store.subscriptions().unwrap());
    // It knows where it comes from.
    let kept = [backup(&store).canonicalize().unwrap()];
    assert_eq!(copy.backups_of(&"a".parse().unwrap()).unwrap(), kept);
    // Each goes its own way from here.
    let (here, there) = (store.append(&numbered("a", 1)), copy.append(&numbered("a", 2)));
    assert_eq!(here.unwrap()[0].version, there.unwrap()[0].version);
    open(copy.path().unwrap());
}

#[test]
fn the_log_ends_at_the_event_that_is_said() {
    let store = mixed();
    let all = everything(&store);
    let last = head(&store);
    for until in [0, 1, 2, 90, 95, 96, 97, 191, 192, 193, 194, last - 1, last] {
        let at = Some(RestoreUntil::Position(Position(until)));
        let (restored, mut copy) = restore(&store, &until.to_string(), at);
        let kept: Vec<_> = all.iter().filter(|event| event.position.0 <= until).cloned().collect();
        assert_eq!(restored_events(&copy), kept, "{until}");
        assert_eq!(restored.head, store.checkpoint(Position(until)).unwrap());
        assert_eq!(restored.dropped.events, last - until);
        for stream in ["a", "b"] {
            let of = all.iter().filter(|event| event.stream.as_str() == stream);
            let kept = of.filter(|event| event.position.0 <= until).count() as u64;
            assert_eq!(copy.version(stream).unwrap().0, kept, "{stream} {until}");
        }
        let dropped = restored.dropped.states.iter().map(StreamName::as_str);
        let dropped: Vec<_> = dropped.collect();
        let is_behind = |name: &&str| store.state(name).unwrap().position.0 > until;
        let behind = ["a", "b"].into_iter().filter(is_behind);
        assert_eq!(dropped, behind.collect::<Vec<_>>(), "{until}");
        let checkpoint = store.subscription("hook").unwrap().checkpoint;
        let is_moved = checkpoint.position > restored.head.position;
        let moved = if is_moved { vec!["hook".to_owned()] } else { Vec::new() };
        assert_eq!(restored.dropped.subscriptions, moved);
        let expected = if is_moved { restored.head } else { checkpoint };
        assert_eq!(copy.subscription("hook").unwrap().checkpoint, expected);
        copy.append(&numbered("a", 70)).unwrap();
        assert_eq!(head(&copy), until + 71);
        open(copy.path().unwrap());
    }
    let path = store.home().join("beyond");
    let until = Some(RestoreUntil::Position(Position(last + 1)));
    let beyond = Store::restore(&backup(&store), &path, until, &Options::default(), &mut |_| ())
        .unwrap_err();
    assert!(matches!(beyond, ream::Error::BeyondHead { .. }), "{beyond}");
    assert!(!path.exists());
}

#[test]
fn the_log_ends_at_the_last_event_that_was_recorded_by_then() {
    let store = mixed();
    let all = everything(&store);
    let times = [all[0].recorded, all[100].recorded, all[all.len() - 1].recorded];
    let before = all[0].recorded.plus_micros(-1);
    for (number, time) in [before].into_iter().chain(times).enumerate() {
        let recorded = all.iter().filter(|event| event.recorded <= time);
        let last = recorded.map(|event| event.position.0).max().unwrap_or_default();
        let (restored, _) = restore(&store, &number.to_string(), Some(RestoreUntil::Time(time)));
        // Those of a stream that was removed are not among those that are read.
        assert!(restored.head.position.0 >= last, "{time}");
        let next = all.iter().find(|event| event.recorded > time);
        assert!(next.is_none_or(|next| restored.head.position < next.position), "{time}");
    }
}
