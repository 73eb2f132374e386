//! Rows: set, found, changed, deleted.

use std::ops::ControlFlow;

use ream::{
    Assignments, Batched, Condition, Error, FieldValues, OrderBy, Parameters, Schema, Selection,
    SetEach, Stopped,
};

use super::{ROWS, all, condition, empty, parsed, schema, selected, users};

#[test]
fn a_row_takes_the_place_of_the_one_with_its_key() {
    let (_store, mut users) = users();
    let moved = r#"{"id":2,"email":"bo@mail.com","city":"Rome","salary":0.00}"#;
    assert_eq!(users.set(&[parsed(&users, moved)], Batched::Each).unwrap().set, 1);
    assert_eq!(all(&users), [ROWS[0], moved, ROWS[2]]);
    let status = users.status().unwrap();
    assert_eq!((status.rows, status.checkpoint.0), (3, 0));
    assert!(status.bytes > 0, "{status:?}");
}

#[test]
fn a_clash_tells_both_rows_and_what_they_share() {
    let (_store, mut users) = users();
    let rows = [
        parsed(&users, r#"{"id":8,"city":"Oslo","salary":1}"#),
        parsed(&users, r#"{"id":9,"email":"ann@mail.com","city":"Oslo","salary":1}"#),
        parsed(&users, r#"{"id":10,"city":"Oslo","salary":1}"#),
    ];
    for (batched, kept) in [(Batched::AllOrNone, 0), (Batched::Each, 1)] {
        let SetEach { set, stopped, .. } = users.set(&rows, batched).unwrap();
        let Some(Stopped { index: 1, error: Error::UniqueClash(clash) }) = stopped else {
            panic!("{stopped:?}");
        };
        assert_eq!(
            clash.to_string(),
            "the row with id 9 can't have email \"ann@mail.com\" in `users`: the row with id 1 has it"
        );
        assert_eq!((set, all(&users).len()), (kept, 3 + kept));
    }
}

#[test]
fn nulls_are_never_alike() {
    let (_store, mut users) = users();
    let row = parsed(&users, r#"{"id":8,"city":"Oslo","salary":1}"#);
    assert!(users.set(&[row], Batched::AllOrNone).unwrap().stopped.is_none());
    assert_eq!(all(&users).len(), 4);
}

#[test]
fn a_selection_has_the_fields_the_order_and_the_part_that_it_asks_for() {
    let (_store, users) = users();
    let mut selection = Selection::all(users.schema());
    selection.fields = vec![3, 0];
    selection.order =
        vec![OrderBy { field: 2, descending: false }, OrderBy { field: 3, descending: true }];
    let rows = [
        r#"{"salary":5200.50,"id":1}"#,
        r#"{"salary":1000.00,"id":3}"#,
        r#"{"salary":3100.00,"id":2}"#,
    ];
    assert_eq!(selected(&users, &selection), rows);
    (selection.limit, selection.offset) = (Some(1), 1);
    assert_eq!(selected(&users, &selection), rows[1..2]);
    assert_eq!(users.count(&selection).unwrap(), 1);
    selection.condition = Some(condition(&users, "city = 'London'"));
    (selection.limit, selection.offset) = (None, 0);
    assert_eq!(selected(&users, &selection), rows[..2]);
    assert_eq!(users.count(&selection).unwrap(), 2);
}

#[test]
fn a_selection_can_be_broken_off() {
    let (_store, users) = users();
    let mut seen = 0;
    let broken = users.select(&Selection::all(users.schema()), |_| {
        seen += 1;
        if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(broken.is_ok());
    assert_eq!(seen, 2);
}

#[test]
fn a_selection_is_one_moment() {
    let (store, users) = users();
    let mut other = store.another().projection("users").unwrap();
    let mut seen = Vec::new();
    users
        .select(&Selection::all(users.schema()), |row| {
            if seen.is_empty() {
                let gone = condition(&other, "id > 1");
                assert_eq!(other.delete(&gone, false).unwrap(), 2);
            }
            seen.push(format!("{:?}", row.value(0).unwrap()));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert_eq!(all(&users), ROWS[..1]);
}

fn assignments(schema: &Schema, text: &str) -> Assignments {
    Assignments::new(text, schema, &Parameters::default()).unwrap()
}

#[test]
fn an_update_changes_all_that_it_keeps_or_nothing() {
    let (_store, mut users) = users();
    let raise = assignments(users.schema(), "salary = salary * 1.015, city = 'Rome'");
    let london = condition(&users, "city = 'London'");
    assert_eq!(users.update(&raise, Some(&london), true).unwrap(), 2);
    assert_eq!(all(&users), ROWS, "a dry run changes nothing");
    assert_eq!(users.update(&raise, Some(&london), false).unwrap(), 2);
    assert_eq!(
        all(&users),
        [
            r#"{"id":1,"email":"ann@mail.com","city":"Rome","salary":5278.51}"#,
            ROWS[1],
            r#"{"id":3,"email":"cleo@mail.com","city":"Rome","salary":1015.00}"#,
        ]
    );
    let before = all(&users);
    let huge = assignments(users.schema(), "salary = salary * 2000000");
    match users.update(&huge, None, false).unwrap_err() {
        Error::Row { row, .. } => assert_eq!(row, "id 1"),
        error => panic!("{error}"),
    }
    let same = assignments(users.schema(), "email = 'x'");
    let clash = users.update(&same, None, false).unwrap_err();
    assert!(matches!(clash, Error::UniqueClash(_)), "{clash}");
    assert_eq!(all(&users), before);
}

#[test]
fn a_deletion_takes_what_it_keeps() {
    let (_store, mut users) = users();
    let london = condition(&users, "city = 'London'");
    assert_eq!(users.delete(&london, true).unwrap(), 2);
    assert_eq!(users.delete(&london, false).unwrap(), 2);
    assert_eq!(users.delete(&london, false).unwrap(), 0);
    assert_eq!(all(&users), [ROWS[1]]);
}

#[test]
fn what_was_checked_against_other_fields_is_refused() {
    let (_store, mut users) = users();
    let other = Schema::of(&["id:integer:key", "city:text"]).unwrap();
    let stranger = ream::Condition::new("city = 'x'", &other, &Parameters::default()).unwrap();
    let strange = assignments(&other, "city = 'x'");
    let mut selection = Selection::all(users.schema());
    selection.condition = Some(stranger.clone());
    let row = ream::Row::parse(br#"{"id":1,"city":"x"}"#, &other).unwrap();
    let set = users.set(&[row], Batched::AllOrNone).unwrap().stopped.unwrap().error;
    for refused in [
        users.delete(&stranger, false).unwrap_err(),
        users.update(&strange, None, false).unwrap_err(),
        users.count(&selection).unwrap_err(),
        users.explain(&selection).unwrap_err(),
        set,
    ] {
        assert!(matches!(refused, Error::OtherSchema), "{refused}");
    }
    assert_eq!(all(&users), ROWS);
}

#[test]
fn an_overflow_in_a_condition_is_told_with_its_place() {
    let (_store, users) = users();
    let mut selection = Selection::all(users.schema());
    selection.condition = Some(condition(&users, "id + 9223372036854775807 > 0"));
    match users.count(&selection).unwrap_err() {
        Error::Expression(error) => assert_eq!((error.span().start, error.span().end), (3, 4)),
        error => panic!("{error}"),
    }
}

#[test]
fn two_see_what_each_commits() {
    let store = empty();
    let (mut one, two) = (store.projection("users").unwrap(), store.another());
    let two = two.projection("users").unwrap();
    one.set(&[parsed(&one, ROWS[0])], Batched::AllOrNone).unwrap();
    assert_eq!(all(&two), [ROWS[0]]);
}

#[test]
fn a_selection_that_makes_no_sense_is_an_error() {
    let (_store, users) = users();
    let mut none = Selection::all(users.schema());
    none.fields.clear();
    let mut beyond = Selection::all(users.schema());
    beyond.fields.push(4);
    let mut ordered = Selection::all(users.schema());
    ordered.order.push(OrderBy { field: usize::MAX, descending: true });
    for (selection, number) in [(none, None), (beyond, Some(4)), (ordered, Some(usize::MAX))] {
        let refused = |done: Result<(), Error>| match done {
            Err(Error::NoSuchField { field }) => assert_eq!(field, number),
            other => panic!("{other:?}"),
        };
        refused(users.select(&selection, |_| panic!("no row is selected")));
        refused(users.count(&selection).map(drop));
        refused(users.explain(&selection).map(drop));
    }
    let most = u64::MAX;
    let mut far = Selection::all(users.schema());
    (far.limit, far.offset) = (Some(most), most);
    assert_eq!(users.count(&far).unwrap(), 0);
}

#[test]
fn values_that_are_none_or_of_another_schema_compare_with_nothing() {
    let (_store, users) = users();
    let (short, own) = (schema(&["id:integer:key"]), users.schema());
    let values = |text: &str| FieldValues::parse(text.as_bytes(), own).unwrap();
    let error = Condition::equal(&values("{}"), own).unwrap_err();
    assert_eq!(error.to_string(), "no field is compared");
    let error = Condition::equal(&values(r#"{"city":"London"}"#), &short).unwrap_err();
    assert_eq!(error.to_string(), "the values are of another schema");
    assert!(Condition::equal(&values(r#"{"id":1}"#), own).is_ok());
}
