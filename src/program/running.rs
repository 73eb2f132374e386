//! A program that runs: its pipes, how long it may take, and how it ends.

use std::io::{self, Read as _, Write as _};
use std::marker::PhantomData;
use std::process::{ChildStderr, ExitStatus};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::error::{LastWords, ProgramError, Wrote};
use super::stdin::Stdin;
use super::{LONGEST, Program};
use crate::platform::{Input, Output, Pipes, Process, spawn};
use crate::store::Error;
use crate::wait::{self, Deadline};
use crate::wire::Lines;

/// How much of the end of stderr is kept, in bytes.
const KEPT: usize = 4096;
/// How long what a program leaves behind is waited for.
const GRACE: Duration = Duration::from_secs(1);

/// A program that runs. It is ended when this is dropped.
pub(super) struct Running {
    name: String,
    process: Process,
    stdin: Stdin,
    lines: Lines<Output>,
    /// The number of the line that was heard last.
    line: u64,
    /// Whether its output has ended, and whether a last line without an end was heard.
    output_ended: bool,
    heard_rest: bool,
    /// When it was seen that it has ended.
    ended: Option<Instant>,
    /// The end of what it wrote to stderr.
    stderr: Arc<Mutex<Vec<u8>>>,
    /// Disconnected when that has ended.
    errors: Receiver<()>,
    interrupt: Option<Arc<AtomicBool>>,
    signal: Option<Arc<AtomicUsize>>,
    /// It dies with the thread that started it, so it can't be taken to another.
    on_its_thread: PhantomData<*const ()>,
}

/// What a program was heard to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// A line that is not empty, of this number.
    Line(u64),
    /// Nothing, up to now.
    Nothing,
    /// Its output has ended.
    End,
}

impl Running {
    pub(super) fn start(program: &Program) -> Result<Self, ProgramError> {
        let (command, name) = program.command();
        let (process, Pipes { input, output, errors }) = match Process::start(command) {
            Ok(started) => started,
            Err(source) => {
                let file = program.file();
                return Err(ProgramError::NotStarted { program: name, file, source });
            }
        };
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&stderr);
        let (until_end, errors_end) = mpsc::channel();
        let passing = spawn(move || pass_on(errors, &kept, until_end));
        if let Err(source) = passing {
            let file = program.file();
            return Err(ProgramError::NotStarted { program: name, file, source });
        }
        Ok(Self {
            name,
            process,
            stdin: Stdin::new(input),
            lines: Lines::new(output, LONGEST),
            line: 0,
            output_ended: false,
            heard_rest: false,
            ended: None,
            stderr,
            errors: errors_end,
            interrupt: program.interrupt.clone(),
            signal: program.signal.clone(),
            on_its_thread: PhantomData,
        })
    }

    /// Writes a line to its stdin: what there is room for, and the rest while it is waited for.
    pub(super) fn tell(&mut self, line: &[u8]) -> Result<(), ProgramError> {
        self.stdin.push(line);
        self.write_on()
    }

    /// Ends its stdin, behind what was written.
    pub(super) fn end_input(&mut self) -> Result<(), ProgramError> {
        self.stdin.end();
        self.write_on()
    }

    /// Writes what there is room for. That it reads no more is no failure here.
    fn write_on(&mut self) -> Result<(), ProgramError> {
        self.stdin.write_on().map_err(|source| self.unwritable(source))
    }

    /// Hears its next line that is not empty, and tells its number; nothing where its output has
    /// ended.
    pub(super) fn next_line(&mut self, deadline: Deadline) -> Result<Option<u64>, ProgramError> {
        loop {
            if !self.lines.find_whole() {
                if !self.output_ended {
                    self.read_on(deadline)?;
                    continue;
                }
                self.heard_rest = self.lines.find_rest();
                if !self.heard_rest {
                    return Ok(None);
                }
            }
            self.line += 1;
            if !self.text().iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(self.line));
            }
        }
    }

    /// Takes its stdin over.
    pub(super) fn take_input(&mut self) -> Option<Input> {
        self.stdin.take()
    }

    /// That it has read its input to the end, where the system can tell; it has ended.
    pub(super) fn check_read(&mut self) -> Result<(), ProgramError> {
        match self.stdin.was_read() {
            Ok(false) => Err(self.early_end()),
            Ok(true) | Err(_) => Ok(()),
        }
    }

    /// Hears what it has written, without waiting.
    pub(super) fn hear(&mut self) -> Result<Heard, ProgramError> {
        loop {
            if self.lines.find_whole() || self.output_ended && self.lines.find_rest() {
                self.heard_rest = self.output_ended && self.lines.rest().is_empty();
                self.line += 1;
                if self.text().iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                return Ok(Heard::Line(self.line));
            }
            if self.output_ended {
                return Ok(Heard::End);
            }
            match self.lines.fill() {
                Ok(more) => self.output_ended = !more,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Heard::Nothing);
                }
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return Err(self.too_long());
                }
                Err(error) => return Err(self.unreadable(error)),
            }
        }
    }

    /// Waits until it has written something or has ended, at most for `timeout`. Fails where it has
    /// ended, and its output does not.
    pub(super) fn wait_for_words(&mut self, timeout: Duration) -> Result<(), ProgramError> {
        self.look(timeout)?;
        match self.ended {
            Some(ended) if ended.elapsed() >= GRACE => Err(self.held_open()),
            _ => Ok(()),
        }
    }

    /// Whether it is to be interrupted.
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// Asks it to end, by the signal that we were asked by.
    pub(super) fn ask_to_end(&mut self) {
        let signal = self.signal.as_ref().map(|number| number.load(Ordering::Relaxed));
        self.process.interrupt(signal.and_then(|number| i32::try_from(number).ok()));
    }

    /// Whether it has ended; waits for that at most for `timeout`.
    pub(super) fn has_ended(&mut self, timeout: Duration) -> Result<bool, ProgramError> {
        if self.ended.is_none() {
            self.look(timeout)?;
        }
        Ok(self.ended.is_some())
    }

    /// Ends what is left of it, and that it ended well.
    pub(super) fn ends_well(&mut self) -> Result<(), ProgramError> {
        let (status, source) = self.end()?;
        if status.success() {
            return Ok(());
        }
        Err(ProgramError::Failed { program: self.name.clone(), status, source })
    }

    /// The line that was heard last.
    pub(super) fn text(&self) -> &[u8] {
        self.lines.found()
    }

    /// Reads what it has written, once it has.
    fn read_on(&mut self, deadline: Deadline) -> Result<(), ProgramError> {
        loop {
            self.left(deadline)?;
            match self.lines.fill() {
                Ok(more) => {
                    self.output_ended = !more;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(deadline)?,
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return Err(self.too_long());
                }
                Err(error) => return Err(self.unreadable(error)),
            }
        }
    }

    /// Waits until it has written something, has read something, or has ended.
    fn wait(&mut self, deadline: Deadline) -> Result<(), ProgramError> {
        let left = self.left(deadline)?;
        self.look(left.min(wait::INTERRUPTED))
    }

    fn look(&mut self, timeout: Duration) -> Result<(), ProgramError> {
        let output = Some(self.lines.source()).filter(|_| !self.output_ended);
        let waited = self.process.wait(self.stdin.blocked(), output, timeout);
        waited.map_err(|source| self.unreadable(source))?;
        if self.process.has_ended() {
            self.ended.get_or_insert_with(Instant::now);
        }
        self.write_on()
    }

    /// How long may still be waited. Fails where that is over.
    fn left(&mut self, deadline: Deadline) -> Result<Duration, ProgramError> {
        if self.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            return Err(self.interrupted());
        }
        let left = deadline.left();
        if let Some(ended) = self.ended {
            let left = left.min(GRACE.saturating_sub(ended.elapsed()));
            return if left.is_zero() { Err(self.held_open()) } else { Ok(left) };
        }
        if left.is_zero() {
            let (program, timeout) = (self.name.clone(), deadline.timeout());
            return Err(ProgramError::TimedOut { program, timeout });
        }
        Ok(left)
    }

    /// Gives it time to end by itself.
    fn interrupted(&mut self) -> ProgramError {
        self.process.interrupt(None);
        let begun = Instant::now();
        while self.ended.is_none()
            && begun.elapsed() < GRACE
            && self.look(wait::INTERRUPTED).is_ok()
        {
            // What it writes now is read so that it can end, and not looked at.
            while !self.output_ended
                && let Ok(more) = self.lines.fill()
            {
                self.output_ended = !more;
                while self.lines.find_whole() {}
            }
        }
        // So that what it said last is passed on.
        let _ = self.end();
        ProgramError::Interrupted
    }

    /// Waits until it has closed its output and ended, and that it ended well.
    fn finish(&mut self, deadline: Deadline) -> Result<(), ProgramError> {
        self.end_input()?;
        while !self.output_ended {
            self.read_on(deadline)?;
        }
        while self.ended.is_none() {
            self.wait(deadline)?;
        }
        self.ends_well()
    }

    /// That it says no more and ends well; `reason` is why it must not say more.
    pub(super) fn finish_silently(
        &mut self,
        reason: &str,
        deadline: Deadline,
    ) -> Result<(), ProgramError> {
        self.end_input()?;
        match self.next_line(deadline)? {
            None => self.finish(deadline),
            Some(number) => Err(self.bad_reply(number, reason.into(), deadline)),
        }
    }

    /// That it runs, and says nothing that it was not asked for.
    pub(super) fn check_idle(&mut self, deadline: Deadline) -> Result<(), ProgramError> {
        self.left(deadline)?;
        self.look(Duration::ZERO)?;
        if self.ended.is_some() {
            return Err(self.ended_early(deadline));
        }
        match self.lines.fill() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            // Whatever it is, it is not silence.
            read => {
                self.output_ended = matches!(read, Ok(false));
                self.finish_silently("a reply to no command", deadline)?;
                Err(self.early_end())
            }
        }
    }

    /// Why it ended before its input did.
    pub(super) fn ended_early(&mut self, deadline: Deadline) -> ProgramError {
        match self.finish_silently("a reply to no command", deadline) {
            Ok(()) => self.early_end(),
            Err(error) => error,
        }
    }

    pub(super) fn early_end(&self) -> ProgramError {
        ProgramError::EndedEarly { program: self.name.clone(), source: self.last_words() }
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

    /// Ends it and what it started; how it ended, and what it said last.
    fn end(&mut self) -> Result<(ExitStatus, Option<LastWords>), ProgramError> {
        let status = self.process.end();
        let status = status.map_err(|source| self.unreadable(source))?;
        // What it wrote to stderr is passed on before we go on. Nothing is ever sent.
        let _ = self.errors.recv_timeout(GRACE);
        Ok((status, self.last_words()))
    }

    fn last_words(&self) -> Option<LastWords> {
        LastWords::of(&self.stderr.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// That the line that was heard last is no reply.
    pub(super) fn bad_reply(
        &mut self,
        line: u64,
        reason: String,
        deadline: Deadline,
    ) -> ProgramError {
        let source = Wrote::new(self.text());
        // Half a line is what a program leaves that fails while it writes.
        if self.heard_rest
            && let Err(error) = self.finish(deadline)
        {
            return error;
        }
        ProgramError::BadReply { program: self.name.clone(), line, reason, source }
    }

    /// Whether a line has begun and not ended.
    pub(super) fn is_in_a_line(&self) -> bool {
        !self.lines.rest().is_empty()
    }

    /// That a reply is none that can be given, whatever the program does next.
    pub(super) fn wrong_reply(&mut self, line: u64, reason: String) -> ProgramError {
        // Half a line is what a program leaves that fails while it writes.
        let ended = self.heard_rest && self.has_ended(GRACE).unwrap_or_default();
        if ended && let Err(error) = self.ends_well() {
            return error;
        }
        let source = Wrote::new(self.text());
        ProgramError::BadReply { program: self.name.clone(), line, reason, source }
    }

    /// That a reply can't be stored.
    pub(super) fn refused(&self, line: u64, source: Error) -> ProgramError {
        ProgramError::Refused { program: self.name.clone(), line, source: Box::new(source) }
    }

    /// That it said much without an ack.
    pub(super) fn no_ack(&self, max: usize) -> ProgramError {
        ProgramError::NoAck { program: self.name.clone(), max }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn too_long(&self) -> ProgramError {
        ProgramError::TooLong { program: self.name.clone(), max: LONGEST }
    }

    /// That its input can't be written.
    pub(super) fn unwritable(&self, source: io::Error) -> ProgramError {
        ProgramError::Unwritable { program: self.name.clone(), source }
    }

    /// That it can't be seen what it has read.
    pub(super) fn unseen(&self, source: io::Error) -> ProgramError {
        ProgramError::Unseen { program: self.name.clone(), source }
    }

    fn unreadable(&self, source: io::Error) -> ProgramError {
        ProgramError::Unreadable { program: self.name.clone(), source }
    }
}

/// Passes a program's stderr on to ours, and keeps its end.
fn pass_on(mut errors: ChildStderr, kept: &Mutex<Vec<u8>>, _until_end: mpsc::Sender<()>) {
    let mut buffer = vec![0; 8192];
    loop {
        let read = match errors.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Ok(read) if read > 0 => &buffer[..read],
            _ => return,
        };
        // A closed stderr leaves no one to tell.
        let _ = io::stderr().write_all(read);
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(read);
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
    }
}
