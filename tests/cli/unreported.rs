//! What is stored before it is told stays stored where that can't be told, and the error says so.

use crate::harness::{Ream, ream};

const REASON: &str = "caused by: can't write to standard output\n\
                      caused by: No space left on device (os error 28)\n";

/// A command whose output takes nothing fails so, and says what it did.
#[track_caller]
fn is_unreported(shop: &Ream, command: &str, done: &str) {
    let done = format!("error: done, but not reported: {done}\n{REASON}");
    shop.sh(&format!("\"$REAM\" {command} > /dev/full")).fails(1, &done);
}

#[test]
fn what_is_done_to_streams_and_states_is_said_in_the_error() {
    let shop = ream();
    let acknowledged = r#"{"stream":"a-1","version":1,"position":1,"id":"[link]/1"}"#;
    is_unreported(&shop, "append a-1 T", acknowledged);
    is_unreported(&shop, "append a-1 T --format table", "a-1@2 at position 2");
    assert_eq!(shop.positions(&["a-1"]), [1, 2]);
    let set = r#"{"stream":"a-1","version":2,"stream_version":2,"bytes":1}"#;
    is_unreported(&shop, "state set a-1 1", set);
    shop.run(["state", "get", "a-1", "--data"]).stdout("1\n");
    let removed = r#"{"stream":"a-1","dry_run":false,"erased":true}"#;
    is_unreported(&shop, "state rm a-1 --yes", removed);
    shop.run(["state", "list", "*"]).stdout("");
    let protected = r#"{"stream":"a-1","protected":true}"#;
    is_unreported(&shop, "stream protect a-1", protected);
    is_unreported(&shop, "stream unprotect a-1 --format table", "a-1: no longer protected");
    shop.append("b", "T", "1").ok();
    let removed = "a-1: removed 2 events; b: removed 1 event";
    is_unreported(&shop, "stream rm a-1 b --yes --format table", removed);
    assert_eq!(shop.positions(&[]), [] as [u64; 0]);
    // What was only planned is not done.
    shop.append("c", "T", "1").ok();
    shop.sh("\"$REAM\" stream rm c --dry-run > /dev/full")
        .fails_with(1, ["error: can't write to "]);
}

#[test]
fn what_was_decided_is_said_in_the_error() {
    let shop = ream();
    let reply = r#"echo '{"append":{"type":"Done"}}'; echo '{"ack":1}'"#;
    shop.write("serve.sh", format!("while read -r line; do {reply}; done\n"));
    shop.write("once.sh", r#"read -r line; echo '{"append":{"type":"Done"}}'"#);
    let stored = |stream: &str, position: u64| {
        format!(
            r#"{{"stream":"{stream}","version":1,"position":{position},"id":"[link]/{position}"}}"#
        )
    };
    is_unreported(&shop, "decide a -- sh once.sh", &stored("a", 1));
    let serve = r#"echo '{"stream":"b","command":1}' | "$REAM" decide --serve -- sh serve.sh"#;
    let answer = format!(r#"{{"stream":"b","version":1,"stored":[{}]}}"#, stored("b", 2));
    let done = format!("caused by: done, but not reported: {answer}\n{REASON}");
    shop.sh(&format!("{serve} > /dev/full"))
        .fails(1, &format!("error: stopped at line 1: 1 command is answered\n{done}"));
    assert_eq!(shop.positions(&[]), [1, 2]);
}

#[test]
fn what_is_done_to_projections_and_subscriptions_is_said_in_the_error() {
    let shop = ream();
    shop.append("s", "T", "1").ok();
    let created = r#"{"projection":"rows","created":true}"#;
    is_unreported(&shop, "project create rows id:integer:key n:integer:null", created);
    is_unreported(&shop, r#"project set rows '{"id":1}'"#, r#"{"projection":"rows","set":1}"#);
    let updated = r#"{"projection":"rows","updated":1,"dry_run":false}"#;
    is_unreported(&shop, "project update rows --set 'n = 1' --yes", updated);
    shop.run(["project", "select", "rows"]).stdout("{\"id\":1,\"n\":1}\n");
    let deleted = r#"{"projection":"rows","deleted":1,"dry_run":false,"erased":true}"#;
    is_unreported(&shop, "project delete rows TRUE --yes", deleted);
    let run = r#"{"projection":"rows","checkpoint":1}"#;
    is_unreported(&shop, "project run rows --until-caught-up -- sh -c 'cat >/dev/null'", run);
    let allowed = "rows: sh -c 'cat >/dev/null', in [home]: allowed";
    is_unreported(&shop, "project allow rows --format table", allowed);
    let rebuilt = r#"{"projection":"rows","rebuilt":true,"rows":0,"checkpoint":1}"#;
    is_unreported(&shop, "project rebuild rows", rebuilt);
    is_unreported(&shop, "project drop rows --yes", r#"{"projection":"rows","dropped":true}"#);
    shop.run(["project", "list"]).stdout("");
    let followed = r#"{"subscription":"hook","checkpoint":1}"#;
    is_unreported(&shop, "tail --as hook --until-caught-up -- sh -c 'cat >/dev/null'", followed);
    let sought = r#"{"subscription":"hook","checkpoint":0}"#;
    is_unreported(&shop, "subscription seek hook start", sought);
    is_unreported(&shop, "subscription ack hook 1", followed);
    let removed = r#"{"subscription":"hook","removed":true}"#;
    is_unreported(&shop, "subscription rm hook --yes", removed);
    shop.run(["subscription", "list"]).stdout("");
    let made = "error: done, but not reported: made the store ";
    shop.sh("\"$REAM\" init other --format table > /dev/full").fails_with(1, [made, " in other\n"]);
}

#[test]
fn what_a_stream_of_lines_has_stored_is_said_in_the_error() {
    let shop = ream();
    let lines = "{\"stream\":\"s\",\"type\":\"T\"}\n\n".repeat(3);
    let append = |options: &str| {
        shop.sh(&format!("\"$REAM\" append --jsonl - {options} > /dev/full")).stdin(&*lines)
    };
    let not = |position: u64| {
        format!(
            "error: not acknowledged: 3 events are stored, up to line 5, at position {position}\n{REASON}"
        )
    };
    append("").fails(1, &not(3));
    append("--atomic").fails(1, &not(6));
    append("--json").fails(1, &not(9));
    let summed = format!("error: done, but not reported: 3 events are stored\n{REASON}");
    append("--format table").fails(1, &summed);
    assert_eq!(shop.positions(&[]).len(), 12);
    // Where no one listens, nothing is to be said.
    shop.sh("\"$REAM\" append s T | true").ok();
}
