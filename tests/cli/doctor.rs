//! `ream doctor`, and `ream status --check`.

use std::fs;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::{Ream, ream};

const READS: &str = "cat >/dev/null";

/// A store with three events, a projection that has come to their end, and a subscription that has as well.
fn shop() -> Ream {
    let shop = ream();
    shop.fill("order-1", 3);
    let create =
        ["project", "create", "rows", "id:integer:key", "--from", "order-*", "--", "sh", "-c"];
    shop.run(create).args([READS]).ok();
    shop.run(["project", "run", "rows", "--until-caught-up"]).ok();
    shop.run(["tail", "--as", "hook", "--until-caught-up", "--", "sh", "-c", READS]).ok();
    shop
}

/// What is found, but for the last line.
fn found(shop: &Ream, code: i32) -> Vec<Value> {
    let run = shop.run(["doctor"]).code(code);
    let run = if code == 0 { run } else { run.stderr_has(["error: ", " a person\n"]) };
    let mut found = run.values();
    let last = found.pop().unwrap();
    let serious = found.iter().filter(|one| one["serious"] == true).count();
    assert_eq!(last, json!({"healthy": code == 0, "findings": found.len(), "serious": serious}));
    found
}

/// The one thing that is found; its command is run, and then nothing is found any more.
fn mended(shop: &Ream, finding: &str, name: Option<&str>, words: &str) {
    let found = found(shop, 1);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["finding"], found[0]["name"].as_str()), (&finding.into(), name));
    assert!(found[0]["what"].as_str().unwrap().contains(words), "{found:?}");
    shop.sh(found[0]["command"].as_str().unwrap()).ok();
    self::found(shop, 0);
}

#[test]
fn a_healthy_store_needs_nothing() {
    let shop = shop();
    assert_eq!(found(&shop, 0), [] as [Value; 0]);
    shop.run(["doctor", "--format", "table"]).stdout("nothing needs attention\n");
    shop.run(["status", "--check"]).stdout("{\"ok\":true,\"problems\":[]}\n");
    shop.run(["status", "--check", "--format", "table"]).stdout("ok\n");
}

#[test]
fn what_lags_behind_is_told_and_needs_no_one_unless_that_is_asked_for() {
    let shop = shop();
    shop.fill("order-1", 2);
    let found = found(&shop, 0);
    let told: Vec<(&str, &str)> = found
        .iter()
        .map(|one| (one["finding"].as_str().unwrap(), one["name"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("lag", "hook"), ("lag", "rows")]);
    assert!(found[1]["what"].as_str().unwrap().starts_with("it is not run; 2 events behind"));
    shop.run(["status", "--check", "--max-lag", "2", "--max-age", "1h"]).ok();
    shop.run(["status", "--check", "--max-lag", "1", "--format", "table"])
        .code(1)
        .stderr_has(["2 things need a person"])
        .stdout("not ok: lag hook: 2 events behind; lag rows: 2 events behind\n");
    let late = shop.run(["status", "--check", "--max-age", "0s"]).code(1);
    let late = late.stderr_has(["2 things"]).value();
    assert_eq!((&late["ok"], late["problems"].as_array().unwrap().len()), (&false.into(), 2));
    shop.run(["status", "--max-lag", "1"]).fails_with(2, ["--check"]);
}

#[test]
fn a_program_that_never_ran_or_may_not_run_is_told() {
    let shop = ream();
    shop.fill("order-1", 3);
    let create =
        ["project", "create", "rows", "id:integer:key", "--from", "order-*", "--", "sh", "-c"];
    shop.run(create).args([READS]).ok();
    let never = found(&shop, 0);
    assert!(never[0]["what"].as_str().unwrap().starts_with("its program has never run; 3 events"));
    let shop = self::shop();
    shop.sh("cp -r .ream copy && rm -r .ream && mv copy .ream").ok();
    mended(&shop, "not-allowed", Some("rows"), "neither given nor allowed here");
}

#[test]
fn what_failed_is_told_with_how() {
    let shop = ream();
    shop.fill("order-1", 1);
    let create =
        ["project", "create", "rows", "id:integer:key", "--from", "order-*", "--", "sh", "-c"];
    shop.run(create).args(["cat >/dev/null; test -e go"]).ok();
    shop.run(["project", "run", "rows", "--retries", "0", "--until-caught-up"])
        .fails_with(7, ["error: "]);
    let found = found(&shop, 1);
    let kinds: Vec<&Value> = found.iter().map(|one| &one["finding"]).collect();
    assert_eq!(kinds, ["failed", "lag"]);
    assert!(found[0]["command"].as_str().unwrap().ends_with("ream project run rows"), "{found:?}");
    shop.run(["status", "--check", "--format", "table"])
        .code(1)
        .stderr_has(["one thing needs a person"])
        .stdout_has(["not ok: failed rows: it failed at "]);
    shop.write("go", "");
    shop.run(["project", "run", "rows", "--until-caught-up"]).ok();
    self::found(&shop, 0);
}

#[test]
fn a_projection_without_its_file_is_made_anew() {
    let shop = shop();
    fs::remove_file(shop.path(".ream/projections/rows.1.db")).unwrap();
    let found = found(&shop, 1);
    assert_eq!((&found[0]["finding"], &found[0]["name"]), (&"broken".into(), &"rows".into()));
    shop.sh(found[0]["command"].as_str().unwrap()).stdout_has(["\"rebuilt\":true"]);
    self::found(&shop, 0);
}

#[test]
fn a_file_without_a_projection_is_dropped() {
    let shop = shop();
    shop.sh("cp .ream/projections/rows.1.db .ream/projections/gone.3.db").ok();
    let strays = found(&shop, 0);
    assert_eq!((&strays[0]["finding"], &strays[0]["name"]), (&"stray".into(), &"gone".into()));
    shop.sh(strays[0]["command"].as_str().unwrap()).stdout_has(["gone"]);
    assert_eq!(found(&shop, 0), [] as [Value; 0]);
    // Half a rebuild.
    shop.sh("cp .ream/projections/rows.1.db .ream/projections/rows.2.db").ok();
    let strays = found(&shop, 0);
    assert_eq!((&strays[0]["finding"], &strays[0]["name"]), (&"stray".into(), &"rows".into()));
    shop.sh(strays[0]["command"].as_str().unwrap()).stdout_has(["\"rebuilt\":true"]);
    assert_eq!(found(&shop, 0), [] as [Value; 0]);
}

#[test]
fn an_erasure_that_a_reader_is_in_the_way_of_is_finished() {
    let shop = shop();
    let reader = Connection::open(shop.path(".ream/db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM events").unwrap();
    shop.run(["stream", "rm", "order-1", "--yes", "--lock-timeout", "50ms"])
        .stderr_has(["bytes of it are left"])
        .stdout_has(["\"erased\":false"]);
    reader.execute_batch("COMMIT").unwrap();
    drop(reader);
    let found = found(&shop, 1);
    let erasing = found.iter().find(|one| one["finding"] == "erasing").unwrap();
    shop.sh(erasing["command"].as_str().unwrap()).stdout_has(["\"shrunk\":true"]);
    assert!(!self::found(&shop, 0).iter().any(|one| one["finding"] == "erasing"));
}

#[test]
fn what_was_lost_needs_a_person() {
    let shop = ream();
    shop.append("s", "T", "1").ok();
    shop.sh("mkdir old && cp .ream/db .ream/db-wal old").ok();
    shop.append("s", "T", "2").ok();
    shop.sh("rm .ream/db-shm && cp old/* .ream").ok();
    let found = found(&shop, 1);
    assert_eq!((&found[0]["finding"], found.len()), (&"lost".into(), 1));
    shop.sh(found[0]["command"].as_str().unwrap())
        .code(1)
        .stderr_has(["the store is damaged (lost: 1)"])
        .stdout_has(["\"verified\":false"]);
}

#[test]
fn a_backup_that_is_gone_or_old_is_told() {
    let shop = shop();
    shop.run(["backup", "copy"]).ok();
    assert_eq!(found(&shop, 0), [] as [Value; 0]);
    let known = fs::read_to_string(shop.path(".ream/backups")).unwrap();
    let time = known.split("\"time\":\"").nth(1).unwrap();
    let old = known.replace(&time[..10], "2020-01-02");
    fs::write(shop.path(".ream/backups"), old).unwrap();
    let told = found(&shop, 0);
    assert!(told[0]["what"].as_str().unwrap().contains("/copy, is "), "{told:?}");
    fs::write(shop.path(".ream/backups"), known).unwrap();
    fs::remove_dir_all(shop.path("copy")).unwrap();
    let told = found(&shop, 0);
    assert_eq!((&told[0]["finding"], told.len()), (&"backup".into(), 1));
    shop.sh(told[0]["command"].as_str().unwrap()).stdout_has(["copy-next"]);
    assert_eq!(found(&shop, 0), [] as [Value; 0]);
}
