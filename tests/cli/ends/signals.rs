//! A signal that was ignored when a command began stays ignored, as `nohup` wants it.

use rustix::process::Signal;

use crate::harness::{REAM, Ream, Run, Running, line, ream};

const ENDING: [(Signal, &str, i32); 4] = [
    (Signal::HUP, "HUP", 129),
    (Signal::INT, "INT", 130),
    (Signal::QUIT, "QUIT", 131),
    (Signal::TERM, "TERM", 143),
];

/// A command that ignores a signal, as a line of the shell.
fn ignoring<'r>(shop: &'r Ream, signal: &str, command: &str) -> Run<'r> {
    shop.sh(&format!("trap '' {signal}; exec \"$REAM\" {command}")).env("REAM", REAM)
}

/// Does something again and again: before a signal that is ignored, and after it. Ends it by another,
/// or by the end of its input.
#[track_caller]
fn goes_on(command: &str, ends_with_input: bool, again: impl Fn(&Ream, &mut Running<'_>)) {
    for (at, (signal, name, _)) in ENDING.into_iter().enumerate() {
        let shop = ream();
        shop.run(["project", "create", "p", "id:integer:key"]).ok();
        shop.sh("mkfifo came").ok();
        let mut running = ignoring(&shop, name, command).start();
        again(&shop, &mut running);
        running.signal(signal);
        again(&shop, &mut running);
        running.signal(signal);
        again(&shop, &mut running);
        if ends_with_input {
            running.ends(0);
        } else {
            let (other, _, code) = ENDING[(at + 1) % ENDING.len()];
            let (found, ..) = running.signal(other).end_by_itself();
            assert_eq!(found, code, "{name}: {command}");
        }
    }
}

#[test]
fn a_stream_of_lines_is_appended() {
    goes_on("append --jsonl -", true, |_, append| {
        append.say(&line("s", "T", "1"));
        assert!(append.hear().contains("\"position\":"));
    });
    let shop = ream();
    shop.sh("mkfifo lines").ok();
    shop.sh("nohup \"$REAM\" append --jsonl lines >acks 2>errors & echo $! > pid; \
             exec 3>lines; echo '{\"stream\":\"fifo\",\"type\":\"T\"}' >&3; \
             until [ -s acks ]; do :; done; kill -HUP $(cat pid); \
             echo '{\"stream\":\"fifo\",\"type\":\"T\"}' >&3; exec 3>&-; wait $!")
        .env("REAM", REAM)
        .stdout("");
    assert_eq!(shop.run(["read", "fifo"]).values().len(), 2);
}

#[test]
fn commands_are_decided() {
    let answer = "sh -c 'while read -r line; do echo {\\\"reject\\\":\\\"no\\\"}; done'";
    goes_on(&format!("decide --serve -- {answer}"), true, |_, serve| {
        serve
            .say("{\"stream\":\"s\",\"command\":1}")
            .hears("{\"stream\":\"s\",\"rejected\":\"no\"}");
    });
}

#[test]
fn programs_are_told_of_events() {
    let hear = "sh -c 'while read -r line; do echo >came; done'";
    for command in ["tail", "tail --as n", "project run p"] {
        goes_on(&format!("{command} -- {hear}"), false, |shop, _| {
            shop.append("s", "T", "1").ok();
            shop.sh("read -r line < came").ok();
        });
    }
}
