//! What lets a client of a store's server in.

use std::path::PathBuf;

use super::{Error, RunLock, Store};

impl Store {
    /// The token of whoever owns the store, and the file that it is in; it is made where there is none. Its
    /// caller is the only server of the store.
    pub(crate) fn own_token(&self, _alone: &RunLock) -> Result<(PathBuf, String), Error> {
        self.engine.own_token()
    }
}
