//! `ream verify`.

use std::fs;

use rusqlite::Connection;
use serde_json::json;

use crate::harness::{Ream, ream};

/// A store with five events of two streams, a removed stream of two, and a state; all of it in its database.
fn shop() -> Ream {
    let shop = ream();
    shop.fill("order-1", 3).fill("gone", 2).fill("order-2", 1);
    shop.append("order-2", "OrderPaid", r#"{"amount":200}"#).ok();
    shop.run(["stream", "rm", "--yes", "gone"]).ok();
    shop.run(["state", "set", "order-1", r#"{"total":100}"#]).ok();
    let database = Connection::open(shop.path(".ream/db")).unwrap();
    let busy = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    assert_eq!(busy, Ok(0));
    shop
}

/// Has other bytes stand in the place of some in the database.
fn damage(shop: &Ream, before: &str, after: &str) {
    let path = shop.path(".ream/db");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(before.len()).position(|found| found == before.as_bytes()).unwrap();
    bytes[at..at + after.len()].copy_from_slice(after.as_bytes());
    fs::write(&path, bytes).unwrap();
}

#[test]
fn a_store_that_is_whole_is_said_to_be() {
    let shop = shop();
    let status = shop.run(["status"]).value();
    let verified = shop.run(["verify"]).value();
    assert_eq!(
        verified,
        json!({
            "verified": true, "head": 8, "link": status["link"], "events": 8, "removed": 2, "redacted": 0,
            "streams": 4, "states": 1, "decisions": 0, "projections": 0, "subscriptions": 0, "findings": 0
        })
    );
    shop.run(["verify", "--format", "table"])
        .stdout_has(["verified 8 events (2 removed), 4 streams, 1 state; the head is "]);
    let empty = ream().run(["verify"]).value();
    assert_eq!((&empty["verified"], &empty["head"]), (&true.into(), &0.into()));
}

#[test]
fn what_is_damaged_is_told_with_its_place_and_what_can_still_be_read() {
    let shop = shop();
    damage(&shop, r#"{"total":100}"#, r#"{"total":900}"#);
    let run = || shop.run(["verify"]).code(1);
    let found = run()
        .stderr_has(["error: the store is damaged (state: 1)\n", "ream read order-1"])
        .values();
    assert_eq!(
        found[0],
        json!({"finding": "state", "stream": "order-1", "version": 3,
               "what": "the state of `order-1` is not what was stored"})
    );
    assert_eq!((&found[1]["verified"], &found[1]["findings"]), (&false.into(), &1.into()));
    assert_eq!(found[1]["found"], json!({"state": 1}));
    damage(&shop, r#"{"amount":200}"#, r#"{"amount":900}"#);
    let found =
        run().stderr_has(["event: 1, state: 1", "can be read: ream read --until 6\n"]).values();
    let event = found.iter().find(|found| found["finding"] == "event").unwrap();
    assert_eq!(event["what"], "it is not what was stored");
    assert_eq!((&event["position"], &event["version"]), (&7.into(), &2.into()));
    assert_eq!(shop.positions(&["--until", "6"]), [1, 2, 3, 6]);
    shop.run(["verify", "--format", "table"])
        .code(1)
        .stderr_has(["the store is damaged"])
        .stdout_has(["\nevent 7 order-2@2: ", "state order-1@3: the state of"]);
    shop.run(["verify", "--json"])
        .code(1)
        .stderr_has(["the store is damaged"])
        .stdout_has(["[\n{\"finding\":\"state\"", "}\n]\n"]);
}

#[test]
fn a_part_is_verified_where_that_is_asked_for() {
    let shop = shop();
    assert_eq!(shop.run(["verify", "--quick"]).value()["events"], 8);
    assert_eq!(shop.run(["verify", "--from", "7"]).value()["events"], 2);
    assert_eq!(shop.run(["verify", "--from", "9"]).value()["events"], 0);
    shop.run(["verify", "--from", "10"]).fails_with(6, ["beyond", "--from 9"]);
    shop.run(["verify", "--from", "7", "--quick"]).fails_with(2, ["cannot be used with"]);
    damage(&shop, r#"{"total":100}"#, r#"{"total":900}"#);
    shop.run(["verify", "--quick"]).ok();
}

#[test]
fn a_head_that_was_kept_is_compared() {
    let shop = shop();
    let status = shop.run(["status"]).bytes();
    shop.write("head.json", status);
    shop.append("order-1", "T", "1").ok();
    shop.run(["verify", "--against", "@head.json"]).stdout_has(["\"verified\":true"]);
    let link = shop.run(["status"]).value()["link"].as_str().unwrap().to_owned();
    shop.run(["verify", "--quick", "--against", &format!("{link}/9")]).ok();
    let other = shop.run(["verify", "--against", &format!("{link}/8")]).code(1);
    let found = other.stderr_has(["the log holds in itself, and is not the one"]).values();
    assert_eq!((&found[0]["finding"], &found[0]["position"]), (&"against".into(), &8.into()));
    shop.run(["verify", "--against", &format!("{link}/10")])
        .code(1)
        .stderr_has(["the store is damaged (against: 1)"])
        .stdout_has(["the store ends at position 9"]);
    for (head, said) in [
        ("9", "LINK/POSITION"),
        ("abc/9", "LINK/POSITION"),
        ("@none", "can't read none"),
        ("@lines", "lines holds no head: missing field `link`"),
    ] {
        shop.write("lines", "{\"head\":9}\n");
        shop.run(["verify", "--against", head]).fails_with(6, [said]);
    }
}

#[test]
fn a_record_that_says_nothing_is_a_finding() {
    let shop = shop();
    let marks = |kinds: &[&str]| {
        let found = shop.run(["verify"]).code(1).stderr_has(["(record: "]).values();
        let names = found.iter().filter_map(|found| found["name"].as_str());
        assert_eq!(names.collect::<Vec<_>>(), kinds);
        assert_eq!(found[0]["finding"], "record");
    };
    let bell = fs::read(shop.path(".ream/bell/bell")).unwrap();
    for torn in [&bell[..20], b""] {
        shop.write(".ream/bell/bell", torn);
        marks(&["bell/bell"]);
        // Who reads writes it anew.
        assert_eq!(fs::read(shop.path(".ream/bell/bell")).unwrap(), bell);
        shop.run(["verify"]).ok();
    }
    fs::remove_file(shop.path(".ream/bell/bell")).unwrap();
    shop.write(".ream/changes", "x");
    marks(&["bell/bell", "changes"]);
    marks(&["changes"]);
    shop.run(["state", "set", "order-1", "1"]).ok();
    shop.run(["verify"]).ok();
    // In a store of which nothing was acknowledged they say nothing.
    ream().run(["verify"]).ok();
}

#[test]
fn a_head_of_another_store_is_no_damage() {
    let (shop, other) = (shop(), shop());
    let head = other.run(["status"]).bytes();
    shop.write("other.json", head);
    let said = format!("other.json is of the store {}, and this one", other.id().unwrap());
    shop.run(["verify", "--against", "@other.json"]).fails_with(6, [&*said]);
}

/// What was acknowledged and is gone is a finding like any other.
#[test]
fn a_store_that_lost_events_is_damaged() {
    let shop = ream();
    shop.append("s", "T", "1").ok();
    shop.sh("mkdir old && cp .ream/db .ream/db-wal old").ok();
    shop.append("s", "T", "2").ok();
    shop.sh("rm .ream/db-shm && cp old/* .ream").ok();
    let found =
        shop.run(["verify"]).code(1).stderr_has(["the store is damaged (lost: 1)"]).values();
    assert_eq!(found[0]["finding"], "lost");
    assert!(
        found[0]["what"].as_str().unwrap().contains("position 2 was acknowledged"),
        "{found:?}"
    );
}

#[test]
fn damage_is_a_failure_also_where_nobody_reads_of_it() {
    let shop = shop();
    damage(&shop, r#"{"total":100}"#, r#"{"total":900}"#);
    let script = "{ ream verify; echo $? > code; } 2>/dev/null | :; cat code";
    shop.sh(script).stdout("1\n");
}
