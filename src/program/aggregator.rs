//! Aggregators that are programs: told of a stream and a command, they answer with a decision.

use std::time::Duration;

use super::answer::{Answer, AnswerOn, Answering, Said};
use super::running::Running;
use super::{LONGEST, Program, ProgramError};
use crate::event::{BoundaryCommand, Command, Data, Event, Json};
use crate::store::{Aggregate, Boundary, BoundaryDecision, Decision, Error};
use crate::wait::Deadline;
use crate::wire;

/// Why a program gave no decision.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It rejected the command, for this reason.
    #[error("{0}")]
    Rejected(String),
    /// It failed.
    #[error(transparent)]
    Failed(#[from] ProgramError),
    /// It can't be told of so much.
    #[error(transparent)]
    TooLarge(Error),
}

/// A program that decides.
///
/// It reads a line `{"stream","version","state","state_version","events","command"}` and answers
/// with replies: `append`, `state`, and at the end `ack` or `reject`. Run once, its end is the end of
/// its answer, and exit code 0 an `ack`, if it has answered anything or read the line to its end.
///
/// ```no_run
/// use std::time::Duration;
///
/// use ream::program::{Aggregator, Program};
/// use ream::{Command, Json, Options, Store};
///
/// let mut store = Store::open("shop".as_ref(), &Options::default())?;
/// let program = Program::new("./account.py", []);
/// let aggregator = Aggregator::new(program, Duration::from_secs(30));
/// let command = Command::new("account-1".parse()?, Json::parse(r#"{"withdraw":50}"#)?);
/// let decided = store.decide(&command, |aggregate| aggregator.decide(aggregate, &command))?;
/// println!("account-1 is at version {}", decided.version);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Aggregator {
    program: Program,
    timeout: Duration,
}

impl Aggregator {
    /// A program that takes at most `timeout` to decide.
    #[must_use]
    pub fn new(program: Program, timeout: Duration) -> Self {
        Self { program, timeout }
    }

    /// Runs the program once.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    pub fn decide(&self, aggregate: &Aggregate, command: &Command) -> Result<Decision, Refusal> {
        self.ask(&line(aggregate, command)?, Answer::new(aggregate))
    }

    /// The same of a command on a boundary: the program reads a line `{"query","head","events","command"}`, and
    /// answers with `append`, with the stream of each event, and at the end `ack` with the head, or `reject`.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    pub fn decide_on(
        &self,
        boundary: &Boundary,
        command: &BoundaryCommand,
    ) -> Result<BoundaryDecision, Refusal> {
        self.ask(&line_on(boundary, command)?, AnswerOn::new(boundary))
    }

    fn ask<A: Answering>(&self, line: &[u8], answer: A) -> Result<A::Decision, Refusal> {
        let deadline = Deadline::after(self.timeout);
        let mut running = Running::start(&self.program)?;
        running.tell(line)?;
        running.end_input()?;
        let (said, answer) = hear(&mut running, answer, deadline)?;
        running.finish_silently("a reply behind the end of the answer", deadline)?;
        match said {
            Said::Rejected(reason) => Err(Refusal::Rejected(reason)),
            Said::Accepted => Ok(answer.decision()),
            Said::More => {
                // An exit with 0 alone accepts a command that was read, and no other.
                if answer.is_empty() {
                    running.check_read()?;
                }
                Ok(answer.decision())
            }
        }
    }

    /// Starts the program to decide one command after another.
    ///
    /// # Errors
    ///
    /// Where it can't be started.
    pub fn serve(&self) -> Result<Serving, ProgramError> {
        Ok(Serving { running: Running::start(&self.program)?, timeout: self.timeout })
    }
}

/// A program that runs, and decides one command after another.
pub struct Serving {
    running: Running,
    timeout: Duration,
}

impl Serving {
    /// Has the program decide a command. After a failure it can't decide another one.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    pub fn decide(
        &mut self,
        aggregate: &Aggregate,
        command: &Command,
    ) -> Result<Decision, Refusal> {
        self.ask(&line(aggregate, command)?, Answer::new(aggregate))
    }

    /// The same of a command on a boundary.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    pub fn decide_on(
        &mut self,
        boundary: &Boundary,
        command: &BoundaryCommand,
    ) -> Result<BoundaryDecision, Refusal> {
        self.ask(&line_on(boundary, command)?, AnswerOn::new(boundary))
    }

    fn ask<A: Answering>(&mut self, line: &[u8], answer: A) -> Result<A::Decision, Refusal> {
        let deadline = Deadline::after(self.timeout);
        self.running.tell(line)?;
        match hear(&mut self.running, answer, deadline)? {
            (Said::Accepted, answer) => Ok(answer.decision()),
            (Said::Rejected(reason), _) => Err(Refusal::Rejected(reason)),
            (Said::More, _) => Err(self.running.ended_early(deadline).into()),
        }
    }

    /// That the program still runs, and says nothing that it was not asked for.
    ///
    /// # Errors
    ///
    /// [`ProgramError`].
    pub fn check(&mut self) -> Result<(), ProgramError> {
        self.running.check_idle(Deadline::after(self.timeout))
    }

    /// Ends the program's input, and waits until it ends.
    ///
    /// # Errors
    ///
    /// Where it fails at last, or does not end.
    pub fn finish(mut self) -> Result<(), ProgramError> {
        self.running.finish_silently("a reply to no command", Deadline::after(self.timeout))
    }
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serving").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// Hears a program's answer up to its end, or that of its output.
fn hear<A: Answering>(
    running: &mut Running,
    mut answer: A,
    deadline: Deadline,
) -> Result<(Said, A), ProgramError> {
    let mut bytes = 0;
    while let Some(number) = running.next_line(deadline)? {
        bytes += running.text().len();
        if bytes > LONGEST {
            return Err(running.too_long());
        }
        match answer.take(running.text()) {
            Ok(Said::More) => {}
            Ok(said) => return Ok((said, answer)),
            Err(reason) => return Err(running.bad_reply(number, reason, deadline)),
        }
    }
    Ok((Said::More, answer))
}

/// What a program is told.
fn line(aggregate: &Aggregate, command: &Command) -> Result<Vec<u8>, Refusal> {
    let mut line = b"{\"stream\":".to_vec();
    wire::write_string(&mut line, aggregate.stream.as_str());
    line.extend_from_slice(b",\"version\":");
    wire::write_number(&mut line, aggregate.version.0);
    match &aggregate.state {
        Some(state) => wire::write_payload(&mut line, "state", Data::borrow(state)),
        None => line.extend_from_slice(b",\"state\":null"),
    }
    line.extend_from_slice(b",\"state_version\":");
    wire::write_number(&mut line, aggregate.state_version.0);
    end_line(&mut line, &aggregate.events, &command.data);
    if line.len() > LONGEST {
        let (stream, state_version) = (aggregate.stream.to_string(), aggregate.state_version);
        let max = LONGEST;
        return Err(Refusal::TooLarge(Error::AggregateTooLarge { stream, state_version, max }));
    }
    Ok(line)
}

/// The same of a boundary.
fn line_on(boundary: &Boundary, command: &BoundaryCommand) -> Result<Vec<u8>, Refusal> {
    let mut line = b"{\"query\":".to_vec();
    wire::write_query(&mut line, &boundary.criteria);
    line.extend_from_slice(b",\"head\":");
    wire::write_number(&mut line, boundary.head.position.0);
    end_line(&mut line, &boundary.events, &command.data);
    if line.len() > LONGEST {
        let (query, max) = (wire::query_text(&boundary.criteria), LONGEST);
        return Err(Refusal::TooLarge(Error::BoundaryTooLarge { query, max }));
    }
    Ok(line)
}

/// Writes the events and the command, with which the line ends.
fn end_line(line: &mut Vec<u8>, events: &[Event], command: &Json) {
    line.extend_from_slice(b",\"events\":[");
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            line.push(b',');
        }
        wire::write_event(line, &event.borrow());
        // An event's line has an end.
        line.pop();
    }
    line.extend_from_slice(b"],\"command\":");
    line.extend_from_slice(command.as_str().as_bytes());
    line.extend_from_slice(b"}\n");
}
