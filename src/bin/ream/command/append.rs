//! `ream append`.

mod many;
mod one;

use std::path::PathBuf;

use clap::Args;
use ream::{
    AppendCondition, Criterion, Cursor, EventId, EventType, Expect, Position, StreamName, Timestamp,
};

use crate::args::Global;
use crate::criteria::{self, one_tag};
use crate::environment::Environment;
use crate::output::note;
use crate::refused::Refused;
use crate::signals::Signals;

/// Append events to streams
///
/// Appends one event to STREAM, or with --jsonl one event a line. What it acknowledges is durable.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream append order-42 OrderPaid '{\"amount\":12.50}'
  curl -s https://example.com/order.json | ream append order-42 OrderImported -
  ream append order-42 OrderPaid '{}' --expect 3 --id payment-7
  ream append order-42 OrderPaid '{}' --tag customer:c7 --tag shop:s1
  ream append order-42 OrderPaid '{}' --expect 3 --state '{\"status\":\"paid\"}'
  ream append user-7 NameTaken '{}' --tag name:ann --none tag=name:ann
  ream append --jsonl events.jsonl
  ream read | ream append --store ../other --jsonl -")]
pub(crate) struct AppendArgs {
    /// The stream to append to
    #[arg(value_name = "STREAM", required_unless_present = "jsonl")]
    stream: Option<StreamName>,
    /// What happened
    #[arg(value_name = "TYPE", required_unless_present = "jsonl", conflicts_with = "jsonl")]
    event_type: Option<EventType>,
    /// The event's data as JSON, @FILE to read it from FILE, or - to read it from standard input [default: {}]
    #[arg(value_name = "DATA", conflicts_with = "jsonl")]
    data: Option<String>,
    /// Append the events in FILE, one line of JSON each; - reads standard input
    #[arg(long, value_name = "FILE")]
    jsonl: Option<PathBuf>,
    /// Append all of them or none
    #[arg(long)]
    atomic: bool,
    /// What the stream must be: any, no-stream, exists, or at version N
    #[arg(long, value_name = "EXPECT", default_value = "any", hide_default_value = true)]
    expect: Expect,
    /// What must not be there: events of any stream, as type=T, tag=T and stream=PATTERN, as JSON, or @FILE
    #[arg(long, value_name = "QUERY")]
    none: Option<String>,
    /// With --none: only events that follow POS, the position or cursor up to which the log was read
    #[arg(long, value_name = "POS", requires = "none")]
    none_after: Option<Cursor>,
    /// Idempotency key: the same again answers with the first append
    #[arg(long, value_name = "KEY", conflicts_with = "jsonl")]
    id: Option<EventId>,
    /// What the event is about besides its stream, such as course:c1; may be repeated
    #[arg(long = "tag", value_name = "TAG", conflicts_with = "jsonl", value_parser = one_tag)]
    tags: Vec<String>,
    /// The event's metadata, a JSON object: JSON, @FILE, or -
    #[arg(long, value_name = "JSON", conflicts_with = "jsonl")]
    meta: Option<String>,
    /// Put correlation_id into the metadata
    #[arg(long, value_name = "ID", conflicts_with = "jsonl")]
    correlation: Option<String>,
    /// Put causation_id into the metadata
    #[arg(long, value_name = "ID", conflicts_with = "jsonl")]
    causation: Option<String>,
    /// When it happened, in RFC 3339 [default: when it is recorded]
    #[arg(long, value_name = "TIME", conflicts_with = "jsonl")]
    time: Option<Timestamp>,
    /// DATA is base64 of bytes that are no JSON
    #[arg(long, conflicts_with = "jsonl")]
    base64: bool,
    /// Store the stream's new state with the event: JSON, @FILE, or -; needs --expect N or no-stream
    #[arg(long, value_name = "STATE", conflicts_with = "jsonl")]
    state: Option<String>,
}

impl AppendArgs {
    /// What has to hold of the store beside, where that is said.
    fn condition(&self, global: &Global) -> anyhow::Result<Option<Box<AppendCondition>>> {
        let Some(none) = &self.none else { return Ok(None) };
        let criteria = criteria::query(none, "--none")?;
        let after = self.none_after.unwrap_or(Position(0).into());
        let is_wide = |item: &Criterion| item.tags.is_empty() && item.streams.is_empty();
        if after.position.0 == 0 && criteria.items.iter().any(is_wide) {
            let message = "--none looks at every event of the store, since it names no tag and no stream; with one, or with \
                           --none-after, it does not";
            note(global, "note:", message);
        }
        Ok(Some(Box::new(AppendCondition::none(criteria, after))))
    }

    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        match &self.jsonl {
            Some(file) => {
                if self.stream.is_none() && self.expect != Expect::Any {
                    return Err(Refused::Usage(
                        "--expect needs STREAM; with several streams, a line says \"expect\" itself".into(),
                    )
                    .into());
                }
                if self.none.is_some() && !self.atomic {
                    return Err(Refused::Usage(
                        "--none needs --atomic with --jsonl; otherwise a line says \"expect\" itself".into(),
                    )
                    .into());
                }
                let mut store = global.open(environment, &options)?;
                many::append(self, file, global, &mut store, &signals)
            }
            // What clap calls required it does not miss where it conflicts with what is there.
            None if self.atomic => Err(Refused::Usage("--atomic needs --jsonl".into()).into()),
            None => {
                let mut store = global.open(environment, &options)?;
                let mut event = one::event(self, store.max_data_bytes())?;
                event.condition = self.condition(global)?;
                one::append(event, global, &mut store, &signals)?;
                store.leave();
                Ok(())
            }
        }
    }
}
