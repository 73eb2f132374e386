//! Each expectation × each history of a stream × single, streamed, atomic × ids of each kind.
//!
//! What must come of a combination is computed by a model of a few lines (`matrix/model.rs`),
//! written from the rules and not from the program; each combination is run through the program.

mod model;

use std::fmt::Write as _;

use self::model::{Answer, Line, Model};
use crate::harness::{Ream, Run, ream};

/// How the events come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Single,
    Streamed,
    Atomic,
}

/// What happened to the stream before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum History {
    NeverWritten,
    Written,
    Protected,
    Removed,
    WrittenAgain,
}

/// What ids the events have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ids {
    Without,
    New,
    /// Those of the stream's last events, with their content.
    Repeated,
    /// The stream's last event, then a new one.
    PartlyRepeatedFirst,
    /// A new one, then the stream's last event.
    PartlyRepeatedLast,
    /// A new one, then the id of the stream's last event with other content.
    ReusedHere,
    /// A new one, then the id of another stream's event, with its content.
    ReusedElsewhere,
    /// The same, the other way round.
    ReusedElsewhereFirst,
}

const HISTORIES: [History; 5] = [
    History::NeverWritten,
    History::Written,
    History::Protected,
    History::Removed,
    History::WrittenAgain,
];

/// How many events are written before the matrix begins, where any are.
const WRITTEN: u64 = 3;

/// What a writer may expect of a stream at a version: each word, the version, and wrong ones.
fn expectations(version: u64) -> Vec<String> {
    let mut expectations: Vec<String> = ["any", "no-stream", "exists"].map(String::from).into();
    expectations.extend([version, version + 1, 0].map(|number| number.to_string()));
    if version == 0 {
        expectations.pop();
    }
    expectations
}

/// A stream of its own for a combination, and what is sent to it.
struct Case {
    stream: String,
    history: History,
    expect: String,
    lines: Vec<Line>,
}

fn cases(mode: Mode) -> Vec<Case> {
    let kinds: &[Ids] = match mode {
        Mode::Single => {
            &[Ids::Without, Ids::New, Ids::Repeated, Ids::ReusedHere, Ids::ReusedElsewhere]
        }
        _ => &[
            Ids::Without,
            Ids::New,
            Ids::Repeated,
            Ids::PartlyRepeatedFirst,
            Ids::PartlyRepeatedLast,
            Ids::ReusedHere,
            Ids::ReusedElsewhere,
            Ids::ReusedElsewhereFirst,
        ],
    };
    let mut cases = Vec::new();
    for history in HISTORIES {
        let version = match history {
            History::NeverWritten => 0,
            History::WrittenAgain => WRITTEN + 1,
            _ => WRITTEN,
        };
        for expect in expectations(version) {
            for ids in kinds {
                let stream = format!("{history:?}-{expect}-{ids:?}");
                let Some(mut lines) = lines(&stream, version, *ids) else { continue };
                if mode == Mode::Single {
                    lines = vec![lines.pop().unwrap()];
                }
                cases.push(Case { stream, history, expect: expect.clone(), lines });
            }
        }
    }
    cases
}

/// Two events with such ids; nothing where the stream has no event whose id could be repeated.
fn lines(stream: &str, version: u64, ids: Ids) -> Option<Vec<Line>> {
    let plain = || Line { id: None, data: "\"plain\"".into() };
    let new = |name: &str| Line { id: Some(format!("{stream}/{name}")), data: "\"new\"".into() };
    let old = |back: u64| {
        let version = version.checked_sub(back)?;
        Some(Line { id: Some(id(stream, version)), data: version.to_string() })
    };
    let other = || Line { id: Some(id(&elsewhere(stream), 1)), data: "1".into() };
    Some(match ids {
        Ids::Without => vec![plain(), plain()],
        Ids::New => vec![new("a"), new("b")],
        Ids::Repeated => vec![old(1).filter(|_| version > 1)?, old(0)?],
        Ids::PartlyRepeatedFirst => vec![old(0).filter(|_| version > 0)?, new("a")],
        Ids::PartlyRepeatedLast => vec![new("a"), old(0).filter(|_| version > 0)?],
        Ids::ReusedHere => {
            let reused = old(0).filter(|_| version > 0)?;
            vec![new("a"), Line { data: "\"other\"".into(), ..reused }]
        }
        Ids::ReusedElsewhere => vec![new("a"), other()],
        Ids::ReusedElsewhereFirst => vec![other(), new("a")],
    })
}

/// The id of an event that is written before the matrix begins.
fn id(stream: &str, version: u64) -> String {
    format!("{stream}/{version}")
}

/// A stream with one event, whose id is reused.
fn elsewhere(stream: &str) -> String {
    format!("elsewhere of {stream}")
}

/// Writes the histories of all cases, by the program and by the model.
fn prepare(shop: &Ream, model: &mut Model, cases: &[Case]) {
    let mut write = |wanted: &dyn Fn(&Case) -> Vec<(String, u64)>| {
        let mut input = String::new();
        for (stream, version) in cases.iter().flat_map(wanted) {
            let line = Line { id: Some(id(&stream, version)), data: version.to_string() };
            writeln!(input, "{}", line.to_json(Some(&stream))).unwrap();
            model.append(&stream, "any", Mode::Single, &[line]);
        }
        shop.append_lines(&input).ok();
    };
    write(&|case| {
        let versions = if case.history == History::NeverWritten { 0 } else { WRITTEN };
        let own = (1..=versions).map(|version| (case.stream.clone(), version));
        own.chain([(elsewhere(&case.stream), 1)]).collect()
    });
    let of = |histories: &[History]| -> Vec<&str> {
        let chosen = cases.iter().filter(|case| histories.contains(&case.history));
        chosen.map(|case| &*case.stream).collect()
    };
    let protected = of(&[History::Protected]);
    shop.run(["stream", "protect"]).args(&protected).ok();
    for _ in &protected {
        model.protect();
    }
    let removed = of(&[History::Removed, History::WrittenAgain]);
    shop.run(["stream", "rm", "--yes"]).args(&removed).ok();
    for stream in removed {
        model.remove(stream);
    }
    let mut input = String::new();
    for case in cases.iter().filter(|case| case.history == History::WrittenAgain) {
        let version = WRITTEN + 1;
        let line = Line { id: Some(id(&case.stream, version)), data: version.to_string() };
        writeln!(input, "{}", line.to_json(Some(&case.stream))).unwrap();
        model.append(&case.stream, "any", Mode::Single, &[line]);
    }
    shop.append_lines(&input).ok();
}

/// What the program is told.
fn command<'r>(shop: &'r Ream, mode: Mode, case: &Case) -> Run<'r> {
    let Case { stream, expect, lines, .. } = case;
    if mode == Mode::Single {
        let run = shop.run(["append", "--expect", expect, stream, "T", &lines[0].data]);
        return match &lines[0].id {
            Some(id) => run.args(["--id", id]),
            None => run,
        };
    }
    let input: String = lines.iter().map(|line| line.to_json(None) + "\n").collect();
    let run = shop.run(["append", "--expect", expect, stream, "--jsonl", "-"]).stdin(input);
    if mode == Mode::Atomic { run.args(["--atomic"]) } else { run }
}

/// Runs each combination, and compares answers, and in the end what is stored.
#[track_caller]
fn check(mode: Mode, combinations: usize) {
    let shop = ream();
    let mut model = Model::default();
    let cases = cases(mode);
    assert_eq!(cases.len(), combinations, "a combination is missing, or a new one is not counted");
    prepare(&shop, &mut model, &cases);
    for case in &cases {
        let Answer { code, acks, complaint } =
            model.append(&case.stream, &case.expect, mode, &case.lines);
        let run = command(&shop, mode, case).code(code);
        let run = if code == 0 { run } else { run.stderr_has(["error: ", &complaint]) };
        run.stdout(&acks);
    }
    let read = shop.run(["read"]).values();
    let read: Vec<_> = read
        .iter()
        .map(|event| {
            let text = |key: &str| event[key].as_str().unwrap().to_owned();
            (
                event["position"].as_u64().unwrap(),
                text("stream"),
                event["version"].as_u64().unwrap(),
            )
        })
        .collect();
    assert!(read == model.visible(), "what is stored is not what was acknowledged");
    let versions: Vec<_> = shop
        .run(["stream", "list"])
        .values()
        .iter()
        .map(|stream| {
            (stream["stream"].as_str().unwrap().to_owned(), stream["version"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(versions, model.versions());
}

#[test]
fn every_single_append_is_answered_as_the_rules_say() {
    check(Mode::Single, 5 * 3 + 4 * 6 * 5);
}

#[test]
fn every_streamed_append_is_answered_as_the_rules_say() {
    check(Mode::Streamed, 5 * 4 + 4 * 6 * 8);
}

#[test]
fn every_atomic_append_is_answered_as_the_rules_say() {
    check(Mode::Atomic, 5 * 4 + 4 * 6 * 8);
}
