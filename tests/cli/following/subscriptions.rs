//! `ream subscription`: what follows the log, and where it is.

use rustix::process::Signal;

use super::{
    SEE, catches_up, checkpoint, each, ends_interrupted, lines, make_seen, project, reaches, react,
    seen,
};
use crate::harness::{Ream, Run, ream};

/// A store with three events, and a projection and two subscriptions that are done with them; each of these, and
/// what `seen` is made from, is recorded in an event.
fn followed() -> Ream {
    let shop = ream();
    for (day, number) in [("01", 1), ("02", 2), ("03", 3)] {
        let event = format!(
            r#"{{"stream":"s","type":"T","data":{number},"time":"2026-01-{day}T00:00:00Z"}}"#
        );
        shop.append_lines(&event).ok();
    }
    make_seen(&shop);
    let ends = "cat >/dev/null";
    react(&shop, &["s", "--until-caught-up"], ends).ok();
    shop.run(["tail", "s", "t-*", "--type", "T", "--type", "U", "--as", "later", "--new"])
        .args(["--until-caught-up", "--", "false"])
        .ok();
    catches_up(&shop, &["s"], ends);
    shop
}

fn subscription<'r>(shop: &'r Ream, args: &[&str]) -> Run<'r> {
    shop.run(["subscription"]).args(args)
}

#[test]
fn what_follows_is_listed() {
    let shop = followed();
    subscription(&shop, &["list"]).stdout(concat!(
        r#"{"name":"echo","kind":"subscription","checkpoint":3,"head":7,"lag":0,"from":["s"]}"#,
        "\n",
        r#"{"name":"later","kind":"subscription","checkpoint":5,"head":7,"lag":0,"from":["s","t-*"],"types":["T","U"]}"#,
        "\n",
        r#"{"name":"seen","kind":"projection","checkpoint":3,"head":7,"lag":0,"from":["s"]}"#,
        "\n",
    ));
    subscription(&shop, &["list", "--format", "table"]).stdout(
        "NAME   KIND          CHECKPOINT  LAG  BEHIND  RUN BY  LAST ERROR\n\
         echo   subscription  3           0\n\
         later  subscription  5           0\n\
         seen   projection    3           0\n",
    );
    subscription(&shop, &["list", "--json"]).stdout_has(["[\n{\"name\":\"echo\",", "}\n]\n"]);
    let nothing = ream();
    subscription(&nothing, &["list"]).stdout("");
    subscription(&nothing, &["list", "--json"]).stdout("[]\n");
}

#[test]
fn one_is_shown() {
    let shop = followed();
    subscription(&shop, &["show", "later"]).stdout(
        "{\"name\":\"later\",\"kind\":\"subscription\",\"checkpoint\":5,\"head\":7,\"lag\":0,\
         \"from\":[\"s\",\"t-*\"],\"types\":[\"T\",\"U\"]}\n",
    );
    let table = |name: &str| subscription(&shop, &["show", name, "--format", "table"]);
    table("later").stdout(
        "later: subscription\n\
         checkpoint 5 of 7, 0 events behind\n\
         from s, t-*\n\
         of type T, U\n\
         not running\n",
    );
    table("seen").stdout(
        "seen: projection\n\
         checkpoint 3 of 7, 0 events behind\n\
         from s\n\
         not running\n",
    );
}

#[test]
fn how_far_it_is_behind_counts_its_own_events() {
    let shop = followed();
    for (stream, event_type) in [("s", "T"), ("t-1", "U"), ("s", "V"), ("u", "T")] {
        shop.append(stream, event_type, "1").ok();
    }
    let listed = subscription(&shop, &["list"]).values();
    let lags = listed.iter().map(|one| one["lag"].as_u64().unwrap());
    assert_eq!(lags.collect::<Vec<_>>(), [2, 2, 2]);
    assert!(listed.iter().all(|one| one["head"] == 11), "{listed:?}");
    let behind = listed.iter().map(|one| one["behind_seconds"].as_f64().unwrap());
    assert!(behind.into_iter().all(|seconds| (0.0..3600.0).contains(&seconds)), "{listed:?}");
    subscription(&shop, &["show", "echo", "--format", "table"])
        .stdout_has(["checkpoint 3 of 11, 2 events behind, ", " second"]);
    subscription(&shop, &["list", "--format", "table"]).stdout_has([" second"]);
    // All streams.
    let all = seen(2);
    subscription(&all, &["show", "seen", "--format", "table"])
        .stdout_has(["seen: projection\ncheckpoint 0 of 3, 2 events behind, ", "\nnot running\n"]);
}

#[test]
fn one_that_is_not_there_is_named_near() {
    let shop = followed();
    for args in [&["show", "eco"][..], &["seek", "eco", "start"], &["ack", "eco", "3"]] {
        subscription(&shop, args).fails(4, "error: no subscription `eco`\nhint: there is `echo`\n");
    }
    for args in [&["show", "none"][..], &["seek", "none", "3"], &["ack", "none", "3"]] {
        subscription(&shop, args)
            .fails(4, "error: no subscription `none`\nhint: ream subscription list\n");
    }
    // Names that no subscription can have.
    for args in [&["seek", "a b", "3"][..], &["ack", "a b", "3"], &["rm", "a b", "--yes"]] {
        subscription(&shop, args)
            .fails_with(6, ["'a b'", "the subscription's name has ` ` at character 2"]);
    }
    subscription(&ream(), &["show", "echo"])
        .fails(4, "error: no subscription `echo`\nhint: ream subscription list\n");
}

#[test]
fn who_runs_it_is_shown() {
    let script = format!("echo $PPID > runner; {}", each(SEE));
    let shop = seen(1);
    let running = project(&shop, &[], &script).start();
    reaches(&shop, 1);
    let runner = lines(&shop, "runner").remove(0);
    let by = format!("run by process {runner} since [time]\n");
    subscription(&shop, &["show", "seen", "--format", "table"]).stdout_has([&*by]);
    subscription(&shop, &["list", "--format", "table"]).stdout_has([&*format!("process {runner}")]);
    subscription(&shop, &["list"])
        .stdout_has([&*format!("\"runner\":\"process {runner} since [time]\"")]);
    ends_interrupted(running, Signal::TERM, 143);
    subscription(&shop, &["show", "seen", "--format", "table"]).stdout_has(["not running\n"]);
}

#[test]
fn how_it_failed_last_is_shown() {
    let shop = seen(3);
    shop.run(["tail", "--as", "echo", "--retries", "0", "--"])
        .args(["sh", "-c", "read -r _; echo hello; sleep 1000"])
        .fails_with(7, ["bad reply"]);
    project(&shop, &["--retries", "0"], &format!("{SEE}; echo 'no luck' >&2; exit 3"))
        .fails_with(7, ["exit code 3"]);
    let told = [
        "`sh` wrote a bad reply, line 1: column 1: expected value: it wrote: hello",
        "`sh` failed with exit code 3: no luck",
    ];
    for (name, told) in ["echo", "seen"].into_iter().zip(told) {
        let shown = subscription(&shop, &["show", name]).value();
        assert_eq!(shown["error"], told);
        subscription(&shop, &["show", name])
            .stdout_has([&*format!(r#""error":"{told}","error_time":"[time]"}}"#)]);
        subscription(&shop, &["show", name, "--format", "table"])
            .stdout_has([&*format!("not running\nfailed at [time]: {told}\n")]);
        subscription(&shop, &["list", "--format", "table"]).stdout_has([told]);
    }
    // A run without a failure has none.
    react(&shop, &["--until-caught-up"], "cat >/dev/null").ok();
    let shown = subscription(&shop, &["show", "echo"]).value();
    assert!(shown.get("error").is_none() && shown.get("error_time").is_none(), "{shown}");
    assert!(subscription(&shop, &["show", "seen"]).value().get("error").is_some());
}

#[test]
fn it_is_moved() {
    let shop = followed();
    for (place, position) in [
        ("start", 0),
        ("2", 2),
        ("0", 0),
        ("3", 3),
        ("2026-01-01T00:00:00Z", 0),
        ("2026-01-01T00:00:01Z", 1),
        ("2026-01-02T00:00:00Z", 1),
        ("2026-01-03T01:00:00+01:00", 2),
        ("2000-01-01T00:00:00Z", 0),
    ] {
        subscription(&shop, &["seek", "echo", place])
            .stdout(&format!("{{\"subscription\":\"echo\",\"checkpoint\":{position}}}\n"));
        assert_eq!(checkpoint(&shop, "echo"), position, "{place}");
    }
    // The head: that it is moved is an event as well.
    for place in ["end", "2026-01-03T00:00:01Z", "2100-01-01T00:00:00Z"] {
        let head = shop.run(["status"]).value()["head"].to_string();
        subscription(&shop, &["seek", "echo", place])
            .stdout(&format!("{{\"subscription\":\"echo\",\"checkpoint\":{head}}}\n"));
    }
    subscription(&shop, &["seek", "echo", "1", "--format", "table"])
        .stdout("echo: at position 1\n");
    subscription(&shop, &["seek", "echo", "1", "--format", "table", "-q"]).stdout("");
    // There it goes on.
    react(&shop, &["s", "--until-caught-up"], "while read -r line; do echo >> told; done").ok();
    assert_eq!((lines(&shop, "told").len(), checkpoint(&shop, "echo")), (2, 3));
    assert_eq!(checkpoint(&shop, "later"), 3);
}

#[test]
fn it_is_not_moved_to_nowhere() {
    let shop = followed();
    for place in ["8", "99"] {
        subscription(&shop, &["seek", "echo", place])
            .fails_with(6, [&*format!("error: position {place} is beyond the head, 7\n")]);
    }
    for place in ["-1", "soon", "10m", "@2", "1.5", "Start", "", "18446744073709551616"] {
        let told = format!("error: `{place}` is no position, not `start` or `end`, and no time: ");
        subscription(&shop, &["seek", "echo", place]).fails_with(6, [&*told]);
    }
    subscription(&shop, &["seek", "echo"]).fails_with(2, ["<POS|start|end|TIME>"]);
    // A projection's rows belong to its place.
    subscription(&shop, &["seek", "seen", "1"])
        .fails_with(4, ["error: no subscription `seen`: it is a projection"]);
    assert_eq!((checkpoint(&shop, "echo"), checkpoint(&shop, "seen")), (3, 3));
}

#[test]
fn a_loop_acks_by_itself() {
    let shop = followed();
    subscription(&shop, &["seek", "echo", "start"]).ok();
    let ack = |position: &str| subscription(&shop, &["ack", "echo", position]);
    ack("2").stdout("{\"subscription\":\"echo\",\"checkpoint\":2}\n");
    // Again is no mistake.
    ack("2").stdout("{\"subscription\":\"echo\",\"checkpoint\":2}\n");
    ack("1").fails(6, "error: `echo` has acked 2 already; 1 lies before it\n");
    ack("9").fails_with(6, ["error: position 9 is beyond the head, 8\n"]);
    ack("-1").fails_with(6, ["'-1'"]);
    ack("end").fails_with(6, ["'end'"]);
    subscription(&shop, &["ack", "seen", "3"])
        .fails_with(4, ["error: no subscription `seen`: it is a projection"]);
    assert_eq!(checkpoint(&shop, "echo"), 2);
    ack("3").args(["--format", "table"]).stdout("echo: at position 3\n");
    ack("3").args(["--format", "table", "-q"]).stdout("");
    // As a whole: it reads from there, and acks each.
    subscription(&shop, &["seek", "echo", "1"]).ok();
    shop.sh(r#"at=$("$REAM" subscription show echo); at=${at#*'"checkpoint":'}
        "$REAM" read s --after "${at%%,*}" | while IFS=:, read -r _ position _; do
            echo "$position"; "$REAM" subscription ack echo "$position" -q --format table
        done"#)
        .stdout("2\n3\n");
    assert_eq!(checkpoint(&shop, "echo"), 3);
}

#[test]
fn one_is_removed() {
    let shop = followed();
    subscription(&shop, &["rm", "echo", "--yes"])
        .stdout("{\"subscription\":\"echo\",\"removed\":true}\n");
    // Not there is as it shall be, without a question.
    subscription(&shop, &["rm", "echo"]).stdout("{\"subscription\":\"echo\",\"removed\":false}\n");
    subscription(&shop, &["rm", "echo", "--format", "table"]).stdout("echo: is not there\n");
    subscription(&shop, &["rm", "echo", "--dry-run", "--format", "table"])
        .stdout("echo: is not there\n");
    subscription(&shop, &["show", "echo"]).fails_with(4, ["error: no subscription `echo`\n"]);
    subscription(&shop, &["rm", "later", "-y", "--format", "table"]).stdout("later: removed\n");
    subscription(&shop, &["rm", "later", "-y", "--format", "table", "-q"]).stdout("");
    // The events stay, and its name is free.
    assert_eq!(shop.positions(&[]), [1, 2, 3]);
    react(&shop, &["--until-caught-up"], "while read -r _; do echo >> told; done").ok();
    assert_eq!((lines(&shop, "told").len(), checkpoint(&shop, "echo")), (3, 3));
}

#[test]
fn none_is_removed_unasked() {
    let shop = followed();
    subscription(&shop, &["rm", "echo"]).fails(
        2,
        "error: removing the subscription echo and its place, position 3, needs to be confirmed\n\
         hint: ream subscription rm --yes echo\n",
    );
    subscription(&shop, &["rm", "echo"]).stdin("yes\n").fails_with(2, ["needs to be confirmed"]);
    let question = "removing the subscription echo and its place, position 3, for good: type yes to \
                    go on: ";
    subscription(&shop, &["rm", "echo"]).typed("no\n").code(1).stdout_has([question]);
    subscription(&shop, &["rm", "echo", "--dry-run", "--format", "table"])
        .stdout("echo: would be removed\n");
    subscription(&shop, &["rm", "echo", "--dry-run", "--yes"]).stdout_has([r#""dry_run":true"#]);
    // A projection is dropped otherwise.
    subscription(&shop, &["rm", "seen", "--yes"]).ok();
    assert_eq!(subscription(&shop, &["list"]).values().len(), 3);
    subscription(&shop, &["rm", "echo"]).typed("yes\n").stdout_has([question]);
    assert_eq!(subscription(&shop, &["list"]).values().len(), 2);
}

#[test]
fn a_command_is_needed() {
    let shop = followed();
    shop.run(["subscription"]).fails_with(2, ["Usage: ream subscription [OPTIONS] <COMMAND>"]);
    subscription(&shop, &["remove", "echo"]).fails_with(2, ["'remove'"]);
}
