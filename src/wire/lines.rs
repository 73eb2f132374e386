//! Lines of an input, of bounded length.

use std::io::{self, Read};
use std::ops::Range;

/// How much is read at once.
const READ_BYTES: usize = 256 * 1024;

/// Reads lines, each of which may be so long and no longer.
///
/// ```
/// let mut lines = ream::wire::Lines::new(&b"one\ntwo\nthr"[..], 1024);
/// let mut whole = Vec::new();
/// while lines.fill()? {
///     while let Some(line) = lines.next_whole() {
///         whole.push(line.to_vec());
///     }
/// }
/// assert_eq!(whole, [b"one", b"two"]);
/// assert_eq!(lines.rest(), b"thr");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Lines<R> {
    source: R,
    buffer: Vec<u8>,
    /// Where in `buffer` the next line begins.
    from: usize,
    /// Up to where no end of line is left.
    searched: usize,
    /// Up to where `buffer` is filled.
    filled: usize,
    /// Where the line is that was found last.
    found: Range<usize>,
    longest: usize,
}

impl<R: Read> Lines<R> {
    /// The lines of `source`, of at most `longest` bytes each.
    pub fn new(source: R, longest: usize) -> Self {
        let buffer = vec![0; READ_BYTES];
        Self { source, buffer, from: 0, searched: 0, filled: 0, found: 0..0, longest }
    }

    /// Reads on, once; `false` at the end of the input.
    ///
    /// # Errors
    ///
    /// Where the source can't be read; [`io::ErrorKind::InvalidData`] where a line is too long.
    pub fn fill(&mut self) -> io::Result<bool> {
        if self.from > 0 {
            self.buffer.copy_within(self.from..self.filled, 0);
            self.filled -= self.from;
            self.searched -= self.from;
            self.from = 0;
        }
        if self.filled > self.longest {
            let reason = format!("longer than {} bytes", self.longest);
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.filled * 2, 0);
        }
        loop {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(read) => {
                    self.filled += read;
                    return Ok(read > 0);
                }
            }
        }
    }

    /// The next line that has been read to its end, without that.
    pub fn next_whole(&mut self) -> Option<&[u8]> {
        self.find_whole().then(|| self.found())
    }

    /// Finds the next line that has been read to its end; then [`Lines::found`] is that.
    pub(crate) fn find_whole(&mut self) -> bool {
        let unsearched = &self.buffer[self.searched..self.filled];
        let Some(length) = unsearched.iter().position(|byte| *byte == b'\n') else {
            self.searched = self.filled;
            return false;
        };
        let end = self.searched + length;
        self.found = self.from..end;
        (self.from, self.searched) = (end + 1, end + 1);
        true
    }

    /// Takes what has been read of a line without its end for a line, if there is anything.
    pub(crate) fn find_rest(&mut self) -> bool {
        self.found = self.from..self.filled;
        (self.from, self.searched) = (self.filled, self.filled);
        !self.found.is_empty()
    }

    /// The line that was found last, until more is read.
    pub(crate) fn found(&self) -> &[u8] {
        &self.buffer[self.found.clone()]
    }

    /// Where the lines come from.
    pub(crate) fn source(&self) -> &R {
        &self.source
    }

    /// What has been read of a line without its end.
    pub fn rest(&self) -> &[u8] {
        &self.buffer[self.from..self.filled]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source that gives a piece at a time.
    struct Pieces<'p>(Vec<&'p [u8]>);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let piece = self.0.remove(0);
            buffer[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    fn all<R: Read>(lines: &mut Lines<R>) -> io::Result<Vec<String>> {
        let mut all = Vec::new();
        while lines.fill()? {
            while let Some(line) = lines.next_whole() {
                all.push(String::from_utf8(line.to_vec()).unwrap());
            }
        }
        Ok(all)
    }

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        let mut lines = Lines::new(Pieces(vec![b"a", b"b\n\nc", b"\n", b"d\ne"]), 10);
        assert_eq!(all(&mut lines).unwrap(), ["ab", "", "c", "d"]);
        assert_eq!(lines.rest(), b"e");
    }

    #[test]
    fn a_long_line_needs_more_room_and_one_too_long_is_refused() {
        let long = "x".repeat(3 * READ_BYTES);
        let text = format!("{long}\ny\n");
        let mut lines = Lines::new(text.as_bytes(), 4 * READ_BYTES);
        assert_eq!(all(&mut lines).unwrap(), [long, "y".into()]);
        let error = all(&mut Lines::new(io::repeat(b'x'), 2 * READ_BYTES)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(error.to_string(), format!("longer than {} bytes", 2 * READ_BYTES));
    }
}
