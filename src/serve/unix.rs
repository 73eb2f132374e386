//! Unix sockets: for whoever owns the store, on this machine.

use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::access::Tokens;
use super::answer::wrong;
use super::guest::Guest;
use super::hub::Hub;
use super::task::serve;
use crate::platform::{self, FileIdentity};
use crate::store::Error;

/// How long is waited where no connection can be taken.
const PAUSE: Duration = Duration::from_millis(100);

/// A socket that is listened on; where it was made here, it is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Listener {
    path: PathBuf,
    socket: UnixListener,
    /// Which file it is, where it was made here.
    made: Option<FileIdentity>,
}

impl Listener {
    /// Makes a socket, in the place of one that no one listens on any more.
    pub(super) fn bind(path: &Path) -> Result<Self, Error> {
        let told = |error| Error::io("listen on", path)(error);
        let socket = match UnixListener::bind(path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                if !is_socket(path) {
                    let kind = io::ErrorKind::AlreadyExists;
                    return Err(told(io::Error::new(kind, "something else has this name")));
                }
                if UnixStream::connect(path).is_ok() {
                    let name = format!("the server on {}", path.display());
                    let by = "another process".into();
                    return Err(Error::Running { name, by });
                }
                std::fs::remove_file(path).and_then(|()| UnixListener::bind(path))
            }
            bound => bound,
        };
        let socket = socket.map_err(told)?;
        let made = platform::identify(path).map_err(told)?;
        let listener = Self { path: path.into(), socket, made: Some(made) };
        let own = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(path, own).map_err(told)?;
        listener.socket.set_nonblocking(true).map_err(told)?;
        Ok(listener)
    }

    /// A socket that is open already; who may open it is up to whoever made it.
    pub(super) fn given(socket: UnixListener) -> Result<Self, Error> {
        let given = socket.set_nonblocking(true).and_then(|()| socket.local_addr());
        let address =
            given.map_err(Error::io("listen on", Path::new("a socket that was given")))?;
        let path = address.as_pathname().unwrap_or(Path::new("")).to_owned();
        Ok(Self { path, socket, made: None })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The socket, to be waited for.
    pub(super) fn start(&self) -> Result<tokio::net::UnixListener, Error> {
        let socket = self.socket.try_clone().and_then(tokio::net::UnixListener::from_std);
        socket.map_err(Error::io("listen on", &self.path))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Where the store was moved away, the path leads to the socket of another server by now.
        let stands = || platform::identify(&self.path).ok();
        if self.made.is_some_and(|made| stands() == Some(made)) {
            // Whoever listens next takes its place in any case.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn is_socket(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

/// Takes connections, each of which is served by a task.
pub(super) async fn accept(
    listener: tokio::net::UnixListener,
    hub: Rc<Hub>,
    tokens: Option<Arc<Tokens>>,
) {
    loop {
        // Without descriptors it waits for one.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let is_own = stream.peer_cred().is_ok_and(|peer| platform::is_own_user(peer.uid()));
        let guest = match &tokens {
            _ if is_own => Ok(Guest::owner().limited(hub.shared.limits.access)),
            Some(tokens) => Ok(Guest::with_token(tokens)),
            None => Err("not allowed"),
        };
        let taken = guest
            .and_then(|guest| Ok((hub.connect(&stream).ok_or("too many connections")?, guest)));
        match taken {
            Ok((connection, guest)) => {
                let (reader, writer) = stream.into_split();
                let served = serve(reader, writer, Rc::clone(&hub), connection, guest);
                tokio::task::spawn_local(served);
            }
            Err(reason) => hub.refusals.refuse(stream, &wrong(reason, true).bytes).await,
        }
    }
}
