//! Hears one run of a program: takes its replies, and commits what it acks.

use std::time::{Duration, Instant};

use super::{Effects, Failure, Notice, Runner};
use crate::event::Position;
use crate::program::feed::{Feed, FeedError};
use crate::program::running::{Heard, Running};
use crate::program::{LONGEST, ProgramError};
use crate::wait::{self, Deadline};
use crate::wire::{Defaults, Reply, parse_reply};

/// How long an ack waits for others to be committed with, while replies come.
const TOGETHER: Duration = Duration::from_millis(50);
/// How long it waits for the next while events are with the program.
const MOMENT: Duration = Duration::from_millis(1);
/// How many acks are committed together.
const ACKS: usize = 1000;
/// How many bytes of replies are committed together, if they are acked.
const BYTES: usize = 8 * 1024 * 1024;
/// How long a program is silent, and how much it says, before its buffer is suspected.
const SILENT: (Duration, u64) = (Duration::from_secs(2), 1000);
/// How long nothing comes before the time is used to tidy up.
const QUIET: Duration = Duration::from_secs(1);

/// Hears one run of a program.
pub(super) struct Hearing<'h, 'r, E> {
    pub(super) runner: &'h mut Runner<'r, E>,
    pub(super) feed: &'h mut Feed,
    pub(super) running: &'h mut Running,
    /// Whether the program is run for so many events, so that nothing need be heard before its end.
    pub(super) whole: bool,
}

/// What has been heard since something.
struct Since {
    /// The last ack, or the last time when there was nothing to ack.
    ack: Instant,
    replies: u64,
    bytes: usize,
    /// Whether a silence was told.
    told: bool,
    /// The first ack that is not committed, and how many there are.
    due: Option<(Instant, usize)>,
    /// When something was last committed, if nothing was tidied up since.
    commit: Option<Instant>,
    /// Until when the program has to end.
    ending: Option<Deadline>,
}

impl<E: Effects> Hearing<'_, '_, E> {
    /// Hears the program to its end.
    pub(super) fn hear(&mut self) -> Result<(), Failure> {
        match self.hear_all() {
            // Whatever it made of a part of its input.
            Err(Failure::Program(error)) if !matches!(error, ProgramError::Interrupted) => {
                self.check_feed()?;
                Err(error.into())
            }
            heard => heard,
        }
    }

    fn hear_all(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        let mut since = Since {
            ack: now,
            replies: 0,
            bytes: 0,
            told: self.whole,
            due: None,
            commit: Some(now),
            ending: None,
        };
        loop {
            match self.running.hear()? {
                Heard::Line(number) => self.take(number, &mut since)?,
                Heard::Nothing => match since.due {
                    // A commit costs more than a moment; what was told is answered soon.
                    Some((first, _))
                        if first.elapsed() < MOMENT && self.feed.unacked().is_some() =>
                    {
                        self.running.wait_for_words(MOMENT)?;
                    }
                    Some(_) => self.commit(&mut since)?,
                    None => self.wait(&mut since)?,
                },
                Heard::End => {
                    if since.due.is_some() {
                        self.commit(&mut since)?;
                    }
                    return self.end(&mut since);
                }
            }
            if let Some((first, acks)) = since.due
                && (acks >= ACKS || since.bytes > BYTES || first.elapsed() >= TOGETHER)
            {
                self.commit(&mut since)?;
            }
        }
    }

    /// Takes the line that was heard last.
    fn take(&mut self, number: u64, since: &mut Since) -> Result<(), Failure> {
        let line = self.running.text();
        since.replies += 1;
        since.bytes += line.len();
        let (feed, effects) = (&*self.feed, &mut self.runner.effects);
        let taken = match parse_reply(line, &Defaults::default()) {
            Err(error) => Err(error.to_string()),
            Ok(Reply::Ack(position)) => match feed.ack(Position(position)) {
                Ok(acked) => {
                    effects.done(acked)?;
                    let now = Instant::now();
                    let (first, acks) = since.due.unwrap_or((now, 0));
                    (since.due, since.ack, since.replies) = (Some((first, acks + 1)), now, 0);
                    Ok(())
                }
                Err(reason) => Err(reason),
            },
            Ok(reply) => effects.take(reply, number),
        };
        if let Err(reason) = taken {
            return Err(self.running.wrong_reply(number, reason).into());
        }
        if since.due.is_none() && since.bytes > LONGEST {
            return Err(self.running.no_ack(LONGEST).into());
        }
        if since.replies > SILENT.1 {
            self.tell_silence(since);
        }
        Ok(())
    }

    fn commit(&mut self, since: &mut Since) -> Result<(), Failure> {
        since.due = None;
        since.bytes = 0;
        self.runner.commit(self.running)?;
        since.commit = Some(Instant::now());
        Ok(())
    }

    fn wait(&mut self, since: &mut Since) -> Result<(), Failure> {
        self.check_feed()?;
        if self.is_over(since) {
            return Err(ProgramError::Interrupted.into());
        }
        self.runner.effects.look()?;
        if self.feed.unacked().is_none() {
            since.ack = Instant::now();
            self.pass_over()?;
        } else if since.ack.elapsed() >= SILENT.0 && !self.running.is_in_a_line() {
            self.tell_silence(since);
        }
        if since.commit.is_some_and(|commit| commit.elapsed() >= QUIET) {
            self.runner.effects.rest()?;
            since.commit = None;
        }
        Ok(self.running.wait_for_words(wait::INTERRUPTED)?)
    }

    /// Whether we are interrupted, and the program's time to end is over. It hears no more.
    fn is_over(&mut self, since: &mut Since) -> bool {
        if !self.running.is_interrupted() {
            return false;
        }
        let ending = since.ending.get_or_insert_with(|| {
            self.running.ask_to_end();
            self.feed.end_input();
            Deadline::after(self.runner.following.grace)
        });
        ending.is_over()
    }

    fn tell_silence(&mut self, since: &mut Since) {
        if !std::mem::replace(&mut since.told, true) {
            let (program, replies) = (self.running.name(), since.replies);
            (self.runner.notice)(Notice::NoAck { program, replies });
        }
    }

    /// That all goes into the program that should.
    fn check_feed(&self) -> Result<(), Failure> {
        match self.feed.take_error() {
            None => Ok(()),
            Some(FeedError::Store(error)) => Err(error.into()),
            Some(FeedError::Stdin(source)) => Err(self.running.unwritable(source).into()),
        }
    }

    /// The program's output has ended: so does the program, and with 0 acks what it has read to the end.
    fn end(&mut self, since: &mut Since) -> Result<(), Failure> {
        while !self.running.has_ended(wait::INTERRUPTED)? && !self.is_over(since) {}
        let finished = self.running.ends_well();
        if self.running.is_interrupted() {
            // It may have ended in any way.
            return Err(ProgramError::Interrupted.into());
        }
        self.feed.finish();
        self.check_feed()?;
        finished?;
        let unacked = self.feed.unacked();
        if !self.acks_by_its_end(unacked.is_some())? {
            return Err(self.running.early_end().into());
        }
        // It was told and is not acked, so that this is an ack like any.
        if let Some(Ok(acked)) = unacked.map(|last| self.feed.ack(last)) {
            self.runner.effects.done(acked)?;
        }
        self.runner.commit(self.running)?;
        self.pass_over()?;
        Ok(self.runner.effects.rest()?)
    }

    /// Where all that was told is committed, it is done with what lies behind that, too.
    fn pass_over(&mut self) -> Result<(), Failure> {
        match self.feed.done_up_to() {
            Some(position) => Ok(self.runner.pass_over(position)?),
            None => Ok(()),
        }
    }

    /// Whether the program's end with 0 acks what it was told and has not acked, if there is something:
    /// it was told all that there is, and has read that to the end, or its end is to say so by itself.
    fn acks_by_its_end(&self, is_any: bool) -> Result<bool, Failure> {
        if self.runner.following.per_event {
            return Ok(true);
        }
        if !is_any || !self.feed.told_all() {
            return Ok(self.feed.told_all());
        }
        self.feed.was_read().map_err(|source| self.running.unseen(source).into())
    }
}
