//! Measures ream beside a floor and a peer: whole processes, in turn, in one run.
//!
//! `cargo bench` runs every group, `cargo bench -- log` the one that is named. A group prints a
//! table of ratios and writes it as JSON into `target/bench/`. Nothing here passes or fails: a
//! figure is a measurement. The peer is the `sqlite3` command, which must be installed; what a
//! process uses is read from `/proc`.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what can't be measured ends the measurement")]
#![allow(clippy::print_stdout, reason = "the table is what this is for")]

mod decide;
mod erase;
mod follow;
mod log;
mod place;
mod process;
mod projection;
mod report;
mod serve;
mod state;
mod trust;

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use report::Report;

/// The groups, by name.
const GROUPS: [(&str, Measure); 8] = [
    ("log", log::measure),
    ("state", state::measure),
    ("erase", erase::measure),
    ("decide", decide::measure),
    ("projection", projection::measure),
    ("follow", follow::measure),
    ("serve", serve::measure),
    ("trust", trust::measure),
];

type Measure = fn(&mut Report);

fn main() {
    // Cargo says `--bench` to every benchmark.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match &args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [FLOOR, file] => return floor(Path::new(file)).unwrap(),
        [state::SELECTING, file, stream] => {
            return state::select(Path::new(file), stream).unwrap();
        }
        [decide::SILENT] => return,
        [decide::COUNTING, file] => return decide::count(Path::new(file)).unwrap(),
        [decide::ECHOING] => return decide::echo().unwrap(),
        [decide::SYNCING, file] => return decide::sync_often(Path::new(file)).unwrap(),
        [projection::LOADING, database, lines] => {
            return projection::load(Path::new(database), Path::new(lines)).unwrap();
        }
        [follow::PROJECTING] => return follow::echo_rows().unwrap(),
        [follow::PROJECTING_EACH] => return follow::echo_each().unwrap(),
        [follow::ACKING] => return follow::echo_acks().unwrap(),
        [follow::UPSERTING, store, database, table] => {
            return follow::upsert(Path::new(store), Path::new(database), table).unwrap();
        }
        _ => {}
    }
    for (name, measure) in GROUPS {
        if args.is_empty() || args.iter().any(|arg| arg == name) {
            let mut report = Report::new(name);
            measure(&mut report);
            println!("{report}");
            println!("written to {}", report.write().unwrap().display());
        }
    }
}

/// The argument that makes this program the floor.
const FLOOR: &str = "floor";

/// The least that a durable append costs: a process, linked as ream is, that writes three pages at
/// the end of a file and syncs them.
fn floor(file: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(file)?;
    file.write_all(&[b'x'; 12 * 1024])?;
    file.sync_data()
}
