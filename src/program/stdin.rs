//! A program's stdin: what waits to go there, and whether the program has read what went.

use std::io;

use crate::platform::{Input, Process, ReadEnd, Sent};

/// The stdin of a program, from the first line that goes there to the end of its input.
pub(super) struct Stdin {
    /// Our end, until the input has ended or the program has closed it.
    input: Option<Input>,
    /// Bytes that are to be written, and how many of them are.
    queued: Vec<u8>,
    written: usize,
    /// Whether the input ends behind them.
    ends: bool,
    /// The program's end, once its input has ended.
    read_end: Option<ReadEnd>,
}

impl Stdin {
    pub(super) fn new(input: Input) -> Self {
        Self { input: Some(input), queued: Vec::new(), written: 0, ends: false, read_end: None }
    }

    /// Gives our end away, to be written to elsewhere.
    pub(super) fn take(&mut self) -> Option<Input> {
        self.input.take()
    }

    /// Adds to what is to be written.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.queued.extend_from_slice(bytes);
    }

    /// Has the input end behind what is to be written.
    pub(super) fn end(&mut self) {
        self.ends = true;
    }

    /// Our end, where something waits for room in it.
    pub(super) fn blocked(&self) -> Option<&Input> {
        self.input.as_ref().filter(|_| self.written < self.queued.len())
    }

    /// Writes what there is room for.
    ///
    /// # Errors
    ///
    /// As [`Process::send`]. What waits stays there: it was not written.
    pub(super) fn write_on(&mut self) -> io::Result<()> {
        while let Some(input) = &mut self.input
            && self.written < self.queued.len()
        {
            match Process::send(input, &self.queued[self.written..])? {
                Sent::Bytes(bytes) => self.written += bytes,
                Sent::Full => return Ok(()),
                Sent::Closed => self.input = None,
            }
        }
        if self.input.is_some() {
            self.queued.clear();
            self.written = 0;
        }
        if self.ends
            && let Some(input) = self.input.take()
        {
            self.read_end = Some(input.end());
        }
        Ok(())
    }

    /// Whether a program that has ended has read its input to the end. To be asked once.
    ///
    /// # Errors
    ///
    /// Where the system can't tell.
    pub(super) fn was_read(&mut self) -> io::Result<bool> {
        // Without one, the program did not come to the end of its input.
        self.read_end.take().map_or(Ok(false), ReadEnd::was_drained)
    }
}
