//! What can be wrong with the files and directories of a store.

/// Why a file or a directory of a store is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceFault {
    /// It is something else than it should be, such as a symbolic link.
    #[error("is {found}, not {wanted}")]
    Kind {
        /// What it is.
        found: String,
        /// What it should be.
        wanted: String,
    },
    /// It belongs to another user.
    #[error("belongs to the user {owner}, not to the user {user}")]
    Owner {
        /// Who owns it.
        owner: u32,
        /// Who wants to use it.
        user: u32,
    },
    /// Others may write to it.
    #[error("is writable by others (mode {mode:04o})")]
    Writable {
        /// Its permission bits.
        mode: u32,
        /// Whether it is a directory.
        directory: bool,
    },
    /// A file has more names than the one in the store.
    #[error(
        "is a file with {names} names (hard links), and what is written there may change another file"
    )]
    Names {
        /// How many.
        names: u64,
    },
}
