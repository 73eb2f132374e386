//! Processes: run to their end, or watched line by line; nothing is waited for without end.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up. No test succeeds by it.
const DEADLINE: Duration = Duration::from_secs(60);

/// Looks again and again until `look` finds something.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "it never came: {what}");
        thread::yield_now();
    }
}

/// How a process ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    #[expect(dead_code, reason = "a failed test shows it")]
    command: String,
    /// The exit code; `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// That it ended with 0 and complained of nothing; its output.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!((self.code, &*self.stderr), (Some(0), ""), "{self:#?}");
        self.stdout
    }

    /// That it failed with `code` and said each of `words`.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(self.stderr.starts_with("error: ") || words.is_empty(), "{self:#?}");
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is missing: {self:#?}");
        }
        self
    }

    /// That it ended with 0 and warned with each of `words`; its output.
    #[track_caller]
    pub(crate) fn warned(self, words: &[&str]) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        assert!(self.stderr.starts_with("warning: "), "{self:#?}");
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is missing: {self:#?}");
        }
        self.stdout
    }
}

/// Runs a command, its input empty, to its end.
#[track_caller]
pub(crate) fn ended(command: &mut Command) -> Ended {
    ended_with_input(command, "")
}

/// Runs a command with this input to its end.
#[track_caller]
pub(crate) fn ended_with_input(command: &mut Command, input: &str) -> Ended {
    let mut running = Running::start(command);
    let mut stdin = running.stdin();
    let input = input.to_owned();
    // One that ends without reading breaks the pipe, and that is its business.
    let writing = thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let ended = running.end();
    writing.join().unwrap();
    ended
}

/// A process that runs, and is ended when the test does.
pub(crate) struct Running {
    command: String,
    child: Child,
}

impl Running {
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { command: format!("{command:?}"), child }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().unwrap()
    }

    pub(crate) fn stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().unwrap()
    }

    pub(crate) fn stderr(&mut self) -> ChildStderr {
        self.child.stderr.take().unwrap()
    }

    pub(crate) fn lines(&mut self) -> Lines {
        Lines::of(self.stdout())
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
    }

    /// Waits for its end. What of its output was not taken is in the answer.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        drop(self.child.stdin.take());
        let stdout = gather(self.child.stdout.take());
        let stderr = gather(self.child.stderr.take());
        let code = until(&format!("the end of {}", self.command), || {
            self.child.try_wait().unwrap().map(|status| status.code())
        });
        let command = std::mem::take(&mut self.command);
        Ended { command, code, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        // It is gone either way.
        let _ = self.child.wait();
    }
}

fn gather(source: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut source) = source {
            source.read_to_end(&mut bytes).unwrap();
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The lines of an output, as they come.
pub(crate) struct Lines(Receiver<String>);

impl Lines {
    pub(crate) fn of(source: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(source).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self(receiver)
    }

    /// The next line; `None` where the output has ended.
    #[track_caller]
    pub(crate) fn next(&self) -> Option<String> {
        match self.0.recv_timeout(DEADLINE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no line came"),
        }
    }

    /// The next `count` lines.
    #[track_caller]
    pub(crate) fn take(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.next().expect("the output ended")).collect()
    }

    /// The lines up to one that `is` is true of, itself included.
    #[track_caller]
    pub(crate) fn through(&self, mut is: impl FnMut(&str) -> bool) -> Vec<String> {
        let (begun, mut lines) = (Instant::now(), Vec::new());
        loop {
            assert!(begun.elapsed() < DEADLINE, "it never came: {lines:#?}");
            let line = self.next().unwrap_or_else(|| panic!("the output ended: {lines:#?}"));
            let found = is(&line);
            lines.push(line);
            if found {
                return lines;
            }
        }
    }
}
