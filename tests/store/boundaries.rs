//! Decisions on boundaries: on events that a query chooses, of whatever streams.

use std::cell::Cell;
use std::thread;

use ream::{
    Boundary, BoundaryCommand, BoundaryDecision, Criteria, DecideError, Error, Json, NewEvent,
    Position, Redaction, Store, Tags, wire,
};

use crate::store;
use crate::support::{Build as _, at, event, everything};

fn query(words: &str) -> Criteria {
    wire::parse_query(words).unwrap()
}

fn command(words: &str, json: &str) -> BoundaryCommand {
    BoundaryCommand::new(query(words), Json::parse(json).unwrap())
}

fn tagged(stream: &str, tag: &str) -> NewEvent {
    event(stream, "T").build(|event| event.tags = Tags::new([tag]).unwrap())
}

/// Decides that an event is stored.
fn storing(event: NewEvent) -> impl FnMut(&Boundary) -> Result<BoundaryDecision, String> {
    move |boundary| Ok(boundary.accept().append(event.clone()))
}

#[test]
fn a_decision_is_told_of_all_that_is_chosen_up_to_the_head() {
    let mut store = store();
    store.append(&[tagged("a", "x"), event("b", "T"), tagged("c", "x")]).unwrap();
    let mut told = Vec::new();
    let decided = store.decide_on(&command("tag=x", "1"), |boundary: &Boundary| {
        told = boundary.events.iter().map(|event| event.position.0).collect();
        assert_eq!(boundary.head.position, Position(3));
        let decision = boundary.accept().append(tagged("d", "x")).append(event("e", "U"));
        Ok::<_, String>(decision)
    });
    let decided = decided.unwrap();
    assert_eq!(told, [1, 3]);
    let stored = decided.events.iter();
    let stored: Vec<_> =
        stored.map(|one| (one.stream.to_string(), one.appended.position.0)).collect();
    assert_eq!(stored, [("d".to_owned(), 4), ("e".to_owned(), 5)]);
    let rejected = store.decide_on(&command("tag=x", "1"), |boundary| {
        Err::<BoundaryDecision, _>(boundary.events.len())
    });
    assert!(matches!(rejected, Err(DecideError::Aggregator(3))));
    assert_eq!(store.head().unwrap(), Position(5));
}

#[test]
fn what_comes_to_the_boundary_meanwhile_has_it_decide_again_and_what_comes_elsewhere_does_not() {
    let mut store = store();
    let mut other = store.another();
    for (words, each, runs) in [
        ("tag=x", vec![event("a", "T"), tagged("b", "y")], 1),
        ("tag=x", vec![tagged("a", "x")], 2),
        ("type=U", vec![event("a", "T")], 1),
        ("type=U", vec![event("z", "U")], 2),
        (r#"[{"tags":["x"]},{"streams":["s-*"]}]"#, vec![event("s-1", "T")], 2),
    ] {
        let (mut asked, mut heads) = (0, Vec::new());
        let decided = store.decide_on(&command(words, "1"), |boundary: &Boundary| {
            asked += 1;
            heads.push(boundary.head.position);
            if asked == 1 {
                other.append(&each).unwrap();
            }
            Ok::<_, String>(boundary.accept().append(event("done", "D")))
        });
        assert_eq!((decided.unwrap().events.len(), asked), (1, runs), "{words}");
        assert!(heads.is_sorted());
    }
    // As often as it may be, and then it is a conflict.
    let mut asked = 0;
    let mut impatient = command("tag=x", "1");
    impatient.attempts = 3;
    let decided = store.decide_on(&impatient, |boundary: &Boundary| {
        asked += 1;
        other.append(&[tagged("a", "x")]).unwrap();
        Ok::<_, String>(boundary.accept().append(event("done", "D")))
    });
    let Err(DecideError::Overtaken { attempts: 3, source }) = decided else {
        panic!("{decided:?}")
    };
    assert!(matches!(source, Error::Condition(_)), "{source}");
    assert_eq!(asked, 3);
}

#[test]
fn an_id_stands_for_one_command_on_one_query() {
    let mut store = store();
    let of = |words: &str, json: &str| command(words, json).with_id("k".parse().unwrap());
    let first = of(r#"[{"tags":["x"],"types":["T","U"]},{"streams":["b","a"]}]"#, "{\"n\":1}");
    let decided = store.decide_on(&first, storing(tagged("a", "x"))).unwrap();
    assert!(!decided.duplicate);
    let never = |_: &Boundary| -> Result<BoundaryDecision, String> { panic!("it is decided") };
    // The same in another order is the same.
    let same =
        of(r#"[{"streams":["a","b","a"]},{"types":["U","T"],"tags":["x","x"]}]"#, "{\"n\":1}");
    for again in [&first, &same] {
        let again = store.decide_on(again, never).unwrap();
        assert!(again.duplicate && !again.removed);
        assert_eq!(again.events[0].appended.position, Position(1));
        assert_eq!(again.events[0].stream.as_str(), "a");
    }
    for other in [
        of("tag=x", "{\"n\":1}"),
        of(r#"[{"tags":["x"],"types":["T","U"]},{"streams":["b","a"]}]"#, "{\"n\":2}"),
    ] {
        let refused = store.decide_on(&other, never);
        let Err(DecideError::Store(error @ Error::DecisionIdReused { .. })) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(
            error.to_string(),
            "id reused: `k` is a decision on a query, about another command"
        );
    }
    let on_stream = ream::Command::new("a".parse().unwrap(), Json::parse("{\"n\":1}").unwrap());
    let on_stream = on_stream.with_id("k".parse().unwrap());
    let refused = store.decided(&on_stream);
    assert!(matches!(refused, Err(Error::DecisionIdReused { .. })), "{refused:?}");
    // Once an event of it is gone, its command is forgotten.
    store.remove(&["a".parse().unwrap()]).unwrap();
    let again = store.decide_on(&of("tag=other", "7"), never).unwrap();
    assert!(again.duplicate && again.removed);
    let refused = store.decided(&on_stream);
    assert!(matches!(refused, Err(Error::DecisionIdReused { .. })), "{refused:?}");
    assert_eq!(store.verify(&ream::Verification::default(), &mut |_| ()).unwrap().findings, 0);
}

#[test]
fn a_redaction_forgets_the_command_too_and_what_stored_nothing_is_remembered() {
    let mut store = store();
    let of = |id: &str, json: &str| command("tag=x", json).with_id(id.parse().unwrap());
    store.decide_on(&of("k", "1"), storing(tagged("a", "x"))).unwrap();
    store.redact(&[Position(1)], "asked for", Redaction::default()).unwrap();
    let accept = |boundary: &Boundary| Ok::<_, String>(boundary.accept());
    assert!(store.decide_on(&of("k", "2"), accept).unwrap().duplicate);
    let nothing = store.decide_on(&of("n", "1"), accept).unwrap();
    assert!(!nothing.duplicate && nothing.events.is_empty());
    assert!(store.decide_on(&of("n", "1"), accept).unwrap().duplicate);
    assert!(store.decide_on(&of("n", "2"), accept).is_err());
}

#[test]
fn a_state_reflects_its_stream_as_it_was_at_the_head() {
    let mut store = store();
    store.append(&[event("a", "T"), event("a", "T")]).unwrap();
    let with_state = event("a", "U").state("{\"n\":3}");
    let decided = store.decide_on(&command("tag=x", "1"), |boundary: &Boundary| {
        Ok::<_, String>(boundary.accept().append(event("a", "U")).append(with_state.clone()))
    });
    assert_eq!(decided.unwrap().events[1].appended.version.0, 4);
    assert_eq!(store.state("a").unwrap().version.0, 4);
    // One that comes to that stream meanwhile is none that the state knows.
    let mut other = store.another();
    let mut asked = 0;
    let decided = store.decide_on(&command("tag=x", "1"), |boundary: &Boundary| {
        asked += 1;
        if asked == 1 {
            other.append(&[event("a", "T")]).unwrap();
        }
        Ok::<_, String>(boundary.accept().append(with_state.clone()))
    });
    assert_eq!((decided.unwrap().events[0].appended.version.0, asked), (6, 2));
    let decision = store.boundary(&query("tag=x")).unwrap().accept().append(with_state);
    let planned = store.planned_on(&decision).unwrap();
    assert_eq!((planned[0].expect, planned[0].condition.is_some()), (at(6), true));
    store.append(&planned).unwrap();
}

#[test]
fn what_it_answers_is_judged_as_any_append() {
    let mut store = store();
    store.append(&[tagged("a", "x").id("taken")]).unwrap();
    let reused = store.decide_on(&command("tag=y", "1"), storing(event("b", "T").id("taken")));
    assert!(matches!(reused, Err(DecideError::Store(Error::IdReused { .. }))), "{reused:?}");
    let twice = store.decide_on(&command("tag=y", "1"), |boundary: &Boundary| {
        let event = event("b", "T").id("one");
        Ok::<_, String>(boundary.accept().append(event.clone()).append(event))
    });
    assert!(matches!(twice, Err(DecideError::Store(Error::SameId { .. }))), "{twice:?}");
    // What is stored already, all of it, is what came of it.
    let again =
        store.decide_on(&command("tag=x", "1"), storing(tagged("a", "x").id("taken"))).unwrap();
    assert!(again.events[0].appended.duplicate);
    // Even where that is what has come to the boundary meanwhile.
    let (mut other, mut asked) = (store.another(), 0);
    let again = store.decide_on(&command("tag=z", "1"), |boundary: &Boundary| {
        asked += 1;
        other.append(&[tagged("a", "z").id("meanwhile")]).unwrap();
        Ok::<_, String>(boundary.accept().append(tagged("a", "z").id("meanwhile")))
    });
    assert!(again.unwrap().events[0].appended.duplicate && asked == 1);
}

#[test]
fn many_who_decide_on_one_boundary_each_count_once() {
    let store = store();
    let places = 40;
    let decide = |mut store: Store, number: usize| {
        let (runs, won) = (Cell::new(0_u32), Cell::new(0_u32));
        for _ in 0..10 {
            let decided = store.decide_on(&command("tag=course:c1", "1"), |boundary: &Boundary| {
                runs.set(runs.get() + 1);
                if boundary.events.len() >= places {
                    return Err("full");
                }
                let stream = format!("student-{number}");
                Ok(boundary.accept().append(tagged(&stream, "course:c1")))
            });
            match decided {
                Ok(_) => won.set(won.get() + 1),
                Err(DecideError::Aggregator("full")) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        (runs.get(), won.get())
    };
    let handles: Vec<Store> = (0..8).map(|_| store.another()).collect();
    let ended: Vec<(u32, u32)> = thread::scope(|scope| {
        let threads: Vec<_> = handles
            .into_iter()
            .enumerate()
            .map(|(number, store)| scope.spawn(move || decide(store, number)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let won: u32 = ended.iter().map(|(_, won)| won).sum();
    assert_eq!((won as usize, everything(&store).len()), (places, places), "{ended:?}");
    // They take turns, so that little is done for nothing.
    let runs: u32 = ended.iter().map(|(runs, _)| runs).sum();
    assert!(runs <= 120, "{ended:?}");
}
