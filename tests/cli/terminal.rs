//! What a person sees: tables, questions, progress, color, and nothing that fools a terminal.

use crate::harness::{bare, line, ream};

#[test]
fn results_are_for_the_eye() {
    let home = bare();
    home.run(["init"]).on_terminal().stdout("made the store [store] in .ream\n");
    home.run(["append", "cart-1", "ItemAdded", r#"{"n":1}"#])
        .on_terminal()
        .stdout("cart-1@1 at position 1\n");
    home.run(["read"]).on_terminal().stdout("     1  [time]  cart-1@1  ItemAdded  {\"n\":1}\n");
    home.run(["stream", "list"])
        .on_terminal()
        .stdout("STREAM  VERSION  EVENTS  REMOVED  LAST POSITION  PROTECTED\ncart-1  1        1                1\n");
    home.run(["status"]).on_terminal().stdout_has(["head           1\n"]);
    home.run(["tail", "--limit", "1"])
        .on_terminal()
        .stdout("     1  [time]  cart-1@1  ItemAdded  {\"n\":1}\n");
}

#[test]
fn a_format_that_is_asked_for_goes_before_the_terminals() {
    let shop = ream();
    shop.append("s", "T", "1").ok();
    shop.run(["read", "--format", "jsonl"]).on_terminal().stdout_has(["{\"position\":1,"]);
    shop.run(["read", "--json"]).on_terminal().stdout_has(["[\n{\"position\":1,"]);
}

#[test]
fn quiet_says_nothing_but_results() {
    let shop = ream();
    shop.run(["append", "s", "T", "-q"]).on_terminal().stdout("");
    shop.run(["append", "--jsonl", "-", "--quiet"])
        .stdin(line("s", "T", "2"))
        .on_terminal()
        .stdout("");
    assert_eq!(shop.positions(&[]), [1, 2]);
    shop.run(["read", "order", "-q"]).on_terminal().stdout("");
}

#[test]
fn a_stream_that_is_not_there_is_noted() {
    let shop = ream();
    shop.append("order-1", "T", "1").ok();
    shop.run(["read", "order"])
        .env("NO_COLOR", "1")
        .on_terminal()
        .stdout("note: no stream \"order\"; try 'order-*'\n");
    // One that is there has nothing to say, whatever was chosen of it.
    shop.run(["read", "order-1", "--type", "Other"]).on_terminal().stdout("");
    shop.run(["read", "order"]).stdout("");
}

#[test]
fn many_events_are_summed_up() {
    let shop = ream();
    let lines: String =
        (0..3).map(|n| format!(r#"{{"stream":"s","type":"T","id":"{n}"}}"#) + "\n").collect();
    let append = || shop.run(["append", "--jsonl", "-", "--format", "table"]).stdin(&*lines);
    append().stdout("3 events are stored\n");
    append().stdout("0 events are stored, 3 were there already\n");
}

#[test]
fn progress_is_shown_to_a_person_and_then_taken_away() {
    let shop = ream();
    let lines: String = (0..5000).map(|_| line("s", "T", "1") + "\n").collect();
    let screen = shop.run(["append", "--jsonl", "-"]).stdin(&*lines).on_terminal().text();
    assert!(screen.contains("events"), "{screen:?}");
    assert!(screen.ends_with("5000 events are stored\n"), "{screen:?}");
    assert!(screen.contains('\r'), "a line that is written over: {screen:?}");
    let errors = shop.run(["append", "--jsonl", "-"]).stdin(&*lines);
    assert_eq!(errors.values().len(), 5000);
}

#[test]
fn color_is_for_terminals_that_want_it() {
    let shop = ream();
    let wrong = || shop.run(["append", "s", "T", "word"]).code(6);
    let red = "\u{1b}[1;31merror:\u{1b}[0m ";
    wrong().on_terminal().stdout_has([red]);
    wrong().on_terminal().args(["--color", "never"]).stdout_has(["error: DATA is not valid JSON"]);
    wrong().on_terminal().env("NO_COLOR", "1").stdout_has(["error: DATA is not valid JSON"]);
    wrong().args(["--color", "always"]).stderr_has([red]).stdout("");
    wrong().stderr_has(["error: DATA is not valid JSON"]).stdout("");
}

#[test]
fn stored_control_characters_do_not_reach_a_terminal() {
    let shop = ream();
    let data = "\"\u{9b}31m \u{202e}abc\"";
    shop.append("s", "T", data).ok();
    for format in ["table", "json", "jsonl"] {
        let screen = shop.run(["read", "--format", format]).on_terminal().text();
        assert!(screen.contains(r"\u009b31m \u202eabc"), "{format}: {screen:?}");
        assert!(!screen.contains(['\u{9b}', '\u{202e}']), "{format}: {screen:?}");
    }
    // In a pipe they are as they were written.
    assert!(shop.run(["read"]).text().contains(data));
}

#[test]
fn control_characters_in_errors_do_not_reach_a_terminal() {
    let shop = ream();
    let name = "s\u{202e}\u{85}x";
    let screen = shop.run(["stream", "show", name]).code(4).on_terminal().text();
    assert!(screen.contains(r"s\u202e\u0085x"), "{screen:?}");
    assert!(!screen.contains(['\u{85}', '\u{202e}']), "{screen:?}");
    let line = "{\"stream\":\"s\",\"ty\u{202e}pe\":\"T\"}\n";
    shop.append_lines(line).code(6).stderr_has([r"\u{202e}"]).stdout("");
}

#[test]
fn a_store_that_others_could_read_is_closed_to_them_and_that_is_noted() {
    let shop = ream();
    shop.append("s", "T", "1").ok();
    let opened = || shop.sh("chmod -R go+rX .ream").ok();
    for args in [&["stream", "list"][..], &["read"], &["init"]] {
        opened();
        let screen = shop.run(args).env("NO_COLOR", "1").on_terminal().text();
        assert!(
            screen.contains("note: others could read the store; now its files are for you alone"),
            "{screen:?}"
        );
        let again = shop.run(args).on_terminal().text();
        assert!(!again.contains("note:"), "{again:?}");
        opened();
        let quiet = shop.run(args).args(["--quiet"]).on_terminal().text();
        assert!(!quiet.contains("note:"), "{quiet:?}");
        opened();
        // In a pipe nothing is said: stderr is empty.
        shop.run(args).ok();
        assert_eq!((shop.mode(".ream"), shop.mode(".ream/db")), (0o700, 0o600));
    }
}
