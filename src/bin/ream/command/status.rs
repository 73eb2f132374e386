//! `ream status`.

use clap::Args;
use ream::Timestamp;
use serde_json::json;

use crate::args::{Format, Global};
use crate::environment::Environment;
use crate::output::{Output, table, warn};
use crate::units;

/// Show how the store stands
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {}

impl StatusArgs {
    pub(crate) fn run(global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let store = global.open(environment, &global.options(environment))?;
        if let Err(warning) = store.check() {
            warn(global, &warning);
        }
        let status = store.status()?;
        let output = Output::new(global);
        let path = store.path().to_string_lossy();
        let last = status.last_recorded.map(|time: Timestamp| time.to_string());
        let shown = match output.format {
            Format::Table => table(
                &[],
                [
                    ("store", path.into_owned()),
                    ("id", status.id),
                    ("incarnation", status.incarnation),
                    ("head", status.head.to_string()),
                    ("events", status.events.to_string()),
                    ("streams", status.streams.to_string()),
                    ("last recorded", last.unwrap_or_else(|| "never".into())),
                    ("size", units::bytes(status.bytes)),
                    ("log", units::bytes(status.wal_bytes)),
                    ("largest data", units::bytes(status.max_data_bytes)),
                    ("format", status.format.to_string()),
                    ("engine", format!("{} {}", status.engine, status.engine_version)),
                ]
                .into_iter()
                .map(|(name, value)| vec![name.to_owned(), value])
                .collect(),
            ),
            Format::Json | Format::Jsonl => format!(
                "{}\n",
                json!({
                    "path": path,
                    "store": status.id,
                    "incarnation": status.incarnation,
                    "head": status.head.0,
                    "events": status.events,
                    "streams": status.streams,
                    "last_recorded": last,
                    "bytes": status.bytes,
                    "wal_bytes": status.wal_bytes,
                    "max_data_bytes": status.max_data_bytes,
                    "format": status.format,
                    "engine": status.engine,
                    "sqlite_version": status.engine_version,
                })
            ),
        };
        output.write(shown.as_bytes())
    }
}
