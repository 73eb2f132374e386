//! A projection made anew beside the one that serves.

use std::ops::ControlFlow;
use std::time::Duration;

use ream::{Batched, Definition, Error, Position, Row, Selection};

use super::{ROWS, all, condition, entry, parsed, users};
use crate::support::event;

#[test]
fn the_old_one_serves_until_the_switch() {
    let (mut store, mut users) = users();
    let mut entry = users.entry().clone();
    entry.definition.from = vec!["new-*".parse().unwrap()];
    let mut rebuild = store.begin_rebuild(&entry).unwrap();
    let new = &mut rebuild.projection;
    assert_eq!((new.entry().generation, all(new).len()), (2, 0));
    new.set(&[parsed(new, ROWS[2])], Batched::AllOrNone).unwrap();
    assert_eq!(all(&store.projection("users").unwrap()), ROWS);
    assert_eq!(store.projections().unwrap()[0].definition, users.entry().definition);
    store.checkpoint_of(&users, Position(0)).unwrap();
    store.checkpoint_of(new, Position(0)).unwrap();

    store.switch(&rebuild).unwrap();
    let serves = store.another().projection("users").unwrap();
    assert_eq!((all(&serves), serves.entry().generation), (vec![ROWS[2].to_owned()], 2));
    assert_eq!(serves.entry().definition, entry.definition);
    // Who has the old one open is told, whatever is asked of it.
    let everything = Selection::all(users.schema());
    let (row, first) = (parsed(&users, ROWS[0]), condition(&users, "id = 1"));
    let to = store.checkpoint(Position(0)).unwrap();
    for fenced in [
        store.checkpoint_of(&users, Position(0)).map(drop),
        store.has_reached(&users, Position(0)).map(drop),
        users.set(std::slice::from_ref(&row), Batched::AllOrNone).map(drop),
        users.delete(&first, true).map(drop),
        users.commit(&[], Position(0), &to).map(drop),
        users.select(&everything, |_| ControlFlow::Continue(())),
        users.count(&everything).map(drop),
        users.status().map(drop),
    ] {
        let fenced = fenced.unwrap_err();
        assert!(matches!(&fenced, Error::Superseded(name) if name == "users"), "{fenced}");
    }
    let again = store.switch(&rebuild).unwrap_err();
    assert!(matches!(again, Error::Superseded(_)), "{again}");
}

#[test]
fn who_has_one_open_that_was_dropped_is_told_also_when_another_has_its_name() {
    let (mut store, mut users) = users();
    let definition = users.entry().definition.clone();
    let mut other = store.another();
    let row = parsed(&users, ROWS[0]);
    for made_again in [false, true] {
        if made_again {
            other.create_projection(&entry("users", &definition)).unwrap();
        } else {
            assert!(other.drop_projection(&"users".parse().unwrap()).unwrap());
        }
        for told in [
            users.set(std::slice::from_ref(&row), Batched::AllOrNone).map(drop),
            users.status().map(drop),
            store.has_reached(&users, Position(0)).map(drop),
        ] {
            let told = told.unwrap_err();
            assert!(matches!(&told, Error::Dropped(name) if name == "users"), "{told}");
        }
    }
    let serves = store.projection("users").unwrap();
    assert_eq!((serves.entry().generation, all(&serves).len()), (2, 0));
    // Who waits goes on with what serves.
    assert!(store.wait_until_reached(&mut users, Position(0), Duration::ZERO).unwrap());
    assert_eq!(users.entry().generation, 2);
    store.drop_projection(&"users".parse().unwrap()).unwrap();
    let gone = store.wait_until_reached(&mut users, Position(1), Duration::ZERO).unwrap_err();
    assert!(matches!(gone, Error::ProjectionNotFound { .. }), "{gone}");
}

#[test]
fn one_that_is_given_up_leaves_nothing() {
    let (mut store, users) = users();
    let entry = users.entry().clone();
    for _ in 0..2 {
        let mut rebuild = store.begin_rebuild(&entry).unwrap();
        let new = &mut rebuild.projection;
        assert_eq!((new.entry().generation, all(new).len()), (2, 0), "it begins anew");
        new.set(&[parsed(new, ROWS[0])], Batched::AllOrNone).unwrap();
        // The first is dropped on the way, as a process that dies does.
    }
    store.begin_rebuild(&entry).unwrap().discard().unwrap();
    assert_eq!(all(&store.projection("users").unwrap()), ROWS);
}

#[test]
fn only_one_is_made_at_a_time_and_none_is_dropped_meanwhile() {
    let (mut store, users) = users();
    let (name, entry) = ("users".parse().unwrap(), users.entry().clone());
    let mut other = store.another();
    let rebuild = store.begin_rebuild(&entry).unwrap();
    for refused in [
        other.begin_rebuild(&entry).map(drop).unwrap_err(),
        other.drop_projection(&name).map(drop).unwrap_err(),
    ] {
        assert!(
            matches!(&refused, Error::Running { name, .. } if name == "the rebuild of users"),
            "{refused}"
        );
    }
    rebuild.discard().unwrap();
    let run = store.take_run("users", std::time::Duration::ZERO).unwrap();
    let by = store.another().runner("users").unwrap().unwrap();
    assert!(by.starts_with(&format!("process {} since 20", std::process::id())), "{by}");
    let refused = other.drop_projection(&name).unwrap_err();
    assert!(matches!(&refused, Error::Running { by: told, .. } if *told == by), "{refused}");
    drop(run);
    assert_eq!(store.runner("users").unwrap(), None);
    assert!(other.drop_projection(&name).unwrap());
}

#[test]
fn the_lock_of_a_name_is_that_of_no_other() {
    let (mut store, users) = users();
    let other = store.another();
    for name in ["users.rebuild", "users.next", "users.rebuild.next"] {
        let _run = other.take_run(name, std::time::Duration::ZERO).unwrap();
        let by = store.runner(name).unwrap();
        assert!(by.is_some(), "{name}");
        assert_eq!(store.runner("users").unwrap(), None);
        store.begin_rebuild(users.entry()).unwrap().discard().unwrap();
    }
    let _run = other.take_run("users", std::time::Duration::ZERO).unwrap();
    assert!(store.runner("USERS").unwrap().is_some(), "a name in another case is the same");
}

#[test]
fn what_differs_is_counted_and_the_first_of_it_shown() {
    let (mut store, users) = users();
    store.append(&[event("s", "T")]).unwrap();
    let definition = Definition::new(users.schema().clone());
    let mut rebuild = store.begin_rebuild(&entry("users", &definition)).unwrap();
    let new = &mut rebuild.projection;
    let changed = r#"{"id":1,"email":"ann@mail.com","city":"Oslo","salary":5200.50}"#;
    let added = r#"{"id":0,"email":null,"city":"Oslo","salary":1.00}"#;
    let rows: Vec<Row> = [changed, added, ROWS[2]].iter().map(|row| parsed(new, row)).collect();
    new.set(&rows, Batched::AllOrNone).unwrap();
    let found = new.differences(&users, 2).unwrap();
    assert_eq!((found.changed, found.gone, found.new), (1, 1, 1));
    let json = |row: &Option<Row>| row.as_ref().map(|row| row.to_json(users.schema()));
    let first: Vec<_> = found.first.iter().map(|(was, is)| (json(was), json(is))).collect();
    let text = |row: &str| Some(row.to_owned());
    assert_eq!(first, [(None, text(added)), (text(ROWS[0]), text(changed))]);
    let same = users.differences(&store.projection("users").unwrap(), 9).unwrap();
    assert_eq!(same, ream::Differences::default());
    assert_eq!(users.checkpoint().unwrap().position, Position(0));
}
