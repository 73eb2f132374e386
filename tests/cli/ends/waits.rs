//! Waits that are longer than anyone waits.

use rustix::process::Signal;

use crate::harness::ream;

#[test]
fn a_wait_may_be_longer_than_anyone_waits() {
    let shop = ream();
    for long in ["25d", "1e19", "631107417600s", "18446744073709549568"] {
        shop.run(["append", "s", "T", "--lock-timeout", long]).ok();
        shop.run(["status", "--lock-timeout", long]).ok();
        shop.run(["decide", "s", "1", "--timeout", long, "--", "sh", "-c", "read -r line"]).ok();
        let serve = ["decide", "--serve", "--timeout", long, "--", "cat"];
        shop.run(serve).stdin("").ok();
        shop.run([
            "tail",
            "--as",
            "n",
            "--wait",
            long,
            "--until-caught-up",
            "--",
            "sh",
            "-c",
            "cat >/dev/null",
        ])
        .ok();
    }
    for long in ["1e20", "-1"] {
        shop.run(["append", "s", "T", "--lock-timeout", long]).fails_with(2, ["--lock-timeout"]);
    }
}

#[test]
fn a_program_may_be_given_longer_to_end_than_anyone_waits() {
    let shop = ream();
    shop.append("s", "T", "1").ok();
    shop.run(["project", "create", "p", "id:integer:key"]).ok();
    shop.sh("mkfifo came").ok();
    let script = "trap 'exit 0' INT; read -r line; echo >came; while :; do read -r line; done";
    for command in [&["tail"][..], &["tail", "--as", "n"], &["project", "run", "p"]] {
        let options = ["--grace", "1e19", "--", "sh", "-c", script];
        let mut running = shop.run([command, &options].concat()).start();
        shop.sh("read -r line < came").ok();
        running.signal(Signal::INT);
        let (code, ..) = running.end_by_itself();
        assert_eq!(code, 130, "{command:?}");
    }
}

#[test]
fn a_fresh_answer_may_be_waited_for_longer_than_anyone_waits() {
    let shop = ream();
    shop.append("s", "T", "1").ok();
    shop.run(["project", "create", "p", "id:integer:key", "--", "sh", "-c", "cat >/dev/null"]).ok();
    for long in ["25d", "1e19"] {
        shop.run(["project", "select", "p", "--fresh", "--wait", long]).ok();
        shop.run(["project", "select", "p", "--at-least", "0", "--wait", long]).ok();
    }
}
