//! Verifying, backing up, compacting: how fast, and what appends beside them wait for.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ream::{BackupProgress, Data, Json, NewBackup, NewEvent, Options, Store};

use crate::place::{Place, Random};
use crate::process::{drained, run};
use crate::report::Required::{AtLeast, AtMost};
use crate::report::{Report, median, quantile};

/// How many events the stores have, and how many bytes the data of each.
const SMALL: (usize, usize) = (1_000_000, 100);
const LARGE: (usize, usize) = (200_000, 1000);
const STREAMS: usize = 13_000;
/// One stream in so many is removed before the store is compacted.
const REMOVED: usize = 4;
const FEW: usize = 3;

/// Measures the group.
pub(crate) fn measure(report: &mut Report) {
    let place = Place::new();
    for (store, (events, bytes)) in [("small", SMALL), ("large", LARGE)] {
        fill(&place, store, events, bytes);
        verify(&place, report, store, bytes);
    }
    back_up(&place, report);
    beside_backups(&place, report);
    compact(&place, report);
}

/// Fills a store over the streams in random order.
fn fill(place: &Place, name: &str, events: usize, bytes: usize) {
    place.init(name);
    let mut store = Store::open(&place.path(name), &Options::default()).unwrap();
    let (mut random, mut filled) = (Random(7), 0);
    while filled < events {
        let batch: Vec<NewEvent> =
            (0..events.min(1000)).map(|_| event(&mut random, bytes)).collect();
        store.append(&batch).unwrap();
        filled += batch.len();
    }
}

fn event(random: &mut Random, bytes: usize) -> NewEvent {
    let stream = random.below(STREAMS);
    let category = if stream.is_multiple_of(REMOVED) { "gone" } else { "order" };
    let mut data = format!("{{\"stream\":{stream},\"note\":\"");
    while data.len() < bytes - 2 {
        write!(data, "{}", random.below(10)).unwrap();
    }
    data.push_str("\"}");
    let mut event = NewEvent::new(
        format!("{category}-{stream}").parse().unwrap(),
        "OrderPaid".parse().unwrap(),
    );
    event.data = Data::Json(Json::parse(&data).unwrap());
    event
}

/// Verifies by all processors, and by one, beside a read by one.
fn verify(place: &Place, report: &mut Report, store: &str, bytes: usize) {
    let on_one = |command: &Command| {
        let mut one = Command::new("taskset");
        one.args(["-c", "0"]).arg(command.get_program()).args(command.get_args());
        one
    };
    let (mut read, mut verify) = (place.ream(store, ["read"]), place.ream(store, ["verify"]));
    let (mut read_on_one, mut verify_on_one) = (on_one(&read), on_one(&verify));
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..FEW {
        times[0].push(drained(&mut read));
        times[1].push(run(&mut verify));
        times[2].push(drained(&mut read_on_one));
        times[3].push(run(&mut verify_on_one));
    }
    let [read, verify, read_on_one, verify_on_one] = times.map(|times| median(&times));
    let name = format!("verify / read, events of {bytes} bytes: rate");
    report.ratio(&*name, read, verify, AtLeast(0.5));
    report.ratio(format!("{name} on one core"), read_on_one, verify_on_one, AtLeast(0.3));
}

/// Backs up, and copies the same file.
fn back_up(place: &Place, report: &mut Report) {
    let store = Store::open(&place.path("small"), &Options::default()).unwrap();
    let (mut backups, mut copies) = (Vec::new(), Vec::new());
    for _ in 0..FEW {
        backups.push(backup(place, &store));
        let _ = fs::remove_file(place.path("copy"));
        let script = r#"cp "$0" "$1" && sync "$1""#;
        let (from, to) = (place.path("small/db"), place.path("copy"));
        let args = [OsStr::new("-c"), script.as_ref(), from.as_ref(), to.as_ref()];
        copies.push(run(Command::new("sh").args(args)));
    }
    let name = "backup of 1,000,000, verification apart / cp and sync";
    report.ratio(name, median(&backups), median(&copies), AtMost(5.0));
}

/// Makes a backup, in the place of the last; how long that takes but for its verification.
fn backup(place: &Place, store: &Store) -> Duration {
    let path = place.path("backup");
    let _ = fs::remove_dir_all(&path);
    let (begun, mut copied, mut verified) = (Instant::now(), Instant::now(), None);
    let mut watch = |progress| match progress {
        BackupProgress::Copied { .. } => copied = Instant::now(),
        _ => verified = Some(Instant::now()),
    };
    store.backup(&path, &NewBackup::default(), &mut watch).unwrap();
    let wall = begun.elapsed();
    wall.saturating_sub(verified.unwrap().saturating_duration_since(copied))
}

/// Appends 500 times a second, alone and beside one backup after another.
fn beside_backups(place: &Place, report: &mut Report) {
    const PERIOD: Duration = Duration::from_millis(2);
    let append = |until: &dyn Fn(usize) -> bool| {
        let mut store = Store::open(&place.path("small"), &Options::default()).unwrap();
        let (mut random, mut times) = (Random(1), Vec::new());
        let begun = Instant::now();
        let mut due = Duration::ZERO;
        while !until(times.len()) {
            thread::sleep(due.saturating_sub(begun.elapsed()));
            let events = [event(&mut random, 100)];
            let started = Instant::now();
            store.append(&events).unwrap();
            times.push(started.elapsed());
            due += PERIOD;
        }
        times
    };
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..FEW {
        alone.extend(append(&|appended| appended == 1000));
        // Not beside the appends: a file system that frees the last backup has them wait as well.
        let _ = fs::remove_dir_all(place.path("backup"));
        run(&mut Command::new("sync"));
        let is_made = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                run(&mut place.ream("small", [OsStr::new("backup"), place.path("backup").as_ref()]));
                is_made.store(true, Ordering::Relaxed);
            });
            beside.extend(append(&|_| is_made.load(Ordering::Relaxed)));
        });
    }
    let (late, usual) = (quantile(&beside, 0.99), quantile(&alone, 0.99));
    let name = "500 appends a second, 99th percentile: beside a backup / alone";
    report.ratio(name, late, usual, AtMost(2.0));
}

/// Compacts a store of which a quarter was removed, and appends meanwhile.
fn compact(place: &Place, report: &mut Report) {
    run(&mut place.ream("large", ["stream", "rm", "gone-*", "--yes"]));
    let before = fs::metadata(place.path("large/db")).unwrap().len();
    let is_compact = AtomicBool::new(false);
    let (times, took) = thread::scope(|scope| {
        let appending = scope.spawn(|| {
            let mut times = Vec::new();
            while !is_compact.load(Ordering::Relaxed) {
                times.push(run(&mut place.append("large")));
            }
            times
        });
        let took = run(&mut place.ream("large", ["compact"]));
        is_compact.store(true, Ordering::Relaxed);
        (appending.join().unwrap(), took)
    });
    let after = fs::metadata(place.path("large/db")).unwrap().len();
    let longest = times.iter().max().unwrap().as_secs_f64() * 1000.0;
    let of = format!("{took:.2?} for {before} to {after} bytes, beside {} appends", times.len());
    report.add("longest append beside compact, ms", longest, AtMost(200.0), of);
}
