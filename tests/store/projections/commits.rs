//! Changes that commit with a checkpoint, and how far a projection has come.

use std::time::Duration;

use ream::{
    Assignments, Change, Condition, Definition, Error, FieldValues, Mark, Parameter, Parameters,
    Position, Query,
};

use super::{ROWS, all, empty, parsed, users};
use crate::support::{Build as _, event};

#[test]
fn changes_and_checkpoint_commit_together_in_their_order() {
    let (mut store, mut users) = users();
    store.append(&[event("s", "T"), event("s", "T"), event("s", "T")]).unwrap();
    let mut with = Parameters::default();
    with.insert("n", Parameter::Number("0.50".into()));
    let compute = [("salary".to_owned(), "salary + :n".to_owned())];
    let raise =
        |values: FieldValues| Assignments::of(values, &compute, users.schema(), &with).unwrap();
    let values = |text: &str| FieldValues::parse(text.as_bytes(), users.schema()).unwrap();
    let equal = |text: &str| Condition::equal(&values(text), users.schema()).unwrap();
    let fourth = r#"{"id":4,"email":null,"city":"Oslo","salary":1.00}"#;
    let changes = [
        Change::Set(parsed(&users, fourth)),
        Change::Upsert(parsed(&users, ROWS[0]), raise(FieldValues::default())),
        Change::Upsert(parsed(&users, fourth), raise(FieldValues::default())),
        Change::Update(raise(values(r#"{"city":"Rome"}"#)), equal(r#"{"city":"Madrid"}"#)),
        Change::Delete(equal(r#"{"city":"London","email":"cleo@mail.com"}"#)),
        Change::Delete(equal(r#"{"email":null,"id":7}"#)),
    ];
    let to = store.checkpoint(Position(2)).unwrap();
    assert!(users.commit(&changes, Position(0), &to).unwrap().is_none());
    assert_eq!(
        all(&users),
        [
            r#"{"id":1,"email":"ann@mail.com","city":"London","salary":5201.00}"#,
            r#"{"id":2,"email":null,"city":"Rome","salary":3100.50}"#,
            r#"{"id":4,"email":null,"city":"Oslo","salary":1.50}"#,
        ]
    );
    assert_eq!(users.checkpoint().unwrap(), to);
}

#[test]
fn a_change_that_is_refused_takes_all_and_the_checkpoint_with_it() {
    let (mut store, mut users) = users();
    store.append(&[event("s", "T")]).unwrap();
    let to = store.checkpoint(Position(1)).unwrap();
    let changes = [
        Change::Set(parsed(&users, r#"{"id":8,"city":"Oslo","salary":1}"#)),
        Change::Set(parsed(&users, r#"{"id":9,"email":"ann@mail.com","city":"Oslo","salary":1}"#)),
    ];
    let stopped = users.commit(&changes, Position(0), &to).unwrap().unwrap();
    assert_eq!(stopped.index, 1);
    assert!(matches!(stopped.error, Error::UniqueClash(_)));
    assert_eq!((all(&users).len(), users.checkpoint().unwrap().position.0), (3, 0));
}

#[test]
fn a_checkpoint_moves_only_from_where_it_is() {
    let (mut store, mut users) = users();
    store.append(&[event("s", "T"), event("s", "T")]).unwrap();
    let to = store.checkpoint(Position(2)).unwrap();
    let mut other = store.another().projection("users").unwrap();
    assert!(users.commit(&[], Position(0), &to).unwrap().is_none());
    let row = Change::Set(parsed(&other, r#"{"id":8,"city":"Oslo","salary":1}"#));
    let moved = other.commit(&[row], Position(0), &to).unwrap_err();
    assert!(
        matches!(&moved, Error::CheckpointMoved { name, expected: Position(0) } if name == "users"),
        "{moved}"
    );
    assert_eq!(all(&users), ROWS);
}

#[test]
fn a_checkpoint_is_one_of_its_own_log() {
    let mut store = empty();
    store.append(&[event("s", "T").data("1")]).unwrap();
    let here = store.checkpoint(Position(2)).unwrap();
    store.check_checkpoint("users", &here).unwrap();
    store.check_checkpoint("users", &store.checkpoint(Position(0)).unwrap()).unwrap();
    let beyond = store.checkpoint(Position(3)).unwrap_err();
    assert!(matches!(beyond, Error::BeyondHead { head: Position(2), .. }), "{beyond}");
    let mut other = empty();
    other.append(&[event("s", "T").data("1")]).unwrap();
    let foreign = other.check_checkpoint("users", &here).unwrap_err();
    assert!(
        matches!(
            foreign,
            Error::OtherLog { reason: "another event stands there now", projection: true, .. }
        ),
        "{foreign}"
    );
    let start = store.checkpoint(Position(0)).unwrap();
    let foreign = other.check_checkpoint("users", &start).unwrap_err();
    assert!(
        matches!(foreign, Error::OtherLog { reason: "it is from another store", .. }),
        "{foreign}"
    );
}

#[test]
fn how_far_it_is_behind_counts_what_it_is_made_from() {
    let mut store = crate::store();
    store
        .append(&[event("user-1", "T"), event("x", "T"), event("user-2", "T"), event("x", "T")])
        .unwrap();
    // Behind them, since that it is made is an event as well.
    let mut definition = Definition::new(super::schema(&super::USERS));
    definition.from = vec!["user-*".parse().unwrap()];
    store.create_projection(&super::entry("users", &definition)).unwrap();
    let mut users = store.projection("users").unwrap();
    let query = Query::of(definition.from.clone());
    let lag = |from: u64| store.lag(&query, Position(from)).unwrap().0;
    assert_eq!([lag(0), lag(1), lag(2), lag(3), lag(9)], [2, 1, 1, 0, 0]);
    let first = store.lag(&query, Position(1)).unwrap().1.unwrap();
    let mut third = Query::default();
    third.after = Some(Mark::Position(Position(2)));
    third.limit = Some(1);
    assert_eq!(first, crate::support::read(&store, &third)[0].recorded);

    let mut users_again = store.projection("users").unwrap();
    let reached = |projection: &ream::Projection, position: u64| {
        store.has_reached(projection, Position(position)).unwrap()
    };
    assert!(
        reached(&users_again, 0)
            && !reached(&users_again, 1)
            && !reached(&users_again, 4)
            && !reached(&users_again, 5)
            && !reached(&users_again, 6)
    );
    let to = store.checkpoint(Position(3)).unwrap();
    users.commit(&[], Position(0), &to).unwrap();
    assert!(
        reached(&users_again, 3) && reached(&users_again, 5) && !reached(&users_again, 6),
        "no event of it lies behind 3"
    );
    let mut waited = |position: u64| {
        store
            .wait_until_reached(&mut users_again, Position(position), Duration::from_millis(1))
            .unwrap()
    };
    assert!(waited(5) && !waited(6));
}
