//! Runs a program that follows the log: feeds it, hears its replies, commits what it acks, and starts it
//! again where it fails.

mod hearing;
mod retry;

use std::thread;
use std::time::{Duration, Instant};

use self::hearing::Hearing;
use self::retry::{Next, Retry};
use super::feed::{Events, Feed, Markers, Source, Way};
use super::running::Running;
use super::told::Acked;
use super::{Program, ProgramError};
use crate::event::Position;
use crate::store::{Error, Mark, Query, Store};
use crate::subscription::Follower;
use crate::wait;
use crate::wire::Reply;

/// Over how many events of others a checkpoint is moved at least. To read fewer of them again, at each
/// start, costs less than a commit that is synced.
const PASSED_OVER: u64 = 1000;

/// How a program is run that follows the log.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Following {
    /// Run it once for up to so many events; otherwise it goes on.
    pub at_once: Option<usize>,
    /// Whether its exit with 0 acks what it was given, even if it has not read that.
    pub per_event: bool,
    /// End when nothing is left to do.
    pub until_caught_up: bool,
    /// How often it is started again where it fails, before that is given up.
    pub retries: u32,
    /// How long it has to end when we are interrupted.
    pub grace: Duration,
    /// Whether it is told from where to which head it is told, and when it has caught up.
    pub markers: bool,
}

impl Default for Following {
    fn default() -> Self {
        Self {
            at_once: None,
            per_event: false,
            until_caught_up: false,
            retries: 5,
            grace: Duration::from_secs(5),
            markers: false,
        }
    }
}

/// What is told while a program runs.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'n> {
    /// It failed, and is started again.
    Again {
        /// Why it failed.
        error: &'n ProgramError,
        /// How often it has failed in a row.
        failures: u32,
        /// How often it is started again.
        retries: u32,
        /// How long is waited before that.
        pause: Duration,
    },
    /// What was done up to a position is committed.
    Committed {
        /// The position.
        position: Position,
    },
    /// It has been told of events and acks none.
    NoAck {
        /// The program.
        program: &'n str,
        /// How many replies it has written meanwhile.
        replies: u64,
    },
}

/// Why a program that follows no longer does.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// The program can't be run at all, or not spoken with, or we were interrupted.
    #[error(transparent)]
    Program(ProgramError),
    /// The program failed again and again.
    #[error("{error}; {}", stopped(*events))]
    Stopped {
        /// How it failed at last.
        error: ProgramError,
        /// The first and the last of the events that it had been told and had not acked, where there are some; one
        /// where it is known which one fails.
        events: Option<(Position, Position)>,
    },
}

fn stopped(events: Option<(Position, Position)>) -> String {
    match events {
        None => "it had done all that it was given".into(),
        Some((first, last)) if first == last => {
            format!("it fails on the event at position {first}")
        }
        Some((first, last)) => {
            format!("it fails on one of the events from position {first} to {last}")
        }
    }
}

/// What is made of replies.
pub(super) trait Effects {
    /// Whether what the program answers tells of the event that it was told as the cause.
    const TELL_CAUSES: bool = false;

    /// Where events are read.
    fn store(&self) -> &Store;

    /// Up to where everything is done.
    fn checkpoint(&self) -> Position;

    /// Takes a reply, the line of this number, which belongs to the next ack; what is wrong with it, where
    /// it is none that can be given.
    fn take(&mut self, reply: Reply<'_>, line: u64) -> Result<(), String>;

    /// What was taken is done with the events that are acked.
    fn done(&mut self, acked: Acked) -> Result<(), Error>;

    /// Commits what is done. Where that is refused, the line of the reply that is at fault.
    fn commit(&mut self) -> Result<Result<(), (u64, Error)>, Error>;

    /// Moves the checkpoint to `position`, with nothing else: what lies between is none of the program's.
    fn pass_over(&mut self, position: Position) -> Result<(), Error>;

    /// Forgets what was taken and is not committed.
    fn forget(&mut self);

    /// Nothing is to be done at this moment: that what is made still counts.
    fn look(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Nothing is to be done for a while.
    fn rest(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Records how the program failed, or that it is begun with anew.
    fn record(&mut self, failure: Option<&str>) -> Result<(), Error>;
}

/// Runs one program.
pub(super) struct Runner<'r, E> {
    pub(super) program: Program,
    pub(super) query: Query,
    pub(super) following: Following,
    pub(super) effects: E,
    pub(super) notice: &'r mut dyn FnMut(Notice<'_>),
}

/// Why a run of the program came to nothing.
enum Failure {
    Store(Error),
    Program(ProgramError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<ProgramError> for Failure {
    fn from(error: ProgramError) -> Self {
        Self::Program(error)
    }
}

impl<E: Effects> Runner<'_, E> {
    /// Runs the program until there is nothing left to do, it fails too often, or we are interrupted.
    pub(super) fn run(&mut self) -> Result<(), FollowError> {
        self.effects.record(None)?;
        let mut retry = Retry::new(self.following.at_once, self.following.retries);
        loop {
            let at_once = retry.at_once();
            let Some((events, source)) = self.next_source(at_once)? else { return Ok(()) };
            let before = self.effects.checkpoint();
            let mut told = None;
            let done = self.run_once(events, source, at_once.is_some(), &mut told);
            let after = self.effects.checkpoint();
            let (next, error) = match done {
                Ok(()) => (retry.ended(before, after), None),
                Err(Failure::Store(error)) => return Err(error.into()),
                Err(Failure::Program(error @ ProgramError::Interrupted)) => {
                    return Err(FollowError::Program(error));
                }
                Err(Failure::Program(error)) => {
                    self.record(&error)?;
                    if matches!(error, ProgramError::NotStarted { .. }) {
                        return Err(FollowError::Program(error));
                    }
                    (retry.failed(before, after, told), Some(error))
                }
            };
            match (next, error) {
                (Next::End, _) => return Ok(()),
                (Next::GiveUp(_), Some(error)) if error.is_ours() => {
                    return Err(FollowError::Program(error));
                }
                (Next::GiveUp(events), Some(error)) => {
                    return Err(FollowError::Stopped { error, events });
                }
                (Next::Again { failures, pause }, Some(error)) => {
                    let retries = self.following.retries;
                    (self.notice)(Notice::Again { error: &error, failures, retries, pause });
                    self.pause(pause)?;
                }
                _ => {}
            }
        }
    }

    /// Records how the program failed.
    fn record(&mut self, error: &ProgramError) -> Result<(), Error> {
        let cause = std::error::Error::source(error);
        let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
        self.effects.record(Some(&format!("{error}{cause}")))
    }

    fn pause(&self, pause: Duration) -> Result<(), FollowError> {
        let begun = Instant::now();
        while !self.is_interrupted() {
            let left = pause.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(wait::INTERRUPTED));
        }
        Err(FollowError::Program(ProgramError::Interrupted))
    }

    fn is_interrupted(&self) -> bool {
        self.program.is_interrupted()
    }

    fn source(way: Way) -> Source {
        Source { way, with_causes: E::TELL_CAUSES }
    }

    /// Where the program's next events come from, the first of which are read already; nothing where
    /// all is done. Waits for the first of them where the program is run for a few.
    fn next_source(
        &mut self,
        at_once: Option<usize>,
    ) -> Result<Option<(Events, Source)>, FollowError> {
        let mut query = self.query.clone();
        query.after = Some(Mark::Position(self.effects.checkpoint()));
        if at_once.is_none() && !self.following.until_caught_up {
            let follower = Follower::new(self.effects.store(), &query)?;
            return Ok(Some((Events::default(), Self::source(Way::Following(follower)))));
        }
        query.limit = at_once.map(|events| events as u64).or(query.limit);
        let mut follower = None;
        loop {
            let mut source = Self::source(Way::Reading(self.effects.store().read(&query)?));
            loop {
                let (events, batch) = source.next()?;
                if !events.is_empty() {
                    return Ok(Some((events, source)));
                }
                if batch.caught_up {
                    self.pass_over(batch.position)?;
                    query.after = Some(Mark::Position(batch.position));
                    break;
                }
            }
            if self.following.until_caught_up {
                return Ok(None);
            }
            // Watched first, and read once more then.
            let Some(follower) = &mut follower else {
                follower = Some(Follower::new(self.effects.store(), &query)?);
                continue;
            };
            while follower.wait_once()?.is_none() {
                self.effects.look()?;
                if self.is_interrupted() {
                    return Err(FollowError::Program(ProgramError::Interrupted));
                }
            }
        }
    }

    /// Moves the checkpoint to `position`, up to where there is nothing left to do, where that is worth it:
    /// what is read once is not read anew at each start, and by each who asks how far it has come.
    fn pass_over(&mut self, position: Position) -> Result<(), Error> {
        let Position(checkpoint) = self.effects.checkpoint();
        if position.0.saturating_sub(checkpoint) < PASSED_OVER {
            return Ok(());
        }
        self.effects.pass_over(position)
    }

    /// Runs the program once; `told` becomes the first and the last event that it was told of. What it
    /// has acked is committed, however it ends.
    fn run_once(
        &mut self,
        events: Events,
        source: Source,
        whole: bool,
        told: &mut Option<(Position, Position)>,
    ) -> Result<(), Failure> {
        let mut running = Running::start(&self.program)?;
        let Some(input) = running.take_input() else { return Ok(()) };
        let markers = if self.following.markers {
            let from = self.effects.checkpoint().next();
            Some(Markers { from, head: self.effects.store().head()? })
        } else {
            None
        };
        let mut feed = Feed::start(events, source, input, markers)?;
        let mut hearing = Hearing { runner: self, feed: &mut feed, running: &mut running, whole };
        let mut heard = hearing.hear();
        *told = feed.range();
        if let Err(Failure::Program(_)) = &heard
            && let Err(error) = self.commit(&mut running)
        {
            heard = Err(error);
        }
        self.effects.forget();
        drop(feed);
        heard
    }

    fn commit(&mut self, running: &mut Running) -> Result<(), Failure> {
        match self.effects.commit()? {
            Ok(()) => {
                (self.notice)(Notice::Committed { position: self.effects.checkpoint() });
                Ok(())
            }
            Err((line, error)) => Err(running.refused(line, error).into()),
        }
    }
}
