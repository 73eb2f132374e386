//! What can go wrong with a program.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use crate::store::Error;

/// How many characters of a line an error shows.
const SHOWN: usize = 200;

/// Why a program did not do what it is for. Nothing of what it answered last was stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// It could not be started.
    #[error("can't run `{program}`")]
    NotStarted {
        /// The program.
        program: String,
        /// The file that was to be run: the program, as seen from the working directory of the caller.
        file: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It ended with something else than exit code 0.
    #[error("`{program}` failed with {}", told(*status))]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote last to stderr.
        source: Option<LastWords>,
    },
    /// It ended well, and too early.
    #[error("`{program}` ended before its input did")]
    EndedEarly {
        /// The program.
        program: String,
        /// What it wrote last to stderr.
        source: Option<LastWords>,
    },
    /// It took too long.
    #[error("`{program}` did not answer within {} s", timeout.as_secs_f64())]
    TimedOut {
        /// The program.
        program: String,
        /// How long it may take.
        timeout: Duration,
    },
    /// It ended, and something that it started keeps its output open.
    #[error("`{program}` ended, but a process that it started keeps its output open")]
    HeldOpen {
        /// The program.
        program: String,
    },
    /// It wrote what is no reply here.
    #[error("`{program}` wrote a bad reply, line {line}: {reason}")]
    BadReply {
        /// The program.
        program: String,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
        /// What it wrote.
        source: Wrote,
    },
    /// It wrote more than an answer may have.
    #[error("`{program}` answered with more than {max} bytes")]
    TooLong {
        /// The program.
        program: String,
        /// How many bytes an answer may have.
        max: usize,
    },
    /// It wrote a reply that can't be stored.
    #[error("`{program}` wrote a reply that can't be stored, line {line}")]
    Refused {
        /// The program.
        program: String,
        /// The line, counted from 1.
        line: u64,
        /// Why not.
        source: Box<Error>,
    },
    /// It wrote more than is kept without an ack.
    #[error("`{program}` wrote more than {max} bytes of replies without an ack")]
    NoAck {
        /// The program.
        program: String,
        /// How many bytes may be written without one.
        max: usize,
    },
    /// Its output can't be read.
    #[error("can't read what `{program}` writes")]
    Unreadable {
        /// The program.
        program: String,
        /// The system's reason.
        source: io::Error,
    },
    /// Its input can't be written. It may have read a part of that; how it ends acks nothing.
    #[error("can't write to the stdin of `{program}`")]
    Unwritable {
        /// The program.
        program: String,
        /// The system's reason.
        source: io::Error,
    },
    /// It ended well, and the system can't tell whether it has read its input to the end.
    #[error("can't tell what `{program}` has read of its input")]
    Unseen {
        /// The program.
        program: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The caller's interrupt flag was set.
    #[error("interrupted")]
    Interrupted,
}

impl ProgramError {
    /// Whether it is ream or the system that failed, and not the program.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Unwritable { .. } | Self::Unseen { .. } | Self::Unreadable { .. })
    }
}

/// The last line that a program wrote to stderr.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWords(String);

impl LastWords {
    /// The last line of the end of an output, where there is one.
    pub(super) fn of(end: &[u8]) -> Option<Self> {
        let end = String::from_utf8_lossy(end);
        let line = end.lines().rev().find(|line| !line.trim().is_empty())?;
        Some(Self(excerpt(line.trim())))
    }
}

impl fmt::Display for LastWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LastWords {}

/// A line that a program wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrote(String);

impl Wrote {
    pub(super) fn new(line: &[u8]) -> Self {
        // An excerpt has no more bytes than this, whatever the characters.
        let line = line.get(..SHOWN * 4 + 4).unwrap_or(line);
        Self(excerpt(&String::from_utf8_lossy(line)))
    }
}

impl fmt::Display for Wrote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it wrote: {}", self.0)
    }
}

impl std::error::Error for Wrote {}

fn excerpt(line: &str) -> String {
    match line.char_indices().nth(SHOWN) {
        None => line.to_owned(),
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

/// How a process ended, for the eye.
fn told(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit code {code}"),
        // What the system says: a signal.
        None => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_the_last_line_that_says_something() {
        let of = |text: &str| LastWords::of(text.as_bytes()).map(|words| words.to_string());
        assert_eq!(of("Traceback:\n  KeyError: 'a'\n\n"), Some("KeyError: 'a'".into()));
        assert_eq!(of("\n \n"), None);
        let long = "é".repeat(300);
        assert_eq!(of(&long), Some(format!("{}…", "é".repeat(200))));
        assert_eq!(
            Wrote::new(long.as_bytes()).to_string(),
            format!("it wrote: {}…", "é".repeat(200))
        );
    }
}
