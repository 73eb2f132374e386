//! Programs that fail, each in its own way: what is told, exit code 7, and nothing stored.

use super::{DEPOSITED, decide};
use crate::harness::{Ream, ream};

/// That a script's failure is told like this, and that nothing is stored.
#[track_caller]
fn fails(bank: &Ream, script: &str, stderr: &str) {
    decide(bank, &["s"], script).fails(7, stderr);
    assert!(bank.positions(&[]).is_empty());
}

const REPLIES: &str = "hint: stdout is for replies, a JSON object a line: append, state, reject, \
                       ack; all else goes to stderr\n";

#[test]
fn one_that_can_not_be_run() {
    let bank = ream();
    let run = |program: &str| bank.run(["decide", "s", "--", program]);
    let told = "error: can't run `./none`; nothing is stored in `s`\n\
                caused by: No such file or directory (os error 2)\n";
    run("./none").fails(7, told);
    bank.write("plain", "#!/bin/sh\n");
    run("./plain").fails(
        7,
        "error: can't run `./plain`; nothing is stored in `s`\n\
         caused by: Permission denied (os error 13)\n\
         hint: chmod +x ./plain\n",
    );
    run("plain")
        .fails_with(7, ["hint: a file here is run with its path: ream decide s -- ./plain\n"]);
    bank.write("lost", "#!/nowhere/sh\n").sh("chmod +x lost").ok();
    run("./lost").fails_with(7, ["the interpreter in the first line of ./lost is not there"]);
}

#[test]
fn one_that_fails() {
    let bank = ream();
    fails(&bank, "exit 3", "error: `sh` failed with exit code 3; nothing is stored in `s`\n");
    fails(
        &bank,
        &format!("{DEPOSITED}; echo one >&2; echo 'two words' >&2; echo >&2; exit 1"),
        "one\ntwo words\n\nerror: `sh` failed with exit code 1; nothing is stored in `s`\n\
         caused by: two words\n",
    );
    fails(
        &bank,
        &format!("{DEPOSITED}; kill -9 $$"),
        "error: `sh` failed with signal: 9 (SIGKILL); nothing is stored in `s`\n",
    );
    fails(
        &bank,
        r#"echo '{"reject":"no"}'; exit 1"#,
        "error: `sh` failed with exit code 1; nothing is stored in `s`\n",
    );
    fails(
        &bank,
        "exec 0<&-; exit 4",
        "error: `sh` failed with exit code 4; nothing is stored in `s`\n",
    );
}

#[test]
fn one_that_leaves_half_a_line() {
    let bank = ream();
    fails(
        &bank,
        r#"printf '{"append":{"type"'"#,
        &format!(
            "error: `sh` wrote a bad reply, line 1: column 17: it ends within an object; \
             nothing is stored in `s`\ncaused by: it wrote: {{\"append\":{{\"type\"\n{REPLIES}"
        ),
    );
    // Its failure is why.
    fails(
        &bank,
        r#"printf '{"append":{"type"'; exit 1"#,
        "error: `sh` failed with exit code 1; nothing is stored in `s`\n",
    );
}

#[test]
fn one_that_writes_what_is_no_reply() {
    let bank = ream();
    let long = format!("echo {}", "x".repeat(300));
    for (script, reason, wrote) in [
        ("echo; echo hello", "line 2: column 1: expected value", "hello"),
        (
            "echo 7",
            "line 1: column 1: invalid type: integer `7`, expected a reply: a JSON object",
            "7",
        ),
        (
            r#"echo '{"apend":{}}'"#,
            "line 1: column 8: unknown reply `apend`; did you mean `append`?",
            r#"{"apend":{}}"#,
        ),
        (
            r#"echo '{"append":{"type":"T","stream":"t"}}'"#,
            "line 1: column 35: the line is for the stream `t`, the command for `s`",
            r#"{"append":{"type":"T","stream":"t"}}"#,
        ),
        (
            r#"echo '{"ack":7}'"#,
            "line 1: acknowledges version 7, but was told of 0",
            r#"{"ack":7}"#,
        ),
        (
            r#"echo '{"ack":0}'; echo '{"state":1}'"#,
            "line 2: a reply behind the end of the answer",
            r#"{"state":1}"#,
        ),
        (r"printf '{\377}\n'", "line 1: column 2: invalid UTF-8", "{\u{fffd}}"),
        (&*long, "line 1: column 1: expected value", &*format!("{}…", "x".repeat(200))),
    ] {
        let told = format!(
            "error: `sh` wrote a bad reply, {reason}; nothing is stored in `s`\n\
             caused by: it wrote: {wrote}\n{REPLIES}"
        );
        fails(&bank, script, &told);
    }
}

#[test]
fn one_that_decides_on_what_can_not_be_stored() {
    let bank = ream();
    bank.run(["append", "t", "T", "{}", "--id", "taken"]).ok();
    let told = |script: &str, cause: &str| {
        decide(&bank, &["s"], script).fails(
            7,
            &format!(
                "error: `sh` decided on what can't be stored; nothing is stored in `s`\n\
                 caused by: {cause}\n"
            ),
        );
    };
    told(
        r#"echo '{"append":{"type":"T","id":"taken"}}'"#,
        "id reused: `taken` is the event at position 1 (`t`, version 1), with other content",
    );
    told(
        r#"printf '{"state":"'; head -c 20000000 /dev/zero | tr '\0' x; echo '"}'"#,
        "the data has 20000002 bytes; this store takes 16777216",
    );
    assert_eq!(bank.positions(&[]), [1]);
}

#[test]
fn one_that_writes_too_much() {
    let bank = ream();
    let told = "error: `sh` answered with more than 67108864 bytes; nothing is stored in `s`\n\
                hint: a state holds what the next decision needs, no more\n";
    fails(&bank, "head -c 100000000 /dev/zero", told);
    let event = format!(r#"{{"append":{{"type":"T","data":"{}"}}}}"#, "x".repeat(10_000));
    fails(&bank, &format!("yes '{event}'"), told);
}

#[test]
fn one_that_hangs() {
    let bank = ream();
    let hang = |script| decide(&bank, &["s", "--timeout", "0.2"], script);
    for script in ["sleep 1000", "exec >&-; sleep 1000", "yes ''", "echo '{\"ack\":0}'; sleep 1000"]
    {
        hang(script).fails(
            7,
            "error: `sh` did not answer within 0.2 s; nothing is stored in `s`\n\
             hint: an answer may wait in its buffer: flush it, and with --serve end it with \
             {\"ack\":VERSION}; --timeout 5m waits longer\n",
        );
    }
    assert!(bank.positions(&[]).is_empty());
}

#[test]
fn one_that_leaves_its_output_open() {
    let bank = ream();
    fails(
        &bank,
        &format!("sleep 1000 & {DEPOSITED}"),
        "error: `sh` ended, but a process that it started keeps its output open; nothing is \
         stored in `s`\n\
         hint: redirect the output of what shall go on: command >/dev/null &\n",
    );
    fails(
        &bank,
        "sleep 1000 & exit 2",
        "error: `sh` failed with exit code 2; nothing is stored in `s`\n",
    );
    // What only goes on is ended with the program.
    decide(&bank, &["s"], &format!("sleep 1000 > /dev/null 2>&1 & {DEPOSITED}")).ok();
}

#[test]
fn what_it_says_on_stderr_passes_through() {
    let bank = ream();
    decide(&bank, &["s"], "read -r line; echo one >&2; printf two >&2").stderr("one\ntwo").ok();
    let much = decide(&bank, &["s"], "head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1");
    much.code(7).stderr_has([&*"x".repeat(3_000_000), "exit code 1"]).stdout("");
}
