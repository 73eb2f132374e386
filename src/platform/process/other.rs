//! Processes and pipes where there are no groups and no pipes that do not block: a thread for each
//! pipe, with a bounded queue. A program is ended alone, and what it started is not.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::process::{ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError, TrySendError};
use std::thread;
use std::time::Duration;

use crate::platform::spawn;

/// How many chunks wait in a queue.
const WAITING: usize = 4;
/// How often is looked whether the program has ended.
const LOOK: Duration = Duration::from_millis(5);
/// How often who waits for something else is woken to look, too.
const UNTOLD: Duration = Duration::from_millis(100);

/// What goes to a program.
#[derive(Debug)]
pub(crate) struct Input {
    chunks: SyncSender<Vec<u8>>,
    /// Why the thread that writes them does so no more.
    failed: Receiver<io::Error>,
}

/// What comes from a program.
#[derive(Debug)]
pub(crate) struct Output {
    chunks: Receiver<io::Result<Vec<u8>>>,
    /// What has been received and not yet read.
    received: RefCell<Received>,
}

#[derive(Debug, Default)]
struct Received {
    bytes: Vec<u8>,
    error: Option<io::Error>,
    ended: bool,
}

impl Write for Input {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.chunks.try_send(bytes.to_vec()) {
            Ok(()) => Ok(bytes.len()),
            Err(TrySendError::Full(_)) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TrySendError::Disconnected(_)) => {
                Err(self.failed.try_recv().unwrap_or_else(|_| io::ErrorKind::BrokenPipe.into()))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Received {
    fn take(&mut self, chunk: io::Result<Vec<u8>>) {
        match chunk {
            Ok(chunk) => self.bytes.extend_from_slice(&chunk),
            Err(error) => self.error = Some(error),
        }
    }

    fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.error.is_none() && !self.ended
    }
}

impl Read for Output {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let received = self.received.get_mut();
        if received.is_empty() {
            match self.chunks.try_recv() {
                Ok(chunk) => received.take(chunk),
                Err(TryRecvError::Empty) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(TryRecvError::Disconnected) => received.ended = true,
            }
        }
        let read = received.bytes.len().min(buffer.len());
        buffer[..read].copy_from_slice(&received.bytes[..read]);
        received.bytes.drain(..read);
        match received.error.take() {
            Some(error) if read == 0 => Err(error),
            error => {
                received.error = error;
                Ok(read)
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct Child {
    program: std::process::Child,
    ended: bool,
}

impl Child {
    pub(super) fn new(child: std::process::Child) -> Self {
        Self { program: child, ended: false }
    }

    pub(super) fn wait(
        &mut self,
        _input: Option<&Input>,
        output: Option<&Output>,
        timeout: Duration,
    ) -> io::Result<()> {
        let timeout = timeout.min(LOOK);
        match output {
            None => thread::sleep(timeout),
            Some(output) => {
                let mut received = output.received.borrow_mut();
                if received.is_empty() {
                    match output.chunks.recv_timeout(timeout) {
                        Ok(chunk) => received.take(chunk),
                        Err(mpsc::RecvTimeoutError::Timeout) => {}
                        Err(mpsc::RecvTimeoutError::Disconnected) => received.ended = true,
                    }
                }
            }
        }
        self.ended = self.ended || self.program.try_wait()?.is_some();
        Ok(())
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    #[allow(clippy::unused_self, reason = "other systems can do it")]
    pub(super) fn interrupt(&self, _signal: Option<i32>) {}

    #[allow(clippy::unused_self, reason = "other systems can tell")]
    pub(super) fn on_end(&self, wake: impl Fn() + Send + 'static) -> io::Result<()> {
        spawn(move || {
            loop {
                thread::sleep(UNTOLD);
                wake();
            }
        })?;
        Ok(())
    }

    pub(super) fn kill_and_reap(&mut self) -> io::Result<ExitStatus> {
        // It may have ended.
        let _ = self.program.kill();
        self.program.wait()
    }
}

pub(super) fn wait_for_room(_input: &Input, timeout: Duration) {
    thread::sleep(timeout.min(LOOK));
}

impl Input {
    /// Ends the program's input, behind what waits.
    #[allow(clippy::unused_self, reason = "the thread that writes sees that it is gone")]
    pub(crate) fn end(self) -> ReadEnd {
        ReadEnd
    }

    /// The same, where nobody will ask what was read.
    pub(super) fn uncounted(self) -> Self {
        self
    }
}

/// The program's end of its stdin, which can't be looked into here: so an exit with 0 acks nothing but with
/// `--per-event`, and programs that follow have to ack by themselves.
#[derive(Debug)]
pub(crate) struct ReadEnd;

impl ReadEnd {
    /// Whether a program that has ended has left nothing unread.
    ///
    /// # Errors
    ///
    /// Always.
    #[allow(clippy::unused_self, reason = "other systems can tell")]
    pub(crate) fn was_drained(self) -> io::Result<bool> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A program's stdin.
pub(super) struct Stdin;

impl Stdin {
    /// The one of a program that is yet to be started.
    #[allow(clippy::unnecessary_wraps, reason = "other systems can fail")]
    pub(super) fn of(command: &mut Command) -> io::Result<Self> {
        command.stdin(Stdio::piped());
        Ok(Self)
    }

    /// Our end of it, once the program runs.
    #[allow(clippy::unused_self, reason = "other systems have it by then")]
    pub(super) fn open(self, child: &mut std::process::Child) -> io::Result<Input> {
        let input = child.stdin.take().ok_or_else(|| io::Error::other("a pipe is missing"))?;
        fed(input)
    }
}

/// An input that a thread writes to.
fn fed(mut input: ChildStdin) -> io::Result<Input> {
    let (chunks, written) = mpsc::sync_channel::<Vec<u8>>(WAITING);
    let (fails, failed) = mpsc::channel();
    spawn(move || {
        for chunk in written {
            if let Err(error) = input.write_all(&chunk) {
                // Where nobody writes any more, nobody asks.
                let _ = fails.send(error);
                return;
            }
        }
    })?;
    Ok(Input { chunks, failed })
}

pub(super) fn unblock_output(mut output: ChildStdout) -> io::Result<Output> {
    let (read, chunks) = mpsc::sync_channel(WAITING);
    spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let chunk = match output.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => Ok(buffer[..length].to_vec()),
                Err(error) => Err(error),
            };
            let failed = chunk.is_err();
            if read.send(chunk).is_err() || failed {
                return;
            }
        }
    })?;
    Ok(Output { chunks, received: RefCell::default() })
}

pub(super) fn set_apart(_command: &mut Command) {}
