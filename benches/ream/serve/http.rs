//! The same events over HTTP: published beside REAM, and read beside the command.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::ChildStdout;
use std::time::{Duration, Instant};

use super::load::{Load, Publisher, publish, publish_by};
use super::{DATA, ROUNDS, median};
use crate::place::Place;
use crate::process::{Running, drained, run, start};
use crate::report;
use crate::report::Report;
use crate::report::Required::AtLeast;

/// How many events are read, and how often.
const READ: usize = 1_000_000;
const READS: usize = 5;

/// Measures both.
pub(super) fn measure(place: &Place, report: &mut Report) {
    place.init("http");
    let served = Http::new(place, "http");
    let socket = place.path("http.sock");
    let rounds = (0..ROUNDS).map(|_| {
        let theirs = publish(&socket, 64, 20_000, 1).rate;
        (served.publish(64, 20_000).rate, theirs)
    });
    let (ours, theirs): (Vec<f64>, Vec<f64>) = rounds.unzip();
    let ratio = median(ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect());
    let of = format!("{:.0} / {:.0} a second", median(ours), median(theirs));
    report.add("64 connections that wait, over HTTP / over REAM", ratio, AtLeast(0.6), of);
    drop(served);
    read(place, report);
}

fn read(place: &Place, report: &mut Report) {
    let mut lines = String::new();
    for number in 0..READ {
        let stream = number % 10_000;
        writeln!(lines, r#"{{"stream":"r{stream}","type":"E","data":{DATA}}}"#).unwrap();
    }
    let path = place.path("read.jsonl");
    fs::write(&path, lines).unwrap();
    place.init("read");
    run(&mut place.ream("read", ["append", "--jsonl", path.to_str().unwrap()]));
    let served = Http::new(place, "read");
    let (mut ours, mut command) = (Vec::new(), Vec::new());
    for _ in 0..READS {
        command.push(drained(&mut place.ream("read", ["read"])));
        ours.push(served.read());
    }
    let name = "reading 1,000,000 events over HTTP: speed / ream read";
    report.ratio(name, report::median(&command), report::median(&ours), AtLeast(0.7));
}

/// A server with HTTP, and a socket beside it.
struct Http {
    address: String,
    token: String,
    /// Ends with this.
    _process: Running,
    /// What it says.
    _output: BufReader<ChildStdout>,
}

impl Http {
    fn new(place: &Place, store: &str) -> Self {
        let mut command = place.ream(store, ["serve", "--http", "127.0.0.1:0", "--unix"]);
        let (process, output) = start(command.arg(place.path(&format!("{store}.sock"))));
        let (mut output, mut address) = (BufReader::new(output), None);
        for _ in 0..2 {
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
            if ready["listening"] == "http" {
                address = ready["address"].as_str().map(str::to_owned);
            }
        }
        let token = fs::read_to_string(place.path(store).join("serve.token")).unwrap();
        let token = token.split_whitespace().last().unwrap().to_owned();
        Self { address: address.unwrap(), token, _process: process, _output: output }
    }

    fn head(&self, request: &str) -> String {
        let Self { address, token, .. } = self;
        format!("{request} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n")
    }

    /// Has so many connections publish, each with one request at a time.
    fn publish(&self, connections: usize, count: usize) -> Load {
        let publishers = (0..connections).map(|number| {
            let socket = TcpStream::connect(&self.address).unwrap();
            socket.set_nodelay(true).unwrap();
            socket.set_nonblocking(true).unwrap();
            let head = self.head(&format!("POST /streams/s{number}?type=Event"));
            let request = format!("{head}Content-Length: {}\r\n\r\n{DATA}", DATA.len());
            Publisher::new(File::from(std::os::fd::OwnedFd::from(socket)), request)
        });
        publish_by(publishers.collect(), count, 1, (b"HTTP/1.1 200 ", b"}\n"))
    }

    /// Reads all events; how long that takes.
    fn read(&self) -> Duration {
        let (begun, mut received) = (Instant::now(), vec![0; 1 << 20]);
        let mut socket = TcpStream::connect(&self.address).unwrap();
        let head = self.head("GET /events");
        socket.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).unwrap();
        let mut lines = 0;
        loop {
            let length = socket.read(&mut received).unwrap();
            if length == 0 {
                break;
            }
            lines += received[..length].iter().filter(|byte| **byte == b'\n').count();
        }
        let took = begun.elapsed();
        assert!(lines >= READ, "{lines} lines");
        took
    }
}
