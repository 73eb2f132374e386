//! Runs the examples, and each command of the guides.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backups;
mod boundaries;
#[path = "../shared/ended.rs"]
mod ended;
mod pages;
mod projectors;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use ended::Ended;

const REAM: &str = env!("CARGO_BIN_EXE_ream");

#[test]
fn the_account_in_python_takes_deposits_and_refuses_an_overdraft() {
    let bank = Place::of("account.py", &[PYTHON]);
    bank.decide("account-1", r#"{"deposit":10000}"#).stored("account-1", 1);
    bank.decide("account-1", r#"{"withdraw":3000}"#).stored("account-1", 2);
    assert_eq!(bank.state("account-1"), json!({"balance": 7000}));

    bank.decide("account-1", r#"{"withdraw":7001}"#)
        .rejected("the balance is 7000, less than 7001");
    let events = [deposited(10000), withdrawn(3000)];
    assert_eq!(bank.events("account-1"), events);

    bank.decide("account-1", r#"{"withdraw":7000}"#).stored("account-1", 3);
    assert_eq!(bank.state("account-1"), json!({"balance": 0}));
}

#[test]
fn the_account_in_python_decides_many_commands_and_ends_each_answer() {
    let bank = Place::of("account.py", &[PYTHON]);
    let mut service = bank.serve();
    service.ask("account-1", r#"{"deposit":500}"#).at(1);
    service.ask("account-2", r#"{"deposit":80}"#).at(1);
    service.ask("account-1", r#"{"withdraw":501}"#).rejects("the balance is 500, less than 501");
    let why = r#"an amount is whole cents, at least 1: "80" is not"#;
    service.ask("account-2", r#"{"withdraw":"80"}"#).rejects(why);
    bank.append("account-1", "Deposited", r#"{"amount":1}"#);
    service.ask("account-1", r#"{"withdraw":501}"#).at(3);
    service.ask("account-2", r#"{"withdraw":30}"#).at(2);
    service.ends();
    assert_eq!(bank.state("account-1"), json!({"balance": 0}));
    assert_eq!(bank.state("account-2"), json!({"balance": 50}));
    assert_eq!(bank.events("account-1"), [deposited(500), deposited(1), withdrawn(501)]);
}

#[test]
fn the_account_in_python_counts_events_that_no_state_reflects() {
    let bank = Place::of("account.py", &[PYTHON]);
    bank.append("account-1", "Deposited", r#"{"amount":70}"#);
    bank.append("account-1", "Withdrawn", r#"{"amount":30}"#);
    bank.decide("account-1", r#"{"withdraw":41}"#).rejected("the balance is 40, less than 41");
    bank.decide("account-1", r#"{"withdraw":10}"#).stored("account-1", 3);
    assert_eq!(bank.state("account-1"), json!({"balance": 30}));

    bank.append("account-1", "Deposited", r#"{"amount":5}"#);
    bank.decide("account-1", r#"{"withdraw":36}"#).rejected("the balance is 35, less than 36");
    bank.decide("account-1", r#"{"withdraw":35}"#).stored("account-1", 5);
    assert_eq!(bank.state("account-1"), json!({"balance": 0}));

    bank.append("account-1", "Opened", "{}");
    let failed = bank.decide("account-1", r#"{"deposit":1}"#);
    assert_eq!(failed.code, 7, "{failed:?}");
    assert!(failed.err.contains("account-1@6: an account knows no Opened\n"), "{failed:?}");
}

#[test]
fn the_account_in_python_takes_whole_cents_and_nothing_else() {
    let bank = Place::of("account.py", &[PYTHON]);
    for amount in ["0", "-5", "1.5", "1.0", "1e3", "true", "null", "\"5\"", "[5]"] {
        for verb in ["deposit", "withdraw"] {
            let why = format!("an amount is whole cents, at least 1: {amount} is not");
            // Python shows a number as it reads it.
            let why = why.replace("1e3", "1000.0");
            bank.decide("account-1", &format!(r#"{{"{verb}":{amount}}}"#)).rejected(&why);
        }
    }
    for command in ["{}", "[]", "5", "null", r#"{"close":5}"#, r#"{"deposit":5,"withdraw":5}"#] {
        let why = r#"a command is {"deposit":CENTS} or {"withdraw":CENTS}"#;
        bank.decide("account-1", command).rejected(why);
    }
    assert_eq!(bank.events("account-1"), []);

    // Beyond what a float can tell apart.
    bank.decide("account-1", r#"{"deposit":9007199254740993}"#).stored("account-1", 1);
    bank.decide("account-1", r#"{"deposit":1}"#).stored("account-1", 2);
    assert_eq!(bank.state("account-1"), json!({"balance": 9_007_199_254_740_994_u64}));
}

#[test]
fn the_order_goes_from_status_to_status_and_no_other_way() {
    let shop = Place::of("order.sh", &[SH, JQ]);
    let statuses: [(&str, &[&str]); 5] = [
        ("none", &[]),
        ("placed", &["place"]),
        ("paid", &["place", "pay"]),
        ("shipped", &["place", "pay", "ship"]),
        ("cancelled", &["place", "cancel"]),
    ];
    let allowed = [
        ("none", "place", "Placed"),
        ("placed", "pay", "Paid"),
        ("placed", "cancel", "Cancelled"),
        ("paid", "ship", "Shipped"),
        ("paid", "cancel", "Cancelled"),
    ];
    let mut service = shop.serve();
    for (status, way) in statuses {
        for command in ["place", "pay", "ship", "cancel"] {
            let stream = format!("order-{status}-{command}");
            for (version, step) in (1..).zip(way) {
                service.ask(&stream, &format!(r#"{{"{step}":{{}}}}"#)).at(version);
            }
            let steps = way.len() as u64;
            let asked = format!(r#"{{"{command}":{{"n":1}}}}"#);
            let next = allowed.iter().find(|step| (step.0, step.1) == (status, command));
            if let Some((_, _, event)) = next {
                shop.decide(&stream, &asked).stored(&stream, steps + 1);
                let last = shop.events(&stream).pop().unwrap();
                assert_eq!(last, ((*event).to_owned(), json!({"n": 1})));
                assert_eq!(shop.state(&stream), json!({"status": event.to_lowercase()}));
                continue;
            }
            let why = format!("cannot {command}: the status is {status}");
            shop.decide(&stream, &asked).rejected(&why);
            service.ask(&stream, &asked).rejects(&why);
            assert_eq!(shop.events(&stream).len(), way.len(), "{stream}");
        }
    }
    service.ends();
}

#[test]
fn the_order_counts_events_that_no_state_reflects() {
    let shop = Place::of("order.sh", &[SH, JQ]);
    shop.decide("order-1", r#"{"place":{}}"#).stored("order-1", 1);
    shop.append("order-1", "Paid", "{}");
    shop.decide("order-1", r#"{"pay":{}}"#).rejected("cannot pay: the status is paid");
    shop.decide("order-1", r#"{"ship":{}}"#).stored("order-1", 3);
    assert_eq!(shop.state("order-1"), json!({"status": "shipped"}));

    shop.append("order-2", "Placed", "{}");
    shop.append("order-2", "Cancelled", "{}");
    shop.decide("order-2", r#"{"ship":{}}"#).rejected("cannot ship: the status is cancelled");
    shop.append("order-3", "Returned", "{}");
    shop.decide("order-3", r#"{"place":{}}"#).rejected("cannot place: the status is returned");
}

#[test]
fn the_order_says_what_it_can_be_asked_and_fails_where_its_state_is_none() {
    let shop = Place::of("order.sh", &[SH, JQ]);
    for command in ["{}", "[]", "5", "null", r#""pay""#, r#"{"pey":{}}"#, r#"{"pay":1,"ship":1}"#] {
        let why = r#"a command is place, pay, ship or cancel, with data: {"pay":{}}"#;
        shop.decide("order-1", command).rejected(why);
    }
    shop.ream(&["append", "order-1", "Placed", "--expect", "no-stream", "--state", "5"]).ok();
    let failed = shop.decide("order-1", r#"{"pay":{}}"#);
    assert_eq!(failed.code, 7, "{failed:?}");
    assert!(failed.err.contains("Cannot index number with"), "{failed:?}");
}

#[test]
fn the_account_in_rust_takes_deposits_and_refuses_an_overdraft() {
    let bank = Place::bare();
    let account = |words: &[&str]| {
        bank.run(Command::new(account_in_rust()).args([".ream", "account-1"]).args(words))
    };
    account(&["deposit", "10000"]).says("account-1@1, position 1\n");
    account(&["withdraw", "3000"]).says("account-1@2, position 2\n");
    assert_eq!(bank.state("account-1"), json!({"balance": 7000}));
    account(&["withdraw", "7001"]).fails(1, "error: the balance is 7000, less than 7001\n");
    account(&["deposit", "0"]).fails(1, "error: an amount is at least 1\n");
    let most = u64::MAX.to_string();
    account(&["deposit", &most]).fails(1, "error: the balance is 7000, no more fits\n");
    assert_eq!(bank.events("account-1"), [deposited(10000), withdrawn(3000)]);

    bank.append("account-1", "Deposited", r#"{"amount":5}"#);
    account(&["withdraw", "7006"]).fails(1, "error: the balance is 7005, less than 7006\n");
    account(&["withdraw", "7005"]).says("account-1@4, position 4\n");
    assert_eq!(bank.state("account-1"), json!({"balance": 0}));

    bank.append("account-1", "Withdrawn", r#"{"amount":5}"#);
    let error = "error: `account-1` has a balance that none can have\n";
    account(&["deposit", "9"]).fails(1, error);
    let usage = "usage: account STORE STREAM deposit|withdraw CENTS\n";
    for words in [&["deposit", "-1"][..], &["deposit", "1.5"], &["close", "1"], &["deposit"]] {
        account(words).fails(2, usage);
    }
}

#[test]
fn the_accounts_in_rust_and_in_python_are_one() {
    let bank = Place::of("account.py", &[PYTHON]);
    let account = |words: &[&str]| {
        bank.run(Command::new(account_in_rust()).args([".ream", "account-1"]).args(words))
    };
    bank.decide("account-1", r#"{"deposit":100}"#).stored("account-1", 1);
    account(&["withdraw", "101"]).fails(1, "error: the balance is 100, less than 101\n");
    account(&["withdraw", "60"]).says("account-1@2, position 2\n");
    bank.decide("account-1", r#"{"withdraw":41}"#).rejected("the balance is 40, less than 41");
    bank.decide("account-1", r#"{"withdraw":40}"#).stored("account-1", 3);
    assert_eq!(bank.state("account-1"), json!({"balance": 0}));
}

/// What an example needs: a tool, and words with which it does nothing.
type Tool = (&'static str, &'static [&'static str]);
const PYTHON: Tool = ("python3", &["-c", ""]);
const SH: Tool = ("sh", &["-c", ":"]);
const CURL: Tool = ("curl", &["--version"]);
const JQ: Tool = ("jq", &["-n", "."]);
const NODE: Tool = ("node", &["-e", ""]);
const SQLITE: Tool = ("sqlite3", &["-version"]);

/// Fails where a tool is missing.
#[track_caller]
fn needs(tools: &[Tool]) {
    for (tool, words) in tools {
        let ran = Command::new(tool).args(*words).output();
        assert!(
            ran.as_ref().is_ok_and(|output| output.status.success()),
            "the examples need `{tool}`, which can't be run here: install it ({ran:?})"
        );
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The account in Rust.
#[track_caller]
fn account_in_rust() -> PathBuf {
    in_rust("account")
}

/// An example in Rust, which cargo builds beside the program.
#[track_caller]
fn in_rust(example: &str) -> PathBuf {
    let path = Path::new(REAM).with_file_name("examples").join(example);
    assert!(
        path.is_file(),
        "{} is not there: `cargo test` builds it, or cargo build --example {example}",
        path.display()
    );
    path
}

fn deposited(amount: u64) -> (String, Value) {
    ("Deposited".into(), json!({ "amount": amount }))
}

fn withdrawn(amount: u64) -> (String, Value) {
    ("Withdrawn".into(), json!({ "amount": amount }))
}

/// A directory with a store, in which an example decides.
struct Place {
    home: TempDir,
    aggregator: PathBuf,
}

impl Place {
    #[track_caller]
    fn of(example: &str, tools: &[Tool]) -> Self {
        needs(tools);
        Self { aggregator: root().join("examples").join(example), ..Self::bare() }
    }

    /// One in which no program decides.
    #[track_caller]
    fn bare() -> Self {
        let place = Self { home: tempfile::tempdir().unwrap(), aggregator: PathBuf::new() };
        place.ream(&["init"]).ok();
        place
    }

    fn run(&self, command: &mut Command) -> Ended {
        let command = command.current_dir(self.home.path()).env_remove("REAM_STORE");
        Ended::of(&command.stdin(Stdio::null()).output().unwrap())
    }

    fn ream(&self, words: &[&str]) -> Ended {
        self.run(Command::new(REAM).args(words))
    }

    /// Has the example decide a command, and run for it alone.
    fn decide(&self, stream: &str, command: &str) -> Ended {
        let mut ream = Command::new(REAM);
        self.run(ream.args(["decide", stream, command, "--"]).arg(&self.aggregator))
    }

    /// Has the example decide one command after another.
    fn serve(&self) -> Service {
        let mut ream = Command::new(REAM);
        ream.args(["decide", "--serve", "--"]).arg(&self.aggregator);
        ream.current_dir(self.home.path()).env_remove("REAM_STORE");
        // Python would flush by itself.
        ream.env_remove("PYTHONUNBUFFERED");
        ream.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = ream.spawn().unwrap();
        let commands = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Service { process, commands, answers }
    }

    #[track_caller]
    fn append(&self, stream: &str, event_type: &str, data: &str) {
        self.ream(&["append", stream, event_type, data]).ok();
    }

    #[track_caller]
    fn state(&self, stream: &str) -> Value {
        let data = self.ream(&["state", "get", stream, "--data"]).ok();
        serde_json::from_str(&data).unwrap()
    }

    /// The types and data of the stream's events.
    #[track_caller]
    fn events(&self, stream: &str) -> Vec<(String, Value)> {
        let lines = self.ream(&["read", stream]).ok();
        let events = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let told =
            |event: Value| (event["type"].as_str().unwrap().to_owned(), event["data"].clone());
        events.map(told).collect()
    }
}

impl Ended {
    #[track_caller]
    fn fails(self, code: i32, error: &str) {
        assert_eq!((self.code, &*self.err, &*self.out), (code, error, ""), "{self:?}");
    }

    /// It stored one event, which took the stream to this version.
    #[track_caller]
    fn stored(self, stream: &str, version: u64) {
        let out = self.ok();
        let line: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("one line: {out}"));
        assert_eq!((&line["stream"], &line["version"]), (&json!(stream), &json!(version)), "{out}");
        assert!(line["id"].is_string(), "{out}");
    }

    #[track_caller]
    fn rejected(self, reason: &str) {
        self.fails(8, &format!("error: rejected: {reason}\n"));
    }
}

/// A program that decides one command after another. An answer is read before the next command is
/// written, so that none may lie in a buffer.
struct Service {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Service {
    #[track_caller]
    fn ask(&mut self, stream: &str, command: &str) -> Answer {
        writeln!(self.commands, r#"{{"stream":"{stream}","command":{command}}}"#).unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        match serde_json::from_str::<Value>(&line) {
            Ok(answer) if answer["stream"] == stream => Answer(answer),
            _ => panic!("no answer to {command}, but {line:?}: {}", self.errors()),
        }
    }

    /// Its input ends, and so does it.
    #[track_caller]
    fn ends(mut self) {
        drop(self.commands);
        let mut rest = String::new();
        self.answers.read_to_string(&mut rest).unwrap();
        let mut errors = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        let code = self.process.wait().unwrap().code();
        assert_eq!((code, &*rest, &*errors), (Some(0), "", ""));
    }

    /// What it said on its stderr, which is the last of it.
    fn errors(&mut self) -> String {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let mut errors = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        errors
    }
}

struct Answer(Value);

impl Answer {
    /// One event is stored, which took the stream to this version.
    #[track_caller]
    fn at(&self, version: u64) {
        let Self(answer) = self;
        assert_eq!(answer["version"], version, "{answer}");
        assert_eq!(answer["stored"].as_array().map(Vec::len), Some(1), "{answer}");
    }

    #[track_caller]
    fn rejects(&self, reason: &str) {
        assert_eq!(self.0["rejected"], reason, "{}", self.0);
    }
}
