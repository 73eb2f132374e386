//! The process's environment, read once.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::refused::Refused;
#[cfg(all(feature = "serve", unix))]
use crate::service::Service;

/// What the environment says.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    /// `REAM_STORE`: the store's directory.
    pub(crate) store: Option<PathBuf>,
    /// `REAM_TRUST_OWNER`: use a store that others own or may write to.
    pub(crate) trust_owner: bool,
    /// `REAM_UNSAFE_FS`: use a store on a network file system.
    pub(crate) unsafe_file_system: bool,
    /// `REAM_ALLOW`: run programs that a store remembers though they were not allowed here.
    pub(crate) allow: bool,
    /// `NOTIFY_SOCKET`: the service manager that started the program.
    #[cfg(all(feature = "serve", unix))]
    pub(crate) service: Service,
    /// The working directory.
    pub(crate) directory: PathBuf,
}

impl Environment {
    /// Reads the environment. An empty variable counts as one that is not set.
    pub(crate) fn read() -> Result<Self, Refused> {
        Ok(Self {
            store: given("REAM_STORE").map(PathBuf::from),
            trust_owner: switch("REAM_TRUST_OWNER")?,
            unsafe_file_system: switch("REAM_UNSAFE_FS")?,
            allow: switch("REAM_ALLOW")?,
            #[cfg(all(feature = "serve", unix))]
            service: Service::of(given("NOTIFY_SOCKET")),
            directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
        })
    }
}

fn given(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A variable that is 1 or 0. Each of them switches a check off, so what someone else may read as
/// "off" (`false`, `no`) is refused, not guessed.
fn switch(name: &str) -> Result<bool, Refused> {
    match given(name) {
        None => Ok(false),
        Some(value) if value == "1" => Ok(true),
        Some(value) if value == "0" => Ok(false),
        Some(value) => {
            let value = value.to_string_lossy();
            Err(Refused::Usage(format!("{name} is set to `{value}`; it can be 1 or 0")))
        }
    }
}

/// `PATH`: where a shell finds programs.
pub(crate) fn search_path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}
