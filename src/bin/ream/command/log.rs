//! `ream log`.

use clap::Args;
use ream::{ACT_TYPES, Event, Pattern, Query};
use serde_json::{Map, Value};

use crate::args::{Format, Global};
use crate::environment::Environment;
use crate::output::{Output, table};

/// The stream that records acts.
pub(super) const RECORD: &str = "$ream";
/// What the help says, with all types of acts.
fn long_about() -> String {
    format!(
        "Show who did what to the store\n\n\
         Lists the acts on the store itself, the newest last. Each is an event in the reserved stream `$ream`, with \
         the user who did it in its metadata; in a pipe these events are printed.\n\n\
         Types of acts: {}.",
        ACT_TYPES.join(", ")
    )
}

/// The keys that say what an act is about.
const OF: [&str; 4] = ["stream", "pattern", "projection", "subscription"];

/// Show who did what to the store
#[derive(Debug, Args)]
#[command(long_about = long_about())]
#[command(after_help = "\
Examples:
  ream log                     all acts
  ream log -n 10               the last ten
  ream tail '$ream'            follow them
  ream read '$ream' --type StreamRemoved")]
pub(crate) struct LogArgs {
    /// Only the last N acts
    #[arg(short = 'n', long = "last", value_name = "N")]
    last: Option<u64>,
}

impl LogArgs {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let store = global.open(environment, &global.options(environment))?;
        let mut query = Query::of(vec![Pattern::new(RECORD)?]);
        query.last = self.last;
        let mut reader = store.read(&query)?;
        let mut output = Output::new(global);
        let mut rows = Vec::new();
        loop {
            let mut buffer = Vec::new();
            let batch = reader.next_batch(|event| match output.format {
                Format::Table => rows.push(row(&event.to_event())),
                _ => output.event(&mut buffer, event, store.id()),
            })?;
            output.write(&buffer)?;
            if batch.caught_up {
                break;
            }
        }
        if !rows.is_empty() {
            output.write(table(&["TIME", "WHO", "ACT", "OF", "DETAILS"], rows).as_bytes())?;
        }
        output.write(output.end())
    }
}

/// An act for the eye. What of it can't be read is left out.
fn row(act: &Event) -> Vec<String> {
    let time = act.time.to_string();
    // The date and the time of day, without the fraction.
    let time = time.get(..19).unwrap_or(&time).replace('T', " ");
    let data = match &act.data {
        ream::Data::Json(json) => object(json.as_str()),
        ream::Data::Bytes(_) => Map::new(),
    };
    let metadata = act.metadata.as_ref().map_or_else(Map::new, |json| object(json.as_str()));
    let who = ["user", "uid"].into_iter().find_map(|key| metadata.get(key));
    let (of, details): (Vec<_>, Vec<_>) = data.iter().partition(|(key, _)| OF.contains(&&***key));
    let words = |fields: Vec<(&String, &Value)>| {
        let fields = fields.into_iter().map(|(key, value)| format!("{key} {}", word(value)));
        fields.collect::<Vec<_>>().join(", ")
    };
    vec![
        time,
        who.map_or_else(String::new, word),
        act.event_type.to_string(),
        words(of),
        words(details),
    ]
}

fn object(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap_or_default()
}

/// A value without the quotes of a text.
fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
