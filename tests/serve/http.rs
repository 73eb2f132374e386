//! A client of HTTP that sends what it is told to, byte by byte.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::secrets::{self, Heard};
use crate::support::{Home, PATIENCE};

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// That it has this status and this body.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, body: &str) -> &Self {
        assert_eq!((self.status, &*self.body), (status, body), "{self:?}");
        self
    }

    /// That it is a problem of this status and type.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, cause: &str) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        assert!(self.body.starts_with(&format!("{{\"type\":\"urn:ream:{cause}\",")), "{self:?}");
        self
    }
}

/// A connection.
pub(crate) struct Browser {
    socket: TcpStream,
    heard: Heard,
    /// What has come and was not looked at yet.
    ahead: Vec<u8>,
}

impl Browser {
    pub(crate) fn at(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, heard: Heard::default(), ahead: Vec::new() }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        secrets::keep_sent(bytes.as_ref());
        self.socket.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends a request, its first line without the version, further lines of its head, and a body.
    pub(crate) fn asks(&mut self, request: &str, head: &str, body: impl AsRef<[u8]>) -> Answer {
        let body = body.as_ref();
        let length = match body.len() {
            0 => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        let head = head.lines().fold(String::new(), |head, line| head + line.trim() + "\r\n");
        self.send(format!("{request} HTTP/1.1\r\nHost: localhost\r\n{head}{length}\r\n"));
        self.send(body);
        self.answer()
    }

    /// Whether the connection ends, or something comes, within that time.
    pub(crate) fn hears_within(&mut self, time: Duration) -> bool {
        self.socket.set_read_timeout(Some(time)).unwrap();
        let heard = self.socket.peek(&mut [0]);
        self.socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let kind = heard.err().map(|error| error.kind());
        !matches!(kind, Some(ErrorKind::WouldBlock | ErrorKind::TimedOut))
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

    /// What comes up to and with `end`.
    #[track_caller]
    pub(crate) fn until(&mut self, end: &str) -> String {
        loop {
            let found = self.ahead.windows(end.len()).position(|part| part == end.as_bytes());
            if let Some(at) = found {
                let found: Vec<u8> = self.ahead.drain(..at + end.len()).collect();
                return String::from_utf8(found).unwrap();
            }
            let more = self.receive();
            assert!(more, "it ends with {:?}", String::from_utf8_lossy(&self.ahead));
        }
    }

    fn exactly(&mut self, length: usize) -> Vec<u8> {
        while self.ahead.len() < length {
            assert!(self.receive(), "it ends");
        }
        self.ahead.drain(..length).collect()
    }

    /// The head of an answer.
    #[track_caller]
    pub(crate) fn head(&mut self) -> Answer {
        let head = self.until("\r\n\r\n");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: String::new() }
    }

    /// The next piece of a body that comes in pieces; nothing at its end.
    #[track_caller]
    pub(crate) fn piece(&mut self) -> Option<String> {
        let length = self.until("\r\n");
        let length = usize::from_str_radix(length.trim(), 16).unwrap();
        let piece = String::from_utf8(self.exactly(length)).unwrap();
        assert_eq!(self.exactly(2), b"\r\n");
        (length > 0).then_some(piece)
    }

    /// An answer, whole.
    #[track_caller]
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        if answer.header("transfer-encoding") == Some("chunked") {
            while let Some(piece) = self.piece() {
                answer.body.push_str(&piece);
            }
        } else if let Some(length) = answer.header("content-length") {
            let body = self.exactly(length.parse().unwrap());
            answer.body = String::from_utf8(body).unwrap();
        }
        answer
    }

    /// All that comes until the connection ends.
    pub(crate) fn rest(&mut self) -> String {
        while self.receive() {}
        String::from_utf8_lossy(&std::mem::take(&mut self.ahead)).into_owned()
    }
}

impl Home {
    pub(crate) fn browser(&self) -> Browser {
        Browser::at(self.address())
    }

    /// What a request of the one with this token is answered.
    pub(crate) fn asks(&self, token: &str, request: &str, body: &str) -> Answer {
        self.browser().asks(request, &format!("Authorization: Bearer {token}"), body)
    }
}
