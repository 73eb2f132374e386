//! Programs that the events go to.

use rustix::process::Signal;

use super::event;
use crate::harness::{Ream, Run, ream};

/// `ream tail` with these options, and a script that reads the events.
fn tail<'r>(shop: &'r Ream, options: &[&str], script: &str) -> Run<'r> {
    shop.run(["tail"]).args(options).args(["--", "sh", "-c", script])
}

#[test]
fn a_program_hears_what_is_there_and_then_what_comes() {
    let shop = ream();
    shop.fill("s", 2);
    let mut told = tail(&shop, &["s", "--limit", "3"], "cat; echo end").start();
    told.hears(&event(1, 1)).hears(&event(2, 2));
    shop.append("other", "T", "0").ok();
    shop.append("s", "T", "3").ok();
    let last = told.hear();
    assert!(last.contains(r#""position":4"#), "{last}");
    // At the limit its input ends, and its end is the end.
    told.hears("end").ends_by_itself();
}

#[test]
fn it_hears_lines_of_json_whatever_the_format() {
    let shop = ream();
    shop.fill("s", 1);
    let lines = shop.run(["read"]).text();
    for format in ["table", "json", "jsonl"] {
        tail(&shop, &["--limit", "1", "--format", format], "cat").stdout(&lines);
    }
}

#[test]
fn it_knows_the_store() {
    let shop = ream();
    shop.fill("s", 1);
    tail(&shop, &["--limit", "1"], r#"cat >/dev/null; basename "$REAM_STORE""#).stdout(".ream\n");
}

#[test]
fn its_end_is_the_end() {
    let shop = ream();
    shop.fill("s", 3);
    tail(&shop, &[], "read -r line; echo one").stdout("one\n");
    tail(&shop, &[], "exit 0").stdout("");
    tail(&shop, &[], "echo why >&2; exit 3").fails(7, "why\nerror: `sh` failed with exit code 3\n");
    tail(&shop, &["--limit", "1"], "cat >/dev/null; exit 4")
        .fails(7, "error: `sh` failed with exit code 4\n");
    tail(&shop, &[], "kill -9 $$").fails(7, "error: `sh` failed with signal: 9 (SIGKILL)\n");
    // Also while nothing comes.
    let mut told = tail(&shop, &["--new"], "echo ready; exec <&-; exec sleep 0.01").start();
    told.hears("ready").ends_by_itself();
}

#[test]
fn one_that_reads_no_more_goes_on_to_its_end() {
    let shop = ream();
    shop.write("events", "{\"stream\":\"s\",\"type\":\"T\"}\n".repeat(5000));
    shop.run(["append", "--jsonl", "events", "-q"]).ok();
    tail(&shop, &[], "read -r line; exec <&-; echo closed; exit 0").stdout("closed\n");
    tail(&shop, &[], "exec <&-; exit 5").fails(7, "error: `sh` failed with exit code 5\n");
}

#[test]
fn one_that_can_not_be_run_is_told() {
    let shop = ream();
    shop.run(["tail", "--", "./none"])
        .fails(7, "error: can't run `./none`\ncaused by: No such file or directory (os error 2)\n");
    shop.run(["tail", "--grace", "1s"]).fails_with(2, ["PROGRAM"]);
    shop.run(["tail", "--grace", "soon", "--", "cat"]).fails_with(2, ["'soon'"]);
}

#[test]
fn a_signal_reaches_it_and_it_gets_time_to_end() {
    let shop = ream();
    shop.fill("s", 1);
    for (signal, name, code) in [(Signal::INT, "INT", 130), (Signal::TERM, "TERM", 143)] {
        let script = format!(
            "trap 'echo heard {name}; exit 0' {name}; while read -r l; do echo $l; done; cat"
        );
        let mut told = tail(&shop, &[], &script).start();
        assert!(told.hear().contains("position"));
        told.signal(signal);
        told.ends_saying(code, &format!("heard {name}\n"), "error: interrupted\n");
    }
}

#[test]
fn one_that_takes_longer_than_its_grace_is_ended_with_what_it_started() {
    let shop = ream();
    let script = "trap '' INT TERM; (trap '' INT TERM; echo child; exec sleep 1000) & echo parent; wait; sleep 1000";
    let mut told = tail(&shop, &["--grace", "0.1s"], script).start();
    let mut said = [told.hear(), told.hear()];
    said.sort();
    assert_eq!(said, ["child", "parent"]);
    told.signal(Signal::TERM);
    // Its output ends only when its child has ended too.
    told.ends_saying(143, "", "error: interrupted\n");
}

#[test]
fn a_slow_one_holds_neither_the_log_nor_much_memory() {
    let shop = ream();
    let line = format!("{{\"stream\":\"s\",\"type\":\"T\",\"data\":\"{}\"}}\n", "x".repeat(10_000));
    shop.write("events", line.repeat(3000));
    shop.run(["append", "--jsonl", "events", "-q"]).ok();
    // It reads one event, waits for a word, and then reads the rest.
    let script = "read -r line; echo ready; until [ -e go ]; do sleep 0.01; done; wc -l";
    let mut told = tail(&shop, &["--limit", "3001"], script).start();
    told.hears("ready");
    // A long log is emptied by the writer, which a reader would keep from it.
    shop.run(["append", "--jsonl", "events", "-q"]).ok();
    shop.append("s", "T", "1").ok();
    let status: serde_json::Value = serde_json::from_str(&shop.run(["status"]).text()).unwrap();
    assert!(status["wal_bytes"].as_u64().unwrap() < 1_000_000, "{status}");
    shop.write("go", "");
    told.hears("3000").ends_by_itself();
}
