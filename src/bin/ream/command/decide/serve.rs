//! Commands as they come on standard input, decided by one program.

use std::io;
use std::time::Duration;

use anyhow::Context as _;
use ream::program::{Aggregator, Serving};
use ream::wire::{self, AnyCommand, Lines};
use ream::{DecideError, Decided, Error, EventId, Store, platform};

use super::boundary::{NOWHERE, write_query};
use super::{DecideArgs, in_stream, refusal, undecided};
use crate::args::Global;
use crate::output::{Output, is_closed_output};
use crate::refused::{Refused, invalid};
use crate::signals::Signals;

/// How long a line with a command may be, in bytes.
const LONGEST: usize = 64 * 1024 * 1024;
/// How often is looked whether the program still runs, while no command comes.
const LOOK: Duration = Duration::from_millis(50);

/// Decides commands until no more come.
pub(super) fn decide(
    args: &DecideArgs,
    aggregator: &Aggregator,
    global: &Global,
    store: &mut Store,
    signals: &Signals,
) -> anyhow::Result<()> {
    let mut commands = Commands::new()?;
    let mut output = Output::new(global);
    // From the program's start to its end, or a signal would leave behind what it started.
    let done = signals.hold(|| {
        let mut service = Service { args, serving: aggregator.serve()?, store, decided: 0 };
        let done = service.decide_all(&mut commands, &mut output, signals);
        done.map_err(|error| service.stopped_at(commands.line, error))?;
        anyhow::Ok(service.serving.finish()?)
    });
    done?;
    output.write(output.end())
}

/// What decides, and what it has decided.
struct Service<'s> {
    args: &'s DecideArgs,
    serving: Serving,
    store: &'s mut Store,
    decided: u64,
}

impl Service<'_> {
    /// Decides one command after another, until no more come.
    fn decide_all(
        &mut self,
        commands: &mut Commands,
        output: &mut Output,
        signals: &Signals,
    ) -> anyhow::Result<()> {
        let mut buffer = Vec::new();
        while let Some(command) = commands.next(|| Ok(self.serving.check()?))? {
            let mut answer = Vec::new();
            self.answer(command, &mut answer)?;
            output.record(&mut buffer, &answer);
            output.done(&buffer)?;
            buffer.clear();
            if signals.check().is_err() {
                // So that the program has time to end.
                self.serving.check()?;
            }
        }
        Ok(())
    }

    /// Decides a command, and writes what came of it.
    fn answer(&mut self, command: AnyCommand, line: &mut Vec<u8>) -> anyhow::Result<()> {
        let (args, serving) = (self.args, &mut self.serving);
        let (decided, on) = match command {
            AnyCommand::Stream(mut command) => {
                command.attempts = args.attempts;
                let on = in_stream(&command.stream);
                line.extend_from_slice(b"{\"stream\":");
                wire::write_string(line, command.stream.as_str());
                write_id(line, command.id.as_ref());
                let decided = self.store.decide(&command, |aggregate| {
                    let decision = serving.decide(aggregate, &command);
                    let decision = decision.map_err(|error| refusal(error, &on))?;
                    anyhow::Ok(args.with_metadata(decision))
                });
                if let Ok(decided) = &decided {
                    line.extend_from_slice(b",\"version\":");
                    wire::write_number(line, decided.version.0);
                }
                (decided, on)
            }
            AnyCommand::Boundary(mut command) => {
                command.attempts = args.attempts;
                let on = NOWHERE.to_owned();
                write_query(line, &command.criteria, None);
                write_id(line, command.id.as_ref());
                let decided = self.store.decide_on(&command, |boundary| {
                    let decision = serving.decide_on(boundary, &command);
                    let mut decision = decision.map_err(|error| refusal(error, &on))?;
                    args.put_metadata(&mut decision.events);
                    anyhow::Ok(decision)
                });
                (decided, on)
            }
        };
        match decided {
            Ok(decided) => stored(line, &decided),
            Err(DecideError::Aggregator(error)) => match error.downcast::<Refused>()? {
                Refused::Rejected(reason) => rejected(line, &reason),
                other => return Err(other.into()),
            },
            Err(DecideError::Overtaken { attempts, source }) => conflict(line, attempts, &source),
            Err(DecideError::Store(error @ Error::DecisionIdReused { .. })) => {
                refused(line, &error);
            }
            Err(error) => return Err(undecided(self.args, error, &on)),
        }
        line.push(b'}');
        self.decided += 1;
        Ok(())
    }

    /// Where it stopped, and what was done by then. That nobody hears the answers is no failure.
    fn stopped_at(&self, line: u64, error: anyhow::Error) -> anyhow::Error {
        if is_closed_output(&error) {
            return error;
        }
        let so_far = match self.decided {
            1 => "1 command is answered".into(),
            decided => format!("{decided} commands are answered"),
        };
        let place = if line == 0 { String::new() } else { format!(" at line {line}") };
        error.context(format!("stopped{place}: {so_far}"))
    }
}

/// Writes the id of a command, where it has one.
fn write_id(line: &mut Vec<u8>, id: Option<&EventId>) {
    if let Some(id) = id {
        line.extend_from_slice(b",\"id\":");
        wire::write_string(line, id.as_str());
    }
}

fn stored(line: &mut Vec<u8>, decided: &Decided) {
    line.extend_from_slice(b",\"stored\":[");
    for (index, event) in decided.events.iter().enumerate() {
        if index > 0 {
            line.push(b',');
        }
        event.appended.write(line, &event.stream, event.id.as_ref());
    }
    line.push(b']');
    wire::write_repeated(line, decided.duplicate, decided.removed, false);
}

fn rejected(line: &mut Vec<u8>, reason: &str) {
    line.extend_from_slice(b",\"rejected\":");
    wire::write_string(line, reason);
}

fn refused(line: &mut Vec<u8>, error: &Error) {
    line.extend_from_slice(b",\"error\":");
    wire::write_string(line, &error.to_string());
}

fn conflict(line: &mut Vec<u8>, attempts: u32, conflict: &Error) {
    line.extend_from_slice(b",\"conflict\":");
    wire::write_string(line, &conflict.to_string());
    line.extend_from_slice(b",\"attempts\":");
    wire::write_number(line, attempts.into());
}

/// The commands that come on standard input.
struct Commands {
    lines: Lines<platform::Stdin>,
    /// The number of the line that was read last.
    line: u64,
    ended: bool,
}

impl Commands {
    fn new() -> io::Result<Self> {
        let lines = Lines::new(platform::unbuffered_stdin()?, LONGEST);
        Ok(Self { lines, line: 0, ended: false })
    }

    /// The next command; `while_idle` is asked now and then, while none comes.
    fn next(
        &mut self,
        mut while_idle: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<Option<AnyCommand>> {
        loop {
            while let Some(line) = self.lines.next_whole() {
                self.line += 1;
                if let Some(command) = parse(line, self.line)? {
                    return Ok(Some(command));
                }
            }
            if self.ended {
                return Ok(None);
            }
            while !platform::wait_until_readable(&io::stdin(), LOOK)? {
                while_idle()?;
            }
            let more = match self.lines.fill() {
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    self.line += 1;
                    return Err(invalid(format!("line {}, {error}", self.line)));
                }
                read => read.context("can't read standard input")?,
            };
            if !more {
                self.ended = true;
                self.line += 1;
                return parse(self.lines.rest(), self.line);
            }
        }
    }
}

/// The command on a line; nothing where that is empty.
fn parse(line: &[u8], number: u64) -> anyhow::Result<Option<AnyCommand>> {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let command = wire::parse_command(line);
    command.map(Some).map_err(|error| invalid(format!("line {number}, {error}")))
}
