//! Programs that listen: lines go in, and what they make of them is their own business.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{Program, ProgramError};
use crate::platform::{Input, Process, Sent};
use crate::wait;

/// A program that is told lines; its output and errors are ours. It is ended when this is dropped.
///
/// ```no_run
/// use std::time::Duration;
///
/// use ream::program::{Listener, Program};
///
/// let mut listener = Listener::start(&Program::new("./mail.py", []), Duration::from_secs(5))?;
/// if listener.tell(b"{\"position\":1}\n")? {
///     listener.finish()?;
/// }
/// # Ok::<(), ream::program::ProgramError>(())
/// ```
pub struct Listener {
    name: String,
    process: Process,
    /// Its stdin, until that is closed, by it or by us.
    input: Option<Input>,
    grace: Duration,
    interrupt: Option<Arc<AtomicBool>>,
    signal: Option<Arc<AtomicUsize>>,
    /// It dies with the thread that started it, so it can't be taken to another.
    on_its_thread: PhantomData<*const ()>,
}

impl Listener {
    /// Starts a program, which gets `grace` to end when it is interrupted.
    ///
    /// # Errors
    ///
    /// [`ProgramError::NotStarted`].
    pub fn start(program: &Program, grace: Duration) -> Result<Self, ProgramError> {
        let (command, name) = program.command();
        match Process::start_listening(command) {
            Ok((process, input)) => Ok(Self {
                name,
                process,
                input: Some(input),
                grace,
                interrupt: program.interrupt.clone(),
                signal: program.signal.clone(),
                on_its_thread: PhantomData,
            }),
            Err(source) => {
                let file = program.file();
                Err(ProgramError::NotStarted { program: name, file, source })
            }
        }
    }

    /// Calls `wake` from another thread when the program has ended, or may have.
    ///
    /// # Errors
    ///
    /// [`ProgramError::Unreadable`]: the thread can't be started.
    pub fn on_end(&self, wake: impl Fn() + Send + 'static) -> Result<(), ProgramError> {
        self.process.on_end(wake).map_err(|source| self.unreadable(source))
    }

    /// Writes lines to its stdin, and waits until it has room for all of them; whether it still
    /// listens. One that listens no more goes on until its end.
    ///
    /// # Errors
    ///
    /// [`ProgramError::Interrupted`]: it has ended, or has been ended. [`ProgramError::Unwritable`]: it has
    /// not all of the lines.
    pub fn tell(&mut self, lines: &[u8]) -> Result<bool, ProgramError> {
        let mut told = 0;
        while let Some(input) = &mut self.input
            && told < lines.len()
        {
            match Process::send(input, &lines[told..]) {
                Ok(Sent::Bytes(bytes)) => told += bytes,
                Ok(Sent::Full) => {
                    self.check_interrupt()?;
                    self.look(wait::INTERRUPTED)?;
                    if self.process.has_ended() {
                        self.input = None;
                    }
                }
                // That it reads no more is no failure, unless it also fails.
                Ok(Sent::Closed) => self.input = None,
                Err(source) => {
                    return Err(ProgramError::Unwritable { program: self.name.clone(), source });
                }
            }
        }
        self.listens()
    }

    /// Whether it runs and has not closed its input, as far as that can be seen.
    ///
    /// # Errors
    ///
    /// [`ProgramError::Interrupted`]: it has ended, or has been ended.
    pub fn listens(&mut self) -> Result<bool, ProgramError> {
        self.check_interrupt()?;
        self.look(Duration::ZERO)?;
        Ok(self.input.is_some() && !self.process.has_ended())
    }

    /// Ends its input, and waits until it ends.
    ///
    /// # Errors
    ///
    /// [`ProgramError::Failed`]; [`ProgramError::Interrupted`].
    pub fn finish(mut self) -> Result<(), ProgramError> {
        self.input = None;
        while !self.process.has_ended() {
            self.check_interrupt()?;
            self.look(wait::INTERRUPTED)?;
        }
        let status = self.process.end().map_err(|source| self.unreadable(source))?;
        if status.success() {
            return Ok(());
        }
        Err(ProgramError::Failed { program: self.name.clone(), status, source: None })
    }

    fn look(&mut self, timeout: Duration) -> Result<(), ProgramError> {
        let waited = self.process.wait(self.input.as_ref(), None, timeout);
        waited.map_err(|source| self.unreadable(source))
    }

    /// Where we are interrupted, so is the program: it hears no more, gets time to end, and is ended.
    fn check_interrupt(&mut self) -> Result<(), ProgramError> {
        if !self.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            return Ok(());
        }
        let signal = self.signal.as_ref().map(|number| number.load(Ordering::Relaxed));
        let signal =
            signal.and_then(|number| i32::try_from(number).ok()).filter(|number| *number != 0);
        self.process.interrupt(signal);
        self.input = None;
        let begun = Instant::now();
        while !self.process.has_ended() && begun.elapsed() < self.grace {
            self.look(wait::INTERRUPTED)?;
        }
        // It may have ended in any way.
        let _ = self.process.end();
        Err(ProgramError::Interrupted)
    }

    fn unreadable(&self, source: io::Error) -> ProgramError {
        ProgramError::Unreadable { program: self.name.clone(), source }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("name", &self.name).finish_non_exhaustive()
    }
}
