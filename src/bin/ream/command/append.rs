//! `ream append`.

mod many;
mod one;

use std::path::PathBuf;

use clap::Args;
use ream::{EventId, EventType, Expect, StreamName, Tags, TagsError, Timestamp};

use crate::args::Global;
use crate::environment::Environment;
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

/// A tag, as the command line gives it.
fn one_tag(text: &str) -> Result<String, TagsError> {
    Tags::new([text]).map(|_| text.to_owned())
}

impl AppendArgs {
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
                let mut store = global.open(environment, &options)?;
                many::append(self, file, global, &mut store, &signals)
            }
            // What clap calls required it does not miss where it conflicts with what is there.
            None if self.atomic => Err(Refused::Usage("--atomic needs --jsonl".into()).into()),
            None => {
                let mut store = global.open(environment, &options)?;
                let event = one::event(self, store.max_data_bytes())?;
                one::append(event, global, &mut store, &signals)?;
                store.leave();
                Ok(())
            }
        }
    }
}
