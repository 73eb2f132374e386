//! How a program that fails is started again: a machine that knows neither a program nor a store.
//!
//! After a failure the program is given one event, and where that goes well two, four, and so on, until it is past
//! those that it may have failed on. So where it is given up, the event that it fails on is known. Whoever goes on
//! at all has as many tries again.

use std::time::Duration;

use crate::event::Position;

/// How long is waited before a program that failed is started again, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// Doubts about events: how many are given to the program at once, and up to which one.
#[derive(Debug, Clone, Copy)]
struct Probe {
    at_once: usize,
    until: Position,
}

/// What is known of earlier runs.
#[derive(Debug)]
pub(super) struct Retry {
    /// How many events are given at once, where that is said.
    given: Option<usize>,
    /// How often it is started again, before that is given up.
    retries: u32,
    /// How often it has failed in a row.
    failures: u32,
    probe: Option<Probe>,
}

/// What comes after a run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// There is nothing left to do.
    End,
    /// It is run for what comes.
    Run,
    /// It is started again after a pause; it has failed so often in a row.
    Again { failures: u32, pause: Duration },
    /// It is given up: the first and the last of the events that it was told and had not acked, where there are some.
    GiveUp(Option<(Position, Position)>),
}

impl Retry {
    pub(super) fn new(given: Option<usize>, retries: u32) -> Self {
        Self { given, retries, failures: 0, probe: None }
    }

    /// How many events it is given at once; all there are where that is not said.
    pub(super) fn at_once(&self) -> Option<usize> {
        match (self.given, self.probe) {
            (Some(given), Some(probe)) => Some(given.min(probe.at_once)),
            (given, probe) => given.or(probe.map(|probe| probe.at_once)),
        }
    }

    /// It ended well, and moved the checkpoint from one place to another.
    pub(super) fn ended(&mut self, before: Position, after: Position) -> Next {
        if self.at_once().is_none() {
            return Next::End;
        }
        self.moved(before, after);
        let doubts = self.probe.filter(|probe| after < probe.until);
        self.probe = doubts.map(|probe| Probe { at_once: probe.at_once * 2, ..probe });
        Next::Run
    }

    /// It failed, and moved the checkpoint from one place to another. Of the events that it was told, the first and
    /// the last.
    pub(super) fn failed(
        &mut self,
        before: Position,
        after: Position,
        told: Option<(Position, Position)>,
    ) -> Next {
        self.moved(before, after);
        if self.failures >= self.retries {
            let left = told.map(|(first, last)| (first.max(after.next()), last));
            return Next::GiveUp(left.filter(|(first, last)| first <= last));
        }
        let pause = BACKOFF.1.min(BACKOFF.0 * 2_u32.saturating_pow(self.failures));
        self.failures += 1;
        let last = told.map_or(after, |(_, last)| last);
        let until = self.probe.map_or(last, |probe| probe.until.max(last));
        // Where it had done all that it was told, no event is to blame.
        self.probe = (until > after).then_some(Probe { at_once: 1, until });
        Next::Again { failures: self.failures, pause }
    }

    /// Who goes on has as many tries again.
    fn moved(&mut self, before: Position, after: Position) {
        if after > before {
            self.failures = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// What a program does in a run: how many of the events that it is given it reads, how many of those it acks, and
    /// whether it ends well then.
    #[derive(Debug, Clone, Copy)]
    struct Behaviour {
        reads: usize,
        acks: usize,
        is_well: bool,
    }

    fn behaviour() -> impl Strategy<Value = Behaviour> {
        (0..6_usize, 0..6_usize, any::<bool>()).prop_map(|(reads, acks, is_well)| Behaviour {
            reads,
            acks: acks.min(reads),
            is_well,
        })
    }

    /// How it came out: which events were acked, in order, and which ones it was given up on.
    struct Outcome {
        acked: Vec<u64>,
        end: Next,
        runs: usize,
        /// Whether it left events in its last run that it was given.
        left: bool,
    }

    /// Runs a program over `events` events, which fails on each of `poison` that it reads; it behaves as is said, and
    /// reads and acks everything once nothing is said any more.
    fn simulate(
        retry: &mut Retry,
        events: u64,
        poison: &BTreeSet<u64>,
        runs: &[Behaviour],
    ) -> Outcome {
        let (mut acked, mut checkpoint) = (Vec::new(), 0);
        let mut behaviours = runs.iter().copied();
        for run in 1.. {
            let last =
                retry.at_once().map_or(events, |at_once| events.min(checkpoint + at_once as u64));
            if retry.at_once().is_some() && checkpoint == events {
                return Outcome { acked, end: Next::End, runs: run, left: false };
            }
            let given: Vec<u64> = (checkpoint + 1..=last).collect();
            let all = Behaviour { reads: given.len(), acks: given.len(), is_well: true };
            let Behaviour { reads, acks, is_well } = behaviours.next().unwrap_or(all);
            let read = &given[..reads.min(given.len())];
            let sound = read.iter().take_while(|event| !poison.contains(*event)).count();
            let fails = sound < read.len() || !is_well;
            // One that ends well acks all that it was given, as far as it has read all of it.
            let done =
                if !fails && read.len() == given.len() { given.len() } else { acks.min(sound) };
            let before = Position(checkpoint);
            acked.extend_from_slice(&given[..done]);
            checkpoint += done as u64;
            let after = Position(checkpoint);
            let told = given.first().zip(given.last());
            let told = told.map(|(first, last)| (Position(*first), Position(*last)));
            // One that ends well and leaves events unread has failed.
            let next = if fails || done < given.len() {
                retry.failed(before, after, told)
            } else {
                retry.ended(before, after)
            };
            match next {
                Next::End => {
                    return Outcome { acked, end: Next::End, runs: run, left: false };
                }
                Next::Run => {}
                Next::Again { failures, pause } => {
                    assert!(failures >= 1 && pause >= BACKOFF.0 && pause <= BACKOFF.1);
                }
                Next::GiveUp(_) => {
                    return Outcome { acked, end: next, runs: run, left: done < given.len() };
                }
            }
            assert!(run < 10_000, "it goes on for ever");
        }
        unreachable!("it ends within the loop")
    }

    proptest! {
        #[test]
        fn each_event_is_acked_once_or_named(
            events in 0..40_u64,
            poison in prop::collection::btree_set(1..40_u64, 0..3),
            runs in prop::collection::vec(behaviour(), 0..30),
            given in prop::option::of(1..5_usize),
            retries in 0..6_u32,
        ) {
            let outcome = simulate(&mut Retry::new(given, retries), events, &poison, &runs);
            let done = outcome.acked.len() as u64;
            prop_assert_eq!(&outcome.acked, &(1..=done).collect::<Vec<_>>());
            match outcome.end {
                Next::GiveUp(named) => {
                    // The first that is not acked is among those that are named; or all that it was told is acked.
                    let names = named.is_none_or(|(first, last)| first.0 == done + 1 && last >= first);
                    prop_assert!(names, "{:?} {}", named, done);
                    prop_assert_eq!(named.is_some(), outcome.left);
                }
                _ => prop_assert_eq!(done, events),
            }
        }

        #[test]
        fn where_there_are_retries_the_one_that_it_fails_on_is_named(
            events in 1..200_u32,
            poison in 1..200_u32,
            given in prop::option::of(1..50_usize),
            retries in 1..6_u32,
        ) {
            let bad = BTreeSet::from([poison.into()]);
            let outcome = simulate(&mut Retry::new(given, retries), events.into(), &bad, &[]);
            if poison <= events {
                let at = Position(poison.into());
                prop_assert_eq!(outcome.end, Next::GiveUp(Some((at, at))));
                prop_assert_eq!(outcome.acked.len() as u64, u64::from(poison) - 1);
            } else {
                prop_assert_eq!(outcome.end, Next::End);
            }
            // Doubled each time, or as many as are given at once.
            let most = match given {
                Some(given) => events as usize / given + 2 * retries as usize + 20,
                None => 2 * retries as usize + 20,
            };
            prop_assert!(outcome.runs <= most, "{} runs", outcome.runs);
        }
    }

    #[test]
    fn who_goes_on_has_as_many_tries_again() {
        let mut retry = Retry::new(None, 2);
        let told = Some((Position(1), Position(9)));
        let at = |position| Position(position);
        assert!(matches!(retry.failed(at(0), at(0), told), Next::Again { failures: 1, .. }));
        assert!(matches!(retry.failed(at(0), at(0), told), Next::Again { failures: 2, .. }));
        assert!(matches!(retry.failed(at(0), at(1), told), Next::Again { failures: 1, .. }));
        assert!(matches!(retry.failed(at(1), at(1), told), Next::Again { failures: 2, .. }));
        let named = Some((at(2), at(9)));
        assert_eq!(retry.failed(at(1), at(1), told), Next::GiveUp(named));
    }

    #[test]
    fn one_that_had_done_all_is_not_given_less() {
        let mut retry = Retry::new(None, 2);
        let told = Some((Position(1), Position(9)));
        assert!(matches!(retry.failed(Position(0), Position(9), told), Next::Again { .. }));
        assert_eq!(retry.at_once(), None);
    }
}
