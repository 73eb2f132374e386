//! What the program itself refuses, before or beside the store.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use ream::program::{FollowError, ProgramError};
use ream::{FindingKind, Position};

use crate::hint::Hint;

/// What the program itself refuses, before or beside the store.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The command line makes no sense.
    Usage(String),
    /// What came in is not valid; and what to do about it.
    Invalid { message: String, hint: Option<Hint> },
    /// No directory here or above holds a store; or this one is a store itself, which is not looked
    /// for.
    NoStoreNear { directory: PathBuf, itself: bool },
    /// A question needs an answer, and nobody can be asked.
    Unconfirmed(String),
    /// The question was answered with no.
    Declined,
    /// An aggregator rejected the command, for this reason.
    Rejected(String),
    /// An aggregator failed, so that nothing is stored; `on` is in words what it was to decide on.
    Undecided { on: String, error: ProgramError },
    /// An aggregator decided on what can't be stored.
    Unfit { program: String, on: String, error: Box<ream::Error> },
    /// A projection has not come as far as it was waited for.
    NotReached { name: String, position: Position, checkpoint: Position },
    /// What was taken for a subscription is a projection.
    IsProjection(String),
    /// Projections that can't be read, by name, and why. The others were told of.
    Broken(Vec<(String, String)>),
    /// A file names a program that was not allowed here.
    ForeignProgram { file: String, error: ream::Error },
    /// A program that follows the log failed again and again.
    Stopped(FollowError),
    /// So many bytes that are not text were to be shown on a terminal.
    Unprintable(usize),
    /// So many things of a store need a person, as was told in detail.
    Unwell(usize),
    /// The store is not what was stored, as was told in detail.
    Damaged(Damage),
    /// A signal came.
    Signal(u8),
}

/// What of a store is not what was stored, as far as an error has to know it.
#[derive(Debug, Default)]
pub(crate) struct Damage {
    /// How many findings there are of each kind.
    pub(crate) kinds: BTreeMap<FindingKind, u64>,
    /// The first event that is not as it was stored.
    pub(crate) first: Option<u64>,
    /// The last one.
    pub(crate) last: u64,
    /// The first stream or name of a kind.
    pub(crate) of: BTreeMap<FindingKind, String>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Invalid { message, .. } => f.write_str(message),
            Self::NoStoreNear { directory, .. } => {
                write!(f, "no store in {} or above it", directory.display())
            }
            Self::Unconfirmed(what) => write!(f, "{what} needs to be confirmed"),
            Self::Declined => f.write_str("nothing was changed"),
            Self::Rejected(reason) => write!(f, "rejected: {reason}"),
            Self::Undecided { on, error } => write!(f, "{error}; nothing is stored {on}"),
            Self::Unfit { program, on, .. } => {
                write!(f, "`{program}` decided on what can't be stored; nothing is stored {on}")
            }
            Self::NotReached { name, position, checkpoint } => write!(
                f,
                "the projection `{name}` has not reached position {position} in time; it is at {checkpoint}"
            ),
            Self::IsProjection(name) => {
                write!(
                    f,
                    "no subscription `{name}`: it is a projection, whose place is that of its rows"
                )
            }
            Self::Broken(broken) => {
                let reasons: Vec<&str> = broken.iter().map(|(_, reason)| &**reason).collect();
                f.write_str(&reasons.join("; "))
            }
            Self::ForeignProgram { file, .. } => {
                write!(
                    f,
                    "{file} names a program, which is not taken from a file unless it is allowed"
                )
            }
            Self::Stopped(error) => error.fmt(f),
            Self::Unprintable(bytes) => {
                write!(f, "{bytes} bytes that are not text are not written to a terminal")
            }
            Self::Unwell(1) => f.write_str("one thing needs a person"),
            Self::Unwell(count) => write!(f, "{count} things need a person"),
            Self::Damaged(damage) => {
                let found = damage.kinds.iter().map(|(kind, count)| format!("{kind}: {count}"));
                write!(f, "the store is damaged ({})", found.collect::<Vec<_>>().join(", "))
            }
            Self::Signal(_) => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Undecided { error, .. } | Self::Stopped(FollowError::Stopped { error, .. }) => {
                error.source()
            }
            Self::Unfit { error, .. } => Some(&**error),
            Self::ForeignProgram { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// Marks input as invalid.
pub(crate) fn invalid(message: impl fmt::Display) -> anyhow::Error {
    Refused::Invalid { message: message.to_string(), hint: None }.into()
}
