//! `ream tail --as`: events that events are answered with are stored with acks.

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    ECHO, LEAVE, SEE, arrives, checkpoint, each, ends_interrupted, lines, none_is_left, pipe,
    react, seen, wait_until,
};
use crate::harness::redact::without_links;
use crate::harness::{Ream, list, ream};

/// A store with so many events of the stream `s`, whose data counts from 1.
pub(super) fn shop(events: usize) -> Ream {
    let shop = ream();
    if events > 0 {
        shop.fill("s", events);
    }
    shop
}

/// Has a script react to what is there.
#[track_caller]
pub(super) fn reacts(shop: &Ream, options: &[&str], script: &str) {
    react(shop, &[options, &["--until-caught-up"]].concat(), script)
        .stdout_has([r#""checkpoint":"#]);
}

/// The data of the events of `out`, in their order.
#[track_caller]
pub(super) fn reactions(shop: &Ream) -> Vec<u64> {
    let events = shop.run(["read", "out"]).values();
    events.iter().map(|event| event["data"].as_u64().unwrap()).collect()
}

/// How far `echo` has come, and that there is one reaction to each event up to there.
#[track_caller]
pub(super) fn has_echoed(shop: &Ream, position: u64) {
    assert_eq!((checkpoint(shop, "echo"), reactions(shop)), (position, list(1..=position)));
}

/// The causes that the events of `out` tell.
#[track_caller]
fn causes(shop: &Ream) -> Vec<Value> {
    let told = |event: &Value| {
        serde_json::from_str(&without_links(&event["metadata"].to_string())).unwrap()
    };
    shop.run(["read", "out"]).values().iter().map(told).collect()
}

#[test]
fn events_are_stored_with_acks() {
    let shop = shop(3);
    let run = |options: &[&str]| {
        react(&shop, &[&["s", "--until-caught-up"], options].concat(), &each(ECHO))
    };
    run(&[]).stdout("{\"subscription\":\"echo\",\"checkpoint\":3}\n");
    has_echoed(&shop, 3);
    // It goes on where it was.
    shop.append("s", "T", "{}").ok();
    run(&["--format", "table"]).stdout("echo: at position 8\n");
    run(&["--format", "table", "-q"]).stdout("");
    assert_eq!(reactions(&shop), [1, 2, 3, 8]);
}

#[test]
fn the_end_with_0_acks_all() {
    let shop = shop(3);
    let append = ECHO.rsplit_once("&&").unwrap().0;
    reacts(&shop, &["s"], &each(append));
    has_echoed(&shop, 3);
    shop.run(["subscription", "seek", "echo", "start"]).ok();
    reacts(&shop, &["s"], "cat >/dev/null");
    has_echoed(&shop, 3);
}

#[test]
fn once_an_event_or_a_batch() {
    let append = ECHO.rsplit_once("&&").unwrap().0;
    let script = format!("echo >> runs; while {append}; do :; done");
    for (options, runs) in [(&["s", "--per-event"][..], 5), (&["s", "--batch", "2"], 3)] {
        let shop = shop(5);
        reacts(&shop, options, &script);
        has_echoed(&shop, 5);
        assert_eq!(lines(&shop, "runs").len(), runs);
    }
}

#[test]
fn an_event_tells_its_cause() {
    let shop = shop(1);
    for metadata in [
        r#"{"correlation_id":"order 7","user":"ann"}"#,
        r#"{"causation_id":"x"}"#,
        r#"{"correlation_id":7}"#,
        &format!(r#"{{"correlation_id":"order 8","text":"{}"}}"#, "x".repeat(2000)),
    ] {
        shop.append("s", "T", "2").args(["--meta", metadata]).ok();
    }
    reacts(&shop, &["s"], &each(ECHO));
    assert_eq!(
        causes(&shop),
        [
            json!({"causation_id": "[link]/1"}),
            json!({"correlation_id": "order 7", "causation_id": "[link]/2"}),
            json!({"causation_id": "[link]/3"}),
            json!({"causation_id": "[link]/4"}),
            json!({"correlation_id": "order 8", "causation_id": "[link]/5"}),
        ]
    );
}

#[test]
fn an_ack_of_an_event_that_many_were_told_behind_is_like_any() {
    let shop = shop(12_000);
    let script =
        r#"cat >/dev/null; echo '{"append":{"stream":"out","type":"T"}}'; echo '{"ack":1}'"#;
    let script = format!("{script}; echo '{{\"ack\":7}}'; exit 1");
    react(&shop, &["s", "--until-caught-up", "--retries", "0"], &script)
        .fails_with(7, ["it fails on one of the events from position 8 to 12000"]);
    assert_eq!(checkpoint(&shop, "echo"), 7);
    assert_eq!(causes(&shop), [json!({"causation_id": "[link]/1"})]);
    reacts(&shop, &["s"], "cat >/dev/null");
    assert_eq!(checkpoint(&shop, "echo"), 12_000);
}

#[test]
fn what_it_says_of_its_cause_stays() {
    let shop = shop(0);
    shop.append("s", "T", "1").args(["--id", "mine", "--meta", r#"{"correlation_id":"a"}"#]).ok();
    shop.write(
        "replies",
        r#"{"append":{"stream":"out","type":"T","metadata":{"correlation_id":"b","n":1}}}
{"append":{"stream":"out","type":"T","metadata":{"causation_id":"c"}}}
"#,
    );
    reacts(&shop, &["s", "--per-event"], "cat replies");
    assert_eq!(
        causes(&shop),
        [
            json!({"correlation_id": "b", "n": 1, "causation_id": "mine"}),
            json!({"causation_id": "c", "correlation_id": "a"}),
        ]
    );
}

#[test]
fn one_ack_of_many_events_tells_no_cause() {
    let shop = shop(2);
    reacts(&shop, &["s"], r#"cat >/dev/null; echo '{"append":{"stream":"out","type":"T"}}'"#);
    assert_eq!(causes(&shop), [json!(null)]);
}

#[test]
fn its_expectations_hold_for_all_of_an_ack() {
    let shop = shop(3);
    // One event of each stream, and another of a stream that shall be new each time.
    let script = r#"while IFS=:, read -r _ position _; do
            echo "{\"append\":{\"stream\":\"out\",\"type\":\"T\",\"data\":$position}}"
            echo "{\"append\":{\"stream\":\"new-$((position / 2))\",\"type\":\"T\",\"expect\":\"no-stream\"}}"
            echo "{\"ack\":$position}"
        done"#;
    let told = "error: `sh` wrote a reply that can't be stored, line 2; it fails on the event at \
                position 3\n\
                caused by: wrong expected version of the stream `new-1`: expected no-stream, actual \
                1\n\
                hint: what came before is stored; see where it fails: ream read --from 3 --until 3\n";
    react(&shop, &["s", "--retries", "1"], script).fails_with(7, [told]);
    has_echoed(&shop, 2);
    assert_eq!(shop.positions(&["new-*"]).len(), 2);
    // When what is in its way has gone, it goes on.
    shop.run(["stream", "rm", "new-1", "--yes"]).ok();
    reacts(&shop, &["s"], script);
    has_echoed(&shop, 3);
}

#[test]
fn an_expected_version_counts_what_the_same_answer_appends() {
    let shop = shop(1);
    shop.append("out", "T", "1").ok();
    shop.write(
        "replies",
        r#"{"append":{"stream":"out","type":"T","data":2,"expect":1}}
{"append":{"stream":"out","type":"T","data":3,"expect":2}}
{"append":{"stream":"out","type":"T","data":4,"expect":"exists"}}
{"ack":1}
"#,
    );
    reacts(&shop, &["s"], "read -r _; cat replies");
    assert_eq!(reactions(&shop), [1, 2, 3, 4]);
}

#[test]
fn an_event_may_bring_a_state() {
    let shop = shop(2);
    shop.write(
        "replies",
        r#"{"append":{"stream":"out","type":"T","data":1,"expect":"no-stream","state":{"n":1.0}}}
{"ack":1}
{"append":{"stream":"out","type":"T","data":2,"expect":1,"state":{"n":2.0}}}
{"ack":2}
"#,
    );
    reacts(&shop, &["s"], "read -r _; cat replies");
    has_echoed(&shop, 2);
    let state = || shop.run(["state", "get", "out", "--data"]).text();
    assert_eq!(state(), "{\"n\":2.0}\n");
    // Both or none.
    shop.fill("s", 1);
    shop.write(
        "replies",
        r#"{"append":{"stream":"out","type":"T","data":3,"expect":2,"state":{"n":3.0}}}
{"append":{"stream":"other","type":"T","expect":7}}
{"ack":6}
"#,
    );
    react(&shop, &["s", "--retries", "0"], "read -r _; cat replies; cat >/dev/null")
        .fails_with(7, ["line 2;", "stream `other`: expected 7, actual 0"]);
    has_echoed(&shop, 2);
    assert_eq!(state(), "{\"n\":2.0}\n");
    shop.write("replies", r#"{"append":{"stream":"out","type":"T","state":{"n":3.0}}}"#);
    react(&shop, &["s", "--retries", "0"], "read -r _; cat replies; echo; sleep 1000").fails_with(
        7,
        ["line 1: the state of `out` needs an expected version, or `no-stream`; it fails on the event at position 6"],
    );
}

#[test]
fn an_id_stands_for_one_event() {
    let shop = shop(3);
    let answer = |data: &str| {
        format!(
            r#"while IFS=:, read -r _ position _; do
                echo "{{\"append\":{{\"stream\":\"out\",\"type\":\"T\",\"id\":\"once\",\"data\":{data}}}}}"
                echo "{{\"ack\":$position}}"
            done"#
        )
    };
    react(&shop, &["s", "--retries", "1"], &answer("$position")).fails_with(
        7,
        [
            "error: `sh` wrote a reply that can't be stored, line 1; it fails on the event at position 2\n",
            "caused by: id reused: `once` is the event at position 5 (`out`, version 1), with other content\n",
        ],
    );
    has_echoed(&shop, 1);
}

#[test]
fn one_that_would_react_to_itself_is_refused() {
    let shop = shop(1);
    let answer = r#"read -r _; echo '{"append":{"stream":"s-2","type":"U"}}'; sleep 1000"#;
    let told = "error: `sh` wrote a bad reply, line 1: an event of `s-2` is one that it follows, so \
                it would react to itself; with --allow-loop it may; it fails on the event at \
                position 1\n\
                caused by: it wrote: {\"append\":{\"stream\":\"s-2\",\"type\":\"U\"}}\n\
                hint: stdout is for replies, a JSON object a line; all else goes to stderr\n";
    for pattern in [&["s*"][..], &["s", "*-2"], &[], &["s*", "--type", "T", "--type", "U"]] {
        react(&shop, &[pattern, &["--retries", "0"]].concat(), answer).fails(7, told);
        shop.run(["subscription", "rm", "echo", "--yes"]).ok();
    }
    assert_eq!(shop.positions(&[]), [1]);
    // It follows other types, or other streams.
    let answer = r#"read -r _; echo '{"append":{"stream":"s-2","type":"U"}}'"#;
    for (number, follows) in [&["s*", "--type", "T"][..], &["s"]].into_iter().enumerate() {
        reacts(&shop, follows, answer);
        assert_eq!(shop.positions(&["s-2"]).len(), number + 1);
        shop.run(["subscription", "rm", "echo", "--yes"]).ok();
    }
}

#[test]
fn one_that_may_reacts_to_itself() {
    let shop = shop(0);
    shop.append("s", "T", "4").ok();
    let script = r#"while read -r line; do
            n=${line##*'"data":'}; n=${n%%[,\}]*}; rest=${line#*:}
            [ "$n" = 0 ] || echo "{\"append\":{\"stream\":\"s\",\"type\":\"T\",\"data\":$((n - 1))}}"
            echo "{\"ack\":${rest%%,*}}"
        done"#;
    let running = react(&shop, &["s", "--allow-loop"], script).start();
    let counted = shop.run(["tail", "s", "--limit", "5"]).values();
    let data: Vec<u64> = counted.iter().map(|event| event["data"].as_u64().unwrap()).collect();
    assert_eq!(data, [4, 3, 2, 1, 0]);
    // Each is caused by the one before.
    assert_eq!(counted[4]["metadata"]["causation_id"], counted[3]["id"]);
    ends_interrupted(running, Signal::TERM, 143);
    shop.run(["tail", "s", "--allow-loop", "--", "cat"]).fails_with(2, ["--as <NAME>"]);
}

#[test]
fn what_does_not_go_with_a_subscription() {
    let shop = shop(3);
    for (option, shown) in [
        (&["--since", "1d"][..], "--since"),
        (&["-n", "1"], "--last"),
        (&["--limit", "1"], "--limit"),
        (&["--until", "2026-01-01T00:00:00Z"], "--until TIME"),
    ] {
        let told = format!(
            "error: {shown} does not go with --as: a subscription goes on where it is\n\
             hint: ream tail --help\n"
        );
        react(&shop, option, "exit 1").fails(2, &told);
    }
    react(&shop, &["s", "--after", "@1"], "exit 1")
        .fails(2, "error: with --as a place is a position\nhint: ream tail --help\n");
    shop.run(["tail", "s", "--as", "echo"]).fails_with(2, ["<PROGRAM>"]);
    shop.run(["tail", "--as", "no name", "--", "cat"])
        .fails_with(6, ["the subscription's name has ` ` at character 3"]);
    for option in [
        &["--until-caught-up"][..],
        &["--per-event"],
        &["--batch", "2"],
        &["--retries", "2"],
        &["--wait", "1s"],
        &["--markers"],
    ] {
        let told = format!("error: {} needs --as NAME\nhint: ream tail --help\n", option[0]);
        shop.run(["tail"]).args(option).args(["--", "cat"]).fails(2, &told);
    }
    shop.run(["subscription", "list"]).stdout("");
}

#[test]
fn it_may_end_at_a_position() {
    let shop = shop(3);
    react(&shop, &["s", "--until", "2"], &each(ECHO))
        .stdout("{\"subscription\":\"echo\",\"checkpoint\":2}\n");
    has_echoed(&shop, 2);
    reacts(&shop, &["s"], &each(ECHO));
    has_echoed(&shop, 3);
}

#[test]
fn a_name_is_a_subscription_s_or_a_projection_s() {
    let shop = seen(2);
    shop.run(["tail", "--as", "seen", "--", "sh", "-c", "exit 1"])
        .fails(6, "error: `seen` is a projection already\nhint: ream subscription list\n");
    reacts(&shop, &["s"], &each(ECHO));
    shop.run(["project", "create", "echo", "id:integer:key"])
        .fails(6, "error: `echo` is a subscription already\nhint: ream subscription list\n");
    assert_eq!((checkpoint(&shop, "seen"), checkpoint(&shop, "echo")), (0, 2));
}

#[test]
fn one_at_a_time() {
    let shop = shop(1);
    pipe(&shop, "ready");
    let script = format!("echo $PPID > runner; {LEAVE}; echo > ready; {}", each(ECHO));
    let first = react(&shop, &["s"], &script).start();
    arrives(&shop, "ready");
    let runner = lines(&shop, "runner").remove(0);
    let told = format!(
        "error: `echo` is run by process {runner} since [time]\n\
         hint: to wait until that ends: ream tail --wait 1m s --as echo -- sh -c 'exit 1'\n"
    );
    react(&shop, &["s"], "exit 1").fails(5, &told);
    react(&shop, &["s", "--wait", "0.1s"], "exit 1").fails(5, &told);
    // Nor is it moved or removed meanwhile.
    shop.run(["subscription", "seek", "echo", "end"]).fails_with(5, ["`echo` is run by process"]);
    shop.run(["subscription", "ack", "echo", "1"]).fails_with(5, ["`echo` is run by process"]);
    shop.run(["subscription", "rm", "echo", "--yes"]).fails_with(5, ["`echo` is run by process"]);
    let second = react(&shop, &["s", "--wait", "30s"], &each(ECHO)).start();
    ends_interrupted(first, Signal::INT, 130);
    shop.append("s", "T", "2").ok();
    shop.run(["tail", "out", "--limit", "2"]).ok();
    ends_interrupted(second, Signal::TERM, 143);
    assert_eq!(reactions(&shop).len(), 2);
    none_is_left(&shop, 2);
}

#[test]
fn it_knows_store_and_name() {
    let shop = shop(1);
    reacts(&shop, &[], r#"cat >/dev/null; echo "$REAM_STORE" "$REAM_NAME" > known"#);
    let store = shop.path(".ream").canonicalize().unwrap();
    assert_eq!(lines(&shop, "known"), [format!("{} echo", store.display())]);
}

#[test]
fn reactions_are_reacted_to_as_they_come() {
    let shop = seen(0);
    let first = react(&shop, &["s"], &each(ECHO)).start();
    let answer = ECHO.replace("out", "done");
    let second =
        shop.run(["tail", "out", "--as", "again", "--", "sh", "-c", &each(&answer)]).start();
    let third = shop.run(["project", "run", "seen", "done", "--", "sh", "-c", &each(SEE)]).start();
    // Each of them is made, and what `seen` is made from is remembered.
    wait_until("four acts", || shop.run(["status"]).value()["head"] == 4);
    for round in 1..=3 {
        shop.fill("s", 1);
        let position = (4 + 3 * round).to_string();
        shop.run(["project", "select", "seen", "--at-least", &position, "--wait", "30s"]).ok();
    }
    assert_eq!(shop.positions(&["s"]), [5, 8, 11]);
    assert_eq!(shop.positions(&["done"]), [7, 10, 13]);
    for running in [first, second, third] {
        ends_interrupted(running, Signal::TERM, 143);
    }
}

#[test]
fn one_that_fails_once_goes_on() {
    let shop = shop(4);
    let script =
        format!("echo >> runs; {ECHO}; [ $(wc -l < runs) != 1 ] || exit 1; {}", each(ECHO));
    react(&shop, &["s", "--until-caught-up"], &script)
        .stderr_has([
            "warning: `sh` failed with exit code 1; it is started again in 0.1 s (1 of 5)\n",
        ])
        .stdout("{\"subscription\":\"echo\",\"checkpoint\":4}\n");
    has_echoed(&shop, 4);
}

#[test]
fn a_kill_repeats_no_reaction() {
    for kill_ream in [true, false] {
        let shop = shop(50);
        pipe(&shop, "ready");
        // The program stops for ever at the twentieth event, the first time.
        let script = r#"while IFS=:, read -r _ position _; do
                echo "{\"append\":{\"stream\":\"out\",\"type\":\"Echo\",\"data\":$position}}"
                if [ "$position" = 20 ] && [ ! -e stopped ]; then
                    echo > stopped; echo $$ > pids; echo > ready; exec sleep 1000
                fi
                echo "{\"ack\":$position}"
            done"#;
        let mut running = react(&shop, &["s"], script).start();
        arrives(&shop, "ready");
        if kill_ream {
            let (code, ..) = running.signal(Signal::KILL).end();
            assert_eq!(code, 137);
            none_is_left(&shop, 1);
            let echoed = checkpoint(&shop, "echo");
            assert!(echoed < 20, "{echoed}");
            has_echoed(&shop, echoed);
            reacts(&shop, &["s"], script);
        } else {
            // The program alone: it is started again.
            shop.sh("kill -9 $(cat pids)").ok();
            shop.run(["tail", "out", "--limit", "50"]).ok();
            let (code, _, stderr) = running.signal(Signal::TERM).end();
            assert_eq!(code, 143, "{stderr}");
            let warning = "warning: `sh` failed with signal: 9 (SIGKILL); it is started again in 0.1 \
                           s (1 of 5)\nerror: interrupted\n";
            assert!(stderr.ends_with(warning), "{stderr}");
        }
        has_echoed(&shop, 50);
    }
}
