//! `ream read`, and the choice of events that `ream tail` shares.

use std::io::{self, IsTerminal as _};

use crate::args::{Format, Global};
use crate::criteria::{self, one_tag};
use crate::environment::Environment;
use crate::hint::quote;
use crate::output::{Outlet, Output, note};
use crate::refused::{Refused, invalid};
use crate::units;
use clap::Args;
use ream::{
    Criteria, Criterion, Error, EventType, Mark, NewSubscription, Pattern, Position, Query, Store,
    SubscriptionName, Tags, Timestamp, Until, wire,
};

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
  ream read --tag course:c1 --markers    all there is about a course, and up to where
  ream read -n 10                    the last ten")]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    choice: Choice,
    /// Begin with a line that says up to which position events are given, and end with one that says that all were
    #[arg(long)]
    markers: bool,
}

/// Which events.
#[derive(Debug, Args)]
pub(crate) struct Choice {
    #[command(flatten)]
    which: Which,
    /// Only the last N of the events that are there
    #[arg(short = 'n', long = "last", value_name = "N")]
    last: Option<u64>,
    /// At most N events
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

/// Which events, by what they are and where they stand.
#[derive(Debug, Args)]
pub(crate) struct Which {
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
    /// Only events of type T; may be given several times
    #[arg(long = "type", value_name = "T")]
    types: Vec<EventType>,
    /// Only events with the tag T; of several, with all of them
    #[arg(long = "tag", value_name = "T", value_parser = one_tag)]
    tags: Vec<String>,
    /// Only events that QUERY chooses: type=T, tag=T and stream=PATTERN, JSON of several such items, or @FILE
    #[arg(long, value_name = "QUERY", conflicts_with_all = ["patterns", "types", "tags"])]
    query: Option<String>,
}

impl Which {
    /// Which events, by what they are.
    fn criteria(&self) -> anyhow::Result<Criteria> {
        match &self.query {
            Some(query) => criteria::query(query, "--query"),
            None => Ok(Criteria::of(Criterion {
                types: self.types.clone(),
                tags: Tags::new(&self.tags).map_err(|error| invalid(error.to_string()))?,
                streams: self.patterns.clone(),
            })),
        }
    }

    pub(super) fn query(&self) -> anyhow::Result<Query> {
        let mut query = Query::by(self.criteria()?);
        query.after = self.after.or(self.from.map(Mark::before));
        match self.until {
            Some(Until::Mark(mark)) => query.until = Some(mark),
            Some(Until::Time(time)) => query.until_time = Some(time),
            None => {}
        }
        query.since = self.since;
        Ok(query)
    }

    /// The error in the words of who asked: the store knows `--from N` as what follows N - 1.
    pub(super) fn as_asked(&self, error: Error) -> Error {
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

    /// That no time chooses, so that a head says up to where all is given.
    pub(super) fn check_head(&self) -> Result<(), Refused> {
        if self.since.is_some() || matches!(self.until, Some(Until::Time(_))) {
            let message = "--markers does not go with --since and --until TIME: no position says what they leave out";
            return Err(Refused::Usage(message.into()));
        }
        Ok(())
    }
}

impl Choice {
    pub(crate) fn query(&self) -> anyhow::Result<Query> {
        let mut query = self.which.query()?;
        query.last = self.last;
        query.limit = self.limit;
        Ok(query)
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
            ("--since", self.which.since.is_some()),
            ("--last", self.last.is_some()),
            ("--limit", self.limit.is_some()),
            ("--until TIME", matches!(self.which.until, Some(Until::Time(_)))),
        ];
        if let Some((option, _)) = others.iter().find(|(_, given)| *given) {
            let message =
                format!("{option} does not go with --as: a subscription goes on where it is");
            return Err(Refused::Usage(message).into());
        }
        let new = NewSubscription { name, criteria: self.which.criteria()? };
        let start =
            self.which.after.or(self.which.from.map(Mark::before)).map(place).transpose()?;
        let until = match self.which.until {
            Some(Until::Mark(mark)) => Some(place(mark)?),
            _ => None,
        };
        Ok((new, start, until))
    }

    /// The error in the words of who asked.
    pub(crate) fn as_asked(&self, error: Error) -> Error {
        self.which.as_asked(error)
    }

    /// Tells a person that a stream read by name holds nothing.
    pub(crate) fn note_empty(&self, global: &Global, store: &Store) {
        let [pattern] = &self.which.patterns[..] else { return };
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
            store.read(&self.choice.query()?).map_err(|error| self.choice.as_asked(error))?;
        let mut output = Output::new(global);
        if self.markers {
            self.check_markers(&output)?;
        }
        let mut outlet = Outlet::new(&output);
        let mut buffer = Vec::new();
        let mut caught_up = None;
        if self.markers {
            let (from, head) = reader.bounds()?;
            wire::write_bounds(&mut buffer, from, &head);
            caught_up = Some(head.position);
        }
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
        if let Some(head) = caught_up {
            wire::write_caught_up(&mut buffer, head);
        }
        outlet.finish(buffer)
    }

    /// That what is asked for has a head, and that lines can tell it.
    fn check_markers(&self, output: &Output) -> anyhow::Result<()> {
        self.choice.which.check_head()?;
        if output.format != Format::Jsonl {
            let message = "--markers needs --format jsonl: its marks are lines beside the events";
            return Err(Refused::Usage(message.into()).into());
        }
        Ok(())
    }
}
