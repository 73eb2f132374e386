//! `ream project run`: rows and checkpoint are stored with acks, whatever runs when.

use std::fs;

use rustix::process::Signal;

use super::{
    LEAVE, SEE, arrives, catches_up, checkpoint, each, ends_interrupted, has_seen, lines,
    none_is_left, pipe, project, reaches, rows, seen, wait_for_lines,
};
use crate::harness::{Ream, ream};

/// The hint that goes with a failure on one event.
fn see(position: u64) -> String {
    let events = format!("ream read --from {position} --until {position}");
    format!("hint: what came before is stored; see where it fails: {events}\n")
}

#[test]
fn rows_are_stored_with_acks() {
    let shop = seen(3);
    let run =
        |options: &[&str]| project(&shop, &[options, &["--until-caught-up"]].concat(), &each(SEE));
    run(&[]).stdout("{\"projection\":\"seen\",\"checkpoint\":3}\n");
    has_seen(&shop, 3);
    // It goes on where it was.
    shop.fill("s", 2);
    run(&["--format", "table"]).stdout("seen: at position 7\n");
    has_seen(&shop, 5);
    run(&["--format", "table", "-q"]).stdout("");
    run(&["--json"]).stdout("{\"projection\":\"seen\",\"checkpoint\":7}\n");
    // What comes behind an ack belongs to the next one.
    let shop = seen(3);
    let script = format!("{SEE}; echo '{{\"delete\":{{\"position\":1}}}}'; read -r _; exit 1");
    project(&shop, &["--retries", "0"], &script).fails_with(7, ["it fails on one of the events"]);
    has_seen(&shop, 1);
}

#[test]
fn the_end_with_0_acks_all() {
    let shop = seen(3);
    catches_up(&shop, &[], "cat >/dev/null");
    assert_eq!((checkpoint(&shop, "seen"), rows(&shop)), (3, vec![]));
    let shop = seen(3);
    let set = r#"IFS=:, read -r _ position _ && echo "{\"set\":{\"position\":$position}}""#;
    catches_up(&shop, &[], &each(set));
    has_seen(&shop, 3);
    let shop = seen(3);
    catches_up(&shop, &[], &format!("{SEE}; {}", each(set)));
    has_seen(&shop, 3);
    // Without an end of its last line, too.
    let shop = seen(1);
    catches_up(&shop, &[], r#"read -r _; printf '{"set":{"position":1}}'"#);
    has_seen(&shop, 1);
    let shop = seen(0);
    catches_up(&shop, &[], "cat > heard");
    has_seen(&shop, 0);
    assert_eq!(lines(&shop, "heard"), [""; 0]);
}

#[test]
fn an_ack_is_of_all_before_it() {
    let shop = seen(3);
    let script = r#"read -r _; read -r _; echo '{"set":{"position":1}}'; echo
        echo '{"set":{"position":2}}'; echo '{"ack":2}'; exit 1"#;
    project(&shop, &["--retries", "0"], script).fails(
        7,
        &format!(
            "error: `sh` failed with exit code 1; it fails on the event at position 3\n{}",
            see(3)
        ),
    );
    has_seen(&shop, 2);
}

#[test]
fn once_an_event() {
    let shop = seen(3);
    let script = r#"IFS=:, read -r _ position _; echo "$position $(wc -l)" >> runs
        echo "{\"set\":{\"position\":$position}}""#;
    catches_up(&shop, &["--per-event"], script);
    assert_eq!(lines(&shop, "runs"), ["1 0", "2 0", "3 0"]);
    has_seen(&shop, 3);
    // It is for nothing where there is nothing.
    shop.run(["project", "run", "seen", "--until-caught-up"]).ok();
    assert_eq!(lines(&shop, "runs").len(), 3);
    // What failed is run again, and what was done is not.
    let shop = seen(3);
    let script = r#"IFS=:, read -r _ position _; echo "$position" >> runs
        echo "{\"set\":{\"position\":$position}}"; [ "$position" != 2 ]"#;
    project(&shop, &["--per-event", "--retries", "1"], script).fails(
        7,
        &format!(
            "warning: `sh` failed with exit code 1; it is started again in 0.1 s (1 of 1)\n\
             error: `sh` failed with exit code 1; it fails on the event at position 2\n{}",
            see(2)
        ),
    );
    assert_eq!(lines(&shop, "runs"), ["1", "2", "2"]);
    has_seen(&shop, 1);
}

#[test]
fn once_for_a_batch() {
    let shop = seen(7);
    catches_up(&shop, &["--batch", "3"], "wc -l >> runs");
    assert_eq!(lines(&shop, "runs"), ["3", "3", "1"]);
    // It may ack some by itself, and its end with 0 acks the rest.
    let shop = seen(4);
    catches_up(&shop, &["--batch", "3"], &format!("echo >> runs; {SEE}; {SEE}; {SEE}; :"));
    assert_eq!(lines(&shop, "runs").len(), 2);
    has_seen(&shop, 4);
    // It does not wait for more events than are there.
    let shop = seen(1);
    let script = format!("echo >> runs; {}", each(SEE));
    let running = project(&shop, &["--batch", "1000"], &script).start();
    reaches(&shop, 1);
    shop.fill("s", 2);
    reaches(&shop, 3);
    ends_interrupted(running, Signal::INT, 130);
    has_seen(&shop, 3);
    shop.run(["project", "run", "seen", "--batch", "2", "--per-event", "--", "cat"])
        .fails_with(2, ["cannot be used with"]);
}

#[test]
fn only_what_its_patterns_match() {
    let shop = seen(1);
    for stream in ["t-1", "s", "t-2", "u"] {
        shop.append(stream, "T", "1").ok();
    }
    project(&shop, &["t-*", "s", "--until-caught-up"], &each(SEE))
        .stdout("{\"projection\":\"seen\",\"checkpoint\":5}\n");
    assert_eq!(rows(&shop), [1, 3, 4, 5]);
    let shown = shop.run(["subscription", "show", "seen"]).value();
    assert_eq!((shown["lag"].as_u64(), shown["head"].as_u64()), (Some(0), Some(7)), "{shown}");
}

/// A store in which `seen` is made from `s` and `t-*`, 2 events at once, by a program in `bin`.
fn remembering() -> Ream {
    let shop = seen(3);
    shop.write("bin/see.sh", format!("pwd >> places; echo \"$1\" >> words; {}", each(SEE)));
    shop.sh("{ echo '#!/bin/sh'; cat bin/see.sh; } > bin/see && chmod +x bin/see").ok();
    shop.append("u", "T", "4").ok();
    shop.run(["project", "run", "seen", "s", "t-*", "--batch", "2", "--until-caught-up"])
        .args(["--", "./see", "two words"])
        .within("bin")
        .stdout("{\"projection\":\"seen\",\"checkpoint\":3}\n");
    shop
}

#[test]
fn patterns_and_program_are_remembered() {
    let shop = remembering();
    shop.write("elsewhere/see", "exit 1");
    shop.append("t-1", "T", "5").ok();
    let run = || shop.run(["project", "run", "seen", "--until-caught-up"]);
    run().within("elsewhere").stdout("{\"projection\":\"seen\",\"checkpoint\":7}\n");
    shop.append("u", "T", "6").ok();
    shop.append("s", "T", "7").ok();
    let outside = tempfile::tempdir().unwrap();
    run()
        .args(["--store", &shop.path(".ream").to_string_lossy()])
        .within(outside.path())
        .stdout("{\"projection\":\"seen\",\"checkpoint\":9}\n");
    assert_eq!(rows(&shop), [1, 2, 3, 7, 9]);
    // Twice at first: two events at once.
    let home = shop.home().canonicalize().unwrap();
    assert_eq!(lines(&shop, "bin/places"), vec![home.join("bin").to_string_lossy(); 4]);
    assert_eq!(lines(&shop, "bin/words"), ["two words"; 4]);
    let shown = shop.run(["project", "show", "seen"]).value();
    assert_eq!(
        (shown["from"].to_string(), shown["program"].to_string()),
        (r#"["s","t-*"]"#.into(), r#"["./see","two words"]"#.into())
    );
}

#[test]
fn a_store_that_is_moved_takes_its_program_along() {
    let shop = remembering();
    shop.append("s", "T", "5").ok();
    shop.sh("mkdir moved && mv .ream bin moved").ok();
    shop.run(["project", "run", "seen", "--until-caught-up", "--store", "moved/.ream"])
        .stdout("{\"projection\":\"seen\",\"checkpoint\":7}\n");
    assert_eq!(lines(&shop, "moved/bin/words").len(), 3);
}

#[test]
fn what_is_made_otherwise_is_refused() {
    let shop = remembering();
    let refused = |args: &[&str], again: &str| {
        let made =
            "error: `seen` is made from s 't-*' by ./see 'two words', once for up to 2 events\n";
        shop.run(["project", "run", "seen", "--until-caught-up"]).args(args).within("bin").fails(
            6,
            &format!(
                "{made}hint: go on with that: ream project run seen --until-caught-up\n\
                 hint: make it anew: ream project rebuild seen{again}\n"
            ),
        );
    };
    refused(&["s"], " s");
    refused(&["s", "t-*", "u*"], " s 't-*' 'u*'");
    refused(&["--", "./see"], " -- ./see");
    refused(&["s", "--", "./see", "other words"], " s -- ./see 'other words'");
    // The same again is no change.
    shop.run(["project", "run", "seen", "s", "t-*", "--batch", "2", "--until-caught-up"])
        .args(["--", "./see", "two words"])
        .within("bin")
        .ok();
    assert_eq!((checkpoint(&shop, "seen"), rows(&shop)), (3, vec![1, 2, 3]));
    // All streams are told of as such.
    let shop = seen(1);
    catches_up(&shop, &["--per-event"], "cat >/dev/null");
    shop.run(["project", "run", "seen", "--", "false"]).fails_with(
        6,
        ["error: `seen` is made from all streams by sh -c 'cat >/dev/null', once an event\n"],
    );
}

#[test]
fn what_has_made_nothing_may_be_changed() {
    let shop = seen(2);
    project(&shop, &["u", "--retries", "0"], "exit 1").fails_with(7, ["exit code 1"]);
    project(&shop, &["s", "--until-caught-up"], &each(SEE)).ok();
    has_seen(&shop, 2);
}

#[test]
fn a_program_and_a_projection_are_needed() {
    let shop = seen(1);
    let run = |name: &str| shop.run(["project", "run", name, "--until-caught-up"]);
    run("seen").fails(2, "error: a program is needed: -- PROGRAM\nhint: ream project run --help\n");
    run("sen").fails(4, "error: no projection `sen`\nhint: there is `seen`\n");
    run("other").fails(4, "error: no projection `other`\nhint: ream project list\n");
    run("no name").fails_with(6, ["error: the name `no name` has U+0020 at character 3"]);
    has_seen(&shop, 0);
}

#[test]
fn the_event_that_fails_is_found_among_many() {
    for acks in [false, true] {
        let shop = seen(10);
        let ack = if acks { r#"echo "{\"ack\":$position}""# } else { ":" };
        let script = format!(
            r#"echo >> runs; while IFS=:, read -r _ position _; do
                [ "$position" != 7 ] || exit 3
                echo "{{\"set\":{{\"position\":$position}}}}"; {ack}
            done"#
        );
        let error = "`sh` failed with exit code 3";
        let found = format!("error: {error}; it fails on the event at position 7\n{}", see(7));
        let run = || project(&shop, &["--retries", "2"], &script);
        run().fails_with(7, [&*found, "it is started again in 0.2 s (2 of 2)\n"]);
        has_seen(&shop, 6);
        // All of them were told together at first.
        let runs = lines(&shop, "runs").len();
        assert!(if acks { runs == 3 } else { runs > 3 }, "{runs}");
        // What came before is not told again.
        project(&shop, &["--retries", "0", "--batch", "1"], &script)
            .fails_with(6, ["is made from"]);
        shop.run(["project", "run", "seen", "--retries", "0"])
            .fails_with(7, ["from position 7 to 10"]);
        has_seen(&shop, 6);
    }
}

#[test]
fn one_that_fails_once_goes_on() {
    let warned =
        |how: &str| format!("warning: `sh` {how}; it is started again in 0.1 s (1 of 5)\n");
    let once = "echo >> runs; first() { [ $(wc -l < runs) = 1 ]; }";
    for (fault, how) in [
        ("exit 1", "failed with exit code 1"),
        ("{ echo why >&2; kill -9 $$; }", "failed with signal: 9 (SIGKILL) (why)"),
        ("exit 0", "ended before its input did"),
        ("echo hello", "wrote a bad reply, line 3: column 1: expected value (it wrote: hello)"),
    ] {
        let shop = seen(5);
        let script = format!("{once}; {SEE}; first && {fault}; {}", each(SEE));
        let said = if fault.contains("why") { "why\n" } else { "" };
        let running = project(&shop, &[], &script).start();
        reaches(&shop, 5);
        // It follows on.
        shop.fill("s", 1);
        reaches(&shop, 6);
        let (code, _, stderr) = { running }.signal(Signal::TERM).end();
        assert_eq!((code, stderr), (143, format!("{said}{}error: interrupted\n", warned(how))));
        has_seen(&shop, 6);
    }
}

#[test]
fn each_failure_after_progress_is_a_first_one() {
    let shop = seen(4);
    // It does one event a run, and then fails.
    let script = format!("{SEE}; read -r _ && exit 1; exit 0");
    let run = project(&shop, &["--retries", "1", "--until-caught-up"], &script);
    run.stderr_has(["(1 of 1)\n"]).stdout("{\"projection\":\"seen\",\"checkpoint\":4}\n");
    has_seen(&shop, 4);
}

#[test]
fn markers_tell_from_where_to_where() {
    let shop = seen(2);
    shop.append("other", "T", "3").ok();
    let script = "while read -r line; do echo \"${line%%,*}\" >> heard; done";
    project(&shop, &["s", "--markers", "--until-caught-up"], script).ok();
    assert_eq!(
        lines(&shop, "heard"),
        [r#"{"from":1"#, r#"{"position":1"#, r#"{"position":2"#, r#"{"caught_up":5}"#]
    );
    shop.fill("s", 1);
    shop.write("heard", "");
    let whole = r#"while read -r line; do echo "$line" >> heard; done"#;
    let fresh = seen(1);
    project(&fresh, &["--markers", "--until-caught-up"], whole).ok();
    let heard = lines(&fresh, "heard");
    assert_eq!((&*heard[0], &*heard[2]), (r#"{"from":1,"head":3}"#, r#"{"caught_up":3}"#));
    // From where it is, and each time that it has caught up.
    let running = shop.run(["project", "run", "seen", "--markers"]).start();
    assert_eq!(
        wait_for_lines(&shop, "heard", 3),
        [r#"{"from":3"#, r#"{"position":6"#, r#"{"caught_up":6}"#]
    );
    shop.fill("s", 1);
    assert_eq!(
        wait_for_lines(&shop, "heard", 5),
        [
            r#"{"from":3"#,
            r#"{"position":6"#,
            r#"{"caught_up":6}"#,
            r#"{"position":7"#,
            r#"{"caught_up":7}"#,
        ]
    );
    ends_interrupted(running, Signal::INT, 130);
}

#[test]
fn it_knows_store_and_name() {
    let shop = seen(1);
    let script = r#"cat >/dev/null; echo "$REAM_STORE" "$REAM_NAME" "${REAM_REBUILD-no}" > known"#;
    catches_up(&shop, &[], script);
    let store = shop.path(".ream").canonicalize().unwrap();
    assert_eq!(lines(&shop, "known"), [format!("{} seen no", store.display())]);
}

#[test]
fn one_at_a_time() {
    let shop = seen(2);
    let script = format!("echo $PPID > runner; {LEAVE}; {}", each(SEE));
    let first = project(&shop, &[], &script).start();
    reaches(&shop, 2);
    let runner = fs::read_to_string(shop.path("runner")).unwrap();
    let told = |rest: &str| {
        let runner = runner.trim();
        let again = "to wait until that ends: ream project run --wait 1m seen";
        format!("error: `seen` is run by process {runner} since [time]\nhint: {again}{rest}\n")
    };
    shop.run(["project", "run", "seen"]).fails(5, &told(""));
    shop.run(["project", "run", "seen", "--wait", "0.1s"]).fails(5, &told(""));
    let rest = " --until-caught-up -- sh -c 'exit 1'";
    project(&shop, &["--until-caught-up"], "exit 1").fails(5, &told(rest));
    shop.run(["project", "drop", "seen", "--yes"]).fails_with(5, ["`seen` is run by process"]);
    let shown = shop.run(["subscription", "show", "seen"]).value();
    assert!(shown["runner"].as_str().unwrap().contains(runner.trim()), "{shown}");
    // One that waits gets its turn.
    let second = shop.run(["project", "run", "seen", "--wait", "30s"]).start();
    ends_interrupted(first, Signal::TERM, 143);
    shop.fill("s", 1);
    reaches(&shop, 3);
    ends_interrupted(second, Signal::TERM, 143);
    has_seen(&shop, 3);
    none_is_left(&shop, 4);
}

#[test]
fn what_comes_is_followed_until_a_signal() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let shop = seen(0);
        let running = project(&shop, &[], &format!("{LEAVE}; {}", each(SEE))).start();
        for count in 1..=3 {
            shop.fill("s", 1);
            reaches(&shop, count);
            has_seen(&shop, count);
        }
        ends_interrupted(running, signal, code);
        none_is_left(&shop, 2);
    }
}

#[test]
fn a_program_has_time_to_end() {
    // What it acks then is stored, and it hears no more.
    for (signal, name, code) in [(Signal::INT, "INT", 130), (Signal::TERM, "TERM", 143)] {
        let shop = seen(2);
        pipe(&shop, "ready");
        let script = format!(
            r#"trap 'trapped=yes' {name}; read -r _; read -r _
            echo '{{"set":{{"position":1}}}}'; echo '{{"set":{{"position":2}}}}'; echo > ready
            while read -r _; do :; done; echo "trapped $trapped" >&2; echo '{{"ack":2}}'; exit 1"#
        );
        let mut running = project(&shop, &[], &script).start();
        arrives(&shop, "ready");
        has_seen(&shop, 0);
        let (found, _, stderr) = running.signal(signal).end();
        // It may be slow enough to be warned of.
        assert!(stderr.ends_with("trapped yes\nerror: interrupted\n"), "{stderr}");
        assert_eq!(found, code);
        has_seen(&shop, 2);
    }
}

#[test]
fn one_that_takes_longer_than_its_grace_is_ended() {
    let shop = seen(2);
    pipe(&shop, "ready");
    let script = format!(
        "trap '' TERM; {LEAVE}; {SEE}; echo '{{\"set\":{{\"position\":2}}}}'; echo > ready; \
         while :; do sleep 1000; done"
    );
    let running = project(&shop, &["--grace", "0.1s"], &script).start();
    arrives(&shop, "ready");
    ends_interrupted(running, Signal::TERM, 143);
    has_seen(&shop, 1);
    none_is_left(&shop, 2);
}

#[test]
fn a_signal_ends_the_wait_before_the_next_start() {
    let shop = seen(1);
    // The next start would be in 1.6 s.
    let running = project(&shop, &["--retries", "9"], "echo >> runs; exit 1").start();
    wait_for_lines(&shop, "runs", 5);
    ends_interrupted(running, Signal::TERM, 143);
    has_seen(&shop, 0);
}

#[test]
fn a_kill_counts_no_event_twice() {
    let shop = seen(50);
    pipe(&shop, "ready");
    // The program stops for ever at the twentieth event, the first time.
    let script = r#"while IFS=:, read -r _ position _; do
            echo '{"upsert":{"row":{"position":0,"n":1},"compute":{"n":"n + 1"}}}'
            if [ "$position" = 20 ] && [ ! -e stopped ]; then
                echo > stopped; echo $$ > pids; echo > ready; exec sleep 1000
            fi
            echo "{\"ack\":$position}"
        done"#;
    let mut running = project(&shop, &[], script).start();
    arrives(&shop, "ready");
    let (code, ..) = running.signal(Signal::KILL).end();
    assert_eq!(code, 137);
    none_is_left(&shop, 1);
    assert!(checkpoint(&shop, "seen") < 20);
    catches_up(&shop, &[], script);
    shop.run(["project", "select", "seen", "--fields", "n"]).stdout("{\"n\":50}\n");
}

#[test]
fn it_is_made_where_it_was_created_for() {
    let shop = ream();
    shop.fill("s", 2);
    shop.append("t", "T", "3").ok();
    shop.run(["project", "create", "seen", "position:integer:key", "--from", "s"])
        .args(["--", "sh", "-c", &each(SEE)])
        .ok();
    shop.run(["project", "run", "seen", "--until-caught-up"]).ok();
    has_seen(&shop, 2);
}
