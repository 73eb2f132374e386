//! `--help`, `ream completions`, `ream man`, and what a slip of the finger is answered with.

use crate::harness::{bare, ream};

const COMMANDS: [&str; 10] =
    ["init", "append", "read", "tail", "stream", "state", "status", "log", "completions", "man"];

#[test]
fn help_lists_the_commands_and_the_exit_codes() {
    let help = bare().run(["--help"]).text();
    assert!(help.starts_with("Event sourcing in a directory: SQLite inside"), "{help}");
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command}  ")), "{command}: {help}");
    }
    for code in ["0 done", "3 wrong expected version", "9 outcome unknown", "143 interrupted"] {
        assert!(help.contains(code), "{code}: {help}");
    }
}

#[test]
fn every_command_has_help_and_needs_no_store_for_it() {
    let home = bare();
    for command in COMMANDS {
        home.run([command, "--help"]).stdout_has(["Usage: ream ", command]);
        home.run([command, "-h"]).stdout_has(["Usage: ream ", command]);
    }
    for command in ["list", "show", "protect", "unprotect", "set", "rm", "truncate"] {
        home.run(["stream", command, "--help"]).stdout_has(["Usage: ream stream ", command]);
    }
}

#[test]
fn the_version_is_the_packages() {
    let version = concat!("ream ", env!("CARGO_PKG_VERSION"), "\n");
    bare().run(["--version"]).stdout(version).run(["-V"]).stdout(version);
}

#[test]
fn nothing_at_all_shows_the_help() {
    bare().run([] as [&str; 0]).fails_with(2, ["Usage: ream [OPTIONS] <COMMAND>"]);
    bare().run(["stream"]).fails_with(2, ["Usage: ream stream"]);
}

#[test]
fn a_command_near_a_known_one_names_it() {
    let home = bare();
    home.run(["apend"]).fails_with(2, ["unrecognized subcommand 'apend'", "'append'"]);
    home.run(["stream", "lst"]).fails_with(2, ["unrecognized subcommand 'lst'", "'list'"]);
}

#[test]
fn a_flag_near_a_known_one_names_it() {
    let shop = ream();
    for (args, near) in [
        (&["read", "--afetr", "3"][..], "'--after'"),
        (&["tail", "--sinec", "3m"], "'--since'"),
        (&["append", "s", "T", "--expekt", "3"], "'--expect'"),
        (&["append", "s", "T", "{}", "--expekt=3"], "'--expect'"),
        (&["append", "--jsnol", "-"], "'--jsonl'"),
        (&["stream", "rm", "--dryrun", "s"], "'--dry-run'"),
        (&["status", "--formt", "json"], "'--format'"),
    ] {
        shop.run(args).fails_with(2, ["unexpected argument", near]);
    }
    assert!(shop.positions(&[]).is_empty());
}

#[test]
fn a_value_that_is_none_names_those_that_are() {
    let shop = ream();
    shop.run(["read", "--format", "xml"]).fails_with(2, ["'xml'", "table, json, jsonl, csv"]);
    shop.run(["read", "--format", "csv"])
        .fails_with(2, ["csv is a format of `project select` alone"]);
    shop.run(["completions", "tcsh"]).fails_with(2, ["'tcsh'", "bash"]);
    shop.run(["read", "--json", "--format", "jsonl"]).fails_with(2, ["cannot be used with"]);
    shop.run(["append", "s", "T", "--lock-timeout", "soon"]).fails_with(2, ["'soon'"]);
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = bare().run(["completions", shell]).text();
        for word in ["append", "lock-timeout", "unprotect"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn each_command_has_a_page_in_the_manual() {
    let home = bare();
    home.run(["man"]).stdout_has([
        ".TH ream 1",
        "ream \\- Event sourcing in a directory",
        "Exit codes: 0 done",
        "wrong expected version",
    ]);
    home.run(["man", "append"]).stdout_has([".TH ream-append 1", "\\-\\-expect"]);
    home.run(["man", "stream", "rm"]).stdout_has([".TH ream-stream-rm 1", "\\-\\-dry\\-run"]);
    home.run(["man", "stream", "nope"]).fails(6, "error: no command `stream nope`\n");
    home.run(["man", "--directory", "pages"]).stdout("");
    for page in ["ream.1", "ream-tail.1", "ream-stream-list.1"] {
        assert!(home.path("pages").join(page).exists(), "{page}");
    }
}
