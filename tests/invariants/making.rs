//! Making a store: by several at once, and by one that is killed half-way.

use crate::support::{Home, Running, ended, failing, killed_at_each_call, traced};

/// A place without a store.
fn bare() -> Home {
    let home = Home::new();
    std::fs::remove_dir_all(home.store()).unwrap();
    home
}

/// That the store can be made, or is there, and used.
#[track_caller]
fn made(home: &Home, told: &str) {
    home.run(&["init"]).done();
    assert_eq!(home.append("s"), 1, "{told}");
    home.run(&["status"]).done();
}

#[test]
fn of_those_that_make_a_store_at_once_one_does_and_all_have_it() {
    for _ in 0..10 {
        let home = bare();
        let all: Vec<Running> = (0..8).map(|_| Running::start(&mut home.ream(&["init"]))).collect();
        let told: Vec<String> = all.into_iter().map(|init| init.end().done()).collect();
        let created = told.iter().filter(|told| told.contains("\"created\":true")).count();
        assert_eq!(created, 1, "{told:#?}");
        let id = |told: &String| told.split("\"store\":").nth(1).unwrap()[..15].to_owned();
        assert!(told.iter().all(|one| id(one) == id(&told[0])), "{told:#?}");
        made(&home, "it was made once");
    }
}

#[test]
fn a_kill_at_any_call_leaves_what_can_be_made_whole() {
    let mut halves = 0;
    killed_at_each_call(&bare(), &["init"], |home, _, place| {
        // A store that is half made is none, and says so.
        if !home.file("store").exists() {
            halves += usize::from(home.store().exists());
            home.run(&["read"]).failed(4, &["no store", "hint: ", " init"]);
        }
        made(home, place);
    });
    assert!(halves > 50, "{halves}");
}

#[test]
fn a_store_whose_sync_fails_is_told_and_can_be_made_whole() {
    let calls = traced(&bare(), "fsync,fdatasync", &["init"]);
    for file in ["db", "store.new"] {
        for inject in failing(&calls, file) {
            let home = bare();
            let end = ended(&mut home.injected(file, &inject, &["init"]));
            assert_eq!((end.code, &*end.stdout), (Some(1), ""), "{file} {inject}: {end:#?}");
            home.run(&["read"]).failed(4, &["no store", "hint: ", " init"]);
            made(&home, &inject);
        }
    }
}
