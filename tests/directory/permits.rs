//! Which remembered programs may run: whoever gives one says so, and what is only read does not.

use std::path::Path;

use ream::program::Program;
use ream::{Definition, Error, NotAllowed, Options, ProjectionEntry, Schema, Store};

use crate::store;
use crate::support::Fresh;

/// A projection with a program that was read somewhere.
fn read_somewhere(name: &str) -> ProjectionEntry {
    let mut definition = Definition::new(Schema::of(&["id:integer:key"]).unwrap());
    definition.program = vec!["./maker".into(), "x".into()];
    definition.directory = Some("work".into());
    ProjectionEntry::new(name.parse().unwrap(), definition)
}

/// The same, given by this process.
fn given(store: &Store, name: &str) -> ProjectionEntry {
    let mut entry = read_somewhere(name);
    let program = entry.definition.program.clone();
    let directory = store.path().unwrap().canonicalize().unwrap().with_file_name("work");
    store.give(&mut entry, program, &directory);
    entry
}

/// A store with the projection `seen`, whose program was given.
fn made() -> Fresh {
    let mut store = store();
    let entry = given(&store, "seen");
    assert!(store.create_projection(&entry).unwrap());
    store
}

/// The entry as the store has it.
fn stored(store: &Store, name: &str) -> ProjectionEntry {
    store.projection(name).unwrap().entry().clone()
}

#[track_caller]
fn refused<T>(done: Result<T, Error>) -> NotAllowed {
    match done.map(drop) {
        Err(Error::NotAllowed(refused)) => *refused,
        other => panic!("{other:?}"),
    }
}

fn allowing(store: &Fresh) -> Store {
    let mut options = Options::default();
    options.allow_programs = true;
    store.another_with(&options)
}

#[test]
fn what_is_given_is_remembered_and_may_run() {
    let mut store = store();
    let entry = given(&store, "seen");
    assert_eq!(entry.definition, read_somewhere("seen").definition, "it is run where it was given");
    assert!(store.create_projection(&entry).unwrap());
    let other = store.another();
    assert!(other.allows(&stored(&other, "seen")));
    assert!(Program::remembered(&other, &stored(&other, "seen")).unwrap().is_some());
    // To make it again changes nothing.
    assert!(!store.create_projection(&entry).unwrap());
    assert!(!store.create_projection(&read_somewhere("seen")).unwrap());
    assert!(store.allows(&stored(&store, "seen")));
}

#[test]
fn what_is_read_somewhere_is_not_made_and_not_run() {
    let mut store = store();
    let told = refused(store.create_projection(&read_somewhere("seen")));
    let place = store.path().unwrap().canonicalize().unwrap();
    assert_eq!(
        (&*told.name, &told.program[..], &*told.directory, &*told.store, told.no_permits),
        (
            "seen",
            &["./maker".to_owned(), "x".into()][..],
            &*place.with_file_name("work"),
            &*place,
            None
        )
    );
    assert_eq!(store.projections().unwrap(), []);
    refused(Program::remembered(&store, &read_somewhere("seen")));
    // It is once it is allowed.
    let mut allowing = allowing(&store);
    assert!(Program::remembered(&allowing, &read_somewhere("seen")).unwrap().is_some());
    assert!(allowing.create_projection(&read_somewhere("seen")).unwrap());
    assert!(store.allows(&stored(&store, "seen")));
}

#[test]
fn what_is_remembered_anew_is_given_or_not_allowed() {
    let mut store = made();
    let mut changed = stored(&store, "seen");
    changed.definition.from = vec!["s".parse().unwrap()];
    store.remember(&changed).unwrap();
    assert!(store.allows(&stored(&store, "seen")), "the program is the same");
    changed.definition.program.push("y".into());
    store.remember(&changed).unwrap();
    assert!(!store.allows(&stored(&store, "seen")));
    refused(Program::remembered(&store, &stored(&store, "seen")));

    let allowed = store.allow("seen").unwrap();
    assert_eq!(allowed.definition, changed.definition);
    assert!(store.allows(&allowed) && store.allows(&stored(&store, "seen")));
    assert!(matches!(store.allow("sen"), Err(Error::ProjectionNotFound { .. })));
}

#[test]
fn a_rebuild_keeps_what_is_allowed_and_allows_nothing_else() {
    let mut store = made();
    let same = stored(&store, "seen");
    let mut other = same.clone();
    other.definition.program.push("y".into());
    let mut again = other.clone();
    store.give(&mut again, other.definition.program.clone(), Path::new("/"));
    for (entry, allowed) in [(&same, true), (&other, false), (&again, true), (&same, true)] {
        let rebuild = store.begin_rebuild(entry).unwrap();
        store.switch(&rebuild).unwrap();
        assert_eq!(store.allows(&stored(&store, "seen")), allowed, "{entry:?}");
    }
}
