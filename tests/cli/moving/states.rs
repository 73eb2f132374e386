//! Which states an import takes: those that reflect what their streams begin with, of which nothing was erased here.

use serde_json::{Value, json};

use super::text;
use crate::following::wait_until;
use crate::harness::{Ream, ream};

/// Imports what one store holds into another; what is said of it, by the keys that are asked for.
fn import<const N: usize>(from: &Ream, into: &Ream, keys: [&str; N]) -> [Value; N] {
    let lines = text(from.run(["export"]));
    let mut taken = into.run(["import", "-", "-q"]).stdin(lines).value();
    keys.map(|key| taken[key].take())
}

/// The state of a stream, and the version that it reflects.
fn state(shop: &Ream, stream: &str) -> (Value, Value) {
    let mut state = shop.run(["state", "get", stream]).value();
    (state["version"].take(), state["data"].take())
}

/// A store whose stream `a` has three events with ids, and a state of them.
fn three() -> Ream {
    let shop = ream();
    for (id, expect) in [("e1", "0"), ("e2", "1"), ("e3", "2")] {
        let append = shop.append("a", "T", "1");
        append.args(["--id", id, "--expect", expect, "--state", &format!("\"{id}\"")]).ok();
    }
    shop
}

const STATES: [&str; 3] = ["states", "states_there", "states_left_out"];

#[test]
fn a_state_that_went_on_after_its_event_was_imported_is_taken() {
    let (shop, other) = (three(), ream());
    assert_eq!(import(&shop, &other, STATES), [1, 0, 0]);
    let append = shop.append("a", "T", "1").args(["--id", "e4"]);
    append.args(["--expect", "3", "--state", "\"e4\""]).ok();
    assert_eq!(import(&shop, &other, STATES), [1, 0, 0]);
    assert_eq!(state(&other, "a"), (4.into(), "e4".into()));
    shop.append("a", "T", "1").args(["--id", "e5"]).ok();
    assert_eq!(import(&shop, &other, ["imported"]), [1]);
    // By itself, without an event.
    shop.run(["state", "set", "a", "\"e5\""]).ok();
    for again in 0..2 {
        assert_eq!(import(&shop, &other, STATES), [1 - again, again, 0]);
        assert_eq!(state(&other, "a"), (5.into(), "e5".into()));
    }
    // What is there of a later version stays, and so does what is there of the same one.
    let older = text(three().run(["export"]));
    other.run(["import", "-"]).stdin(older).stdout_has(["\"states\":0,\"states_there\":1"]);
    other.run(["state", "set", "a", "\"own\""]).ok();
    let lines = text(shop.run(["export"]));
    for _ in 0..2 {
        let again = other.run(["import", "-"]).stdin(lines.clone());
        let again = again.stderr_has(["`a` is left out: another state of the same version"]);
        assert_eq!(again.value()["states_left_out"], 1);
    }
    assert_eq!(state(&other, "a"), (5.into(), "own".into()));
}

#[test]
fn what_was_redacted_before_it_was_exported_is_no_reason_to_leave_a_state_out() {
    let (shop, early, late) = (three(), ream(), ream());
    assert_eq!(import(&shop, &early, STATES), [1, 0, 0]);
    shop.run(["redact", "e2", "e3", "--reason", "r", "--state-kept", "--yes"]).stdout_has(["e"]);
    // Of the events that the state reflects one is here.
    for again in 0..2 {
        assert_eq!(import(&shop, &late, STATES), [1 - again, again, 0]);
        assert_eq!(state(&late, "a"), (1.into(), "e3".into()));
    }
    assert_eq!(import(&shop, &early, STATES), [0, 1, 0]);
    // The same events are redacted here: nothing was erased here alone.
    early.run(["redact", "e2", "e3", "--reason", "r", "--yes"]).stdout_has(["e"]);
    assert_eq!(import(&shop, &early, STATES), [1, 0, 0]);
    assert_eq!(state(&early, "a"), (3.into(), "e3".into()));
}

#[test]
fn a_state_does_not_bring_back_what_was_erased_here() {
    let erasures: [&[&str]; 3] = [
        &["redact", "e2", "--reason", "r"],
        &["stream", "rm", "a"],
        &["stream", "truncate", "a", "--before", "@2"],
    ];
    for erasure in erasures {
        let (shop, other) = (three(), ream());
        assert_eq!(import(&shop, &other, STATES), [1, 0, 0]);
        other.run(erasure).args(["--yes"]).stdout_has(["\"erased\":true"]);
        other.run(["state", "rm", "a", "--yes"]).code(0).bytes();
        let lines = text(shop.run(["export"]));
        for _ in 0..2 {
            let again = other.run(["import", "-"]).stdin(lines.clone());
            let again =
                again.stderr_has(["`a` is left out: an event that it reflects was removed"]);
            let again = again.value();
            assert_eq!((&again["states"], &again["states_left_out"]), (&0.into(), &1.into()));
        }
        other.run(["state", "get", "a"]).fails_with(4, ["a"]);
    }
    // A state of what is before it does not know of it.
    let (shop, other) = (three(), ream());
    shop.run(["state", "rm", "a", "--yes"]).stdout_has(["a"]);
    shop.run(["state", "set", "a", "\"e1\"", "--at", "1"]).ok();
    assert_eq!(import(&shop, &other, STATES), [1, 0, 0]);
    other.run(["redact", "e2", "--reason", "r", "--yes"]).stdout_has(["e"]);
    assert_eq!(import(&shop, &other, STATES), [1, 0, 0]);
}

#[test]
fn a_state_of_a_stream_whose_first_events_were_removed_reflects_the_others() {
    let (shop, other) = (three(), ream());
    shop.run(["stream", "truncate", "a", "--before", "@3", "--yes"]).stdout_has(["a"]);
    assert_eq!(import(&shop, &other, STATES), [1, 0, 0]);
    assert_eq!(state(&other, "a"), (1.into(), "e3".into()));
    // Of a stream without an event the state is of none, and no other stream's.
    shop.run(["stream", "truncate", "a", "--before", "@4", "--yes"]).stdout_has(["a"]);
    let (bare, written) = (ream(), ream());
    assert_eq!(import(&shop, &bare, STATES), [1, 0, 0]);
    assert_eq!(state(&bare, "a"), (0.into(), "e3".into()));
    written.append("a", "T", "1").ok();
    assert_eq!(import(&shop, &written, STATES), [0, 0, 1]);
}

#[test]
fn where_other_events_came_in_between_the_states_before_are_taken() {
    let (shop, other) = (three(), ream());
    assert_eq!(import(&shop, &other, STATES), [1, 0, 0]);
    other.append("a", "T", "1").ok();
    shop.append("a", "T", "1").args(["--id", "e4"]).ok();
    assert_eq!(import(&shop, &other, STATES), [0, 1, 0]);
    shop.run(["state", "set", "a", "\"e4\""]).ok();
    assert_eq!(import(&shop, &other, STATES), [0, 0, 1]);
    assert_eq!(state(&other, "a"), (3.into(), "e3".into()));
}

#[test]
fn states_that_are_left_out_are_named_up_to_twenty() {
    let (shop, other) = (ream(), ream());
    let lines = |id: &str, state: &str| {
        let line =
            |n| format!("{{\"stream\":\"s-{n}\",\"type\":\"T\",\"id\":\"{id}{n}\"{state}}}\n");
        (0..25).map(line).collect::<String>()
    };
    let states = lines("e", ",\"expect\":0,\"state\":1");
    shop.run(["append", "--jsonl", "-"]).stdin(states).bytes();
    other.run(["append", "--jsonl", "-"]).stdin(lines("o", "")).bytes();
    let lines = text(shop.run(["export"]));
    let errors = String::from_utf8(other.run(["import", "-"]).stdin(lines).errors()).unwrap();
    assert_eq!(errors.lines().count(), 21, "{errors}");
    assert!(
        errors.ends_with("warning: 5 more states are left out, for such reasons\n"),
        "{errors}"
    );
}

/// An export is lines of JSON, and its states come last: one that is cut off has none too many.
#[test]
fn a_state_is_a_line_behind_the_events() {
    let shop = three();
    shop.append("a", "T", "1").args(["--id", "e4"]).ok();
    shop.run(["append", "b", "T", "2", "--expect", "0", "--state", "2"]).code(0).bytes();
    let lines = text(shop.run(["export"]));
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines[6], r#"{"stream":"a","version":3,"state":"e3"}"#);
    let end: Value = serde_json::from_str(lines[8]).unwrap();
    assert_eq!(end["end"]["states"], json!(2));
    let other = ream();
    let fewer = [&lines[..6], &lines[7..]].concat().join("\n");
    let refused = other.run(["import", "-"]).stdin(fewer);
    refused.fails_with(6, ["the export has 2 states by its last line, and 1 came before it"]);
    let inline = [lines[0], &lines[1].replace("\"data\":1", "\"data\":1,\"state\":2")].join("\n");
    let refused = other.run(["import", "-"]).stdin(inline);
    refused
        .fails_with(6, ["line 2, this is not a line of an export: a state has a line of its own"]);
}

/// What is erased while the events come does not come back with the states behind them.
#[test]
fn a_state_does_not_bring_back_what_was_erased_meanwhile() {
    for (act, states) in
        [(&["redact", "e2", "--reason", "r", "--yes"][..], 0), (&["stream", "protect", "b"], 1)]
    {
        let (shop, other) = (three(), ream());
        other.append("b", "T", "1").ok();
        let lines = text(shop.run(["export"]));
        let (events, rest) = lines.split_at(lines.find("{\"stream\"").unwrap());
        let mut import = other.run(["import", "-", "-q"]).start();
        import.write(events);
        wait_until("three events", || other.positions(&["a"]).len() == 3);
        other.run(act).code(0).bytes();
        import.write(rest).hang_up();
        let taken: Value = serde_json::from_str(&import.hear()).unwrap();
        assert_eq!(taken["states"], states, "{act:?}");
        assert_eq!(taken["states_left_out"], 1 - states, "{act:?}");
        import.ends(0);
    }
}

/// A state that reflects a later event than those that are written is written behind that.
#[test]
fn a_state_that_moves_on_while_it_is_exported_comes_with_its_event() {
    let (shop, other) = (three(), ream());
    // More than a pipe holds: the export waits until what follows the first line is read.
    let line = format!("{{\"stream\":\"b\",\"type\":\"T\",\"data\":\"{}\"}}\n", "x".repeat(1000));
    shop.append_lines(&line.repeat(1000)).bytes();
    shop.sh(r#""$REAM" export | {
            IFS= read -r head
            "$REAM" append a T 1 --id e4 --expect 3 --state '"e4"' >/dev/null
            printf '%s\n' "$head"
            cat
        } > all.jsonl"#)
        .ok();
    let file = shop.path("all.jsonl");
    let taken = other.run(["import"]).args([&file]).value();
    assert_eq!((&taken["imported"], &taken["states"]), (&1004.into(), &1.into()));
    assert_eq!(state(&other, "a"), (4.into(), "e4".into()));
}

/// What was removed since is the same by its ids, and by nothing else.
#[test]
fn a_state_goes_on_where_first_events_were_removed_since_they_came() {
    let (shop, other, own) = (three(), ream(), ream());
    own.append("a", "T", "1").ok();
    own.append("a", "T", "2").ok();
    assert_eq!(import(&shop, &other, STATES), [1, 0, 0]);
    shop.run(["stream", "truncate", "a", "--before", "@3", "--yes"]).code(0).bytes();
    let append = shop.append("a", "T", "1").args(["--id", "e4"]);
    append.args(["--expect", "3", "--state", "\"e4\""]).ok();
    for again in 0..2 {
        assert_eq!(import(&shop, &other, STATES), [1 - again, again, 0]);
        assert_eq!(state(&other, "a"), (4.into(), "e4".into()));
    }
    // Removed there as well.
    other.run(["stream", "truncate", "a", "--before", "@3", "--yes"]).code(0).bytes();
    shop.run(["state", "set", "a", "\"e4\"", "--at", "4"]).ok();
    assert_eq!(import(&shop, &other, STATES), [0, 1, 0]);
    // As many others stand before the same versions.
    assert_eq!(import(&shop, &own, STATES), [0, 0, 1]);
    own.run(["stream", "truncate", "a", "--before", "@3", "--yes"]).code(0).bytes();
    assert_eq!(import(&shop, &own, STATES), [0, 0, 1]);
    // All were removed.
    shop.run(["stream", "truncate", "a", "--before", "@5", "--yes"]).code(0).bytes();
    other.run(["state", "rm", "a", "--yes"]).code(0).bytes();
    assert_eq!(import(&shop, &other, STATES), [1, 0, 0]);
    assert_eq!(state(&other, "a"), (4.into(), "e4".into()));
}
