//! `ream read`: which events, in which format.

mod criteria;
mod times;

use std::fs;

use serde_json::Value;

use crate::harness::{Ream, list, ream};

/// Twelve events of three streams: positions 1 to 12 are, in turns, of a-1, a-2 and b.
fn shop() -> Ream {
    let shop = ream();
    let line = |n: u32| {
        let stream = ["b", "a-1", "a-2"][n as usize % 3];
        let event_type = if n.is_multiple_of(2) { "Even" } else { "Odd" };
        format!("{{\"stream\":\"{stream}\",\"type\":\"{event_type}\",\"data\":{n}}}\n")
    };
    shop.append_lines(&(1..=12).map(line).collect::<String>()).ok();
    shop
}

#[test]
fn events_come_in_the_order_of_their_positions_whatever_their_stream() {
    let shop = shop();
    assert_eq!(shop.positions(&[]), list(1..=12));
    assert_eq!(shop.positions(&["a-1"]), [1, 4, 7, 10]);
    assert_eq!(shop.positions(&["a-1", "b"]), [1, 3, 4, 6, 7, 9, 10, 12]);
}

#[test]
fn a_star_stands_for_any_characters_and_nothing_else_is_special() {
    let shop = shop();
    assert_eq!(shop.positions(&["*"]), list(1..=12));
    assert_eq!(shop.positions(&["a-*"]), [1, 2, 4, 5, 7, 8, 10, 11]);
    assert_eq!(shop.positions(&["*2"]), [2, 5, 8, 11]);
    assert_eq!(shop.positions(&["a*1", "a-*"]), [1, 2, 4, 5, 7, 8, 10, 11]);
    assert_eq!(shop.positions(&["b*b"]), list([]));
    assert_eq!(shop.positions(&["?"]), list([]));
    assert_eq!(shop.positions(&["[ab]*"]), list([]));
    assert_eq!(shop.positions(&["%"]), list([]));
    assert_eq!(shop.positions(&["a-_"]), list([]));
}

#[test]
fn a_star_never_matches_a_reserved_stream() {
    let shop = shop();
    shop.run(["stream", "rm", "--yes", "b"]).ok();
    for pattern in ["*", "$*", "*m", "**"] {
        assert!(!shop.positions(&[pattern]).contains(&13), "{pattern}");
    }
    assert_eq!(shop.positions(&["$ream"]), [13]);
    assert_eq!(shop.positions(&["$ream", "a-1"]), [1, 4, 7, 10, 13]);
}

#[test]
fn types_are_chosen_by_their_whole_names() {
    let shop = shop();
    assert_eq!(shop.positions(&["--type", "Even", "b"]), [6, 12]);
    assert_eq!(shop.positions(&["--type", "Even", "--type", "Odd", "b"]), [3, 6, 9, 12]);
    assert_eq!(shop.positions(&["--type", "even"]), list([]));
    assert_eq!(shop.positions(&["--type", "Eve"]), list([]));
    shop.run(["read", "--type", "E*"]).fails_with(6, ["the event type has `*` at character 2"]);
}

#[test]
fn after_excludes_from_and_until_include() {
    let shop = shop();
    assert_eq!(shop.positions(&["--after", "10"]), [11, 12]);
    assert_eq!(shop.positions(&["--from", "10"]), [10, 11, 12]);
    assert_eq!(shop.positions(&["--until", "2"]), [1, 2]);
    assert_eq!(shop.positions(&["--after", "4", "--until", "6"]), [5, 6]);
    assert_eq!(shop.positions(&["--from", "6", "--until", "6"]), [6]);
    assert_eq!(shop.positions(&["--from", "7", "--until", "6"]), list([]));
    assert_eq!(shop.positions(&["--after", "0"]), list(1..=12));
    assert_eq!(shop.positions(&["--from", "0"]), list(1..=12));
    assert_eq!(shop.positions(&["--until", "0"]), list([]));
    assert_eq!(shop.positions(&["--until", "99"]), list(1..=12));
    // Positions count in the store, whatever is chosen.
    assert_eq!(shop.positions(&["a-1", "--after", "4"]), [7, 10]);
    assert_eq!(shop.positions(&["a-1", "--from", "5", "--until", "9"]), [7]);
    shop.run(["read", "--after", "1", "--from", "1"]).fails_with(2, ["cannot be used with"]);
}

#[test]
fn an_at_sign_counts_the_versions_of_one_stream() {
    let shop = shop();
    assert_eq!(shop.positions(&["a-1", "--after", "@2"]), [7, 10]);
    assert_eq!(shop.positions(&["a-1", "--from", "@2"]), [4, 7, 10]);
    assert_eq!(shop.positions(&["a-1", "--until", "@2"]), [1, 4]);
    assert_eq!(shop.positions(&["a-1", "--from", "@2", "--until", "@3"]), [4, 7]);
    assert_eq!(shop.positions(&["a-1", "--after", "@0", "--until", "@99"]), [1, 4, 7, 10]);
    assert_eq!(shop.positions(&["a-1", "--after", "@4"]), list([]));
    assert_eq!(shop.positions(&["a-1", "--from", "@5"]), list([]));
    assert_eq!(shop.positions(&["a-1", "--after", "@1", "--until", "7"]), [4, 7]);
}

#[test]
fn a_version_without_exactly_one_stream_is_a_usage_error() {
    let shop = shop();
    for chosen in [&[][..], &["a-*"], &["*"], &["a-1", "b"]] {
        for place in ["--after", "--from", "--until"] {
            shop.run(["read", place, "@1"]).args(chosen).fails(
                2,
                "error: a version (`@N`) needs exactly one stream, without `*`\n\
                 hint: name one stream, or give a position instead of a version\n",
            );
        }
    }
}

#[test]
fn what_is_beyond_the_head_is_refused_but_the_next_place() {
    let shop = shop();
    assert_eq!(shop.positions(&["--after", "12"]), list([]));
    assert_eq!(shop.positions(&["--from", "13"]), list([]));
    shop.run(["read", "--after", "13"]).fails(
        6,
        "error: position 13 is beyond the head, 12\n\
         hint: to begin with what comes next: ream read --from 13\n",
    );
    shop.run(["read", "a-1", "--after", "@5"]).fails(
        6,
        "error: version 5 is beyond the stream `a-1`, which is at 4\n\
         hint: to begin with what comes next: ream read --from @5 a-1\n",
    );
    shop.run(["read", "none", "--after", "@1"]).fails_with(6, ["which is at 0"]);
    shop.run(["tail", "--after", "13"]).fails_with(6, ["position 13 is beyond the head, 12"]);
    let empty = ream();
    empty.run(["read", "--after", "1"]).fails_with(6, ["position 1 is beyond the head, 0"]);
    empty.run(["read", "--from", "1"]).stdout("");
}

#[test]
fn from_beyond_the_next_place_names_the_place_that_was_given() {
    let shop = shop();
    shop.run(["read", "--from", "14"]).fails_with(6, ["position 14 is beyond the head, 12"]);
    shop.run(["read", "a-1", "--from", "@6"])
        .fails_with(6, ["version 6 is beyond the stream `a-1`"]);
}

#[test]
fn a_place_that_is_none_is_refused() {
    let shop = shop();
    for place in ["", "x", "@", "1.5", "+1", "@x", "9223372036854775808"] {
        for option in ["--after", "--from"] {
            shop.run(["read", option, place])
                .fails_with(6, ["neither a position nor a version (`@N`)"]);
        }
        shop.run(["read", "--until", place]).fails_with(6, ["neither a position nor a version"]);
    }
    for option in ["--after=-1", "--from=-1", "--until=@-1"] {
        shop.run(["read", option]).fails_with(6, ["error: invalid value "]);
    }
    for option in ["--limit=-1", "--last=-1", "--limit=x"] {
        shop.run(["read", option]).fails_with(2, ["error: invalid value "]);
    }
    // A negative number is a value, not a flag.
    shop.run(["read", "--last", "-3"])
        .fails_with(2, ["error: invalid value '-3' for '--last <N>'"]);
    shop.run(["read", "--after", "-3"]).fails_with(6, ["error: invalid value '-3' for '--after"]);
    shop.run(["read", "-3"]).stdout("");
}

#[test]
fn the_last_of_what_all_else_chooses() {
    let shop = shop();
    assert_eq!(shop.positions(&["-n", "3"]), [10, 11, 12]);
    assert_eq!(shop.positions(&["-n3"]), [10, 11, 12]);
    assert_eq!(shop.positions(&["-n", "0"]), list([]));
    assert_eq!(shop.positions(&["-n", "99"]), list(1..=12));
    assert_eq!(shop.positions(&["-n", "2", "a-1"]), [7, 10]);
    assert_eq!(shop.positions(&["-n", "2", "--type", "Even", "a-*"]), [8, 10]);
    assert_eq!(shop.positions(&["-n", "2", "--until", "5"]), [4, 5]);
    assert_eq!(shop.positions(&["-n", "5", "--after", "10"]), [11, 12]);
    assert_eq!(shop.positions(&["-n", "4", "--limit", "2"]), [9, 10]);
}

#[test]
fn the_last_before_a_version_are_counted_from_that_version() {
    let shop = shop();
    assert_eq!(shop.positions(&["a-1", "--until", "@3", "-n", "2"]), [4, 7]);
    assert_eq!(shop.positions(&["a-1", "--until", "@1", "-n", "1"]), [1]);
}

#[test]
fn a_limit_is_a_limit() {
    let shop = shop();
    assert_eq!(shop.positions(&["--limit", "2"]), [1, 2]);
    assert_eq!(shop.positions(&["--limit", "2", "b"]), [3, 6]);
    assert_eq!(shop.positions(&["--limit", "2", "--type", "Even", "--after", "3"]), [4, 6]);
    assert_eq!(shop.positions(&["--limit", "0"]), list([]));
}

#[test]
fn a_stream_that_does_not_exist_is_empty() {
    let shop = shop();
    shop.run(["read", "order"]).stdout("");
    shop.run(["read", "order-*"]).stdout("");
    shop.run(["read", "order", "--json"]).stdout("[]\n");
    shop.run(["read", "order", "--format", "table"]).stdout("");
}

#[test]
fn json_is_one_value_and_jsonl_one_a_line() {
    let shop = shop();
    let lines = shop.run(["read", "b"]).text();
    assert_eq!(lines, shop.run(["read", "b", "--format", "jsonl"]).text());
    let array = "[\n".to_owned() + &lines.trim_end().replace('\n', ",\n") + "\n]\n";
    shop.run(["read", "b", "--json"]).stdout(&array);
    shop.run(["read", "b", "--format", "json"]).stdout(&array);
    let value: Value = serde_json::from_str(&array).unwrap();
    assert_eq!(value.as_array().unwrap().len(), 4);
    shop.run(["read", "--json", "--format", "json"]).fails_with(2, ["cannot be used with"]);
    shop.run(["read", "--format", "xml"])
        .fails_with(2, ["[possible values: table, json, jsonl, csv, cloudevents]"]);
}

#[test]
fn a_table_has_a_line_an_event() {
    let shop = ream();
    shop.append("cart-1", "ItemAdded", r#"{"n":1}"#).ok();
    shop.run(["append", "cart-1", "Scanned", "AP8=", "--base64", "--meta", r#"{"by":"me"}"#]).ok();
    shop.run(["append", "cart-1", "Paid", "--time", "2010-10-02T09:20:39Z"]).ok();
    shop.run(["read", "--format", "table"]).stdout(
        "     1  [time]  cart-1@1  ItemAdded  {\"n\":1}\n     \
         2  [time]  cart-1@2  Scanned  (2 bytes)  {\"by\":\"me\"}\n     \
         3  2010-10-02 09:20:39  cart-1@3  Paid  {}\n",
    );
}

#[test]
fn a_table_shows_no_control_character() {
    let shop = ream();
    shop.append("a\u{202e}b", "T\u{2066}", "\"\u{202e}\u{7f}\u{9b}\u{feff}\"").ok();
    shop.run(["read", "--format", "table"])
        .stdout("     1  [time]  a\\u202eb@1  T\\u2066  \"\\u202e\\u007f\\u009b\\ufeff\"\n");
    // In a pipe they are what they are.
    assert_eq!(shop.run(["read"]).value()["data"], "\u{202e}\u{7f}\u{9b}\u{feff}");
}

#[test]
fn a_reader_that_leaves_early_ends_it_quietly() {
    let shop = ream();
    shop.fill("s", 30_000);
    for format in ["jsonl", "json", "table"] {
        shop.sh(&format!("{{ \"$REAM\" read --format {format}; echo $? >code; }} | head -n 1"))
            .ok();
        assert_eq!(fs::read_to_string(shop.path("code")).unwrap(), "0\n", "{format}");
    }
}

#[test]
fn more_than_one_batch_comes_whole() {
    let shop = ream();
    shop.fill("s", 5000).fill("t-1", 300).fill("s", 200);
    assert_eq!(shop.positions(&[]), list(1..=5500));
    assert_eq!(shop.positions(&["s", "--after", "4990"]), list((4991..=5000).chain(5301..=5500)));
    assert_eq!(shop.positions(&["t-*"]), list(5001..=5300));
    assert_eq!(shop.positions(&["s", "-n", "201"]), list((5000..=5000).chain(5301..=5500)));
}
