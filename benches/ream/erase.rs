//! Removals that erase: one alone, and what appends beside one wait for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::place::Place;
use crate::process::run;
use crate::report::Required::AtMost;
use crate::report::{Report, median};
use crate::state::{MANY, fill};

/// How many states the small store has.
const FEW: u32 = 1000;
const REMOVALS: u32 = 300;

/// Measures the group.
pub(crate) fn measure(report: &mut Report) {
    let place = Place::new();
    fill(&place, "few", FEW);
    let (mut removals, mut floors) = (Vec::new(), Vec::new());
    let mut floor = place.floor();
    for number in 0..REMOVALS {
        removals.push(run(&mut remove(&place, "few", number)));
        floors.push(run(&mut floor));
    }
    let name = "stream rm of an event among 1,000 states / floor";
    report.ratio(name, median(&removals), median(&floors), AtMost(8.0));

    fill(&place, "many", MANY);
    // The first removal finds what filling the store left in all its pages.
    let mut beside = |name: &str, number: u32| {
        let (longest, removal) = beside_a_removal(&place, number);
        let of = format!("the removal took {removal:.2?}");
        report.add(name, longest.as_secs_f64() * 1000.0, AtMost(200.0), of);
    };
    beside("longest append beside a first stream rm among 1,000,000 states, ms", MANY / 2);
    beside("longest append beside a second one, ms", MANY / 3);
}

fn remove(place: &Place, store: &str, number: u32) -> std::process::Command {
    place.ream(store, ["stream", "rm", "--yes", &format!("account-{number}")])
}

/// How long an append takes at most beside a removal in the large store, and how long that takes.
fn beside_a_removal(place: &Place, number: u32) -> (Duration, Duration) {
    let removed = AtomicBool::new(false);
    thread::scope(|scope| {
        let appending = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            while !removed.load(Ordering::Relaxed) {
                longest = longest.max(run(&mut place.append("many")));
            }
            longest
        });
        let removal = run(&mut remove(place, "many", number));
        removed.store(true, Ordering::Relaxed);
        (appending.join().unwrap(), removal)
    })
}
