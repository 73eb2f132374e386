//! A model of the whole store: random sequences of every verb are done on a store in a directory and on one in
//! memory, by two handles each, and what each answers and then holds is compared after every step.
//!
//! `REAM_SEQUENCES` says how many sequences there are, `REAM_TEST_SEED` which. One that fails is made shorter, and
//! printed as what was done, step by step, with the answers.

#![allow(clippy::unwrap_used, reason = "where something is missing, a test shall fail")]

mod answers;
mod holds;
mod steps;

use std::cell::Cell;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use ream::{Error, NewBackup, Options, RestoreUntil, Restored, Store, Timestamp};
use tempfile::TempDir;

use steps::{Step, steps};

/// How many sequences there are, and how many steps one has at most.
const SEQUENCES: u32 = 1000;
const LENGTH: usize = 24;

thread_local! {
    static CLOCK: Cell<i64> = const { Cell::new(0) };
}

/// The time by which both stores record: it goes on only where a step says so.
fn clock() -> Timestamp {
    Timestamp::from_micros(1_000_000_000_000_000 + CLOCK.get()).unwrap()
}

fn number(name: &str, default: u32) -> u32 {
    std::env::var(name).map_or(default, |number| number.parse().unwrap())
}

/// Two handles of a store, and the directory that it is in, where it is in one.
struct Side {
    handles: [Store; 2],
    place: Option<TempDir>,
}

impl Side {
    fn of(store: Store, place: Option<TempDir>) -> Self {
        Self { handles: [store.again().unwrap(), store], place }
    }

    fn kept() -> Self {
        let place = tempfile::tempdir().unwrap();
        let (store, _) = Store::init(&place.path().join("store"), &options()).unwrap();
        Self::of(store, Some(place))
    }

    fn modelled() -> Self {
        Self::of(Store::in_memory(&options()).unwrap(), None)
    }

    /// Goes on with a store that is restored of a backup of this one.
    fn restore(&mut self, handle: usize, until: Option<RestoreUntil>) -> Result<String, Error> {
        let store = &self.handles[handle];
        let (restored, end, dropped, place) = if self.place.is_some() {
            let place = tempfile::tempdir().unwrap();
            let [backup, path] = ["backup", "store"].map(|name| place.path().join(name));
            let mut new = NewBackup::default();
            new.projections = true;
            store.backup(&backup, &new, &mut |_| ()).unwrap();
            let Restored { head, dropped, .. } =
                Store::restore(&backup, &path, until, &options(), &mut |_| ())?;
            (Store::open(&path, &options()).unwrap(), head, dropped, Some(place))
        } else {
            let (restored, end, dropped) = store.restored(until)?;
            (restored, end, dropped, None)
        };
        *self = Self::of(restored, place);
        Ok(format!("ends at {}, {dropped:?}", end.position))
    }
}

fn options() -> Options {
    let mut options = Options::default();
    options.clock = clock;
    options.actor = Some(ream::Actor::named("ann"));
    options
}

/// Does the steps on both stores, and compares.
fn compare(sequence: &[(usize, Step)]) -> Result<(), TestCaseError> {
    CLOCK.set(0);
    let (mut kept, mut model) = (Side::kept(), Side::modelled());
    let mut told = Vec::new();
    for (handle, step) in sequence {
        let at = told.len() + 1;
        if let Step::Tick = step {
            CLOCK.set(CLOCK.get() + 1_000_000);
            continue;
        }
        let before = holds::all(&model.handles[1 - handle]);
        if let Step::Failing(nth, step) = step {
            model.handles[*handle].fail_at(*nth);
            let answer = step.run(&mut model, *handle);
            model.handles[*handle].fail_at(0);
            let failed = answer.contains(FAILED);
            told.push(format!(
                "{at}. handle {handle}: {step:?}, of which number {nth} fails\n   {answer}"
            ));
            if failed {
                // Nothing is stored of what failed, and it can be done again.
                same(&told, "after a failure", &before, &holds::all(&model.handles[1 - handle]))?;
                let answer = step.run(&mut model, *handle);
                same(
                    &told,
                    "answers to the same again",
                    &[step.run(&mut kept, *handle)],
                    &[answer],
                )?;
            } else {
                same(&told, "answers", &[step.run(&mut kept, *handle)], &[answer])?;
            }
        } else {
            let answer = step.run(&mut model, *handle);
            told.push(format!("{at}. handle {handle}: {step:?}\n   {answer}"));
            same(&told, "answers", &[step.run(&mut kept, *handle)], &[answer])?;
        }
        let other = 1 - handle;
        let (held, modelled) =
            (holds::all(&kept.handles[other]), holds::all(&model.handles[other]));
        same(&told, "what is held", &held, &modelled)?;
    }
    Ok(())
}

/// What an answer says where a failure was asked for.
const FAILED: &str = "this failure was asked for";

/// That two engines say the same.
fn same(
    told: &[String],
    what: &str,
    kept: &[String],
    model: &[String],
) -> Result<(), TestCaseError> {
    if kept == model {
        return Ok(());
    }
    let only = |one: &[String], other: &[String]| {
        let lines = one.iter().filter(|line| !other.contains(line));
        lines.map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
    };
    Err(TestCaseError::fail(format!(
        "{what} differ\n{}\nin the directory:\n{}\nin memory:\n{}",
        told.join("\n"),
        only(kept, model),
        only(model, kept),
    )))
}

#[test]
fn a_store_in_a_directory_is_what_one_in_memory_is() {
    let seed = number("REAM_TEST_SEED", 1);
    let config = Config {
        cases: number("REAM_SEQUENCES", SEQUENCES),
        failure_persistence: None,
        max_shrink_iters: 1000,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, random);
    let run = runner.run(&steps(LENGTH), |sequence| compare(&sequence));
    if let Err(error) = run {
        panic!("seed {seed}: {error}");
    }
}
