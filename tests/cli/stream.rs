//! `ream stream`.

use crate::harness::{Ream, Run, ream};

/// Streams `cart-1` with an event, `order-1` with three, `order-2` with two, `order-10` with one.
fn shop() -> Ream {
    let shop = ream();
    for (stream, count) in [("order-1", 3), ("order-2", 2), ("order-10", 1), ("cart-1", 1)] {
        shop.fill(stream, count);
    }
    shop
}

/// The names of the streams that are listed.
#[track_caller]
fn listed(shop: &Ream, args: &[&str]) -> Vec<String> {
    let streams = shop.run(["stream", "list"]).args(args).values();
    streams.iter().map(|stream| stream["stream"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn streams_are_listed_by_name_a_line_each() {
    shop().run(["stream", "list"]).stdout(concat!(
        r#"{"stream":"cart-1","version":1,"events":1,"last_position":7,"protected":false}"#,
        "\n",
        r#"{"stream":"order-1","version":3,"events":3,"last_position":3,"protected":false}"#,
        "\n",
        r#"{"stream":"order-10","version":1,"events":1,"last_position":6,"protected":false}"#,
        "\n",
        r#"{"stream":"order-2","version":2,"events":2,"last_position":5,"protected":false}"#,
        "\n"
    ));
}

#[test]
fn a_pattern_chooses_streams() {
    let shop = shop();
    assert_eq!(listed(&shop, &["order-*"]), ["order-1", "order-10", "order-2"]);
    assert_eq!(listed(&shop, &["*-1"]), ["cart-1", "order-1"]);
    assert_eq!(listed(&shop, &["order-10"]), ["order-10"]);
    shop.run(["stream", "list", "order"]).stdout("");
    shop.run(["stream", "list", "order", "--json"]).stdout("[]\n");
}

#[test]
fn a_table_lists_streams_for_the_eye() {
    let shop = shop();
    shop.run(["stream", "protect", "order-2"]).ok();
    shop.run(["stream", "list", "order-*", "--format", "table"]).stdout(
        "STREAM    VERSION  EVENTS  REMOVED  LAST POSITION  PROTECTED\n\
         order-1   3        3                3\n\
         order-10  1        1                6\n\
         order-2   2        2                5              yes\n",
    );
}

#[test]
fn more_streams_than_a_page_are_all_listed_once() {
    let shop = ream();
    let mut names: Vec<String> = (0..2500).map(|number| format!("s-{number}")).collect();
    let lines = names.iter().map(|name| crate::harness::line(name, "T", "1") + "\n");
    shop.append_lines(&lines.collect::<String>()).ok();
    names.sort();
    assert_eq!(listed(&shop, &[]), names);
}

#[test]
fn a_stream_is_shown() {
    let shop = shop();
    shop.run(["stream", "show", "order-2"]).stdout(
        "{\"stream\":\"order-2\",\"version\":2,\"events\":2,\"last_position\":5,\"protected\":false}\n",
    );
    shop.run(["stream", "show", "order-2", "--format", "table"]).stdout(
        "STREAM   VERSION  EVENTS  REMOVED  LAST POSITION  PROTECTED\norder-2  2        2                5\n",
    );
}

#[test]
fn a_stream_that_is_not_there_names_near_ones() {
    let shop = shop();
    shop.run(["stream", "show", "order-3"])
        .fails(4, "error: no stream `order-3`\nhint: there is `order-1`, `order-2`, `order-10`\n");
    shop.run(["stream", "show", "zebra"])
        .fails(4, "error: no stream `zebra`\nhint: ream stream list\n");
    shop.run(["stream", "protect", "order-3"])
        .fails_with(4, ["error: no stream `order-3`", "`order-2`"]);
}

#[test]
fn a_protected_stream_takes_events_and_is_not_removed() {
    let shop = shop();
    shop.run(["stream", "protect", "order-1", "order-2"]).stdout(
        "{\"stream\":\"order-1\",\"protected\":true}\n{\"stream\":\"order-2\",\"protected\":true}\n",
    );
    shop.append("order-1", "T", "4").ok();
    let refused = "error: the stream `order-1` is protected from removal\n\
                   hint: ream stream unprotect order-1\n";
    shop.run(["stream", "rm", "--yes", "cart-1", "order-1"]).fails(1, refused);
    shop.run(["stream", "rm", "--dry-run", "order-1"]).fails(1, refused);
    // Nothing is removed where not everything can be.
    assert_eq!(shop.positions(&[]).len(), 8);
    shop.run(["stream", "unprotect", "order-1"])
        .stdout("{\"stream\":\"order-1\",\"protected\":false}\n");
    shop.run(["stream", "rm", "--yes", "order-1"]).ok();
    assert!(shop.positions(&["order-1"]).is_empty());
}

#[test]
fn protecting_nothing_that_is_there_protects_nothing() {
    let shop = shop();
    shop.run(["stream", "protect", "order-1", "order-7"]).fails_with(4, ["no stream `order-7`"]);
    shop.run(["stream", "show", "order-1"]).stdout_has(["\"protected\":false"]);
}

#[test]
fn a_removal_needs_a_yes_that_someone_gives() {
    let shop = shop();
    shop.run(["stream", "rm", "order-1", "order-2"]).fails(
        2,
        "error: removing 5 events of 2 streams needs to be confirmed\n\
         hint: ream stream rm --yes order-1 order-2\n",
    );
    assert_eq!(shop.positions(&[]).len(), 7);
    // What answers is a person, not what happens to come in a pipe.
    shop.run(["stream", "rm", "order-1"]).stdin("yes\n").fails_with(2, ["to be confirmed"]);
    assert_eq!(shop.positions(&[]).len(), 7);
}

#[test]
fn a_person_is_asked() {
    let shop = shop();
    let question = "removing 3 events of 1 stream for good: type yes to go on: ";
    let rm = || shop.run(["stream", "rm", "order-1"]);
    for answer in ["no\n", "y\n", "\n", "\u{4}"] {
        let shown = format!("{question}error: nothing was changed\n");
        rm().env("NO_COLOR", "1").typed(answer).code(1).stdout(&shown);
    }
    assert_eq!(shop.positions(&["order-1"]).len(), 3);
    rm().typed("yes\n").stdout(&format!("{question}order-1: removed 3 events\n"));
    assert!(shop.positions(&["order-1"]).is_empty());
}

#[test]
fn a_dry_run_tells_what_would_be_removed() {
    let shop = shop();
    shop.run(["stream", "rm", "--dry-run", "order-1", "cart-1"]).stdout(
        "{\"stream\":\"order-1\",\"version\":3,\"events\":3,\"state\":false,\"dry_run\":true,\"projections\":[]}\n\
         {\"stream\":\"cart-1\",\"version\":1,\"events\":1,\"state\":false,\"dry_run\":true,\"projections\":[]}\n",
    );
    shop.run(["stream", "rm", "--dry-run", "order-1", "--format", "table"])
        .stdout("order-1: would remove 3 events\n");
    assert_eq!(shop.positions(&[]).len(), 7);
}

#[test]
fn what_is_removed_is_gone_and_its_numbers_stay_spent() {
    let shop = shop();
    shop.run(["stream", "rm", "-y", "order-1"])
        .stdout("{\"stream\":\"order-1\",\"version\":3,\"events\":3,\"state\":false,\"dry_run\":false,\"erased\":true,\"projections\":[]}\n");
    assert_eq!(shop.positions(&[]), [4, 5, 6, 7]);
    shop.run(["stream", "show", "order-1"]).fails_with(4, ["no stream `order-1`"]);
    assert_eq!(listed(&shop, &["order-*"]), ["order-10", "order-2"]);
    shop.run(["append", "order-1", "T", "--expect", "3"])
        .stdout("{\"stream\":\"order-1\",\"version\":4,\"position\":9,\"id\":\"[link]/9\"}\n");
    assert_eq!(shop.positions(&["order-1"]), [9]);
}

#[test]
fn a_removal_names_the_projections_that_keep_rows_made_of_it() {
    let shop = shop();
    for (name, from) in [("totals", "order-*"), ("carts", "cart-*"), ("everything", "*")] {
        shop.run(["project", "create", name, "id:integer:key", "--from", from]).ok();
    }
    let told = "\"projections\":[\"everything\",\"totals\"]";
    shop.run(["stream", "rm", "--dry-run", "order-1"]).stdout_has([told]);
    shop.run(["stream", "rm", "--dry-run", "order-1", "--format", "table"]).stdout_has([
        "order-1: would remove 3 events\n",
        "  the projection `totals` keeps rows made of it until it is rebuilt\n",
    ]);
    shop.run(["stream", "rm", "-y", "order-1"]).stdout_has([told, "\"erased\":true"]);
}

#[test]
fn a_state_goes_with_its_stream_and_is_named() {
    let shop = shop();
    shop.run(["state", "set", "order-1", "{}"]).ok();
    shop.run(["state", "set", "alone", "{}"]).ok();
    shop.run(["stream", "rm", "--dry-run", "order-1", "alone", "--format", "table"])
        .stdout("order-1: would remove 3 events and 1 state\nalone: would remove 1 state\n");
    shop.run(["stream", "rm", "order-1", "alone"])
        .fails_with(2, ["removing 3 events and 2 states of 2 streams needs to be confirmed"]);
    shop.run(["stream", "rm", "-y", "order-1", "alone"]).ok();
    shop.run(["state", "list", "*"]).stdout("");
    let records = shop.run(["read", "$ream"]).values();
    let acts: Vec<_> = records.iter().map(|act| (&act["type"], &act["data"]["stream"])).collect();
    let acts = serde_json::json!(acts);
    let told = serde_json::json!([["StreamRemoved", "order-1"], ["StateRemoved", "alone"]]);
    assert_eq!(acts, told);
}

#[test]
fn a_removal_is_an_event_itself() {
    let shop = shop();
    shop.run(["stream", "rm", "-y", "order-1", "cart-1"]).ok();
    let removals = shop.run(["read", "$ream"]).values();
    let told: Vec<_> = removals
        .iter()
        .map(|event| (event["position"].as_u64().unwrap(), event["data"].to_string()))
        .collect();
    let data = |stream: &str, count: u64| {
        format!(r#"{{"events":{count},"stream":"{stream}","version":{count}}}"#)
    };
    assert_eq!(told, [(8, data("order-1", 3)), (9, data("cart-1", 1))]);
    assert_eq!(removals[0]["type"], "StreamRemoved");
    assert_eq!(listed(&shop, &["*"]), ["order-10", "order-2"]);
}

#[test]
fn removing_what_is_not_there_is_done_already() {
    let shop = shop();
    shop.run(["stream", "rm", "--yes", "order-7"]).stdout("");
    shop.run(["stream", "rm", "order-7"]).stdout("");
    shop.run(["stream", "rm", "-y", "order-1"]).ok();
    shop.run(["stream", "rm", "-y", "order-1"]).stdout("");
    shop.run(["stream", "rm", "-y", "order-1", "--json"]).stdout("[]\n");
    assert_eq!(shop.run(["read", "$ream"]).values().len(), 1);
}

#[test]
fn a_removal_takes_what_a_pattern_matches() {
    let shop = shop();
    shop.run(["state", "set", "order-s", "1"]).ok();
    shop.run(["stream", "rm", "order-1*", "*-1"]).fails(
        2,
        "error: removing 5 events of 3 streams needs to be confirmed\n\
         hint: ream stream rm --yes 'order-1*' '*-1'\n",
    );
    let streams = |run: Run<'_>| -> Vec<String> {
        let told = run.values().into_iter();
        told.map(|one| one["stream"].as_str().unwrap().to_owned()).collect()
    };
    let all = ["order-1", "order-10", "cart-1"];
    assert_eq!(streams(shop.run(["stream", "rm", "order-1*", "*-1", "--dry-run"])), all);
    assert_eq!(shop.positions(&[]).len(), 7);
    assert_eq!(streams(shop.run(["stream", "rm", "order-1*", "*-1", "--yes"])), all);
    assert_eq!(shop.positions(&[]), [4, 5]);
    // What has a state alone is matched as well, and nothing that is reserved.
    assert_eq!(streams(shop.run(["stream", "rm", "*", "--yes"])), ["order-2", "order-s"]);
    shop.run(["stream", "rm", "*", "$*", "--yes"]).stdout("");
    let records = shop.run(["read", "$ream"]).values();
    assert_eq!(records.len(), 5);
    // One that is protected keeps all.
    let other = self::shop();
    other.run(["stream", "protect", "order-2"]).ok();
    other.run(["stream", "rm", "--yes", "order-*"]).fails(
        1,
        "error: the stream `order-2` is protected from removal\n\
         hint: ream stream unprotect order-2\n",
    );
    assert_eq!(other.positions(&[]).len(), 7);
}

#[test]
fn a_removal_expects_a_version_of_one_stream() {
    let shop = shop();
    let rm = |args: &[&str]| shop.run(["stream", "rm", "--yes"].iter().chain(args));
    for dry_run in [&["--dry-run"][..], &[]] {
        rm(&[&["order-1", "--expect", "2"], dry_run].concat()).fails(
            3,
            "error: wrong expected version of the stream `order-1`: expected 2, actual 3\n\
             hint: read what came in between, decide again: ream read order-1\n",
        );
    }
    for targets in [&["order-1", "order-2"][..], &["order-*"]] {
        rm(&[targets, &["--expect", "3"]].concat())
            .fails_with(2, ["error: --expect is about one stream, by its whole name\n"]);
    }
    assert_eq!(shop.positions(&[]).len(), 7);
    rm(&["order-1", "--expect", "3", "--dry-run"]).stdout_has(["\"events\":3"]);
    rm(&["order-1", "--expect", "3"]).stdout_has(["\"erased\":true"]);
    rm(&["order-1", "--expect", "3"]).stdout("");
    rm(&["new", "--expect", "0"]).stdout("");
}

#[test]
fn the_first_events_of_streams_are_removed() {
    let shop = shop();
    let truncate = |args: &[&str]| shop.run(["stream", "truncate"].iter().chain(args));
    shop.run(["state", "set", "order-1", "1"]).ok();
    shop.run(["project", "create", "totals", "id:integer:key", "--from", "order-*"]).ok();
    truncate(&["order-1", "--before", "@3"]).fails(
        2,
        "error: removing 2 events of 1 stream needs to be confirmed\n\
         hint: ream stream truncate --yes order-1 --before @3\n",
    );
    let removed =
        r#"{"stream":"order-1","version":3,"removed":2,"events":2,"state_version":3,"dry_run":"#;
    truncate(&["order-1", "--before", "@3", "--dry-run"])
        .stdout(&format!("{removed}true,\"projections\":[\"totals\"]}}\n"));
    truncate(&["order-1", "--before", "@3", "--dry-run", "--format", "table"]).stdout(
        "order-1: would remove 2 events, up to version 2 of 3\n  \
         the projection `totals` keeps rows made of it until it is rebuilt\n",
    );
    assert_eq!(shop.positions(&[]).len(), 7);
    truncate(&["order-1", "--before", "@3", "--yes"])
        .stdout(&format!("{removed}false,\"erased\":true,\"projections\":[\"totals\"]}}\n"));
    truncate(&["order-1", "--before", "@3"]).stdout("");
    assert_eq!(shop.positions(&[]), [3, 4, 5, 6, 7]);
    shop.run(["stream", "show", "order-1"]).stdout(
        "{\"stream\":\"order-1\",\"version\":3,\"events\":1,\"removed\":2,\"last_position\":3,\"protected\":false}\n",
    );
    shop.run(["stream", "show", "order-1", "--format", "table"])
        .stdout_has(["order-1  3        1       2        3\n"]);
    shop.run(["state", "get", "order-1"]).ok();
    let act = &shop.run(["log", "-n", "1"]).values()[0];
    assert_eq!(act["type"], "StreamTruncated");
    let data = serde_json::json!({"stream": "order-1", "version": 3, "removed": 2, "events": 2});
    assert_eq!(act["data"], data);
    // By a pattern, before a position or a time; what is asked for is a version of one stream.
    truncate(&["order-*", "--before", "6", "--yes", "--format", "table"]).stdout_has([
        "order-1: removed 1 event, up to version 3 of 3\n",
        "order-2: removed 2 events",
    ]);
    assert_eq!(shop.positions(&[]), [6, 7]);
    truncate(&["*", "--before", "1d", "--yes"]).stdout("");
    truncate(&["*", "--before", "2100-01-01T00:00:00Z", "--dry-run"])
        .stdout_has(["\"stream\":\"cart-1\"", "\"stream\":\"order-10\""]);
    truncate(&["order-*", "--before", "@2"])
        .fails_with(2, ["a version (`@N`) needs exactly one stream, without `*`"]);
}

/// Who has not done what is removed is named before it is.
#[test]
fn a_truncation_warns_of_those_who_miss_events() {
    let shop = shop();
    shop.run(["state", "set", "order-1", "1", "--at", "1"]).ok();
    let reads = ["--", "sh", "-c", "cat >/dev/null"];
    let tail = ["tail", "order-*", "--as", "mail", "--until-caught-up"];
    shop.run(tail).args(reads).ok();
    shop.run(["project", "create", "rows", "id:integer:key", "--from", "order-1"]).args(reads).ok();
    shop.run(["subscription", "seek", "mail", "1"]).ok();
    let truncate = |args: &[&str]| {
        let run = shop.run(["stream", "truncate", "order-1", "order-2", "--before", "5"]);
        run.args(args).stderr(
            "warning: the subscription `mail` is at position 1, and will miss 3 of these events\n\
             warning: the projection `rows` is at position 0, and will miss 3 of these events\n",
        )
    };
    truncate(&["--dry-run", "--format", "table"])
        .stdout_has(["order-1: would remove 3 events, up to version 3 of 3\n  \
         its state stays; it reflects version 1 and nothing later\n"]);
    truncate(&["--yes"]).stdout_has(["\"state_version\":1,", "\"stream\":\"order-2\""]);
    // What is gone already no one misses again.
    shop.run(["stream", "truncate", "order-1", "--before", "5", "--yes"]).stdout("");
}

#[test]
fn what_is_kept_no_longer_is_pruned() {
    let shop = shop();
    let set = |args: &[&str]| shop.run(["stream", "set"].iter().chain(args));
    set(&[]).stdout("");
    shop.run(["prune"]).stdout("");
    set(&["order-*", "--max-count", "2"])
        .stdout("{\"pattern\":\"order-*\",\"max_age_seconds\":null,\"max_count\":2}\n");
    set(&["order-*", "--max-age", "90d"])
        .stdout("{\"pattern\":\"order-*\",\"max_age_seconds\":7776000,\"max_count\":2}\n");
    set(&["order-*", "--max-age", "none"]).ok();
    set(&["cart-*", "--max-count", "1"]).ok();
    set(&["--format", "table"])
        .stdout("PATTERN  MAX AGE  MAX COUNT\ncart-*            1\norder-*           2\n");
    set(&["order-*"]).stdout_has(["\"max_count\":2}"]);
    set(&["--max-count", "1"]).fails_with(2, ["PATTERN"]);
    set(&["order-*", "--max-count", "x"]).fails_with(6, ["neither a number nor `none`"]);
    shop.run(["prune"]).fails(
        2,
        "error: removing 1 event of 1 stream needs to be confirmed\nhint: ream prune --yes\n",
    );
    shop.run(["prune", "--dry-run", "--format", "table"])
        .stdout("order-1: would remove 1 event, up to version 1 of 3\n");
    // A subscription that has not come so far keeps it.
    let reads = ["--", "sh", "-c", "cat >/dev/null"];
    shop.run(["tail", "--as", "mail", "--until-caught-up"]).args(reads).ok();
    shop.run(["subscription", "seek", "mail", "start"]).ok();
    let held = "{\"subscription\":\"mail\",\"checkpoint\":0,\"held_back\":1}\n";
    shop.run(["prune", "--yes"]).stdout(held);
    shop.run(["prune", "--dry-run"]).stdout(held);
    shop.run(["prune", "--dry-run", "--format", "table"])
        .stdout("the subscription `mail` is at position 0, and holds back 1 event\n");
    let misses =
        "warning: the subscription `mail` is at position 0, and will miss 1 of these events\n";
    let past = || shop.run(["prune", "--past-subscriptions"]).stderr(misses);
    past().args(["--dry-run"]).stdout_has(["\"stream\":\"order-1\""]);
    past().args(["--yes"]).stdout(
        "{\"stream\":\"order-1\",\"version\":3,\"removed\":1,\"events\":1,\"dry_run\":false,\"erased\":true,\"projections\":[]}\n",
    );
    assert_eq!(shop.positions(&["order-1"]), [2, 3]);
}

#[test]
fn what_can_not_be_truncated_is_told_and_nothing_is_removed() {
    let shop = shop();
    let truncate = |args: &[&str]| shop.run(["stream", "truncate", "--yes"].iter().chain(args));
    truncate(&["order-1", "--before", "@5"])
        .fails(6, "error: version 5 is beyond the stream `order-1`, which is at 3\nhint: no event stands there yet\n");
    truncate(&["order-1", "--before", "9"])
        .fails(6, "error: position 9 is beyond the head, 7\nhint: no event stands there yet\n");
    truncate(&["order-1", "--before", "soon"])
        .fails_with(6, ["neither a position nor a version (`@N`), and `soon` is not a valid time"]);
    truncate(&["order-1"]).fails_with(2, ["--before <POS|TIME>"]);
    truncate(&["order-7", "--before", "3"]).stdout("");
    shop.run(["stream", "protect", "order-2"]).ok();
    truncate(&["order-*", "--before", "3"]).fails(
        1,
        "error: the stream `order-2` is protected from removal\n\
         hint: ream stream unprotect order-2\n",
    );
    assert_eq!(shop.positions(&[]).len(), 7);
}

#[test]
fn no_reserved_stream_is_removed_or_protected() {
    let shop = shop();
    shop.run(["stream", "truncate", "$ream", "--before", "3"])
        .fails_with(6, ["`$`, which is reserved"]);
    for command in ["rm", "protect", "unprotect"] {
        shop.run(["stream", command, "$ream"]).fails_with(6, ["`$`, which is reserved"]);
    }
    assert_eq!(shop.positions(&[]).len(), 7);
}

#[test]
fn names_with_spaces_are_quoted_in_hints() {
    let shop = ream();
    shop.append("my order", "T", "1").ok();
    shop.run(["stream", "rm", "my order"]).fails_with(2, ["hint: ream stream rm --yes 'my order'"]);
}

#[test]
fn what_ream_records_is_kept_for_ever() {
    let shop = ream();
    shop.append("s", "T", "1").ok();
    for pattern in ["$ream", "$*"] {
        shop.run(["stream", "set", pattern, "--max-count", "1"]).fails_with(6, ["reserved"]);
    }
    for nothing in [["--max-count", "0"], ["--max-age", "0s"]] {
        shop.run(["stream", "set", "s"]).args(nothing).fails_with(6, ["0 would keep nothing"]);
    }
}

/// After a restore the rows of a projection are made from the first event on.
#[test]
fn a_projection_without_rows_holds_all_back() {
    let shop = shop();
    let reads = ["--", "sh", "-c", "cat >/dev/null"];
    let create = ["project", "create", "rows", "id:integer:key", "--from", "order-1"];
    shop.run(create).args(reads).ok();
    shop.run(["project", "run", "rows", "--until-caught-up"]).ok();
    shop.run(["stream", "set", "order-*", "--max-count", "1"]).ok();
    shop.run(["backup", "backup"]).ok();
    shop.run(["restore", "backup", "restored"]).ok();
    shop.run(["prune", "--dry-run", "--store", "restored", "-q"]).stdout_has([
        "\"stream\":\"order-2\"",
        "{\"projection\":\"rows\",\"checkpoint\":0,\"held_back\":2}\n",
    ]);
}
