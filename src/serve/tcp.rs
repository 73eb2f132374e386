//! Ports of TCP: for whoever brings a token, from anywhere that reaches them.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpStream;

use super::answer::wrong;
use super::connection::Connection;
use super::guest::Guest;
use super::hub::Hub;
use super::task::serve;
use super::tls::{Acceptor, Flushed};
use crate::platform;
use crate::store::Error;

/// How long is waited where no connection can be taken.
const PAUSE: Duration = Duration::from_millis(100);

/// A port that is listened on.
#[derive(Debug)]
pub(super) struct Port {
    address: SocketAddr,
    socket: TcpListener,
}

impl Port {
    /// Listens; the port 0 stands for one that is free.
    pub(super) fn bind(address: SocketAddr) -> Result<Self, Error> {
        let bound = TcpListener::bind(address).and_then(|socket| {
            platform::let_many_wait(&socket)?;
            socket.set_nonblocking(true)?;
            Ok(Self { address: socket.local_addr()?, socket })
        });
        bound.map_err(|error| Error::io("listen on", Path::new(&address.to_string()))(error))
    }

    /// A port that is open already.
    pub(super) fn given(socket: TcpListener) -> Result<Self, Error> {
        let given = socket.set_nonblocking(true).and_then(|()| socket.local_addr());
        let address = given.map_err(Error::io("listen on", Path::new("a port that was given")))?;
        Ok(Self { address, socket })
    }

    /// Where it listens, with its real port.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The socket, to be waited for.
    pub(super) fn start(&self) -> Result<tokio::net::TcpListener, Error> {
        let socket = self.socket.try_clone().and_then(tokio::net::TcpListener::from_std);
        let address = self.address.to_string();
        socket.map_err(|error| Error::io("listen on", Path::new(&address))(error))
    }
}

/// Whether only this machine reaches an address.
pub(super) fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// Takes connections, each of which is served by a task as such a guest; behind a handshake, where there is
/// TLS.
pub(super) async fn accept(
    listener: tokio::net::TcpListener,
    hub: Rc<Hub>,
    guest: Guest,
    tls: Option<Acceptor>,
) {
    loop {
        // Without descriptors it waits for one.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // An answer goes at once, and does not wait for more. Where that can't be had, it is only slower.
        let _ = stream.set_nodelay(true);
        match (hub.connect(&stream), &tls) {
            (Some(connection), None) => {
                let (reader, writer) = stream.into_split();
                let served = serve(reader, writer, Rc::clone(&hub), connection, guest.clone());
                tokio::task::spawn_local(served);
            }
            (Some(connection), Some(tls)) => {
                let hub = Rc::clone(&hub);
                let served = serve_tls(stream, tls.clone(), hub, connection, guest.clone());
                tokio::task::spawn_local(served);
            }
            (None, None) => hub.refusals.refuse(stream, &too_many()).await,
            (None, Some(tls)) => hub.refusals.refuse_tls(stream, tls.clone(), too_many()),
        }
    }
}

/// The words that there is no room.
fn too_many() -> Vec<u8> {
    wrong("too many connections", true).bytes
}

/// Serves a connection behind its handshake.
async fn serve_tls(
    stream: TcpStream,
    tls: Acceptor,
    hub: Rc<Hub>,
    connection: Rc<Connection>,
    guest: Guest,
) {
    let words = wrong("this port speaks REAM over TLS", true).bytes;
    let stream = tokio::select! {
        stream = tls.accept(stream, &words) => stream,
        // Nothing has been asked yet: it is to end.
        () = connection.changed() => None,
    };
    let Some(stream) = stream else { return hub.disconnect(&connection) };
    let (reader, writer) = tokio::io::split(stream);
    serve(reader, Flushed::new(writer), hub, connection, guest).await;
}
