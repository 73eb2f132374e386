//! What the commands share that run a program which follows the log.

use std::time::Duration;

use clap::Args;
use ream::program::{FollowError, Following, Notice, ProgramError};
use ream::{Checkpoint, Definition, Error, Position, Projection, Store};

use crate::args::{Format, Global};
use crate::output::{Output, note, warn, with_causes};
use crate::refused::Refused;
use crate::units;

/// How a program is run.
#[derive(Debug, Args)]
pub(crate) struct HowArgs {
    /// Run the program once an event; its exit with 0 acks it, even if the program has not read it
    #[arg(long, conflicts_with = "batch")]
    pub(crate) per_event: bool,
    /// Run the program once for up to N events that are there; its exit with 0 acks them if it has read
    /// all of them
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    batch: Option<usize>,
    /// Start a program that fails again, N times [default: 5]
    #[arg(long, value_name = "N")]
    retries: Option<u32>,
    /// Tell the program from where to which head it is told, and when it has caught up
    #[arg(long)]
    markers: bool,
}

/// How, and for how long.
#[derive(Debug, Args)]
pub(crate) struct FollowingArgs {
    #[command(flatten)]
    pub(crate) how: HowArgs,
    /// End when nothing is left to do
    #[arg(long)]
    until_caught_up: bool,
    /// Wait at most TIME for who runs it already [default: not at all]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    wait: Option<Duration>,
}

/// A number of events.
pub(crate) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a number, 1 or more".into()),
        Ok(number) => Ok(number),
    }
}

impl HowArgs {
    /// How many events the program is run for at once, where that is said.
    pub(crate) fn at_once(&self) -> Option<usize> {
        if self.per_event { Some(1) } else { self.batch }
    }

    /// How the program is run.
    pub(crate) fn following(&self, grace: Option<Duration>) -> Following {
        let mut following = Following::default();
        following.at_once = self.at_once();
        following.per_event = self.per_event;
        following.retries = self.retries.unwrap_or(following.retries);
        following.grace = grace.unwrap_or(following.grace);
        following.markers = self.markers;
        following
    }
}

impl FollowingArgs {
    /// How the program is run.
    pub(crate) fn following(&self, grace: Option<Duration>) -> Following {
        let mut following = self.how.following(grace);
        following.until_caught_up = self.until_caught_up;
        following
    }

    /// That none of this is given, where nothing is run that it is for.
    pub(crate) fn check_unused(&self) -> Result<(), Refused> {
        let Self { how: HowArgs { per_event, batch, retries, markers }, until_caught_up, wait } =
            self;
        let given = [
            ("--until-caught-up", *until_caught_up),
            ("--per-event", *per_event),
            ("--batch", batch.is_some()),
            ("--retries", retries.is_some()),
            ("--wait", wait.is_some()),
            ("--markers", *markers),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((option, _)) => Err(Refused::Usage(format!("{option} needs --as NAME"))),
            None => Ok(()),
        }
    }

    /// How long who runs it already is waited for.
    pub(crate) fn wait(&self) -> Duration {
        self.wait.unwrap_or(MOMENT)
    }
}

/// Has a program be run as a projection remembers.
pub(crate) fn as_remembered(following: &mut Following, definition: &Definition) {
    following.at_once = definition.batch;
    following.per_event = definition.per_event;
}

/// How long is waited for who seems to run something, where nothing is said: a process that was killed may
/// have left a child that has not yet become another program, and keeps the lock until it does.
pub(crate) const MOMENT: Duration = Duration::from_millis(200);

/// What tells that the checkpoint of a projection is no place in the store's log, where it is none: its
/// rows are of events that are not there.
pub(crate) fn mismatch(store: &Store, projection: &Projection) -> Result<Option<Error>, Error> {
    mismatch_of(store, projection.entry().name.as_str(), &projection.checkpoint()?)
}

/// The same of what is called `name`.
pub(crate) fn mismatch_of(
    store: &Store,
    name: &str,
    checkpoint: &Checkpoint,
) -> Result<Option<Error>, Error> {
    match store.check_checkpoint(name, checkpoint) {
        Ok(()) => Ok(None),
        Err(error @ Error::OtherLog { .. }) => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

/// Whether what is called `name` has its place in the store's log, and the place behind which events are
/// to be done. Where it has none, that is warned of; nothing of this log is done then.
pub(crate) fn place(
    store: &Store,
    name: &str,
    checkpoint: &Checkpoint,
    global: &Global,
) -> Result<(Option<&'static str>, Position), Error> {
    match mismatch_of(store, name, checkpoint)? {
        Some(error) => {
            warn(global, &error);
            let Error::OtherLog { reason, .. } = error else { return Err(error) };
            Ok((Some(reason), Position(0)))
        }
        None => Ok((None, checkpoint.position)),
    }
}

/// Projections that are there and can't be read; and why.
#[derive(Debug, Default)]
pub(crate) struct Broken(Vec<(String, String)>);

impl Broken {
    /// Reads of a projection what `read` reads, or notes why that can't be read; which of both, but where
    /// the projection was dropped since it was listed.
    pub(crate) fn try_read<T>(
        &mut self,
        store: &Store,
        name: &str,
        mut read: impl FnMut(&Projection) -> Result<T, Error>,
    ) -> Result<Option<Result<T, String>>, Error> {
        let found = loop {
            match store.projection(name).and_then(|projection| read(&projection)) {
                // Another one serves since it was opened, or none.
                Err(Error::Superseded(_) | Error::Dropped(_)) => {}
                found => break found,
            }
        };
        match found {
            Ok(found) => Ok(Some(Ok(found))),
            Err(Error::ProjectionNotFound { .. }) => Ok(None),
            Err(error) if is_broken(&error) => {
                let why = with_causes(&error);
                self.0.push((name.into(), why.clone()));
                Ok(Some(Err(why)))
            }
            Err(error) => Err(error),
        }
    }

    /// That there was none.
    pub(crate) fn check(self) -> Result<(), Refused> {
        if self.0.is_empty() { Ok(()) } else { Err(Refused::Broken(self.0)) }
    }
}

/// Whether an error says that the projection which is open serves no more.
pub(crate) fn is_ended(error: &anyhow::Error) -> bool {
    let ended = |error: &Error| matches!(error, Error::Superseded(_) | Error::Dropped(_));
    error.chain().any(|cause| cause.downcast_ref().is_some_and(ended))
}

/// Whether an error of a projection is one that it can be made anew from.
pub(crate) fn is_broken(error: &Error) -> bool {
    !matches!(error, Error::ProjectionNotFound { .. } | Error::Interrupted | Error::Replaced { .. })
}

/// Tells how far a projection or a subscription has come.
pub(crate) fn write_reached(
    global: &Global,
    kind: &str,
    name: &str,
    position: Position,
) -> anyhow::Result<()> {
    let output = Output::new(global);
    let shown = match output.format {
        Format::Table if global.quiet => String::new(),
        Format::Table => format!("{name}: at position {position}\n"),
        // Both are plain words.
        _ => format!("{{\"{kind}\":\"{name}\",\"checkpoint\":{position}}}\n"),
    };
    output.done(shown.as_bytes())
}

/// Tells what happens while a program runs.
pub(crate) fn tell(global: &Global, notice: &Notice<'_>) {
    let text = match notice {
        Notice::Again { error, failures, retries, pause } => format!(
            "{error}{}; it is started again in {} s ({failures} of {retries})",
            cause(error),
            pause.as_secs_f64()
        ),
        Notice::NoAck { program, replies: 0 } => format!(
            "`{program}` has been told of events and says nothing: does it flush its output? An ack waits \
             in its buffer otherwise"
        ),
        Notice::NoAck { program, replies } => format!(
            "`{program}` has written {replies} replies without an ack, {{\"ack\":POSITION}}: nothing of \
             them is stored; or its output is buffered, and an ack waits there"
        ),
        _ => return,
    };
    note(global, "warning:", &text);
}

/// Why, in brackets.
fn cause(error: &ProgramError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(String::new, |source| format!(" ({source})"))
}

/// The failure of a run, where it was the store's or the system's in the words of those.
pub(crate) fn failed(error: FollowError) -> anyhow::Error {
    match error {
        FollowError::Store(error) => error.into(),
        FollowError::Program(error) => error.into(),
        error => Refused::Stopped(error).into(),
    }
}
