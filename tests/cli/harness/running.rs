//! A command that is spoken with while it runs. Every wait has a deadline, and none is a sleep.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, ExitStatus};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::ioctl_fionread;
use rustix::process::{Pid, Signal, kill_process};

use super::redact::redact;
use super::run::{excerpt, exit_code};
use super::{DEADLINE, Ream};

/// What happens on the streams of a process, and at its end.
enum Heard {
    Line(String),
    OutputClosed,
    Errors(Vec<u8>),
    Ended(ExitStatus),
}

/// A process that runs. It is killed where the test does not see it end.
#[must_use = "a process that is started must be seen to end"]
pub(crate) struct Running<'r> {
    ream: &'r Ream,
    pid: Pid,
    stdin: Option<ChildStdin>,
    heard: Receiver<Heard>,
    /// What was heard before it was asked for.
    early: Vec<Heard>,
    lines: Vec<String>,
    shown: String,
    ended: bool,
}

impl<'r> Running<'r> {
    pub(super) fn start(ream: &'r Ream, mut child: Child, shown: String) -> Self {
        let (sender, heard) = mpsc::channel();
        let pid = Pid::from_child(&child);
        let stdin = child.stdin.take();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let out = sender.clone();
        thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n') {
                let Ok(line) = line else { break };
                let text = String::from_utf8_lossy(&line).into_owned();
                if out.send(Heard::Line(text)).is_err() {
                    return;
                }
            }
            // Who has gone need not be told.
            let _ = out.send(Heard::OutputClosed);
        });
        let errors = sender.clone();
        thread::spawn(move || errors.send(Heard::Errors(all(stderr))));
        thread::spawn(move || child.wait().map(|status| sender.send(Heard::Ended(status))));
        let (early, lines) = (Vec::new(), Vec::new());
        Self { ream, pid, stdin, heard, early, lines, shown, ended: false }
    }

    /// Sends a line.
    #[track_caller]
    pub(crate) fn say(&mut self, line: &str) -> &mut Self {
        self.write(&format!("{line}\n"))
    }

    /// Sends a piece of text.
    #[track_caller]
    pub(crate) fn write(&mut self, text: &str) -> &mut Self {
        let stdin = self.stdin.as_mut().unwrap();
        if let Err(error) = stdin.write_all(text.as_bytes()) {
            self.fail(&format!("can't be sent {text:?}: {error}"));
        }
        self
    }

    /// Waits until all that was sent has been read.
    #[track_caller]
    pub(crate) fn drained(&mut self) -> &mut Self {
        let end = Instant::now() + DEADLINE;
        while ioctl_fionread(self.stdin.as_ref().unwrap()).unwrap() > 0 {
            if Instant::now() > end {
                self.fail("did not read what it was sent");
            }
            thread::yield_now();
        }
        self
    }

    /// Sends more than a pipe holds, as it is taken, and then no end of input for the test.
    pub(crate) fn pour(&mut self, text: String) -> &mut Self {
        let mut stdin = self.stdin.take().unwrap();
        thread::spawn(move || stdin.write_all(text.as_bytes()));
        self
    }

    /// Closes its input.
    pub(crate) fn hang_up(&mut self) -> &mut Self {
        self.stdin = None;
        self
    }

    /// The next line of its output.
    #[track_caller]
    pub(crate) fn hear(&mut self) -> String {
        match self.next(|heard| matches!(heard, Heard::Line(_) | Heard::OutputClosed), DEADLINE) {
            Ok(Heard::Line(line)) => {
                self.lines.push(line.clone());
                redact(self.ream, &line)
            }
            Ok(_) => self.fail("closed its output where a line was expected"),
            Err(_) => self.fail("said nothing"),
        }
    }

    /// Hears exactly this line.
    #[track_caller]
    pub(crate) fn hears(&mut self, expected: &str) -> &mut Self {
        let found = self.hear();
        if found != expected {
            self.fail(&format!("should have said\n{expected}\nbut it said\n{found}"));
        }
        self
    }

    /// The next line, if it comes within that time.
    pub(crate) fn hears_within(&mut self, time: Duration) -> Option<String> {
        match self.next(|heard| matches!(heard, Heard::Line(_) | Heard::OutputClosed), time) {
            Ok(Heard::Line(line)) => Some(line),
            _ => None,
        }
    }

    pub(crate) fn signal(&mut self, signal: Signal) -> &mut Self {
        kill_process(self.pid, signal).unwrap();
        self
    }

    /// Ends with this code, without a word more on stdout, and nothing on stderr.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) {
        self.ends_saying(code, "", "");
    }

    /// Ends with 0, as [`Running::ends`], behind a chain.
    #[track_caller]
    pub(crate) fn ends_by_itself(&mut self) {
        let ended = self.end();
        if ended != (0, String::new(), String::new()) {
            self.fail(&format!("should have ended quietly, but it ended with {ended:?}"));
        }
    }

    /// Ends with this code, the rest of stdout, and stderr.
    #[track_caller]
    pub(crate) fn ends_saying(mut self, code: i32, stdout: &str, stderr: &str) {
        let (found, rest, errors) = self.end();
        if (found, &*rest, &*errors) != (code, stdout, stderr) {
            self.fail(&format!(
                "should have ended with {code}, stdout {stdout:?}, stderr {stderr:?}\n\
                 but it ended with {found}, stdout {rest:?}, stderr {errors:?}"
            ));
        }
    }

    /// Waits for its end: the code, the rest of stdout, and stderr.
    #[track_caller]
    pub(crate) fn end(&mut self) -> (i32, String, String) {
        self.hang_up().end_by_itself()
    }

    /// The same, though its input stays open.
    #[track_caller]
    pub(crate) fn end_by_itself(&mut self) -> (i32, String, String) {
        let mut rest = String::new();
        loop {
            match self.next(|heard| matches!(heard, Heard::Line(_) | Heard::OutputClosed), DEADLINE)
            {
                Ok(Heard::Line(line)) => {
                    rest.push_str(&line);
                    rest.push('\n');
                }
                Ok(_) => break,
                Err(_) => self.fail("did not close its output"),
            }
        }
        let Ok(Heard::Errors(errors)) = self.next(|h| matches!(h, Heard::Errors(_)), DEADLINE)
        else {
            self.fail("did not close stderr")
        };
        let Ok(Heard::Ended(status)) = self.next(|h| matches!(h, Heard::Ended(_)), DEADLINE) else {
            self.fail("did not end")
        };
        self.ended = true;
        let errors = String::from_utf8_lossy(&errors).into_owned();
        (exit_code(status), redact(self.ream, &rest), redact(self.ream, &errors))
    }

    /// The next thing of a kind.
    fn next(
        &mut self,
        wanted: impl Fn(&Heard) -> bool,
        within: Duration,
    ) -> Result<Heard, RecvTimeoutError> {
        if let Some(at) = self.early.iter().position(&wanted) {
            return Ok(self.early.remove(at));
        }
        let end = Instant::now() + within;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let heard = self.heard.recv_timeout(left)?;
            if wanted(&heard) {
                return Ok(heard);
            }
            self.early.push(heard);
        }
    }

    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        panic!(
            "{what}\n{}  stdout so far: {}",
            self.shown,
            excerpt(self.lines.join("\n").as_bytes())
        )
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // Where it has ended by itself, there is nothing to kill.
            let _ = kill_process(self.pid, Signal::KILL);
        }
    }
}

/// Waits for the end of a process: how it ended, stdout, stderr; or what was on its screen, and
/// nothing. Kills it at the deadline.
pub(super) fn collect(
    mut child: Child,
    screen: Option<File>,
) -> Result<(ExitStatus, Vec<u8>, Vec<u8>), RecvTimeoutError> {
    let pid = Pid::from_child(&child);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let errors = thread::spawn(move || stderr.map(all).unwrap_or_default());
        let output = screen.map(all).or_else(|| stdout.map(all)).unwrap_or_default();
        let errors = errors.join().unwrap_or_default();
        child.wait().map(|status| sender.send((status, output, errors)))
    });
    let ended = receiver.recv_timeout(DEADLINE);
    if ended.is_err() {
        // It hangs, or it has just ended: then there is nothing to kill.
        let _ = kill_process(pid, Signal::KILL);
    }
    ended
}

fn all(mut source: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What was read before an error is all there is.
    let _ = source.read_to_end(&mut bytes);
    bytes
}
