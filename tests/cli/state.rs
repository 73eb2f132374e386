//! `ream state`, and `ream append --state`.

use crate::harness::{Ream, ream};

/// An account of two events, and its state.
fn bank() -> Ream {
    let bank = ream();
    let append = |data: &str, expect: &str, state: &str| {
        bank.run(["append", "account-1", "Deposited", data])
            .args(["--expect", expect, "--state", state])
            .ok();
    };
    append(r#"{"amount":10}"#, "no-stream", r#"{"balance":10.00}"#);
    append(r#"{"amount":5}"#, "1", r#"{ "balance" : 15.00 }"#);
    bank
}

const STATE: &str = concat!(
    r#"{"stream":"account-1","version":2,"stream_version":2,"position":2,"data":{"balance":15.00}}"#,
    "\n"
);

#[test]
fn a_state_is_stored_with_an_event_and_got_back() {
    let bank = bank();
    bank.run(["state", "get", "account-1"]).stdout(STATE);
    bank.run(["state", "get", "account-1", "--data"]).stdout("{\"balance\":15.00}\n");
    bank.run(["state", "get", "account-1", "--format", "table"])
        .stdout("account-1@2 of 2, at position 2\n{\"balance\":15.00}\n");
    bank.append("account-1", "Frozen", "{}").ok();
    bank.run(["state", "get", "account-1"])
        .stdout_has([r#""version":2,"stream_version":3,"position":2,"#]);
}

#[test]
fn a_state_needs_a_version_that_its_writer_knows() {
    let bank = bank();
    let append = || bank.run(["append", "account-1", "T", "{}", "--state", "{}"]);
    let usage =
        "error: --state needs --expect N, or --expect no-stream\nhint: ream append --help\n";
    append().fails(2, usage);
    append().args(["--expect", "exists"]).fails(2, usage);
    append().args(["--expect", "1"]).fails_with(3, ["expected 1, actual 2"]);
    bank.append_lines(r#"{"stream":"account-1","type":"T","state":{}}"#).fails_with(
        6,
        [
            "stopped at line 1: 0 events are stored",
            "the state of `account-1` needs an expected version, or `no-stream`",
        ],
    );
    bank.run(["state", "get", "account-1"]).stdout(STATE);
}

#[test]
fn a_state_comes_from_an_argument_a_file_or_stdin() {
    let bank = bank();
    bank.write("state.json", "{\n  \"from\": \"file\"\n}\n");
    let append = |expect: &str, state: &str| {
        bank.run(["append", "account-1", "T", "{}", "--expect", expect, "--state", state])
    };
    append("2", "@state.json").ok();
    bank.run(["state", "get", "account-1", "--data"]).stdout("{\"from\":\"file\"}\n");
    append("3", "-").stdin("[\"stdin\"]").ok();
    bank.run(["state", "get", "account-1", "--data"]).stdout("[\"stdin\"]\n");
    append("4", "@missing.json").code(1).stderr_has(["can't read missing.json"]).stdout("");
    append("4", "{").fails_with(6, ["--state is not valid JSON: "]);
    let quoted = r#"ream append account-1 T '{}' --expect 4 --state '"word"'"#;
    append("4", "word").fails_with(6, [quoted]);
    bank.run(["append", "account-1", "T", "-", "--expect", "4", "--state", "-"])
        .fails_with(2, ["`-` is given twice"]);
    bank.run(["append", "account-1", "T", "-", "--expect", "4", "--state=-"])
        .fails_with(2, ["`-` is given twice"]);
    assert_eq!(bank.positions(&[]), [1, 2, 3, 4]);
}

#[test]
fn lines_carry_states_with_what_they_expect() {
    let bank = ream();
    bank.append_lines(
        "{\"stream\":\"a-1\",\"type\":\"T\",\"expect\":0,\"state\":{\"n\": 1}}\n\
         {\"stream\":\"a-1\",\"type\":\"T\",\"expect\":1,\"state\":{\"n\": 2}}\n\
         {\"stream\":\"b-1\",\"type\":\"T\",\"expect\":\"no-stream\",\"state_base64\":\"AP8=\"}\n",
    )
    .ok();
    bank.run(["state", "get", "a-1"]).stdout_has([r#""version":2,"#, r#""data":{"n":2}}"#]);
    bank.run(["state", "get", "b-1"]).stdout_has([r#""data_base64":"AP8="}"#]);
    assert_eq!(bank.run(["state", "get", "b-1", "--data"]).bytes(), [0, 255]);
    // What follows on knows its version as well.
    bank.run(["append", "a-1", "--expect", "2", "--jsonl", "-"])
        .stdin("{\"type\":\"T\",\"state\":3}\n{\"type\":\"T\",\"state\":4}\n")
        .ok();
    bank.run(["state", "get", "a-1"]).stdout_has([r#""version":4,"#, r#""data":4}"#]);
    let both = r#"{"stream":"c","type":"T","expect":0,"state":1,"state_base64":"AA=="}"#;
    bank.append_lines(both).fails_with(6, ["`state` and `state_base64` together"]);
}

#[test]
fn a_state_is_set_without_an_event() {
    let bank = bank();
    bank.run(["state", "set", "account-1", "-1e-2"])
        .stdout("{\"stream\":\"account-1\",\"version\":2,\"stream_version\":2,\"bytes\":5}\n");
    bank.run(["state", "get", "account-1", "--data"]).stdout("-1e-2\n");
    bank.run(["state", "set", "account-1", "-", "--base64"]).stdin("AP8=\n").ok();
    assert_eq!(bank.run(["state", "get", "account-1", "--data"]).bytes(), [0, 255]);
    bank.run(["state", "set", "account-1", "1", "--expect", "1"])
        .fails_with(3, ["expected 1, actual 2", "ream read account-1"]);
    bank.run(["state", "set", "account-1", "1", "--at", "3"]).fails(
        6,
        "error: the state of `account-1` can't reflect version 3: the stream is at 2\n\
         hint: ream stream show account-1\n",
    );
    bank.run(["state", "set", "account-1", "1", "--at", "1"]).fails(
        6,
        "error: the state of `account-1` reflects version 2, and can't go back to 1\n\
         hint: ream state get account-1\n",
    );
    bank.run(["state", "set", "account-1", "word"]).fails_with(
        6,
        [
            "DATA is not valid JSON: ",
            "a JSON string has quotes: ream state set account-1 '\"word\"'",
        ],
    );
    bank.run(["state", "set", "account-*", "1"]).fails_with(6, ["has `*` at character 9"]);
    assert_eq!(bank.run(["state", "get", "account-1", "--data"]).bytes(), [0, 255]);
    bank.run(["state", "set", "new", "{}", "--format", "table"]).stdout("new@0 of 0: stored\n");
}

#[test]
fn a_state_that_is_not_there_names_near_ones() {
    let bank = bank();
    bank.run(["state", "get", "account-2"])
        .fails(4, "error: no state of the stream `account-2`\nhint: there is `account-1`\n");
    bank.run(["state", "get", "zebra"])
        .fails(4, "error: no state of the stream `zebra`\nhint: ream state list\n");
}

#[test]
fn states_are_listed_or_counted() {
    let bank = bank();
    bank.run(["state", "set", "cart-9", "[]"]).ok().run(["state", "set", "cart-10", "[1]"]).ok();
    bank.run(["state", "list"])
        .stdout("{\"category\":\"account\",\"states\":1}\n{\"category\":\"cart\",\"states\":2}\n");
    bank.run(["state", "list", "--format", "table"])
        .stdout("CATEGORY  STATES\naccount   1\ncart      2\n");
    bank.run(["state", "list", "cart-*"]).stdout(
        "{\"stream\":\"cart-10\",\"version\":0,\"stream_version\":0,\"bytes\":3}\n\
         {\"stream\":\"cart-9\",\"version\":0,\"stream_version\":0,\"bytes\":2}\n",
    );
    bank.run(["state", "list", "a*", "--format", "table"]).stdout(
        "STREAM     VERSION  STREAM VERSION  BYTES\naccount-1  2        2               17\n",
    );
    bank.run(["state", "list", "x*"]).stdout("");
    bank.run(["state", "list", "x*", "--json"]).stdout("[]\n");
}

#[test]
fn a_state_is_removed_after_a_question() {
    let bank = bank();
    let rm = || bank.run(["state", "rm", "account-1"]);
    rm().fails(
        2,
        "error: removing 1 state needs to be confirmed\nhint: ream state rm --yes account-1\n",
    );
    let once = "{\"stream\":\"account-1\",\"dry_run\":true}\n";
    rm().args(["--dry-run", "x", "account-1"]).stdout(once);
    let question = "removing 1 state for good: type yes to go on: ";
    let no = format!("{question}error: nothing was changed\n");
    rm().env("NO_COLOR", "1").typed("no\n").code(1).stdout(&no);
    bank.run(["state", "get", "account-1"]).stdout(STATE);
    rm().typed("yes\n").stdout(&format!("{question}account-1: removed its state\n"));
    bank.run(["state", "get", "account-1"]).fails_with(4, ["no state"]);
    rm().stdout("");
    rm().args(["--yes"]).stdout("");
    assert_eq!(bank.positions(&[]), [1, 2]);
}

#[test]
fn a_removed_stream_has_no_state() {
    let bank = bank();
    bank.run(["stream", "rm", "--yes", "account-1"]).ok();
    bank.run(["state", "get", "account-1"]).fails_with(4, ["no state"]);
}
