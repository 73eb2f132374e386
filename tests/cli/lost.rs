//! A store that lost what was acknowledged, events or changes behind them: each command that reads warns of
//! it once, each that writes refuses, and the hint makes it go on.

use std::collections::BTreeSet;

use crate::harness::{Ream, ream};

const READS: &str = "cat >/dev/null";
const ROWS: [&str; 5] = ["project", "create", "rows", "id:integer:key", "--from"];

/// What a store lost: how it is said, and what the script did.
const LOSSES: [(&str, &str, &str); 3] = [
    (
        "the store lost acknowledged events: position 7 was acknowledged, and the last one is 5",
        "append s T; append s T",
        "events",
    ),
    (
        "the store lost 1 acknowledged change without an event, as of a state or a checkpoint; \
         its events are all there",
        "state set s 2",
        "changes",
    ),
    (
        "the store lost 3 acknowledged changes without an event, as of a state or a checkpoint; \
         its events are all there",
        "state set s 2; state set kept 1; state set s 3",
        "changes",
    ),
];

/// A store with two events and all else that a store can have, which then lost what a script does.
fn that_lost(script: &str) -> Ream {
    let shop = ream();
    shop.write("lines", "{\"stream\":\"s\",\"type\":\"T\"}\n");
    shop.write(
        "exported",
        "{\"ream_export\":1}\n{\"position\":1,\"stream\":\"s\",\"type\":\"T\"}\n{\"end\":{\"events\":1}}\n",
    );
    shop.write("decide", "cat >/dev/null; echo '{\"append\":{\"type\":\"T\"}}'");
    shop.append("s", "T", "1").ok();
    shop.append("kept", "T", "1").ok();
    shop.run(["state", "set", "s", "1"]).ok();
    shop.run(["stream", "protect", "kept"]).ok();
    shop.run(ROWS).args(["s", "--", "sh", "-c", READS]).ok();
    shop.run(["tail", "--as", "hook", "--until-caught-up", "--", "sh", "-c", READS]).ok();
    shop.sh("mkdir old && cp .ream/db .ream/db-wal old").ok();
    for line in script.split("; ") {
        shop.run(line.split(' ')).ok();
    }
    // In its place, so that the programs that were given here stay allowed.
    shop.sh("rm .ream/db-shm && cp old/* .ream").ok();
    shop
}

/// What reads and no more: the command, and how it ends.
const READING: [(&str, i32); 40] = [
    ("read", 0),
    ("read s", 0),
    ("read none", 0),
    ("count", 0),
    ("count --by type", 0),
    ("tail --limit 1", 0),
    ("tail --limit 1 -- cat", 0),
    ("tail --as hook --until-caught-up -- cat", 0),
    ("status", 0),
    ("log", 0),
    ("stream list", 0),
    ("stream show s", 0),
    ("stream show none", 4),
    ("stream rm s --dry-run", 0),
    ("redact 1 --reason r --dry-run", 0),
    ("prune --dry-run", 0),
    ("stream set", 0),
    ("stream truncate s --before 1 --dry-run", 0),
    ("state list", 0),
    ("state get s", 0),
    ("state get none", 4),
    ("state rm s --dry-run", 0),
    ("decide s {} --dry-run -- sh decide", 0),
    ("project list", 0),
    ("project show rows", 0),
    ("project show rows --sql", 0),
    ("project show none", 4),
    ("project set rows {\"id\":1}", 0),
    ("project select rows", 0),
    ("project select rows --count", 0),
    ("project select rows --explain", 0),
    ("project update rows --set id=id --where id=2 --yes", 6),
    ("project delete rows id=2 --yes", 0),
    ("project run rows --until-caught-up", 0),
    ("project rebuild rows --dry-run", 0),
    ("export", 0),
    ("subscription list", 0),
    ("subscription show hook", 0),
    ("subscription show none", 4),
    ("subscription rm hook --dry-run", 0),
];

/// What writes.
const WRITING: [&str; 24] = [
    "append s T",
    "backup copy",
    "append --jsonl lines",
    "append --atomic --jsonl lines",
    "stream protect kept",
    "stream unprotect kept",
    "redact 1 --reason r --yes",
    "prune --yes",
    "stream set s --max-count 3",
    "stream truncate s --before 2 --yes",
    "stream rm s --yes",
    "state set s 3",
    "state rm s --yes",
    "decide s {} -- sh decide",
    "project create other id:integer:key",
    "project rebuild rows",
    "project drop rows --yes",
    "subscription seek hook start",
    "subscription ack hook 2",
    "subscription rm hook --yes",
    "tail --as new --until-caught-up -- cat",
    "serve",
    "compact",
    "import exported",
];

/// What tells of it as of anything that is wrong: see there.
const FINDING: [&str; 2] = ["verify", "doctor"];

/// What looks at no event and no change.
const NEITHER: [&str; 5] = ["init", "completions", "man", "project allow", "restore"];

#[test]
fn each_command_that_reads_a_store_that_lost_something_warns_of_it_once() {
    for (lost, script, _) in LOSSES {
        let shop = that_lost(script);
        let warning = format!("warning: {lost}\n");
        for (line, code) in READING {
            let errors = shop.run(line.split(' ')).code(code).stderr_has([&*warning]).errors();
            let errors = String::from_utf8(errors).unwrap();
            assert_eq!(errors.matches(lost).count(), 1, "{line}: {errors}");
            assert_eq!(errors.matches("warning: ").count(), 1, "{line}: {errors}");
            assert!(code > 0 || errors == warning, "{line}: {errors}");
        }
    }
}

#[test]
fn each_command_that_writes_to_a_store_that_lost_something_refuses() {
    for (lost, script, what) in LOSSES {
        let shop = that_lost(script);
        let error = format!("error: {lost}\n");
        for line in WRITING {
            let errors = shop.run(line.split(' ')).code(1).stderr_has([&*error]).errors();
            let errors = String::from_utf8(errors).unwrap();
            // It may warn of something else as well.
            assert!(errors.matches(&*format!("warning: {lost}")).count() <= 1, "{line}: {errors}");
        }
        // The hint as it is printed, and there is no more to say.
        let errors = shop.run(["append", "s", "T"]).code(1).stderr_has([&*error]).errors();
        let errors = String::from_utf8(errors).unwrap();
        let words = format!(
            "hint: keep a copy of the whole directory; reading still works. To go on without the lost \
             {what}: "
        );
        let (_, hint) = errors.split_once(&words).unwrap_or_else(|| panic!("{errors}"));
        assert!(hint.starts_with("rm -f "), "{hint}");
        shop.sh(hint).ok();
        for (line, code) in READING {
            let run = shop.run(line.split(' ')).code(code);
            if code == 0 {
                run.ok()
            } else {
                run.stderr_has(["error: "]).ok()
            };
        }
        shop.append("s", "T", "1").ok();
        shop.run(["state", "set", "s", "3"]).ok();
        shop.run(["read"]).ok();
    }
}

#[test]
fn without_a_bell_nothing_is_said_of_events() {
    let shop = that_lost("append s T; state set s 2");
    shop.sh("rm .ream/bell/bell").ok();
    let lost = "the store lost 1 acknowledged change without an event, as of a state or a checkpoint; \
                whether it lost events can't be said without its bell\n";
    shop.run(["append", "s", "T"]).code(1).stderr_has([lost]).ok();
    shop.run(["status"]).stderr_has([lost]).ok();
}

#[test]
fn no_command_is_left_out() {
    let known: BTreeSet<String> = READING
        .iter()
        .map(|(line, _)| *line)
        .chain(WRITING)
        .chain(FINDING)
        .chain(NEITHER)
        .map(verb)
        .collect();
    let home = ream();
    let commands = |words: &[&str]| -> Vec<String> {
        let help = home.run(words.iter().chain(&["-h"])).text();
        let listed = help.split("Commands:\n").nth(1).unwrap_or_default();
        let lines = listed.lines().take_while(|line| line.starts_with("  "));
        let names = lines.filter_map(|line| line.split_whitespace().next().map(str::to_owned));
        names.filter(|name| name != "help").collect()
    };
    let mut all = BTreeSet::new();
    for command in commands(&[]) {
        let within = commands(&[&command]);
        if within.is_empty() {
            all.insert(command);
        } else {
            all.extend(within.iter().map(|name| format!("{command} {name}")));
        }
    }
    assert!(all.len() > 25, "{all:?}");
    assert_eq!(known, all);
}

/// The command of a line.
fn verb(line: &str) -> String {
    const GROUPS: [&str; 4] = ["stream", "state", "project", "subscription"];
    let words: Vec<&str> = line.split(' ').collect();
    words[..if GROUPS.contains(&words[0]) { 2 } else { 1 }].join(" ")
}
