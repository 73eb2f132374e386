//! Permits to run a remembered program, as another machine sees them, and one without an id.

use std::fs;
use std::process::Command;

use crate::support::{Ended, Home, clean, ended, needs_root};

/// A program that takes every event and makes nothing of it.
const TAKE: [&str; 4] = ["--", "sh", "-c", "cat >/dev/null"];
const SHOW: [&str; 3] = ["project", "show", "seen"];
const REBUILD: [&str; 4] = ["project", "rebuild", "seen", "--dry-run"];
const REFUSED: &str = "the program of `seen` was neither given nor allowed here";

/// A store with an event and the projection `seen`, whose program was given here.
fn made() -> Home {
    let home = Home::with(1);
    home.run(&[&["project", "create", "seen", "id:integer:key"], &TAKE[..]].concat()).done();
    home.run(&REBUILD).done();
    home
}

/// `ream` where the machine's id is what a file says.
fn on_machine(home: &Home, id: &str, args: &[&str]) -> Command {
    let file = home.place().join("machine-id");
    fs::write(&file, id).unwrap();
    let script = "mount --bind \"$0\" /etc/machine-id && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(file).arg(env!("CARGO_BIN_EXE_ream"));
    command.arg("--store").arg(home.store()).args(args);
    clean(&mut command, home.place());
    command
}

#[track_caller]
fn run_on(home: &Home, id: &str, args: &[&str]) -> Ended {
    ended(&mut on_machine(home, id, args))
}

#[test]
fn a_permit_holds_on_the_machine_where_it_was_made() {
    needs_root("another machine's id");
    let home = made();
    let (here, there) =
        (fs::read_to_string("/etc/machine-id").unwrap(), "4c1c84dd2ac642fd9bbd6dc87e2d83b5\n");
    assert!(run_on(&home, &here, &SHOW).done().contains("\"allowed\":true"));
    assert!(run_on(&home, there, &SHOW).done().contains("\"allowed\":false"));
    run_on(&home, there, &REBUILD).failed(1, &[REFUSED, "project allow seen\n"]);
    run_on(&home, there, &["project", "allow", "seen"]).done();
    run_on(&home, there, &REBUILD).done();
    // A store has one permit for a program: the last.
    home.run(&REBUILD).failed(1, &[REFUSED]);
}

#[test]
fn a_machine_without_an_id_keeps_no_permit() {
    needs_root("a machine without an id");
    for id in ["", "uninitialized\n"] {
        let home = made();
        let why = "there is no machine id in /etc/machine-id";
        assert!(run_on(&home, id, &SHOW).done().contains("\"allowed\":false"));
        let hint = format!("hint: {why}, so each run needs --allow: ");
        let command = "project rebuild --allow seen --dry-run\n";
        run_on(&home, id, &REBUILD).failed(1, &[REFUSED, &hint, command]);
        run_on(&home, id, &["project", "allow", "seen"]).failed(1, &[why, "hint: ", "--allow"]);
        ended(on_machine(&home, id, &REBUILD).env("REAM_ALLOW", "1")).done();
        run_on(&home, id, &[&REBUILD[..], &["--allow"]].concat()).done();
        // What is given runs; once it is only remembered, it is asked for.
        let other = ["project", "create", "other", "id:integer:key"];
        run_on(&home, id, &[&other, &TAKE[..]].concat()).done();
        let run = ["project", "run", "other", "--until-caught-up"];
        run_on(&home, id, &run).failed(1, &["the program of `other` was neither given"]);
        run_on(&home, id, &[&run, &TAKE[..]].concat()).done();
        run_on(&home, id, &run).failed(1, &["the program of `other` was neither given"]);
    }
}
