//! Projections: made, dropped and changed wholly or not at all, whenever their process is killed.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Command;

use crate::support::{Call, Home, Running, ended, killed_at_each_call, traced, until};

const CREATE: [&str; 5] = ["project", "create", "users", "id:integer:key", "city:text:index"];
const ROWS: [&str; 3] =
    [r#"{"id":1,"city":"Rome"}"#, r#"{"id":2,"city":"Oslo"}"#, r#"{"id":3,"city":"Rome"}"#];

/// A store with a projection of three rows.
fn prepared() -> Home {
    let home = Home::with(1);
    home.run(&CREATE).done();
    for row in ROWS {
        home.run(&["project", "set", "users", row]).done();
    }
    home
}

/// The rows of the projection, or nothing where there is none.
#[track_caller]
fn rows(home: &Home) -> Option<String> {
    let listed = home.run(&["project", "list"]).done();
    let select = home.run(&["project", "select", "users", "--order-by", "id"]);
    if listed.is_empty() {
        select.failed(4, &["no projection `users`"]);
        return None;
    }
    Some(select.done())
}

fn lines(rows: &[&str]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

#[test]
fn a_kill_at_any_call_of_create_leaves_none_or_a_whole_one() {
    let (mut none, mut whole) = (0, 0);
    killed_at_each_call(&Home::with(1), &CREATE, |home, end, place| {
        let found = rows(home);
        match &found {
            None => none += 1,
            Some(rows) if rows.is_empty() => whole += 1,
            Some(rows) => panic!("{place}: {rows}"),
        }
        assert!(end.stdout.is_empty() || found.is_some(), "{place}: told before it was there");
        let again = home.run(&CREATE).done();
        assert_eq!(again.contains("\"created\":true"), found.is_none(), "{place}: {again}");
        home.run(&["project", "set", "users", ROWS[0]]).done();
        assert_eq!(rows(home), Some(lines(&ROWS[..1])), "{place}");
        let link = fs::read_link(home.file("projections/users.db")).unwrap();
        assert_eq!(link.to_str(), Some("users.1.db"), "{place}");
    });
    assert!(none > 100 && whole > 5, "{none} {whole}");
}

#[test]
fn a_kill_at_any_call_of_drop_leaves_a_whole_one_or_none() {
    let (mut none, mut whole) = (0, 0);
    let drop = ["project", "drop", "users", "--yes"];
    killed_at_each_call(&prepared(), &drop, |home, end, place| {
        match rows(home) {
            None => none += 1,
            found => {
                assert_eq!(found, Some(lines(&ROWS)), "{place}");
                assert!(end.stdout.is_empty(), "{place}: told before it was gone");
                whole += 1;
            }
        }
        home.run(&drop).done();
        let left: Vec<_> = fs::read_dir(home.file("projections"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(
            left.iter().all(|name| !name.to_str().unwrap().contains("users")),
            "{place}: {left:?}"
        );
        // One that is made anew has nothing of the old.
        assert!(home.run(&CREATE).done().contains("\"created\":true"), "{place}");
        assert_eq!(rows(home), Some(lines(&[])), "{place}");
    });
    assert!(none > 10 && whole > 50, "{none} {whole}");
}

#[test]
fn a_kill_at_any_call_of_a_change_leaves_all_of_it_or_nothing() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let moved =
        [r#"{"id":1,"city":"Bern"}"#, r#"{"id":2,"city":"Bern"}"#, r#"{"id":4,"city":"Bern"}"#];
    fs::write(file.path(), moved.join("\n")).unwrap();
    let set = ["project", "set", "users", "--atomic", "--jsonl", file.path().to_str().unwrap()];
    let after_set = [moved[0], moved[1], ROWS[2], moved[2]];
    let update =
        ["project", "update", "users", "--set", "city = 'Bern'", "--where", "id < 3", "--yes"];
    let after_update = [moved[0], moved[1], ROWS[2]];
    let delete = ["project", "delete", "users", "city = 'Rome'", "--yes"];
    for (args, after) in
        [(&set[..], &after_set[..]), (&update[..], &after_update[..]), (&delete[..], &ROWS[1..2])]
    {
        let (mut old, mut new) = (0, 0);
        killed_at_each_call(&prepared(), args, |home, end, place| {
            let found = rows(home);
            if found == Some(lines(after)) {
                new += 1;
            } else {
                assert_eq!(found, Some(lines(&ROWS)), "{args:?}, {place}");
                assert!(end.stdout.is_empty(), "{args:?}, {place}: told before it was done");
                old += 1;
            }
        });
        assert!(old > 50 && new > 5, "{args:?}: {old} {new}");
    }
}

#[test]
fn a_projection_is_synced_before_it_is_told_and_its_rows_ring_no_bell() {
    let home = Home::with(1);
    let calls = traced(&home, "fsync,fdatasync,pwrite64,write", &CREATE);
    let told = calls.iter().position(Call::writes_out).unwrap();
    for file in ["projections/users.1.db", "projections", "db-wal"] {
        assert!(calls[..told].iter().any(|call| call.syncs(file)), "{file}: {calls:#?}");
    }
    let set =
        traced(&home, "fsync,fdatasync,pwrite64,write", &["project", "set", "users", ROWS[0]]);
    assert!(!set.iter().any(|call| call.on("bell/bell")), "{set:#?}");
    // What is written into a projection does not touch the events.
    assert!(!set.iter().any(|call| call.on("db") || call.on("db-wal")), "{set:#?}");
}

#[test]
fn a_projection_works_in_a_store_behind_a_link() {
    let home = Home::with(1);
    let link = home.place().join("link");
    std::os::unix::fs::symlink(home.store(), &link).unwrap();
    for args in [&CREATE[..], &["project", "set", "users", ROWS[0]]] {
        let mut ream = Command::new(env!("CARGO_BIN_EXE_ream"));
        ended(ream.arg("--store").arg(&link).args(args)).done();
    }
    assert_eq!(rows(&home), Some(lines(&ROWS[..1])));
}

#[test]
fn a_projection_whose_file_is_gone_says_so_and_can_be_dropped() {
    let home = prepared();
    fs::remove_file(home.file("projections/users.1.db")).unwrap();
    let told =
        ["the file of the projection `users`", "users.1.db, is not there", "project rebuild"];
    home.run(&["project", "select", "users"]).failed(1, &told);
    home.run(&["project", "list"]).failed(1, &told);
    home.run(&["project", "drop", "users", "--yes"]).done();
    home.run(&CREATE).done();
    assert_eq!(rows(&home), Some(lines(&[])));
}

/// What `sqlite3` says of the projection's file.
#[track_caller]
fn sqlite(home: &Home, uri_end: &str, sql: &str) -> String {
    let file = fs::canonicalize(home.file("projections/users.db")).unwrap();
    let mut command = Command::new("sqlite3");
    command.arg(format!("file:{}{uri_end}", file.display())).arg(sql);
    ended(&mut command).done()
}

#[test]
fn a_select_that_nobody_reads_holds_up_no_log_and_stays_what_it_was() {
    const ROWS: usize = 30_000;
    let home = Home::new();
    home.run(&CREATE).done();
    let city = "x".repeat(100);
    let rows: String =
        (1..=ROWS).map(|id| format!("{{\"id\":{id},\"city\":\"{city}\"}}\n")).collect();
    fs::write(home.place().join("rows"), rows).unwrap();
    home.run(&["project", "set", "users", "--jsonl", "rows"]).done();
    let mut select = Running::start(&mut home.ream(&["project", "select", "users"]));
    let mut output = BufReader::new(select.stdout());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    home.run(&["project", "update", "users", "--set", "city = 'Rome'", "--yes"]).done();
    // Its snapshot is in the way of that, until what is left of it has gone aside.
    until("that the log is let go", || {
        let told = sqlite(&home, "", "PRAGMA wal_checkpoint(TRUNCATE)");
        told.starts_with("0|").then_some(())
    });
    let mut lines = 1;
    loop {
        assert!(line.contains(&city), "line {lines} is of another moment: {line}");
        line.clear();
        if output.read_line(&mut line).unwrap() == 0 {
            break;
        }
        lines += 1;
    }
    assert_eq!(lines, ROWS);
    assert_eq!(select.end().code, Some(0));
}

#[test]
fn what_a_runner_made_is_seen_by_who_takes_the_file_for_one_that_no_one_writes() {
    let home = Home::with(3);
    home.run(&CREATE).done();
    let script = r#"while read -r line; do
            p=${line#*:}; p=${p%%,*}
            echo "{\"set\":{\"id\":$p,\"city\":\"x\"}}"; echo "{\"ack\":$p}"
        done"#;
    let run = ["project", "run", "users", "--", "sh", "-c", script];
    let _runner = Running::start(&mut home.ream(&run));
    until("that it has caught up, and tidied up", || {
        (sqlite(&home, "?immutable=1", "SELECT count(*) FROM users") == "3\n").then_some(())
    });
}
