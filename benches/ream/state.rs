//! States: one read among many, one stored with its event.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::place::{Place, in_turn};
use crate::process::run;
use crate::report::Required::AtMost;
use crate::report::{Report, median};

/// How many states the large store has.
pub(crate) const MANY: u32 = 1_000_000;
const OFTEN: usize = 500;

/// The argument that makes this program select a state.
pub(crate) const SELECTING: &str = "selecting";

/// Measures the group.
pub(crate) fn measure(report: &mut Report) {
    let place = Place::new();
    fill(&place, "few", 10);
    fill(&place, "many", MANY);
    let get = |store: &str, number: u32| {
        place.ream(store, ["state", "get", &format!("account-{number}")])
    };
    let select = format!(
        "SELECT stream, version, position, data FROM states WHERE stream = 'account-{}'",
        MANY / 2
    );
    let mut bare = Command::new(std::env::current_exe().unwrap());
    bare.arg(SELECTING).arg(place.path("many/db")).arg(format!("account-{}", MANY / 2));
    let peer = place.peer("many/db", &["-readonly", &select]);
    let mut commands = [get("few", 5), get("many", MANY / 2), peer, bare];
    let [few, many, peer, bare] = in_turn(OFTEN, &mut commands);
    let name = "state get of 1,000,000 / of ten";
    report.ratio(name, median(&many), median(&few), AtMost(1.15));
    report.ratio("state get / sqlite3", median(&many), median(&peer), AtMost(0.6));
    // What SQLite alone takes, without a check of anything.
    report.ratio("a bare select by rusqlite / sqlite3", median(&bare), median(&peer), AtMost(0.6));
    appends(&place, report);
}

/// The least that a state can be got by: opens the database and selects one.
pub(crate) fn select(database: &Path, stream: &str) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let select = "SELECT data FROM states WHERE stream = ?1";
    let state: String = connection.query_row(select, [stream], |row| row.get(0))?;
    println!("{state}");
    std::mem::forget(connection);
    Ok(())
}

/// An append with a state beside one without; each expects what it finds.
fn appends(place: &Place, report: &mut Report) {
    for store in ["plain", "stated"] {
        place.init(store);
    }
    let (mut plain, mut stated) = (Vec::new(), Vec::new());
    for version in 0..OFTEN {
        let expect = version.to_string();
        let args = ["append", "account-1", "Deposited", r#"{"amount":5}"#, "--expect", &expect];
        let mut without = place.ream("plain", args);
        let mut with = place.ream("stated", args);
        with.args(["--state", r#"{"balance":120.50}"#]);
        // Now one first, now the other.
        if version % 2 == 0 {
            plain.push(run(&mut without));
            stated.push(run(&mut with));
        } else {
            stated.push(run(&mut with));
            plain.push(run(&mut without));
        }
    }
    report.ratio("append --state / append", median(&stated), median(&plain), AtMost(1.2));
}

/// Makes a store of streams with an event and a state each.
pub(crate) fn fill(place: &Place, store: &str, states: u32) {
    place.init(store);
    let mut lines = String::new();
    for number in 0..states {
        writeln!(
            lines,
            r#"{{"stream":"account-{number}","type":"Opened","expect":0,"state":{{"balance":{number}.00}}}}"#
        )
        .unwrap();
    }
    let file = place.path("states.jsonl");
    fs::write(&file, lines).unwrap();
    run(&mut place.ream(store, ["append", "--jsonl", file.to_str().unwrap()]));
    fs::remove_file(file).unwrap();
}
