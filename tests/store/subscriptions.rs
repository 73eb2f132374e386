//! Subscriptions: made once, moved from where they are, reactions stored with their checkpoint.

use ream::{Error, Expect, NewEvent, NewSubscription, Position, SealedEvent, Sealer, Subscription};

use crate::store;
use crate::support::{Build as _, Fresh, acts, at, event, everything, head, numbered, positions};

fn follows(name: &str, patterns: &[&str]) -> NewSubscription {
    NewSubscription::of(
        name.parse().unwrap(),
        patterns.iter().map(|pattern| pattern.parse().unwrap()).collect(),
    )
}

/// A store with five events in the stream `s`, and the subscription `mail` to it.
fn mail() -> (Fresh, Subscription) {
    let mut store = store();
    store.append(&numbered("s", 5)).unwrap();
    let mail = store.subscribe(&follows("mail", &["s"]), Position(0)).unwrap();
    (store, mail)
}

fn sealed(events: &[NewEvent]) -> Vec<SealedEvent> {
    let mut sealer = Sealer::new().unwrap();
    events.iter().map(|event| sealer.seal(event.clone())).collect()
}

/// Where the subscription `mail` is.
fn place(store: &Fresh) -> u64 {
    store.subscription("mail").unwrap().checkpoint.position.0
}

#[test]
fn one_is_made_once_and_found_then() {
    let (mut store, mail) = mail();
    assert_eq!(mail.checkpoint, store.checkpoint(Position(0)).unwrap());
    let found = store.subscribe(&follows("mail", &["s"]), Position(3)).unwrap();
    assert_eq!(found, mail, "it goes on where it is");
    let late = store.subscribe(&follows("late", &[]), Position(5)).unwrap();
    assert_eq!(late.checkpoint.position, Position(5));
    let beyond = store.subscribe(&follows("later", &[]), Position(8)).unwrap_err();
    assert!(matches!(beyond, Error::BeyondHead { .. }), "{beyond}");
    let names: Vec<String> =
        store.subscriptions().unwrap().iter().map(|found| found.follows.name.to_string()).collect();
    assert_eq!(names, ["late", "mail"]);
    let act = |name: &str, position: u64| {
        let data = format!("{{\"subscription\":\"{name}\",\"position\":{position}}}");
        ("SubscriptionCreated".to_owned(), data)
    };
    assert_eq!(acts(&store), [act("mail", 0), act("late", 5)]);
}

#[test]
fn one_is_sought_and_removed_and_that_is_recorded() {
    let (mut store, _) = mail();
    let name = "mail".parse().unwrap();
    let to = store.checkpoint(Position(3)).unwrap();
    store.seek_subscription(&name, &to).unwrap();
    assert_eq!(place(&store), 3);
    // It is there already.
    store.seek_subscription(&name, &to).unwrap();
    // What it does by itself is no act.
    let acked = store.checkpoint(Position(4)).unwrap();
    store.move_subscription(&name, None, &acked).unwrap();
    assert!(store.remove_subscription(&name).unwrap());
    assert!(!store.remove_subscription(&name).unwrap());
    let missing = store.seek_subscription(&name, &to);
    assert!(matches!(missing, Err(Error::SubscriptionNotFound { .. })), "{missing:?}");
    let acts = acts(&store);
    let told: Vec<_> = acts.iter().skip(1).map(|(act, data)| (&**act, &**data)).collect();
    let moved = r#"{"subscription":"mail","from":0,"to":3}"#;
    let removed = r#"{"subscription":"mail","position":4}"#;
    assert_eq!(told, [("SubscriptionMoved", moved), ("SubscriptionRemoved", removed)]);
}

#[test]
fn what_it_follows_does_not_change() {
    let (mut store, _) = mail();
    let mut typed = follows("mail", &["s"]);
    typed.criteria.items[0].types = vec!["T".parse().unwrap()];
    for other in
        [follows("mail", &["*"]), follows("mail", &["s", "t"]), typed, follows("Mail", &["s"])]
    {
        let refused = store.subscribe(&other, Position(0)).unwrap_err();
        assert!(
            matches!(&refused, Error::SubscriptionDiffers { name, follows } if name == "mail" && follows == "s"),
            "{refused}"
        );
    }
}

#[test]
fn one_that_is_not_there_is_told_with_names_near_to_it() {
    let (mut store, _) = mail();
    match store.subscription("mial").unwrap_err() {
        Error::SubscriptionNotFound { near, .. } => assert_eq!(near, ["mail"]),
        error => panic!("{error}"),
    }
    let to = store.checkpoint(Position(1)).unwrap();
    let missing = store.move_subscription(&"other".parse().unwrap(), None, &to).unwrap_err();
    assert!(matches!(missing, Error::SubscriptionNotFound { .. }), "{missing}");
    let missing = crate::store().subscription("mail").unwrap_err();
    assert!(matches!(missing, Error::SubscriptionNotFound { near, .. } if near.is_empty()));
}

#[test]
fn reactions_and_checkpoint_are_stored_together() {
    let (mut store, mail) = mail();
    let name = &mail.follows.name;
    let to = store.checkpoint(Position(2)).unwrap();
    let events = [
        event("out", "Sent").data("1").expect(Expect::NoStream).state("{\"sent\":1}"),
        event("out", "Sent").data("2").expect(at(1)),
    ];
    assert!(store.react(name, &sealed(&events), Position(0), &to).unwrap().is_none());
    assert_eq!((place(&store), head(&store)), (2, 8));
    assert_eq!(store.state("out").unwrap().version.0, 1);
    // A checkpoint by itself.
    let to = store.checkpoint(Position(3)).unwrap();
    assert!(store.react(name, &[], Position(2), &to).unwrap().is_none());
    assert_eq!((place(&store), head(&store)), (3, 8));
}

#[test]
fn a_reaction_that_is_refused_takes_all_and_the_checkpoint_with_it() {
    let (mut store, mail) = mail();
    let to = store.checkpoint(Position(2)).unwrap();
    let events = [event("out", "Sent"), event("s", "Sent").expect(at(4)), event("out", "Sent")];
    let stopped =
        store.react(&mail.follows.name, &sealed(&events), Position(0), &to).unwrap().unwrap();
    assert_eq!(stopped.index, 1);
    assert!(matches!(stopped.error, Error::WrongExpectedVersion { .. }), "{}", stopped.error);
    let large = format!("\"{}\"", "x".repeat(17 * 1024 * 1024));
    let events = [event("out", "Sent"), event("out", "Sent").data(&large)];
    let stopped =
        store.react(&mail.follows.name, &sealed(&events), Position(0), &to).unwrap().unwrap();
    assert!(matches!((stopped.index, stopped.error), (1, Error::TooLarge { .. })));
    assert_eq!((place(&store), head(&store)), (0, 6));
    assert_eq!(positions(&everything(&store)), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn an_event_that_is_there_already_is_no_failure() {
    let (mut store, mail) = mail();
    store.append(&[event("out", "Sent").id("once")]).unwrap();
    let to = store.checkpoint(Position(1)).unwrap();
    let events = [event("out", "Sent").id("once"), event("out", "Sent").id("twice")];
    let name = &mail.follows.name;
    assert!(store.react(name, &sealed(&events), Position(0), &to).unwrap().is_none());
    assert_eq!((place(&store), head(&store)), (1, 8));
}

#[test]
fn a_checkpoint_moves_only_from_where_it_is() {
    let (mut store, mail) = mail();
    let name = &mail.follows.name;
    let (two, four) = (Position(2), Position(4));
    let (to_two, to_four) = (store.checkpoint(two).unwrap(), store.checkpoint(four).unwrap());
    store.react(name, &[], Position(0), &to_two).unwrap();
    for moved in [
        store.another().react(name, &sealed(&[event("out", "T")]), Position(0), &to_four).map(drop),
        store.move_subscription(name, Some(Position(0)), &to_four),
    ] {
        let moved = moved.unwrap_err();
        assert!(matches!(moved, Error::CheckpointMoved { expected: Position(0), .. }), "{moved}");
    }
    assert_eq!((place(&store), head(&store)), (2, 6));
    store.move_subscription(name, None, &to_four).unwrap();
    assert_eq!(place(&store), 4);
    store.move_subscription(name, Some(four), &to_two).unwrap();
    assert_eq!(place(&store), 2);
}

#[test]
fn one_is_removed_once_and_begins_anew() {
    let (mut store, mail) = mail();
    let name = &mail.follows.name;
    store.record_failure("mail", Some("it failed")).unwrap();
    assert!(store.remove_subscription(name).unwrap());
    assert!(!store.remove_subscription(name).unwrap());
    assert_eq!(store.last_failure("mail").unwrap(), None);
    store.subscribe(&follows("mail", &["*"]), Position(5)).unwrap();
    assert_eq!(place(&store), 5);
}

#[test]
fn a_name_in_another_case_leaves_what_is_there() {
    let (mut store, mail) = mail();
    store.record_failure("mail", Some("it failed")).unwrap();
    let other = "MAIL".parse().unwrap();
    assert!(!store.remove_subscription(&other).unwrap());
    let to = store.checkpoint(Position(1)).unwrap();
    for missing in [
        store.move_subscription(&other, None, &to).unwrap_err(),
        store.subscription("MAIL").unwrap_err(),
    ] {
        assert!(matches!(missing, Error::SubscriptionNotFound { .. }), "{missing}");
    }
    store.record_failure("MAIL", None).unwrap();
    assert_eq!(store.subscription("mail").unwrap(), mail);
    assert_eq!(store.last_failure("mail").unwrap().unwrap().message, "it failed");
    // Once it is free, it can be written in another way.
    assert!(store.remove_subscription(&mail.follows.name).unwrap());
    store.subscribe(&follows("Mail", &["s"]), Position(0)).unwrap();
    assert_eq!(store.subscriptions().unwrap()[0].follows, follows("Mail", &["s"]));
}

#[test]
fn who_comes_second_gets_no_other_subscription_than_was_asked_for() {
    const ROUNDS: usize = 100;
    let store = store();
    let start = std::sync::Barrier::new(2);
    let asked = |round: usize, pattern| follows(&format!("race{round}"), &[pattern]);
    // Whoever panics here would leave the other one waiting.
    let race = |mut store: ream::Store, pattern: &'static str| {
        let start = &start;
        move || -> Vec<Result<Subscription, Error>> {
            let one = |round| {
                start.wait();
                store.subscribe(&asked(round, pattern), Position(0))
            };
            (0..ROUNDS).map(one).collect()
        }
    };
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(race(store.another(), "s"));
        let second = scope.spawn(race(store.another(), "t"));
        (first.join().unwrap(), second.join().unwrap())
    });
    for (round, both) in first.into_iter().zip(second).enumerate() {
        match both {
            (Ok(found), Err(Error::SubscriptionDiffers { .. })) => {
                assert_eq!(found.follows, asked(round, "s"));
            }
            (Err(Error::SubscriptionDiffers { .. }), Ok(found)) => {
                assert_eq!(found.follows, asked(round, "t"));
            }
            both => panic!("round {round}: {both:?}"),
        }
    }
}

#[test]
fn nothing_is_recorded_of_what_is_not_there() {
    let (mut store, mail) = mail();
    store.remove_subscription(&mail.follows.name).unwrap();
    for name in ["mail", "other"] {
        store.record_failure(name, Some("it failed")).unwrap();
        assert_eq!(store.last_failure(name).unwrap(), None);
    }
}

#[test]
fn the_last_failure_is_kept_until_it_is_over() {
    let (mut store, _) = mail();
    assert_eq!(store.last_failure("mail").unwrap(), None);
    store.record_failure("mail", None).unwrap();
    for message in ["first", "second"] {
        store.record_failure("mail", Some(message)).unwrap();
        let found = store.another().last_failure("mail").unwrap().unwrap();
        assert_eq!(found.message, message);
        assert!(found.time.as_micros() > 1_795_000_000_000_000);
    }
    assert_eq!(store.last_failure("other").unwrap(), None);
    store.record_failure("mail", None).unwrap();
    assert_eq!(store.last_failure("mail").unwrap(), None);
}

#[test]
fn a_place_can_be_told_by_time() {
    let mut store = store();
    let day = 86_400_000_000;
    let events = [1, 3, 2, 5].map(|number| event("s", "T").time(number * day));
    store.append(&events).unwrap();
    let before = |day_number: i64| {
        store.position_before(ream::Timestamp::from_micros(day_number * day).unwrap()).unwrap().0
    };
    assert_eq!(
        [before(0), before(1), before(2), before(3), before(4), before(6)],
        [0, 0, 1, 1, 3, 4]
    );
}
