//! Decisions: many processes on one stream, one alone, and one program for many commands.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::place::{Place, in_turn};
use crate::process::run;
use crate::report::Required::{AtLeast, AtMost};
use crate::report::{Report, median};

/// The arguments that make this program an aggregator: one that answers nothing, one that counts its
/// runs in a file, one that answers with an event; or the loop that is the floor of the last.
pub(crate) const SILENT: &str = "aggregator-silent";
pub(crate) const COUNTING: &str = "aggregator-counting";
pub(crate) const ECHOING: &str = "aggregator-echoing";
pub(crate) const SYNCING: &str = "syncing";

const OFTEN: usize = 500;
/// How many commands one client sends.
const COMMANDS: u32 = 3000;
const ROUNDS: usize = 5;

/// Measures the group.
pub(crate) fn measure(report: &mut Report) {
    let place = Place::new();
    contended(&place, report);
    alone(&place, report);
    served(&place, report);
}

/// This program as another one.
fn itself(part: &str) -> Vec<String> {
    vec![std::env::current_exe().unwrap().to_str().unwrap().into(), part.into()]
}

/// `ream decide` with a part of this program.
fn decide(place: &Place, store: &str, args: &[&str], program: Vec<String>) -> Command {
    let args = std::iter::once("decide").chain(args.iter().copied()).chain(["--"]);
    let mut command = place.ream(store, args);
    command.args(program);
    command
}

/// Sixteen processes at a time on one stream, each a hundred times.
fn contended(place: &Place, report: &mut Report) {
    const PROCESSES: u32 = 16;
    const EACH: u32 = 100;
    place.init("contended");
    let runs = place.path("runs");
    thread::scope(|scope| {
        for _ in 0..PROCESSES {
            scope.spawn(|| {
                for _ in 0..EACH {
                    let mut program = itself(COUNTING);
                    program.push(runs.to_str().unwrap().into());
                    run(&mut decide(place, "contended", &["s-1"], program));
                }
            });
        }
    });
    let decided = PROCESSES * EACH;
    let show = place.ream("contended", ["read", "s-1"]).output().unwrap().stdout;
    let versions: Vec<u32> = show.split(|byte| *byte == b'\n').filter_map(version_in).collect();
    assert_eq!(versions, (1..=decided).collect::<Vec<_>>());
    let state = place.ream("contended", ["state", "get", "s-1", "--data"]).output().unwrap();
    assert_eq!(state.stdout, format!("{decided}\n").into_bytes());
    let runs = u32::try_from(fs::metadata(runs).unwrap().len()).unwrap();
    let of = format!("{runs} of {decided}");
    let name = "16 × 100 decides on one stream: runs a decision";
    report.add(name, f64::from(runs) / f64::from(decided), AtMost(1.5), of);
}

/// A decision that stores nothing, beside an append and a run of its program.
fn alone(place: &Place, report: &mut Report) {
    place.init("alone");
    let mut program = Command::new(&itself(SILENT)[0]);
    program.arg(SILENT);
    let mut commands = [
        decide(place, "alone", &["b-1"], itself(SILENT)),
        place.ream("alone", ["append", "a-1", "T", "{}"]),
        program,
    ];
    let [decide, append, program] = in_turn(OFTEN, &mut commands);
    let both = median(&append) + median(&program);
    report.ratio("decide / (append + program)", median(&decide), both, AtMost(1.6));
}

/// One program for many commands, beside a loop that writes and syncs as much.
fn served(place: &Place, report: &mut Report) {
    let (mut waiting, mut piped, mut floor) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let stores = [format!("waiting-{round}"), format!("piped-{round}")];
        place.init(&stores[0]);
        place.init(&stores[1]);
        waiting.push(in_lock_step(place, &stores[0]));
        floor.push(run(&mut syncing(place)));
        piped.push(all_at_once(place, &stores[1]));
    }
    let name = "decide --serve / write + fdatasync";
    let figure = |waiting: Duration| median(&floor).as_secs_f64() / waiting.as_secs_f64();
    let rate =
        |took: &[Duration]| format!("{:.0}/s", f64::from(COMMANDS) / median(took).as_secs_f64());
    let of = format!("{} of {}", rate(&waiting), rate(&floor));
    report.add(
        format!("{name}: each answer waited for"),
        figure(median(&waiting)),
        AtLeast(0.7),
        of,
    );
    let of = format!("{} of {}", rate(&piped), rate(&floor));
    report.add(format!("{name}: piped"), figure(median(&piped)), AtLeast(0.7), of);
}

fn line(number: u32) -> String {
    format!("{{\"stream\":\"account-{}\",\"command\":{{\"deposit\":{number}}}}}\n", number % 10)
}

/// A client that waits for each answer; how long it takes once all runs.
fn in_lock_step(place: &Place, store: &str) -> Duration {
    let mut served = decide(place, store, &["--serve"], itself(ECHOING))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut commands = served.stdin.take().unwrap();
    let mut answers = BufReader::new(served.stdout.take().unwrap());
    let mut answer = String::new();
    let mut ask = |number| {
        commands.write_all(line(number).as_bytes()).unwrap();
        answer.clear();
        answers.read_line(&mut answer).unwrap();
        assert!(answer.contains("stored"), "{answer}");
    };
    ask(0);
    let begun = Instant::now();
    (1..=COMMANDS).for_each(&mut ask);
    let took = begun.elapsed();
    drop(commands);
    assert!(served.wait().unwrap().success());
    took
}

/// All commands from a file; how long the process takes.
fn all_at_once(place: &Place, store: &str) -> Duration {
    let file = place.path("commands");
    fs::write(&file, (1..=COMMANDS).map(line).collect::<String>()).unwrap();
    let mut served = decide(place, store, &["--serve"], itself(ECHOING));
    served.stdin(File::open(file).unwrap()).stdout(Stdio::null());
    let begun = Instant::now();
    assert!(served.status().unwrap().success());
    begun.elapsed()
}

fn syncing(place: &Place) -> Command {
    let file = place.path("synced");
    // Each time a new one.
    let _ = fs::remove_file(&file);
    let words = itself(SYNCING);
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).arg(file);
    command
}

/// Writes three pages at the end of a file and syncs them, as often as there are commands.
pub(crate) fn sync_often(file: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    for _ in 0..COMMANDS {
        file.write_all(&[b'x'; 12 * 1024])?;
        file.sync_data()?;
    }
    Ok(())
}

/// The first version that a line names.
fn version_in(line: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(line).ok()?;
    let rest = text.split("\"version\":").nth(1)?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Answers one command with an event and a count, and notes that it ran.
pub(crate) fn count(runs: &Path) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).open(runs)?.write_all(b"x")?;
    let mut line = Vec::new();
    io::stdin().lock().read_until(b'\n', &mut line)?;
    let version = version_in(&line).unwrap();
    writeln!(io::stdout(), "{{\"append\":{{\"type\":\"Counted\"}}}}\n{{\"state\":{}}}", version + 1)
}

/// Answers each command with an event that holds it, a state, and an ack.
pub(crate) fn echo() -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        let version = version_in(&line).unwrap();
        let text = std::str::from_utf8(&line).unwrap().trim_end();
        let command = text.rsplit("\"command\":").next().unwrap().strip_suffix('}').unwrap();
        let answer = format!(
            "{{\"append\":{{\"type\":\"Echoed\",\"data\":{command}}}}}\n\
             {{\"state\":{{\"n\":{version}}}}}\n{{\"ack\":{version}}}\n"
        );
        output.write_all(answer.as_bytes())?;
        output.flush()?;
        line.clear();
    }
    Ok(())
}
