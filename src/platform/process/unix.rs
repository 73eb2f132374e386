//! Process groups and pipes of Unix.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdout, Command, ExitStatus};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio, ioctl_fionread};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::platform::spawn;

pub(crate) type Output = ChildStdout;

/// Whether the program's end of its stdin can be opened again where only ours is open.
const REOPENS: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Our end of a program's stdin.
#[derive(Debug)]
pub(crate) struct Input {
    pipe: PipeWriter,
    /// The program's end, where it can't be opened again. While we have it, it is not seen that the
    /// program has closed it.
    end: Option<PipeReader>,
}

impl Input {
    /// Ends the program's input; its end of the pipe tells what it has read.
    pub(crate) fn end(self) -> ReadEnd {
        // Opened before ours is closed: with both closed, what is unread is gone.
        ReadEnd(self.end.map_or_else(|| reopen(&self.pipe), |end| Ok(end.into())))
    }

    /// The same, where nobody will ask what was read.
    pub(super) fn uncounted(self) -> Self {
        Self { end: None, ..self }
    }
}

impl Write for Input {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pipe.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Input {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

/// Opens the other end of a pipe.
fn reopen(pipe: &PipeWriter) -> io::Result<OwnedFd> {
    File::open(format!("/proc/self/fd/{}", pipe.as_raw_fd())).map(OwnedFd::from)
}

/// The program's end of its stdin, once ours is closed.
#[derive(Debug)]
pub(crate) struct ReadEnd(io::Result<OwnedFd>);

impl ReadEnd {
    /// Whether a program that has ended has left nothing unread.
    ///
    /// # Errors
    ///
    /// Where the system can't tell.
    pub(crate) fn was_drained(self) -> io::Result<bool> {
        Ok(ioctl_fionread(&self.0?)? == 0)
    }
}

/// A pipe that becomes a program's stdin.
pub(super) struct Stdin(Input);

impl Stdin {
    /// The one of a program that is yet to be started.
    pub(super) fn of(command: &mut Command) -> io::Result<Self> {
        let (reader, pipe) = io::pipe()?;
        let end = if REOPENS { None } else { Some(reader.try_clone()?) };
        command.stdin(reader);
        // Our end never blocks; the program's stays as it is.
        ioctl_fionbio(pipe.as_fd(), true)?;
        widen(&pipe);
        Ok(Self(Input { pipe, end }))
    }

    /// Our end of it, once the program runs.
    #[allow(clippy::unnecessary_wraps, reason = "other systems can fail")]
    pub(super) fn open(self, _: &mut std::process::Child) -> io::Result<Input> {
        Ok(self.0)
    }
}

/// How often a system that can't wait for a program's end looks for it.
const LOOK: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct Child {
    program: std::process::Child,
    pid: Pid,
    /// Something that can be read from when the program has ended, where the system has that.
    end: Option<OwnedFd>,
    ended: bool,
}

impl Child {
    pub(super) fn new(child: std::process::Child) -> Self {
        let pid = Pid::from_child(&child);
        Self { program: child, pid, end: end_of(pid), ended: false }
    }

    pub(super) fn wait(
        &mut self,
        input: Option<&Input>,
        output: Option<&Output>,
        timeout: Duration,
    ) -> io::Result<()> {
        let mut fds = Vec::with_capacity(3);
        let end = self.end.as_ref().filter(|_| !self.ended);
        fds.extend(end.map(|end| PollFd::new(end, PollFlags::IN)));
        fds.extend(output.map(|output| PollFd::new(output, PollFlags::IN)));
        fds.extend(input.map(|input| PollFd::new(input, PollFlags::OUT)));
        let known = self.ended || end.is_some();
        let timeout = if known { timeout } else { timeout.min(LOOK) };
        let timeout = Timespec::try_from(timeout).unwrap_or_default();
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if !self.ended {
            self.ended = match end {
                Some(_) => !fds[0].revents().is_empty(),
                None => has_ended(self.pid),
            };
        }
        Ok(())
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(super) fn interrupt(&self, signal: Option<i32>) {
        let signal = signal.and_then(Signal::from_named_raw).unwrap_or(Signal::TERM);
        // It may have ended meanwhile.
        let _ = kill_process_group(self.pid, signal);
    }

    pub(super) fn on_end(&self, wake: impl Fn() + Send + 'static) -> io::Result<()> {
        let pid = self.pid;
        spawn(move || {
            // What is told stays there to be taken note of.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
            wake();
        })?;
        Ok(())
    }

    pub(super) fn kill_and_reap(&mut self) -> io::Result<ExitStatus> {
        // As above.
        let _ = kill_process_group(self.pid, Signal::KILL);
        self.program.wait()
    }
}

pub(super) fn wait_for_room(input: &Input, timeout: Duration) {
    let timeout = Timespec::try_from(timeout).unwrap_or_default();
    // Where that fails, the next write tells.
    let _ = poll(&mut [PollFd::new(input, PollFlags::OUT)], Some(&timeout));
}

/// Gives a pipe more room, so that both ends run longer at a time.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn widen(pipe: &PipeWriter) {
    const ROOM: usize = 512 * 1024;
    // It works with less room too.
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, ROOM);
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn widen(_pipe: &PipeWriter) {}

/// Whether a program has ended; that stays there to be taken note of.
fn has_ended(pid: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    matches!(waitid(WaitId::Pid(pid), options), Ok(Some(_)))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn end_of(pid: Pid) -> Option<OwnedFd> {
    use rustix::process::{PidfdFlags, pidfd_open};
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn end_of(_pid: Pid) -> Option<OwnedFd> {
    None
}

/// Makes our end of a pipe such that it never blocks; the program's end stays as it is.
pub(super) fn unblock_output(output: Output) -> io::Result<Output> {
    ioctl_fionbio(output.as_fd(), true)?;
    Ok(output)
}

/// Gives the program a group of its own.
pub(super) fn set_apart(command: &mut Command) {
    command.process_group(0);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    die_with_parent(command);
}

/// Has the system kill the program when the thread that starts it ends, however that comes.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[allow(unsafe_code, reason = "there is no safe way to do something between fork and exec")]
fn die_with_parent(command: &mut Command) {
    use rustix::process::{getpid, getppid, set_parent_process_death_signal};

    let parent = getpid();
    // SAFETY: the closure makes two system calls and touches no memory but its own.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // Where the parent has ended before that, nothing would come.
            if getppid() == Some(parent) { Ok(()) } else { Err(Errno::SRCH.into()) }
        });
    }
}
