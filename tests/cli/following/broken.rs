//! A projection whose file is damaged or gone: the others are listed, it is named with what is wrong, and
//! the registry has all that it takes to make it anew.

use std::fs;

use super::{react, seen};
use crate::harness::Ream;

/// A store with the projections `seen`, which has three rows, and `whole`, and the subscription `echo`.
fn followed() -> Ream {
    let shop = seen(3);
    let maker = r#"sed -n 's/{"position":\([0-9]*\),.*/{"set":{"position":\1}}/p'"#;
    let run = ["project", "run", "seen", "s", "--until-caught-up", "--", "sh", "-c", maker];
    shop.run(run).ok();
    shop.run(["project", "create", "whole", "id:integer:key"]).ok();
    react(&shop, &["s", "--until-caught-up"], "cat >/dev/null").ok();
    shop
}

const FILE: &str = ".ream/projections/seen.1.db";
const HINT: &str = "hint: make it anew: ream project rebuild seen\n";

/// That it is named with `why`, beside all others.
#[track_caller]
fn is_named(shop: &Ream, why: &str) {
    let why =
        &*format!("the file of the projection `seen`, [home]/.ream/projections/seen.1.db, {why}");
    let fails = |args: &[&str]| {
        shop.run(args).code(1).stderr_has([&format!("error: {why}"), &format!("\n{HINT}")])
    };
    for (args, all) in [
        (["project", "list"], &["seen", "whole"][..]),
        (["subscription", "list"], &["echo", "seen", "whole"]),
    ] {
        let listed = fails(&args).values();
        let name = |one: &serde_json::Value| {
            let name = one.get("name").or(one.get("projection")).unwrap();
            name.as_str().unwrap().to_owned()
        };
        assert_eq!(listed.iter().map(name).collect::<Vec<_>>(), all);
        for one in &listed {
            let (is_broken, has_come) = (one.get("broken").is_some(), one.get("lag").is_some());
            assert_eq!((is_broken, has_come), (name(one) == "seen", name(one) != "seen"), "{one}");
        }
        let table = fails(&[&args[..], &["--format", "table"]].concat()).text();
        let line = table.lines().find(|line| line.starts_with("seen ")).unwrap();
        assert!(line.contains(" broken"), "{table}");
    }
    let shown = fails(&["project", "show", "seen"]).value();
    assert_eq!((&shown["from"], &shown["key"]), (&["s"].into(), &["position"].into()));
    assert!(shown["broken"].as_str().unwrap().contains("seen.1.db"), "{shown}");
    assert!(fails(&["project", "show", "seen", "--format", "table"]).text().contains("\nfrom s\n"));
    shop.run(["project", "show", "seen", "--sql"]).stdout_has(["CREATE TABLE \"seen\""]);
    let shown = fails(&["subscription", "show", "seen"]).value();
    assert!(shown["broken"].as_str().unwrap().contains("seen.1.db"), "{shown}");
    fails(&["project", "select", "seen"]).stdout("");
    fails(&["project", "rebuild", "seen", "--dry-run"]).stdout("");
}

#[track_caller]
fn is_made_anew(shop: &Ream) {
    shop.run(["project", "rebuild", "seen"]).stdout_has([r#""rows":3"#]);
    assert_eq!(shop.run(["subscription", "list"]).values().len(), 3);
    shop.run(["project", "select", "seen", "--fresh", "--count"]).stdout("{\"count\":3}\n");
    assert!(!shop.path(FILE).exists());
}

#[test]
fn one_that_is_damaged_is_named_and_made_anew() {
    for (content, why) in [
        (&b"This is no database at all, but it is longer than a header of one, which has 100 bytes: so it is looked at."[..],
         "is damaged: file is not a database"),
        (b"", "is damaged: no such table: "),
    ] {
        let shop = followed();
        fs::write(shop.path(FILE), content).unwrap();
        is_named(&shop, why);
        is_made_anew(&shop);
    }
}

#[test]
fn one_that_is_gone_is_named_and_made_anew() {
    let shop = followed();
    fs::remove_file(shop.path(FILE)).unwrap();
    is_named(&shop, "is not there");
    is_made_anew(&shop);
}

#[test]
fn each_that_is_broken_is_named() {
    let shop = followed();
    for name in ["seen", "whole"] {
        fs::remove_file(shop.path(format!(".ream/projections/{name}.1.db"))).unwrap();
    }
    let hints = format!("\n{HINT}hint: make it anew: ream project rebuild whole\n");
    let told = ["the projection `seen`", "the projection `whole`", &*hints];
    assert_eq!(shop.run(["project", "list"]).code(1).stderr_has(told).values().len(), 2);
}
