//! `ream read`, and the choice of events that `ream tail` shares.

use std::io::{self, IsTerminal as _};

use clap::Args;
use ream::{
    Error, EventType, Mark, NewSubscription, Pattern, Position, Query, Store, SubscriptionName,
    Timestamp, Until,
};

use crate::args::Global;
use crate::environment::Environment;
use crate::hint::quote;
use crate::output::{Outlet, Output, note};
use crate::refused::Refused;
use crate::units;

/// Read the events that are there
///
/// Reads events in the order of their positions, from the first on, or from where the options say, and ends.
/// Without a pattern it reads all streams.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream read                          all events
  ream read order-42                 one stream
  ream read 'order-*' --type OrderPaid --since 1d
  ream read order-42 --after @3      what follows version 3
  ream read -n 10                    the last ten")]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    choice: Choice,
}

/// Which events.
#[derive(Debug, Args)]
pub(crate) struct Choice {
    /// Streams to read; `*` stands for any characters: 'order-*'
    #[arg(value_name = "PATTERN")]
    patterns: Vec<Pattern>,
    /// Only what follows POS: a position, or @N for a version of the one stream read
    #[arg(long, value_name = "POS")]
    after: Option<Mark>,
    /// Only POS and what follows it
    #[arg(long, value_name = "POS", conflicts_with = "after")]
    from: Option<Mark>,
    /// Only what comes up to POS, or has a time up to TIME, inclusive
    #[arg(long, value_name = "POS|TIME")]
    until: Option<Until>,
    /// Only what has a time since TIME, or so long ago: 10m
    #[arg(long, value_name = "TIME", value_parser = units::time_or_ago)]
    since: Option<Timestamp>,
    /// Only the last N of the events that are there
    #[arg(short = 'n', long = "last", value_name = "N")]
    last: Option<u64>,
    /// At most N events
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Only events of type T; may be given several times
    #[arg(long = "type", value_name = "T")]
    types: Vec<EventType>,
}

impl Choice {
    pub(crate) fn query(&self) -> Query {
        let mut query = Query::of(self.patterns.clone());
        query.types.clone_from(&self.types);
        query.after = self.after.or(self.from.map(Mark::before));
        match self.until {
            Some(Until::Mark(mark)) => query.until = Some(mark),
            Some(Until::Time(time)) => query.until_time = Some(time),
            None => {}
        }
        query.since = self.since;
        query.last = self.last;
        query.limit = self.limit;
        query
    }

    /// What a subscription `name` follows, and where it begins where that is said; and up to where it goes.
    pub(crate) fn followed(
        &self,
        name: SubscriptionName,
    ) -> anyhow::Result<(NewSubscription, Option<Position>, Option<Position>)> {
        let place = |mark: Mark| match mark {
            Mark::Position(position) => Ok(position),
            Mark::Version(_) => Err(Refused::Usage("with --as a place is a position".into())),
        };
        let others = [
            ("--since", self.since.is_some()),
            ("--last", self.last.is_some()),
            ("--limit", self.limit.is_some()),
            ("--until TIME", matches!(self.until, Some(Until::Time(_)))),
        ];
        if let Some((option, _)) = others.iter().find(|(_, given)| *given) {
            let message =
                format!("{option} does not go with --as: a subscription goes on where it is");
            return Err(Refused::Usage(message).into());
        }
        let new =
            NewSubscription { name, patterns: self.patterns.clone(), types: self.types.clone() };
        let start = self.after.or(self.from.map(Mark::before)).map(place).transpose()?;
        let until = match self.until {
            Some(Until::Mark(mark)) => Some(place(mark)?),
            _ => None,
        };
        Ok((new, start, until))
    }

    /// The error in the words of who asked: the store knows `--from N` as what follows N - 1.
    pub(crate) fn as_asked(&self, error: Error) -> Error {
        match error {
            Error::BeyondHead { position, head } if self.from.is_some() => {
                Error::BeyondHead { position: position.next(), head }
            }
            Error::BeyondStream { stream, version, actual } if self.from.is_some() => {
                Error::BeyondStream { stream, version: version.next(), actual }
            }
            error => error,
        }
    }

    /// Tells a person that a stream read by name holds nothing.
    pub(crate) fn note_empty(&self, global: &Global, store: &Store) {
        let [pattern] = &self.patterns[..] else { return };
        if !io::stderr().is_terminal() || pattern.exact().is_none() {
            return;
        }
        if store.stream(pattern.as_str()).is_err() {
            let wider = quote(format!("{pattern}-*"));
            note(global, "note:", &format!("no stream \"{pattern}\"; try {wider}"));
        }
    }
}

impl ReadArgs {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let store = global.open(environment, &global.options(environment))?;
        let mut reader =
            store.read(&self.choice.query()).map_err(|error| self.choice.as_asked(error))?;
        let mut output = Output::new(global);
        let mut outlet = Outlet::new(&output);
        let mut buffer = Vec::new();
        let mut empty = true;
        loop {
            let batch = reader.next_batch(|event| output.event(&mut buffer, event, store.id()))?;
            empty &= batch.events == 0;
            if batch.caught_up {
                break;
            }
            buffer = match outlet.send(buffer) {
                Some(spare) => spare,
                None => return outlet.finish(Vec::new()),
            };
        }
        if empty {
            self.choice.note_empty(global, &store);
        }
        buffer.extend_from_slice(output.end());
        outlet.finish(buffer)
    }
}
