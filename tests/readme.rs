//! Runs each command of the README, and the quick start.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Commands that are not run here: the first two are what builds and runs this test.
const ELSEWHERE: [&str; 3] =
    ["cargo install --path . --locked", "cargo test", "sh examples/quickstart.sh"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// The fenced blocks of shell commands.
fn shell_blocks(text: &str) -> Vec<String> {
    let fenced = text.split("```sh\n").skip(1);
    fenced.map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_shell_block_of_the_readme_runs() {
    let blocks = shell_blocks(&readme());
    assert!(blocks.len() > 5, "the README has shell blocks: {blocks:?}");
    let directory = tempfile::tempdir().unwrap();
    let work = directory.path().join("work");
    fs::create_dir(&work).unwrap();
    let bin = Path::new(env!("CARGO_BIN_EXE_ream")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    for block in blocks {
        let output = Command::new("sh")
            .args(["-euc", &block])
            .current_dir(&work)
            .env("PATH", &path)
            .env_remove("REAM_STORE")
            .output()
            .unwrap();
        assert!(output.status.success(), "{block}\n{output:?}");
        assert!(!output.stdout.is_empty() || block.contains("--type"), "{block}\n{output:?}");
    }
}

#[test]
fn every_indented_command_of_the_readme_is_known() {
    let text = readme();
    let commands: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .map(|line| line.split(" #").next().unwrap_or_default().trim())
        .collect();
    assert!(commands.len() >= ELSEWHERE.len(), "{commands:?}");
    for command in commands {
        assert!(ELSEWHERE.contains(&command), "{command}");
    }
}

#[test]
fn the_quick_start_shows_its_main_job() {
    // In shell, as where there is no Python.
    let (out, err) = quick_start(Some("1"));
    for expected in [
        "448 events are stored",
        "OrderReturned  {\"reason\":\"wrong size\"}",
        "stock-tea@1",
        "(exit code 8)",
        "payments: created",
        "order-1052  160.35",
        "events         450",
    ] {
        assert!(out.contains(expected), "{expected}\n{out}{err}");
    }
    assert_eq!(err, "error: rejected: 3 left\n");
    assert!(out.lines().count() <= 60, "it is one screen: {out}");
    // Where there is Python, that says the same.
    let (in_python, err) = quick_start(None);
    assert_eq!(err, "error: rejected: 3 left\n");
    let told = |out: &str| out.lines().filter(|line| line.contains("order-10")).count();
    assert_eq!(told(&in_python), told(&out), "{in_python}");
}

/// What the quick start says.
#[track_caller]
fn quick_start(no_python: Option<&str>) -> (String, String) {
    let mut command = Command::new("sh");
    command.arg(root().join("examples/quickstart.sh"));
    command.env("REAM", env!("CARGO_BIN_EXE_ream")).env("REAM_STORE", "/nowhere");
    match no_python {
        Some(value) => command.env("NO_PYTHON", value),
        None => command.env_remove("NO_PYTHON"),
    };
    let output = command.output().unwrap();
    let (out, err) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{out}{err}");
    (out, err)
}
