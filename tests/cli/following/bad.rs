//! Programs that fail, each in its own way: what is told, exit code 7, what is stored, and no process
//! left.

mod misfits;

use rustix::process::Signal;

use super::{
    ECHO, LEAVE, SEE, arrives, catches_up, checkpoint, each, ends_interrupted, has_seen,
    none_is_left, pipe, project, reaches, react, rows, seen,
};
use crate::harness::Ream;

const HINT: &str = "hint: stdout is for replies, a JSON object a line; all else goes to stderr\n";
/// Where the second and the third of three events are told and not done.
const OF_TWO: &str = "it fails on one of the events from position 2 to 3";
const SEE_THEM: &str =
    "hint: what came before is stored; see where it fails: ream read --from 2 --until 3\n";

/// That a projector which has done the first of three events and goes on as this script is told of
/// like this; the first event stays done.
#[track_caller]
fn fails(script: &str, stderr: &str) -> Ream {
    fails_with(&[], script, stderr)
}

#[track_caller]
fn fails_with(options: &[&str], script: &str, stderr: &str) -> Ream {
    let shop = seen(3);
    project(&shop, &[options, &["--retries", "0"]].concat(), &format!("{LEAVE}; {SEE}; {script}"))
        .fails(7, stderr);
    has_seen(&shop, 1);
    none_is_left(&shop, 2);
    shop
}

/// The same of a reactor.
#[track_caller]
fn reactor_fails(script: &str, stderr: &str) {
    let shop = seen(3);
    react(&shop, &["s", "--retries", "0"], &format!("{LEAVE}; {ECHO}; {script}")).fails(7, stderr);
    assert_eq!((checkpoint(&shop, "echo"), shop.positions(&["out"])), (1, vec![6]));
    none_is_left(&shop, 2);
}

/// What is told of a reply in the third line that is none.
fn bad_reply(line: u64, reason: &str, wrote: &str) -> String {
    format!(
        "error: `sh` wrote a bad reply, line {line}: {reason}; {OF_TWO}\n\
         caused by: it wrote: {wrote}\n{HINT}"
    )
}

#[test]
fn one_that_can_not_be_run() {
    let shop = seen(3);
    // It is not tried again.
    let run = |program: &str| shop.run(["project", "run", "seen", "--", program]);
    run("nowhere-to-be-found").fails(
        7,
        "error: can't run `nowhere-to-be-found`\n\
         caused by: No such file or directory (os error 2)\n",
    );
    run("./none")
        .fails(7, "error: can't run `./none`\ncaused by: No such file or directory (os error 2)\n");
    shop.run(["subscription", "show", "seen"]).stdout_has(["can't run `./none`"]);
    shop.write("plain", "#!/bin/sh\n");
    run("./plain").fails_with(
        7,
        ["can't run `./plain`\ncaused by: Permission denied (os error 13)\nhint: chmod +x ./plain\n"],
    );
    run("plain").fails(
        7,
        "error: can't run `plain`\n\
         caused by: No such file or directory (os error 2)\n\
         hint: a file here is run with its path: ream project run seen -- ./plain\n",
    );
    shop.write("lost", "#!/nowhere/sh\n").sh("chmod +x lost").ok();
    run("./lost").fails_with(7, ["hint: the interpreter in the first line of ", " is not there\n"]);
    has_seen(&shop, 0);
    let react = |program: &str| shop.run(["tail", "--as", "echo", "--", program]);
    react("./none")
        .fails(7, "error: can't run `./none`\ncaused by: No such file or directory (os error 2)\n");
    react("./plain").fails_with(7, ["hint: chmod +x ./plain\n"]);
    assert_eq!(checkpoint(&shop, "echo"), 0);
}

#[test]
fn one_that_ends_before_its_input() {
    let told = format!(
        "error: `sh` ended before its input did; {OF_TWO}\n\
         hint: a program reads events until its input ends; where its exit code alone is the ack: \
         --per-event\n"
    );
    fails("exit 0", &told);
    reactor_fails("exit 0", &told);
    // One that has read nothing may have been told of nothing; then it is told of one event.
    let shop = seen(3);
    let told = ["error: `sh` ended before its input did; it fails on the event at position 1\n"];
    project(&shop, &["--retries", "2"], "exit 0").fails_with(7, told);
    react(&shop, &["--retries", "2"], "exit 0").fails_with(7, told);
    has_seen(&shop, 0);
    assert_eq!(checkpoint(&shop, "echo"), 0);
}

#[test]
fn one_that_fails() {
    let told = |how: &str| format!("error: `sh` failed with {how}; {OF_TWO}\n");
    fails("exit 1", &(told("exit code 1") + SEE_THEM));
    fails("kill -9 $$", &(told("signal: 9 (SIGKILL)") + SEE_THEM));
    let last_words =
        format!("one\ntwo words\n\n{}caused by: two words\n{SEE_THEM}", told("exit code 3"));
    fails("echo one >&2; echo 'two words' >&2; echo >&2; exit 3", &last_words);
    reactor_fails("echo one >&2; echo 'two words' >&2; echo >&2; exit 3", &last_words);
    fails("exec 0<&-; exit 4", &(told("exit code 4") + SEE_THEM));
    // What it answered and did not ack is not stored.
    fails(r#"echo '{"set":{"position":2}}'; exit 1"#, &(told("exit code 1") + SEE_THEM));
    reactor_fails(
        r#"echo '{"append":{"stream":"out","type":"T"}}'; exit 1"#,
        &(told("exit code 1") + SEE_THEM),
    );
    // At the end of its input too.
    fails_with(&["--until-caught-up"], "cat >/dev/null; exit 1", &(told("exit code 1") + SEE_THEM));
}

#[test]
fn the_event_is_named_where_one_is_left() {
    let shop = seen(3);
    let script = format!("{LEAVE}; {SEE}; {SEE}; read -r _; exit 1");
    project(&shop, &["--retries", "0"], &script).fails(
        7,
        "error: `sh` failed with exit code 1; it fails on the event at position 3\n\
         hint: what came before is stored; see where it fails: ream read --from 3 --until 3\n",
    );
    has_seen(&shop, 2);
    none_is_left(&shop, 2);
}

#[test]
fn one_that_leaves_half_a_line() {
    let half = r#"printf '{"set":{"position":2'"#;
    let told = bad_reply(3, "column 20: it ends within an object", r#"{"set":{"position":2"#);
    fails(half, &told);
    // A whole reply is one without the end of its line too.
    fails(r#"printf '{"ack":7}'"#, &bad_reply(3, "the event at 7 was not told", r#"{"ack":7}"#));
}

#[test]
fn one_that_writes_what_is_no_reply() {
    let long = format!("echo {}", "x".repeat(300));
    for (script, line, reason, wrote) in [
        // A word for a person, by mistake.
        ("echo; echo hello", 4, "column 1: expected value", "hello"),
        ("echo 7", 3, "column 1: invalid type: integer `7`, expected a reply: a JSON object", "7"),
        (
            r#"echo '{"set":{"position":2},}'"#,
            3,
            "column 23: trailing comma",
            r#"{"set":{"position":2},}"#,
        ),
        (
            r#"echo '{"sett":{"position":2}}'"#,
            3,
            "column 7: unknown reply `sett`; did you mean `set`?",
            r#"{"sett":{"position":2}}"#,
        ),
        (
            r#"echo '{"set":{"position":2},"ack":2}'"#,
            3,
            "column 27: a reply has one key, here are `set` and `ack`: write a line each",
            r#"{"set":{"position":2},"ack":2}"#,
        ),
        (
            r#"echo '{"ack":-1}'"#,
            3,
            "column 9: invalid value: integer `-1`, expected u64",
            r#"{"ack":-1}"#,
        ),
        (r"printf '{\377}\n'", 3, "column 2: invalid UTF-8", "{\u{fffd}}"),
        (&*long, 3, "column 1: expected value", &*format!("{}…", "x".repeat(200))),
    ] {
        // It does not wait for its end.
        let script = format!("{script}; sleep 1000");
        fails(&script, &bad_reply(line, reason, wrote));
        if !wrote.contains("set") {
            reactor_fails(&script, &bad_reply(line, reason, wrote));
        }
    }
}

#[test]
fn one_that_answers_as_another() {
    for (reply, key) in [
        (r#"{"append":{"stream":"out","type":"T"}}"#, "append"),
        (r#"{"state":{}}"#, "state"),
        (r#"{"reject":"no"}"#, "reject"),
    ] {
        let reason =
            format!("`{key}` is no reply of a projector: set, upsert, update, delete, ack");
        fails(&format!("echo '{reply}'; sleep 1000"), &bad_reply(3, &reason, reply));
    }
    for (reply, key) in [
        (r#"{"set":{"position":2}}"#, "set"),
        (r#"{"upsert":{"row":{"position":2}}}"#, "upsert"),
        (r#"{"update":{"where":{"position":2},"set":{"n":1}}}"#, "update"),
        (r#"{"delete":{"position":2}}"#, "delete"),
        (r#"{"state":{}}"#, "state"),
        (r#"{"reject":"no"}"#, "reject"),
    ] {
        let reason = format!("`{key}` is no reply of a reactor: append, ack");
        reactor_fails(&format!("echo '{reply}'; sleep 1000"), &bad_reply(3, &reason, reply));
    }
}

#[test]
fn one_whose_rows_clash() {
    let told = "error: `sh` wrote a reply that can't be stored, line 3; it fails on the event at \
                position 2\n\
                caused by: the row with position 2 can't have mail \"a\" in `seen`: the row with \
                position 1 has it\n\
                hint: what came before is stored; see where it fails: ream read --from 2 --until 2\n";
    let clash = r#"IFS=:, read -r _ position _; echo
        echo "{\"set\":{\"position\":$((position + 10))}}"
        echo "{\"set\":{\"position\":$position,\"mail\":\"a\"}}" "#;
    let shop = seen(3);
    project(&shop, &["--per-event", "--retries", "0"], &format!("{LEAVE}; {clash}")).fails(7, told);
    // All of an event's rows are stored, or none.
    assert_eq!((checkpoint(&shop, "seen"), rows(&shop)), (1, vec![1, 11]));
    none_is_left(&shop, 4);
    // One that goes on is told of all events at once, and then of the one alone.
    let shop = seen(3);
    let script = each(&format!(r#"{clash} && echo "{{\"ack\":$position}}""#));
    project(&shop, &["--retries", "1"], &script).fails_with(7, [told]);
    assert_eq!((checkpoint(&shop, "seen"), rows(&shop)), (1, vec![1, 11]));
}

#[test]
fn one_that_acks_what_it_was_not_told() {
    for (acks, line, reason, wrote) in [
        ("4", 3, "the event at 4 was not told", "4"),
        (
            "18446744073709551615",
            3,
            "the event at 18446744073709551615 was not told",
            "18446744073709551615",
        ),
        ("1", 3, "1 is acked already", "1"),
        ("0", 3, "0 is acked already", "0"),
    ] {
        let script =
            format!("for ack in {acks}; do echo \"{{\\\"ack\\\":$ack}}\"; done; sleep 1000");
        let told = bad_reply(line, reason, &format!("{{\"ack\":{wrote}}}"));
        fails(&script, &told);
        reactor_fails(&script, &told);
    }
    // Backwards, and twice: what was acked before stays done.
    for (ack, reason) in [(1, "1 is acked already"), (2, "2 is acked already")] {
        let shop = seen(3);
        let script = format!(
            r#"{LEAVE}; read -r _; echo '{{"set":{{"position":1}}}}'; echo '{{"set":{{"position":2}}}}'
            echo '{{"ack":2}}'; echo '{{"set":{{"position":3}}}}'; echo '{{"ack":{ack}}}'; sleep 1000"#
        );
        project(&shop, &["--retries", "0"], &script).fails(
            7,
            &format!(
                "error: `sh` wrote a bad reply, line 5: {reason}; it fails on the event at position 3\n\
                 caused by: it wrote: {{\"ack\":{ack}}}\n{HINT}"
            ),
        );
        has_seen(&shop, 2);
        none_is_left(&shop, 2);
    }
}

#[test]
fn an_event_that_its_patterns_do_not_match_can_not_be_acked() {
    let shop = seen(1);
    shop.append("other", "T", "2").ok();
    shop.append("s", "T", "3").ok();
    let script = r#"read -r _; echo '{"ack":2}'; sleep 1000"#;
    let told = format!(
        "error: `sh` wrote a bad reply, line 1: the event at 2 was not told; it fails on one of the \
         events from position 1 to 4\n\
         caused by: it wrote: {{\"ack\":2}}\n{HINT}"
    );
    project(&shop, &["s", "--retries", "0"], script).fails(7, &told);
    react(&shop, &["s", "--retries", "0"], script).fails(7, &told);
}

/// That one of each is ended that writes too much, as these scripts do when one event is done.
#[track_caller]
fn writes_too_much(projector: &str, reactor: &str, what: &str) {
    // It may be slow enough to be warned of.
    let told = format!("error: `sh` {what}; {OF_TWO}\n{SEE_THEM}");
    let shop = seen(3);
    project(&shop, &["--retries", "0"], &format!("{LEAVE}; {SEE}; {projector}; sleep 1000"))
        .fails_with(7, [&told]);
    has_seen(&shop, 1);
    react(&shop, &["s", "--retries", "0"], &format!("{LEAVE}; {ECHO}; {reactor}; sleep 1000"))
        .fails_with(7, [&told]);
    assert_eq!((checkpoint(&shop, "echo"), shop.positions(&["out"])), (1, vec![7]));
    none_is_left(&shop, 4);
}

#[test]
fn one_that_writes_much_without_an_ack() {
    // A line without an end.
    let line = "head -c 104857600 /dev/zero";
    writes_too_much(line, line, "answered with more than 67108864 bytes");
    // Replies.
    let much = |reply: &str| {
        let reply = reply.replace("VALUE", &"x".repeat(100_000));
        format!("yes '{reply}' | head -c 104857600")
    };
    writes_too_much(
        &much(r#"{"set":{"position":2,"mail":"VALUE"}}"#),
        &much(r#"{"append":{"stream":"out","type":"T","data":"VALUE"}}"#),
        "wrote more than 67108864 bytes of replies without an ack",
    );
}

#[test]
fn one_that_leaves_its_output_open() {
    let told = format!(
        "error: `sh` ended, but a process that it started keeps its output open; {OF_TWO}\n\
         hint: redirect the output of what shall go on: command >/dev/null &\n"
    );
    let held = "cat >/dev/null; sleep 1000 & echo $! >> held; exit";
    fails_with(&["--until-caught-up"], &format!("{held} 0"), &told);
    let failed = format!("error: `sh` failed with exit code 2; {OF_TWO}\n{SEE_THEM}");
    let shop = fails_with(&["--until-caught-up"], &format!("{held} 2"), &failed);
    shop.sh("mv held pids").ok();
    none_is_left(&shop, 1);
}

/// A program that is interrupted: nothing more is stored, and no process is left.
#[track_caller]
fn is_interrupted(script: &str) {
    // More than a pipe holds.
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let shop = seen(5000);
        pipe(&shop, "ready");
        let script = format!("{LEAVE}; {SEE}; {script}");
        let running = project(&shop, &[], &script).start();
        arrives(&shop, "ready");
        reaches(&shop, 1);
        ends_interrupted(running, signal, code);
        has_seen(&shop, 1);
        none_is_left(&shop, 2);
        let shown = shop.run(["subscription", "show", "seen"]).value();
        assert!(shown.get("runner").is_none(), "{shown}");
    }
}

#[test]
fn one_that_never_reads_can_be_interrupted() {
    is_interrupted("echo > ready; exec sleep 1000");
}

#[test]
fn one_that_never_answers_can_be_interrupted() {
    is_interrupted("echo > ready; cat >/dev/null; :");
    is_interrupted(r#"echo '{"set":{"position":2}}'; echo > ready; cat >/dev/null; :"#);
}

#[test]
fn one_that_never_acks_is_warned_of() {
    let told = "warning: `sh` has written 1001 replies without an ack, {\"ack\":POSITION}: nothing \
                of them is stored; or its output is buffered, and an ack waits there\n";
    let shop = seen(3);
    // Once.
    let much = r#"yes '{"set":{"position":2}}' | head -n 3000; exit 1"#;
    let stopped = format!("error: `sh` failed with exit code 1; {OF_TWO}\n{SEE_THEM}");
    project(&shop, &["--retries", "0"], &format!("{SEE}; {much}"))
        .fails(7, &format!("{told}{stopped}"));
    has_seen(&shop, 1);
    // An ack at the end is one.
    let much = r#"cat >/dev/null; yes '{"set":{"position":2}}' | head -n 1000"#;
    catches_up(&seen(3), &[], much);
}

#[test]
fn one_that_is_silent_is_warned_of() {
    let shop = seen(3);
    let mut running =
        shop.sh(r#"exec "$REAM" project run seen -- sh -c 'cat >/dev/null' 2>&1"#).start();
    running.hears(
        "warning: `sh` has been told of events and says nothing: does it flush its output? An ack \
         waits in its buffer otherwise",
    );
    running.signal(Signal::TERM);
    running.ends_saying(143, "error: interrupted\n", "");
    has_seen(&shop, 0);
}

#[test]
fn one_that_closes_its_output_has_its_acks_stored() {
    let shop = seen(3);
    let script = "read -r _; echo '{\"set\":{\"position\":1}}'; echo '{\"ack\":1}'; exec >&-; exec sleep 1000";
    let running = shop.run(["project", "run", "seen", "--", "sh", "-c", script]).start();
    shop.run(["project", "select", "seen", "--at-least", "1", "--wait", "20s", "--count"])
        .stdout("{\"count\":1}\n");
    drop(running);
}

#[test]
fn one_that_reads_nothing_acks_nothing_by_its_end() {
    for _ in 0..10 {
        let shop = seen(3);
        shop.run(["project", "run", "seen", "--until-caught-up", "--retries", "1", "--", "true"])
            .fails_with(
                7,
                ["`true` ended before its input did; it fails on the event at position 1"],
            );
        shop.run(["project", "select", "seen", "--at-least", "1", "--wait", "0"])
            .fails_with(10, ["it is at 0"]);
    }
}

#[test]
fn one_that_fails_within_a_line_has_failed() {
    let shop = seen(3);
    let script = "cat >/dev/null; printf '{\"ack\":1'; echo why >&2; exit 3";
    shop.run(["project", "run", "seen", "--until-caught-up", "--retries", "0", "--"])
        .args(["sh", "-c", script])
        .fails_with(7, ["`sh` failed with exit code 3; ", "caused by: why\n"]);
}

#[test]
fn how_often_is_a_number() {
    let shop = seen(1);
    for words in [["--batch", "0"], ["--retries", "x"]] {
        shop.run(["project", "run", "seen"])
            .args(words)
            .args(["--", "cat"])
            .fails_with(2, [words[0]]);
    }
}
