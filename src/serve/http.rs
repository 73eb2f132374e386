//! HTTP, for whatever can't speak REAM: `curl`, a browser, any language.
//!
//! The requests are routed by axum and parsed by hyper, on the one thread that has all sockets; what they ask for
//! is done by the threads that work for everyone.

mod address;
mod append;
mod backend;
mod body;
mod choice;
mod connection;
mod cursor;
mod events;
mod guard;
mod heads;
mod listen;
mod live;
mod name;
mod openapi;
mod parameters;
mod pieces;
mod place;
mod problem;
mod projections;
mod schemas;
mod stalls;
mod states;
mod status;
mod streams;
mod two;
mod watching;

use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use self::backend::{Backend, Limits};
use self::connection::HEALTH;
use self::guard::Rules;
use self::problem::Problem;
use self::schemas::ProblemJson;
use super::ServeOptions;
use super::access::Tokens;
use super::hub::Hub;
use super::pool::Pool;
use super::tcp::Port;
use super::tls::Acceptor;
use crate::store::{Error, Sealer};

/// What is spoken behind a handshake, by its names there (ALPN): the preferred one first.
pub(super) const PROTOCOLS: [&[u8]; 2] = [two::NAME, b"http/1.1"];
/// How long is waited for anything at most.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// What serves HTTP has of the server.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) tokens: Arc<Tokens>,
    pub(super) pool: Arc<Pool>,
    pub(super) ending: watch::Receiver<bool>,
    /// How long data may be, in bytes.
    pub(super) data: usize,
    /// What takes handshakes, where HTTP is spoken over TLS.
    pub(super) tls: Option<Acceptor>,
}

/// Starts to serve HTTP; the tasks that take connections.
pub(super) fn start(
    listening: &[Port],
    options: &ServeOptions,
    parts: Parts,
    hub: &Rc<Hub>,
) -> Result<Vec<JoinHandle<()>>, Error> {
    let Parts { tokens, pool, ending, data, tls } = parts;
    let patience = options.keep_alive.saturating_add(options.ping_timeout).min(LONGEST);
    let limits = Limits {
        patience,
        keep_alive: options.keep_alive.min(LONGEST),
        request: options.request_timeout.min(LONGEST),
        comment: (options.keep_alive / 2).min(LONGEST),
        data,
    };
    let rules =
        Rules { hosts: options.allow_hosts.clone(), origins: options.allow_origins.clone() };
    let (asking, mut asked) = mpsc::unbounded_channel();
    let backend = Arc::new(Backend {
        rules,
        tokens,
        limits,
        memory: hub.shared.memory.clone(),
        metrics: Arc::clone(&hub.shared.metrics),
        pool,
        asking,
        sealer: Mutex::new(Sealer::new()?),
        loader: Arc::clone(&hub.shared.loader),
        heard: hub.shared.heard.clone(),
        feed: Arc::clone(&hub.shared.feed),
        ending,
    });
    let asking = Rc::clone(hub);
    tokio::task::spawn_local(async move {
        while let Some(asked) = asked.recv().await {
            asking.shared.ask(asked);
        }
    });
    let router = router(&backend);
    let accepting = listening.iter().map(|port| {
        let (router, backend, tls) = (router.clone(), Arc::clone(&backend), tls.clone());
        let accepting = listen::accept(port.start()?, Rc::clone(hub), router, backend, tls);
        Ok(tokio::task::spawn_local(accepting))
    });
    accepting.collect()
}

/// What is done at which address.
fn router(backend: &Arc<Backend>) -> Router {
    let unknown = || async {
        let problem = Problem::new(StatusCode::NOT_FOUND, "not-found", 4, "there is nothing here");
        problem.with_detail("see what there is: GET /openapi.json")
    };
    let not_allowed = || async {
        let title = "this method does not go with this address";
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", 2, title)
    };
    let state = get(states::get).put(states::put).delete(states::delete);
    let router = Router::new()
        .route(HEALTH, get(health))
        .route("/events", get(events::read).post(append::lines::append_lines))
        .route("/streams", get(streams::list).post(append::append))
        .route("/streams/{stream}", get(streams::show).post(append::append))
        .route("/states", state.clone())
        .route("/states/{stream}", state)
        .route("/projections", get(projections::list))
        .route("/projections/{name}", get(projections::selecting::select))
        .route("/subscriptions", get(status::subscriptions))
        .route("/status", get(status::status))
        .route("/metrics", get(watching::metrics))
        .route("/openapi.json", get(openapi::describe));
    let router = router.fallback(unknown).method_not_allowed_fallback(not_allowed);
    router.with_state(Arc::clone(backend))
}

/// Tells whether the server can do its work; nothing else.
#[utoipa::path(
    get,
    path = "/health",
    responses(
        (status = 200, description = "It can"),
        (status = 503, description = "It can't, or it ends"),
        (status = "default", description = "What went wrong", body = ProblemJson, content_type = "application/problem+json")
    ),
    security(())
)]
async fn health(State(backend): State<Arc<Backend>>) -> StatusCode {
    let check = |store: &mut crate::store::Store| Ok(store.check()?);
    let is_ending = *backend.ending.borrow();
    match backend.perform(check).await {
        Ok(()) if !is_ending => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}
