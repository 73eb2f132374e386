//! Decisions: loaded at one moment, stored as a whole, remembered by their id.

use std::cell::Cell;

use ream::{
    Aggregate, Command, Data, DecideError, Decided, Decision, Error, Expect, Json, NewEvent,
    NewState, Store, StreamName, Version,
};

use crate::store;
use crate::support::{Build as _, Fresh, at, event, everything, head, numbered, versions};

fn name(stream: &str) -> StreamName {
    stream.parse().unwrap()
}

fn json(text: &str) -> Data {
    Data::Json(Json::parse(text).unwrap())
}

fn command(stream: &str, data: &str) -> Command {
    Command::new(name(stream), Json::parse(data).unwrap())
}

fn load(store: &Store, stream: &str) -> Aggregate {
    store.load(&name(stream)).unwrap()
}

/// The data of the events behind the state.
fn later(aggregate: &Aggregate) -> Vec<&str> {
    let text = aggregate.events.iter().map(|event| match &event.data {
        Data::Json(json) => json.as_str(),
        Data::Bytes(_) => "bytes",
    });
    text.collect()
}

/// A decision for these events, of the stream as it is.
fn decision(store: &Store, stream: &str, events: Vec<NewEvent>) -> Decision {
    let mut decision = load(store, stream).accept();
    decision.events = events;
    decision
}

/// Position and version of each event, and the version after them.
fn places(decided: &Decided) -> (Vec<(u64, u64)>, u64) {
    let events = decided.events.iter().map(|event| event.appended);
    let places = events.map(|appended| (appended.position.0, appended.version.0));
    (places.collect(), decided.version.0)
}

/// What the closure of a decision is when it can't fail.
type Sure = std::convert::Infallible;

fn refused<T: std::fmt::Debug>(result: Result<T, DecideError<Sure>>) -> Error {
    match result {
        Err(DecideError::Store(error)) => error,
        other => panic!("the store should have refused: {other:?}"),
    }
}

#[test]
fn a_stream_is_loaded_with_its_state_and_the_events_behind_it() {
    let mut store = store();
    let fresh = load(&store, "s");
    assert_eq!((fresh.version, fresh.state_version, fresh.state), (Version(0), Version(0), None));
    assert!(fresh.events.is_empty());
    store.append(&numbered("other", 3)).unwrap();
    store.append(&numbered("s", 200)).unwrap();
    let without = load(&store, "s");
    assert_eq!((without.version, without.state_version), (Version(200), Version(0)));
    assert_eq!(versions(&without.events), (1..=200).collect::<Vec<_>>());
    let mut state = NewState::new(name("s"), json("{\"n\":1.0}"));
    for reflects in [0, 1, 63, 64, 65, 128, 199, 200] {
        state.version = Some(Version(reflects));
        store.set_state(&state).unwrap();
        let loaded = load(&store, "s");
        assert_eq!((loaded.version, loaded.state_version), (Version(200), Version(reflects)));
        assert_eq!(loaded.state, Some(json("{\"n\":1.0}")));
        assert_eq!(versions(&loaded.events), (reflects + 1..=200).collect::<Vec<_>>());
    }
}

#[test]
fn what_is_loaded_is_what_is_read() {
    let mut store = store();
    let full = event("s", "T").data("{\"a\":1.0}").metadata("{\"m\":1}").id("x").time(5);
    store.append(&[full, event("s", "U").bytes(&[0, 255])]).unwrap();
    assert_eq!(load(&store, "s").events, everything(&store));
}

#[test]
fn a_removed_stream_is_loaded_empty_at_its_version() {
    let mut store = store();
    store.append(&[event("s", "T").expect(at(0)).state("1"), event("s", "T")]).unwrap();
    store.remove(&[name("s")]).unwrap();
    let removed = load(&store, "s");
    assert_eq!((removed.version, removed.state), (Version(2), None));
    assert!(removed.events.is_empty());
    store.append(&[event("s", "T").data("3")]).unwrap();
    assert_eq!(later(&load(&store, "s")), ["3"]);
}

#[test]
fn what_is_too_much_to_decide_on_says_so() {
    let mut store = store();
    let text = format!("\"{}\"", "x".repeat(15 * 1024 * 1024));
    for _ in 0..5 {
        store.append(&[event("s", "T").data(&text)]).unwrap();
    }
    let error = store.load(&name("s")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the state of `s` and the events behind version 0 have more than 67108864 bytes"
    );
    let mut state = NewState::new(name("s"), json("1"));
    state.version = Some(Version(2));
    store.set_state(&state).unwrap();
    assert_eq!(load(&store, "s").events.len(), 3);
}

#[test]
fn events_and_state_are_stored_together() {
    let mut store = store();
    let mut first = decision(&store, "s", vec![event("s", "T"), event("s", "U").id("u")]);
    first.state = Some(json("{\"n\":2}"));
    let decided = store.save(&first, &command("s", "{}")).unwrap();
    assert_eq!(places(&decided), (vec![(1, 1), (2, 2)], 2));
    assert_eq!((decided.duplicate, decided.removed), (false, false));
    assert_eq!(decided.events[1].id.as_ref().unwrap().as_str(), "u");
    let loaded = load(&store, "s");
    assert_eq!((loaded.state, loaded.state_version), (Some(json("{\"n\":2}")), Version(2)));
    // Only a state, only an event, nothing.
    let mut state = decision(&store, "s", vec![]);
    state.state = Some(json("3"));
    assert_eq!(places(&store.save(&state, &command("s", "{}")).unwrap()), (vec![], 2));
    let only = decision(&store, "s", vec![event("s", "V")]);
    assert_eq!(places(&store.save(&only, &command("s", "{}")).unwrap()), (vec![(3, 3)], 3));
    let nothing = decision(&store, "s", vec![]);
    assert_eq!(places(&store.save(&nothing, &command("s", "{}")).unwrap()), (vec![], 3));
    let loaded = load(&store, "s");
    assert_eq!((loaded.state, loaded.state_version), (Some(json("3")), Version(2)));
    assert_eq!(versions(&loaded.events), [3]);
}

#[test]
fn a_stream_that_moved_on_keeps_a_decision_out() {
    let mut store = store();
    store.append(&numbered("s", 1)).unwrap();
    let mut decisions = [
        decision(&store, "s", vec![event("s", "T"), event("s", "T")]),
        decision(&store, "s", vec![]),
    ];
    decisions[1].state = Some(json("1"));
    store.append(&numbered("s", 1)).unwrap();
    for decision in &decisions {
        let error = store.save(decision, &command("s", "{}")).unwrap_err();
        assert_eq!(crate::support::conflict(&error), (at(1), 2, false));
    }
    assert_eq!((head(&store), load(&store, "s").state), (2, None));
    // Where nothing is stored, nothing is compared.
    let mut nothing = decisions[1].clone();
    nothing.state = None;
    assert_eq!(store.save(&nothing, &command("s", "{}")).unwrap().version, Version(1));
}

#[test]
fn what_an_event_of_a_decision_expects_is_not_looked_at() {
    let mut store = store();
    let wrong = event("s", "T").expect(Expect::At(Version(7)));
    let decision = decision(&store, "s", vec![wrong]);
    assert_eq!(store.save(&decision, &command("s", "{}")).unwrap().version, Version(1));
}

#[test]
fn a_decision_is_about_one_stream() {
    let mut store = store();
    let decision = decision(&store, "s", vec![event("s", "T"), event("t", "T")]);
    let error = store.save(&decision, &command("s", "{}")).unwrap_err();
    assert_eq!(error.to_string(), "a decision on `s` can't store an event of `t`");
    assert_eq!(head(&store), 0);
}

#[test]
fn two_events_of_a_decision_have_two_ids() {
    let mut store = store();
    let events = vec![event("s", "A").id("x"), event("s", "B"), event("s", "A").id("x")];
    let decision = decision(&store, "s", events);
    let error = store.save(&decision, &command("s", "1")).unwrap_err();
    assert!(matches!(error, Error::SameId { first: 1, second: 3, .. }), "{error}");
    assert_eq!(error.to_string(), "events 1 and 3 have the same id, `x`");
    assert_eq!(head(&store), 0);
}

#[test]
fn a_state_or_event_too_large_is_refused() {
    let mut store = store();
    let large = json(&format!("\"{}\"", "x".repeat(16 * 1024 * 1024)));
    let mut state = decision(&store, "s", vec![]);
    state.state = Some(large.clone());
    let mut both = decision(&store, "s", vec![event("s", "T")]);
    both.state = Some(large.clone());
    let mut data = decision(&store, "s", vec![event("s", "T"), event("s", "T")]);
    data.events[1].data = large;
    for decision in [state, both, data] {
        let refused = store.save(&decision, &command("s", "{}"));
        assert!(matches!(refused, Err(Error::TooLarge { .. })), "{refused:?}");
    }
    assert_eq!(head(&store), 0);
}

#[test]
fn the_same_command_with_the_same_id_gets_the_first_answer() {
    let mut store = store();
    let pay = command("s", "{\"pay\":1}").with_id("pay-1".parse().unwrap());
    assert_eq!(store.decided(&pay).unwrap(), None);
    store.append(&numbered("other", 1)).unwrap();
    let mut first = decision(&store, "s", vec![event("s", "T").id("t"), event("s", "U")]);
    first.state = Some(json("1"));
    let decided = store.save(&first, &pay).unwrap();
    store.append(&numbered("s", 3)).unwrap();
    for again in [store.decided(&pay).unwrap().unwrap(), store.save(&first, &pay).unwrap()] {
        assert!(again.duplicate && !again.removed);
        assert_eq!(places(&again), places(&decided));
        assert!(again.events.iter().all(|event| event.appended.duplicate));
        let ids = |decided: &Decided| -> Vec<_> {
            decided.events.iter().map(|event| event.id.clone()).collect()
        };
        assert_eq!(ids(&again), ids(&decided));
    }
    assert_eq!((head(&store), load(&store, "s").version), (6, Version(5)));
}

#[test]
fn an_id_stands_for_one_command_on_one_stream() {
    let mut store = store();
    let id = || "pay-1".parse().unwrap();
    let nothing = decision(&store, "s", vec![]);
    store.save(&nothing, &command("s", "{\"pay\":1}").with_id(id())).unwrap();
    for other in [command("s", "{\"pay\":2}"), command("t", "{\"pay\":1}")] {
        let other = other.with_id(id());
        let error = store.decided(&other).unwrap_err().to_string();
        assert_eq!(
            error,
            "id reused: `pay-1` is a decision on `s`, which took it to version 0, about another command"
        );
        let fresh = decision(&store, other.stream.as_str(), vec![]);
        assert!(matches!(store.save(&fresh, &other), Err(Error::DecisionIdReused { .. })));
    }
    // The ids of events are others.
    store.append(&[event("s", "T").id("pay-1")]).unwrap();
}

#[test]
fn a_decision_that_stores_nothing_is_remembered_too() {
    let mut store = store();
    let ask = command("s", "{}").with_id("ask".parse().unwrap());
    let asked = Cell::new(0);
    let decide = |store: &mut Fresh| {
        store.decide(&ask, |aggregate| {
            asked.set(asked.get() + 1);
            Ok::<_, Sure>(aggregate.accept())
        })
    };
    assert!(!decide(&mut store).unwrap().duplicate);
    store.append(&numbered("s", 1)).unwrap();
    let again = decide(&mut store).unwrap();
    assert_eq!((again.duplicate, again.version, asked.get()), (true, Version(0), 1));
}

#[test]
fn a_removal_forgets_the_command_and_keeps_the_id() {
    let mut store = store();
    for stream in ["s", "t"] {
        let pay = command(stream, "{\"pay\":1}").with_id(stream.parse().unwrap());
        let first = decision(&store, stream, vec![event(stream, "T").id(&format!("id-{stream}"))]);
        store.save(&first, &pay).unwrap();
    }
    store.remove(&[name("s")]).unwrap();
    // Nothing is left to compare, but the stream.
    let other = command("s", "{\"pay\":2}").with_id("s".parse().unwrap());
    let again = store.decided(&other).unwrap().unwrap();
    assert!(again.duplicate && again.removed && again.events[0].appended.removed);
    assert_eq!(places(&again), (vec![(1, 1)], 1));
    assert_eq!(again.events[0].id.as_ref().unwrap().as_str(), "id-s");
    let elsewhere = command("u", "{\"pay\":1}").with_id("s".parse().unwrap());
    assert!(matches!(store.decided(&elsewhere), Err(Error::DecisionIdReused { .. })));
    let kept = command("t", "{\"pay\":2}").with_id("t".parse().unwrap());
    assert!(matches!(store.decided(&kept), Err(Error::DecisionIdReused { .. })));
}

#[test]
fn an_event_that_is_there_already_is_found_by_its_id() {
    let mut store = store();
    let first = decision(&store, "s", vec![event("s", "T").id("a"), event("s", "T").id("b")]);
    store.save(&first, &command("s", "{}")).unwrap();
    // All of them: the answer is where they stand, and the state stays as it was.
    let mut same = decision(&store, "s", first.events.clone());
    same.state = Some(json("1"));
    let again = store.save(&same, &command("s", "{}")).unwrap();
    assert_eq!(places(&again), (vec![(1, 1), (2, 2)], 2));
    assert!(again.events.iter().all(|event| event.appended.duplicate));
    assert_eq!(load(&store, "s").state, None);
    // Some of them: nothing is stored.
    let partly = decision(&store, "s", vec![event("s", "T").id("a"), event("s", "T")]);
    let refused = store.save(&partly, &command("s", "{}"));
    assert!(matches!(refused, Err(Error::PartlyDuplicate { .. })), "{refused:?}");
    assert_eq!(head(&store), 2);
}

#[test]
fn who_was_overtaken_decides_again() {
    let mut store = store();
    let mut other = store.another();
    let seen = Cell::new(0);
    let decided = store.decide(&command("s", "{}"), |aggregate| {
        // Someone else is faster, twice.
        if seen.replace(seen.get() + 1) < 2 {
            other.append(&numbered("s", 1)).unwrap();
        }
        let mut decision = aggregate.accept();
        decision.events = vec![event("s", "Decided").data(&aggregate.version.0.to_string())];
        Ok::<_, Sure>(decision)
    });
    assert_eq!((seen.get(), places(&decided.unwrap())), (3, (vec![(3, 3)], 3)));
    assert_eq!(later(&load(&store, "s")), ["1", "1", "2"]);
}

#[test]
fn attempts_end() {
    let mut store = store();
    let mut other = store.another();
    let mut ask = command("s", "{}");
    assert_eq!(ask.attempts, 20);
    ask.attempts = 3;
    let seen = Cell::new(0);
    let overtaken = store.decide(&ask, |aggregate| {
        seen.set(seen.get() + 1);
        other.append(&numbered("s", 1)).unwrap();
        let mut decision = aggregate.accept();
        decision.events = vec![event("s", "T")];
        Ok::<_, Sure>(decision)
    });
    match overtaken {
        Err(DecideError::Overtaken { attempts: 3, source }) => {
            assert_eq!(crate::support::conflict(&source), (at(2), 3, false));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(seen.get(), 3);
}

#[test]
fn a_decision_of_another_version_is_not_tried_again() {
    let mut store = store();
    let seen = Cell::new(0);
    let refusal = store.decide(&command("s", "{}"), |aggregate| {
        seen.set(seen.get() + 1);
        let mut decision = aggregate.accept();
        decision.version = Version(5);
        decision.events = vec![event("s", "T")];
        Ok::<_, Sure>(decision)
    });
    assert!(matches!(refused(refusal), Error::WrongExpectedVersion { .. }));
    assert_eq!(seen.get(), 1);
}

#[test]
fn an_aggregator_may_refuse() {
    let mut store = store();
    let ask = command("s", "{}").with_id("a".parse().unwrap());
    let refused = store.decide(&ask, |_| Err::<Decision, _>("overdrawn"));
    assert!(matches!(refused, Err(DecideError::Aggregator("overdrawn"))));
    // A rejection is not remembered.
    assert_eq!(store.decided(&ask).unwrap(), None);
    assert_eq!(head(&store), 0);
}

#[test]
fn many_decide_on_one_stream_and_each_decision_counts_once() {
    let store = store();
    let openers: Vec<Store> = (0..8).map(|_| store.another()).collect();
    let runs = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for mut store in openers {
            let runs = &runs;
            scope.spawn(move || {
                for _ in 0..25 {
                    let decide = |aggregate: &Aggregate| {
                        runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        let total: u64 =
                            aggregate.fold(|total: u64, _: serde_json::Value| total)?;
                        aggregate
                            .accept()
                            .event(&serde_json::json!({"type": "Added"}))?
                            .state(&(total + 1))
                    };
                    store.decide(&command("s", "{}"), decide).unwrap();
                }
            });
        }
    });
    let loaded = load(&store, "s");
    assert_eq!((loaded.version, loaded.state), (Version(200), Some(json("200"))));
    assert!(loaded.events.is_empty());
    let runs = runs.into_inner();
    assert!(runs <= 300, "{runs} runs for 200 decisions");
}
