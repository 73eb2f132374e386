//! Making a store: by several at once, and by one that is killed half-way.

use std::collections::HashMap;

use crate::support::{Home, Running, ended, traced};

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
    let mut calls: HashMap<String, usize> = HashMap::new();
    for call in traced(&bare(), "all", &["init"]) {
        *calls.entry(call.name().to_owned()).or_default() += 1;
    }
    let mut halves = 0;
    for (name, count) in calls {
        for when in 1..=count {
            let home = bare();
            let (trace, inject) =
                (format!("trace={name}"), format!("inject={name}:signal=KILL:when={when}"));
            let strace = ["strace", "-f", "-o", "/dev/null", "-e", &trace, "-e", &inject];
            ended(&mut home.wrapped(&strace, &["init"]));
            // A store that is half made is none, and says so.
            if !home.file("store").exists() {
                halves += usize::from(home.store().exists());
                home.run(&["read"]).failed(4, &["no store", "ream init"]);
            }
            made(&home, &format!("killed at call {when} of {name}"));
        }
    }
    assert!(halves > 50, "{halves}");
}
