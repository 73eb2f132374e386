//! `ream redact`: what single events say is erased.

use serde_json::json;

use crate::harness::{Ream, ream};

/// Three events of `order-1` and one of `cart-1`; the second has an id and metadata.
fn shop() -> Ream {
    let shop = ream();
    shop.append("order-1", "Placed", "1").ok();
    shop.run(["append", "order-1", "Paid", r#"{"card":"4711"}"#, "--id", "pay-1"])
        .args(["--meta", r#"{"by":"ann"}"#])
        .ok();
    shop.append("order-1", "Sent", "3").ok();
    shop.append("cart-1", "Filled", "4").ok();
    shop
}

#[test]
fn an_event_is_shown_without_what_it_said() {
    let shop = shop();
    shop.run(["redact", "order-1@2", "--reason", "request 77", "--yes"]).stdout(concat!(
        r#"{"position":2,"stream":"order-1","version":2,"state":false,"dry_run":false,"erased":true,"projections":[]}"#,
        "\n",
    ));
    let shown = shop.run(["read", "order-1"]).values();
    let keys: Vec<&String> = shown[1].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["id", "position", "redacted", "stream", "time", "type", "version"]);
    assert_eq!((&shown[1]["redacted"], &shown[1]["id"]), (&json!(true), &json!("pay-1")));
    let line = shop.run(["read", "order-1", "--from", "2", "--limit", "1"]).text();
    assert!(line.ends_with(",\"time\":\"[time]\",\"redacted\":true}\n"), "{line}");
    let table = shop.run(["read", "order-1", "--format", "table"]).text();
    assert!(table.contains("  order-1@2  Paid  (redacted)\n"), "{table}");
    // What follows is shown it as well.
    shop.run(["tail", "order-1", "--limit", "3"]).stdout_has([&*line]);
    shop.run(["tail", "order-1", "--limit", "3", "--", "grep", "redacted"]).stdout(&line);
    let act = &shop.run(["log"]).values()[0];
    assert_eq!(act["type"], "EventRedacted");
    let data = json!({"stream": "order-1", "version": 2, "position": 2, "reason": "request 77"});
    assert_eq!(act["data"], data);
    // Again there is nothing to do.
    shop.run(["redact", "2", "pay-1", "--reason", "again"]).stdout("");
    assert_eq!(shop.run(["log"]).values().len(), 1);
}

#[test]
fn a_repeat_is_told_and_a_copy_is_refused() {
    let shop = shop();
    shop.run(["redact", "2", "--reason", "r", "--yes"]).ok();
    let repeat = ["append", "order-1", "Paid", r#"{"card":"4711"}"#, "--id", "pay-1"];
    shop.run(repeat).stdout_has([r#","id":"pay-1","duplicate":true,"redacted":true}"#]);
    shop.run(repeat)
        .args(["--format", "table"])
        .stdout("order-1@2 at position 2 (stored before, and redacted since)\n");
    shop.run(["init", "other"]).ok();
    shop.sh(r#""$REAM" read > lines; "$REAM" append --store other --jsonl lines >/dev/null"#)
        .fails_with(
            6,
            [
                "stopped at line 2: 1 event is stored",
                "the event was redacted, and has no data to be stored; leave the line out",
            ],
        );
    shop.sh(r#"grep -v '"redacted":true' lines | "$REAM" append --store other --jsonl -"#).ok();
    shop.sh(r#""$REAM" read --store other | wc -l"#).stdout("3\n");
}

#[test]
fn the_state_and_the_rows_that_may_say_the_same_are_named() {
    let shop = shop();
    for (name, from) in [("orders", "order-*"), ("carts", "cart-*")] {
        shop.run(["project", "create", name, "id:integer:key", "--from", from]).ok();
    }
    shop.run(["state", "set", "order-1", r#"{"card":"4711"}"#]).ok();
    let redact = |args: &[&str]| shop.run(["redact", "--reason", "r"].iter().chain(args));
    redact(&["1", "2"]).fails(
        2,
        "error: erasing what 2 events say, and 1 state, needs to be confirmed\n\
         hint: ream redact --yes --reason r 1 2\n",
    );
    redact(&["2", "--state-kept"])
        .fails_with(2, ["error: erasing what 1 event says needs to be confirmed\n"]);
    redact(&["2", "--dry-run"]).stdout(concat!(
        r#"{"position":2,"stream":"order-1","version":2,"state":true,"dry_run":true,"projections":["orders"]}"#,
        "\n",
    ));
    redact(&["2", "--dry-run", "--format", "table"]).stdout(
        "order-1@2 at position 2: would be redacted, with the state of its stream\n  \
         the projection `orders` keeps rows made of it until it is rebuilt\n",
    );
    redact(&["1", "--yes", "--state-kept"]).stdout_has([r#""state":false"#]);
    shop.run(["state", "get", "order-1"]).ok();
    redact(&["2", "--yes"]).stdout_has([r#""state":true"#, r#""projections":["orders"]"#]);
    shop.run(["state", "get", "order-1"]).fails_with(4, ["no state"]);
    shop.run(["stream", "show", "order-1"]).stdout_has([r#""version":3,"events":3"#]);
}

#[test]
fn a_state_that_goes_is_said_once() {
    let shop = shop();
    shop.run(["state", "set", "order-1", "1"]).ok();
    let redact = |args: &[&str]| {
        let run = shop.run(["redact", "--reason", "r", "1", "2", "4"].iter().chain(args));
        run.values().iter().map(|one| one["state"] == json!(true)).collect::<Vec<_>>()
    };
    assert_eq!(redact(&["--dry-run"]), [true, false, false]);
    assert_eq!(redact(&["--yes"]), [true, false, false]);
}

#[test]
fn what_can_not_be_redacted_is_told_and_nothing_is() {
    let shop = shop();
    shop.run(["stream", "rm", "cart-1", "--yes"]).ok();
    let redact = |event: &str| shop.run(["redact", "order-1@1", event, "--reason", "r", "--yes"]);
    redact("cart-1@1").fails(
        6,
        "error: the event at position 4 (`cart-1`, version 1) was removed: nothing of it is left to redact\n",
    );
    redact("5")
        .fails(6, "error: the event at position 5 is a record of `$ream`, which stays as it is\n");
    for unknown in ["6", "order-1@4", "pay-2", "order-2@1"] {
        redact(unknown).fails(
            4,
            &format!(
                "error: no event `{unknown}`\n\
                 hint: an event is called by its position, by STREAM@N or by its id\n"
            ),
        );
    }
    shop.run(["redact", "1", "--yes"]).fails_with(2, ["--reason <TEXT>"]);
    shop.run(["redact", "1", "--reason", " ", "--yes"])
        .fails_with(2, ["error: --reason says nothing\n"]);
    assert!(!shop.run(["read"]).text().contains("redacted"));
}
