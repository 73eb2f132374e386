//! The files of projections.

use std::time::Duration;

use ream::{
    Batched, Condition, Definition, Error, NewSubscription, Options, Parameters, Position,
    Projection, ProjectionEntry, Row, Schema, Selection, Store,
};
use rusqlite::Connection;

use crate::store;
use crate::support::Fresh;

/// A projection of numbers.
fn entry(name: &str) -> ProjectionEntry {
    let schema = Schema::of(&["id:integer:key"]).unwrap();
    ProjectionEntry::new(name.parse().unwrap(), Definition::new(schema))
}

fn row(projection: &Projection, id: u64) -> Row {
    Row::parse(format!("{{\"id\":{id}}}").as_bytes(), projection.schema()).unwrap()
}

fn follows(name: &str) -> NewSubscription {
    NewSubscription::of(name.parse().unwrap(), Vec::new())
}

/// The files of projections, but for those that SQLite puts beside one.
fn files(store: &Fresh) -> Vec<String> {
    let files = std::fs::read_dir(store.path().unwrap().join("projections")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.strip_suffix(".db").is_some()).collect();
    names.sort();
    names
}

#[test]
fn no_file_has_a_name_that_another_one_had() {
    let mut store = store();
    for (name, there) in [
        ("users", ["users.1.db", "users.db"]),
        ("users", ["users.2.db", "users.db"]),
        ("USERS", ["USERS.3.db", "USERS.db"]),
    ] {
        assert!(store.create_projection(&entry(name)).unwrap());
        assert_eq!(files(&store), there);
        assert!(store.drop_projection(&name.parse().unwrap()).unwrap());
        assert_eq!(files(&store), [""; 0]);
    }
    // Nor is there one of a name that someone else has.
    store.subscribe(&follows("mail"), Position(0)).unwrap();
    store.create_projection(&entry("Mail")).unwrap_err();
    assert_eq!(files(&store), [""; 0]);
    assert!(store.remove_subscription(&"mail".parse().unwrap()).unwrap());
    assert!(store.create_projection(&entry("Mail")).unwrap());
    assert_eq!(files(&store), ["Mail.1.db", "Mail.db"]);
}

#[test]
fn who_loses_the_race_for_a_name_leaves_no_file() {
    const ROUNDS: usize = 50;
    let store = store();
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
    let create = |store: &mut Store, name: &str| store.create_projection(&entry(name)).map(drop);
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
        let is_file = |file: &String| file.starts_with(&format!("race{round}."));
        assert_eq!(files(&store).iter().any(is_file), created, "{round}");
    }
}

#[test]
fn a_writer_waits_for_who_switches_and_goes_on_where_that_was_killed() {
    let mut store = store();
    store.create_projection(&entry("users")).unwrap();
    let mut users = store.projection("users").unwrap();
    users.set(&[row(&users, 1)], Batched::AllOrNone).unwrap();
    let path = store.path().unwrap().to_owned();
    let file = Connection::open(path.join("projections/users.1.db")).unwrap();
    let mut options = Options::default();
    options.lock_timeout = Duration::from_millis(50);
    let mut users_again = store.another_with(&options).projection("users").unwrap();
    let row = row(&users, 9);
    let mut set = || users_again.set(std::slice::from_ref(&row), Batched::AllOrNone).map(drop);
    let next = || {
        let next = "SELECT next FROM ream_checkpoint";
        file.query_row(next, [], |row| row.get::<_, Option<u64>>(0)).unwrap()
    };
    let put_up = || file.execute("UPDATE ream_checkpoint SET next = 2", []).unwrap();
    // As one that is killed before the registry changes leaves it.
    put_up();
    set().unwrap();
    assert_eq!(next(), None);
    put_up();
    let rebuild = store.begin_rebuild(users.entry()).unwrap();
    assert_eq!(next(), None, "who has the turn takes it back");
    put_up();
    let busy = set().unwrap_err();
    assert!(matches!(busy, Error::Busy { .. }), "{busy}");
    assert!(store.has_reached(&users, Position(0)).unwrap(), "it still serves");
    rebuild.discard().unwrap();
    set().unwrap();
    assert_eq!(next(), None);
    assert_eq!(users.status().unwrap().rows, 2);
}

#[test]
fn what_an_index_serves_is_told() {
    let mut store = store();
    let fields = ["id:integer:key", "email:text:unique", "city:text:index", "salary:integer"];
    let definition = Definition::new(Schema::of(&fields).unwrap());
    store.create_projection(&ProjectionEntry::new("users".parse().unwrap(), definition)).unwrap();
    let users = store.projection("users").unwrap();
    let explained = |text: &str| {
        let mut selection = Selection::all(users.schema());
        let condition = Condition::new(text, users.schema(), &Parameters::default());
        selection.condition = Some(condition.unwrap());
        users.explain(&selection).unwrap().plan.join("\n")
    };
    assert!(explained("city = 'London'").contains("users(city)"));
    assert!(explained("email = 'x'").contains("users(email)"));
    assert!(explained("id IN (1, 2)").contains("PRIMARY KEY"));
    assert!(explained("salary > 1").contains("SCAN"));
}
