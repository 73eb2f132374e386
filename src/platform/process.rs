//! Processes of other programs: each in a group of its own, and ended with it; pipes that do not
//! block.

#[cfg_attr(unix, path = "process/unix.rs")]
#[cfg_attr(not(unix), path = "process/other.rs")]
mod system;

use std::io;
use std::process::{ChildStderr, Command, ExitStatus, Stdio};
use std::time::Duration;

pub(crate) use system::{Input, Output, Unread};

/// A program that runs. Its group is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: system::Child,
    ended: Option<ExitStatus>,
}

/// Our ends of a program's pipes.
pub(crate) struct Pipes {
    /// Writes to it take what there is room for, or fail with [`io::ErrorKind::WouldBlock`].
    pub(crate) input: Input,
    /// Reads from it give what is there, or fail with [`io::ErrorKind::WouldBlock`].
    pub(crate) output: Output,
    pub(crate) errors: ChildStderr,
    pub(crate) unread: Unread,
}

impl Process {
    /// Starts a program. Where the system can do it, it dies with the thread that calls this, so that
    /// thread must last as long as the program shall.
    pub(crate) fn start(command: &mut Command) -> io::Result<(Self, Pipes)> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let stdin = system::Stdin::of(command)?;
        system::set_apart(command);
        let mut child = command.spawn()?;
        let (opened, pipes) = (stdin.open(&mut child), (child.stdout.take(), child.stderr.take()));
        let process = Self { child: system::Child::new(child), ended: None };
        let (input, unread) = opened?;
        let (Some(output), Some(errors)) = pipes else {
            return Err(io::Error::other("a pipe is missing"));
        };
        let output = system::unblock_output(output)?;
        Ok((process, Pipes { input, output, errors, unread }))
    }

    /// Starts a program that only listens: its output and errors are ours. As [`Process::start`].
    pub(crate) fn start_listening(command: &mut Command) -> io::Result<(Self, Input)> {
        let stdin = system::Stdin::of(command)?;
        system::set_apart(command);
        let mut child = command.spawn()?;
        let opened = stdin.open(&mut child);
        let process = Self { child: system::Child::new(child), ended: None };
        // Without our hold on the other end, a program that reads no more is seen.
        let (input, _) = opened?;
        Ok((process, input))
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
