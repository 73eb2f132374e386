//! HTTP/2, where a client asks for it in its handshake (RFC 9113).

use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::rt::Executor;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep};

use super::backend::{Backend, ended};
use super::connection::Answering;
use super::heads::{HEAD, HEAD_TIME, Standing};
use super::stalls::Stalls;
use crate::serve::seat::Seat;

/// Its name in a handshake (ALPN).
pub(super) const NAME: &[u8] = b"h2";
/// How many requests of a connection are answered at once.
const REQUESTS: u32 = 64;
/// How much of bodies a client may send ahead of who reads them, in bytes.
const AHEAD: u32 = 64 << 10;
/// How much of an answer is kept for a client that does not read it, in bytes.
const UNSENT: usize = 16 << 10;
/// How long it may be silent at least before it is asked whether it is there.
const SHORTEST: Duration = Duration::from_millis(10);
/// How long a client that has asked for nothing may take to hear that it is over.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Has what belongs to a connection be done on its thread.
#[derive(Debug, Clone, Copy)]
struct Here;

impl<F: Future<Output: 'static> + 'static> Executor<F> for Here {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// Serves a connection to its end, which comes once the server ends and what was asked is answered.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    router: Router,
    backend: Arc<Backend>,
    local: SocketAddr,
    seat: Rc<Seat>,
) {
    let (standing, limits) = (Rc::new(Standing::of(seat)), backend.limits);
    let mut ending = backend.ending.clone();
    let answering = Answering::new(router, backend, local, Rc::clone(&standing));
    let stalls = Rc::new(Stalls::default());
    let watching = Rc::clone(&stalls);
    let service = service_fn(move |request| {
        let (response, stalls) = (answering.respond(request), Rc::clone(&watching));
        async move { response.await.map(|response| response.map(|body| stalls.watch(body))) }
    });
    let mut builder = Builder::new(Here);
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.keep_alive.max(SHORTEST))
        .keep_alive_timeout(limits.patience.saturating_sub(limits.keep_alive))
        .max_concurrent_streams(REQUESTS)
        .max_header_list_size(u32::try_from(HEAD).unwrap_or(u32::MAX))
        .initial_connection_window_size(AHEAD)
        .initial_stream_window_size(AHEAD)
        .max_send_buf_size(UNSENT);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let (mut is_ending, mut ended) = (false, pin!(ended(&mut ending)));
    let mut stalled = pin!(stalls.stalled(limits.patience));
    let (mut is_late, mut first) = (false, pin!(sleep(HEAD_TIME)));
    loop {
        tokio::select! {
            // Where it ended with something to be told, that was told.
            _ = &mut connection => return,
            // Who takes nothing is not there, as far as its answers go.
            () = &mut stalled => return,
            () = &mut ended, if !is_ending => {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
            () = &mut first, if is_late || !standing.is_asked() => {
                if is_late {
                    return;
                }
                is_late = true;
                connection.as_mut().graceful_shutdown();
                first.as_mut().reset(Instant::now() + LAST_WORD);
            }
        }
    }
}
