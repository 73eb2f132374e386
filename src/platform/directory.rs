//! A directory that is held open, and what stands below it: every name is looked up from the open
//! directory, so whoever renames or replaces what lies above it changes nothing.
//!
//! Names are relative, and their parts are joined by `/`. Whoever opens `a/b` has looked at `a` before:
//! only the last part is kept from being a symbolic link.

#[cfg_attr(unix, path = "directory/unix.rs")]
#[cfg_attr(not(unix), path = "directory/other.rs")]
mod system;

use std::fmt;

use super::FileIdentity;

pub(crate) use system::{Directory, open_files, user};

/// What stands under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Link,
    Pipe,
    Socket,
    Device,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a file",
            Self::Directory => "a directory",
            Self::Link => "a symbolic link",
            Self::Pipe => "a named pipe",
            Self::Socket => "a socket",
            Self::Device => "a device",
        })
    }
}

/// What the system knows about what stands under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) identity: FileIdentity,
    /// The owner's user number.
    pub(crate) owner: u32,
    /// The permission bits.
    pub(crate) mode: u32,
    /// How many names it has.
    pub(crate) names: u64,
    /// How long it is, in bytes.
    pub(crate) length: u64,
}

/// A regular file that this process has open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenFile {
    /// The descriptor's number.
    pub(crate) descriptor: u32,
    pub(crate) identity: FileIdentity,
}

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// To be read.
    Read,
    /// To be read and written; a missing file is made, for its owner alone, whatever the umask.
    Create,
}
