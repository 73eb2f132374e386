//! Conditions: what has to hold of the store beside the streams that are written.

mod histories;

use ream::{
    AppendCondition, ConditionFault, Criteria, Criterion, Cursor, Error, Expect, NewEvent,
    Position, Redaction, Tags, wire,
};

use crate::store;
use crate::support::{Build as _, at, event, places};

/// A query, in words.
fn query(words: &str) -> Criteria {
    wire::parse_query(words).unwrap()
}

fn tagged(stream: &str, event_type: &str, tags: &[&str]) -> NewEvent {
    event(stream, event_type).build(|event| event.tags = Tags::new(tags).unwrap())
}

/// The event under the condition that no event behind a position is what the words choose.
fn none(event: NewEvent, words: &str, after: u64) -> NewEvent {
    let condition = AppendCondition::none(query(words), Position(after));
    event.build(|event| event.condition = Some(Box::new(condition)))
}

/// The event under the condition that streams are at versions.
fn versions(event: NewEvent, of: &[(&str, Expect)]) -> NewEvent {
    let versions = of.iter().map(|(name, expect)| (name.parse().unwrap(), *expect)).collect();
    let condition = AppendCondition { versions, none: None };
    event.build(|event| event.condition = Some(Box::new(condition)))
}

/// Where the event stands that is there and must not be.
fn found(refused: Error) -> u64 {
    match refused {
        Error::Condition(fault) => match *fault {
            ConditionFault::Found { position, .. } => position.0,
            fault => panic!("{fault}"),
        },
        other => panic!("{other}"),
    }
}

#[test]
fn an_event_that_is_excluded_is_told_with_its_place_and_its_item() {
    let mut store = store();
    let first = tagged("a", "Taken", &["name:ann", "x"]);
    store.append(&[first, event("b", "Other")]).unwrap();
    let new = || event("c", "Taken");
    for (words, after, position) in [
        ("tag=name:ann", 0, Some(1)),
        ("tag=name:ann", 1, None),
        ("tag=name:ann tag=x", 0, Some(1)),
        ("tag=name:ann tag=y", 0, None),
        ("type=Taken tag=x", 0, Some(1)),
        ("type=Other tag=x", 0, None),
        ("type=Other", 0, Some(2)),
        ("type=Other", 2, None),
        ("stream=b", 0, Some(2)),
        ("stream=b*", 1, Some(2)),
        ("stream=none", 0, None),
        (r#"[{"tags":["y"]},{"streams":["b"],"types":["Other"]}]"#, 0, Some(2)),
        (r#"[{"tags":["x"]},{"streams":["b"]}]"#, 1, Some(2)),
    ] {
        let asked = store.again().unwrap().append(&[none(new(), words, after)]);
        assert_eq!(asked.map_err(found).err(), position, "{words} behind {after}");
    }
    let refused = store.append(&[none(new(), r#"[{"tags":["y"]},{"streams":["b"]}]"#, 1)]);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the condition does not hold: Other at position 2 (`b`, version 1) is among item 2 of \
         `[{\"tags\":[\"y\"]},{\"streams\":[\"b\"]}]`, behind position 1"
    );
}

#[test]
fn streams_are_compared_whether_they_are_written_or_not() {
    let mut store = store();
    store.append(&[event("a", "T"), event("a", "T"), event("gone", "T")]).unwrap();
    store.remove(&["gone".parse().unwrap()]).unwrap();
    for (of, holds) in [
        (&[("a", at(2))][..], true),
        (&[("a", at(1))], false),
        (&[("a", Expect::NoStream)], false),
        (&[("b", Expect::NoStream), ("a", Expect::Exists)], true),
        (&[("gone", Expect::NoStream)], true),
        (&[("gone", at(1))], true),
        (&[("gone", Expect::Exists)], false),
    ] {
        let asked = store.append(&[versions(event("c", "T"), of)]);
        assert_eq!(asked.is_ok(), holds, "{of:?}");
        if let Err(refused) = asked {
            assert!(matches!(refused, Error::WrongExpectedVersion { .. }), "{refused}");
        }
    }
    // A state may come with a version that the condition names.
    let with_state = versions(event("a", "T").state("1"), &[("a", at(2))]);
    store.append(std::slice::from_ref(&with_state)).unwrap();
    assert_eq!(store.state("a").unwrap().version.0, 3);
    let refused = store.append(&[versions(with_state, &[("c", Expect::Exists)])]);
    assert!(matches!(refused, Err(Error::StateWithoutVersion { .. })), "{refused:?}");
}

#[test]
fn a_unit_does_not_see_itself_and_sees_those_before_it() {
    let mut store = store();
    let taken = || none(tagged("a", "Taken", &["x"]), "tag=x", 0);
    // An atomic append of two is one unit.
    let both = store.append(&[taken(), taken()]).unwrap();
    assert_eq!(places(&both), [(1, 1, false), (2, 2, false)]);
    // Of events that stand for themselves the second sees the first, though both are one transaction.
    let free = |tag: &str| none(tagged("b", "Taken", &[tag]), &format!("tag={tag}"), 0);
    let each = store.append_each(&[free("y"), free("z"), free("y"), free("w")]).unwrap();
    assert_eq!(places(&each.appended), [(3, 1, false), (4, 2, false)]);
    let stopped = each.stopped.unwrap();
    assert_eq!((stopped.index, found(stopped.error)), (2, 3));
    // Streams are counted so, too.
    let at_one = |name: &str| versions(event(name, "T"), &[("c", at(1))]);
    let each =
        store.append_each(&[event("c", "T"), at_one("d"), at_one("c"), at_one("d")]).unwrap();
    assert_eq!(each.appended.len(), 3);
    assert!(matches!(each.stopped.unwrap().error, Error::WrongExpectedVersion { .. }));
}

#[test]
fn an_id_goes_before_the_condition() {
    let mut store = store();
    let taken = |id: &str| none(tagged("a", "Taken", &["x"]).id(id), "tag=x", 0);
    assert_eq!(
        places(&store.append(&[taken("1"), taken("2")]).unwrap()),
        [(1, 1, false), (2, 2, false)]
    );
    assert_eq!(places(&store.append(&[taken("1")]).unwrap()), [(1, 1, true)]);
    assert_eq!(
        places(&store.append(&[taken("1"), taken("2")]).unwrap()),
        [(1, 1, true), (2, 2, true)]
    );
    let partly = store.append(&[taken("1"), taken("3")]).unwrap_err();
    assert!(matches!(partly, Error::PartlyDuplicate { .. }), "{partly}");
    assert_eq!(found(store.append(&[taken("3")]).unwrap_err()), 1);
    // Even where the place behind which it looks is none of this log.
    let mut lost = taken("1");
    lost.condition = Some(Box::new(AppendCondition::none(query("tag=x"), Position(99))));
    assert_eq!(places(&store.append(&[lost]).unwrap()), [(1, 1, true)]);
}

#[test]
fn a_place_is_one_of_this_log() {
    let (mut store, mut other) = (store(), store());
    for store in [&mut store, &mut other] {
        store.append(&[event("a", "T"), event("a", "T")]).unwrap();
    }
    let behind = |cursor: Cursor| {
        let condition = AppendCondition::none(query("type=U"), cursor);
        event("b", "T").build(|event| event.condition = Some(Box::new(condition)))
    };
    let cursor = |store: &ream::Store, position: u64| {
        Cursor::new(Position(position), &store.checkpoint(Position(position)).unwrap().link())
    };
    for position in 0..=2 {
        let here = cursor(&store, position);
        store.append(&[behind(here)]).unwrap();
        let refused = store.append(&[behind(cursor(&other, position))]).unwrap_err();
        let Error::Condition(fault) = &refused else { panic!("{refused}") };
        assert!(matches!(**fault, ConditionFault::OtherLog { .. }), "{refused}");
    }
    let head = store.head().unwrap();
    for beyond in [head.next(), Position(u64::MAX >> 1)] {
        let refused = store.append(&[behind(beyond.into())]).unwrap_err();
        assert!(
            matches!(refused, Error::BeyondHead { position, head: at } if position == beyond && at == head),
            "{refused}"
        );
    }
    // An event that the same transaction stores counts: the second names the place of the first.
    let each = store.append_each(&[event("c", "U"), behind(head.next().into())]).unwrap();
    assert!(each.stopped.is_none() && each.appended.len() == 2);
    let each = store.append_each(&[event("c", "U"), behind(head.into())]).unwrap();
    assert_eq!(found(each.stopped.unwrap().error), head.0 + 1);
}

#[test]
fn what_is_removed_is_not_there_and_what_is_redacted_is() {
    let mut store = store();
    store.append(&["a", "b"].map(|name| tagged(name, "Taken", &["x"]))).unwrap();
    let refused = |store: &mut ream::Store| {
        store.append(&[none(event("c", "T"), "tag=x", 0)]).map_err(found).err()
    };
    assert_eq!(refused(&mut store), Some(1));
    store.remove(&["a".parse().unwrap()]).unwrap();
    assert_eq!(refused(&mut store), Some(2));
    let mut redaction = Redaction::default();
    store.redact(&[Position(2)], "asked for", redaction).unwrap();
    assert_eq!(refused(&mut store), Some(2));
    redaction.takes_tags = true;
    store.redact(&[Position(2)], "asked for", redaction).unwrap();
    assert_eq!(refused(&mut store), None);
}

#[test]
fn what_ream_records_is_seen_only_where_it_is_asked_for() {
    let mut store = store();
    store.append(&[event("a", "T")]).unwrap();
    store.remove(&["a".parse().unwrap()]).unwrap();
    let record = Criterion { streams: vec!["$ream".parse().unwrap()], ..Criterion::default() };
    let asked = |criteria: Criteria| {
        let condition = AppendCondition::none(criteria, Position(0));
        event("b", "T").build(|event| event.condition = Some(Box::new(condition)))
    };
    store.append(&[asked(query("type=StreamRemoved"))]).unwrap();
    assert_eq!(found(store.append(&[asked(Criteria::of(record))]).unwrap_err()), 2);
}

/// More than a look gives at once, of which none has the tag.
#[test]
fn what_is_far_behind_is_found() {
    let mut store = store();
    store.append(&[tagged("a", "Rare", &["x"])]).unwrap();
    let many: Vec<NewEvent> = (0..45_000).map(|_| tagged("b", "T", &["y"])).collect();
    store.append(&many).unwrap();
    store.append(&[tagged("a", "Late", &["x", "y"])]).unwrap();
    for (words, after, position) in [
        ("type=Rare", 0, Some(1)),
        ("type=Late", 0, Some(45_002)),
        ("type=Late", 1, Some(45_002)),
        ("tag=x tag=y", 0, Some(45_002)),
        ("tag=y type=Late", 0, Some(45_002)),
        ("type=None", 0, None),
        ("tag=y type=None", 0, None),
    ] {
        let mut again = store.again().unwrap();
        let asked = again.append(&[none(event("c", "New"), words, after)]);
        assert_eq!(asked.map_err(found).err(), position, "{words}");
    }
}
