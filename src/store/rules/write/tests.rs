use super::*;
use crate::event::{Data, EventId, EventType, Json, NewEvent, StreamName};
use crate::store::Sealer;

/// An event of the stream `s`, in a few words.
fn event(id: Option<&str>, expect: Expect) -> NewEvent {
    let mut event = NewEvent::new(StreamName::stored("s"), EventType::stored("T"));
    (event.id, event.expect) = (id.map(EventId::stored), expect);
    event
}

fn sealed(events: &[NewEvent]) -> Vec<SealedEvent> {
    let mut sealer = Sealer::new().unwrap();
    events.iter().map(|event| sealer.seal(event.clone())).collect()
}

/// A store whose stream `s` is at the version 3, behind 10 positions.
fn facts(asked: usize) -> Facts {
    Facts {
        streams: vec![StreamFacts { version: 3, ..StreamFacts::default() }],
        of: vec![0; asked],
        ..Facts::at((Position(10), Link::genesis("x")), Timestamp::from_micros(0).unwrap())
    }
}

fn at(version: u64) -> Expect {
    Expect::At(Version(version))
}

/// Positions and versions of what is taken, and which units are refused.
fn outcome(
    units: &[&[NewEvent]],
    whole: bool,
    after: AfterRefusal,
) -> (Vec<(u64, u64)>, Vec<usize>) {
    let events: Vec<Vec<SealedEvent>> = units.iter().map(|unit| sealed(unit)).collect();
    let units: Vec<Unit<'_>> =
        events.iter().map(|events| Unit { events, whole, beside: None }).collect();
    let facts = facts(events.iter().map(Vec::len).sum());
    let outcome = write(&facts, None, &units, after);
    let stored: Vec<(u64, u64)> =
        outcome.changes.events.iter().map(|one| (one.position.0, one.version.0)).collect();
    let new = outcome.appended.iter().filter(|one| !one.duplicate);
    assert_eq!(stored, new.map(|one| (one.position.0, one.version.0)).collect::<Vec<_>>());
    (stored, outcome.refused.into_iter().map(|(unit, _)| unit).collect())
}

#[test]
fn units_follow_each_other_up_to_the_first_or_past_each_that_is_refused() {
    let good = [event(None, Expect::Any)];
    let half = [event(None, at(4)), event(None, at(4))];
    let behind = [event(None, at(4))];
    let units: [&[NewEvent]; 3] = [&good, &half, &behind];
    assert_eq!(outcome(&units, true, AfterRefusal::Stop), (vec![(11, 4)], vec![1]));
    assert_eq!(outcome(&units, true, AfterRefusal::GoOn), (vec![(11, 4), (12, 5)], vec![1]));
}

#[test]
fn an_id_of_the_same_input_is_found_and_that_of_a_refused_unit_is_not() {
    let a = [event(Some("a"), Expect::Any)];
    let refused = [event(Some("b"), Expect::Any), event(None, at(99))];
    let b = [event(Some("b"), Expect::Any)];
    let units: [&[NewEvent]; 4] = [&a, &a, &refused, &b];
    assert_eq!(outcome(&units, true, AfterRefusal::GoOn), (vec![(11, 4), (12, 5)], vec![2]));
}

#[test]
fn a_repeat_is_whole_or_each_for_itself() {
    let first = [event(Some("a"), Expect::Any)];
    let both = [event(Some("a"), Expect::Any), event(Some("b"), Expect::Any)];
    let units: [&[NewEvent]; 2] = [&first, &both];
    assert_eq!(outcome(&units, true, AfterRefusal::GoOn), (vec![(11, 4)], vec![1]));
    assert_eq!(outcome(&units, false, AfterRefusal::GoOn), (vec![(11, 4), (12, 5)], vec![]));
}

#[test]
fn links_follow_each_other_and_states_stand_with_their_events() {
    let mut with_state = event(None, at(3));
    with_state.state = Some(Data::Json(Json::stored("{}")));
    let [first, second] = [with_state, event(None, Expect::Any)].map(|event| sealed(&[event]));
    let follow = |event: SealedEvent| event.following();
    let events: Vec<_> = first.into_iter().chain(second.into_iter().map(follow)).collect();
    let units = [Unit { events: &events, whole: true, beside: None }];
    let facts = facts(2);
    let Changes { events: stored, states, .. } =
        write(&facts, None, &units, AfterRefusal::Stop).changes;
    let link = events[0].link(&facts.head.1, Version(4), facts.now);
    assert_eq!(stored[0].link, link);
    assert_eq!(stored[1].link, events[1].link(&link, Version(5), facts.now));
    assert_eq!((states.len(), states[0].version), (1, Version(4)));
    assert_eq!(states[0].position, Some(Position(11)));
}

#[test]
fn an_input_goes_on_behind_the_version_of_the_event_before_it() {
    let both =
        || sealed(&[event(None, Expect::Any)]).into_iter().chain(sealed(&[event(None, at(99))]));
    let events: Vec<_> = both().map(SealedEvent::following).collect();
    let units: Vec<Unit<'_>> =
        events.chunks(1).map(|events| Unit { events, whole: false, beside: None }).collect();
    let stored = |before: Option<u64>, after| {
        write(&facts(2), before.map(Version), &units, after).changes.events.len()
    };
    assert_eq!(stored(Some(3), AfterRefusal::Stop), 2);
    assert_eq!(stored(Some(2), AfterRefusal::Stop), 0);
    assert_eq!(stored(None, AfterRefusal::Stop), 0);
    // Each is an input of its own.
    assert_eq!(stored(Some(3), AfterRefusal::GoOn), 0);
}

#[test]
fn states_set_by_themselves() {
    let data = DataRef::Json("{}");
    let set = |version: Option<u64>, expect, stored: Option<u64>| {
        let version = version.map(Version);
        let asked = StateAsked { stream: "s", version, expect, data };
        let units = [Unit { beside: Some(Beside::State(asked)), ..Unit::default() }];
        let mut facts = facts(1);
        facts.streams[0].state = stored.map(Version);
        let outcome = write(&facts, None, &units, AfterRefusal::Stop);
        let error = outcome.refused.into_iter().next().map(|(_, stopped)| stopped.error);
        error.map_or_else(|| Ok(outcome.state.unwrap().0.0), Err)
    };
    assert_eq!(set(None, Expect::Any, None).unwrap(), 3);
    assert_eq!(set(Some(2), at(3), Some(2)).unwrap(), 2);
    assert!(matches!(set(Some(4), Expect::Any, None), Err(Error::StateAhead { .. })));
    assert!(matches!(set(Some(1), Expect::Any, Some(2)), Err(Error::StateBehind { .. })));
    assert!(matches!(set(None, at(2), None), Err(Error::WrongExpectedVersion { .. })));
}

#[test]
fn a_checkpoint_moves_from_where_it_is() {
    let name = "hook".parse().unwrap();
    let to = crate::store::Checkpoint { position: Position(9), link: Link::genesis("x") };
    let moved = |is: Option<u64>, from: Option<u64>| {
        let beside = Beside::Checkpoint { name: &name, from: from.map(Position), to: &to };
        let units = [Unit { beside: Some(beside), ..Unit::default() }];
        let facts = Facts { checkpoint: is.map(Position), ..facts(0) };
        let outcome = write(&facts, None, &units, AfterRefusal::Stop);
        assert_eq!(outcome.changes.checkpoint.is_some(), outcome.refused.is_empty());
        outcome.refused.into_iter().next().map(|(_, stopped)| stopped.error)
    };
    assert!(moved(Some(3), Some(3)).is_none());
    assert!(moved(Some(3), None).is_none());
    assert!(matches!(moved(Some(4), Some(3)), Some(Error::CheckpointMoved { .. })));
    assert!(matches!(moved(None, Some(3)), Some(Error::SubscriptionNotFound { .. })));
}
