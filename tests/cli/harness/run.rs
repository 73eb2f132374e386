//! A command that is run to its end, and what is expected of it.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use super::redact::redact;
use super::running::{Running, collect};
use super::terminal::Terminal;
use super::{DEADLINE, Ream};

/// A command, and what is expected of it. Nothing is run before what comes of it is asked for.
#[must_use = "nothing is run before what comes of it is asked for"]
pub(crate) struct Run<'r> {
    ream: &'r Ream,
    words: Vec<OsString>,
    input: Option<Vec<u8>>,
    /// What is typed on the terminal, where there is one.
    typed: Option<Vec<u8>>,
    /// Whether the terminal is not looked at before results are kept for it.
    slow: bool,
    environment: Vec<(OsString, OsString)>,
    directory: PathBuf,
    code: i32,
    stderr: Expected,
}

/// What is expected on stderr.
enum Expected {
    Exactly(String),
    Parts(Vec<String>),
}

impl<'r> Run<'r> {
    pub(super) fn new(ream: &'r Ream, words: Vec<OsString>) -> Self {
        Self {
            ream,
            words,
            input: None,
            typed: None,
            slow: false,
            environment: Vec::new(),
            directory: ream.home().to_owned(),
            code: 0,
            stderr: Expected::Exactly(String::new()),
        }
    }

    /// More arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.words.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// What comes on stdin; nothing without.
    pub(crate) fn stdin(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// Runs with a terminal for stdout and stderr, and for stdin where nothing else comes on it.
    /// What it shows counts as stdout.
    pub(crate) fn on_terminal(self) -> Self {
        self.typed("")
    }

    /// The same, and someone types this.
    pub(crate) fn typed(mut self, text: &str) -> Self {
        self.typed = Some(text.into());
        self
    }

    /// Runs with a terminal that shows nothing before the program has put results aside for it.
    pub(crate) fn on_slow_terminal(mut self) -> Self {
        self.slow = true;
        self.on_terminal()
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Runs in another directory than that of the test.
    pub(crate) fn within(mut self, directory: impl AsRef<Path>) -> Self {
        self.directory = self.ream.path(directory);
        self
    }

    /// Expects this exit code; 128 and the number of a signal that ended it, as a shell shows it.
    pub(crate) fn code(mut self, code: i32) -> Self {
        self.code = code;
        self
    }

    /// Expects exactly this on stderr.
    pub(crate) fn stderr(mut self, text: impl Into<String>) -> Self {
        self.stderr = Expected::Exactly(text.into());
        self
    }

    /// Expects each of these on stderr.
    pub(crate) fn stderr_has<const N: usize>(mut self, parts: [&str; N]) -> Self {
        self.stderr = Expected::Parts(parts.map(str::to_owned).into());
        self
    }

    /// Ends as expected, whatever is on stdout.
    #[track_caller]
    pub(crate) fn ok(self) -> &'r Ream {
        let ream = self.ream;
        self.bytes();
        ream
    }

    /// Ends as expected, with exactly this on stdout.
    #[track_caller]
    pub(crate) fn stdout(self, expected: &str) -> &'r Ream {
        let ream = self.ream;
        let ended = self.end();
        let found = redact(ream, &ended.out());
        assert!(
            found == expected,
            "stdout should have been\n{expected}\nbut it was\n{found}\n{}",
            ended.dump
        );
        ream
    }

    /// Ends as expected, with each of these on stdout.
    #[track_caller]
    pub(crate) fn stdout_has<const N: usize>(self, parts: [&str; N]) -> &'r Ream {
        let ream = self.ream;
        let ended = self.end();
        let found = redact(ream, &ended.out());
        for part in parts {
            assert!(found.contains(part), "stdout should have had {part:?}\n{}", ended.dump);
        }
        ream
    }

    /// Fails with this code, exactly this on stderr, and nothing on stdout.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, stderr: &str) -> &'r Ream {
        self.code(code).stderr(stderr).stdout("")
    }

    /// Fails with this code, each of these on stderr, and nothing on stdout.
    #[track_caller]
    pub(crate) fn fails_with<const N: usize>(self, code: i32, parts: [&str; N]) -> &'r Ream {
        self.code(code).stderr_has(parts).stdout("")
    }

    /// What is on stdout, as it is.
    #[track_caller]
    pub(crate) fn bytes(self) -> Vec<u8> {
        self.end().stdout
    }

    /// What is on stderr, as it is.
    #[track_caller]
    pub(crate) fn errors(mut self) -> Vec<u8> {
        self.stderr = Expected::Parts(Vec::new());
        self.end().errors
    }

    /// What is on stdout, as text without the things that differ from run to run.
    #[track_caller]
    pub(crate) fn text(self) -> String {
        let ream = self.ream;
        redact(ream, &self.end().out())
    }

    /// The lines on stdout, as JSON.
    #[track_caller]
    pub(crate) fn values(self) -> Vec<Value> {
        let ended = self.end();
        let parse = |line: &str| match serde_json::from_str(line) {
            Ok(value) => value,
            Err(error) => panic!("{line:?} is not valid JSON: {error}\n{}", ended.dump),
        };
        ended.out().lines().map(parse).collect()
    }

    /// The one line on stdout, as JSON.
    #[track_caller]
    pub(crate) fn value(self) -> Value {
        let mut values = self.values();
        assert_eq!(values.len(), 1, "one line was expected: {values:?}");
        values.remove(0)
    }

    /// Starts it, to be spoken with.
    #[track_caller]
    pub(crate) fn start(self) -> Running<'r> {
        Running::start(self.ream, self.spawn(Stdio::piped()), self.shown())
    }

    /// Runs to the end, and checks the exit code and stderr.
    #[track_caller]
    fn end(self) -> Ended {
        let shown = self.shown();
        let (mut child, screen) = if let Some(typed) = &self.typed {
            let (child, screen) = self.spawn_on_terminal(typed);
            if self.slow {
                wait_until_results_are_kept(&child);
            }
            (child, Some(screen))
        } else {
            let input = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
            (self.spawn(input), None)
        };
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), self.input.clone()) {
            // A program that does not read to the end is none of this thread's business.
            thread::spawn(move || stdin.write_all(&input));
        }
        let Ok((status, stdout, stderr)) = collect(child, screen) else {
            panic!("still running after {DEADLINE:?}\n{shown}");
        };
        let ended = Ended::new(status, stdout, stderr.clone(), &shown);
        assert!(ended.code == self.code, "should have ended with {}\n{}", self.code, ended.dump);
        let found = redact(self.ream, &String::from_utf8_lossy(&stderr));
        match &self.stderr {
            Expected::Exactly(expected) => assert!(
                found == *expected,
                "stderr should have been\n{expected}\nbut it was\n{found}\n{}",
                ended.dump
            ),
            Expected::Parts(parts) => {
                for part in parts {
                    assert!(
                        found.contains(part),
                        "stderr should have had {part:?}\n{}",
                        ended.dump
                    );
                }
            }
        }
        ended
    }

    fn command(&self) -> Command {
        let mut command = self.ream.command(&self.words);
        command.current_dir(&self.directory).envs(self.environment.iter().cloned());
        command
    }

    fn spawn_on_terminal(&self, typed: &[u8]) -> (Child, File) {
        let mut terminal = Terminal::new();
        terminal.type_text(typed);
        let mut command = self.command();
        command.env("TERM", "xterm").stdout(terminal.side()).stderr(terminal.side());
        command.stdin(if self.input.is_some() { Stdio::piped() } else { terminal.side() });
        (command.spawn().unwrap(), terminal.screen())
    }

    fn spawn(&self, stdin: Stdio) -> Child {
        let mut command = self.command();
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// The command and where it runs, for who reads of a failure.
    fn shown(&self) -> String {
        let mut shown = format!("  command: {:?}\n", self.words);
        // Writing into a string does not fail.
        let _ = writeln!(shown, "  directory: {}", self.directory.display());
        if !self.environment.is_empty() {
            let _ = writeln!(shown, "  environment: {:?}", self.environment);
        }
        if let Some(input) = &self.input {
            let _ = writeln!(shown, "  stdin: {}", excerpt(input));
        }
        shown
    }
}

/// How a command ended.
struct Ended {
    code: i32,
    stdout: Vec<u8>,
    errors: Vec<u8>,
    /// All of it, for who reads of a failure.
    dump: String,
}

impl Ended {
    fn new(status: ExitStatus, stdout: Vec<u8>, errors: Vec<u8>, shown: &str) -> Self {
        let code = exit_code(status);
        let dump = format!(
            "{shown}  exit code: {code}\n  stdout: {}\n  stderr: {}",
            excerpt(&stdout),
            excerpt(&errors)
        );
        Self { code, stdout, errors, dump }
    }

    fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// Waits until a process has a file open that has no name.
#[track_caller]
fn wait_until_results_are_kept(child: &Child) {
    let descriptors = format!("/proc/{}/fd", child.id());
    let deadline = Instant::now() + DEADLINE;
    loop {
        let open = fs::read_dir(&descriptors).into_iter().flatten().flatten();
        let files = open.filter_map(|entry| fs::read_link(entry.path()).ok());
        if files.into_iter().any(|file| file.to_string_lossy().ends_with(" (deleted)")) {
            return;
        }
        assert!(Instant::now() < deadline, "no results are kept in a file");
        thread::yield_now();
    }
}

/// The exit code as a shell shows it.
pub(super) fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// The text, but for the middle of a long one.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    const ENDS: usize = 2000;
    if bytes.len() <= 2 * ENDS {
        return format!("{:?}", String::from_utf8_lossy(bytes));
    }
    format!(
        "{:?} … {} bytes … {:?}",
        String::from_utf8_lossy(&bytes[..ENDS]),
        bytes.len() - 2 * ENDS,
        String::from_utf8_lossy(&bytes[bytes.len() - ENDS..])
    )
}
