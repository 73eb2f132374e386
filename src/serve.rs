//! The server: REAM 1.0 and 1.1, and HTTP (`http`), for whoever can open a socket, on the store that the commands
//! use as well.
//!
//! One thread has all sockets ([`Server::run`]); one commits, for all connections together (`commit`); four
//! carry out what else is asked, one reads for subscribers that are behind (`pool`), and one hears what is
//! stored, from wherever it comes (`push`). They tell the first what they have done, and it answers (`hub`).

mod access;
mod answer;
mod assignments;
mod commit;
mod connection;
mod followed;
mod frames;
mod guest;
mod http;
mod hub;
mod last_word;
mod memory;
mod message;
mod metrics;
mod options;
mod pace;
mod panics;
mod pool;
mod push;
mod refusal;
mod seat;
mod session;
mod shared;
mod sockets;
mod task;
mod tcp;
mod tls;
mod told;
mod unix;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinHandle, LocalSet};

use self::access::Tokens;
use self::commit::Committer;
#[doc(hidden)]
pub use self::frames::messages;
use self::guest::Guest;
use self::hub::Hub;
use self::memory::Memory;
use self::metrics::Metrics;
pub use self::panics::is_within_request;
use self::pool::{Opener, Pool};
use self::push::Feed;
use self::shared::{Limits, Shared};
pub use self::sockets::Sockets;
use self::tcp::Port;
use self::tls::{Acceptor, Certificate};
use self::unix::Listener;
use crate::store::{Error, Options, RunLock, Store};

/// How many threads carry out what is asked.
const THREADS: usize = 4;
/// How long is waited for anything at most.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
/// How many lots of events may wait to be told.
const NEWS: usize = 4;

/// How a store is served.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServeOptions {
    /// The Unix sockets to listen on; where there is no other address either, `serve.sock` in the store.
    pub unix: Vec<PathBuf>,
    /// The addresses of TCP to listen on; the port 0 stands for one that is free.
    pub tcp: Vec<SocketAddr>,
    /// The addresses to serve HTTP on; the port 0 stands for one that is free.
    pub http: Vec<SocketAddr>,
    /// The file of tokens: a line each, `NAME read|append|admin TOKEN`, for its owner alone. With it another
    /// user than the store's owner may use the Unix sockets, and has to bring one. Without it the token for
    /// TCP and HTTP is in `serve.token` in the store.
    pub token_file: Option<PathBuf>,
    /// The certificate to show over TCP, and those that vouch for it, in PEM; [`ServeOptions::tls_key`] is its key.
    /// With it each address of TCP and HTTP speaks TLS, and nothing else. Both are needed for an address that
    /// other machines reach.
    pub tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM, for its owner alone.
    pub tls_key: Option<PathBuf>,
    /// Have other machines connect without TLS: whoever is on the way reads the tokens, and all else.
    pub plain_tcp: bool,
    /// Have whoever reaches an address of TCP do everything, without a token: only where that is this
    /// machine alone, and HTTP is not served.
    pub no_token: bool,
    /// Let no one change anything: also a store that has lost what was acknowledged is served so.
    pub read_only: bool,
    /// The names of hosts that HTTP requests may name, beside those of this machine and the addresses listened on.
    pub allow_hosts: Vec<String>,
    /// The origins whose pages may use HTTP, such as `https://example.com`; none by default.
    pub allow_origins: Vec<String>,
    /// How many connections there may be at once; 1,024 by default.
    pub max_connections: usize,
    /// How much all connections may keep together, of payloads until they are stored and of answers until they
    /// are sent, in bytes; 256 MiB by default. A client whose payload does not fit is not read until it does.
    pub max_memory: u64,
    /// How long a line may take from its first byte, and the payloads behind it, which take a second a MiB
    /// more; 10 seconds by default.
    pub receive_timeout: Duration,
    /// How long a request may take, other than to publish; 30 seconds by default.
    pub request_timeout: Duration,
    /// How long a client may be silent before it is asked whether it is there; 30 seconds by default.
    pub keep_alive: Duration,
    /// How long it may take to answer that; 5 seconds by default.
    pub ping_timeout: Duration,
    /// How long connections may take to end when the server does; 10 seconds by default.
    pub grace: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            unix: Vec::new(),
            tcp: Vec::new(),
            http: Vec::new(),
            token_file: None,
            tls_cert: None,
            tls_key: None,
            plain_tcp: false,
            no_token: false,
            read_only: false,
            allow_hosts: Vec::new(),
            allow_origins: Vec::new(),
            max_connections: 1024,
            max_memory: 256 << 20,
            receive_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(30),
            ping_timeout: Duration::from_secs(5),
            grace: Duration::from_secs(10),
        }
    }
}

/// Ends a server from another thread.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Notify>);

impl Stop {
    /// Has the server take nothing more, answer what it has taken, and end; at once, where it was asked to
    /// end before.
    pub fn stop(&self) {
        self.0.notify_one();
    }
}

/// Has a server read what it was given anew, from another thread.
#[derive(Debug, Clone)]
pub struct Renewal {
    tokens: Option<Arc<Tokens>>,
    certificate: Option<Arc<Certificate>>,
}

impl Renewal {
    /// Reads the tokens, and the certificate with its key, from their files: who connects from here on needs
    /// the new ones and is shown them, and who is connected stays so. What can't be used is returned, and what
    /// was there in its place stays.
    #[must_use]
    pub fn renew(&self) -> Vec<Error> {
        let tokens = self.tokens.as_ref().map(|tokens| tokens.reload());
        let certificate = self.certificate.as_ref().map(|certificate| certificate.reload());
        [tokens, certificate].into_iter().flatten().filter_map(Result::err).collect()
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    options: ServeOptions,
    store: Store,
    opener: Opener,
    listeners: Vec<Listener>,
    ports: Vec<Port>,
    http: Vec<Port>,
    tokens: Option<Arc<Tokens>>,
    certificate: Option<Arc<Certificate>>,
    stop: Stop,
    /// That no other server runs this store.
    _lock: RunLock,
}

impl Server {
    /// Listens for who would use the store at `path`.
    ///
    /// # Errors
    ///
    /// Where [`ServeOptions::fault`] finds one; [`Error::BadCredentials`] and [`Error::Place`] where the tokens
    /// can't be used; [`Error::LostEvents`] and [`Error::LostChanges`], since no one could write; [`Error::Running`] where a
    /// server runs the store already, or another one listens on such a socket; where a socket can't be made;
    /// and as [`Store::open`].
    pub fn bind(
        path: &Path,
        store_options: &Options,
        options: &ServeOptions,
    ) -> Result<Self, Error> {
        if let Some(fault) = options.fault(&Sockets::default()) {
            return Err(unfit(fault));
        }
        let store = Store::open(path, store_options)?;
        Self::bind_with(store, store_options, options, Sockets::default())
    }

    /// The same for a store that was opened with `store_options`, on sockets that are open already as well.
    ///
    /// # Errors
    ///
    /// As [`Server::bind`].
    pub fn bind_with(
        store: Store,
        store_options: &Options,
        options: &ServeOptions,
        sockets: Sockets,
    ) -> Result<Self, Error> {
        if let Some(fault) = options.fault(&sockets) {
            return Err(unfit(fault));
        }
        if !options.read_only {
            // Nothing would be stored that it is asked to store.
            store.check()?;
        }
        let lock = store.take_server()?;
        let Some(path) = store.path().map(Path::to_owned) else {
            return Err(unfit("a store in memory is not served".into()));
        };
        let (id, options_of_store) = (store.id().into(), store_options.clone());
        let opener = Opener { path: path.clone(), options: options_of_store, id };
        let tokens = match &options.token_file {
            Some(file) => Some(Tokens::of_file(file, store_options)?),
            None if !options.has_ports(&sockets) || options.no_token => None,
            None => Some(Tokens::of_store(&store, &lock, store_options)?),
        };
        let certificate = match (&options.tls_cert, &options.tls_key) {
            (Some(chain), Some(key)) => Some(Certificate::read(chain, key, store_options)?),
            _ => None,
        };
        let made = options.unix_sockets(&path, &sockets);
        let made = made.iter().map(|socket| Listener::bind(socket));
        let listeners = made.chain(sockets.unix.into_iter().map(Listener::given));
        let listeners = listeners.collect::<Result<_, _>>()?;
        let made = options.tcp.iter().map(|address| Port::bind(*address));
        let ports = made.chain(sockets.tcp.into_iter().map(Port::given));
        let made = options.http.iter().map(|address| Port::bind(*address));
        let http = made.chain(sockets.http.into_iter().map(Port::given));
        Ok(Self {
            options: options.clone(),
            opener,
            store,
            listeners,
            ports: ports.collect::<Result<_, _>>()?,
            http: http.collect::<Result<_, _>>()?,
            tokens: tokens.map(|tokens| Arc::new(tokens.limited(options.access()))),
            certificate: certificate.map(Arc::new),
            stop: Stop::default(),
            _lock: lock,
        })
    }

    /// The sockets that are listened on.
    pub fn unix(&self) -> impl Iterator<Item = &Path> {
        self.listeners.iter().map(Listener::path)
    }

    /// The addresses of TCP that are listened on, with their real ports.
    pub fn tcp(&self) -> impl Iterator<Item = SocketAddr> {
        self.ports.iter().map(Port::address)
    }

    /// The addresses that HTTP is served on, with their real ports.
    pub fn http(&self) -> impl Iterator<Item = SocketAddr> {
        self.http.iter().map(Port::address)
    }

    /// The file with the tokens, where one may be needed.
    #[must_use]
    pub fn token_file(&self) -> Option<&Path> {
        self.tokens.as_ref().map(|tokens| tokens.path())
    }

    /// What ends it.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// What has it read tokens and certificate anew.
    #[must_use]
    pub fn renewal(&self) -> Renewal {
        let (tokens, certificate) = (self.tokens.clone(), self.certificate.clone());
        Renewal { tokens, certificate }
    }

    /// Serves until it is stopped.
    ///
    /// # Errors
    ///
    /// Where the store is no longer there, can't be read, or the system has no threads to give.
    pub fn run(self) -> Result<(), Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(cannot_serve)?;
        let served = LocalSet::new().block_on(&runtime, self.serve());
        // A thread may still be at work on what no one waits for any more.
        runtime.shutdown_background();
        served
    }

    async fn serve(self) -> Result<(), Error> {
        let (telling, mut told) = mpsc::unbounded_channel();
        let (spreading, mut news) = mpsc::channel(NEWS);
        let feed = Feed::start(&self.store, spreading, telling.clone())?;
        let metrics = Arc::new(Metrics::new());
        // What ends these is that no one asks them any more.
        let store = self.opener.open_for_groups()?;
        let committer = Committer::start(store, telling.clone(), Arc::clone(&metrics))?;
        let timeout = self.options.request_timeout.min(LONGEST);
        let pool = Arc::new(Pool::start(THREADS, &self.opener, timeout)?);
        let pools = (pool, Arc::new(Pool::start(1, &self.opener, LONGEST)?));
        let limits = Limits {
            keep_alive: self.options.keep_alive.min(LONGEST),
            ping_timeout: self.options.ping_timeout.min(LONGEST),
            connections: self.options.max_connections,
            access: self.options.access(),
            receive: self.options.receive_timeout.min(LONGEST),
            payload: self.store.max_data_bytes() as u64,
        };
        let memory = Memory::new(self.options.max_memory);
        let hub = Rc::new(Hub::new(Shared::new(
            limits, memory, committer, pools, feed, telling, metrics,
        )?));
        let (end, ending) = watch::channel(false);
        let accepting = self.take_connections(&hub, ending)?;
        let asking = Rc::clone(&hub);
        tokio::task::spawn_local(async move { asking.commit().await });
        let ended = tokio::select! {
            error = hub.listen(&mut told, &mut news) => Err(error),
            () = self.stop.0.notified() => Ok(()),
        };
        for task in &accepting {
            task.abort();
        }
        hub.end();
        end.send_replace(true);
        tokio::select! {
            // What was taken is still answered.
            _ = hub.listen(&mut told, &mut news) => {}
            () = hub.emptied() => {}
            () = self.stop.0.notified() => {}
            () = tokio::time::sleep(self.options.grace) => {}
        }
        ended
    }

    /// Starts to take connections, on all that is listened on; the tasks that do.
    fn take_connections(
        &self,
        hub: &Rc<Hub>,
        ending: watch::Receiver<bool>,
    ) -> Result<Vec<JoinHandle<()>>, Error> {
        let mut accepting = Vec::new();
        for listener in &self.listeners {
            let taking = unix::accept(listener.start()?, Rc::clone(hub), self.tokens.clone());
            accepting.push(tokio::task::spawn_local(taking));
        }
        // Without tokens there are ports only where none is needed.
        let guest = self.tokens.as_ref().map_or_else(Guest::anyone, Guest::with_token);
        let guest = guest.limited(self.options.access()).stranger();
        let tls = |protocols: &[&[u8]]| {
            let certificate = self.certificate.as_ref();
            certificate.map(|certificate| Acceptor::new(certificate, protocols)).transpose()
        };
        let of_ream = tls(&[])?;
        for port in &self.ports {
            let taking = tcp::accept(port.start()?, Rc::clone(hub), guest.clone(), of_ream.clone());
            accepting.push(tokio::task::spawn_local(taking));
        }
        if let Some(tokens) = self.tokens.clone() {
            let pool = Arc::clone(&hub.shared.pool);
            let (data, tls) = (self.store.max_data_bytes(), tls(&http::PROTOCOLS)?);
            let parts = http::Parts { tokens, pool, ending, data, tls };
            accepting.extend(http::start(&self.http, &self.options, parts, hub)?);
        }
        Ok(accepting)
    }
}

/// That what was asked for does not go together.
fn unfit(fault: String) -> Error {
    Error::Engine { action: "serve", source: fault.into() }
}

/// That the system does not give what a server needs.
fn cannot_serve(error: std::io::Error) -> Error {
    Error::Engine { action: "serve", source: error.into() }
}
