//! The token of whoever owns the store, in a file beside the others.

use std::path::PathBuf;

use super::Store;
use crate::platform;
use crate::store::Error;

/// The file's name.
const TOKEN: &str = "serve.token";

impl Store {
    /// The token, and the file that it is in; it is made where there is none.
    pub(crate) fn own_token(&self) -> Result<(PathBuf, String), Error> {
        let place = &self.layout.place;
        let path = place.path(TOKEN);
        if let Some(token) = place.read_private(TOKEN)? {
            return Ok((path, token));
        }
        let mut bytes = [0; 16];
        platform::random(&mut bytes)
            .map_err(|error| Error::Engine { action: "get random bits", source: error.into() })?;
        let token = format!("{:032x}", u128::from_be_bytes(bytes));
        place.write_private(TOKEN, &format!("{token}\n"))?;
        Ok((path, token))
    }
}
