//! A connection: each request is judged by its head, then answered.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{self, HeaderValue};
use axum::http::{Method, Request};
use axum::response::{IntoResponse as _, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1::{Builder, Parts};
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::backend::{Backend, ended};
use super::guard;
use super::heads::{HEAD, HEAD_TIME, Heads, InHand, Standing, Times};
use super::problem::Problem;
use crate::serve::panics;
use crate::serve::seat::Seat;

/// The one address that needs no token.
pub(super) const HEALTH: &str = "/health";
/// How long what a client still sends is thrown away at the end, so that it gets its answer.
const LINGER: Duration = Duration::from_secs(2);
/// How many bytes of it.
const LINGERING: usize = 4 << 20;

/// What the requests of a connection have in common.
pub(super) struct Answering {
    router: TowerToHyperService<Router>,
    backend: Arc<Backend>,
    /// The address that the client came to.
    local: SocketAddr,
    standing: Rc<Standing>,
}

impl Answering {
    pub(super) fn new(
        router: Router,
        backend: Arc<Backend>,
        local: SocketAddr,
        standing: Rc<Standing>,
    ) -> Rc<Self> {
        Rc::new(Self { router: TowerToHyperService::new(router), backend, local, standing })
    }

    /// Answers a request, which is in hand up to the end of its answer.
    pub(super) fn respond(
        self: &Rc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Answer>, Infallible>> + use<> {
        let (answering, in_hand) = (Rc::clone(self), InHand::new(&self.standing));
        async move {
            let response = answering.answer(request).await;
            Ok(response.map(|body| Answer { body, _in_hand: in_hand }))
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response {
        let begun = Instant::now();
        let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
        let rules = &self.backend.rules;
        let mut response = match rules.judge(&request, self.local) {
            Err(problem) => problem.into_response(),
            Ok(None) => self.answer_heard(request).await,
            Ok(Some(origin)) => {
                let asks = request.method() == Method::OPTIONS;
                let mut response =
                    if asks { guard::preflight() } else { self.answer_heard(request).await };
                guard::share(&mut response, origin);
                response
            }
        };
        self.backend.metrics.requests.observe(begun.elapsed().as_secs_f64());
        if is_chunked {
            // Where such a body ends is known to its reader alone: no head behind it could be looked at.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn answer_heard(&self, mut request: Request<Incoming>) -> Response {
        if request.uri().path() != HEALTH {
            let (method, uri, headers) = (request.method(), request.uri(), request.headers());
            match guard::holder(&self.backend.tokens, method, uri, headers) {
                Ok(holder) => drop(request.extensions_mut().insert(holder)),
                Err(problem) => return problem.into_response(),
            }
        }
        match Unwinding(pin!(self.router.call(request))).await {
            Some(Ok(response)) => response,
            None => Problem::internal().into_response(),
        }
    }
}

/// A future whose panic is the end of it alone.
struct Unwinding<'f, F>(Pin<&'f mut F>);

impl<F: Future> Future for Unwinding<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // What is shared with others is not left half-changed: it is behind locks and channels.
        match catch_unwind(AssertUnwindSafe(|| panics::within(|| self.0.as_mut().poll(context)))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
            Err(_) => Poll::Ready(None),
        }
    }
}

/// The body of an answer, up to whose end the request is in hand.
pub(super) struct Answer {
    body: Body,
    _in_hand: InHand,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Serves a connection to its end, which comes soon once the server ends.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    router: Router,
    backend: Arc<Backend>,
    local: SocketAddr,
    seat: Rc<Seat>,
) {
    let standing = Rc::new(Standing::of(seat));
    let mut ending = backend.ending.clone();
    let times = Times { head: HEAD_TIME, patience: backend.limits.patience };
    let heads = Heads::new(stream, Rc::clone(&standing), times);
    let answering = Answering::new(router, backend, local, Rc::clone(&standing));
    let service = service_fn(|request| Box::pin(answering.respond(request)));
    let mut builder = Builder::new();
    // A head is timed where it is looked at first.
    builder.header_read_timeout(None).max_header_size(HEAD).keep_alive(true);
    let mut connection = builder.serve_connection(TokioIo::new(heads), service);
    let (mut is_ending, mut ended) = (false, pin!(ended(&mut ending)));
    loop {
        let served = std::future::poll_fn(|context| connection.poll_without_shutdown(context));
        tokio::select! {
            // Where it ended with something to be told, that is known from the bytes.
            _ = served => break,
            () = &mut ended, if !is_ending => {
                is_ending = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    }
    let Parts { io, .. } = connection.into_parts();
    let mut stream = io.into_inner();
    if let Some(refused) = standing.refused() {
        // Who has gone does not hear it.
        let _ = stream.write_all(&refused.to_problem().to_raw()).await;
    }
    end(stream).await;
}

/// Ends a connection. What has not been read of it would have the system take back what was answered.
async fn end(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let drain = async {
        let (mut left, mut thrown) = (LINGERING, [0; 4096]);
        while left > 0 {
            match stream.read(&mut thrown).await {
                Ok(0) | Err(_) => return,
                Ok(length) => left = left.saturating_sub(length),
            }
        }
    };
    // Who sends on for longer is cut off.
    let _ = timeout(LINGER, drain).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_the_end_of_one_future() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let panics = async { panic!("on purpose") };
        assert!(runtime.block_on(Unwinding(pin!(panics))).is_none_or(|(): ()| false));
        assert_eq!(runtime.block_on(Unwinding(pin!(async { 7 }))), Some(7));
    }
}
