//! A server on a new store, and clients of it.

use std::fs::Permissions;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;

use ream::serve::{Renewal, ServeOptions, Server, Stop};
use ream::{Data, EventRef, Json, NewEvent, Options, Query, Store};
use tempfile::TempDir;

use crate::secrets::{self, Heard};

/// How long anything may take at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server in this process, on a store of its own.
pub(crate) struct Home {
    directory: TempDir,
    ports: Vec<SocketAddr>,
    http: Option<SocketAddr>,
    renewal: Renewal,
    stop: Stop,
    running: Option<JoinHandle<Result<(), ream::Error>>>,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self::with(&ServeOptions::default())
    }

    pub(crate) fn with(options: &ServeOptions) -> Self {
        Self::within(tempfile::tempdir().unwrap(), &Options::default(), options)
    }

    /// One that serves HTTP as well, to who has one of the tokens `t-read`, `t-append` and `t-admin`.
    pub(crate) fn with_http(options: ServeOptions) -> Self {
        Self::with_http_on(&Options::default(), options)
    }

    /// The same, on a store that is opened with such options.
    pub(crate) fn with_http_on(store: &Options, mut options: ServeOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("tokens");
        ["t-read", "t-append", "t-admin"].into_iter().for_each(secrets::keep);
        std::fs::write(&file, "ann read t-read\nbob append t-append\ncat admin t-admin\n").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        options.token_file = Some(file);
        options.http = vec![([127, 0, 0, 1], 0).into()];
        options.unix = vec![directory.path().join("s/serve.sock")];
        Self::within(directory, store, &options)
    }

    fn within(directory: TempDir, store: &Options, options: &ServeOptions) -> Self {
        Store::init(&directory.path().join("s"), &Options::default()).unwrap();
        let server = Server::bind(&directory.path().join("s"), store, options);
        let server = server.unwrap();
        let (ports, http) = (server.tcp().collect(), server.http().next());
        let (renewal, stop) = (server.renewal(), server.stop());
        let running = Some(std::thread::spawn(move || server.run()));
        Self { directory, ports, http, renewal, stop, running }
    }

    /// The address that HTTP is served on.
    pub(crate) fn address(&self) -> SocketAddr {
        self.http.unwrap()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("s")
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(&self.path(), &Options::default()).unwrap()
    }

    /// Appends an event beside the server.
    pub(crate) fn append(&self, stream: &str, json: &str) {
        self.open().append(&[event(stream, json)]).unwrap();
    }

    /// A client that has been greeted.
    pub(crate) fn client(&self) -> Client {
        let mut client = Client::at(&self.path().join("serve.sock"));
        client.gets("REAM 1.0\n");
        client
    }

    /// Where it listens to TCP.
    pub(crate) fn port(&self) -> SocketAddr {
        self.ports[0]
    }

    /// Has it read tokens and certificate anew; what it says to that.
    pub(crate) fn renew(&self) -> Vec<String> {
        self.renewal.renew().iter().map(ToString::to_string).collect()
    }

    /// A client over TCP that has been greeted.
    pub(crate) fn tcp_client(&self) -> Client {
        let mut client = Client::of(TcpStream::connect(self.port()).unwrap());
        client.gets("REAM 1.0\n");
        client
    }

    /// What is stored, but for ids and times.
    pub(crate) fn stored(&self) -> Vec<String> {
        let mut stored = Vec::new();
        let mut note = |event: &EventRef<'_>| {
            let (stream, version, kind) = (event.stream, event.version, event.event_type);
            stored.push(format!("{stream} {version} {kind} {:?}", event.data));
        };
        let mut reader = self.open().read(&Query::default()).unwrap();
        while !reader.next_batch(&mut note).unwrap().caught_up {}
        stored
    }

    /// The acts that are recorded: the type of each, and who did it.
    pub(crate) fn acts(&self) -> Vec<(String, serde_json::Value)> {
        let mut acts = Vec::new();
        let mut note = |event: &EventRef<'_>| {
            let who = serde_json::from_str(event.metadata.unwrap()).unwrap();
            acts.push((event.event_type.to_owned(), who));
        };
        let query = Query::of(vec!["$ream".parse().unwrap()]);
        let mut reader = self.open().read(&query).unwrap();
        while !reader.next_batch(&mut note).unwrap().caught_up {}
        acts
    }

    /// Has the server end once what it has taken is answered.
    pub(crate) fn stop(&self) {
        self.stop.stop();
    }

    /// Has the server end, and waits for that.
    pub(crate) fn end(mut self) {
        self.stop.stop();
        self.running.take().unwrap().join().unwrap().unwrap();
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.stop.stop();
        self.stop.stop();
        if let Some(running) = self.running.take() {
            // Where it failed, so has what the test asked of it.
            let _ = running.join();
        }
    }
}

pub(crate) fn event(stream: &str, json: &str) -> NewEvent {
    let mut event = NewEvent::new(stream.parse().unwrap(), "T".parse().unwrap());
    event.data = Data::Json(Json::parse(json).unwrap());
    event
}

/// What a client speaks over.
pub(crate) trait Socket: Read + Write + Send {
    fn limit(&self, patience: Duration) -> io::Result<()>;
    fn finish(&self) -> io::Result<()>;
}

impl Socket for UnixStream {
    fn limit(&self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience))
    }

    fn finish(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Socket for TcpStream {
    fn limit(&self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience))
    }

    fn finish(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

/// Someone who is connected.
pub(crate) struct Client {
    socket: Box<dyn Socket>,
    heard: Heard,
    /// What has come and was not looked at yet.
    ahead: Vec<u8>,
}

impl Client {
    pub(crate) fn at(path: &std::path::Path) -> Self {
        Self::of(UnixStream::connect(path).unwrap())
    }

    pub(crate) fn of(socket: impl Socket + 'static) -> Self {
        socket.limit(PATIENCE).unwrap();
        Self { socket: Box::new(socket), heard: Heard::default(), ahead: Vec::new() }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        secrets::keep_sent(bytes.as_ref());
        self.socket.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends, where it does not matter whether it is taken.
    pub(crate) fn send_all_the_same(&mut self, bytes: &[u8]) -> bool {
        self.socket.write_all(bytes).is_ok()
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish(&self) {
        self.socket.finish().unwrap();
    }

    /// The same, where the server may have ended the connection.
    pub(crate) fn finish_all_the_same(&self) {
        let _ = self.socket.finish();
    }

    /// Whether something comes, or the connection ends, within that time.
    pub(crate) fn hears_within(&mut self, time: Duration) -> bool {
        self.socket.limit(time).unwrap();
        let mut byte = [0];
        let heard = match self.socket.read(&mut byte) {
            Ok(length) => {
                self.heard.take(&byte[..length]);
                self.ahead.extend_from_slice(&byte[..length]);
                true
            }
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        };
        self.socket.limit(PATIENCE).unwrap();
        heard
    }

    fn receive(&mut self) -> bool {
        let mut bytes = vec![0; 1 << 16];
        match self.socket.read(&mut bytes) {
            Ok(length) => {
                self.heard.take(&bytes[..length]);
                self.ahead.extend_from_slice(&bytes[..length]);
                length > 0
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}; so far {:?}", String::from_utf8_lossy(&self.ahead)),
        }
    }

    /// That these bytes come next.
    #[track_caller]
    pub(crate) fn gets(&mut self, expected: &str) {
        while self.ahead.len() < expected.len() && expected.as_bytes().starts_with(&self.ahead) {
            let more = self.receive();
            assert!(
                more,
                "it ends with {:?}, not {expected:?}",
                String::from_utf8_lossy(&self.ahead)
            );
        }
        let length = expected.len().min(self.ahead.len());
        let found = String::from_utf8_lossy(&self.ahead[..length]).into_owned();
        assert_eq!(
            found,
            expected,
            "behind it {:?}",
            String::from_utf8_lossy(&self.ahead[length..])
        );
        self.ahead.drain(..length);
    }

    #[track_caller]
    pub(crate) fn asks(&mut self, request: &str, answer: &str) {
        self.send(request);
        self.gets(answer);
    }

    /// The next line, without its end.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        loop {
            if let Some(length) = self.ahead.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.ahead.drain(..=length).collect();
                return String::from_utf8(line[..length].to_vec()).unwrap();
            }
            assert!(self.receive(), "it ends");
        }
    }

    /// All that comes until the connection ends.
    pub(crate) fn rest(&mut self) -> String {
        while self.receive() {}
        String::from_utf8_lossy(&std::mem::take(&mut self.ahead)).into_owned()
    }
}
