//! Processes of other programs: each in a group of its own, and ended with it; pipes that do not
//! block.

#[cfg_attr(unix, path = "process/unix.rs")]
#[cfg_attr(not(unix), path = "process/other.rs")]
mod system;

use std::io::{self, Write as _};
use std::process::{ChildStderr, Command, ExitStatus, Stdio};
use std::time::Duration;

pub(crate) use system::{Input, Output, ReadEnd};

/// A program that runs. Its group is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: system::Child,
    ended: Option<ExitStatus>,
}

/// Our ends of a program's pipes.
pub(crate) struct Pipes {
    /// Written to by [`Process::send`].
    pub(crate) input: Input,
    /// Reads from it give what is there, or fail with [`io::ErrorKind::WouldBlock`].
    pub(crate) output: Output,
    pub(crate) errors: ChildStderr,
}

/// What came of a write into a program's stdin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// So many bytes went, one at least.
    Bytes(usize),
    /// There is no room at the moment.
    Full,
    /// The program has closed it, or has ended.
    Closed,
}

impl Process {
    /// Starts a program. Where the system can do it, it dies with the thread that calls this, so that
    /// thread must last as long as the program shall.
    pub(crate) fn start(mut command: Command) -> io::Result<(Self, Pipes)> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let stdin = system::Stdin::of(&mut command)?;
        system::set_apart(&mut command);
        let mut child = command.spawn()?;
        // It holds the program's ends of the pipes, and would keep them open.
        drop(command);
        let (opened, pipes) = (stdin.open(&mut child), (child.stdout.take(), child.stderr.take()));
        let process = Self { child: system::Child::new(child), ended: None };
        let input = opened?;
        let (Some(output), Some(errors)) = pipes else {
            return Err(io::Error::other("a pipe is missing"));
        };
        let output = system::unblock_output(output)?;
        Ok((process, Pipes { input, output, errors }))
    }

    /// Starts a program that only listens: its output and errors are ours. As [`Process::start`].
    pub(crate) fn start_listening(mut command: Command) -> io::Result<(Self, Input)> {
        let stdin = system::Stdin::of(&mut command)?;
        system::set_apart(&mut command);
        let mut child = command.spawn()?;
        drop(command);
        let opened = stdin.open(&mut child);
        let process = Self { child: system::Child::new(child), ended: None };
        // Nothing is counted on what it has read, so that it reads no more shall be seen everywhere.
        Ok((process, opened?.uncounted()))
    }

    /// Writes what there is room for into a program's stdin.
    ///
    /// # Errors
    ///
    /// Where the system refuses for any other reason than that the program reads no more.
    pub(crate) fn send(input: &mut Input, bytes: &[u8]) -> io::Result<Sent> {
        loop {
            match input.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => return Ok(Sent::Bytes(written)),
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock => return Ok(Sent::Full),
                    io::ErrorKind::BrokenPipe => return Ok(Sent::Closed),
                    _ => return Err(error),
                },
            }
        }
    }

    /// Calls `wake` from another thread when the program has ended; perhaps later, and where the system
    /// can't tell, again and again.
    pub(crate) fn on_end(&self, wake: impl Fn() + Send + 'static) -> io::Result<()> {
        self.child.on_end(wake)
    }

    /// Waits until the program has written something, or has closed its output; until there is room
    /// in its input; or until it ends. At most for `timeout`, and perhaps not so long.
    pub(crate) fn wait(
        &mut self,
        input: Option<&Input>,
        output: Option<&Output>,
        timeout: Duration,
    ) -> io::Result<()> {
        self.child.wait(input, output, timeout)
    }

    /// Waits until a program's input has room, at most for `timeout`, and perhaps not so long.
    pub(crate) fn wait_for_room(input: &Input, timeout: Duration) {
        system::wait_for_room(input, timeout);
    }

    /// Whether the program had ended when it was last waited for.
    pub(crate) fn has_ended(&self) -> bool {
        self.child.has_ended()
    }

    /// Asks the group to end, by the signal of this number where the system has it, or as it is usual.
    pub(crate) fn interrupt(&mut self, signal: Option<i32>) {
        if self.ended.is_none() {
            self.child.interrupt(signal);
        }
    }

    /// Ends what is left of the group, and tells how the program ended.
    pub(crate) fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.ended {
            return Ok(status);
        }
        // Until the program's end is taken note of, no other group can have its number.
        let status = self.child.kill_and_reap()?;
        self.ended = Some(status);
        Ok(status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // There is no one to tell.
        let _ = self.end();
    }
}
