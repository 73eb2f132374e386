//! Sockets that a service manager has opened for the server: `LISTEN_FDS`, `LISTEN_PID` and
//! `LISTEN_FDNAMES`, as `sd_listen_fds(3)` has them.

use std::env;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;

use listenfd::ListenFd;

use crate::store::Error;

/// Sockets that are open already, by what is spoken on them.
#[derive(Debug, Default)]
pub struct Sockets {
    /// Unix sockets, for REAM.
    pub(super) unix: Vec<UnixListener>,
    /// Ports of TCP, for REAM.
    pub(super) tcp: Vec<TcpListener>,
    /// Ports of TCP, for HTTP.
    pub(super) http: Vec<TcpListener>,
}

impl Sockets {
    /// Takes those that this process was started with: once, before it opens anything and while it has one
    /// thread. What is spoken on each says its name, `ream` or `http`; without names it is REAM.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] where one has another name, or is no socket that could be listened on.
    pub fn of_environment() -> Result<Self, Error> {
        let own = std::process::id().to_string();
        // Those of another process may have come down to this one.
        if env::var("LISTEN_PID").ok() != Some(own) {
            return Ok(Self::default());
        }
        let names = env::var("LISTEN_FDNAMES").ok();
        let taken = Self::take(&mut ListenFd::from_env(), names.as_deref());
        taken.map_err(|source| Error::Engine {
            action: "take the sockets that the service manager has opened",
            source: source.into(),
        })
    }

    fn take(given: &mut ListenFd, names: Option<&str>) -> io::Result<Self> {
        let (mut sockets, names) = (Self::default(), names.map(|names| names.split(':')));
        let mut names = names.into_iter().flatten();
        for at in 0..given.len() {
            match names.next().unwrap_or("ream") {
                "ream" => match given.take_tcp_listener(at) {
                    Ok(socket) => sockets.tcp.extend(socket),
                    Err(_) => sockets.unix.extend(given.take_unix_listener(at)?),
                },
                "http" => sockets.http.extend(given.take_tcp_listener(at)?),
                other => {
                    let words = format!("one is called `{other}`, and not `ream` or `http`");
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
                }
            }
        }
        Ok(sockets)
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.unix.is_empty() && self.tcp.is_empty() && self.http.is_empty()
    }

    /// The addresses of the ports.
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.tcp.iter().chain(&self.http).filter_map(|socket| socket.local_addr().ok())
    }
}
