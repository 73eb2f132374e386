//! The event log: one append, many, reading, following, and all of it at once.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::ChildStdout;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use ream::{NewEvent, Options, Store};

use crate::place::{Place, Random, in_turn};
use crate::process::{Ran, Running, drained, peak_drained, run, start, watched};
use crate::report::Required::{AtLeast, AtMost};
use crate::report::{Report, mean, median, quantile};

/// How many events the large store has, over how many streams.
const MANY: u32 = 1_000_000;
const STREAMS: usize = 13_000;
/// How many of those streams `x-*` matches: 1 %.
const CHOSEN: usize = STREAMS / 100;
/// How many bytes the data of each event has.
const DATA_BYTES: usize = 100;
/// How often what takes seconds is measured, and what takes milliseconds.
const FEW: usize = 3;
const OFTEN: usize = 1000;

const PEER_SCHEMA: &str = "\
PRAGMA journal_mode=WAL;
CREATE TABLE events(position INTEGER PRIMARY KEY, stream TEXT, version INT, type TEXT, data TEXT, at INT);
CREATE UNIQUE INDEX ev ON events(stream, version);
CREATE VIEW incoming AS SELECT stream, type, data, at FROM events;
CREATE TRIGGER append INSTEAD OF INSERT ON incoming BEGIN
  INSERT INTO events(stream, version, type, data, at) VALUES (
    new.stream, (SELECT coalesce(max(version), 0) + 1 FROM events WHERE stream = new.stream),
    new.type, new.data, new.at);
END;
";
const PEER_APPEND: &str = "\
INSERT INTO events(stream, version, type, data, at) VALUES ('order-42',
(SELECT coalesce(max(version), 0) + 1 FROM events WHERE stream = 'order-42'),
'OrderPaid', '{\"amount\":12}', 1763873353784077)";

/// Measures the group.
pub(crate) fn measure(report: &mut Report) {
    let place = Place::new();
    // It has nothing to do, whatever the others do meanwhile.
    let idle = Idle::start(&place);
    place.bulk(report);
    place.read(report);
    let floor = place.lone(report);
    place.follow(report, floor);
    place.crowd(report);
    idle.finish(report);
}

impl Place {
    /// Makes the store `large` and the peer's `large.db`, several times.
    fn bulk(&self, report: &mut Report) {
        let (lines, csv) = (self.path("events.jsonl"), self.path("events.csv"));
        write_input(&lines, &csv);
        let import = format!(".import {} incoming", csv.display());
        let (mut ours, mut peers) = (Vec::new(), Vec::new());
        for _ in 0..FEW {
            // Nothing where it is the first time.
            let _ = fs::remove_dir_all(self.path("large"));
            for file in ["large.db", "large.db-wal", "large.db-shm"] {
                let _ = fs::remove_file(self.path(file));
            }
            self.init("large");
            run(&mut self.peer("large.db", &[PEER_SCHEMA]));
            let append = [OsStr::new("append"), "--jsonl".as_ref(), lines.as_ref()];
            ours.push(watched(&mut self.ream("large", append)));
            peers.push(watched(&mut self.peer("large.db", &["-csv", &import])));
        }
        fs::remove_file(lines).unwrap();
        fs::remove_file(csv).unwrap();
        let name = "append --jsonl of 1,000,000: rows a second / sqlite3";
        report.ratio(name, median(&walls(&peers)), median(&walls(&ours)), AtLeast(2.0));
        let peak = ours.iter().map(|ran| ran.peak).max().unwrap();
        report.add("append --jsonl: peak MiB", mebibytes(peak), AtMost(64.0), "");
    }

    /// Reads the store `large`.
    fn read(&self, report: &mut Report) {
        let (mut ours, mut chosen, mut peers) = (Vec::new(), Vec::new(), Vec::new());
        let select = ["-json", "SELECT * FROM events"];
        for _ in 0..2 * FEW {
            ours.push(drained(&mut self.ream("large", ["read"])));
            peers.push(drained(&mut self.peer("large.db", &select)));
            for _ in 0..FEW {
                chosen.push(drained(&mut self.ream("large", ["read", "x-*"])));
            }
        }
        let full = median(&ours);
        let name = "read of 1,000,000: speed / sqlite3 -json";
        report.ratio(name, median(&peers), full, AtLeast(2.5));
        let peak = peak_drained(&mut self.ream("large", ["read"]));
        report.add("read: peak MiB", mebibytes(peak), AtMost(32.0), "");
        report.ratio("read 'x-*', 1 % / read", median(&chosen), full, AtMost(0.04));
    }

    /// Appends one event by a process of its own; the floor's median.
    fn lone(&self, report: &mut Report) -> Duration {
        for store in ["fresh", "worn"] {
            self.init(store);
        }
        for _ in 0..10_000 {
            run(&mut self.append("worn"));
        }
        run(&mut self.peer("lone.db", &[PEER_SCHEMA]));
        let floor = self.floor();
        let mut commands = [
            floor,
            self.peer("lone.db", &[PEER_APPEND]),
            self.append("fresh"),
            self.append("worn"),
            self.append("large"),
        ];
        let times = in_turn(OFTEN, &mut commands);
        let [floor, peer, fresh, worn, large] = &times;
        let ours = median(fresh);
        report.ratio("append of one / floor", ours, median(floor), AtMost(1.6));
        report.ratio("append of one / sqlite3", ours, median(peer), AtMost(0.55));
        report.ratio("append of one: mean / median", mean(fresh), ours, AtMost(1.3));
        let name = "append of one after 10,000 / at first";
        report.ratio(name, median(worn), ours, AtMost(1.15));
        let name = "append of one after 1,000,000 / at first";
        report.ratio(name, median(large), ours, AtMost(1.15));
        median(floor)
    }

    /// From the return of an append to the line on a follower's stdout, 100 a second.
    fn follow(&self, report: &mut Report, floor: Duration) {
        const EVENTS: usize = 1000;
        self.init("followed");
        let mut store = Store::open(&self.path("followed"), &Options::default()).unwrap();
        let event = [NewEvent::new("order-42".parse().unwrap(), "OrderPaid".parse().unwrap())];
        let (tail, output) = start(&mut self.ream("followed", ["tail"]));
        let (sender, seen) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                // Who has measured enough hears no more.
                if line.is_ok() && sender.send(Instant::now()).is_err() {
                    break;
                }
            }
        });
        // What a start does is not measured.
        store.append(&event).unwrap();
        seen.recv().unwrap();
        let mut times = Vec::new();
        for _ in 0..EVENTS {
            thread::sleep(Duration::from_millis(10));
            store.append(&event).unwrap();
            let stored = Instant::now();
            // A line may come before the append has returned.
            times.push(seen.recv().unwrap().saturating_duration_since(stored));
        }
        drop(tail);
        report.ratio("append to a follower's line / floor", median(&times), floor, AtMost(1.0));
        let late = quantile(&times, 0.99);
        report.ratio("the same, 99th percentile / floor", late, floor, AtMost(10.0));
    }

    /// 64 writers, a process an event, and three followers.
    fn crowd(&self, report: &mut Report) {
        const WRITERS: u32 = 64;
        const EVENTS: u32 = 100;
        const ALL: u32 = WRITERS * EVENTS;
        self.init("crowd");
        let limit = ALL.to_string();
        let followers: Vec<_> = (0..3)
            .map(|_| {
                let (tail, output) = start(&mut self.ream("crowd", ["tail", "--limit", &limit]));
                thread::spawn(move || (positions(output), tail.end()).0)
            })
            .collect();
        let begun = Instant::now();
        let longest = thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|_| {
                    scope.spawn(|| {
                        (0..EVENTS).map(|_| run(&mut self.append("crowd"))).max().unwrap()
                    })
                })
                .collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).max().unwrap()
        });
        let wall = begun.elapsed();
        let expected: Vec<u64> = (1..=u64::from(ALL)).collect();
        let all = followers.into_iter().all(|follower| follower.join().unwrap() == expected);
        let of = format!("{ALL} events in {wall:.2?}; each follower saw all in order: {all}");
        let name = "64 writers, 3 followers: longest append, s";
        report.add(name, longest.as_secs_f64(), AtMost(2.0), of);
    }
}

/// The positions in lines of output.
fn positions(output: ChildStdout) -> Vec<u64> {
    let lines = BufReader::new(output).lines();
    lines
        .map(|line| {
            let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
            event["position"].as_u64().unwrap()
        })
        .collect()
}

/// A follower of a store in which nothing happens.
struct Idle {
    tail: Running,
    _output: ChildStdout,
    begun: Instant,
    before: Duration,
}

impl Idle {
    const AT_LEAST: Duration = Duration::from_secs(60);

    fn start(place: &Place) -> Self {
        place.init("idle");
        run(&mut place.append("idle"));
        let (tail, output) = start(&mut place.ream("idle", ["tail"]));
        let mut output = BufReader::new(output);
        output.read_line(&mut String::new()).unwrap();
        let before = tail.on_processor();
        Self { tail, _output: output.into_inner(), begun: Instant::now(), before }
    }

    fn finish(self, report: &mut Report) {
        thread::sleep(Self::AT_LEAST.saturating_sub(self.begun.elapsed()));
        let busy = self.tail.on_processor().saturating_sub(self.before);
        let wall = self.begun.elapsed();
        let percent = 100.0 * busy.as_secs_f64() / wall.as_secs_f64();
        let of = format!("{busy:.2?} in {wall:.2?}");
        report.add("idle follower: % of a core", percent, AtMost(0.1), of);
        report.add("idle follower: peak MiB", mebibytes(self.tail.peak()), AtMost(12.0), "");
    }
}

fn walls(runs: &[Ran]) -> Vec<Duration> {
    runs.iter().map(|ran| ran.wall).collect()
}

#[allow(clippy::cast_precision_loss, reason = "no process has 2^53 bytes")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

/// Writes the same events as lines of JSON and as the peer's CSV, over the streams in random order.
fn write_input(lines: &Path, csv: &Path) {
    let mut lines = BufWriter::new(File::create(lines).unwrap());
    let mut csv = BufWriter::new(File::create(csv).unwrap());
    let mut random = Random(7);
    let (mut stream, mut data) = (String::new(), String::new());
    for number in 0..MANY {
        let chosen = random.below(STREAMS);
        let category = if chosen < CHOSEN { "x" } else { "order" };
        stream.clear();
        data.clear();
        write!(stream, "{category}-{chosen}").unwrap();
        write!(data, "{{\"number\":{number},\"note\":\"").unwrap();
        while data.len() < DATA_BYTES - 2 {
            data.push('x');
        }
        data.push_str("\"}");
        writeln!(lines, r#"{{"stream":"{stream}","type":"OrderPaid","data":{data}}}"#).unwrap();
        let quoted = data.replace('"', "\"\"");
        writeln!(csv, "{stream},OrderPaid,\"{quoted}\",1763873353784077").unwrap();
    }
    lines.flush().unwrap();
    csv.flush().unwrap();
}
