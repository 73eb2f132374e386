//! `ream log`: who did what to the store.

use serde_json::json;

use crate::harness::ream;

#[test]
fn acts_are_shown_in_their_order_with_who_did_them() {
    let shop = ream();
    shop.run(["log"]).stdout("");
    shop.run(["log", "--format", "table"]).stdout("");
    shop.run(["log", "--json"]).stdout("[]\n");
    shop.fill("s", 2);
    shop.run(["stream", "protect", "s"]).ok();
    // It is protected already.
    shop.run(["stream", "protect", "s"]).ok();
    shop.run(["stream", "unprotect", "s"]).ok();
    shop.run(["state", "set", "s", "1"]).ok();
    shop.run(["state", "rm", "s", "--yes"]).ok();
    shop.run(["stream", "rm", "s", "--yes"]).ok();
    let acts = shop.run(["log"]).values();
    let told: Vec<_> = acts.iter().map(|act| json!([act["type"], act["data"]])).collect();
    let stream = json!({"stream": "s"});
    let removed = json!({"stream": "s", "version": 2, "events": 2});
    let expected = [
        json!(["StreamProtected", stream]),
        json!(["StreamUnprotected", stream]),
        json!(["StateRemoved", stream]),
        json!(["StreamRemoved", removed]),
    ];
    assert_eq!(told, expected);
    let uid = rustix::process::geteuid().as_raw();
    assert!(acts.iter().all(|act| act["metadata"]["uid"] == uid), "{acts:?}");
    // As events, for whoever reads them by name, and for no one else.
    assert_eq!(shop.run(["read", "$ream"]).values(), acts);
    shop.run(["read"]).stdout("");
    assert_eq!(shop.run(["log", "-n", "1"]).values(), acts[3..]);
    let table = shop.run(["log", "-n", "1", "--format", "table"]).text();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        ["TIME", "WHO", "ACT", "OF", "DETAILS"]
    );
    assert!(lines[1].ends_with("StreamRemoved  stream s  events 2, version 2"), "{table}");
    let who = acts[3]["metadata"]["user"].as_str().unwrap();
    assert!(lines[1].contains(&format!("  {who}  ")), "{table}");
    shop.run(["log", "-n", "x"]).code(2).stderr_has(["--last <N>"]).stdout("");
}

/// The help and the page about acts name each type, and no other.
#[test]
fn the_types_of_acts_are_listed_as_they_are() {
    let help = ream().run(["log", "--help"]).text();
    let (_, listed) = help.split_once("Types of acts: ").unwrap();
    let (listed, _) = listed.split_once(".\n").unwrap();
    let listed: Vec<&str> = listed.split(',').map(str::trim).collect();
    assert_eq!(listed, ream::ACT_TYPES);
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/administration.md"))
            .unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    let named: Vec<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert_eq!(named, ream::ACT_TYPES);
}

#[test]
fn numbers_are_refused_in_words() {
    let shop = ream();
    shop.run(["log", "-n", "-1"]).fails_with(2, ["'--last <N>': not a whole number from 0 on\n"]);
    shop.run(["log", "-n", "99999999999999999999"]).fails_with(2, ["too large a number\n"]);
    shop.run(["verify", "--from", "-1"])
        .fails_with(6, ["'--from <POS>': not a whole number from 0 on\n"]);
}
