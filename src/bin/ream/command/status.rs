//! `ream status`.

use std::borrow::Cow;

use clap::Args;
use ream::Timestamp;
use serde::Serialize;

use crate::args::{Format, Global};
use crate::command::remembered::ProgramJson;
use crate::environment::Environment;
use crate::output::{Output, table, to_line, warn};
use crate::units;

/// How a store stands, as JSON, with its fields in this order.
#[derive(Serialize)]
struct StatusJson<'s> {
    path: Cow<'s, str>,
    store: &'s str,
    head: u64,
    /// The link there.
    link: String,
    events: u64,
    streams: u64,
    last_recorded: Option<String>,
    bytes: u64,
    wal_bytes: u64,
    erasing: bool,
    max_data_bytes: u64,
    format: u32,
    engine: &'s str,
    sqlite_version: &'s str,
    /// The programs that projections remember.
    programs: &'s [ProgramJson<'s>],
}

/// Show how the store stands
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {}

impl StatusArgs {
    pub(crate) fn run(global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let store = global.open(environment, &global.options(environment))?;
        let status = store.status()?;
        // Where one of them is damaged, the rest of this can be told.
        let entries = store.projections().unwrap_or_else(|error| {
            warn(global, &error);
            Vec::new()
        });
        let programs = entries.iter().filter_map(|entry| ProgramJson::of(&store, entry));
        let programs: Vec<ProgramJson<'_>> = programs.collect();
        let output = Output::new(global);
        let path = store.path().to_string_lossy();
        let last = status.last_recorded.map(|time: Timestamp| time.to_string());
        let shown = match output.format {
            Format::Table => table(
                &[],
                [
                    ("store", path.clone().into_owned()),
                    ("id", status.id.clone()),
                    ("head", status.head.to_string()),
                    ("link", status.link.to_string()),
                    ("events", status.events.to_string()),
                    ("streams", status.streams.to_string()),
                    ("last recorded", last.unwrap_or_else(|| "never".into())),
                    ("size", units::bytes(status.bytes)),
                    ("log", units::bytes(status.wal_bytes)),
                    ("erasing", if status.erasing { "unfinished" } else { "no" }.into()),
                    ("largest data", units::bytes(status.max_data_bytes)),
                    ("format", status.format.to_string()),
                    ("engine", format!("{} {}", status.engine, status.engine_version)),
                ]
                .into_iter()
                .chain(programs.iter().map(|program| ("program", program.readable())))
                .map(|(name, value)| vec![name.to_owned(), value])
                .collect(),
            )
            .into_bytes(),
            _ => {
                let json = StatusJson {
                    path,
                    store: &status.id,
                    head: status.head.0,
                    link: status.link.to_string(),
                    events: status.events,
                    streams: status.streams,
                    last_recorded: last,
                    bytes: status.bytes,
                    wal_bytes: status.wal_bytes,
                    erasing: status.erasing,
                    max_data_bytes: status.max_data_bytes,
                    format: status.format,
                    engine: status.engine,
                    sqlite_version: &status.engine_version,
                    programs: &programs,
                };
                [to_line(&json)?, b"\n".into()].concat()
            }
        };
        output.write(&shown)
    }
}
