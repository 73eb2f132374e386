//! `ream count`.

use std::cmp::Ordering;
use std::collections::HashMap;

use clap::{Args, ValueEnum};
use ream::{EventRef, Reader, Timestamp, wire};
use serde::Serialize;

use super::read::Which;
use crate::args::{Format, Global};
use crate::environment::Environment;
use crate::output::{Output, table};
use crate::refused::Refused;

/// How many bytes the names of groups may have together.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// Count events
///
/// Counts the events that are there and are chosen, as `read` does. All are counted up to one head, which is told with
/// the count, or with --markers before the groups.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream count                             all events
  ream count 'order-*' --type OrderPaid --since 1d
  ream count --by type                   of each type
  ream count --by stream --order-by -count --limit 10
  ream count --tag course:c1             with a tag, and up to which head")]
pub(crate) struct CountArgs {
    #[command(flatten)]
    which: Which,
    /// Count by this: a stream's category is what comes before its first `-`, a day is that of the time in UTC
    #[arg(long, value_name = "WHAT")]
    by: Option<By>,
    /// The order of the groups: count, or what they are by; with `-` before it the largest first
    #[arg(long, value_name = "ORDER", requires = "by", allow_hyphen_values = true)]
    order_by: Option<String>,
    /// At most N groups
    #[arg(long, value_name = "N", requires = "by")]
    limit: Option<usize>,
    /// With --by: begin with a line that says up to which position events are counted
    #[arg(long, requires = "by")]
    markers: bool,
}

/// What is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    Type,
    Stream,
    Category,
    Day,
}

/// The whole count.
#[derive(Serialize)]
struct CountJson {
    count: u64,
    head: u64,
    cursor: String,
}

/// What groups are ordered by.
#[derive(Debug, Clone, Copy)]
struct Order {
    by_count: bool,
    largest_first: bool,
}

impl By {
    fn name(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Stream => "stream",
            Self::Category => "category",
            Self::Day => "day",
        }
    }
}

impl CountArgs {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let output = Output::new(global);
        let order = self.order()?;
        if self.markers {
            self.which.check_head()?;
            if output.format != Format::Jsonl {
                let message =
                    "--markers needs --format jsonl: its mark is a line before the groups";
                return Err(Refused::Usage(message.into()).into());
            }
        }
        let store = global.open(environment, &global.options(environment))?;
        let query = self.which.query()?;
        let reader = store.read(&query).map_err(|error| self.which.as_asked(error))?;
        match self.by {
            Some(by) => self.groups(reader, by, order, output),
            None => whole(reader, &output),
        }
    }

    fn order(&self) -> anyhow::Result<Order> {
        let Some(by) = self.by else { return Ok(Order { by_count: false, largest_first: false }) };
        let given = self.order_by.as_deref().unwrap_or(by.name());
        let (name, largest_first) = match given.strip_prefix('-') {
            Some(name) => (name, true),
            None => (given, false),
        };
        if name != "count" && name != by.name() {
            let message =
                format!("--order-by is count or {}, with or without `-` before it", by.name());
            return Err(Refused::Usage(message).into());
        }
        Ok(Order { by_count: name == "count", largest_first })
    }

    /// Tells how many events there are of each group.
    fn groups(
        &self,
        mut reader: Reader,
        by: By,
        order: Order,
        mut output: Output,
    ) -> anyhow::Result<()> {
        let (from, head) = reader.bounds()?;
        let mut groups = Groups::default();
        each(&mut reader, |event| groups.count(event, by))?;
        if groups.bytes > MOST_BYTES {
            anyhow::bail!(
                "the names of the groups have more than 256 MiB: make a projection of them"
            );
        }
        let mut found: Vec<(String, u64)> = groups.counts.into_iter().collect();
        found.sort_unstable_by(|one, other| order.compare(one, other));
        found.truncate(self.limit.unwrap_or(usize::MAX));
        let mut buffer = Vec::new();
        if self.markers {
            wire::write_bounds(&mut buffer, from, &head);
        }
        if output.format == Format::Table {
            if !found.is_empty() {
                let rows = found.into_iter().map(|(name, count)| vec![name, count.to_string()]);
                buffer.extend_from_slice(table(&[by.name(), "count"], rows.collect()).as_bytes());
            }
        } else {
            for (name, count) in found {
                let mut line = b"{".to_vec();
                wire::write_string(&mut line, by.name());
                line.push(b':');
                wire::write_string(&mut line, &name);
                line.extend_from_slice(b",\"count\":");
                wire::write_number(&mut line, count);
                line.push(b'}');
                output.record(&mut buffer, &line);
            }
        }
        buffer.extend_from_slice(output.end());
        output.write(&buffer)
    }
}

/// Tells how many events there are.
fn whole(mut reader: Reader, output: &Output) -> anyhow::Result<()> {
    let (_, head) = reader.bounds()?;
    let mut count = 0;
    each(&mut reader, |_| count += 1)?;
    if output.format == Format::Table {
        return output.write(format!("{count}\n").as_bytes());
    }
    let json = CountJson { count, head: head.position.0, cursor: head.to_string() };
    let mut line = serde_json::to_vec(&json)?;
    line.push(b'\n');
    output.write(&line)
}

/// Has each event counted, batch by batch.
fn each(reader: &mut Reader, mut count: impl FnMut(&EventRef<'_>)) -> anyhow::Result<()> {
    while !reader.next_batch(&mut count)?.caught_up {}
    Ok(())
}

/// Groups, and how many events each has.
#[derive(Default)]
struct Groups {
    counts: HashMap<String, u64>,
    /// How many bytes their names have.
    bytes: usize,
}

impl Groups {
    fn count(&mut self, event: &EventRef<'_>, by: By) {
        let mut day = String::new();
        let name = match by {
            By::Type => event.event_type,
            By::Stream => event.stream,
            By::Category => {
                event.stream.split_once('-').map_or(event.stream, |(category, _)| category)
            }
            By::Day => {
                day.push_str(&day_of(event.time));
                &day
            }
        };
        if let Some(count) = self.counts.get_mut(name) {
            *count += 1;
        } else if self.bytes <= MOST_BYTES {
            self.bytes += name.len();
            self.counts.insert(name.to_owned(), 1);
        }
    }
}

/// The day of a time, in UTC.
fn day_of(time: Timestamp) -> String {
    let text = time.to_string();
    text.split_once('T').map_or(text.clone(), |(day, _)| day.to_owned())
}

impl Order {
    fn compare(self, one: &(String, u64), other: &(String, u64)) -> Ordering {
        let by_name = one.0.cmp(&other.0);
        let (order, rest) =
            if self.by_count { (one.1.cmp(&other.1), by_name) } else { (by_name, Ordering::Equal) };
        (if self.largest_first { order.reverse() } else { order }).then(rest)
    }
}
