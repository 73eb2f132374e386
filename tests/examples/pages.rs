//! Runs each command of the guides, and compares what it says with what they show.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::{CURL, Ended, JQ, PYTHON, REAM, SH, SQLITE, Tool, account_in_rust, needs, root};

/// The store's id in the outputs that a page shows.
const SHOWN_ID: &str = "4fz0k7m2q9xwb";
/// How a page runs the example in Rust.
const CARGO_RUN: &str = "cargo run --quiet --example account --";

#[test]
fn the_page_about_aggregators_shows_what_its_commands_say() {
    runs("docs/aggregators.md", &[PYTHON, SH, JQ], 9, 8);
}

#[test]
fn the_page_about_projections_shows_what_its_commands_say() {
    runs("docs/projections.md", &[SH, SQLITE], 10, 8);
}

#[test]
fn the_page_about_expressions_shows_what_its_commands_say() {
    runs("docs/expressions.md", &[SH], 4, 3);
}

#[test]
fn the_page_about_programs_shows_what_its_commands_say() {
    runs("docs/programs.md", &[PYTHON, SH], 6, 6);
}

#[test]
fn the_page_about_serving_shows_what_its_commands_say() {
    runs("docs/serve.md", &[PYTHON, SH, CURL], 7, 4);
}

#[test]
fn the_page_about_moving_shows_what_its_commands_say() {
    runs("docs/moving.md", &[SH], 4, 1);
}

#[test]
fn the_page_about_backups_shows_what_its_commands_say() {
    runs("docs/backup.md", &[SH, JQ], 6, 6);
}

#[test]
fn the_page_about_acts_shows_what_its_commands_say() {
    runs("docs/administration.md", &[PYTHON, SH], 2, 2);
}

#[test]
fn the_page_about_boundaries_shows_what_its_commands_say() {
    runs("docs/boundaries.md", &[SH, PYTHON], 4, 4);
}

/// Runs the commands of a page, in order, in a directory with the examples; it has so many blocks of
/// commands, and of what they say, or more.
#[track_caller]
fn runs(page: &str, tools: &[Tool], least_commands: usize, least_outputs: usize) {
    needs(tools);
    let page = fs::read_to_string(root().join(page)).unwrap();
    let blocks = blocks(&page);
    let of = |wanted: &str| blocks.iter().filter(|(kind, _)| *kind == wanted).count();
    let (commands, outputs) = (of("sh"), of("text"));
    assert!(commands >= least_commands && outputs >= least_outputs, "{commands}, {outputs}");
    assert_eq!(commands + outputs, blocks.len(), "{blocks:?}");

    let directory = tempfile::tempdir().unwrap();
    symlink(root().join("examples"), directory.path().join("examples")).unwrap();
    let bin = Path::new(REAM).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut said = String::new();
    for (kind, block) in blocks {
        if kind == "text" {
            assert_eq!(redacted(block, SHOWN_ID), said);
            continue;
        }
        let script = if block.contains(CARGO_RUN) {
            block.replace(CARGO_RUN, account_in_rust().to_str().unwrap())
        } else {
            block.to_owned()
        };
        let mut command = Command::new("sh");
        command.args(["-euc", &format!("exec 2>&1\n{script}")]);
        command.current_dir(directory.path()).env("PATH", &path).env_remove("REAM_STORE");
        let ended = Ended::of(&command.output().unwrap());
        assert_eq!(ended.code, 0, "{script}\n{ended:?}");
        let marker = fs::read_to_string(directory.path().join(".ream/store")).unwrap();
        let id = marker.lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
        said = redacted(&ended.out, id);
    }
}

/// The fenced blocks of a page: what they are, and what is in them.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let fenced = page.split("\n```").skip(1).step_by(2);
    fenced
        .map(|block| block.split_once('\n').map_or((block, ""), |(kind, text)| (kind, text)))
        .collect()
}

/// A text without what differs from run to run: the store's id, links, and points in time.
fn redacted(text: &str, id: &str) -> String {
    let mut parts = text.split("\"time\":\"");
    let mut redacted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.split_once('"').map_or("", |(_, rest)| rest);
        redacted.push_str("\"time\":\"[time]\"");
        redacted.push_str(rest);
    }
    let links = regex::Regex::new("[0-9a-hjkmnp-tv-z]{13}/([0-9]+)").unwrap();
    let redacted = links.replace_all(redacted.trim_end(), "[link]/$1");
    redacted.replace(id, "[store]")
}
