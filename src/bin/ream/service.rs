//! What a service manager is told: `sd_notify(3)`.

use std::ffi::{OsStr, OsString};
use std::io;
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use ream::platform;

/// The service manager that started the program, by the name of the socket that it listens on; or none.
#[derive(Debug, Clone)]
pub(crate) struct Service(Option<OsString>);

impl Service {
    pub(crate) fn of(socket: Option<OsString>) -> Self {
        Self(socket)
    }

    /// Says how the program is. A manager that does not hear it sees it otherwise.
    pub(crate) fn say(&self, state: &str) {
        if let Some(socket) = &self.0 {
            let _ = send(socket, state);
        }
    }

    /// Says that files are being read anew, which ends when it is said to be ready again. The time tells that
    /// from what was said before the manager asked for it.
    pub(crate) fn say_reloading(&self) {
        let now = platform::monotonic_time().as_micros();
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={now}"));
    }
}

fn send(socket: &OsStr, state: &str) -> io::Result<usize> {
    let name = socket.as_bytes();
    // A name that begins with `@` is no path.
    let address = match name.strip_prefix(b"@") {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        Some(name) => SocketAddr::from_abstract_name(name),
        _ => SocketAddr::from_pathname(socket),
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address?)
}
