//! TLS over TCP: certificates, handshakes, and who speaks none.

use std::fs::{self, Permissions};
use std::io::{self, Read as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ream::serve::ServeOptions;
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, version};

use crate::command::{ream, signal, start, told};
use crate::support::{Client, Home, Socket};
use crate::tcp::{address, home, store};

/// What one is told who speaks no TLS where it is spoken.
const PLAIN: &str = "ERROR \"this port speaks REAM over TLS\"\n";

/// A file of the certificates that tests show.
fn made(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serve/tls").join(name)
}

/// A certificate and its key, where they may be changed.
pub(crate) struct Shown {
    directory: TempDir,
}

impl Shown {
    pub(crate) fn new() -> Self {
        let shown = Self { directory: tempfile::tempdir().unwrap() };
        shown.show("one");
        shown
    }

    pub(crate) fn cert(&self) -> PathBuf {
        self.directory.path().join("cert")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.directory.path().join("key")
    }

    /// Shows another one from here on.
    fn show(&self, name: &str) {
        fs::copy(made(&format!("{name}.cert")), self.cert()).unwrap();
        fs::write(self.key(), fs::read(made(&format!("{name}.key"))).unwrap()).unwrap();
        fs::set_permissions(self.key(), Permissions::from_mode(0o600)).unwrap();
    }

    fn home(&self) -> Home {
        home(|options| {
            (options.tls_cert, options.tls_key) = (Some(self.cert()), Some(self.key()));
            options.no_token = true;
        })
    }
}

type Encrypted = StreamOwned<ClientConnection, TcpStream>;

impl Socket for Encrypted {
    fn limit(&self, patience: Duration) -> io::Result<()> {
        self.sock.set_read_timeout(Some(patience))
    }

    fn finish(&self) -> io::Result<()> {
        self.sock.shutdown(std::net::Shutdown::Write)
    }
}

/// What a client trusts, which is this certificate alone.
pub(crate) fn config(certificate: &str) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(made(certificate)).unwrap()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// Connects, where the certificate that is shown is this one.
fn connect(address: SocketAddr, certificate: &str) -> io::Result<Client> {
    let name = "localhost".try_into().unwrap();
    let session = ClientConnection::new(Arc::new(config(certificate)), name).unwrap();
    let mut stream = StreamOwned::new(session, TcpStream::connect(address)?);
    stream.conn.complete_io(&mut stream.sock)?;
    Ok(Client::of(stream))
}

#[test]
fn what_is_said_goes_both_ways_however_long_it_is() {
    let shown = Shown::new();
    let home = shown.home();
    let mut client = connect(home.port(), "one.cert").unwrap();
    client.gets("REAM 1.0\n");
    client.asks("EVENT PUBLISH s 1\n1\n", "EVENT PUBLISHED s 1\n");
    // More than the buffers on the way take, read later.
    let long = format!("\"{}\"", "x".repeat(1 << 20));
    let publish = format!("EVENT PUBLISH long {}\n{long}\n", long.len());
    for version in 1..=8 {
        client.asks(&publish, &format!("EVENT PUBLISHED long {version}\n"));
    }
    client.asks("EVENT SUBSCRIBE long 1\n", "EVENT SUBSCRIBED long 1 8\n");
    for version in 1..=8 {
        client.gets(&format!("EVENT long {version} {}\n{long}\n", long.len()));
    }
    client.asks("PING\n", "PONG\n");
    home.end();
    assert_eq!(client.rest(), "ERROR \"the server is ending\"\n");
}

#[test]
fn http_is_spoken_over_tls_where_there_is_a_certificate() {
    let shown = Shown::new();
    let home = home(|options| {
        (options.tls_cert, options.tls_key) = (Some(shown.cert()), Some(shown.key()));
        options.tcp.clear();
        options.http = vec!["127.0.0.1:0".parse().unwrap()];
    });
    let mut client = connect(home.address(), "one.cert").unwrap();
    let request = |path| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n");
    client.send(format!("{}\r\n", request("/health")));
    client.gets("HTTP/1.1 200 OK\r\n");
    while client.line() != "\r" {}
    client.send(format!("{}Connection: close\r\n\r\n", request("/events")));
    client.gets("HTTP/1.1 401 Unauthorized\r\n");
    assert!(client.rest().to_ascii_lowercase().contains("\r\nwww-authenticate: bearer"));
    let mut plain = Client::of(TcpStream::connect(home.address()).unwrap());
    plain.send(format!("{}\r\n", request("/health")));
    plain.gets("HTTP/1.1 400 Bad Request\r\n");
    assert!(plain.rest().contains("this port speaks HTTP over TLS"));
}

#[test]
fn one_connection_too_many_is_told_so_over_tls_as_well() {
    let shown = Shown::new();
    let mut options = ServeOptions::default();
    (options.tls_cert, options.tls_key) = (Some(shown.cert()), Some(shown.key()));
    options.tcp = vec!["127.0.0.1:0".parse().unwrap()];
    options.max_connections = 1;
    let home = Home::with_http(options);
    let _only = home.client();
    let too_many = "ERROR \"too many connections\"\n";
    assert_eq!(connect(home.port(), "one.cert").unwrap().rest(), too_many);
    let told = connect(home.address(), "one.cert").unwrap().rest();
    assert!(told.starts_with("HTTP/1.1 503 ") && told.contains("too many connections"), "{told}");
    // Who speaks no TLS hears it, too.
    let mut plain = Client::of(TcpStream::connect(home.port()).unwrap());
    plain.send("PING\n");
    assert_eq!(plain.rest(), too_many);
}

#[test]
fn who_speaks_no_tls_is_told_that_it_is_spoken() {
    let shown = Shown::new();
    let home = shown.home();
    let begun = Instant::now();
    let plain = || Client::of(TcpStream::connect(home.port()).unwrap());
    let mut silent = plain();
    for words in ["PING\n", "GET / HTTP/1.1\r\n\r\n", "\n"] {
        let mut client = plain();
        client.send(words);
        assert_eq!(client.rest(), PLAIN);
    }
    // One that waits for a greeting hears it as well, and one that begins a handshake is not waited for.
    let mut begins = plain();
    begins.send(b"\x16\x03\x01\x02\x00\x01");
    assert_eq!((silent.rest(), begins.rest()), (PLAIN.into(), String::new()));
    let took = begun.elapsed();
    assert!((9..30).contains(&took.as_secs()), "{took:?}");
    home.end();
}

#[test]
fn a_client_of_tls_on_a_plain_port_ends_at_once() {
    let home = home(|_| ());
    let begun = Instant::now();
    assert!(connect(home.port(), "one.cert").is_err());
    assert!(begun.elapsed() < Duration::from_secs(9));
    home.end();
}

#[test]
fn a_server_that_ends_waits_for_no_handshake() {
    let shown = Shown::new();
    let home = shown.home();
    let mut silent = TcpStream::connect(home.port()).unwrap();
    // Whoever comes later is served: so the silent one is taken by then.
    connect(home.port(), "one.cert").unwrap().gets("REAM 1.0\n");
    let begun = Instant::now();
    home.end();
    assert!(begun.elapsed() < Duration::from_secs(9));
    assert_eq!(silent.read(&mut [0]).unwrap_or_default(), 0);
}

#[test]
fn a_certificate_is_read_anew_and_stays_where_that_fails() {
    let shown = Shown::new();
    let mut options = ServeOptions::default();
    (options.tls_cert, options.tls_key) = (Some(shown.cert()), Some(shown.key()));
    options.tcp = vec!["127.0.0.1:0".parse().unwrap()];
    let home = Home::with_http(options);
    let accepts = |certificate: &str| connect(home.port(), certificate).is_ok();
    let over_http = |certificate: &str| connect(home.address(), certificate).is_ok();
    assert!(accepts("one.cert") && !accepts("two.cert"));
    assert!(over_http("one.cert") && !over_http("two.cert"));
    let mut connected = connect(home.port(), "one.cert").unwrap();
    shown.show("two");
    assert!(accepts("one.cert"));
    assert_eq!(home.renew(), [""; 0]);
    assert!(accepts("two.cert") && !accepts("one.cert"));
    assert!(over_http("two.cert") && !over_http("one.cert"));
    connected.asks("TOKEN \"t-read\"\nPING\n", "REAM 1.0\nTOKEN TAKEN read\nPONG\n");
    fs::copy(made("one.cert"), shown.cert()).unwrap();
    let is_other = format!("{}: it is not the key of that certificate", shown.key().display());
    assert_eq!(home.renew(), [is_other]);
    assert!(accepts("two.cert"));
    fs::write(shown.key(), "-----BEGIN hidden").unwrap();
    let no_key = format!("{}: it holds no private key in PEM", shown.key().display());
    assert_eq!(home.renew(), [no_key]);
    fs::write(shown.cert(), "").unwrap();
    let no_certificate = format!("{}: it holds no certificate in PEM", shown.cert().display());
    assert_eq!(home.renew(), [no_certificate]);
    assert!(accepts("two.cert"));
    home.end();
}

#[test]
fn the_command_asks_for_tls_where_other_machines_connect() {
    let (_home, store) = store();
    let shown = Shown::new();
    let (cert, key) = (shown.cert(), shown.key());
    let files = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let refused = |args: &[&str]| {
        let ended = ream(&store, &[&["serve"], args].concat()).output().unwrap();
        assert!(ended.status.code() == Some(2) && ended.stdout.is_empty(), "{ended:?}");
        told(&ended).1
    };
    let words = refused(&["--unix", "socket", "--tcp", "0.0.0.0:0"]);
    assert!(words.contains("other machines reach 0.0.0.0:0: it needs TLS"), "{words}");
    refused(&["--tcp", "0.0.0.0:0", "--tls-cert", cert.to_str().unwrap()]);
    refused(&[&["--tcp", "0.0.0.0:0", "--plain-tcp"], &files[..]].concat());
    assert!(!store.join("serve.token").exists() && !Path::new("socket").exists());

    let (server, line) = start(&store, &[&["--tcp", "0.0.0.0:0"], &files[..]].concat());
    let found: SocketAddr = address(&line).parse().unwrap();
    assert!(line.contains(",\"tls\":true,\"token_file\":"), "{line}");
    let mut client = connect(([127, 0, 0, 1], found.port()).into(), "one.cert").unwrap();
    client.asks("PING\n", "REAM 1.0\nERROR \"a token is needed\"\n");
    signal(&server, "TERM");
    assert_eq!(told(&server.wait_with_output().unwrap()), (Some(0), String::new()));

    let (server, line) = start(&store, &["--tcp", "0.0.0.0:0", "--plain-tcp"]);
    assert!(!line.contains("tls"), "{line}");
    signal(&server, "TERM");
    assert_eq!(told(&server.wait_with_output().unwrap()), (Some(0), String::new()));

    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let args = [&["serve", "--tcp", "127.0.0.1:0"], &files[..]].concat();
    let (code, words) = told(&ream(&store, &args).output().unwrap());
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("key is readable by others (mode 0644)"), "{words}");
}
