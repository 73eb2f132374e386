//! A remembered program that may not run here.

use std::path::PathBuf;

/// The program that a projection remembers, or is to be made with, was neither given nor allowed here.
#[derive(Debug, thiserror::Error)]
#[error("the program of `{name}` was neither given nor allowed here")]
#[non_exhaustive]
pub struct NotAllowed {
    /// The projection.
    pub name: String,
    /// The program, and its arguments.
    pub program: Vec<String>,
    /// The directory that it would run in.
    pub directory: PathBuf,
    /// The store, from the root on.
    pub store: PathBuf,
    /// Why no permit can be kept here, where none can: [`Store::allow`] is of no use then.
    ///
    /// [`Store::allow`]: crate::Store::allow
    pub no_permits: Option<&'static str>,
}
