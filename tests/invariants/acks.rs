//! Invariants 14 and 20: what could not be written into a program's stdin was not read. Where the system
//! refuses to write it, that is a failure of ream: nothing is acked or decided by what the program makes
//! of the rest, and only a closed pipe means that a program reads no more.

use std::fs;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{FailingWrites, Home, Lines, Running, ended, sized, text_of, until};

const EVENTS: u64 = 5;

/// Waits when it is run first and its input is written, and then fails: so what runs it can be attached to,
/// and runs it again.
const GATE: &str = "if [ ! -e begun ]; then read -r _; : > begun; \
                    until [ -e go ]; do sleep 0.01; done; exit 1; fi";

/// What runs a program.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Runner {
    Project,
    Tail,
    Fresh,
    Rebuild,
}

/// What runs a program, and how.
#[derive(Debug, Clone, Copy)]
struct Case {
    runner: Runner,
    form: &'static [&'static str],
}

const RUNNERS: [Runner; 4] = [Runner::Project, Runner::Tail, Runner::Fresh, Runner::Rebuild];
const FORMS: [&[&str]; 3] = [&[], &["--batch", "3"], &["--per-event"]];

/// Looks at each form of these runners, some of them at the same time: most of it is waiting.
fn each_case(runners: &[Runner], look: impl Fn(Case) + Sync) {
    thread::scope(|scope| {
        for runner in runners {
            let look = &look;
            scope.spawn(|| FORMS.iter().for_each(|form| look(Case { runner: *runner, form })));
        }
    });
}

impl Case {
    /// Starts it, with a program that answers each event that it hears up to the end of its input, acks
    /// none and ends with 0. When that has failed once, writes fail as `inject` says.
    #[track_caller]
    fn start(self, retries: &str, inject: &str) -> (Home, Running, FailingWrites) {
        let home = Home::with(EVENTS);
        let reply = match self.runner {
            Runner::Tail => {
                r#"{\"append\":{\"stream\":\"out\",\"type\":\"T\",\"data\":$position}}"#
            }
            _ => r#"{\"set\":{\"position\":$position}}"#,
        };
        let script =
            format!("{GATE}; while IFS=:, read -r _ position _; do echo \"{reply}\"; done; exit 0");
        let program = [self.form, &["--", "sh", "-c", &script]].concat();
        let create = ["project", "create", "made", "position:integer:key"];
        match self.runner {
            Runner::Project | Runner::Rebuild => drop(home.run(&create).done()),
            Runner::Fresh => {
                drop(home.run(&[&create, &["--from", "s"][..], &program].concat()).done());
            }
            Runner::Tail => {}
        }
        let args: &[&str] = match self.runner {
            Runner::Project => &["project", "run", "made", "s", "--until-caught-up"],
            Runner::Tail => &["tail", "s", "--as", "made", "--until-caught-up"],
            Runner::Rebuild => &["project", "rebuild", "made", "s"],
            // It has nothing to say, which could not be written either.
            Runner::Fresh => {
                &["project", "select", "made", "position = 0", "--fresh", "--wait", "60s"]
            }
        };
        let quiet = ["-q", "--format", "table"];
        let args = match self.runner {
            Runner::Fresh => args.to_vec(),
            _ => [args, &quiet, &["--retries", retries], &program].concat(),
        };
        let running = Running::start(&mut home.ream(&args));
        until("the first run", || home.place().join("begun").exists().then_some(()));
        let faults = FailingWrites::of(&home, &running, inject);
        fs::write(home.place().join("go"), "").unwrap();
        (home, running, faults)
    }

    /// That it has come so far, each event up to there is answered once, and it failed like this at last.
    #[track_caller]
    fn has_reached(self, home: &Home, position: u64, failure: &str) {
        let found = failed(home);
        assert!(found.starts_with(failure), "{self:?}: {found}");
        let store = home.open();
        let (checkpoint, answers, key) = if self.runner == Runner::Tail {
            let subscription = store.subscription("made").unwrap();
            (subscription.checkpoint, home.run(&["read", "out"]), "data")
        } else {
            let select = ["project", "select", "made", "--order-by", "position"];
            (store.projection("made").unwrap().checkpoint().unwrap(), home.run(&select), "position")
        };
        let answered: Vec<u64> =
            answers.done().lines().map(|line| value(line)[key].as_u64().unwrap()).collect();
        let expected = (position, (1..=position).collect());
        assert_eq!((checkpoint.position.0, answered), expected, "{self:?}");
    }
}

fn value(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// How the program failed last, as it is recorded.
#[track_caller]
fn failed(home: &Home) -> String {
    let shown = home.run(&["subscription", "show", "made"]).done();
    value(&shown)["error"].as_str().unwrap_or_default().to_owned()
}

fn interrupt(running: &Running) {
    kill_process(Pid::from_raw(running.id().cast_signed()).unwrap(), Signal::TERM).unwrap();
}

const ERRORS: [(&str, &str); 2] = [
    ("ENOMEM", "can't write to the stdin of `sh`: Cannot allocate memory (os error 12)"),
    ("EIO", "can't write to the stdin of `sh`: Input/output error (os error 5)"),
];

#[test]
fn an_input_that_can_not_be_written_is_a_failure_of_ream_and_acks_nothing() {
    each_case(&RUNNERS, |case| {
        for (error, failure) in ERRORS {
            let (home, running, _faults) = case.start("2", error);
            // What it says can't be written either.
            running.end().failed(1, &[]);
            case.has_reached(&home, 0, failure);
        }
    });
}

#[test]
fn when_it_can_be_written_again_each_event_counts_once() {
    // `--fresh` tries again only five times, which may be over.
    each_case(&[Runner::Project, Runner::Tail, Runner::Rebuild], |case| {
        for (error, failure) in ERRORS {
            let (home, running, faults) = case.start("1000", error);
            until(failure, || (failed(&home) == failure).then_some(()));
            faults.end();
            assert_eq!(running.end().code, Some(0), "{case:?}");
            // A write that was about to fail may do so in other words.
            case.has_reached(&home, EVENTS, "can't write to the stdin of `sh`: ");
        }
    });
}

#[test]
fn an_input_that_has_no_room_for_a_while_is_waited_for() {
    each_case(&RUNNERS, |case| {
        let (home, running, faults) = case.start("1", "EAGAIN:when=1..20");
        faults.wait_for(20);
        assert_eq!(running.end().code, Some(0), "{case:?}");
        case.has_reached(&home, EVENTS, "`sh` failed with exit code 1");
    });
}

#[test]
fn an_input_that_never_has_room_acks_nothing() {
    each_case(&RUNNERS, |case| {
        let (home, running, faults) = case.start("1", "EAGAIN");
        faults.wait_for(20);
        interrupt(&running);
        assert_eq!(running.end().code, Some(143), "{case:?}");
        case.has_reached(&home, 0, "`sh` failed with exit code 1");
    });
}

#[test]
fn a_program_that_closes_its_input_is_written_to_no_more() {
    let home = Home::new();
    home.open().append(&vec![sized("s", &text_of(10_000)); 200]).unwrap();
    let log = home.place().join("writes");
    let strace = ["strace", "-D", "-f", "-b", "execve", "-o", log.to_str().unwrap()];
    let strace = [&strace[..], &["-e", "trace=write", "-e", "signal=none"]].concat();
    for args in [&["tail", "s"][..], &["tail", "s", "--as", "x"]] {
        let script = "exec <&-; exec sleep 1000";
        let args = [args, &["--", "sh", "-c", script]].concat();
        let running = Running::start(&mut home.wrapped(&strace, &args));
        // The program goes on, and so does what runs it.
        until("a closed pipe", || {
            fs::read_to_string(&log).ok().filter(|log| log.contains("EPIPE"))
        });
        interrupt(&running);
        assert_eq!(running.end().code, Some(143));
        fs::remove_file(&log).unwrap();
    }
}

#[test]
fn a_command_that_can_not_be_written_is_not_decided() {
    for (error, words) in [("ENOMEM", "Cannot allocate memory"), ("EIO", "Input/output error")] {
        let home = Home::with(1);
        // Its end with 0 would accept the command.
        let decide = ["decide", "s", "--id", "once", "--", "sh", "-c", "cat >/dev/null; exit 0"];
        let told = "error: can't write to the stdin of `sh`; nothing is stored in `s`\ncaused by: ";
        home.with_first_write(error, &decide).failed(1, &[told, words]);
        let answer = r#"read -r line; echo '{"append":{"type":"Decided"}}'"#;
        let again = home.run(&["decide", "s", "--id", "once", "--", "sh", "-c", answer]).done();
        assert!(again.contains("\"version\":2") && !again.contains("duplicate"), "{again}");
    }
    let home = Home::with(1);
    let decide = ["decide", "s", "--", "sh", "-c", r#"cat >/dev/null; echo '{"state":7}'"#];
    assert_eq!(home.with_first_write("EAGAIN", &decide).code, Some(0));
    assert_eq!(home.run(&["state", "get", "s", "--data"]).done(), "7\n");
}

impl Home {
    /// Runs `ream` to its end, whose first write in each thread fails.
    #[track_caller]
    fn with_first_write(&self, error: &str, args: &[&str]) -> crate::support::Ended {
        let inject = format!("inject=write:error={error}:when=1");
        let strace = ["strace", "-D", "-f", "-b", "execve", "-o", "/dev/null"];
        let strace = [&strace[..], &["-e", "trace=write", "-e", &inject]].concat();
        ended(&mut self.wrapped(&strace, args))
    }
}

#[test]
fn a_command_that_can_not_be_served_is_not_decided() {
    let home = Home::with(1);
    let script =
        r#"while read -r line; do echo '{"append":{"type":"Decided"}}'; echo '{"ack":2}'; done"#;
    let mut serving =
        Running::start(&mut home.ream(&["decide", "--serve", "--", "sh", "-c", script]));
    let (mut commands, answers) = (serving.stdin(), serving.lines());
    let errors = Lines::of(serving.stderr());
    let mut ask = |id: u32| {
        use std::io::Write as _;
        writeln!(commands, r#"{{"stream":"s","command":{{}},"id":"{id}"}}"#).unwrap();
    };
    ask(1);
    assert!(answers.next().unwrap().contains("\"version\":2"));
    let _faults = FailingWrites::of(&home, &serving, "ENOMEM:when=1");
    ask(2);
    assert_eq!(answers.next(), None);
    let told = errors.through(|line| line.starts_with("caused by: Cannot allocate memory"));
    assert!(told.iter().any(|line| line.contains("can't write to the stdin of `sh`")), "{told:?}");
    assert_eq!(serving.end().code, Some(1));
    assert_eq!(home.positions(), [1, 2]);
}

#[test]
fn events_that_can_not_be_written_to_a_listener_are_a_failure() {
    let home = Home::with(1);
    let script = "read -r line; echo heard; cat >/dev/null; exit 0";
    let mut tail = Running::start(&mut home.ream(&["tail", "s", "--", "sh", "-c", script]));
    assert_eq!(tail.lines().next().unwrap(), "heard");
    let _faults = FailingWrites::of(&home, &tail, "ENOMEM:when=1");
    home.append("s");
    tail.end()
        .failed(1, &["error: can't write to the stdin of `sh`\ncaused by: Cannot allocate memory"]);
}

#[test]
fn where_the_system_can_not_tell_what_was_read_only_acks_count() {
    let home = Home::with(2);
    let without = "mount --make-rprivate / && umount -l /proc && exec \"$@\"";
    let wrapper = ["unshare", "-m", "sh", "-c", without, "sh"];
    let tail = |options: &[&str], script: &str| {
        let tail = ["tail", "s", "--as", "x", "--until-caught-up", "--retries", "0"];
        let args = [&tail, options, &["--", "sh", "-c", script]].concat();
        ended(&mut home.wrapped(&wrapper, &args))
    };
    tail(&[], "cat >/dev/null").failed(
        1,
        &[
            "error: can't tell what `sh` has read of its input\ncaused by: No such file or directory",
            "hint: let it write {\"ack\":POSITION}, or run it with --per-event\n",
        ],
    );
    assert_eq!(home.open().subscription("x").unwrap().checkpoint.position.0, 0);
    assert!(tail(&[], "cat >/dev/null; echo '{\"ack\":1}'; exit 1").code == Some(7));
    tail(&["--per-event"], "cat >/dev/null").done();
    assert_eq!(home.open().subscription("x").unwrap().checkpoint.position.0, 2);
}
