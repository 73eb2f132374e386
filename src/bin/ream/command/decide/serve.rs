//! Commands as they come on standard input, decided by one program.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use ream::program::{Aggregator, Refusal, Serving};
use ream::wire::{self, Lines};
use ream::{Command, DecideError, Decided, Error, Store};

use super::{DecideArgs, refusal, undecided};
use crate::args::Global;
use crate::command::acknowledgement::{write_acknowledgement, write_repeated};
use crate::output::{Output, warn_of};
use crate::refused::{Refused, invalid};
use crate::signals::Signals;

/// How many commands wait to be decided.
const WAITING: usize = 64;
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
    let mut service = Service { args, serving: aggregator.serve()?, store, decided: 0 };
    let commands = read_commands();
    let mut output = Output::new(global);
    let mut buffer = Vec::new();
    let done = signals.hold(|| {
        loop {
            match commands.recv_timeout(LOOK) {
                Ok(Arrived::Command(line, command)) => {
                    let mut answer = Vec::new();
                    let answered = service.answer(command, &mut answer);
                    answered.map_err(|error| service.stopped_at(line, error))?;
                    output.record(&mut buffer, &answer);
                    output.write(&buffer)?;
                    buffer.clear();
                }
                Ok(Arrived::Bad(line, reason)) => {
                    let bad = invalid(format!("line {line}, {reason}"));
                    return Err(service.stopped_at(line, bad));
                }
                Ok(Arrived::Failed(error)) => {
                    return Err(anyhow::Error::new(error).context("can't read standard input"));
                }
                Err(RecvTimeoutError::Timeout) => service.serving.check()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            signals.check()?;
        }
    });
    warn_of(global, service.store);
    done?;
    signals.hold(|| service.serving.finish())?;
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
    /// Decides a command, and writes what came of it.
    fn answer(&mut self, mut command: Command, line: &mut Vec<u8>) -> anyhow::Result<()> {
        command.attempts = self.args.attempts;
        let (args, serving, stream) = (self.args, &mut self.serving, &command.stream);
        let decided = self.store.decide(&command, |aggregate| {
            let decision = serving.decide(aggregate, &command);
            args.with_metadata(decision.map_err(|error| match error {
                Refusal::Rejected(reason) => Refused::Rejected(reason).into(),
                other => refusal(other, stream),
            })?)
        });
        begin(line, &command);
        match decided {
            Ok(decided) => stored(line, &command, &decided, self.store.id()),
            Err(DecideError::Aggregator(error)) => match error.downcast::<Refused>()? {
                Refused::Rejected(reason) => rejected(line, &reason),
                other => return Err(other.into()),
            },
            Err(DecideError::Overtaken { attempts, source }) => conflict(line, attempts, &source),
            Err(error) => return Err(undecided(error, stream)),
        }
        line.push(b'}');
        self.decided += 1;
        Ok(())
    }

    /// Where it stopped, and what was done by then.
    fn stopped_at(&self, line: u64, error: anyhow::Error) -> anyhow::Error {
        let so_far = match self.decided {
            1 => "1 command is answered".into(),
            decided => format!("{decided} commands are answered"),
        };
        error.context(format!("stopped at line {line}: {so_far}"))
    }
}

/// Writes what each answer begins with.
fn begin(line: &mut Vec<u8>, command: &Command) {
    line.extend_from_slice(b"{\"stream\":");
    wire::write_string(line, command.stream.as_str());
    if let Some(id) = &command.id {
        line.extend_from_slice(b",\"id\":");
        wire::write_string(line, id.as_str());
    }
}

fn stored(line: &mut Vec<u8>, command: &Command, decided: &Decided, store_id: &str) {
    line.extend_from_slice(b",\"version\":");
    wire::write_number(line, decided.version.0);
    line.extend_from_slice(b",\"stored\":[");
    for (index, event) in decided.events.iter().enumerate() {
        if index > 0 {
            line.push(b',');
        }
        let (id, appended) = (event.id.as_ref(), &event.appended);
        write_acknowledgement(line, &command.stream, id, appended, store_id);
    }
    line.push(b']');
    write_repeated(line, decided.duplicate, decided.removed);
}

fn rejected(line: &mut Vec<u8>, reason: &str) {
    line.extend_from_slice(b",\"rejected\":");
    wire::write_string(line, reason);
}

fn conflict(line: &mut Vec<u8>, attempts: u32, conflict: &Error) {
    line.extend_from_slice(b",\"conflict\":");
    wire::write_string(line, &conflict.to_string());
    line.extend_from_slice(b",\"attempts\":");
    wire::write_number(line, attempts.into());
}

/// What comes on standard input: a command, with the number of its line.
enum Arrived {
    Command(u64, Command),
    /// A line that is no command, and why.
    Bad(u64, String),
    Failed(io::Error),
}

/// Reads commands on a thread of its own.
fn read_commands() -> Receiver<Arrived> {
    let (sender, receiver) = mpsc::sync_channel(WAITING);
    thread::spawn(move || {
        if let Err(last) = read_all(&sender) {
            // Who has ended hears nothing more.
            let _ = sender.send(last);
        }
    });
    receiver
}

/// Sends each command; what stands against going on is the error.
fn read_all(sender: &SyncSender<Arrived>) -> Result<(), Arrived> {
    let mut lines = Lines::new(io::stdin(), LONGEST);
    let mut number = 0;
    let mut take = |line: &[u8]| {
        number += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(true);
        }
        let command = wire::parse_command(line);
        let command = command.map_err(|error| Arrived::Bad(number, error.to_string()))?;
        Ok(sender.send(Arrived::Command(number, command)).is_ok())
    };
    while lines.fill().map_err(Arrived::Failed)? {
        while let Some(line) = lines.next_whole() {
            if !take(line)? {
                return Ok(());
            }
        }
    }
    take(lines.rest()).map(|_| ())
}
