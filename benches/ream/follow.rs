//! Programs that follow the log: a projector beside a bare loop, a subscriber beside `ream read`, how soon a
//! row is there, and what projectors cost a writer.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead as _, BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ream::{NewEvent, Options, Query, Store};
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::place::{Place, in_turn};
use crate::process::{drained, run, start, watched};
use crate::report::Required::{AtLeast, AtMost};
use crate::report::{Report, median, quantile};

const EVENTS: u32 = 1_000_000;
const STREAMS: u32 = 13_000;
const ROUNDS: usize = 3;
/// How many events a program acks at once.
const ACKED: u64 = 1000;

/// The arguments that make this program the parts of a measurement.
pub(crate) const PROJECTING: &str = "projecting";
pub(crate) const ACKING: &str = "acking";
pub(crate) const UPSERTING: &str = "upserting";

const FIELDS: [&str; 5] =
    ["id:integer:key", "stream:text", "customer:text", "total:decimal:12:2", "items:integer"];

/// What a projector in Python does, and by itself.
const PYTHON: &str = "\
import json, sys
n = 0
for line in sys.stdin:
    e = json.loads(line)
    d = e['data']
    row = {'id': e['position'], 'stream': e['stream'], 'customer': d['customer'],
           'total': d['total'], 'items': d['items']}
    sys.stdout.write(json.dumps({'set': row}) + '\\n')
    n += 1
    if n % 1000 == 0:
        sys.stdout.write('{\"ack\":%d}\\n' % e['position'])
        sys.stdout.flush()
";

/// Measures the group.
pub(crate) fn measure(report: &mut Report) {
    let place = Place::new();
    fill(&place);
    projecting(&place, report);
    rebuilding(&place, report);
    in_python(&place, report);
    subscribing(&place, report);
    soon(&place, report);
    beside_a_writer(&place, report);
}

/// Makes the store `large`.
fn fill(place: &Place) {
    let lines = place.path("events.jsonl");
    let mut text = String::new();
    for number in 0..EVENTS {
        let (stream, customer) = (number * 7919 % STREAMS, number % 5000);
        writeln!(
            text,
            r#"{{"stream":"order-{stream}","type":"OrderPlaced","data":{{"customer":"customer {customer}","total":{}.{:02},"items":{},"note":"leave it at the door"}}}}"#,
            10 + number % 900,
            number % 100,
            number % 9 + 1,
        )
        .unwrap();
    }
    fs::write(&lines, text).unwrap();
    place.init("large");
    run(&mut place.ream("large", ["append", "--jsonl", lines.to_str().unwrap()]));
    fs::remove_file(lines).unwrap();
}

fn create(place: &Place, store: &str, name: &str) {
    let mut command = place.ream(store, ["project", "create", name]);
    run(command.args(FIELDS));
}

/// `ream project run` of a part of this program.
fn project(place: &Place, store: &str, name: &str, program: &[&str]) -> Command {
    let mut command = place.ream(store, ["project", "run", name, "--until-caught-up", "--"]);
    command.args(program);
    command
}

fn itself() -> String {
    std::env::current_exe().unwrap().to_str().unwrap().to_owned()
}

/// A compiled projector, and a loop in one process that makes the same rows.
fn projecting(place: &Place, report: &mut Report) {
    let (mut ours, mut bare, mut peak) = (Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        let name = format!("rows{round}");
        create(place, "large", &name);
        let ran = watched(&mut project(place, "large", &name, &[&itself(), PROJECTING]));
        ours.push(ran.wall);
        peak = peak.max(ran.peak);
        let sql = place.ream("large", ["project", "show", &name, "--sql"]).output().unwrap().stdout;
        run(&mut place.ream("large", ["project", "drop", &name, "--yes"]));
        let database = place.path("bare.db");
        let connection = Connection::open(&database).unwrap();
        connection.execute_batch("PRAGMA journal_mode=WAL").unwrap();
        connection.execute_batch(std::str::from_utf8(&sql).unwrap()).unwrap();
        drop(connection);
        let mut upserting = Command::new(itself());
        upserting.arg(UPSERTING).arg(place.path("large")).arg(&database).arg(&name);
        bare.push(run(&mut upserting));
        fs::remove_file(&database).unwrap();
    }
    let name = "rows a second of a projector / of a loop in one process";
    report.ratio(name, median(&bare), median(&ours), AtLeast(0.6));
    #[allow(clippy::cast_precision_loss, reason = "a number of bytes")]
    let mebibytes = peak as f64 / 1024.0 / 1024.0;
    report.add("peak of `ream project run`, MiB", mebibytes, AtMost(44.0), "the program: below 4");
}

/// A projection made anew, and made at first.
fn rebuilding(place: &Place, report: &mut Report) {
    let (mut anew, mut first) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let name = format!("anew{round}");
        create(place, "large", &name);
        first.push(run(&mut project(place, "large", &name, &[&itself(), PROJECTING])));
        anew.push(run(&mut place.ream("large", ["project", "rebuild", &name])));
        run(&mut place.ream("large", ["project", "drop", &name, "--yes"]));
    }
    let name = "events a second of project rebuild / of project run";
    report.ratio(name, median(&first), median(&anew), AtLeast(0.9));
}

/// The event, as the programs read it.
#[derive(Deserialize)]
struct Placed<'l> {
    position: u64,
    stream: &'l str,
    #[serde(borrow)]
    data: Order<'l>,
}

#[derive(Deserialize)]
struct Order<'l> {
    customer: &'l str,
    #[serde(borrow)]
    total: &'l RawValue,
    items: i64,
}

/// A row an event, an ack every 1,000.
pub(crate) fn echo_rows() -> io::Result<()> {
    let mut output = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    let (mut line, mut input) = (String::new(), io::stdin().lock());
    while input.read_line(&mut line)? > 0 {
        let Placed { position, stream, data } = serde_json::from_str(&line)?;
        let Order { customer, total, items } = data;
        writeln!(
            output,
            r#"{{"set":{{"id":{position},"stream":"{stream}","customer":"{customer}","total":{total},"items":{items}}}}}"#
        )?;
        if position % ACKED == 0 {
            writeln!(output, r#"{{"ack":{position}}}"#)?;
            output.flush()?;
        }
        line.clear();
    }
    output.flush()
}

/// An ack every 1,000 events, and nothing else.
pub(crate) fn echo_acks() -> io::Result<()> {
    let mut output = io::stdout().lock();
    let (mut line, mut input) = (String::new(), io::stdin().lock());
    while input.read_line(&mut line)? > 0 {
        let Placed { position, .. } = serde_json::from_str(&line)?;
        if position % ACKED == 0 {
            writeln!(output, r#"{{"ack":{position}}}"#)?;
        }
        line.clear();
    }
    Ok(())
}

/// A row an event, each acked.
pub(crate) fn echo_each() -> io::Result<()> {
    let mut output = io::stdout().lock();
    let (mut line, mut input, mut replies) = (String::new(), io::stdin().lock(), String::new());
    while input.read_line(&mut line)? > 0 {
        let Placed { position, stream, data } = serde_json::from_str(&line)?;
        let Order { customer, total, items } = data;
        replies.clear();
        write!(
            replies,
            "{{\"set\":{{\"id\":{position},\"stream\":\"{stream}\",\"customer\":\"{customer}\",\"total\":{total},\"items\":{items}}}}}\n{{\"ack\":{position}}}\n"
        )
        .map_err(io::Error::other)?;
        output.write_all(replies.as_bytes())?;
        output.flush()?;
        line.clear();
    }
    Ok(())
}

/// The least that makes the rows: reads events through the library, and upserts.
pub(crate) fn upsert(
    store: &Path,
    database: &Path,
    table: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open(store, &Options::default())?;
    let connection = Connection::open(database)?;
    connection.execute_batch("PRAGMA cell_size_check=ON; PRAGMA synchronous=NORMAL;")?;
    let mut statement = connection.prepare(&format!(
        "INSERT INTO {table} (id, stream, customer, total, items) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET stream = excluded.stream, customer = excluded.customer,
         total = excluded.total, items = excluded.items"
    ))?;
    let mut reader = store.read(&Query::default())?;
    loop {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut failed = None;
        let batch = reader.next_batch(|event| {
            let ream::DataRef::Json(data) = event.data else { return };
            let done =
                serde_json::from_str(data).map_err(Box::from).and_then(|order: Order<'_>| {
                    let Order { customer, total, items } = order;
                    let row = (event.position.0, event.stream, customer, total.get(), items);
                    statement.execute(row).map_err(Box::<dyn std::error::Error>::from)
                });
            if let Err(error) = done {
                failed = Some(error);
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        connection.execute_batch("COMMIT")?;
        if batch.caught_up {
            return Ok(());
        }
    }
}

/// A projector in Python, and the same program alone with the same lines.
fn in_python(place: &Place, report: &mut Report) {
    let script = place.path("rows.py");
    fs::write(&script, PYTHON).unwrap();
    let lines = place.path("lines.jsonl");
    let mut read = place.ream("large", ["read", "--limit", "300000"]);
    fs::write(&lines, read.output().unwrap().stdout).unwrap();
    place.init("some");
    run(&mut place.ream("some", ["append", "--jsonl", lines.to_str().unwrap()]));
    let (mut ours, mut alone) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let name = format!("python{round}");
        create(place, "some", &name);
        let program = ["python3", script.to_str().unwrap()];
        ours.push(run(&mut project(place, "some", &name, &program)));
        let mut python = Command::new("python3");
        python.arg(&script).stdin(fs::File::open(&lines).unwrap()).stdout(Stdio::null());
        let begun = Instant::now();
        assert!(python.status().unwrap().success());
        alone.push(begun.elapsed());
    }
    let name = "events a second of a projector in Python / of Python alone";
    report.ratio(name, median(&alone), median(&ours), AtLeast(0.8));
}

/// A compiled subscriber, and `ream read` to a pipe.
fn subscribing(place: &Place, report: &mut Report) {
    let (mut ours, mut reads) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let name = format!("reader{round}");
        let args = ["tail", "--as", &name, "--until-caught-up", "--"];
        let mut tail = place.ream("large", args);
        ours.push(run(tail.arg(itself()).arg(ACKING)));
        reads.push(drained(&mut place.ream("large", ["read"])));
    }
    let name = "events a second of a subscriber / of ream read";
    report.ratio(name, median(&reads), median(&ours), AtLeast(0.5));
}

fn order() -> NewEvent {
    let mut event = NewEvent::new("order-1".parse().unwrap(), "OrderPlaced".parse().unwrap());
    let data = r#"{"customer":"ann","total":12.50,"items":3}"#;
    event.data = ream::Data::Json(ream::Json::parse(data).unwrap());
    event
}

/// From an append to the row in what is selected.
fn soon(place: &Place, report: &mut Report) {
    const TIMES: usize = 500;
    place.init("soon");
    create(place, "soon", "rows");
    let [floor] = in_turn(100, &mut [place.floor()]);
    let mut store = Store::open(&place.path("soon"), &Options::default()).unwrap();
    let (running, _output) = start(
        place.ream("soon", ["project", "run", "rows", "--"]).arg(itself()).arg(PROJECTING_EACH),
    );
    let rows = store.projection("rows").unwrap();
    let selection = ream::Selection::all(rows.schema());
    let mut times = Vec::new();
    for number in 1..=TIMES as u64 {
        thread::sleep(Duration::from_millis(5));
        let begun = Instant::now();
        store.append(&[order()]).unwrap();
        while rows.count(&selection).unwrap() < number {
            thread::yield_now();
        }
        // What a start does is not measured.
        if number > 1 {
            times.push(begun.elapsed());
        }
    }
    drop(running);
    let floor = median(&floor);
    report.ratio("append to a row that is found / floor", median(&times), floor, AtMost(3.0));
    let late = quantile(&times, 0.99);
    report.ratio("the same, 99th percentile / floor", late, floor, AtMost(10.0));
}

/// The argument that makes this program a projector that acks each event.
pub(crate) const PROJECTING_EACH: &str = "projecting-each";

/// How many events a loop appends a second, with four projectors behind it and with none.
fn beside_a_writer(place: &Place, report: &mut Report) {
    const SPAN: Duration = Duration::from_secs(3);
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for round in 0..6 {
        let store_name = format!("written{round}");
        place.init(&store_name);
        let projectors: Vec<_> = (0..4 * (round % 2))
            .map(|number| {
                let name = format!("rows{number}");
                create(place, &store_name, &name);
                let args = ["project", "run", &name, "--"];
                start(place.ream(&store_name, args).arg(itself()).arg(PROJECTING_EACH))
            })
            .collect();
        thread::sleep(Duration::from_millis(300));
        let mut store = Store::open(&place.path(&store_name), &Options::default()).unwrap();
        let event = [order()];
        let begun = Instant::now();
        let mut appended = 0_u32;
        while begun.elapsed() < SPAN {
            store.append(&event).unwrap();
            appended += 1;
        }
        if projectors.is_empty() { &mut alone } else { &mut beside }.push(appended);
        drop(projectors);
    }
    let middle = |counts: &mut Vec<u32>| {
        counts.sort_unstable();
        counts[counts.len() / 2]
    };
    let (beside, alone) = (middle(&mut beside), middle(&mut alone));
    let value = f64::from(beside) / f64::from(alone);
    let of = format!("{beside} / {alone} in 3 s");
    report.add("appends a second with 4 projectors / with none", value, AtLeast(0.6), of);
}
