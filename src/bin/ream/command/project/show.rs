//! `ream project list` and `ream project show`.

use std::fmt::Write as _;

use clap::Args;
use ream::{
    Error, FieldType, OpenDefinition, Projection, ProjectionEntry, ProjectionStatus, Query, Store,
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::args::{Format, Global};
use crate::command::confirm::plural;
use crate::command::following::{self, Broken};
use crate::command::list::list_all;
use crate::command::remembered::RunsJson;
use crate::environment::Environment;
use crate::output::{Output, escape, table, to_line};
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
    #[serde(flatten)]
    stands: StandsJson<'p>,
    from: Vec<&'p str>,
    program: &'p [String],
    #[serde(flatten)]
    runs: Option<&'p RunsJson>,
}

/// How a projection stands, as JSON.
#[derive(Serialize)]
struct StandsJson<'p> {
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lag: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mismatch: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<&'p str>,
    generation: u64,
}

/// A projection and how it stands.
struct Listed {
    entry: ProjectionEntry,
    /// How it stands, or why that can't be read.
    stands: Result<Stands, String>,
    /// How its program is run, where it remembers one.
    runs: Option<RunsJson>,
}

/// What its file and the log tell of a projection.
struct Stands {
    status: ProjectionStatus,
    lag: u64,
    /// Why the checkpoint is no place in the store's log, where it is none.
    mismatch: Option<&'static str>,
}

impl Listed {
    /// A registered projection, but where it was dropped since.
    fn of(
        store: &Store,
        entry: ProjectionEntry,
        broken: &mut Broken,
        global: &Global,
    ) -> anyhow::Result<Option<Self>> {
        let name = entry.name.as_str();
        let read = |projection: &Projection| Ok((projection.status()?, projection.checkpoint()?));
        let stands = match broken.try_read(store, name, read)? {
            Some(Ok((status, checkpoint))) => {
                let query = Query::of(entry.definition.from.clone());
                let (mismatch, from) = following::place(store, name, &checkpoint, global)?;
                let (lag, _) = store.lag(&query, from)?;
                Ok(Stands { status, lag, mismatch })
            }
            Some(Err(why)) => Err(why),
            None => return Ok(None),
        };
        let runs = RunsJson::of(store, &entry);
        Ok(Some(Self { entry, stands, runs }))
    }

    fn from(&self) -> Vec<&str> {
        self.entry.definition.from.iter().map(ream::Pattern::as_str).collect()
    }

    /// How it stands, beside the head where that is to be told.
    fn json(&self, head: Option<u64>) -> StandsJson<'_> {
        let stands = self.stands.as_ref().ok();
        StandsJson {
            rows: stands.map(|stands| stands.status.rows),
            bytes: stands.map(|stands| stands.status.bytes),
            checkpoint: stands.map(|stands| stands.status.checkpoint.0),
            head,
            lag: stands.map(|stands| stands.lag),
            mismatch: stands.and_then(|stands| stands.mismatch),
            broken: self.stands.as_ref().err().map(String::as_str),
            generation: self.entry.generation,
        }
    }
}

/// What is listed of the projections.
enum One {
    Made(Box<Listed>),
    /// One whose fields have no types yet.
    Open(String),
}

/// A projection whose fields have no types yet, as JSON.
#[derive(Serialize)]
struct OpenJson<'p> {
    projection: &'p str,
    open: bool,
    #[serde(flatten)]
    definition: Option<DefinitionJson<'p>>,
}

impl ListArgs {
    pub(super) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let Self {} = self;
        let store = global.open(environment, &global.options(environment))?;
        let (mut listed, mut broken) = (Vec::new(), Broken::default());
        for entry in store.projections()? {
            listed.extend(
                Listed::of(&store, entry, &mut broken, global)?.map(|one| One::Made(Box::new(one))),
            );
        }
        listed.extend(store.open_projections()?.into_iter().map(One::Open));
        let cells = |one: &One| {
            let one = match one {
                One::Made(one) => one,
                One::Open(name) => {
                    let none = || String::new();
                    return vec![name.clone(), "open".into(), none(), none(), none(), none()];
                }
            };
            let [rows, bytes, checkpoint, lag] = match &one.stands {
                Ok(Stands { status, lag, .. }) => [
                    status.rows.to_string(),
                    units::bytes(status.bytes),
                    status.checkpoint.to_string(),
                    lag.to_string(),
                ],
                Err(_) => ["broken".into(), String::new(), String::new(), String::new()],
            };
            vec![one.entry.name.to_string(), rows, bytes, checkpoint, lag, one.from().join(", ")]
        };
        let json = |one: &One| {
            let one = match one {
                One::Made(one) => one,
                One::Open(name) => {
                    let json = OpenJson { projection: name, open: true, definition: None };
                    return to_line(&json);
                }
            };
            to_line(&EntryJson {
                projection: one.entry.name.as_str(),
                stands: one.json(None),
                from: one.from(),
                program: &one.entry.definition.program,
                runs: one.runs.as_ref(),
            })
        };
        let header = ["PROJECTION", "ROWS", "SIZE", "CHECKPOINT", "LAG", "FROM"];
        list_all(global, &header, listed, cells, json)?;
        Ok(broken.check()?)
    }
}

/// A projection as JSON: its name, what it is made of, how it stands.
#[derive(Serialize)]
struct ShownJson<'p> {
    projection: &'p str,
    #[serde(flatten)]
    definition: DefinitionJson<'p>,
    #[serde(flatten)]
    stands: StandsJson<'p>,
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
        let output = Output::new(global);
        if let Some(open) = store.open_projection(&self.name)?.filter(|_| !self.sql) {
            return output.write(&self.open(&open, output.format)?);
        }
        let entry = store.projection_entry(&self.name)?;
        if self.sql {
            return output.write(entry.statements().as_bytes());
        }
        let mut broken = Broken::default();
        let Some(listed) = Listed::of(&store, entry, &mut broken, global)? else {
            return Err(
                Error::ProjectionNotFound { name: self.name.clone(), near: Vec::new() }.into()
            );
        };
        let head = store.head()?.0;
        let shown = match output.format {
            Format::Table => readable(&listed, head).into_bytes(),
            _ => json(&listed, head)?,
        };
        output.write(&shown)?;
        Ok(broken.check()?)
    }
}

impl ShowArgs {
    /// What is told of a projection whose fields have no types yet.
    fn open(&self, open: &OpenDefinition, format: Format) -> anyhow::Result<Vec<u8>> {
        let (projection, json) = (self.name.as_str(), open.to_json());
        if format == Format::Table {
            let fields: Vec<&str> = open.names().collect();
            let fields = escape(&fields.join(", ")).into_owned();
            let told = "open: its first row says what the types of its fields are";
            return Ok(format!("{projection}: {told}\n{fields}\n").into_bytes());
        }
        let definition = Some(serde_json::from_str(&json)?);
        let line = to_line(&OpenJson { projection, open: true, definition })?;
        Ok([line, b"\n".into()].concat())
    }
}

fn json(listed: &Listed, head: u64) -> anyhow::Result<Vec<u8>> {
    let definition = listed.entry.definition.to_json();
    let line = to_line(&ShownJson {
        projection: listed.entry.name.as_str(),
        definition: serde_json::from_str(&definition)?,
        stands: listed.json(Some(head)),
        runs: listed.runs.as_ref(),
    })?;
    Ok([line, b"\n".into()].concat())
}

fn readable(listed: &Listed, head: u64) -> String {
    let Listed { entry, stands, runs } = listed;
    let schema = &entry.definition.schema;
    let mut shown = match stands {
        Ok(Stands { status, lag, .. }) => format!(
            "{}: {}, {}\ncheckpoint {} of {head}, {} behind\n",
            entry.name,
            plural(status.rows, "row"),
            units::bytes(status.bytes),
            status.checkpoint,
            plural(*lag, "event")
        ),
        Err(why) => format!("{}: broken: {}\n", entry.name, escape(why)),
    };
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
