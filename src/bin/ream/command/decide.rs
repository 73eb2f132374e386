//! `ream decide`.

mod boundary;
mod once;
mod serve;

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;
use ream::program::{Aggregator, Program, Refusal};
use ream::wire::AnyCommand;
use ream::{
    BoundaryCommand, Command, Criteria, Criterion, DecideError, Decided, DecidedEvent, Decision,
    Error, EventId, EventType, Json, NewEvent, Store, StreamName, Tags,
};

use super::acknowledgement::write_readable;
use crate::args::{Format, Global};
use crate::criteria::{self, one_tag};
use crate::environment::Environment;
use crate::output::Output;
use crate::payload;
use crate::refused::{Refused, invalid};
use crate::signals::Signals;
use crate::units;

/// Have an aggregator decide a command, and store what it answers
///
/// Runs PROGRAM, which reads one line of JSON: the stream's version, state and later events, and the
/// command. It answers in lines: {"append":EVENT}, {"state":STATE}, or {"reject":"reason"}. Events and
/// state are stored together, if the stream is still at that version; otherwise the program runs
/// again.
///
/// With --query, --tag or --type the decision is made on events of whatever streams instead: the line has the query,
/// the head, and all events that are chosen up to there. The program answers with events, each with its stream. They are
/// stored if no other event that is chosen has come since.
///
/// With --serve one PROGRAM decides all commands that come on standard input, a line each:
/// {"stream":STREAM,"command":COMMAND,"id":KEY}, or with "query" in the place of the stream. It ends each answer with
/// {"ack":VERSION}, or {"ack":HEAD}, or a reject.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream decide account-1 '{\"deposit\":100}' -- ./account.py
  ream decide account-1 - --id transfer-7 -- ./account.py < command.json
  ream decide account-1 '{\"withdraw\":500}' --dry-run -- ./account.py
  ream decide --tag course:c1 '{\"subscribe\":\"s7\"}' -- ./course.py
  ream decide --serve -- ./account.py < commands.jsonl")]
pub(crate) struct DecideArgs {
    /// The stream that the command is about; with --query, --tag or --type the command stands in its place
    #[arg(value_name = "STREAM", conflicts_with = "serve")]
    stream: Option<String>,
    /// The command as JSON, @FILE to read it from FILE, or - to read it from standard input [default: {}]
    #[arg(value_name = "COMMAND", conflicts_with = "serve")]
    command: Option<String>,
    /// The aggregator: a program and its arguments
    #[arg(value_name = "PROGRAM", last = true, required = true, num_args = 1..)]
    program: Vec<OsString>,
    /// Decide on the events that QUERY chooses: type=T, tag=T and stream=PATTERN, JSON of several such items, or @FILE
    #[arg(long, value_name = "QUERY", conflicts_with_all = ["types", "tags", "serve"])]
    query: Option<String>,
    /// Decide on the events with the tag T; of several, with all of them
    #[arg(long = "tag", value_name = "T", value_parser = one_tag, conflicts_with = "serve")]
    tags: Vec<String>,
    /// Decide on the events of type T; may be given several times
    #[arg(long = "type", value_name = "T", conflicts_with = "serve")]
    types: Vec<EventType>,
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
            Some(AnyCommand::Stream(command)) => {
                once::decide(self, &command, &aggregator, global, &mut store, &signals)?;
            }
            Some(AnyCommand::Boundary(command)) => {
                boundary::decide(self, &command, &aggregator, global, &mut store, &signals)?;
            }
            None => serve::decide(self, &aggregator, global, &mut store, &signals)?,
        }
        store.leave();
        Ok(())
    }

    /// The command that the arguments describe.
    fn command(&self) -> anyhow::Result<AnyCommand> {
        let (id, attempts) = (self.id.clone(), self.attempts);
        if let Some(criteria) = self.criteria()? {
            if self.command.is_some() {
                let message = "a command is about STREAM or about a query, not both";
                return Err(Refused::Usage(message.into()).into());
            }
            let mut command =
                BoundaryCommand::new(criteria, data(self.stream.as_deref(), "STREAM")?);
            (command.id, command.attempts) = (id, attempts);
            return Ok(AnyCommand::Boundary(command));
        }
        let Some(stream) = &self.stream else {
            let message = "STREAM is needed, or --query, --tag or --type";
            return Err(Refused::Usage(message.into()).into());
        };
        if stream.starts_with(['{', '[']) {
            let message = "a command needs the STREAM that it is about before it, or --query, --tag or --type";
            return Err(Refused::Usage(message.into()).into());
        }
        let stream = StreamName::new(&**stream);
        let stream = stream.map_err(|error| invalid(format!("STREAM can't be used: {error}")))?;
        let mut command = Command::new(stream, data(self.command.as_deref(), "COMMAND")?);
        (command.id, command.attempts) = (id, attempts);
        Ok(AnyCommand::Stream(command))
    }

    /// What is decided on, where that is no stream.
    fn criteria(&self) -> anyhow::Result<Option<Criteria>> {
        if let Some(query) = &self.query {
            return criteria::query(query, "--query").map(Some);
        }
        let item = Criterion {
            types: self.types.clone(),
            tags: Tags::new(&self.tags).map_err(|error| invalid(error.to_string()))?,
            streams: Vec::new(),
        };
        Ok((!item.is_empty()).then(|| Criteria::of(item)))
    }

    fn aggregator(&self, store: &Store, signals: &Signals) -> anyhow::Result<Aggregator> {
        let Some((file, args)) = self.program.split_first() else {
            return Err(Refused::Usage("PROGRAM is needed".into()).into());
        };
        let program =
            Program::new(file, args.iter().cloned()).on_store(store).interrupted_by(signals.flag());
        Ok(Aggregator::new(program, self.timeout))
    }

    /// The decision with what the arguments put into the metadata of its events.
    fn with_metadata(&self, mut decision: Decision) -> Decision {
        self.put_metadata(&mut decision.events);
        decision
    }

    /// Puts what the arguments say into the metadata of events, where an event does not say it itself.
    fn put_metadata(&self, events: &mut [NewEvent]) {
        for (key, value) in
            [("correlation_id", &self.correlation), ("causation_id", &self.causation)]
        {
            let Some(value) = value else { continue };
            for event in &mut *events {
                let metadata = event.metadata.clone().unwrap_or_else(Json::empty_object);
                if let Some(with) = metadata.with_member(key, value) {
                    event.metadata = Some(with);
                }
            }
        }
    }
}

/// The data of a command, as the command line gives it in the place of an argument.
fn data(argument: Option<&str>, place: &str) -> anyhow::Result<Json> {
    let Some(text) = argument else { return Ok(Json::empty_object()) };
    let given = payload::read(text, payload::MOST_INPUT)?;
    if place == "COMMAND" {
        return payload::json(text, &given, place);
    }
    Json::parse_bytes(&given).map_err(|error| {
        let message = format!("COMMAND is not valid JSON: {error}");
        Refused::Invalid { message, hint: payload::with_quotes_back(text, place) }.into()
    })
}

/// Where nothing is stored, in words.
fn in_stream(stream: &StreamName) -> String {
    format!("in `{stream}`")
}

/// Tells where each event of a decision stands.
fn tell_events(buffer: &mut Vec<u8>, decided: &Decided, output: &mut Output) {
    for DecidedEvent { stream, appended, id, .. } in &decided.events {
        if output.format == Format::Table {
            write_readable(buffer, stream, appended);
            continue;
        }
        let mut line = Vec::new();
        appended.write(&mut line, stream, id.as_ref());
        output.record(buffer, &line);
    }
}

/// Why an aggregator gave no decision, as an error of the program.
fn refusal(refusal: Refusal, on: &str) -> anyhow::Error {
    match refusal {
        Refusal::Rejected(reason) => Refused::Rejected(reason).into(),
        Refusal::Failed(error) => Refused::Undecided { on: on.into(), error }.into(),
        Refusal::TooLarge(error) => error.into(),
        other => anyhow::Error::new(other),
    }
}

/// Why a command was not decided, as an error of the program.
fn undecided(args: &DecideArgs, error: DecideError<anyhow::Error>, on: &str) -> anyhow::Error {
    match error {
        DecideError::Aggregator(error) => error,
        DecideError::Overtaken { attempts, source } => {
            let times = if attempts == 1 { "once".into() } else { format!("{attempts} times") };
            let context = format!("other writers were faster, {times}; nothing is stored {on}");
            anyhow::Error::new(source).context(context)
        }
        DecideError::Store(error) if is_of_the_decision(&error) => {
            let program = args.program.first().map(|file| file.to_string_lossy().into_owned());
            let program = program.unwrap_or_default();
            Refused::Unfit { program, on: on.into(), error: Box::new(error) }.into()
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
