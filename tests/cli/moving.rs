//! `ream export` and `ream import`, and CloudEvents.

mod random;
mod states;

use serde_json::{Value, json};

use crate::harness::{Ream, Run, ream};

/// A store with something of everything that is exported.
fn shop() -> Ream {
    let shop = ream();
    shop.fill("order-1", 2);
    shop.run(["state", "set", "order-1", r#"{"behind":1}"#]).ok();
    shop.fill("order-1", 1).fill("gone", 2).fill("order-2", 2);
    let state = ["append", "order-2", "Paid", "1.50", "--expect", "2", "--state", r#"{"a":1.50}"#];
    shop.run(state)
        .args(["--id", "own", "--time", "2020-01-02T03:04:05Z", "--meta", r#"{"b": 2.0}"#])
        .ok();
    shop.run(["state", "set", "never", r#"{"from":"nothing"}"#]).ok();
    shop.run(["append", "bytes", "T", "AAEC/w==", "--base64"]).ok();
    shop.run(["stream", "protect", "order-1"]).ok();
    shop.run(["stream", "rm", "gone", "--yes"]).ok();
    let create =
        ["project", "create", "rows", "id:integer:key", "n:decimal:9:2:null", "--from", "order-*"];
    shop.run(create).args(["--", "sh", "-c", "cat >/dev/null"]).ok();
    let tail =
        ["tail", "order-*", "--as", "hook", "--until", "6", "--", "sh", "-c", "cat >/dev/null"];
    shop.run(tail).ok();
    shop
}

/// What a command gives, as it is.
fn text(run: Run<'_>) -> String {
    String::from_utf8(run.bytes()).unwrap()
}

/// What a store gives of itself, but for where it is and its own times.
fn contents(shop: &Ream) -> Vec<Value> {
    let mut all = shop.run(["read"]).values();
    for event in &mut all {
        let event = event.as_object_mut().unwrap();
        event.remove("position");
        event.remove("recorded");
    }
    for list in [&["state", "list"][..], &["stream", "list"]] {
        for mut one in shop.run(list).values() {
            one.as_object_mut().unwrap().remove("last_position");
            all.push(one);
        }
    }
    for stream in ["order-1", "order-2", "never"] {
        let mut state = shop.run(["state", "get", stream]).value();
        state.as_object_mut().unwrap().remove("position");
        all.push(state);
    }
    all
}

#[test]
fn what_is_exported_is_there_once_however_often_it_is_imported() {
    let (shop, other) = (shop(), ream());
    let told = shop.run(["export", "--out", "all.jsonl"]).value();
    assert_eq!(
        (&told["events"], &told["states"], &told["exported"]),
        (&7.into(), &3.into(), &"all.jsonl".into())
    );
    let file = shop.path("all.jsonl");
    assert_eq!(shop.mode("all.jsonl"), 0o600);
    let import = || other.run(["import"]).args([&file]);
    let first = import().value();
    assert_eq!(
        first,
        json!({"imported": 7, "duplicates": 0, "redacted": 0, "states": 3, "states_there": 0,
               "states_left_out": 0, "protected": 1, "projections": 1, "subscriptions": 1})
    );
    assert_eq!(contents(&other), contents(&shop));
    // The subscription stood behind the first event of `order-2`, which is the fourth here.
    assert_eq!(other.run(["subscription", "show", "hook"]).value()["lag"], 2);
    let there = json!({"imported": 0, "duplicates": 7, "redacted": 0, "states": 0, "states_there": 3,
                       "states_left_out": 0, "protected": 0, "projections": 0, "subscriptions": 0});
    assert_eq!(import().value(), there);
    assert_eq!(contents(&other), contents(&shop));
    other.run(["project", "run", "rows"]).fails_with(1, ["hint: ", "project allow rows"]);
    other.run(["verify"]).stdout_has(["\"verified\":true"]);
    // Into the store that it is from.
    assert_eq!(shop.run(["import"]).args([&file]).value(), there);
}

#[test]
fn a_part_is_what_its_patterns_choose() {
    let (shop, other) = (shop(), ream());
    let lines = text(shop.run(["export", "order-2", "order-1", "order-*"]));
    assert_eq!(lines.matches("\"protected\":\"order-1\"").count(), 1, "{lines}");
    assert!(!lines.contains("\"projection\""), "{lines}");
    let told = other.run(["import", "-"]).stdin(lines).value();
    assert_eq!(
        (&told["imported"], &told["states"], &told["protected"]),
        (&6.into(), &2.into(), &1.into())
    );
    assert_eq!(other.run(["stream", "list"]).values().len(), 2);
}

#[test]
fn one_that_was_cut_off_is_gone_on_with() {
    let (shop, other) = (shop(), ream());
    let lines = text(shop.run(["export"]));
    let all: Vec<&str> = lines.split_inclusive('\n').collect();
    for lines in [4, 7] {
        let half = all[..lines].concat();
        other
            .run(["import", "-"])
            .stdin(half)
            .fails_with(6, ["the export is incomplete: its last line is missing", "nothing twice"]);
    }
    other
        .run(["import", "-"])
        .stdin([&all[..5].concat(), "{\"posi"].concat())
        .fails_with(6, ["stopped at line 6: 0 events are stored, 2 were there already"]);
    let told = other.run(["import", "-"]).stdin(lines.clone()).value();
    assert_eq!((&told["imported"], &told["duplicates"]), (&3.into(), &4.into()));
    assert_eq!(contents(&other), contents(&shop));
}

#[test]
fn what_is_no_export_or_does_not_fit_is_refused() {
    let (shop, other) = (shop(), ream());
    let lines = text(shop.run(["export"]));
    for (input, said) in [
        ("{\"stream\":\"s\",\"type\":\"T\"}\n".to_owned(), "this is not an export"),
        ("id,name\n1,x\n".into(), "this is not a line of an export"),
        (
            lines.replacen("\"ream_export\":1", "\"ream_export\":2", 1),
            "a later version of ream wrote this export",
        ),
        (format!("{lines}{{\"end\":{{\"events\":7}}}}\n"), "behind the last line"),
        (
            lines.replacen("\"events\":7", "\"events\":8", 1),
            "the export has 8 events by its last line, and 7 came",
        ),
        (String::new(), "the export is incomplete"),
        (lines.replacen("\"type\":\"Paid\"", "\"typ\":\"Paid\"", 1), "unknown key `typ`"),
    ] {
        other.run(["import", "-"]).stdin(input).fails_with(6, [said]);
    }
    let other = ream();
    other
        .run(["import", "-"])
        .stdin(lines.replacen("1.50", "1.51", 1))
        .stdout_has(["\"imported\":"]);
    let reused = other.run(["import", "-"]).stdin(lines);
    reused.fails_with(6, ["stopped at line ", "0 events are stored, 5 were there already", "own"]);
    other.run(["import", "none"]).fails_with(1, ["none"]);
    // What it may be instead has a command of its own.
    shop.sh(r#""$REAM" read > events.jsonl"#).ok();
    shop.run(["import", "events.jsonl"]).fails(
        6,
        "error: stopped at line 1: 0 events are stored, 0 were there already\n\
         caused by: line 1, this is not an export: its first line does not say that it is one\n\
         hint: if it holds CloudEvents: ream import --from cloudevents events.jsonl\n\
         hint: if it holds events, one per line: ream append --jsonl events.jsonl\n",
    );
    shop.run(["append", "--jsonl", "events.jsonl"]).stdout_has(["\"duplicate\":true"]);
}

/// A state says nothing of events that it was not made of.
#[test]
fn a_state_is_left_out_where_its_stream_holds_other_events() {
    let (shop, other) = (shop(), ream());
    other.append("order-2", "T", "1").ok();
    let lines = text(shop.run(["export", "order-2"]));
    let told = other.run(["import", "-"]).stdin(lines);
    let told = told.stderr_has(["the state of `order-2` is left out"]).value();
    assert_eq!((&told["imported"], &told["states_left_out"]), (&3.into(), &1.into()));
    other.run(["state", "get", "order-2"]).fails_with(4, ["order-2"]);
}

#[test]
fn events_go_out_as_cloudevents_and_come_back_as_they_were() {
    let (shop, other) = (shop(), ream());
    let events = text(shop.run(["read", "--format", "cloudevents"]));
    let all: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let paid = all.iter().find(|event| event["id"] == "own").unwrap();
    let source = format!("urn:ream:{}", shop.id().unwrap());
    assert_eq!(
        *paid,
        json!({"specversion": "1.0", "id": "own", "source": source, "type": "Paid", "subject": "order-2",
               "time": "2020-01-02T03:04:05.000000Z", "position": 8, "streamversion": 3,
               "metadata": "{\"b\":2.0}", "datacontenttype": "application/json", "data": 1.5})
    );
    assert!(events.contains("\"data\":1.50}"), "{events}");
    assert!(events.contains("\"data_base64\":\"AAEC/w==\"}"), "{events}");
    let told = other.run(["import", "--from", "cloudevents", "-"]).stdin(events.clone()).value();
    assert_eq!(told["imported"], 7);
    let bare = |shop: &Ream| {
        let mut events = shop.run(["read"]).values();
        for event in &mut events {
            let event = event.as_object_mut().unwrap();
            event.remove("position");
            event.remove("recorded");
        }
        events
    };
    assert_eq!(bare(&other), bare(&shop));
    let again = other.run(["import", "--from", "cloudevents", "-"]).stdin(events).value();
    assert_eq!((&again["imported"], &again["duplicates"]), (&0.into(), &7.into()));
    shop.run(["status", "--format", "cloudevents"]).fails_with(2, ["`read` and `tail` alone"]);
}

#[test]
fn cloudevents_of_others_become_events() {
    let shop = ream();
    let lines = concat!(
        r#"{"specversion":"1.0","id":"1","source":"/shop","type":"com.shop.paid","subject":"order-7","#,
        r#""time":"2026-01-01T00:00:00+01:00","traceparent":"00-ab","correlationid":"c","n":3,"data":{"a":1.50}}"#,
        "\n",
        r#"{"specversion":"1.0","id":"1","source":"/other","type":"t"}"#,
        "\n"
    );
    shop.run(["import", "--from", "cloudevents", "-"]).stdin(lines).stdout_has(["\"imported\":2"]);
    let events = shop.run(["read"]).values();
    assert_eq!((&events[0]["stream"], &events[0]["id"]), (&"order-7".into(), &"/shop 1".into()));
    assert_eq!(events[0]["time"], "2025-12-31T23:00:00.000000Z");
    assert_eq!(
        events[0]["metadata"],
        json!({"traceparent": "00-ab", "correlation_id": "c", "n": 3})
    );
    assert_eq!((&events[1]["stream"], &events[1]["data"]), (&"/other".into(), &json!({})));
    let too_long = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t"}"#;
    let too_long = too_long.replace("\"1\"", &format!("{:?}", "1".repeat(254)));
    let too_deep = |attribute: &str| {
        let (open, close) = ("[".repeat(129), "]".repeat(129));
        let before = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t""#;
        format!("{before},\"{attribute}\":{open}{close}}}")
    };
    for (line, said) in [
        (
            r#"{"specversion":"0.3","id":"1","source":"/s","type":"t"}"#,
            "CloudEvents 0.3 are not known",
        ),
        (r#"{"id":"1","source":"/s","type":"t"}"#, "specversion"),
        (r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"soon"}"#, "`time`"),
        (
            r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":1,"data_base64":"AA=="}"#,
            "together",
        ),
        ("no", "column 1: not a CloudEvent: expected a JSON object"),
        (r#"["1.0"]"#, "column 1: not a CloudEvent: expected a JSON object"),
        (
            r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":tru}"#,
            "column 66: not a CloudEvent: expected `true`, `false` or `null`",
        ),
        (
            r#"{"specversion":"1.0","id":"1","source":"/s"#,
            "not a CloudEvent: it ends within a string",
        ),
        (
            r#"{"specversion":"1.0","id":"1","source":"urn:ream:x","type":"t","metadata":"[]"}"#,
            "`metadata`: expected a JSON object, as a text",
        ),
        (&*too_long, "`source` and `id` together: the id "),
        (&*too_deep("data"), "column 191: `data`: nested deeper than 128"),
        (&*too_deep("ext"), "the metadata: nested deeper than 128"),
    ] {
        let run = shop.run(["import", "--from", "cloudevents", "-"]).stdin(line);
        run.fails_with(6, ["stopped at line 1: ", said]);
    }
}

#[test]
fn no_file_of_a_store_is_replaced_by_an_export() {
    let shop = shop();
    let before = shop.run(["read"]).bytes();
    for out in [".ream/db", ".ream/store", ".ream/bell/new"] {
        let says = "lies in the store [home]/.ream, where nothing else belongs\n";
        shop.run(["export", "--out", out]).fails_with(2, [says]);
    }
    assert_eq!(shop.run(["read"]).bytes(), before);
    shop.run(["verify"]).ok();
}

#[test]
fn only_a_regular_file_is_replaced_by_an_export() {
    let shop = shop();
    shop.sh("mkfifo pipe; ln -s other link; mkdir directory").ok();
    for out in ["pipe", "link", "directory"] {
        shop.run(["export", "--out", out]).fails_with(2, ["is not a regular file"]);
    }
    shop.run(["export", "$ream"]).fails_with(6, ["reserved"]);
    // What a killed one left is written over.
    shop.write("all.jsonl.partial", "half a line");
    shop.run(["export", "--out", "all.jsonl"]).ok();
    assert!(!shop.path("all.jsonl.partial").exists());
    let whole = text(shop.run(["export", "--out", "-"]));
    assert_eq!(
        whole.lines().count(),
        std::fs::read_to_string(shop.path("all.jsonl")).unwrap().lines().count()
    );
}

/// Other programs put spaces and keys where they like.
#[test]
fn lines_are_known_by_what_they_say() {
    let (shop, other) = (shop(), ream());
    let lines = text(shop.run(["export"]));
    let spaced: Vec<String> = lines.lines().map(|line| format!("{{ {}\n", &line[1..])).collect();
    let told = other.run(["import", "-"]).stdin(spaced.concat()).value();
    assert_eq!((&told["imported"], &told["states"]), (&7.into(), &3.into()));
    assert_eq!(contents(&other), contents(&shop));
}

#[test]
fn null_is_data_in_a_cloudevent() {
    let shop = ream();
    shop.append("a", "T", "null").ok();
    shop.append("a", "T", "[1e400]").ok();
    let events = text(shop.run(["read", "--format", "cloudevents"]));
    let told = shop.run(["import", "--from", "cloudevents", "-"]).stdin(events).value();
    assert_eq!((&told["imported"], &told["duplicates"]), (&0.into(), &2.into()));
}

/// What a store takes comes back, however deep it is.
#[test]
fn the_deepest_data_and_metadata_come_back() {
    let (shop, other) = (ream(), ream());
    let deep = format!("{}{}", "[".repeat(128), "]".repeat(128));
    let metadata = format!("{{\"correlation_id\":{}}}", &deep[1..255]);
    shop.append("a", "T", &deep).args(["--meta", &metadata]).ok();
    let events = text(shop.run(["read", "--format", "cloudevents"]));
    other
        .run(["import", "--from", "cloudevents", "-"])
        .stdin(events)
        .stdout_has(["\"imported\":1"]);
    let read = text(other.run(["read"]));
    assert!(read.contains(&format!("\"data\":{deep},\"metadata\":{metadata}")), "{read}");
    let exported = text(shop.run(["export"]));
    other.run(["import", "-"]).stdin(exported).stdout_has(["\"duplicates\":1"]);
}

#[test]
fn ids_of_two_sources_are_never_one() {
    let shop = ream();
    let line = |id: &str, source: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"{source}","type":"t","subject":"s"}}"#
        )
    };
    let lines = [line("b c", "/a"), line("c", "/a b")].join("\n");
    shop.run(["import", "--from", "cloudevents", "-"]).stdin(lines).stdout_has(["\"imported\":2"]);
    let ids: Vec<Value> = shop.run(["read"]).values().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(ids, ["/a b c", "/a%20b c"]);
}
