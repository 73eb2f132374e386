//! `ream decide`: one command, and an aggregator that decides it.

mod boundary;
mod programs;
mod serve;

use std::fs;

use crate::harness::redact::without_links;
use crate::harness::{Ream, Run, line, ream};

/// An answer of one event and a state.
const DEPOSITED: &str =
    r#"echo '{"append":{"type":"Deposited","data":{"amount":5}}}'; echo '{"state":{"balance":5}}'"#;

/// Reads the command, and has nothing to say.
const READ: &str = "read -r line";

/// `ream decide` of a command by a script, which finds the program as `$REAM`.
fn decide<'r>(bank: &'r Ream, args: &[&str], script: &str) -> Run<'r> {
    bank.run([&["decide"], args, &["--", "sh", "-c", script]].concat())
        .env("REAM", crate::harness::REAM)
}

/// How often a script ran that says `echo >> runs`.
fn runs(bank: &Ream) -> usize {
    fs::read_to_string(bank.path("runs")).unwrap_or_default().lines().count()
}

#[test]
fn events_and_state_are_stored_and_told_as_append_does() {
    let bank = ream();
    decide(&bank, &["account-1", "{}"], DEPOSITED)
        .stdout("{\"stream\":\"account-1\",\"version\":1,\"position\":1,\"id\":\"[link]/1\"}\n");
    decide(&bank, &["account-1", "--format", "table"], DEPOSITED)
        .stdout("account-1@2 at position 2\n");
    decide(&bank, &["account-1", "--json"], DEPOSITED).stdout(
        "[\n{\"stream\":\"account-1\",\"version\":3,\"position\":3,\"id\":\"[link]/3\"}\n]\n",
    );
    decide(&bank, &["account-1", "-q", "--format", "table"], DEPOSITED).stdout("");
    decide(&bank, &["account-1"], &format!("{DEPOSITED}; {DEPOSITED}"))
        .fails_with(7, ["a second state in one answer"]);
    let two = r#"echo '{"append":{"type":"T","id":"mine"}}'; echo; echo '{"append":{"type":"T"}}'"#;
    decide(&bank, &["account-1"], two).stdout(
        "{\"stream\":\"account-1\",\"version\":5,\"position\":5,\"id\":\"mine\"}\n\
         {\"stream\":\"account-1\",\"version\":6,\"position\":6,\"id\":\"[link]/6\"}\n",
    );
    bank.run(["state", "get", "account-1"])
        .stdout_has([r#""version":4,"stream_version":6,"position":4,"data":{"balance":5}"#]);
}

#[test]
fn the_program_hears_one_line() {
    let bank = ream();
    let hear = |args: &[&str]| {
        decide(&bank, args, "cat > heard; printf %s \"$REAM_STORE\" > store").ok();
        without_links(&fs::read_to_string(bank.path("heard")).unwrap())
    };
    assert_eq!(
        hear(&["account-1"]),
        "{\"stream\":\"account-1\",\"version\":0,\"state\":null,\"state_version\":0,\
         \"events\":[],\"command\":{}}\n"
    );
    bank.append("account-1", "T", "{\"n\": 1.0}").ok();
    bank.run(["state", "set", "account-1", "{\"b\": 2.50}"]).ok();
    bank.append_lines(
        &line("account-1", "U", "[1e3]").replace('}', ",\"time\":\"2026-01-01T00:00:00Z\"}"),
    )
    .ok();
    let heard = hear(&["account-1", "{ \"deposit\" : 1.00 }"]);
    let recorded = heard.split("\"recorded\":\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(
        heard.replace(recorded, "[time]"),
        "{\"stream\":\"account-1\",\"version\":2,\"state\":{\"b\":2.50},\"state_version\":1,\
         \"events\":[{\"position\":2,\"stream\":\"account-1\",\"version\":2,\"id\":\"[link]/2\",\
         \"type\":\"U\",\"time\":\"2026-01-01T00:00:00.000000Z\",\"recorded\":\"[time]\",\
         \"data\":[1e3]}],\"command\":{\"deposit\":1.00}}\n"
    );
    bank.run(["state", "set", "account-1", "AP8=", "--base64"]).ok();
    assert!(
        hear(&["account-1", "-5"]).contains(
            "\"state_base64\":\"AP8=\",\"state_version\":2,\"events\":[],\"command\":-5}"
        )
    );
    let store = fs::read_to_string(bank.path("store")).unwrap();
    assert_eq!(store, bank.path(".ream").canonicalize().unwrap().to_str().unwrap());
}

#[test]
fn a_command_comes_from_an_argument_or_stdin() {
    let bank = ream();
    decide(&bank, &["s", "-"], "cat > heard").stdin("{\n  \"n\": 1\n}\n").ok();
    assert!(fs::read_to_string(bank.path("heard")).unwrap().ends_with("\"command\":{\"n\":1}}\n"));
    decide(&bank, &["s", "word"], "true")
        .fails_with(6, ["COMMAND is not valid JSON: ", "ream decide s '\"word\"'"]);
    decide(&bank, &["s", "{"], "true").fails_with(6, ["COMMAND is not valid JSON: it ends"]);
    decide(&bank, &["s*"], "true").fails_with(6, ["has `*` at character 2"]);
}

#[test]
fn a_rejection_ends_with_8_and_its_reason() {
    let bank = ream();
    let reject = r#"echo '{"reject":"the balance is 0"}'"#;
    decide(&bank, &["s"], reject).fails(8, "error: rejected: the balance is 0\n");
    // Whatever was answered before.
    decide(&bank, &["s"], &format!("{DEPOSITED}; {reject}"))
        .fails(8, "error: rejected: the balance is 0\n");
    assert!(bank.positions(&[]).is_empty());
    bank.run(["state", "get", "s"]).fails_with(4, ["no state"]);
}

#[test]
fn an_answer_without_events_is_accepted() {
    let bank = ream();
    decide(&bank, &["s"], READ).stdout("{\"stream\":\"s\",\"version\":0}\n");
    bank.append("s", "T", "{}").ok();
    decide(&bank, &["s", "--format", "table"], READ).stdout("s@1: accepted, no event\n");
    // Without an end of line, and with an ack as --serve wants it.
    decide(&bank, &["s"], r#"printf '{"state":7}'"#).stdout("{\"stream\":\"s\",\"version\":1}\n");
    decide(&bank, &["s"], r#"printf '{"state":8}\n{"ack":1}\n\n'"#).ok();
    bank.run(["state", "get", "s", "--data"]).stdout("8\n");
    assert_eq!(bank.positions(&[]), [1]);
}

#[test]
fn a_program_that_answers_need_not_read() {
    let bank = ream();
    let large = format!("\"{}\"", "x".repeat(1 << 20));
    decide(&bank, &["s", "-"], &format!("exec 0<&-; {DEPOSITED}")).stdin(large.clone()).ok();
    decide(&bank, &["s", "-"], r#"exec 0<&-; echo '{"ack":1}'"#).stdin(large.clone()).ok();
    decide(&bank, &["s", "-"], "wc -c > length").stdin(large.clone()).ok();
    let length = fs::read_to_string(bank.path("length")).unwrap();
    assert!(length.trim().parse::<usize>().unwrap() > large.len());
    assert_eq!(bank.positions(&[]), [1]);
}

#[test]
fn a_command_that_was_not_read_is_not_accepted_by_an_exit_with_0() {
    let bank = ream();
    let told = "error: `sh` ended before its input did; nothing is stored in `s`\n\
                hint: a program reads the command before it accepts it with exit code 0; with \
                --serve it answers each line that it reads, with {\"ack\":VERSION} at the end\n";
    // More than a pipe holds, too.
    for command in ["7".into(), format!("\"{}\"", "x".repeat(1 << 20))] {
        let line = format!(
            "{{\"stream\":\"s\",\"version\":0,\"state\":null,\"state_version\":0,\"events\":[],\
             \"command\":{command}}}\n"
        );
        let all_but_one = format!("head -c {} > start", line.len() - 1);
        for script in ["exit 0", "exec 0<&-; exit 0", "head -c 20 > start", &all_but_one] {
            decide(&bank, &["s", "-", "--id", "once"], script).stdin(&*command).fails(7, told);
        }
    }
    // The id is not spent by that.
    decide(&bank, &["s", "8", "--id", "once"], DEPOSITED)
        .stdout("{\"stream\":\"s\",\"version\":1,\"position\":1,\"id\":\"[link]/1\"}\n");
}

#[test]
fn the_same_id_gets_the_first_answer() {
    let bank = ream();
    let pay = |id: &str, command: &str, stream: &str| {
        let script = format!("echo >> runs; {DEPOSITED}");
        decide(&bank, &[stream, command, "--id", id], &script)
    };
    pay("pay-1", "{\"n\":1}", "s").ok();
    bank.append("s", "T", "{}").ok();
    pay("pay-1", "{ \"n\" : 1 }", "s").stdout(
        "{\"stream\":\"s\",\"version\":1,\"position\":1,\"id\":\"[link]/1\",\"duplicate\":true}\n",
    );
    let reused = "error: id reused: `pay-1` is a decision on `s`, which took it to version 1, \
                  about another command\n\
                  hint: an id stands for one command on one stream or query, for ever\n";
    pay("pay-1", "{\"n\":2}", "s").fails(6, reused);
    pay("pay-1", "{\"n\":1}", "t").fails(6, reused);
    assert_eq!(runs(&bank), 1);
    bank.run(["stream", "rm", "--yes", "s"]).ok();
    pay("pay-1", "{\"n\":1}", "s").stdout_has(["\"duplicate\":true,\"removed\":true"]);
    // One without events, and one that was rejected.
    let ask = |script: &str| decide(&bank, &["u", "--id", "ask", "--format", "table"], script);
    ask("echo >> runs; echo '{\"reject\":\"not yet\"}'").fails(8, "error: rejected: not yet\n");
    let ask = |script: &str| ask(&format!("{READ}; {script}"));
    ask("echo >> runs").stdout("u@0: accepted, no event\n");
    ask("echo >> runs").stdout("u@0: accepted, no event (stored before)\n");
    assert_eq!(runs(&bank), 3);
}

#[test]
fn a_dry_run_shows_what_append_would_take() {
    let bank = ream();
    bank.append("s", "T", "{}").ok();
    let script = r#"echo '{"append":{"type":"A","data":{"n": 1.0},"id":"a","metadata":{"m":1}}}'
        echo '{"append":{"type":"B"}}'; echo '{"state":[2]}'"#;
    let lines = "{\"stream\":\"s\",\"type\":\"A\",\"id\":\"a\",\"data\":{\"n\":1.0},\"metadata\":{\"m\":1},\"expect\":1}\n\
                 {\"stream\":\"s\",\"type\":\"B\",\"data\":{},\"expect\":2,\"state\":[2]}\n";
    let dry_run = |script| decide(&bank, &["s", "--dry-run"], script);
    dry_run(script).stdout(lines);
    dry_run("echo '{\"state\":1}'").stdout("{\"stream\":\"s\",\"version\":1,\"state\":1}\n");
    dry_run(READ).stdout("{\"stream\":\"s\",\"version\":1}\n");
    dry_run("echo '{\"reject\":\"no\"}'").fails(8, "error: rejected: no\n");
    dry_run("exit 3").fails_with(7, ["`sh` failed with exit code 3"]);
    assert_eq!(bank.positions(&[]), [1]);
    bank.run(["append", "--jsonl", "-"]).stdin(lines).ok();
    bank.run(["state", "get", "s", "--data"]).stdout("[2]\n");
}

#[test]
fn correlation_and_causation_go_into_the_events() {
    let bank = ream();
    let script = r#"echo '{"append":{"type":"A"}}'
        echo '{"append":{"type":"B","metadata":{"n":1.0,"correlation_id":"own"}}}'"#;
    decide(&bank, &["s", "--correlation", "c", "--causation", "d"], script).ok();
    bank.run(["read"]).stdout_has([
        r#""metadata":{"correlation_id":"c","causation_id":"d"}}"#,
        r#""metadata":{"n":1.0,"correlation_id":"own","causation_id":"d"}}"#,
    ]);
}

#[test]
fn who_is_overtaken_decides_again() {
    let bank = ream();
    let overtake = r#""$REAM" append s Other > other; echo >> runs"#;
    let twice = format!("if [ ! -s runs ]; then {overtake}; fi; {DEPOSITED}");
    decide(&bank, &["s"], &twice).stdout_has(["\"version\":2,"]);
    fs::remove_file(bank.path("runs")).unwrap();
    let always = format!("{overtake}; {DEPOSITED}");
    decide(&bank, &["s", "--attempts", "3"], &always).fails(
        3,
        "error: other writers were faster, 3 times; nothing is stored in `s`\n\
         caused by: wrong expected version of the stream `s`: expected 4, actual 5\n\
         hint: read what came in between, decide again: ream read s\n",
    );
    assert_eq!(runs(&bank), 3);
    decide(&bank, &["s", "--attempts", "1"], &always).fails_with(3, ["were faster, once;"]);
    fs::remove_file(bank.path("runs")).unwrap();
    decide(&bank, &["s"], &always).fails_with(3, ["were faster, 20 times;"]);
    assert_eq!(runs(&bank), 20);
}

#[test]
fn what_makes_no_sense_is_a_usage_error() {
    let bank = ream();
    for args in [
        &["decide"][..],
        &["decide", "s"],
        &["decide", "s", "{}"],
        &["decide", "s", "{}", "--"],
        &["decide", "--", "true"],
        &["decide", "s", "--serve", "--", "true"],
        &["decide", "--serve", "--id", "a", "--", "true"],
        &["decide", "--serve", "--dry-run", "--", "true"],
        &["decide", "s", "--attempts", "0", "--", "true"],
        &["decide", "s", "--timeout", "soon", "--", "true"],
    ] {
        bank.run(args).code(2).stderr_has(["error: "]).stdout("");
    }
    bank.run(["decide", "s", "--id", " a", "--", "true"]).code(6).stderr_has(["--id"]).stdout("");
}
