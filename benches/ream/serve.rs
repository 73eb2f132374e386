//! The server beside redis: durable appends of connections that each wait for their answer; what it pushes, and
//! what it costs others.

mod http;
mod load;

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{ChildStdout, Command};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use self::load::{Load, follow, publish};
use crate::place::Place;
use crate::process::{Running, run, start};
use crate::report::Required::{AtLeast, AtMost};
use crate::report::{self, Report, quantile};

/// How many connections publish how many events, and how many a second beside redis at least.
const LOADS: [(usize, usize, f64); 3] = [(64, 20_000, 1.0), (16, 8_000, 1.0), (256, 40_000, 0.75)];
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
    beside_redis(&place, &ream, &redis, report);
    one(&place, &ream, &redis, report);
    beside_loops(&place, &ream, report);
    pushed(&place, &ream, report);
    beside_commands(&place, &ream, report);
    drop((ream, redis));
    http::measure(&place, report);
    followed(&place, report);
    idle(&place, report);
    in_memory(report);
}

/// The same where the disk's weather has no say.
fn in_memory(report: &mut Report) {
    let place = Place::in_memory();
    place.init("served");
    let ream = Served::ream(&place, "served");
    let redis = Served::redis(&place);
    for (connections, count, least) in LOADS {
        let (rounds, _) = rounds(&place, (&ream, &redis), (connections, count));
        let name = format!("in memory: {connections} connections that wait / redis");
        beside(&name, &rounds, "", least, report);
    }
    let waiting = median((0..ROUNDS).map(|_| publish(&ream.socket, 1, 1000, 1).rate).collect());
    let ahead = median((0..ROUNDS).map(|_| publish(&ream.socket, 1, 10_000, 64).rate).collect());
    let of = format!("{ahead:.0} / {waiting:.0} a second");
    let name = "in memory: one connection, 64 ahead / that waits";
    report.add(name, ahead / waiting, AtLeast(4.0), of);
}

/// 64 connections beside as many that run the command in a loop.
fn beside_loops(place: &Place, ream: &Served, report: &mut Report) {
    const LOOPS: usize = 64;
    const EACH: usize = 20;
    place.init("looped");
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..LOOPS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    run(&mut place.append("looped"));
                }
            });
        }
    });
    let count = f64::from(u32::try_from(LOOPS * EACH).unwrap());
    let looped = count / begun.elapsed().as_secs_f64();
    let ours = median((0..ROUNDS).map(|_| publish(&ream.socket, 64, 20_000, 1).rate).collect());
    let of = format!("{ours:.0} / {looped:.0} a second");
    report.add("64 connections that wait / 64 that loop", ours / looped, AtLeast(40.0), of);
}

/// A round of ours and theirs.
struct Round {
    /// How long the disk took for a sync, just before.
    sync: Duration,
    ours: Load,
    theirs: Benchmark,
    /// How long the server was on a processor, for each append, in microseconds.
    processor: f64,
}

/// Rounds in turn, but for those in which the disk took more than twice as long as in the best; and how many these
/// were.
fn rounds(
    place: &Place,
    (ream, redis): (&Served, &Served),
    (connections, count): (usize, usize),
) -> (Vec<Round>, String) {
    let mut rounds: Vec<Round> = (0..ROUNDS)
        .map(|_| {
            let (sync, before) = (sync(place), ream.process.on_processor());
            let ours = publish(&ream.socket, connections, count, 1);
            let took = ream.process.on_processor().saturating_sub(before);
            let processor = took.as_secs_f64() * 1e6 / f64::from(u32::try_from(count).unwrap());
            Round { sync, ours, theirs: redis.benchmark(connections, count), processor }
        })
        .collect();
    let best = rounds.iter().map(|round| round.sync).min().unwrap_or_default();
    rounds.retain(|round| round.sync <= 2 * best);
    let left = if rounds.len() < ROUNDS {
        format!(", {} of {ROUNDS} rounds", rounds.len())
    } else {
        String::new()
    };
    (rounds, left)
}

/// The middle of what is told of rounds.
fn middle(rounds: &[Round], of: impl FnMut(&Round) -> f64) -> f64 {
    median(rounds.iter().map(of).collect())
}

/// How long a sync of a page takes, that is written over.
fn sync(place: &Place) -> Duration {
    let file = File::create(place.path("synced")).unwrap();
    let took: Vec<Duration> = (0..20)
        .map(|_| {
            file.write_all_at(&[b'x'; 4096], 0).unwrap();
            let begun = Instant::now();
            file.sync_data().unwrap();
            begun.elapsed()
        })
        .collect();
    report::median(&took)
}

/// How much was published a second beside what redis did.
fn beside(name: &str, rounds: &[Round], left: &str, least: f64, report: &mut Report) {
    let (ours, theirs) =
        (middle(rounds, |round| round.ours.rate), middle(rounds, |round| round.theirs.rate));
    let ratio = middle(rounds, |round| round.ours.rate / round.theirs.rate);
    report.add(name, ratio, AtLeast(least), format!("{ours:.0} / {theirs:.0} a second{left}"));
}

/// Many connections, each with one request at a time.
fn beside_redis(place: &Place, ream: &Served, redis: &Served, report: &mut Report) {
    for (connections, count, least) in LOADS {
        let (rounds, left) = rounds(place, (ream, redis), (connections, count));
        let name = format!("{connections} connections that wait / redis");
        beside(&name, &rounds, &left, least, report);
        if connections != 64 {
            continue;
        }
        let slow = |round: &Round| quantile(&round.ours.took, 0.99).as_secs_f64() * 1e3;
        let of = format!(
            "{:.2} / {:.2} ms",
            middle(&rounds, slow),
            middle(&rounds, |round| round.theirs.slow)
        );
        let name = "the same: 99th percentile of the time / redis";
        let ratio = middle(&rounds, |round| slow(round) / round.theirs.slow);
        report.add(name, ratio, AtMost(1.5), of);
        let (name, of) = ("the same: µs of processor an append", String::new());
        report.add(name, middle(&rounds, |round| round.processor), AtMost(25.0), of);
    }
}

/// One connection, that waits and that sends ahead.
fn one(place: &Place, ream: &Served, redis: &Served, report: &mut Report) {
    let (rounds, left) = rounds(place, (ream, redis), (1, 500));
    let took = |round: &Round| quantile(&round.ours.took, 0.5).as_secs_f64() * 1e3;
    let of = format!(
        "{:.3} / {:.3} ms{left}",
        middle(&rounds, took),
        middle(&rounds, |round| round.theirs.half)
    );
    let name = "one connection that waits: half of the times / redis";
    let ratio = middle(&rounds, |round| took(round) / round.theirs.half);
    report.add(name, ratio, AtMost(1.3), of);
    let floors: Vec<_> = (0..200).map(|_| run(&mut place.floor())).collect();
    let (ours, floor) = (middle(&rounds, took), report::median(&floors).as_secs_f64() * 1e3);
    let name = "the same / the floor, which is a process";
    report.add(name, ours / floor, AtMost(1.3), format!("{ours:.3} / {floor:.3} ms"));
    let waiting = middle(&rounds, |round| round.ours.rate);
    let ahead = (0..ROUNDS).map(|_| publish(&ream.socket, 1, 10_000, 64).rate);
    let ahead = median(ahead.collect());
    let name = "one connection, 64 ahead / that waits";
    let of = format!("{ahead:.0} / {waiting:.0} a second");
    report.add(name, ahead / waiting, AtLeast(8.0), of);
}

/// `ream append` beside the server, and the server beside eight that append in a loop.
fn beside_commands(place: &Place, ream: &Served, report: &mut Report) {
    const APPENDS: usize = 100;
    const LOOPS: usize = 8;
    let appends = || {
        let took: Vec<_> = (0..APPENDS).map(|_| run(&mut place.append("served"))).collect();
        report::median(&took)
    };
    let (idle, ended) = (appends(), AtomicBool::new(false));
    let busy = thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                publish(&ream.socket, 64, 5_000, 1);
            }
        });
        let busy = appends();
        ended.store(true, Ordering::Relaxed);
        busy
    });
    let name = "ream append beside 64 busy connections / beside an idle server";
    report.ratio(name, busy, idle, AtMost(4.0));

    let alone = publish(&ream.socket, 64, 20_000, 1).rate;
    let (ended, turns) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (beside, turns) = thread::scope(|scope| {
        for _ in 0..LOOPS {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    run(&mut place.append("served"));
                    turns.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while turns.load(Ordering::Relaxed) < LOOPS {
            thread::yield_now();
        }
        let before = turns.load(Ordering::Relaxed);
        let beside = publish(&ream.socket, 64, 10_000, 1).rate;
        let turns = turns.load(Ordering::Relaxed) - before;
        ended.store(true, Ordering::Relaxed);
        (beside, turns)
    });
    let of = format!("{beside:.0} / {alone:.0} a second");
    let name = "the server beside eight that append in a loop / alone";
    report.add(name, beside / alone, AtLeast(0.05), of);
    let each = f64::from(u32::try_from(10_000 * LOOPS / turns.max(1)).unwrap());
    let name = "the same: its appends for each turn of a loop";
    report.add(name, each, AtLeast(64.0), format!("{turns} turns of eight loops"));
}

/// Many that follow few streams.
fn followed(place: &Place, report: &mut Report) {
    place.init("followed");
    let ream = Served::ream(place, "followed");
    let wrong = follow(&ream.socket, 1000, 100, 100);
    let name = "1,000 subscribers, 1,000 appends a second: events missed or out of order";
    report.add(name, f64::from(u32::try_from(wrong).unwrap()), AtMost(0.0), "of 100,000");
    report.add("the same: MiB", ream.mebibytes(), AtMost(64.0), String::new());
}

/// From an answer, and from the end of a plain append, to the event at a subscriber.
fn pushed(place: &Place, ream: &Served, report: &mut Report) {
    const EVENTS: usize = 300;
    let mut subscriber = BufReader::new(UnixStream::connect(&ream.socket).unwrap());
    subscriber.get_mut().write_all(b"EVENT SUBSCRIBE pushed 1\n").unwrap();
    let mut publisher = BufReader::new(UnixStream::connect(&ream.socket).unwrap());
    receive(&mut subscriber, 2);
    receive(&mut publisher, 1);
    let mut answered = || {
        publisher.get_mut().write_all(b"EVENT PUBLISH pushed 1\n1\n").unwrap();
        receive(&mut publisher, 1);
        let begun = Instant::now();
        receive(&mut subscriber, 2);
        begun.elapsed().as_secs_f64() * 1e3
    };
    let alone = (0..EVENTS).map(|_| answered()).collect();
    let ended = AtomicBool::new(false);
    let mut beside: Vec<f64> = thread::scope(|scope| {
        scope.spawn(|| publish_each_millisecond(&ream.socket, &ended));
        let beside = (0..10 * EVENTS).map(|_| answered()).collect();
        ended.store(true, Ordering::Relaxed);
        beside
    });
    beside.sort_by(f64::total_cmp);
    let appended = (0..EVENTS).map(|_| {
        run(&mut place.ream("served", ["append", "pushed", "T", "1"]));
        let begun = Instant::now();
        receive(&mut subscriber, 2);
        begun.elapsed().as_secs_f64() * 1e3
    });
    let appended = appended.collect();
    let name = "from an answer to the event at a subscriber, ms";
    report.add(name, median(alone), AtMost(0.3), String::new());
    let name = "the same beside 1,000 appends a second: half of them, ms";
    report.add(name, beside[beside.len() / 2], AtMost(0.3), String::new());
    let name = "the same: 99th percentile, ms";
    report.add(name, beside[beside.len() * 99 / 100], AtMost(3.0), String::new());
    let name = "from the end of a plain append to the event, ms";
    report.add(name, median(appended), AtMost(1.0), String::new());
}

/// Receives so many lines.
fn receive(connection: &mut BufReader<UnixStream>, lines: usize) {
    let mut line = String::new();
    for _ in 0..lines {
        assert!(connection.read_line(&mut line).unwrap() > 0, "{line}");
    }
}

/// Publishes an event each millisecond.
fn publish_each_millisecond(socket: &Path, ended: &AtomicBool) {
    let mut publisher = BufReader::new(UnixStream::connect(socket).unwrap());
    receive(&mut publisher, 1);
    let (begun, mut asked) = (Instant::now(), 0);
    while !ended.load(Ordering::Relaxed) {
        let next = begun + Duration::from_millis(asked);
        thread::sleep(next.saturating_duration_since(Instant::now()));
        publisher.get_mut().write_all(b"EVENT PUBLISH beside 1\n1\n").unwrap();
        receive(&mut publisher, 1);
        asked += 1;
    }
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
    report.add("the same: MiB", ream.mebibytes(), AtMost(24.0), String::new());
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

    /// The most memory that it had so far.
    fn mebibytes(&self) -> f64 {
        f64::from(u32::try_from(self.process.peak() >> 10).unwrap()) / 1024.0
    }

    /// What so many connections have done of XADD.
    fn benchmark(&self, connections: usize, count: usize) -> Benchmark {
        let mut command = Command::new("redis-benchmark");
        command.arg("-s").arg(&self.socket).args(["--csv", "-c", &connections.to_string()]);
        command.args(["-n", &count.to_string(), "XADD", "s", "*", "d", DATA]);
        let told = command.output().unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        let row = told.lines().last().unwrap();
        // Behind the command, which is told too: the rate, and six latencies.
        let told: Vec<f64> = row
            .trim_matches('"')
            .rsplit("\",\"")
            .take(7)
            .map(|number| number.parse().unwrap())
            .collect();
        let [_, slow, _, half, _, _, rate] = told[..] else { panic!("{row}") };
        Benchmark { rate, half, slow }
    }
}

/// What redis did.
struct Benchmark {
    /// How many a second.
    rate: f64,
    /// How long half of them took at most, and all but one in a hundred, in milliseconds.
    half: f64,
    slow: f64,
}
