//! Programs that follow the log: `ream project run` and `ream tail --as`, and `ream subscription`.
//!
//! The scripts are read by `sh`, which takes no more than a line at once, so that what a program has
//! heard is what it has read.

mod acks;
mod bad;
mod broken;
mod fresh;
mod passing;
mod places;
mod projectors;
mod reactors;
mod restored;
mod rows;
mod subscriptions;

use std::fs;
use std::time::Instant;

use crate::harness::{DEADLINE, REAM, Ream, Run, Running, ream};

/// Takes an event: a row with its position, and its ack.
const SEE: &str = r#"IFS=:, read -r _ position _ &&
    echo "{\"set\":{\"position\":$position}}" && echo "{\"ack\":$position}""#;

/// Takes an event: another of the stream `out`, and its ack.
const ECHO: &str = r#"IFS=:, read -r _ position _ &&
    echo "{\"append\":{\"stream\":\"out\",\"type\":\"Echo\",\"data\":$position}}" &&
    echo "{\"ack\":$position}""#;

/// Writes the numbers of the script's process, and of one that it starts and leaves.
const LEAVE: &str = "sleep 1000 >/dev/null 2>&1 & echo $! $$ >> pids";

/// A store with the projection `seen`, and so many events of the stream `s`, whose data counts from 1.
fn seen(events: usize) -> Ream {
    let shop = ream();
    if events > 0 {
        shop.fill("s", events);
    }
    // Behind them, since that it is made is an event as well.
    make_seen(&shop);
    shop
}

/// Makes the projection `seen`.
fn make_seen(shop: &Ream) {
    shop.run(["project", "create", "seen", "position:integer:key", "n:integer:null"])
        .args(["name:text:8:null", "mail:text:null:unique", "price:decimal:6:2:null"])
        .ok();
}

/// `ream project run seen` of a script, which finds the program as `$REAM`.
fn project<'r>(shop: &'r Ream, options: &[&str], script: &str) -> Run<'r> {
    let args = [&["project", "run", "seen"], options, &["--", "sh", "-c", script]].concat();
    shop.run(args).env("REAM", REAM)
}

/// The same, until it has caught up: it ends with everything done.
#[track_caller]
fn catches_up(shop: &Ream, options: &[&str], script: &str) {
    let last = shop.positions(&["*"]).last().copied().unwrap_or_default();
    project(shop, &[options, &["--until-caught-up"]].concat(), script)
        .stdout_has([r#"{"projection":"seen","checkpoint":"#]);
    assert_eq!(checkpoint(shop, "seen"), last);
}

/// `ream tail --as echo` of a script.
fn react<'r>(shop: &'r Ream, options: &[&str], script: &str) -> Run<'r> {
    let args = [&["tail"], options, &["--as", "echo", "--", "sh", "-c", script]].concat();
    shop.run(args).env("REAM", REAM)
}

/// A script that does the same for each event, and ends with its input.
fn each(script: &str) -> String {
    format!("while {script}; do :; done")
}

/// How far something has come: the last event up to its checkpoint that is no record of an act.
#[track_caller]
fn checkpoint(shop: &Ream, name: &str) -> u64 {
    let reached = shop.run(["subscription", "show", name]).value()["checkpoint"].as_u64().unwrap();
    let events = shop.positions(&["*"]).into_iter();
    events.take_while(|position| *position <= reached).last().unwrap_or_default()
}

/// The positions in the rows of `seen`.
#[track_caller]
fn rows(shop: &Ream) -> Vec<u64> {
    let rows = shop.run(["project", "select", "seen", "--order-by", "position"]).values();
    rows.iter().map(|row| row["position"].as_u64().unwrap()).collect()
}

/// That `seen` has come to so many events, and that the rows are of those.
#[track_caller]
fn has_seen(shop: &Ream, count: usize) {
    let seen: Vec<u64> = shop.positions(&["*"]).into_iter().take(count).collect();
    let last = seen.last().copied().unwrap_or_default();
    assert_eq!((checkpoint(shop, "seen"), rows(shop)), (last, seen));
}

/// Waits until `seen` has come to so many events.
#[track_caller]
fn reaches(shop: &Ream, count: usize) {
    let position = shop.positions(&["*"])[count - 1].to_string();
    shop.run(["project", "select", "seen", "--at-least", &position, "--wait", "30s"]).ok();
}

/// The lines that the scripts have written into a file.
fn lines(shop: &Ream, file: &str) -> Vec<String> {
    let text = fs::read_to_string(shop.path(file)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Those lines, once there are so many.
#[track_caller]
fn wait_for_lines(shop: &Ream, file: &str, count: usize) -> Vec<String> {
    wait_until(&format!("{count} lines in {file}"), || lines(shop, file).len() >= count);
    lines(shop, file)
}

/// Waits until something is so. Nothing tells of it, so it is looked at again and again.
#[track_caller]
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not within {DEADLINE:?}");
        std::thread::yield_now();
    }
}

/// No process is left of those whose numbers are in `pids`, of which there are so many.
#[track_caller]
fn none_is_left(shop: &Ream, processes: usize) {
    let text = lines(shop, "pids").join(" ");
    let pids: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(pids.len(), processes, "{pids:?}");
    for pid in pids {
        wait_until(&format!("the end of the process {pid}"), || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let state = stat.rsplit(") ").next().unwrap_or_default();
            // What has ended, and no one has taken note of it, is no process any more.
            state.is_empty() || state.starts_with('Z')
        });
    }
}

/// A pipe in the test's directory, by which a script tells that it has come to a place: it writes into
/// it, and [`arrives`] takes that.
fn pipe(shop: &Ream, name: &str) {
    shop.sh(&format!("mkfifo {name}")).ok();
}

/// Waits until a script has written a line into the pipe.
#[track_caller]
fn arrives(shop: &Ream, pipe: &str) {
    shop.sh(&format!("read -r line < {pipe}")).ok();
}

/// Ends it by a signal; the exit code, and the last line on stderr.
#[track_caller]
fn ends_interrupted(mut running: Running<'_>, signal: rustix::process::Signal, code: i32) {
    let (found, stdout, stderr) = running.signal(signal).end();
    assert_eq!((found, &*stdout), (code, ""), "{stderr}");
    assert!(stderr.ends_with("error: interrupted\n"), "{stderr}");
}
