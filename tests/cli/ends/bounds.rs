//! Inputs without a bound: what is refused is refused after a bounded part of it.

use crate::harness::{REAM, line, ream};

/// As much memory as a command may have for what it refuses, in KiB.
const ROOM: &str = "ulimit -v 400000;";

#[test]
fn data_without_end_is_refused_in_little_memory() {
    let shop = ream();
    shop.append("s", "T", "1").ok();
    shop.run(["project", "create", "p", "id:integer:key"]).ok();
    let told = |bytes: usize| format!("has more than {bytes} bytes");
    let (data, other) = (told(33 * 1024 * 1024), told(64 * 1024 * 1024));
    for (command, told) in [
        ("append s T -", &data),
        ("append s T - --base64", &data),
        ("append s T --expect 1 --state -", &data),
        ("append s T --expect 1 --state @/dev/zero", &data),
        ("state set s -", &data),
        ("decide s - -- true", &other),
        ("project set p -", &other),
        ("project create q --schema -", &other),
    ] {
        let script = format!("{ROOM} exec \"$REAM\" {command} </dev/zero");
        shop.sh(&script).env("REAM", REAM).fails_with(6, [told]);
    }
    assert_eq!(shop.positions(&[]), [1]);
}

#[test]
fn twenty_thousand_names_are_read_as_fast_as_a_few() {
    let shop = ream();
    let lines: String = (0..20_000).map(|n| line(&format!("order-{n}"), "T", "1") + "\n").collect();
    shop.append_lines(&lines).ok();
    let names = (0..20_000).map(|n| format!("order-{n}"));
    let read = shop.run(["read".into()].into_iter().chain(names.clone()).collect::<Vec<_>>());
    assert_eq!(read.text().lines().count(), 20_000);
    // Names that repeat and overlap give each event once; a filter of as many is asked for each event.
    let mixed: Vec<String> = ["tail", "order-1*", "none-*", "--limit", "20000"]
        .map(str::to_owned)
        .into_iter()
        .chain(names)
        .collect();
    assert_eq!(shop.run(mixed).text().lines().count(), 20_000);
}

#[test]
fn an_error_quotes_no_more_than_can_be_read() {
    let shop = ream();
    shop.append("s", "T", "1").ok();
    shop.run([
        "project",
        "create",
        "p",
        "id:integer:key",
        "d:decimal:9:2:null",
        "t:timestamp:null",
    ])
    .ok();
    let long = "x".repeat(2_000_000);
    let short = |said: &[u8]| assert!(said.len() < 3000, "{} bytes", said.len());
    let event = |pair: &str| format!("{{\"stream\":\"s\",\"type\":\"T\",{pair}}}\n");
    for pair in [
        format!("\"{long}\":1"),
        format!("\"time\":\"{long}\""),
        format!("\"expect\":\"{long}\""),
        format!("\"expect\":{}", "1".repeat(2_000_000)),
        format!("\"id\":[\"{long}\"]"),
        format!("\"metadata\":\"{long}\""),
        format!("\"data_base64\":\"?{long}\""),
        format!("\"state\":{{\"a\":{long}}}"),
    ] {
        short(&shop.append_lines(&event(&pair)).code(6).errors());
    }
    for row in [
        format!("{{\"{long}\":1}}"),
        format!("{{\"id\":\"{long}\"}}"),
        format!("{{\"id\":1,\"d\":\"{long}\"}}"),
        format!("{{\"id\":1,\"d\":{}}}", "1".repeat(2_000_000)),
        format!("{{\"id\":1,\"t\":\"{long}\"}}"),
    ] {
        short(&shop.run(["project", "set", "p", "-"]).stdin(row).code(6).errors());
    }
    let reply = format!("{{\"{long}\":1}}");
    shop.write("reply", reply);
    for (name, command) in [("p", &["project", "run", "p"][..]), ("n", &["tail", "--as", "n"])] {
        let program = ["--until-caught-up", "--retries", "0", "--", "cat", "reply"];
        short(&shop.run([command, &program].concat()).code(7).errors());
        let shown = shop.run(["subscription", "show", name]).value();
        let failure = shown["error"].as_str().unwrap();
        assert!(failure.contains("unknown reply `xxx") && failure.len() <= 2000, "{failure}");
    }
}
