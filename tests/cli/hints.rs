//! Hints: a command that is hinted acts on the store that was named, and keeps what was given.
//!
//! Each story fails in the store `shop`, beside a default store with the same in it, and then runs the
//! hint as it is printed. The last test holds the stories to the sources of hints: one that is new needs
//! a story here.

mod told;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rusqlite::Connection;

use crate::commands::commands;
use crate::harness::{Ream, bare};

use told::stories;

/// What fails, and what is hinted.
struct Story {
    /// Where the hint is made: its words, or what its command is made of where it has none.
    source: &'static str,
    /// Scripts that prepare the store that `REAM_STORE` names.
    before: Vec<&'static str>,
    /// The command that fails, with this code.
    line: &'static str,
    code: i32,
    /// The command that is hinted, as it is printed.
    hint: &'static str,
    /// The words of the command that the hint leaves out.
    dropped: &'static [&'static str],
    /// How the hint ends.
    then: i32,
    /// Whether someone else has the store's lock while the command runs.
    locked: bool,
    /// Whether the command runs on a terminal.
    terminal: bool,
}

/// A story in which the hint leaves nothing out and ends well.
fn story(
    source: &'static str,
    before: &[&'static str],
    (line, code): (&'static str, i32),
    hint: &'static str,
) -> Story {
    let (before, dropped) = (before.to_vec(), &[][..]);
    Story { source, before, line, code, hint, dropped, then: 0, locked: false, terminal: false }
}

impl Story {
    /// Words that the hint leaves out.
    fn without(mut self, dropped: &'static [&'static str]) -> Self {
        self.dropped = dropped;
        self
    }

    fn ending(mut self, then: i32) -> Self {
        self.then = then;
        self
    }

    fn locked(mut self) -> Self {
        self.locked = true;
        self
    }

    fn on_terminal(mut self) -> Self {
        self.terminal = true;
        self
    }

    /// Tells it.
    fn check(&self) {
        let Self { source, before, line, hint, dropped, then, .. } = self;
        let home = bare();
        let hint = &hint.replace("[home]", home.path("").canonicalize().unwrap().to_str().unwrap());
        for store in [".ream", "shop"] {
            home.run(["init", store]).ok();
            for script in before {
                if *script == ANOTHER_LINK {
                    let database = Connection::open(home.path(store).join("db")).unwrap();
                    let other = home.path(".ream").join("db");
                    database.execute("ATTACH ?1 AS other", [other.to_str().unwrap()]).unwrap();
                    let replace =
                        "REPLACE INTO names SELECT * FROM other.names WHERE name = 'hook'";
                    assert_eq!(database.execute(replace, ()), Ok(1));
                    continue;
                }
                home.sh(script).env("REAM_STORE", store).code(0).stderr_has([]).ok();
            }
        }
        let elsewhere = everything(&home);
        let hinted = self.fail(&home);
        assert!(hinted.iter().any(|hinted| hinted == hint), "{source}: {line}\n{hinted:#?}");
        for word in line.split(' ').filter(|word| !dropped.contains(word)) {
            let kept = hint.contains(word) || hint.contains("$(printf");
            assert!(kept || self.is_another(), "{source}: {word} is not in {hint}");
        }
        if line.contains("shop") {
            assert!(hint.contains("shop"), "{source}: {hint}");
        }
        let destroys =
            |line: &str| DESTRUCTIVE.iter().any(|word| line.split(' ').any(|w| w == *word));
        assert!(destroys(line) || !destroys(hint), "{source}: {hint}");
        home.sh(&format!("{hint} < /dev/null")).code(*then).stderr_has([]).ok();
        assert_eq!(everything(&home), elsewhere, "{source}: {hint}");
    }

    /// Fails, and gives the commands that are hinted.
    fn fail(&self, home: &Ream) -> Vec<String> {
        let lock = fs::File::options().write(true).open(home.path("shop/lock")).unwrap();
        if self.locked {
            lock.lock().unwrap();
        }
        let run = home.sh(&format!("exec 2>&1; {}", self.line)).code(self.code);
        let run = if self.terminal { run.on_terminal().env("NO_COLOR", "1") } else { run };
        let hints = String::from_utf8(run.bytes()).unwrap();
        let hints = hints.lines().filter_map(|line| line.strip_prefix("hint: "));
        hints.map(|hint| hint[hint.find("ream ").unwrap_or(0)..].to_owned()).collect()
    }

    /// Whether the hint is another command, which takes along the store alone.
    fn is_another(&self) -> bool {
        let known = command_words();
        let command = |line: &str| {
            let words = line.split(' ').filter(|word| known.contains(*word));
            words.map(str::to_owned).collect::<Vec<_>>()
        };
        command(self.line) != command(self.hint)
    }
}

/// In the place of a script: the checkpoint of a subscription is one of another log.
const ANOTHER_LINK: &str = "another link";

/// The words of all commands, and of those within them.
fn command_words() -> BTreeSet<String> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin/ream");
    let within = fs::read_dir(program.join("command")).unwrap().map(|entry| entry.unwrap().path());
    let files = within.filter(|path| path.is_file()).chain([program.join("command.rs")]);
    files.flat_map(|file| commands(&fs::read_to_string(file).unwrap())).collect()
}

/// What no hint brings in, where the command was not one of them.
const DESTRUCTIVE: [&str; 4] = ["rm", "drop", "delete", "seek"];

/// What the default store holds.
fn everything(home: &Ream) -> String {
    let script = r#"for c in read 'stream list' 'state list *' 'project list' 'subscription list'; do
            set -f; ream $c | sed 's/"behind_seconds":[0-9.]*/"behind_seconds":0/'
        done"#;
    home.sh(script).env("REAM_STORE", ".ream").stderr_has([]).text()
}

#[test]
fn a_hint_acts_on_the_same_store_and_keeps_what_was_given() {
    let stories = stories();
    assert!(stories.len() > 40, "{}", stories.len());
    stories.iter().for_each(Story::check);
}

#[test]
fn without_store_a_hint_is_for_the_same_environment() {
    let home = bare();
    home.run(["init", "shop"]).ok();
    home.run(["append", "s", "T"]).env("REAM_STORE", "shop").ok();
    home.run(["stream", "rm", "s"]).env("REAM_STORE", "shop").fails(
        2,
        "error: removing 1 event of 1 stream needs to be confirmed\nhint: ream stream rm --yes s\n",
    );
    // A program that is called by its path, and not found by its name, is called so again.
    let path = home.path("bin/my ream");
    fs::create_dir(home.path("bin")).unwrap();
    fs::hard_link(crate::harness::REAM, &path)
        .or_else(|_| fs::copy(crate::harness::REAM, &path).map(drop))
        .unwrap();
    home.sh("'bin/my ream' --store shop stream rm s")
        .fails_with(2, ["hint: 'bin/my ream' --store shop stream rm --yes s\n"]);
}

#[test]
fn the_event_of_a_removed_id_is_not_to_be_seen() {
    let home = bare();
    home.run(["init"]).ok();
    home.run(["append", "s", "T", "1", "--id", "p"]).ok();
    home.run(["append", "other", "T", "secret"]).code(6).stderr_has([]).ok();
    home.run(["stream", "rm", "s", "--yes"]).ok();
    home.run(["append", "other", "T", "1", "--id", "p"]).fails(
        6,
        "error: id reused: `p` is the event at position 1 (`s`, version 1), with other content\n\
         hint: an id stands for one event for ever; that one has been removed\n",
    );
}

#[test]
fn only_what_was_made_to_be_run_is_made_executable() {
    let home = bare();
    home.run(["init"]).ok();
    home.run(["append", "s", "T", "1"]).ok();
    let denied = "caused by: Permission denied (os error 13)\n";
    for program in ["/etc/passwd", "/etc", "./data"] {
        home.write("data", "1\n");
        let why = format!("error: can't run `{program}`; nothing is stored in `s`\n{denied}");
        home.run(["decide", "s", "--", program]).fails(7, &why);
    }
    // One that is remembered is named as it is found from here.
    home.write("bin/made", "#!/bin/sh\n");
    let create = ["project", "create", "rows", "id:integer:key", "--", "./made"];
    home.run(create).within("bin").ok();
    let run = || home.run(["project", "run", "rows", "--retries", "0"]);
    run().fails(7, &format!("error: can't run `./made`\n{denied}hint: chmod +x [home]/bin/made\n"));
}

#[test]
fn who_runs_it_is_waited_for() {
    let home = bare();
    home.run(["init", "shop"]).ok();
    home.run(["append", "s", "T", "--store", "shop"]).ok();
    home.sh("mkfifo up gate").ok();
    let program = "cat >/dev/null; echo > up; read x < gate";
    let tail = ["tail", "--store", "shop", "--as", "hook", "--until-caught-up", "--", "sh", "-c"];
    let first = home.run(tail).args([program]).start();
    home.sh("read x < up").ok();
    let hint = "ream tail --wait 1m --store shop --as hook --until-caught-up -- sh -c 'exit 1'";
    let refused = home.run(tail).args(["exit 1"]);
    refused.fails_with(5, [&format!("\nhint: to wait until that ends: {hint}\n")]);
    let mut second = home.sh(hint).start();
    home.sh("echo > gate").ok();
    let done = "{\"subscription\":\"hook\",\"checkpoint\":1}";
    first.ends_saying(0, &format!("{done}\n"), "");
    second.hears(done).ends_by_itself();
}

#[test]
fn this_directory_may_be_the_store() {
    let home = bare();
    home.run(["init", "."]).ok();
    home.run(["append", "s", "T"]).fails(
        4,
        "error: no store in [home] or above it\n\
         hint: this directory is a store itself: ream append --store . s T\n",
    );
}

#[test]
fn each_source_of_a_hint_has_its_story() {
    let mut told: BTreeSet<String> = stories().iter().map(|story| story.source.into()).collect();
    // Those have stories of their own, or need a fault, and are looked at in `failure.rs`.
    for source in ELSEWHERE {
        told.insert(source.into());
    }
    assert_eq!(told, sources());
}

/// Sources whose hints are shown elsewhere.
const ELSEWHERE: [&str; 23] = [
    "if it holds CloudEvents",
    "if it holds events, one per line",
    "see all that is wrong",
    "name a directory in it",
    "{reason}, so each run needs --allow",
    "this directory is a store itself",
    "to wait until that ends",
    "the event may be stored or not; its id makes it safe to run it again",
    "go on with the new one",
    "run it again on the new one",
    "see where it is, then run it again",
    "restore a backup; what stands before the damage can be read",
    "what stands behind it",
    "make the state anew from its events",
    // What `doctor` finds.
    "backup",
    "compact",
    "project drop --yes",
    "project rebuild",
    "project run",
    "status",
    "subscription show",
    "verify",
    "project allow",
];

/// The sources of hints in the program.
fn sources() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut directories = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin/ream")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for kind in ["Hint::again(", "Hint::other("] {
                for (at, _) in code.match_indices(kind) {
                    found.insert(source(&code[..at], &code[at + kind.len()..]));
                }
            }
        }
    }
    assert!(found.len() > 30, "{found:?}");
    found
}

/// The words of a hint; where it has none, the words that its command is made of.
fn source(before: &str, call: &str) -> String {
    let call = call.trim_start();
    if !call.starts_with('"') {
        // They have a name, which they were given just before.
        let named = &before[before.rfind("let words = ").unwrap()..];
        return strings(named).next().unwrap();
    }
    let mut strings = strings(&call[..call.find('\n').unwrap()]);
    let words = strings.next().unwrap();
    if words.is_empty() { strings.collect::<Vec<_>>().join(" ") } else { words }
}

/// The literal texts in a piece of code.
fn strings(code: &str) -> impl Iterator<Item = String> {
    code.split('"').skip(1).step_by(2).map(str::to_owned)
}
