//! Projections: made, filled, searched, changed, made anew; and the checkpoints that go with their rows.

mod commits;
mod rebuilds;
mod rows;

use ream::{
    Batched, Condition, Definition, Error, Identifier, NewSubscription, OpenDefinition, Parameters,
    Position, Projection, ProjectionEntry, Row, Schema, Selection, Store,
};

use crate::store;
use crate::support::{Fresh, acts};

/// The fields of `users`.
const USERS: [&str; 4] =
    ["id:integer:key", "email:text:unique:null", "city:text:index", "salary:decimal:12:2"];

const ROWS: [&str; 3] = [
    r#"{"id":1,"email":"ann@mail.com","city":"London","salary":5200.50}"#,
    r#"{"id":2,"email":null,"city":"Madrid","salary":3100.00}"#,
    r#"{"id":3,"email":"cleo@mail.com","city":"London","salary":1000.00}"#,
];

fn schema(fields: &[&str]) -> Schema {
    Schema::of(fields).unwrap()
}

/// The projection `name` as it is to be made.
fn entry(name: &str, definition: &Definition) -> ProjectionEntry {
    ProjectionEntry::new(name.parse().unwrap(), definition.clone())
}

/// A store with the projection `users`, which has no rows.
fn empty() -> Fresh {
    let mut store = store();
    let definition = Definition::new(schema(&USERS));
    assert!(store.create_projection(&entry("users", &definition)).unwrap());
    store
}

/// A store with the projection `users`, which has three rows; and that.
fn users() -> (Fresh, Projection) {
    let store = empty();
    let mut users = store.projection("users").unwrap();
    let rows: Vec<Row> = ROWS.iter().map(|row| parsed(&users, row)).collect();
    assert_eq!(users.set(&rows, Batched::AllOrNone).unwrap().set, 3);
    (store, users)
}

fn parsed(projection: &Projection, row: &str) -> Row {
    Row::parse(row.as_bytes(), projection.schema()).unwrap()
}

fn condition(projection: &Projection, text: &str) -> Condition {
    Condition::new(text, projection.schema(), &Parameters::default()).unwrap()
}

/// The rows of a selection, as JSON.
fn selected(projection: &Projection, selection: &Selection) -> Vec<String> {
    let fields = projection.schema().fields();
    let names: Vec<&str> = selection.fields.iter().map(|at| fields[*at].name.as_str()).collect();
    let (writer, mut rows) = (ream::RowWriter::new(&names), Vec::new());
    projection
        .select(selection, |row| {
            let mut line = Vec::new();
            writer.write(&mut line, |place| row.value(place)).unwrap();
            rows.push(String::from_utf8(line).unwrap());
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    rows
}

/// All rows, by their keys.
fn all(projection: &Projection) -> Vec<String> {
    let mut selection = Selection::all(projection.schema());
    selection.order = vec![ream::OrderBy { field: 0, descending: false }];
    selected(projection, &selection)
}

#[test]
fn one_is_made_once_and_dropped_once() {
    let mut store = empty();
    let (name, definition) = ("users".parse().unwrap(), Definition::new(schema(&USERS)));
    assert!(!store.create_projection(&entry("users", &definition)).unwrap(), "the same is there");
    let other = Definition::new(schema(&["id:integer:key"]));
    for name in ["users", "Users"] {
        let refused = store.create_projection(&entry(name, &other)).unwrap_err();
        assert!(matches!(refused, Error::ProjectionExists(name) if name == "users"));
    }
    let listed = store.projections().unwrap();
    assert_eq!((listed.len(), &listed[0].definition), (1, &definition));
    assert!(store.drop_projection(&name).unwrap());
    assert!(!store.drop_projection(&name).unwrap());
    assert_eq!(store.projections().unwrap(), []);
    assert!(store.create_projection(&entry("users", &other)).unwrap());
    // No generation has a number that another one had.
    assert_eq!(store.projection("users").unwrap().entry().generation, 2);
    assert!(store.drop_projection(&name).unwrap());
    assert!(store.create_projection(&entry("USERS", &other)).unwrap());
    assert_eq!(store.projection("USERS").unwrap().entry().generation, 3);
}

#[test]
fn one_that_is_not_there_is_told_with_names_near_to_it() {
    let store = empty();
    for name in ["user", "Users", "usres"] {
        match store.projection(name) {
            Err(Error::ProjectionNotFound { name: told, near }) => {
                assert_eq!((&*told, &near[..]), (name, &["users".to_owned()][..]));
            }
            other => panic!("{other:?}"),
        }
    }
    let none = crate::store();
    let missing = none.projection("users").unwrap_err();
    assert!(matches!(missing, Error::ProjectionNotFound { near, .. } if near.is_empty()));
}

#[test]
fn what_it_is_made_from_is_remembered() {
    let mut store = empty();
    let mut definition = Definition::new(schema(&USERS));
    definition.from = vec!["user-*".parse().unwrap()];
    definition.program = vec!["./users.py".into()];
    definition.directory = Some("..".into());
    definition.batch = Some(1);
    store.remember(&entry("users", &definition)).unwrap();
    assert_eq!(store.another().projection("users").unwrap().entry().definition, definition);
    let missing = store.remember(&entry("other", &definition)).unwrap_err();
    assert!(matches!(missing, Error::ProjectionNotFound { .. }));
}

fn follows(name: &str) -> NewSubscription {
    NewSubscription::of(name.parse().unwrap(), Vec::new())
}

#[test]
fn a_name_is_that_of_a_projection_or_of_a_subscription() {
    let mut store = empty();
    let taken = store.subscribe(&follows("Users"), Position(0)).unwrap_err();
    assert!(matches!(taken, Error::NameTaken { what: "a projection", .. }), "{taken}");
    store.subscribe(&follows("mail"), Position(0)).unwrap();
    let definition = Definition::new(schema(&USERS));
    for name in ["mail", "Mail"] {
        let taken = store.create_projection(&entry(name, &definition)).unwrap_err();
        assert!(matches!(taken, Error::NameTaken { what: "a subscription", .. }), "{taken}");
    }
    assert_eq!(store.projections().unwrap().len(), 1);
    // Once one of them is gone, the other may have the name.
    assert!(store.remove_subscription(&"mail".parse().unwrap()).unwrap());
    assert!(store.create_projection(&entry("Mail", &definition)).unwrap());
    assert!(store.drop_projection(&"users".parse().unwrap()).unwrap());
    store.subscribe(&follows("Users"), Position(0)).unwrap();
}

#[test]
fn two_who_race_for_a_name_do_not_both_get_it() {
    const ROUNDS: usize = 50;
    let store = empty();
    let start = std::sync::Barrier::new(2);
    // Whoever panics here would leave the other one waiting.
    let race = |take: fn(&mut Store, &str) -> Result<(), Error>| {
        let (mut store, start) = (store.another(), &start);
        move || -> Vec<Result<(), Error>> {
            let one = |round| {
                start.wait();
                take(&mut store, &format!("race{round}"))
            };
            (0..ROUNDS).map(one).collect()
        }
    };
    let create = |store: &mut Store, name: &str| {
        let definition = Definition::new(schema(&USERS));
        store.create_projection(&entry(name, &definition)).map(drop)
    };
    let subscribe =
        |store: &mut Store, name: &str| store.subscribe(&follows(name), Position(0)).map(drop);
    let (created, subscribed) = std::thread::scope(|scope| {
        let (create, subscribe) = (scope.spawn(race(create)), scope.spawn(race(subscribe)));
        (create.join().unwrap(), subscribe.join().unwrap())
    });
    for (round, both) in created.into_iter().zip(subscribed).enumerate() {
        let created = match both {
            (Ok(()), Err(Error::NameTaken { .. })) => true,
            (Err(Error::NameTaken { .. }), Ok(())) => false,
            both => panic!("round {round}: {both:?}"),
        };
        let entry = store.projection_entry(&format!("race{round}"));
        assert_eq!(entry.is_ok(), created, "{round}");
    }
}

/// The same fields, without types.
fn open(fields: &[&str]) -> OpenDefinition {
    OpenDefinition::of(&schema(fields))
}

#[test]
fn an_open_projection_is_a_name_until_it_has_types() {
    let mut store = store();
    let (name, fields) = ("seats".parse().unwrap(), ["id:text:key", "n:text:index"]);
    assert!(store.create_open_projection(&name, &open(&fields)).unwrap());
    assert!(!store.create_open_projection(&name, &open(&fields)).unwrap());
    let other = store.create_open_projection(&name, &open(&["id:text:key"]));
    assert!(matches!(other, Err(Error::ProjectionExists(_))), "{other:?}");
    let other = store.create_open_projection(&"Seats".parse().unwrap(), &open(&fields));
    assert!(matches!(other, Err(Error::ProjectionExists(_))), "{other:?}");
    assert_eq!(store.open_projections().unwrap(), ["seats"]);
    assert_eq!(store.open_projection("seats").unwrap(), Some(open(&fields)));
    assert_eq!(store.projections().unwrap(), []);
    assert!(matches!(store.projection("seats"), Err(Error::ProjectionOpen(_))));

    let made = Definition::new(schema(&["id:integer:key", "n:text:null:index"]));
    assert!(store.create_projection(&entry("seats", &made)).unwrap());
    assert_eq!(store.open_projection("seats").unwrap(), None);
    assert_eq!(store.projection("seats").unwrap().entry().generation, 1);
    // Whoever asks for it without types again finds it.
    assert!(!store.create_open_projection(&name, &open(&fields)).unwrap());
}

#[test]
fn an_open_projection_is_dropped_and_its_name_is_free() {
    let mut store = store();
    let name: Identifier = "seats".parse().unwrap();
    store.create_open_projection(&name, &open(&["id:text:key"])).unwrap();
    assert!(store.drop_projection(&name).unwrap());
    assert!(!store.drop_projection(&name).unwrap());
    let new = NewSubscription::of("seats".parse().unwrap(), Vec::new());
    store.subscribe(&new, Position(0)).unwrap();
    let taken = store.create_open_projection(&name, &open(&["id:text:key"]));
    assert!(matches!(taken, Err(Error::NameTaken { .. })), "{taken:?}");
}

#[test]
fn what_is_done_to_one_is_recorded_and_what_it_does_is_not() {
    let mut store = empty();
    let users = store.projection("users").unwrap().entry().clone();
    // It is there already.
    assert!(!store.create_projection(&users).unwrap());
    let mut rows = store.projection("users").unwrap();
    rows.set(&[parsed(&rows, ROWS[0])], Batched::AllOrNone).unwrap();
    store.record_failure("users", Some("it failed")).unwrap();
    store.remember(&users).unwrap();
    let mut definition = users.definition.clone();
    definition.from = vec!["user-*".parse().unwrap()];
    store.remember(&entry("users", &definition)).unwrap();
    let users = store.projection("users").unwrap().entry().clone();
    let rebuild = store.begin_rebuild(&users).unwrap();
    store.switch(&rebuild).unwrap();
    drop(rebuild);
    assert!(store.drop_projection(&"users".parse().unwrap()).unwrap());
    assert!(!store.drop_projection(&"users".parse().unwrap()).unwrap());
    let act = |act: &str, generation: u64| {
        (act.to_owned(), format!("{{\"projection\":\"users\",\"generation\":{generation}}}"))
    };
    let told = [
        act("ProjectionCreated", 1),
        act("ProjectionChanged", 1),
        act("ProjectionSwitched", 2),
        act("ProjectionDropped", 2),
    ];
    assert_eq!(acts(&store), told);
}
