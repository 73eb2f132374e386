//! The process's environment, read once.

use std::path::PathBuf;

/// What the environment says.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    /// `REAM_STORE`: the store's directory.
    pub(crate) store: Option<PathBuf>,
    /// `REAM_TRUST_OWNER`: use a store that others own or may write to.
    pub(crate) trust_owner: bool,
    /// `REAM_UNSAFE_FS`: use a store on a network file system.
    pub(crate) unsafe_file_system: bool,
    /// The working directory.
    pub(crate) directory: PathBuf,
}

impl Environment {
    pub(crate) fn read() -> Self {
        let given = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let set = |name| given(name).is_some_and(|value| value != "0");
        Self {
            store: given("REAM_STORE").map(PathBuf::from),
            trust_owner: set("REAM_TRUST_OWNER"),
            unsafe_file_system: set("REAM_UNSAFE_FS"),
            directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
        }
    }
}
