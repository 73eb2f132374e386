//! External programs: run as processes, spoken with by lines.
//!
//! Knows pipes, limits and endings, and the protocol; no SQL and no terminal. A program runs in a
//! process group of its own, which is ended with it. Each of its pipes has a thread, so that neither
//! side can block the other; what is read is handed over by a bounded queue.

mod aggregator;
mod answer;
mod error;

use std::ffi::OsString;
use std::io::{self, Read, Write as _};
use std::marker::PhantomData;
use std::ops::Range;
use std::path::Path;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::platform::Process;
use crate::wire::Lines;

pub use aggregator::{Aggregator, Refusal, Serving};
pub use error::{LastWords, ProgramError, Wrote};

/// How long a line may be, and an answer, in bytes.
const LONGEST: usize = 64 * 1024 * 1024;
/// How many chunks of output wait to be heard.
const WAITING: usize = 4;
/// How much of the end of stderr is kept.
const KEPT: usize = 4096;
/// How long what a program leaves behind is waited for.
const GRACE: Duration = Duration::from_secs(1);
/// How often who waits looks whether it was interrupted.
const LOOK: Duration = Duration::from_millis(50);

/// A program to run: its file and arguments, never a line for a shell.
#[derive(Debug, Clone)]
pub struct Program {
    words: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    interrupt: Option<Arc<AtomicBool>>,
}

impl Program {
    /// The program `file`, found as the system finds programs, with these arguments.
    pub fn new(file: impl Into<OsString>, args: impl IntoIterator<Item = OsString>) -> Self {
        let words = std::iter::once(file.into()).chain(args).collect();
        Self { words, environment: Vec::new(), interrupt: None }
    }

    /// The same, with `REAM_STORE` in its environment: the store's directory.
    #[must_use]
    pub fn on_store(mut self, path: &Path) -> Self {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        self.environment.push(("REAM_STORE".into(), path.into()));
        self
    }

    /// The same, ended when the flag is set to `true`.
    #[must_use]
    pub fn interrupted_by(mut self, flag: Arc<AtomicBool>) -> Self {
        self.interrupt = Some(flag);
        self
    }

    /// How errors call it.
    fn name(&self) -> String {
        self.words[0].to_string_lossy().into_owned()
    }

    /// Starts it.
    fn start(&self) -> Result<Running, ProgramError> {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Process::start(&mut command)
            .map_err(|source| ProgramError::NotStarted { program: self.name(), source })?;
        let pipes = process
            .with_child(|child| (child.stdin.take(), child.stdout.take(), child.stderr.take()));
        let (sender, heard) = mpsc::sync_channel(WAITING);
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let (lines, input) = mpsc::sync_channel(WAITING);
        if let (Some(stdin), Some(stdout), Some(errors)) = pipes {
            let kept = Arc::clone(&stderr);
            let (of_output, of_errors, of_end) = (sender.clone(), sender.clone(), sender);
            let watcher = process.watcher();
            thread::spawn(move || write_all(stdin, &input));
            thread::spawn(move || read_output(stdout, &of_output));
            thread::spawn(move || pass_on(errors, &kept, &of_errors));
            thread::spawn(move || {
                watcher();
                // Who is gone needs to hear nothing, here and below.
                let _ = of_end.send(Heard::Exit);
            });
        }
        Ok(Running {
            name: self.name(),
            process,
            input: Some(lines),
            heard,
            chunk: Vec::new(),
            at: 0,
            given: 0..0,
            line: 0,
            output_ended: false,
            errors_ended: false,
            exited: None,
            stderr,
            interrupt: self.interrupt.clone(),
            on_its_thread: PhantomData,
        })
    }
}

/// What is heard of a program.
enum Heard {
    /// Whole lines of its output; the last one may lack its end where the output has ended.
    Lines(Vec<u8>),
    /// The end of its output.
    OutputEnd(io::Result<()>),
    /// The end of its stderr.
    ErrorsEnd,
    /// Its own end.
    Exit,
}

/// A program that runs. It is ended when this is dropped.
struct Running {
    name: String,
    process: Process,
    /// What goes to its stdin.
    input: Option<SyncSender<Vec<u8>>>,
    heard: Receiver<Heard>,
    /// Lines that were heard, those up to `at` given out.
    chunk: Vec<u8>,
    at: usize,
    /// Where the line is that was given out last, and its number.
    given: Range<usize>,
    line: u64,
    output_ended: bool,
    errors_ended: bool,
    /// When it was heard that it has ended.
    exited: Option<Instant>,
    /// The end of what it wrote to stderr.
    stderr: Arc<Mutex<Vec<u8>>>,
    interrupt: Option<Arc<AtomicBool>>,
    /// It dies with the thread that started it, so it can't be taken to another.
    on_its_thread: PhantomData<*const ()>,
}

/// Until when something is waited for.
#[derive(Clone, Copy)]
struct Deadline {
    at: Instant,
    timeout: Duration,
}

impl Deadline {
    fn after(timeout: Duration) -> Self {
        let far = Duration::from_secs(365 * 24 * 3600);
        Self { at: Instant::now() + timeout.min(far), timeout }
    }
}

impl Running {
    /// Writes a line to its stdin, soon. A program that reads no more is no failure of itself.
    fn tell(&mut self, line: Vec<u8>, deadline: Deadline) -> Result<(), ProgramError> {
        let mut line = Some(line);
        while let (Some(input), Some(told)) = (&self.input, line.take()) {
            match input.try_send(told) {
                Ok(()) | Err(mpsc::TrySendError::Disconnected(_)) => {}
                Err(mpsc::TrySendError::Full(told)) => {
                    line = Some(told);
                    self.check(deadline)?;
                    thread::sleep(Duration::from_millis(1));
                }
            }
        }
        Ok(())
    }

    /// Ends its stdin, behind what was written.
    fn end_input(&mut self) {
        self.input = None;
    }

    /// Gives out its next line that is not empty, and tells its number; nothing where its output has
    /// ended.
    fn next_line(&mut self, deadline: Deadline) -> Result<Option<u64>, ProgramError> {
        loop {
            if self.at < self.chunk.len() {
                let rest = &self.chunk[self.at..];
                let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                self.given = self.at..self.at + length;
                self.at += length + 1;
                self.line += 1;
                if !self.text().iter().all(u8::is_ascii_whitespace) {
                    return Ok(Some(self.line));
                }
            } else if self.output_ended {
                return Ok(None);
            } else {
                self.hear(deadline)?;
            }
        }
    }

    /// The line that was given out last.
    fn text(&self) -> &[u8] {
        &self.chunk[self.given.clone()]
    }

    /// Waits until it has closed its output and ended, and that it ended well.
    fn finish(&mut self, deadline: Deadline) -> Result<(), ProgramError> {
        self.end_input();
        while !self.output_ended || self.exited.is_none() {
            self.hear(deadline)?;
        }
        let (status, source) = self.end()?;
        if status.success() {
            return Ok(());
        }
        Err(ProgramError::Failed { program: self.name.clone(), status, source })
    }

    /// That it says no more and ends well; `reason` is why it must not say more.
    fn finish_silently(&mut self, reason: &str, deadline: Deadline) -> Result<(), ProgramError> {
        self.end_input();
        match self.next_line(deadline)? {
            None => self.finish(deadline),
            Some(number) => Err(self.bad_reply(number, reason.into(), deadline)),
        }
    }

    /// That it runs, and says nothing that it was not asked for.
    fn check_idle(&mut self, deadline: Deadline) -> Result<(), ProgramError> {
        while let Ok(heard) = self.heard.try_recv() {
            self.file(heard)?;
        }
        if self.at < self.chunk.len() {
            return self.finish_silently("a reply to no command", deadline);
        }
        if self.output_ended || self.exited.is_some() {
            return Err(self.ended_early(deadline));
        }
        Ok(())
    }

    /// Why it ended before its input did.
    fn ended_early(&mut self, deadline: Deadline) -> ProgramError {
        if let Err(error) = self.finish(deadline) {
            return error;
        }
        let source = self.last_words();
        ProgramError::EndedEarly { program: self.name.clone(), source }
    }

    /// Ends it and what it started, and tells how it ended and what it said last.
    fn end(&mut self) -> Result<(std::process::ExitStatus, Option<LastWords>), ProgramError> {
        let status = self.process.end();
        let status = status.map_err(|source| self.unreadable(source))?;
        // What it wrote to stderr is passed on before we go on.
        let begun = Instant::now();
        while !self.errors_ended {
            let left = GRACE.saturating_sub(begun.elapsed());
            match self.heard.recv_timeout(left) {
                Ok(heard) => self.file(heard)?,
                Err(_) => break,
            }
        }
        Ok((status, self.last_words()))
    }

    fn last_words(&self) -> Option<LastWords> {
        LastWords::of(&self.stderr.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// That the line that was given out is no reply.
    fn bad_reply(&mut self, line: u64, reason: String, deadline: Deadline) -> ProgramError {
        let source = Wrote::new(self.text());
        // Half a line is what a program leaves that fails while it writes.
        if self.at > self.chunk.len()
            && let Err(error) = self.finish(deadline)
        {
            return error;
        }
        ProgramError::BadReply { program: self.name.clone(), line, reason, source }
    }

    fn unreadable(&self, source: io::Error) -> ProgramError {
        ProgramError::Unreadable { program: self.name.clone(), source }
    }

    /// Waits for the next thing that is heard of it.
    fn hear(&mut self, deadline: Deadline) -> Result<(), ProgramError> {
        loop {
            let left = self.check(deadline)?;
            match self.heard.recv_timeout(left.min(LOOK)) {
                Ok(heard) => return self.file(heard),
                Err(RecvTimeoutError::Timeout) => {}
                // All has been heard.
                Err(RecvTimeoutError::Disconnected) => {
                    self.output_ended = true;
                    self.errors_ended = true;
                    self.exited.get_or_insert_with(Instant::now);
                    return Ok(());
                }
            }
        }
    }

    /// Takes note of something.
    fn file(&mut self, heard: Heard) -> Result<(), ProgramError> {
        match heard {
            Heard::Lines(lines) if self.at >= self.chunk.len() => {
                (self.chunk, self.at) = (lines, 0)
            }
            Heard::Lines(lines) => self.chunk.extend_from_slice(&lines),
            Heard::OutputEnd(end) => {
                self.output_ended = true;
                end.map_err(|error| match error.kind() {
                    io::ErrorKind::InvalidData => self.too_long(),
                    _ => self.unreadable(error),
                })?;
            }
            Heard::ErrorsEnd => self.errors_ended = true,
            Heard::Exit => self.exited = Some(Instant::now()),
        }
        Ok(())
    }

    /// That its output goes on behind its end, unless that is a failure itself.
    fn held_open(&mut self) -> ProgramError {
        let program = self.name.clone();
        match self.end() {
            Ok((status, source)) if !status.success() => {
                ProgramError::Failed { program, status, source }
            }
            Ok(_) => ProgramError::HeldOpen { program },
            Err(error) => error,
        }
    }

    fn too_long(&self) -> ProgramError {
        ProgramError::TooLong { program: self.name.clone(), max: LONGEST }
    }

    /// How long may still be waited. Fails where that is over; an interrupt gives the program time to
    /// end by itself.
    fn check(&mut self, deadline: Deadline) -> Result<Duration, ProgramError> {
        if self.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            self.process.interrupt();
            let begun = Instant::now();
            while self.exited.is_none() && begun.elapsed() < GRACE {
                if let Ok(heard) = self.heard.recv_timeout(LOOK) {
                    // Only its end matters now.
                    let _ = self.file(heard);
                }
            }
            // So that what it said last is passed on.
            let _ = self.end();
            return Err(ProgramError::Interrupted);
        }
        let left = deadline.at.saturating_duration_since(Instant::now());
        if let Some(exited) = self.exited {
            let left = left.min(GRACE.saturating_sub(exited.elapsed()));
            return if left.is_zero() { Err(self.held_open()) } else { Ok(left) };
        }
        if left.is_zero() {
            let (program, timeout) = (self.name.clone(), deadline.timeout);
            return Err(ProgramError::TimedOut { program, timeout });
        }
        Ok(left)
    }
}

/// Writes what comes to a program's stdin, until it reads no more.
fn write_all(mut stdin: ChildStdin, input: &Receiver<Vec<u8>>) {
    for line in input {
        if stdin.write_all(&line).is_err() {
            return;
        }
    }
}

/// Reads a program's output, and hands over whole lines as they come.
fn read_output(stdout: ChildStdout, heard: &SyncSender<Heard>) {
    let mut lines = Lines::new(stdout, LONGEST);
    let end = loop {
        match lines.fill() {
            Ok(true) => {
                let whole = lines.take_whole();
                if !whole.is_empty() && heard.send(Heard::Lines(whole)).is_err() {
                    return;
                }
            }
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    if end.is_ok() && !lines.rest().is_empty() {
        // As at the start.
        let _ = heard.send(Heard::Lines(lines.rest().to_vec()));
    }
    let _ = heard.send(Heard::OutputEnd(end));
}

/// Passes a program's stderr on to ours, and keeps its end.
fn pass_on(mut errors: ChildStderr, kept: &Mutex<Vec<u8>>, heard: &SyncSender<Heard>) {
    let mut buffer = vec![0; 8192];
    loop {
        let read = match errors.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Ok(read) if read > 0 => &buffer[..read],
            _ => break,
        };
        // A closed stderr leaves no one to tell.
        let _ = io::stderr().write_all(read);
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(read);
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
    }
    let _ = heard.send(Heard::ErrorsEnd);
}
