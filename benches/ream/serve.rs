//! The server beside redis: durable appends of connections that each wait for their answer.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{ChildStdout, Command};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

use crate::place::Place;
use crate::process::{Running, run, start};
use crate::report::Report;
use crate::report::Required::{AtLeast, AtMost};

/// How many rounds of ours and theirs in turn.
const ROUNDS: usize = 10;
/// What is published: 100 bytes of JSON.
const DATA: &str = r#"{"customer":"c00042","total":"31.70","note":"something that is as long as most of it is","n":123456}"#;

/// Measures the group.
pub(crate) fn measure(report: &mut Report) {
    let place = Place::new();
    place.init("served");
    let ream = Served::ream(&place, "served");
    let redis = Served::redis(&place);
    beside_redis(&ream, &redis, report);
    one(&ream, &redis, report);
    pushed(&place, &ream, report);
    idle(&place, report);
}

/// Many connections, each with one request at a time.
fn beside_redis(ream: &Served, redis: &Served, report: &mut Report) {
    for (connections, count, least) in [(64, 20_000, 1.0), (16, 8_000, 1.0), (256, 40_000, 0.75)] {
        let (mut ours, mut theirs, mut processor) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let before = ream.process.on_processor();
            ours.push(publish(&ream.socket, connections, count, 1));
            let took = ream.process.on_processor().saturating_sub(before);
            processor.push(took.as_secs_f64() * 1e6 / f64::from(u32::try_from(count).unwrap()));
            theirs.push(redis.benchmark(connections, count));
        }
        let ratios = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
        let of = format!("{:.0} / {:.0} a second", median(ours), median(theirs));
        let name = format!("{connections} connections that wait / redis");
        report.add(&name, median(ratios), AtLeast(least), of);
        if connections == 64 {
            let (name, of) = ("the same: µs of processor an append", String::new());
            report.add(name, median(processor), AtMost(25.0), of);
        }
    }
}

/// One connection, that waits and that sends ahead.
fn one(ream: &Served, redis: &Served, report: &mut Report) {
    let (mut waiting, mut theirs, mut ahead) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        waiting.push(publish(&ream.socket, 1, 500, 1));
        theirs.push(redis.benchmark(1, 500));
        ahead.push(publish(&ream.socket, 1, 10_000, 64));
    }
    let of = |a: &[f64], b: &[f64]| {
        format!("{:.0} / {:.0} a second", median(a.to_vec()), median(b.to_vec()))
    };
    let name = "one connection that waits: time / redis";
    let ratio = median(theirs.clone()) / median(waiting.clone());
    report.add(name, ratio, AtMost(1.3), of(&theirs, &waiting));
    let name = "one connection, 64 ahead / that waits";
    let ratio = median(ahead.clone()) / median(waiting.clone());
    report.add(name, ratio, AtLeast(8.0), of(&ahead, &waiting));
}

/// From an answer, and from the end of a plain append, to the event at a subscriber.
fn pushed(place: &Place, ream: &Served, report: &mut Report) {
    const EVENTS: usize = 300;
    let mut subscriber = BufReader::new(UnixStream::connect(&ream.socket).unwrap());
    subscriber.get_mut().write_all(b"EVENT SUBSCRIBE pushed 1\n").unwrap();
    let mut publisher = BufReader::new(UnixStream::connect(&ream.socket).unwrap());
    let (mut lines, mut line) = (0, String::new());
    let mut greeted = |connection: &mut BufReader<UnixStream>, count: usize| {
        for _ in 0..count {
            lines += connection.read_line(&mut line).unwrap();
        }
    };
    greeted(&mut subscriber, 2);
    greeted(&mut publisher, 1);
    let (mut answered, mut appended) = (Vec::new(), Vec::new());
    for _ in 0..EVENTS {
        publisher.get_mut().write_all(b"EVENT PUBLISH pushed 1\n1\n").unwrap();
        greeted(&mut publisher, 1);
        let begun = Instant::now();
        greeted(&mut subscriber, 2);
        answered.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    for _ in 0..EVENTS {
        run(&mut place.ream("served", ["append", "pushed", "T", "1"]));
        let begun = Instant::now();
        greeted(&mut subscriber, 2);
        appended.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let name = "from an answer to the event at a subscriber, ms";
    report.add(name, median(answered), AtMost(0.3), String::new());
    let name = "from the end of a plain append to the event, ms";
    report.add(name, median(appended), AtMost(1.0), String::new());
}

/// A server with connections that say nothing.
fn idle(place: &Place, report: &mut Report) {
    const SECONDS: u64 = 10;
    place.init("idle");
    let ream = Served::ream(place, "idle");
    let connections: Vec<_> =
        (0..100).map(|_| UnixStream::connect(&ream.socket).unwrap()).collect();
    thread::sleep(Duration::from_secs(1));
    let before = ream.process.on_processor();
    thread::sleep(Duration::from_secs(SECONDS));
    let took = ream.process.on_processor().saturating_sub(before).as_secs_f64();
    drop(connections);
    let percent = took * 100.0 / Duration::from_secs(SECONDS).as_secs_f64();
    report.add("idle, 100 connections: % of a processor", percent, AtMost(0.2), String::new());
    let peak = ream.process.peak();
    let mebibytes = f64::from(u32::try_from(peak >> 10).unwrap()) / 1024.0;
    report.add("the same: MiB", mebibytes, AtMost(24.0), String::new());
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A server that runs until this is dropped.
struct Served {
    process: Running,
    socket: std::path::PathBuf,
    /// What it says.
    _output: BufReader<ChildStdout>,
}

impl Served {
    fn ream(place: &Place, store: &str) -> Self {
        let socket = place.path(&format!("{store}.sock"));
        let mut command = place.ream(store, ["serve", "--unix"]);
        let (process, output) = start(command.arg(&socket));
        let (mut output, mut line) = (BufReader::new(output), String::new());
        output.read_line(&mut line).unwrap();
        Self { process, socket, _output: output }
    }

    fn redis(place: &Place) -> Self {
        let (socket, directory) = (place.path("redis.sock"), place.path("redis"));
        fs::create_dir(&directory).unwrap();
        let mut command = Command::new("redis-server");
        command.args([
            "--port",
            "0",
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            "--save",
            "",
        ]);
        command.arg("--dir").arg(&directory).arg("--unixsocket").arg(&socket);
        let (process, output) = start(&mut command);
        while UnixStream::connect(&socket).is_err() {
            thread::sleep(Duration::from_millis(20));
        }
        Self { process, socket, _output: BufReader::new(output) }
    }

    /// How many XADD a second so many connections have done.
    fn benchmark(&self, connections: usize, count: usize) -> f64 {
        let mut command = Command::new("redis-benchmark");
        command.arg("-s").arg(&self.socket).args(["--csv", "-c", &connections.to_string()]);
        command.args(["-n", &count.to_string(), "XADD", "s", "*", "d", DATA]);
        let told = command.output().unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        let row = told.lines().last().unwrap();
        // Behind the command, which is told too: the rate, and six latencies.
        row.rsplit("\",\"").nth(6).unwrap().parse().unwrap()
    }
}

/// A connection that publishes, as far as it is.
struct Publisher {
    socket: UnixStream,
    request: Vec<u8>,
    /// How many answers are awaited.
    awaited: usize,
}

/// How many events a second so many connections have published, each with so many requests ahead.
fn publish(socket: &Path, connections: usize, count: usize, ahead: usize) -> f64 {
    let mut publishers: Vec<Publisher> = (0..connections)
        .map(|number| {
            let mut socket = UnixStream::connect(socket).unwrap();
            socket.write_all(b"REAM 1.1\n").unwrap();
            let mut greeting = [0; 18];
            socket.read_exact(&mut greeting).unwrap();
            socket.set_nonblocking(true).unwrap();
            let request = format!("EVENT PUBLISH s{number} {}\n{DATA}\n", DATA.len());
            Publisher { socket, request: request.into_bytes(), awaited: 0 }
        })
        .collect();
    let begun = Instant::now();
    let (mut asked, mut done, mut received) = (0, 0, vec![0; 1 << 16]);
    for publisher in &mut publishers {
        ask(publisher, ahead.min(count - asked), &mut asked);
    }
    while done < count {
        let mut waits: Vec<PollFd<'_>> =
            publishers.iter().map(|one| PollFd::new(&one.socket, PollFlags::IN)).collect();
        poll(&mut waits, None).unwrap();
        let ready: Vec<bool> = waits.iter().map(|one| !one.revents().is_empty()).collect();
        for (publisher, _) in publishers.iter_mut().zip(&ready).filter(|(_, ready)| **ready) {
            let length = publisher.socket.read(&mut received).unwrap();
            let answers = received[..length].iter().filter(|byte| **byte == b'\n').count();
            assert!(!received[..length].windows(5).any(|word| word == b" NON "));
            publisher.awaited -= answers;
            done += answers;
            ask(publisher, answers.min(count - asked), &mut asked);
        }
    }
    f64::from(u32::try_from(count).unwrap()) / begun.elapsed().as_secs_f64()
}

fn ask(publisher: &mut Publisher, requests: usize, asked: &mut usize) {
    let bytes = publisher.request.repeat(requests);
    publisher.socket.write_all(&bytes).unwrap();
    publisher.awaited += requests;
    *asked += requests;
}
