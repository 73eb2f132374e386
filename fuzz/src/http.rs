//! What a client of HTTP sends to a server.

use std::fs::{self, Permissions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ream::serve::{ServeOptions, Server, Stop};
use ream::{Definition, Error, Options, ProjectionEntry, Schema, Store};
use tempfile::TempDir;

/// A token that may do everything. The seeds bring it.
const TOKEN: &str = "t-admin";
/// What is sent last: it ends a head that has not ended, and its answer is the last of the connection.
const LAST: &[u8] = b"\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
/// How long a request may take that waits for something else.
const LONGEST: Duration = Duration::from_millis(50);
/// How long a connection may take to end once nothing more comes.
const PATIENCE: Duration = Duration::from_secs(20);
/// After how many connections the store is made anew, so that what they store does not make them slow.
const CONNECTIONS: u32 = 500;

/// A server of HTTP on a store with some of everything.
pub struct Site {
    address: SocketAddr,
    stop: Stop,
    running: Option<JoinHandle<Result<(), Error>>>,
    still: Duration,
    connections: u32,
    _place: TempDir,
}

impl Site {
    /// A new one; where it is `still` for so long, it is taken to wait for more: the rest of a body, or events.
    pub fn new(still: Duration) -> Self {
        let place = tempfile::tempdir().expect("there is room for a store");
        let (store, tokens) = (place.path().join("store"), place.path().join("tokens"));
        fill(&store);
        fs::write(&tokens, format!("fuzz admin {TOKEN}\n")).expect("it can be written");
        fs::set_permissions(&tokens, Permissions::from_mode(0o600)).expect("it is ours");
        let mut options = ServeOptions::default();
        options.http = vec![([127, 0, 0, 1], 0).into()];
        options.token_file = Some(tokens);
        options.request_timeout = LONGEST;
        options.grace = Duration::ZERO;
        let server = Server::bind(&store, &Options::default(), &options).expect("it listens");
        let address = server.http().next().expect("it listens to HTTP");
        let stop = server.stop();
        let running = Some(std::thread::spawn(move || server.run()));
        Self { address, stop, running, still, connections: 0, _place: place }
    }

    /// That the connection is answered, or ended, whatever comes; whether the first request succeeds.
    pub fn answers(&mut self, sent: &[u8]) -> bool {
        self.connections += 1;
        if self.connections > CONNECTIONS {
            *self = Self::new(self.still);
        }
        let answer = self.ask(sent);
        if answer.is_empty() {
            return false;
        }
        // A request of HTTP/1.0 is answered in that.
        let rest = answer
            .strip_prefix(b"HTTP/1.")
            .and_then(|rest| rest.strip_prefix(b"1 ").or_else(|| rest.strip_prefix(b"0 ")));
        let status = rest.and_then(|rest| rest.get(..4));
        let status = status.and_then(|status| str::from_utf8(status).ok());
        let status: Option<u16> = status.and_then(|status| status.strip_suffix(' ')?.parse().ok());
        let shown = String::from_utf8_lossy(&answer);
        assert!(status.is_some_and(|status| (100..600).contains(&status)), "{shown}");
        // At none of the requests the server fails by itself.
        assert!(!shown.contains(" 500 Internal Server Error\r\n"), "{shown}");
        status.is_some_and(|status| status < 300)
    }

    /// All that is answered until the connection ends.
    fn ask(&self, sent: &[u8]) -> Vec<u8> {
        let mut socket = TcpStream::connect(self.address).expect("it listens");
        socket.set_read_timeout(Some(self.still)).expect("it has a timeout");
        // As much as a fuzzer makes fits into the socket. The server may have gone before its end.
        let _ = socket.write_all(&[sent, LAST].concat());
        let (mut answer, mut part, begun) = (Vec::new(), [0; 1 << 12], Instant::now());
        loop {
            match socket.read(&mut part) {
                Ok(0) => return answer,
                Ok(length) => answer.extend_from_slice(&part[..length]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return answer,
                Err(error) => {
                    let is_still =
                        matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                    assert!(is_still, "{error}");
                    assert!(begun.elapsed() < PATIENCE, "it does not end");
                    // Whatever it waits for does not come.
                    let _ = socket.shutdown(Shutdown::Write);
                }
            }
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.stop();
        let ended = self.running.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.expect("it ran").expect("no panic ended it").expect("it ended in order");
        }
    }
}

/// Makes a store with events, a state and a projection.
fn fill(path: &std::path::Path) {
    let (mut store, _) = Store::init(path, &Options::default()).expect("a store is made");
    for line in [
        r#"{"stream":"order-1","type":"Placed","data":{"total":12.50},"id":"k1"}"#,
        r#"{"stream":"order-1","type":"Paid","expect":1,"state":{"n":2}}"#,
        r#"{"stream":"pictures","type":"Taken","data_base64":"AP8="}"#,
    ] {
        let event = ream::wire::parse_event(line.as_bytes()).expect("it is an event");
        store.append(&[event]).expect("it is stored");
    }
    let schema = Schema::of(&["id:integer:key", "city:text"]).expect("it is a schema");
    let users =
        ProjectionEntry::new("users".parse().expect("it is a name"), Definition::new(schema));
    store.create_projection(&users).expect("it is made");
}
