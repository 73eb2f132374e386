//! `ream decide`.

mod once;
mod serve;

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;
use ream::program::{Aggregator, Program, Refusal};
use ream::{Command, DecideError, Decision, Error, EventId, Json, Store, StreamName};

use crate::args::Global;
use crate::environment::Environment;
use crate::payload;
use crate::refused::Refused;
use crate::signals::Signals;
use crate::units;

/// Have an aggregator decide a command, and store what it answers
///
/// Runs PROGRAM, which reads one line of JSON: the stream's version, state and later events, and the
/// command. It answers in lines: {"append":EVENT}, {"state":STATE}, or {"reject":"reason"}. Events and
/// state are stored together, if the stream is still at that version; otherwise the program runs
/// again.
///
/// With --serve one PROGRAM decides all commands that come on standard input, a line each:
/// {"stream":STREAM,"command":COMMAND,"id":KEY}. It ends each answer with {"ack":VERSION} or a reject.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream decide account-1 '{\"deposit\":100}' -- ./account.py
  ream decide account-1 - --id transfer-7 -- ./account.py < command.json
  ream decide account-1 '{\"withdraw\":500}' --dry-run -- ./account.py
  ream decide --serve -- ./account.py < commands.jsonl")]
pub(crate) struct DecideArgs {
    /// The stream that the command is about
    #[arg(value_name = "STREAM", required_unless_present = "serve", conflicts_with = "serve")]
    stream: Option<StreamName>,
    /// The command as JSON, @FILE to read it from FILE, or - to read it from standard input [default: {}]
    #[arg(value_name = "COMMAND", conflicts_with = "serve")]
    command: Option<String>,
    /// The aggregator: a program and its arguments
    #[arg(value_name = "PROGRAM", last = true, required = true, num_args = 1..)]
    program: Vec<OsString>,
    /// Decide the commands that come on standard input, with one program for all
    #[arg(long)]
    serve: bool,
    /// Idempotency key: the same command again gets the first answer
    #[arg(long, value_name = "KEY", conflicts_with = "serve")]
    id: Option<EventId>,
    /// Decide at most N times when other writers are faster
    #[arg(
        long,
        value_name = "N",
        default_value_t = Command::ATTEMPTS,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    attempts: u32,
    /// Give the program TIME to answer
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = units::duration)]
    timeout: Duration,
    /// Show what would be stored, as lines for append --jsonl
    #[arg(long, conflicts_with = "serve")]
    dry_run: bool,
    /// Put correlation_id into the metadata of the events
    #[arg(long, value_name = "ID")]
    correlation: Option<String>,
    /// Put causation_id into the metadata of the events
    #[arg(long, value_name = "ID")]
    causation: Option<String>,
}

impl DecideArgs {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        let command = if self.serve { None } else { Some(self.command()?) };
        let mut store = global.open(environment, &options)?;
        let aggregator = self.aggregator(&store, &signals)?;
        match command {
            Some(command) => {
                once::decide(self, &command, &aggregator, global, &mut store, &signals)?;
            }
            None => serve::decide(self, &aggregator, global, &mut store, &signals)?,
        }
        store.leave();
        Ok(())
    }

    /// The command that the arguments describe.
    fn command(&self) -> anyhow::Result<Command> {
        let Some(stream) = &self.stream else {
            return Err(Refused::Usage("STREAM is needed".into()).into());
        };
        let data = match self.command.as_deref() {
            None => Json::empty_object(),
            Some(text) => {
                payload::json(text, &payload::read(text, payload::MOST_INPUT)?, "COMMAND")?
            }
        };
        let mut command = Command::new(stream.clone(), data);
        command.id.clone_from(&self.id);
        command.attempts = self.attempts;
        Ok(command)
    }

    fn aggregator(&self, store: &Store, signals: &Signals) -> anyhow::Result<Aggregator> {
        let Some((file, args)) = self.program.split_first() else {
            return Err(Refused::Usage("PROGRAM is needed".into()).into());
        };
        let program =
            Program::new(file, args.iter().cloned()).on_store(store).interrupted_by(signals.flag());
        Ok(Aggregator::new(program, self.timeout))
    }

    /// The decision with what the arguments put into the metadata of its events, where an event does
    /// not say it itself.
    fn with_metadata(&self, mut decision: Decision) -> Decision {
        for (key, value) in
            [("correlation_id", &self.correlation), ("causation_id", &self.causation)]
        {
            let Some(value) = value else { continue };
            for event in &mut decision.events {
                let metadata = event.metadata.clone().unwrap_or_else(Json::empty_object);
                if let Some(with) = metadata.with_member(key, value) {
                    event.metadata = Some(with);
                }
            }
        }
        decision
    }
}

/// Why an aggregator gave no decision, as an error of the program.
fn refusal(refusal: Refusal, stream: &StreamName) -> anyhow::Error {
    match refusal {
        Refusal::Rejected(reason) => Refused::Rejected(reason).into(),
        Refusal::Failed(error) => Refused::Undecided { stream: stream.clone(), error }.into(),
        Refusal::TooLarge(error) => error.into(),
        other => anyhow::Error::new(other),
    }
}

/// Why a command was not decided, as an error of the program.
fn undecided(
    args: &DecideArgs,
    error: DecideError<anyhow::Error>,
    stream: &StreamName,
) -> anyhow::Error {
    match error {
        DecideError::Aggregator(error) => error,
        DecideError::Overtaken { attempts, source } => {
            let times = if attempts == 1 { "once".into() } else { format!("{attempts} times") };
            let context =
                format!("other writers were faster, {times}; nothing is stored in `{stream}`");
            anyhow::Error::new(source).context(context)
        }
        DecideError::Store(error) if is_of_the_decision(&error) => {
            let program = args.program.first().map(|file| file.to_string_lossy().into_owned());
            let (program, stream) = (program.unwrap_or_default(), stream.clone());
            Refused::Unfit { program, stream, error }.into()
        }
        DecideError::Store(error) => error.into(),
        other => anyhow::Error::msg(other.to_string()),
    }
}

/// Whether the store refused what the aggregator decided on, and not the command.
fn is_of_the_decision(error: &Error) -> bool {
    matches!(
        error,
        Error::TooLarge { .. }
            | Error::TimeAhead { .. }
            | Error::IdReused { .. }
            | Error::PartlyDuplicate { .. }
    )
}
