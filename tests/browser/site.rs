//! A web server of the test's own: a page, and a port that keeps what is sent to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// How long anything may take at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A request that came.
#[derive(Debug)]
pub(crate) struct Request {
    /// Its first line.
    pub(crate) line: String,
    pub(crate) body: String,
}

/// A port that keeps what is sent to it.
pub(crate) struct Site {
    control: SocketAddr,
    requests: Receiver<Request>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let (sender, requests) = channel();
        Self { control: answer(String::new(), Some(sender)), requests }
    }

    /// Where it listens.
    pub(crate) fn control(&self) -> SocketAddr {
        self.control
    }

    /// The request that comes next.
    #[track_caller]
    pub(crate) fn next(&self) -> Request {
        self.requests.recv_timeout(PATIENCE).unwrap()
    }
}

/// Serves a page on a port of its own; where that is.
pub(crate) fn serve(page: String) -> SocketAddr {
    answer(page, None)
}

/// Answers each request on a new port with a page, and keeps it; the address.
fn answer(page: String, keep: Option<Sender<Request>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (page, keep) = (page.clone(), keep.clone());
            // A browser opens connections ahead, on which nothing may come.
            thread::spawn(move || exchange(&stream.unwrap(), &page, keep.as_ref()));
        }
    });
    address
}

/// One request and its answer, where one comes.
fn exchange(mut stream: &TcpStream, page: &str, keep: Option<&Sender<Request>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let length = lines.iter().filter_map(|line| line.split_once(": "));
    let length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.map(|(_, value)| value.parse().unwrap()).next().unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (head, length) = ("HTTP/1.1 200 OK\r\nContent-Type: text/html", page.len());
    let answer = format!("{head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}");
    stream.write_all(answer.as_bytes()).ok()?;
    let body = String::from_utf8(body).unwrap();
    keep?.send(Request { line: lines.swap_remove(0), body }).ok()
}
