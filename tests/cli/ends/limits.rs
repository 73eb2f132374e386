//! Each command with each number, time and duration that it takes, at its limits and beyond: it ends,
//! with an exit code that is documented. What a command takes is read from its help, so that none is
//! forgotten.

use crate::harness::{Ream, ream};

/// What stands for a number, a time or a duration.
const NUMBERS: [&str; 8] =
    ["N", "POS", "POSITION", "EXPECT", "SIZE", "TIME", "POS|TIME", "POS|start|end|TIME"];
/// What stands for anything else.
const OTHERS: [&str; 35] = [
    "ADDR",
    "ASSIGNMENTS",
    "BACKUP",
    "COMMAND",
    "DATA",
    "DIR",
    "EVENT",
    "EXPR",
    "FIELD",
    "FIELDS",
    "FILE",
    "FILE|-",
    "FORMAT",
    "HEAD",
    "ID",
    "JSON",
    "KEY",
    "NAME",
    "TEXT",
    "NAME=VALUE",
    "ORDER",
    "ORIGIN",
    "PATH",
    "PATTERN",
    "PROGRAM",
    "QUERY",
    "ROW",
    "SHELL",
    "STATE",
    "STREAM",
    "T",
    "TAG",
    "TYPE",
    "WHAT",
    "WHEN",
];

/// Limits of the types that numbers may have, and of what is stored.
const INTEGERS: [&str; 20] = [
    "0",
    "1",
    "-1",
    "-0",
    "+1",
    "0.5",
    "4294967295",
    "4294967296",
    "9223372036854775806",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999999999999999999",
    "1e19",
    "@0",
    "@1",
    "@9223372036854775807",
    "@9223372036854775808",
    "@18446744073709551616",
];

/// Limits of times and of durations.
const TIMES: [&str; 30] = [
    "0",
    "-1",
    "1e-9",
    "1e-400",
    "2147483647ms",
    "2147483648ms",
    "18446744073709551615",
    "1e18",
    "1e19",
    "1.8446744073709552e19",
    "1e20",
    "1e400",
    "nan",
    "inf",
    "-inf",
    "25d",
    "631107417600s",
    "631107417601s",
    "9223372036854775807s",
    "1000000w",
    "99999999999999999999w",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+00:01",
    "0000-12-31T23:59:59.999999Z",
    "9999-12-30T22:00:00.5Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59.9999999Z",
    "9999-12-31T23:59:59.999999-00:01",
    "10000-01-01T00:00:00Z",
];

/// Something that a command takes a number, a time or a duration by.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// The option's name; nothing where it is an argument.
    option: Option<String>,
    /// What stands for the value in the help.
    value: String,
}

impl Place {
    /// What is tried there.
    fn values(&self) -> Vec<&'static str> {
        let times = if self.value.contains("TIME") { &TIMES[..] } else { &[] };
        let integers = if self.value == "TIME" { &[] } else { &INTEGERS[..] };
        integers.iter().chain(times).copied().collect()
    }
}

/// What stands between two marks, as `<N>` or `[POS]`.
fn value_name(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(['<', '['])?;
    rest.split(['>', ']']).next()
}

/// Whether it stands for a number, a time or a duration.
#[track_caller]
fn is_number(name: &str, line: &str) -> bool {
    let number = NUMBERS.contains(&name);
    assert!(number || OTHERS.contains(&name), "is `{name}` a number? Add it to a list: {line:?}");
    number
}

/// The commands below this one, and where this one takes a number, by its help.
fn of_help(shop: &Ream, command: &[String]) -> (Vec<String>, Vec<Place>) {
    let help = shop.run(command.iter().map(String::as_str).chain(["--help"])).text();
    let (mut commands, mut places, mut section) = (Vec::new(), Vec::new(), "");
    for line in help.lines() {
        if !line.starts_with(' ') {
            section = if line.is_empty() { section } else { line };
            continue;
        }
        // What is said of something stands further in.
        let (margin, text) = (line.len() - line.trim_start().len(), line.trim_start());
        match section {
            "Commands:" if margin == 2 => {
                commands.extend(text.split(' ').next().map(str::to_owned));
            }
            "Arguments:" if margin == 2 => {
                let name = value_name(text).unwrap_or_else(|| panic!("{line:?}"));
                if is_number(name, line) {
                    places.push(Place { option: None, value: name.to_owned() });
                }
            }
            "Options:" | "Global options:" if margin <= 6 && text.starts_with('-') => {
                let words: Vec<&str> = text.split_whitespace().collect();
                let option = words.iter().find(|word| word.starts_with("--")).unwrap();
                let value = words.iter().find_map(|word| value_name(word));
                if let Some(value) = value.filter(|name| is_number(name, line)) {
                    let option = Some((*option).to_owned());
                    places.push(Place { option, value: value.to_owned() });
                }
            }
            _ => {}
        }
    }
    (commands, places)
}

const READS: [&str; 4] = ["--", "sh", "-c", "cat >/dev/null"];

/// What a command is given besides: before the number and behind it. It ends by itself.
fn given(command: &str, place: Option<&str>) -> (Vec<&'static str>, Vec<&'static str>) {
    let (before, behind): (&[&str], &[&str]) = match (command, place) {
        ("init", _) => (&["other"], &[]),
        ("append", _) => (&["s", "T"], &[]),
        ("status", Some("--max-lag" | "--max-age")) => (&["--check"], &[]),
        (
            "read" | "stream list" | "state list" | "project list" | "subscription list" | "status"
            | "verify" | "compact" | "doctor" | "export" | "log" | "prune" | "man",
            _,
        ) => (&[], &[]),
        ("backup", _) => (&["missing/copy"], &[]),
        ("count", _) => (&["--by", "type"], &[]),
        ("restore", _) => (&["missing", "copy"], &[]),
        ("completions", _) => (&["bash"], &[]),
        ("tail", Some("--grace")) => (&["s"], &["--", "true"]),
        ("tail", Some("--batch" | "--retries" | "--wait")) => {
            (&["s", "--as", "m", "--until-caught-up"], &READS)
        }
        (
            "tail" | "stream show" | "stream protect" | "stream unprotect" | "stream set"
            | "state get",
            _,
        ) => (&["s"], &[]),
        // So that it ends.
        ("import", _) => (&["none"], &[]),
        ("serve", _) => (&["--unix", "missing/socket"], &[]),
        ("redact", _) => (&["1", "--reason", "r", "--yes"], &[]),
        ("stream truncate", _) => (&["s", "--yes"], &[]),
        ("stream rm" | "state rm" | "subscription rm", _) => (&["gone", "--yes"], &[]),
        ("state set", _) => (&["s", "{}"], &[]),
        ("decide", _) => (&["s", "1"], &["--", "true"]),
        ("project create", _) => (&["q", "id:integer:key"], &READS),
        ("project drop", _) => (&["q", "--yes"], &[]),
        ("project run", _) => (&["p", "--until-caught-up"], &READS),
        ("project rebuild", _) => (&["p", "s"], &READS),
        ("project set", _) => (&["p", "{\"id\":1}"], &[]),
        ("project select", Some("--at-least")) => (&["p", "--wait", "0"], &[]),
        ("project select", Some("--wait")) => (&["p", "--at-least", "0"], &[]),
        ("project select" | "project show" | "project allow", _) => (&["p"], &[]),
        ("project update", _) => (&["p", "id = 1", "--set", "n = 1"], &[]),
        ("project delete", _) => (&["p", "id = 1"], &[]),
        ("subscription seek" | "subscription ack" | "subscription show", _) => (&["n"], &[]),
        (unknown, _) => panic!("what is `ream {unknown}` given? Say it here"),
    };
    (before.to_vec(), behind.to_vec())
}

/// A store with an event, a subscription and a projection.
fn shop() -> Ream {
    let shop = ream();
    shop.append("s", "T", "1").ok();
    shop.run(["project", "create", "p", "id:integer:key", "n:integer:null"]).ok();
    shop.run(["tail", "--as", "n", "--until-caught-up"]).args(READS).ok();
    shop
}

/// Runs a command with a value at a place, its output closed, which ends whatever follows; its exit
/// code and what it said.
fn ends_with(shop: &Ream, command: &str, place: Option<&str>, value: &str) -> (String, String) {
    let (before, behind) = given(command, place);
    // A value may look like an option.
    let value = place.map_or_else(|| value.to_owned(), |option| format!("{option}={value}"));
    let words = command.split(' ').chain(before).chain([&*value]).chain(behind);
    let script = "{ \"$REAM\" \"$@\"; echo $? >&2; } </dev/null | :";
    let said = shop.sh(script).args(["sh"]).args(words).errors();
    let said = String::from_utf8_lossy(&said).into_owned();
    let code = said.lines().last().unwrap_or_default().to_owned();
    (code, said)
}

/// The commands that do something, and where they take a number.
fn all(shop: &Ream) -> Vec<(String, Vec<Place>)> {
    let (mut all, mut waiting) = (Vec::new(), vec![Vec::new()]);
    while let Some(command) = waiting.pop() {
        let (commands, places) = of_help(shop, &command);
        if commands.is_empty() {
            all.push((command.join(" "), places));
        }
        waiting.extend(commands.into_iter().map(|name| [&command[..], &[name]].concat()));
    }
    all.sort();
    all
}

/// Tries the values at the places of each command that `wanted` chooses; how many there were.
#[track_caller]
fn try_all(wanted: impl Fn(&str, Option<&str>) -> bool) -> usize {
    let shop = shop();
    let (all, mut run) = (all(&shop), 0);
    assert!(all.len() > 25, "{all:?}");
    for (command, places) in &all {
        for place in places.iter().filter(|place| wanted(command, place.option.as_deref())) {
            for value in place.values() {
                let option = place.option.as_deref();
                let (code, said) = ends_with(&shop, command, option, value);
                let documented = code.parse().is_ok_and(|code: u8| code <= 10 && code != 9);
                assert!(documented, "{command} {option:?} {value}: {said}");
                assert!(!said.contains("panicked"), "{command} {option:?} {value}: {said}");
                run += 1;
            }
        }
    }
    run
}

#[test]
fn a_command_ends_as_documented_whatever_a_number_is() {
    let run = try_all(|_, option| option != Some("--lock-timeout"));
    assert!(run > 500, "{run}");
}

#[test]
fn a_command_ends_as_documented_however_long_it_may_wait_for_the_lock() {
    // All take it, and those that do more or less the same do the same with it.
    let run = try_all(|command, option| {
        option == Some("--lock-timeout")
            && !["stream", "state"].iter().any(|group| command.starts_with(group))
    });
    assert!(run > 500, "{run}");
}
