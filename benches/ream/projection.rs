//! Projections: rows set, found and read, beside `sqlite3` with SQL written by hand and a bare loop.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use ream::{Definition, NewEvent, Options, ProjectionEntry, Schema, Store};
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::place::{Place, in_turn};
use crate::process::{drained, peak_drained, run};
use crate::report::Required::{AtLeast, AtMost};
use crate::report::{Report, median};

const ROWS: u32 = 1_000_000;
const FEW: u32 = 10_000;
const OFTEN: usize = 300;
const ROUNDS: usize = 3;

/// The argument that makes this program the bare loop that sets rows.
pub(crate) const LOADING: &str = "loading";

/// Eight fields, a key, a unique, two indexes.
const FIELDS: [&str; 8] = [
    "id:integer:key",
    "name:text",
    "email:text:unique",
    "team:integer:index",
    "city:text:index",
    "salary:decimal:12:2",
    "born:timestamp",
    "score:float",
];

/// Measures the group.
pub(crate) fn measure(report: &mut Report) {
    let place = Place::new();
    setting(&place, report);
    finding(&place, report);
    reading(&place, report);
    making(&place, report);
    making_beside_appends(&place, report);
}

fn create(place: &Place, store: &str, name: &str) -> Command {
    let mut command = place.ream(store, ["project", "create", name]);
    command.args(FIELDS);
    command
}

/// Rows set from a file, and by the loop.
fn setting(place: &Place, report: &mut Report) {
    let lines = place.path("rows.jsonl");
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for (store, rows) in [("few", FEW), ("many", ROWS)] {
        place.init(store);
        fs::write(&lines, rows_of(rows)).unwrap();
        run(&mut create(place, store, "users"));
        run(&mut set(place, store, "users", &lines));
    }
    for round in 0..ROUNDS {
        let name = format!("again{round}");
        run(&mut create(place, "many", &name));
        ours.push(run(&mut set(place, "many", &name, &lines)));
        run(&mut place.ream("many", ["project", "drop", &name, "--yes"]));

        let database = place.path("bare.db");
        let sql =
            place.ream("many", ["project", "show", "users", "--sql"]).output().unwrap().stdout;
        let connection = Connection::open(&database).unwrap();
        connection.execute_batch("PRAGMA journal_mode=WAL").unwrap();
        connection.execute_batch(std::str::from_utf8(&sql).unwrap()).unwrap();
        drop(connection);
        let mut loading = Command::new(std::env::current_exe().unwrap());
        bare.push(run(loading.arg(LOADING).arg(&database).arg(&lines)));
        fs::remove_file(&database).unwrap();
    }
    fs::remove_file(&lines).unwrap();
    let name = "rows a second of set --jsonl / of a bare loop";
    report.ratio(name, median(&bare), median(&ours), AtLeast(0.6));
}

fn set(place: &Place, store: &str, name: &str, lines: &Path) -> Command {
    place.ream(store, ["project", "set", name, "--jsonl", lines.to_str().unwrap()])
}

fn rows_of(rows: u32) -> String {
    let mut lines = String::new();
    for id in 0..rows {
        writeln!(
            lines,
            r#"{{"id":{id},"name":"Person {id}","email":"person-{id}@mail.com","team":{},"city":"City {}","salary":{}.{:02},"born":"19{:02}-0{}-1{}T00:00:00.000000Z","score":{}.5}}"#,
            id / 20,
            id % 5000,
            1000 + id % 9000,
            id % 100,
            id % 100,
            id % 9 + 1,
            id % 10,
            id % 1000,
        )
        .unwrap();
    }
    lines
}

/// A row, as the loop reads it.
#[derive(Deserialize)]
struct User<'l> {
    id: i64,
    name: &'l str,
    email: &'l str,
    team: i64,
    city: &'l str,
    #[serde(borrow)]
    salary: &'l RawValue,
    born: &'l str,
    score: f64,
}

/// The least that rows are set by: reads lines, and sets what they say, 10,000 in a transaction.
pub(crate) fn load(database: &Path, lines: &Path) -> Result<(), Box<dyn std::error::Error>> {
    const BATCH: usize = 10_000;
    let connection = Connection::open(database)?;
    connection
        .execute_batch("PRAGMA cell_size_check=ON; PRAGMA synchronous=NORMAL; BEGIN IMMEDIATE")?;
    let mut statement = connection.prepare(
        "INSERT INTO users (id, name, email, team, city, salary, born, score)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO UPDATE SET
         name = excluded.name, email = excluded.email, team = excluded.team, city = excluded.city,
         salary = excluded.salary, born = excluded.born, score = excluded.score",
    )?;
    let mut reader = BufReader::with_capacity(256 * 1024, File::open(lines)?);
    let (mut line, mut rows) = (String::new(), 0);
    while reader.read_line(&mut line)? > 0 {
        let user: User<'_> = serde_json::from_str(&line)?;
        let User { id, name, email, team, city, salary, born, score } = user;
        statement.execute((id, name, email, team, city, salary.get(), born, score))?;
        rows += 1;
        if rows % BATCH == 0 {
            connection.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
        }
        line.clear();
    }
    connection.execute_batch("COMMIT")?;
    Ok(())
}

/// A few rows of many, as whole processes.
fn finding(place: &Place, report: &mut Report) {
    const COLUMNS: &str = "id, name, email, team, city, salary, born, score";
    for (what, term, few, many) in [
        ("key", "id", "5000".to_owned(), "500000".to_owned()),
        ("unique", "email", "\"person-5000@mail.com\"".into(), "\"person-500000@mail.com\"".into()),
        ("indexed field, 20 hits", "team", "250".into(), "25000".into()),
    ] {
        let ours = |store: &str, value: &str| {
            place.ream(store, ["project", "select", "users", &format!("{term} = {value}")])
        };
        let sql = format!("SELECT {COLUMNS} FROM users WHERE {term} = {}", many.replace('"', "'"));
        let peer = place.peer("many/projections/users.1.db", &["-readonly", &sql]);
        let mut commands = [ours("few", &few), ours("many", &many), peer];
        let [few, many, peer] = in_turn(OFTEN, &mut commands);
        report.ratio(
            format!("select by {what} / sqlite3"),
            median(&many),
            median(&peer),
            AtMost(1.0),
        );
        let name = format!("select by {what} of 1,000,000 / of 10,000");
        report.ratio(name, median(&many), median(&few), AtMost(1.2));
    }
}

/// All rows, to a pipe.
fn reading(place: &Place, report: &mut Report) {
    const SQL: &str = "SELECT id, name, email, team, city, salary, born, score FROM users";
    let mut ours = place.ream("many", ["project", "select", "users"]);
    let mut peer = place.peer("many/projections/users.1.db", &["-readonly", "-json", SQL]);
    let (mut took, mut peers) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS + 2 {
        took.push(drained(&mut ours));
        peers.push(drained(&mut peer));
    }
    let name = "rows a second of select / of sqlite3 -json";
    report.ratio(name, median(&peers), median(&took), AtLeast(2.0));
    let peak = peak_drained(&mut ours);
    #[allow(clippy::cast_precision_loss, reason = "a number of bytes")]
    let mebibytes = peak as f64 / 1024.0 / 1024.0;
    report.add("peak of select, MiB", mebibytes, AtMost(24.0), format!("{peak} bytes"));
}

/// New projections, beside the floor.
fn making(place: &Place, report: &mut Report) {
    const TIMES: usize = 100;
    place.init("made");
    let (mut made, mut floors) = (Vec::new(), Vec::new());
    let mut floor = place.floor();
    for number in 0..TIMES {
        made.push(run(&mut create(place, "made", &format!("p{number}"))));
        floors.push(run(&mut floor));
    }
    report.ratio("project create / floor", median(&made), median(&floors), AtMost(8.0));
}

/// How many events a loop appends a second, with a projection made ten times a second and without.
fn making_beside_appends(place: &Place, report: &mut Report) {
    const SPAN: Duration = Duration::from_secs(2);
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for round in 0..6 {
        let name = format!("beside{round}");
        place.init(&name);
        let path = place.path(&name);
        let makes = round % 2 == 1;
        let begun = Instant::now();
        let appended = thread::scope(|scope| {
            if makes {
                scope.spawn(|| {
                    let mut store = Store::open(&path, &Options::default()).unwrap();
                    let definition = Definition::new(Schema::of(&FIELDS).unwrap());
                    for number in 0.. {
                        thread::sleep(Duration::from_millis(100));
                        if begun.elapsed() > SPAN {
                            break;
                        }
                        let name = format!("p{number}").parse().unwrap();
                        let entry = ProjectionEntry::new(name, definition.clone());
                        store.create_projection(&entry).unwrap();
                    }
                });
            }
            let mut store = Store::open(&path, &Options::default()).unwrap();
            let event = NewEvent::new("order-1".parse().unwrap(), "OrderPlaced".parse().unwrap());
            let mut appended = 0_u32;
            while begun.elapsed() < SPAN {
                store.append(std::slice::from_ref(&event)).unwrap();
                appended += 1;
            }
            appended
        });
        if makes { beside.push(appended) } else { alone.push(appended) }
    }
    let middle = |counts: &mut Vec<u32>| {
        counts.sort_unstable();
        counts[counts.len() / 2]
    };
    let (beside, alone) = (middle(&mut beside), middle(&mut alone));
    let value = f64::from(beside) / f64::from(alone);
    let name = "appends a second with ten creates a second / with none";
    report.add(name, value, AtLeast(0.95), format!("{beside} / {alone} in 2 s"));
}
