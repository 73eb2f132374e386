//! Retention: what is older or more than it may be goes when it is pruned, and not before all have done it.

use std::path::Path;
use std::time::Duration;

use ream::{
    Definition, NewSubscription, Pattern, Position, ProjectionEntry, Retained, Retention, Schema,
    StreamName, Timestamp,
};

use crate::store;
use crate::support::{Build as _, Fresh, acts, event, everything, numbered, query, read, versions};

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

fn count(count: u64) -> Retention {
    Retention { max_count: Some(count), ..Retention::default() }
}

/// The streams `a` and `b` with 10 events each.
fn two() -> Fresh {
    let mut store = store();
    store.append(&numbered("a", 10)).unwrap();
    store.append(&numbered("b", 10)).unwrap();
    store
}

fn left(store: &Fresh, stream: &str) -> Vec<u64> {
    versions(&read(store, &query(&[stream])))
}

#[test]
fn what_is_set_is_kept_and_recorded_where_it_changes() {
    let mut store = two();
    assert_eq!(store.retained().unwrap(), []);
    let both = Retention { max_age: Some(Duration::from_secs(86_400)), max_count: Some(7) };
    for retention in [both, both, count(7), Retention::default(), Retention::default()] {
        store.set_retention(&pattern("a*"), retention).unwrap();
        let known = store.retained().unwrap();
        let set = Retained { pattern: pattern("a*"), retention };
        assert_eq!(known, Vec::from_iter((retention != Retention::default()).then_some(set)));
    }
    let told: Vec<_> =
        acts(&store).into_iter().map(|(act, data)| format!("{act} {data}")).collect();
    assert_eq!(
        told,
        [
            r#"RetentionSet {"pattern":"a*","max_age_seconds":86400,"max_count":7}"#,
            r#"RetentionSet {"pattern":"a*","max_count":7}"#,
            r#"RetentionSet {"pattern":"a*"}"#,
        ]
    );
}

#[test]
fn what_is_too_much_or_too_old_goes_when_it_is_pruned() {
    let mut store = two();
    let time = |days: i64| Timestamp::now().as_micros() - days * 86_400_000_000;
    let events = [40, 20, 5, 1].map(|days| event("c", "T").time(time(days)));
    store.append(&events).unwrap();
    store.set_retention(&pattern("a"), count(3)).unwrap();
    store.set_retention(&pattern("*"), count(8)).unwrap();
    let age = Retention { max_age: Some(Duration::from_secs(10 * 86_400)), max_count: None };
    store.set_retention(&pattern("c*"), age).unwrap();
    let before = everything(&store);
    let would = store.prunable(false).unwrap();
    assert_eq!(everything(&store), before);
    assert_eq!(store.prune(false).unwrap().removed, would);
    assert_eq!(left(&store, "a"), [8, 9, 10]);
    assert_eq!(left(&store, "b").len(), 8);
    assert_eq!(left(&store, "c"), [3, 4]);
    assert_eq!(store.prune(false).unwrap().removed, []);
}

#[test]
fn what_a_subscription_has_not_done_stays_and_what_is_protected() {
    let mut store = two();
    let follows = NewSubscription::of("mail".parse().unwrap(), vec![pattern("a")]);
    store.subscribe(&follows, Position(4)).unwrap();
    store.protect(&["b".parse::<StreamName>().unwrap()], true).unwrap();
    store.set_retention(&pattern("*"), count(1)).unwrap();
    let behind = store.behind(&store.prunable(true).unwrap()).unwrap();
    let behind: Vec<_> =
        behind.iter().map(|one| (&*one.name, one.checkpoint, one.events)).collect();
    assert_eq!(behind, [("mail", Position(4), 5)]);
    store.prune(false).unwrap();
    assert_eq!((left(&store, "a").len(), left(&store, "b").len()), (6, 10));
    let behind = store.behind(&store.prunable(true).unwrap()).unwrap();
    assert_eq!(behind[0].events, 5);
    let to = store.checkpoint(Position(6)).unwrap();
    store.move_subscription(&follows.name, None, &to).unwrap();
    store.prune(false).unwrap();
    assert_eq!(left(&store, "a"), [7, 8, 9, 10]);
    // A table that is filled by hand follows nothing, and one with a program does.
    store.append(&numbered("c", 5)).unwrap();
    let schema = Schema::of(&["id:integer:key"]).unwrap();
    let mut entry = ProjectionEntry::new("by_hand".parse().unwrap(), Definition::new(schema));
    store.create_projection(&entry).unwrap();
    entry.name = "made".parse().unwrap();
    entry.definition.from = vec![pattern("c")];
    store.give(&mut entry, vec!["true".into()], Path::new("."));
    store.create_projection(&entry).unwrap();
    store.prune(false).unwrap();
    assert_eq!(left(&store, "c").len(), 5);
    store.prune(true).unwrap();
    assert_eq!((left(&store, "a"), left(&store, "c")), (vec![10], vec![5]));
}
