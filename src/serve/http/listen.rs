//! Takes connections.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use tokio::net::TcpStream;

use super::backend::{Backend, ended};
use super::connection::serve;
use super::problem::Problem;
use super::two;
use crate::serve::hub::Hub;
use crate::serve::seat::Seat;
use crate::serve::tls::Acceptor;

/// How long is waited where no connection can be taken.
const PAUSE: Duration = Duration::from_millis(100);

/// Takes connections, each of which is served by a task.
pub(super) async fn accept(
    listener: tokio::net::TcpListener,
    hub: Rc<Hub>,
    router: Router,
    backend: Arc<Backend>,
    tls: Option<Acceptor>,
) {
    loop {
        // Without descriptors it waits for one.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let Some(admitted) = Hub::admit(&hub, &stream) else {
            let words = Problem::busy("too many connections").to_raw();
            match &tls {
                None => hub.refusals.refuse(stream, &words).await,
                Some(tls) => hub.refusals.refuse_tls(stream, tls.clone(), words),
            }
            continue;
        };
        let Ok(local) = stream.local_addr() else { continue };
        // An answer is one piece: nothing is gained by waiting for more of it.
        let _ = stream.set_nodelay(true);
        let (router, backend, tls) = (router.clone(), Arc::clone(&backend), tls.clone());
        tokio::task::spawn_local(async move {
            let seat = Rc::clone(&admitted.seat);
            let serving = async {
                match tls {
                    None => serve(stream, router, backend, local, seat).await,
                    Some(tls) => serve_tls(stream, tls, router, backend, local, seat).await,
                }
            };
            tokio::select! {
                () = serving => {}
                // Between two requests any connection may end.
                () = admitted.seat.given_up() => {}
            }
            drop(admitted);
        });
    }
}

/// Serves a connection behind its handshake.
async fn serve_tls(
    stream: TcpStream,
    tls: Acceptor,
    router: Router,
    backend: Arc<Backend>,
    local: SocketAddr,
    seat: Rc<Seat>,
) {
    let title = "this port speaks HTTP over TLS";
    let words = Problem::new(StatusCode::BAD_REQUEST, "tls-needed", 2, title).to_raw();
    let mut ending = backend.ending.clone();
    let stream = tokio::select! {
        stream = tls.accept(stream, &words) => stream,
        // Nothing has been asked yet: it is to end.
        () = ended(&mut ending) => None,
    };
    match stream {
        Some(stream) if stream.get_ref().1.alpn_protocol() == Some(two::NAME) => {
            two::serve(stream, router, backend, local, seat).await;
        }
        Some(stream) => serve(stream, router, backend, local, seat).await,
        None => {}
    }
}
