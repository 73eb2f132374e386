//! `ream project list` and `ream project show`.

use std::fmt::Write as _;

use clap::Args;
use ream::{FieldType, Projection, ProjectionEntry, ProjectionStatus, Query, Store};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::args::{Format, Global};
use crate::command::confirm::plural;
use crate::command::following;
use crate::command::list::list;
use crate::command::remembered::RunsJson;
use crate::environment::Environment;
use crate::output::{Output, escape, table, to_line, warn, warn_of};
use crate::units;

/// List the projections
#[derive(Debug, Args)]
pub(crate) struct ListArgs {}

/// Show a projection: its fields, how many rows it has, how far it has come
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The projection
    #[arg(value_name = "NAME")]
    name: String,
    /// Only the statements that make a table like it
    #[arg(long)]
    sql: bool,
}

/// A projection's name and what was done to it, as JSON.
#[derive(Debug, Default, Serialize)]
pub(super) struct DoneJson<'p> {
    pub(super) projection: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dropped: Option<bool>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) dry_run: bool,
}

/// A projection in a list, as JSON.
#[derive(Serialize)]
struct EntryJson<'p> {
    projection: &'p str,
    rows: u64,
    bytes: u64,
    checkpoint: u64,
    lag: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    mismatch: Option<&'p str>,
    generation: u64,
    from: Vec<&'p str>,
    program: &'p [String],
    #[serde(flatten)]
    runs: Option<&'p RunsJson>,
}

/// A projection and how it stands.
struct Listed {
    entry: ProjectionEntry,
    status: ProjectionStatus,
    lag: u64,
    /// Why the checkpoint is no place in the store's log, where it is none.
    mismatch: Option<&'static str>,
    /// How its program is run, where it remembers one.
    runs: Option<RunsJson>,
}

impl Listed {
    fn of(store: &Store, projection: &Projection, global: &Global) -> anyhow::Result<Self> {
        let status = projection.status()?;
        let entry = projection.entry().clone();
        let query = Query::of(entry.definition.from.clone());
        let (name, checkpoint) = (entry.name.as_str(), projection.checkpoint()?);
        let (mismatch, from) = following::place(store, name, &checkpoint, global)?;
        let (lag, _) = store.lag(&query, from)?;
        let runs = RunsJson::of(store, &entry);
        Ok(Self { entry, status, lag, mismatch, runs })
    }

    fn from(&self) -> Vec<&str> {
        self.entry.definition.from.iter().map(ream::Pattern::as_str).collect()
    }
}

impl ListArgs {
    pub(super) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let Self {} = self;
        let store = global.open(environment, &global.options(environment))?;
        let mut listed = Vec::new();
        for entry in store.projections()? {
            match store.projection(entry.name.as_str()) {
                Ok(projection) => listed.push(Listed::of(&store, &projection, global)?),
                // Dropped since.
                Err(ream::Error::ProjectionNotFound { .. }) => {}
                Err(error @ ream::Error::ProjectionLost { .. }) => warn(global, &error),
                Err(error) => return Err(error.into()),
            }
        }
        let mut listed = Some(listed);
        // All of them are one page.
        let page = |_: Option<&Listed>| Ok(listed.take().unwrap_or_default());
        let cells = |one: &Listed| {
            let status = &one.status;
            vec![
                one.entry.name.to_string(),
                status.rows.to_string(),
                units::bytes(status.bytes),
                status.checkpoint.to_string(),
                one.lag.to_string(),
                one.from().join(", "),
            ]
        };
        let json = |one: &Listed| {
            to_line(&EntryJson {
                projection: one.entry.name.as_str(),
                rows: one.status.rows,
                bytes: one.status.bytes,
                checkpoint: one.status.checkpoint.0,
                lag: one.lag,
                mismatch: one.mismatch,
                generation: one.entry.generation,
                from: one.from(),
                program: &one.entry.definition.program,
                runs: one.runs.as_ref(),
            })
        };
        list(
            global,
            &["PROJECTION", "ROWS", "SIZE", "CHECKPOINT", "LAG", "FROM"],
            page,
            cells,
            json,
        )?;
        warn_of(global, &store);
        Ok(())
    }
}

/// How a projection stands, as JSON behind what it is made of.
#[derive(Serialize)]
struct StatusJson {
    rows: u64,
    bytes: u64,
    checkpoint: u64,
    head: u64,
    lag: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    mismatch: Option<&'static str>,
    generation: u64,
}

/// A projection as JSON: its name, what it is made of, how it stands.
#[derive(Serialize)]
struct ShownJson<'p> {
    projection: &'p str,
    #[serde(flatten)]
    definition: DefinitionJson<'p>,
    #[serde(flatten)]
    status: StatusJson,
    #[serde(flatten)]
    runs: Option<&'p RunsJson>,
}

/// The members of a definition, as they are spelled.
#[derive(Serialize, serde::Deserialize)]
struct DefinitionJson<'p> {
    #[serde(borrow)]
    fields: &'p RawValue,
    #[serde(borrow)]
    key: &'p RawValue,
    #[serde(borrow)]
    unique: &'p RawValue,
    #[serde(borrow)]
    index: &'p RawValue,
    #[serde(borrow)]
    from: &'p RawValue,
    #[serde(borrow)]
    program: &'p RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    directory: Option<&'p RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    batch: Option<&'p RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    per_event: Option<&'p RawValue>,
}

impl ShowArgs {
    pub(super) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let store = global.open(environment, &global.options(environment))?;
        let projection = store.projection(&self.name)?;
        let output = Output::new(global);
        if self.sql {
            return output.write(projection.statements().as_bytes());
        }
        let listed = Listed::of(&store, &projection, global)?;
        let head = store.head()?.0;
        let shown = match output.format {
            Format::Table => readable(&listed, head).into_bytes(),
            _ => json(&listed, head)?,
        };
        output.write(&shown)?;
        warn_of(global, &store);
        Ok(())
    }
}

fn json(listed: &Listed, head: u64) -> anyhow::Result<Vec<u8>> {
    let definition = listed.entry.definition.to_json();
    let line = to_line(&ShownJson {
        projection: listed.entry.name.as_str(),
        definition: serde_json::from_str(&definition)?,
        status: StatusJson {
            rows: listed.status.rows,
            bytes: listed.status.bytes,
            checkpoint: listed.status.checkpoint.0,
            head,
            lag: listed.lag,
            mismatch: listed.mismatch,
            generation: listed.entry.generation,
        },
        runs: listed.runs.as_ref(),
    })?;
    Ok([line, b"\n".into()].concat())
}

fn readable(listed: &Listed, head: u64) -> String {
    let Listed { entry, status, lag, runs, .. } = listed;
    let schema = &entry.definition.schema;
    let mut shown = format!(
        "{}: {}, {}\ncheckpoint {} of {head}, {} behind\n",
        entry.name,
        plural(status.rows, "row"),
        units::bytes(status.bytes),
        status.checkpoint,
        plural(*lag, "event")
    );
    // Writing into a string does not fail.
    if !entry.definition.from.is_empty() {
        let _ = writeln!(shown, "from {}", escape(&listed.from().join(", ")));
    }
    if let Some(runs) = runs {
        let _ = writeln!(shown, "made by {}", escape(&runs.readable()));
    }
    shown.push('\n');
    let rows = schema.fields().iter().enumerate().map(|(at, field)| {
        let mut marks = Vec::new();
        for (lists, mark) in [(schema.unique(), "unique"), (schema.index(), "index")] {
            if lists.iter().any(|list| *list == [at]) {
                marks.push(mark);
            }
        }
        if schema.key().contains(&at) {
            marks.insert(0, "key");
        }
        let null = if field.nullable { "null" } else { "" };
        let field_type: FieldType = field.field_type;
        vec![field.name.to_string(), field_type.to_string(), null.into(), marks.join(", ")]
    });
    shown.push_str(&table(&["FIELD", "TYPE", "NULL", ""], rows.collect()));
    for (lists, what) in [(schema.unique(), "unique"), (schema.index(), "index")] {
        for fields in lists.iter().filter(|list| list.len() > 1) {
            let _ = writeln!(shown, "{what} ({})", schema.names(fields));
        }
    }
    shown
}
