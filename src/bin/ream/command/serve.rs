//! `ream serve`.

use std::fmt;
use std::net::SocketAddr;
use std::os::unix::net::SocketAddr as UnixAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use ream::platform;
use ream::serve::{ServeOptions, Server, Sockets};
use serde::Serialize;

use crate::args::{Format, Global};
use crate::command::following;
use crate::environment::Environment;
use crate::hint::quote;
use crate::output::{Output, note, to_line, warn};
use crate::refused::Refused;
use crate::signals::Signals;
use crate::units;

/// Serve the store to whoever connects, in REAM 1.0 and 1.1, or over HTTP
///
/// In the foreground, until SIGTERM or SIGINT: what was taken is answered, then it ends; a second signal ends
/// it at once. Without an address it listens on `serve.sock` in the store. A line on standard output for each
/// address says that it listens. The commands use the store beside it as ever.
///
/// Over TCP a client brings a token, over HTTP each request does. Without --token-file there is one, which may do
/// everything, in the file `serve.token` in the store; it is made where there is none. In a file of tokens a line is
/// NAME, then read, append or admin, then the token: `read` is to list, get, select and subscribe, `append` also to
/// publish and to set states, `admin` all else. The file is for you alone (mode 600). An address that other machines
/// reach needs TLS, or --plain-tcp. SIGHUP has the tokens, and the certificate, read anew.
///
/// Sockets that systemd has opened (`LISTEN_FDS`) are listened on as well: `http` is the name of those for HTTP,
/// `ream` of the others.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream serve
  ream serve --unix /run/ream/shop.sock
  ream serve --tcp 127.0.0.1:7326 --token-file tokens
  ream serve --tcp 0.0.0.0:7326 --tls-cert shop.pem --tls-key shop.key
  ream serve --http 127.0.0.1:7327
  printf 'EVENT PUBLISH emails 16\\n{\"name\":\"peter\"}\\n' | nc -U -N .ream/serve.sock")]
pub(crate) struct ServeArgs {
    /// Listen on a Unix socket at PATH, for the user who runs this; may be given several times
    #[arg(long, value_name = "PATH")]
    unix: Vec<PathBuf>,
    /// Listen at ADDR, an address and a port of TCP such as 127.0.0.1:7326; may be given several times
    #[arg(long, value_name = "ADDR", value_parser = address)]
    tcp: Vec<SocketAddr>,
    /// Serve HTTP at ADDR, such as 127.0.0.1:7327; may be given several times
    #[arg(long, value_name = "ADDR", value_parser = address)]
    http: Vec<SocketAddr>,
    /// Know clients by the tokens in FILE; with it another user may use a Unix socket with a token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Let whoever reaches an address of TCP do everything without a token; only where that is this machine
    #[arg(long)]
    no_token: bool,
    /// Let clients read and follow, and change nothing
    #[arg(long)]
    read_only: bool,
    /// Speak TLS over TCP and HTTP, with the certificate in FILE (PEM, with those that vouch for it)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key (PEM, for you alone: mode 600)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Let other machines connect without TLS: whoever is on the way reads the tokens, and all else
    #[arg(long, conflicts_with = "tls_cert")]
    plain_tcp: bool,
    /// Take HTTP requests for the host NAME; may be given several times
    #[arg(long, value_name = "NAME", value_parser = host)]
    allow_host: Vec<String>,
    /// Take HTTP requests from pages of ORIGIN, a scheme and a host; may be given several times
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    allow_origin: Vec<String>,
    /// At most N connections at once; the next takes the place of one that has been silent for ten seconds and follows nothing
    #[arg(long, value_name = "N", default_value = "1024", value_parser = following::at_least_one)]
    max_connections: usize,
    /// Keep at most SIZE of payloads and answers in memory; who sends more waits [default: 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    max_memory: Option<u64>,
    /// Interrupt a request, other than to publish, that takes longer than TIME [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    request_timeout: Option<Duration>,
    /// Ask a client that has been silent for TIME whether it is there [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    keep_alive: Option<Duration>,
    /// End a connection whose client has not answered that within TIME [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    ping_timeout: Option<Duration>,
    /// When it is to end, wait at most TIME for connections to end [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    grace: Option<Duration>,
}

/// Of whom a port takes connections.
const OF: &str = "for who has a token of";

/// That something is listened on, as JSON.
#[derive(Serialize)]
#[serde(tag = "listening", rename_all = "lowercase")]
enum ListeningJson<'s> {
    Unix { path: &'s str },
    Tcp(PortJson<'s>),
    Http(PortJson<'s>),
}

/// What is said of a port.
#[derive(Serialize)]
struct PortJson<'s> {
    address: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tls: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_file: Option<&'s str>,
}

impl fmt::Display for ListeningJson<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PortJson { address, tls, token_file } = match self {
            Self::Unix { path } => return write!(f, "listening on {path}"),
            Self::Http(port) => {
                let secure = if port.tls { "s" } else { "" };
                write!(f, "listening on http{secure}://{}", port.address)?;
                return port.token_file.map_or(Ok(()), |file| write!(f, ", {OF} {file}"));
            }
            Self::Tcp(port) => port,
        };
        write!(f, "listening on {address}{}", if *tls { " over TLS" } else { "" })?;
        token_file.map_or(Ok(()), |file| write!(f, ", {OF} {file}"))
    }
}

impl ServeArgs {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        // Before there is a thread, or anything else is open.
        let sockets = Sockets::of_environment()?;
        // Each connection has one, and the store some.
        platform::allow_descriptors((self.max_connections as u64).saturating_add(256));
        let signals = Signals::take_over_but_hangup()?;
        let options = self.options();
        if let Some(fault) = options.fault(&sockets) {
            return Err(Refused::Usage(fault).into());
        }
        let store_options = global.options(environment);
        let store = global.open(environment, &store_options)?;
        for socket in options.unix_sockets(store.path().unwrap_or(Path::new(".")), &sockets) {
            check(&socket)?;
        }
        // It is the signal that ends it, in its time.
        signals.hold(|| {
            let server = Server::bind_with(store, &store_options, &options, sockets)?;
            let service = environment.service.clone();
            let (stop, stopping) = (server.stop(), service.clone());
            signals.on_signal(move || {
                stopping.say("STOPPING=1");
                stop.stop();
            })?;
            let (renewal, heard, renewing) = (server.renewal(), global.clone(), service.clone());
            Signals::on_hangup(move || {
                renewing.say_reloading();
                renewal.renew().iter().for_each(|error| warn(&heard, error));
                renewing.say("READY=1");
            })?;
            // One that came before that is not told there.
            signals.check()?;
            self.say_ready(&server, global)?;
            service.say("READY=1");
            anyhow::Ok(server.run()?)
        })
    }

    fn options(&self) -> ServeOptions {
        let mut options = ServeOptions::default();
        options.unix.clone_from(&self.unix);
        options.tcp.clone_from(&self.tcp);
        options.http.clone_from(&self.http);
        options.allow_hosts.clone_from(&self.allow_host);
        options.allow_origins.clone_from(&self.allow_origin);
        options.token_file.clone_from(&self.token_file);
        options.no_token = self.no_token;
        options.read_only = self.read_only;
        options.tls_cert.clone_from(&self.tls_cert);
        options.tls_key.clone_from(&self.tls_key);
        options.plain_tcp = self.plain_tcp;
        options.max_connections = self.max_connections;
        options.max_memory = self.max_memory.unwrap_or(options.max_memory);
        options.request_timeout = self.request_timeout.unwrap_or(options.request_timeout);
        options.keep_alive = self.keep_alive.unwrap_or(options.keep_alive);
        options.ping_timeout = self.ping_timeout.unwrap_or(options.ping_timeout);
        options.grace = self.grace.unwrap_or(options.grace);
        options
    }

    /// Says what is listened on, and for whom.
    fn say_ready(&self, server: &Server, global: &Global) -> anyhow::Result<()> {
        let output = Output::new(global);
        let say = |listening: &ListeningJson<'_>| match output.format {
            Format::Table if global.quiet => Ok(()),
            Format::Table => output.done(format!("{listening}\n").as_bytes()),
            _ => output.done(&[to_line(listening)?, b"\n".into()].concat()),
        };
        for path in server.unix() {
            say(&ListeningJson::Unix { path: &path.to_string_lossy() })?;
        }
        let token_file = server.token_file().map(Path::to_string_lossy);
        for address in server.tcp() {
            if self.no_token {
                let words = format!("whoever reaches {address} may do everything with this store");
                note(global, "warning:", &words);
            }
            let (address, token_file) = (address.to_string(), token_file.as_deref());
            let port = PortJson { address, tls: self.tls_cert.is_some(), token_file };
            say(&ListeningJson::Tcp(port))?;
        }
        for address in server.http() {
            let token_file = token_file.as_deref();
            let port =
                PortJson { address: address.to_string(), tls: self.tls_cert.is_some(), token_file };
            say(&ListeningJson::Http(port))?;
            // The file in the store has one token and nothing else.
            let own = token_file.filter(|_| self.token_file.is_none() && self.tls_cert.is_none());
            if let Some(file) = own.filter(|_| matches!(output.format, Format::Table)) {
                let bearer = format!("Authorization: Bearer $(cat {})", quote(file));
                note(global, "try:", &format!("curl -H \"{bearer}\" http://{address}/events"));
            }
        }
        Ok(())
    }
}

/// Reads an address.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let address = text.replacen("localhost", "127.0.0.1", 1).parse();
    address.map_err(|_| "not an IP address and a port, as in 127.0.0.1:7326")
}

/// Reads the name of a host.
fn host(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(['/', ':', '@']) {
        return Err("a name without a port, such as shop.example.com".into());
    }
    Ok(text.into())
}

/// Reads an origin, as a browser names it.
fn origin(text: &str) -> Result<String, String> {
    let host = text.split_once("://").map(|(_, host)| host);
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '@', '?', '#']) => Ok(text.into()),
        _ => Err("an origin is a scheme and a host, such as https://example.com".into()),
    }
}

/// That a socket can be called so.
fn check(socket: &Path) -> Result<(), Refused> {
    if UnixAddr::from_pathname(socket).is_ok() {
        return Ok(());
    }
    let (path, bytes) = (socket.display(), socket.as_os_str().len());
    let message =
        format!("{path} has {bytes} bytes, too many for a socket; --unix takes another path");
    Err(Refused::Usage(message))
}
