//! A projection made anew beside the one that serves.

use ream::{Batched, Definition, Error, Position, Row};

use super::{ROWS, all, entry, parsed, users};
use crate::support::event;

#[test]
fn the_old_one_serves_until_the_switch() {
    let (mut store, users) = users();
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
    // Who writes to the old one is told, and who reads it sees it whole.
    let fenced = store.checkpoint_of(&users, Position(0)).unwrap_err();
    assert!(matches!(&fenced, Error::Superseded { name } if name == "users"), "{fenced}");
    assert_eq!(all(&users), ROWS);
    let again = store.switch(&rebuild).unwrap_err();
    assert!(matches!(again, Error::Superseded { .. }), "{again}");
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
