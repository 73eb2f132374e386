//! Which steps there may be, at random.

use proptest::prelude::*;
use ream::Redaction;

use super::{Ev, Expected, FIELDS, Form, IDS, Id, NAMES, PATTERNS, Place, STREAMS, Step};

fn an_event() -> impl Strategy<Value = Ev> {
    let id = prop_oneof![
        5 => Just(None),
        3 => (0..IDS.len()).prop_map(|id| Some(Id::Own(id))),
        1 => (1..10_u64).prop_map(|position| Some(Id::Derived(position))),
    ];
    let state = proptest::option::weighted(0.2, 0..3_u8);
    let tags = prop_oneof![3 => Just(0), 1 => 1..4_u8];
    (0..STREAMS.len(), any::<bool>(), (0..4_u8, tags), id, expected(), state, any::<bool>())
        .prop_map(|(stream, event_type, (data, tags), id, expect, state, follows)| Ev {
            stream,
            event_type,
            data,
            tags,
            id,
            expect,
            state,
            follows,
        })
}

fn expected() -> impl Strategy<Value = Option<Expected>> {
    prop_oneof![
        6 => Just(None),
        1 => Just(Some(Expected::No)),
        1 => Just(Some(Expected::Some)),
        2 => (0..4_u64).prop_map(|version| Some(Expected::At(version))),
    ]
}

fn some_events() -> impl Strategy<Value = Vec<Ev>> {
    proptest::collection::vec(an_event(), 0..4)
}

fn some_streams() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0..STREAMS.len(), 0..3)
}

fn on_streams() -> impl Strategy<Value = Step> {
    let form =
        prop_oneof![Just(Form::Whole), Just(Form::All), Just(Form::Each), Just(Form::Sealed)];
    let place = prop_oneof![
        (0..5_u64).prop_map(Place::Version),
        (0..12_u64).prop_map(Place::Position),
        (0..3_i64).prop_map(Place::Time),
    ];
    let state = || proptest::option::of(0..3_u8);
    prop_oneof![
        6 => (form, some_events()).prop_map(|(form, events)| Step::Append(form, events)),
        2 => proptest::collection::vec(some_events(), 0..3).prop_map(Step::Units),
        3 => (0..STREAMS.len(), proptest::option::of(0..IDS.len()), any::<bool>(), prop::bool::weighted(0.2), some_events(), state())
            .prop_map(|(stream, id, command, stale, events, state)| Step::Decide { stream, id, command, stale, events, state }),
        2 => (0..STREAMS.len(), 0..3_u8, proptest::option::of(0..4_u64), expected())
            .prop_map(|(stream, data, version, expect)| Step::SetState { stream, data, version, expect }),
        1 => (0..STREAMS.len(), 0..3_u8, 0..4_u64, any::<bool>())
            .prop_map(|(stream, data, version, stale)| Step::Import { stream, data, version, stale }),
        1 => some_streams().prop_map(Step::RemoveStates),
        1 => some_streams().prop_map(Step::Remove),
        1 => (0..STREAMS.len(), 0..4_u64).prop_map(|(stream, version)| Step::RemoveAt(stream, version)),
        1 => (proptest::collection::vec(1..12_u64, 0..3), any::<bool>(), any::<bool>())
            .prop_map(|(at, keeps_states, takes_tags)| Step::Redact(at, Redaction { keeps_states, takes_tags })),
        1 => (some_streams(), place).prop_map(|(streams, place)| Step::Truncate(streams, place)),
        1 => (some_streams(), any::<bool>()).prop_map(|(streams, protected)| Step::Protect(streams, protected)),
        1 => (0..PATTERNS.len(), proptest::option::of(0..3_u64), proptest::option::of(0..3_u64))
            .prop_map(|(pattern, age, count)| Step::Retain(pattern, age, count)),
        1 => any::<bool>().prop_map(Step::Prune),
    ]
}

fn restored() -> impl Strategy<Value = Option<Place>> {
    let place =
        prop_oneof![(0..12_u64).prop_map(Place::Position), (0..3_i64).prop_map(Place::Time)];
    proptest::option::of(place)
}

fn on_names() -> impl Strategy<Value = Step> {
    let numbers = || proptest::collection::vec(0..15_u8, 0..4);
    let name = || 0..NAMES.len();
    prop_oneof![
        2 => (name(), 0..6_u64).prop_map(|(name, start)| Step::Subscribe(name, start)),
        1 => (name(), proptest::option::of(0..6_u64), 0..8_u64).prop_map(|(name, from, to)| Step::Move { name, from, to }),
        2 => (name(), some_events(), 0..6_u64, 0..8_u64)
            .prop_map(|(name, events, from, to)| Step::React { name, events, from, to }),
        1 => (name(), 0..8_u64).prop_map(|(name, to)| Step::Seek(name, to)),
        1 => name().prop_map(Step::Unsubscribe),
        1 => (name(), any::<bool>()).prop_map(|(name, failed)| Step::Fail(name, failed)),
        3 => (name(), 0..FIELDS.len()).prop_map(|(name, fields)| Step::Create(name, fields)),
        1 => name().prop_map(Step::Drop),
        3 => (name(), numbers()).prop_map(|(name, rows)| Step::Set(name, rows)),
        1 => (name(), 0..4_u8).prop_map(|(name, number)| Step::Update(name, number)),
        1 => (name(), 0..6_u8).prop_map(|(name, number)| Step::Delete(name, number)),
        2 => (name(), numbers(), 0..4_u64, 0..8_u64)
            .prop_map(|(name, rows, from, to)| Step::Commit { name, rows, from, to }),
        2 => (name(), 0..FIELDS.len(), numbers(), any::<bool>())
            .prop_map(|(name, fields, rows, switch)| Step::Rebuild { name, fields, rows, switch }),
    ]
}

/// A step, and the handle that does it.
fn a_step() -> impl Strategy<Value = (usize, Step)> {
    let done = || prop_oneof![3 => on_streams(), 2 => on_names()];
    let step = prop_oneof![
        12 => done(),
        2 => (1..12_u64, done()).prop_map(|(nth, step)| Step::Failing(nth, Box::new(step))),
        1 => Just(Step::Tick),
        1 => Just(Step::Reopen),
        1 => restored().prop_map(Step::Restore),
    ];
    (0..2_usize, step)
}

/// What is most often done, with what is asked for most often: it is rarely refused.
fn a_common_step() -> impl Strategy<Value = (usize, Step)> {
    let event = || {
        (an_event(), proptest::option::weighted(0.3, 0..IDS.len())).prop_map(|(event, id)| Ev {
            id: id.map(Id::Own),
            expect: None,
            ..event
        })
    };
    let events = || proptest::collection::vec(event(), 1..3);
    let some = || proptest::collection::vec(0..2_usize, 1..2);
    let name = || 0..NAMES.len();
    let step = prop_oneof![
        4 => events().prop_map(|events| Step::Append(Form::All, events)),
        2 => (0..2_usize, 0..IDS.len(), proptest::collection::vec(event(), 0..2)).prop_map(
            |(stream, id, events)| {
                let (id, command, stale) = (Some(id), true, false);
                Step::Decide { stream, id, command, stale, events, state: None }
            }
        ),
        1 => some().prop_map(Step::Remove),
        1 => (some(), 1..6_u64).prop_map(|(streams, at)| Step::Truncate(streams, Place::Position(at))),
        1 => (name(), 0..6_u64).prop_map(|(name, start)| Step::Subscribe(name, start)),
        2 => (name(), 0..FIELDS.len()).prop_map(|(name, fields)| Step::Create(name, fields)),
        3 => (name(), proptest::collection::vec(0..15_u8, 1..3), 1..8_u64)
            .prop_map(|(name, rows, to)| Step::Commit { name, rows, from: 0, to }),
    ];
    (0..2_usize, step)
}

/// Steps on a store that is restored as it was before some of them.
fn around_a_restore() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let common = |most| proptest::collection::vec(a_common_step(), 1..most);
    let restore = (0..2_usize, (0..7_u64).prop_map(|at| Step::Restore(Some(Place::Position(at)))));
    (common(12), restore, common(6)).prop_map(|(mut steps, restore, behind)| {
        steps.push(restore);
        steps.extend(behind);
        steps
    })
}

/// Up to so many steps.
pub(crate) fn steps(length: usize) -> impl Strategy<Value = Vec<(usize, Step)>> {
    prop_oneof![
        9 => proptest::collection::vec(a_step(), 1..length),
        1 => around_a_restore(),
    ]
}
