//! Units that are appended together, each for itself: what comes of them is what comes of each in a
//! transaction of its own.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use ream::{Error, Expect, NewEvent, SealedEvent, Sealer, Store};

use crate::store;
use crate::support::{Build as _, at, event, everything, head, numbered, places};

fn sealed(events: &[NewEvent]) -> Vec<SealedEvent> {
    let mut sealer = Sealer::new().unwrap();
    events.iter().map(|event| sealer.seal(event.clone())).collect()
}

/// What came of units, so that it can be compared.
type Answers = Vec<Result<Vec<(u64, u64, bool)>, (usize, String)>>;

fn together(store: &mut Store, units: &[Vec<SealedEvent>]) -> Answers {
    let units: Vec<&[SealedEvent]> = units.iter().map(Vec::as_slice).collect();
    let answers = store.append_units(&units).unwrap();
    let told = answers.into_iter().map(|answer| {
        answer
            .map(|appended| places(&appended))
            .map_err(|stopped| (stopped.index, stopped.error.to_string()))
    });
    told.collect()
}

fn one_by_one(store: &mut Store, units: &[Vec<SealedEvent>]) -> Answers {
    let each = units.iter().map(|unit| {
        let answer = store.append_sealed(unit).unwrap();
        match answer.stopped {
            None => Ok(places(&answer.appended)),
            Some(stopped) => Err((stopped.index, stopped.error.to_string())),
        }
    });
    each.collect()
}

#[test]
fn a_unit_that_is_refused_leaves_no_trace() {
    let mut store = store();
    store.append(&numbered("s", 2)).unwrap();
    let units = [
        vec![event("s", "A").id("a")],
        // Its first event would be stored, and its id be spent.
        vec![event("s", "B").id("b"), event("s", "B").expect(at(99))],
        // Version and id are those of a store that never saw it.
        vec![event("s", "C").id("b").expect(at(3))],
        vec![event("s", "A").id("a")],
        vec![event("t", "D").id("a")],
        vec![],
    ];
    let answers = together(&mut store, &units.map(|unit| sealed(&unit)));
    assert_eq!(answers[0], Ok(vec![(3, 3, false)]));
    assert_eq!(answers[1].as_ref().unwrap_err().0, 1);
    assert_eq!(answers[2], Ok(vec![(4, 4, false)]));
    assert_eq!(answers[3], Ok(vec![(3, 3, true)]));
    assert!(answers[4].as_ref().unwrap_err().1.contains("id reused"), "{answers:?}");
    assert_eq!(answers[5], Ok(vec![]));
    assert_eq!(head(&store), 4);
    assert_eq!(everything(&store).last().unwrap().event_type.as_str(), "C");
}

#[test]
fn what_is_refused_without_a_look_is_refused_for_itself() {
    let mut store = store();
    let large = vec![0; store.max_data_bytes() + 1];
    let units = [
        vec![event("s", "T").bytes(&large)],
        vec![event("s", "T").id("a"), event("s", "T").id("a")],
        vec![event("s", "T")],
    ];
    let sealed: Vec<Vec<SealedEvent>> = units.iter().map(|unit| sealed(unit)).collect();
    let units: Vec<&[SealedEvent]> = sealed.iter().map(Vec::as_slice).collect();
    let answers = store.append_units(&units).unwrap();
    let errors: Vec<Option<&Error>> =
        answers.iter().map(|answer| answer.as_ref().err().map(|stopped| &stopped.error)).collect();
    assert!(
        matches!(errors[..], [Some(Error::TooLarge { .. }), Some(Error::SameId { .. }), None]),
        "{answers:?}"
    );
    assert_eq!(head(&store), 1);
}

/// An event, and whether it follows the one before it.
fn an_event() -> impl Strategy<Value = (NewEvent, bool)> {
    let expect = prop_oneof![
        4 => Just(Expect::Any),
        1 => Just(Expect::NoStream),
        1 => Just(Expect::Exists),
        2 => (0..6_u64).prop_map(at),
    ];
    let follows = proptest::bool::weighted(0.2);
    let id = proptest::option::weighted(0.5, 0..6_u8);
    (0..3_u8, 0..2_u8, id, expect, proptest::bool::weighted(0.2), follows).prop_map(
        |(stream, data, id, expect, state, follows)| {
            let mut new = event(&format!("s-{stream}"), "T").data(&data.to_string()).expect(expect);
            if let Some(id) = id {
                new = new.id(&format!("id-{id}"));
            }
            (if state { new.state("{}") } else { new }, follows)
        },
    )
}

fn sealed_as_asked(unit: &[(NewEvent, bool)]) -> Vec<SealedEvent> {
    let mut sealer = Sealer::new().unwrap();
    let events = unit.iter().map(|(event, follows)| {
        let ready = sealer.seal(event.clone());
        if *follows { ready.following() } else { ready }
    });
    events.collect()
}

#[test]
fn units_together_are_as_each_by_itself() {
    let units = || proptest::collection::vec(proptest::collection::vec(an_event(), 0..4), 1..12);
    let mut runner = TestRunner::new(Config { cases: 96, ..Config::default() });
    let done = runner.run(&(units(), units()), |(first, second)| {
        let (mut one, mut other) = (store(), store());
        for units in [first, second] {
            let units: Vec<_> = units.iter().map(|unit| sealed_as_asked(unit)).collect();
            prop_assert_eq!(together(&mut one, &units), one_by_one(&mut other, &units));
        }
        let told = |store: &Store| -> Vec<String> {
            let events = everything(store);
            let states =
                ["s-0", "s-1", "s-2"].map(|name| store.state(name).ok().map(|s| s.version));
            let tell = |event: ream::Event| {
                format!("{} {} {:?} {:?}", event.position, event.stream, event.version, event.data)
            };
            events.into_iter().map(tell).chain([format!("{states:?}")]).collect()
        };
        prop_assert_eq!(told(&one), told(&other));
        Ok(())
    });
    done.unwrap();
}
