//! `ream project create`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use ream::{
    Definition, DefinitionError, Error, FieldError, FieldTypeError, Identifier, Pattern,
    ProjectionEntry, SchemaBuilder, SchemaError,
};

use super::show::DoneJson;
use crate::args::{Format, Global};
use crate::command::following;
use crate::environment::Environment;
use crate::output::{Output, to_line};
use crate::payload;
use crate::refused::{Refused, invalid};
use crate::signals::Signals;

/// Make a projection
///
/// A field is NAME:TYPE, and behind that any of `:null`, `:key`, `:unique`, `:index`. Types are
/// integer, float, decimal:P:S (P digits, S of them behind the point), text[:N characters],
/// blob[:N bytes], timestamp, boolean and json. A key is needed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream project create users id:integer:key email:text:unique city:text:index salary:decimal:12:2
  ream project create visits page:text day:timestamp count:integer --key page,day
  ream project create users id:integer:key name:text:null --from 'user-*' -- ./users.py
  ream project show users --format json > users.json; ream project create people --schema users.json
  ream project create people --schema users.json --allow    the program that it names may run here")]
pub(crate) struct CreateArgs {
    /// The projection's name
    #[arg(value_name = "NAME")]
    name: String,
    /// Its fields
    #[arg(value_name = "FIELD", required_unless_present = "schema", conflicts_with = "schema")]
    fields: Vec<String>,
    /// The fields of the key, with commas between them, where they are several
    #[arg(long, value_name = "FIELDS", conflicts_with = "schema")]
    key: Vec<String>,
    /// Fields that no two rows have the same values in; may be given several times
    #[arg(long, value_name = "FIELDS", conflicts_with = "schema")]
    unique: Vec<String>,
    /// Fields that rows are found by; may be given several times
    #[arg(long, value_name = "FIELDS", conflicts_with = "schema")]
    index: Vec<String>,
    /// Make it from these streams; `*` stands for any characters; may be given several times
    #[arg(long, value_name = "PATTERN", conflicts_with = "schema")]
    from: Vec<Pattern>,
    /// Take everything from FILE, as `project show --format json` writes it; - for standard input
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// With --schema: allow the program that FILE names to run here
    #[arg(long, conflicts_with = "fields")]
    allow: bool,
    /// Run the program once an event; its exit with 0 acks it, even if the program has not read it
    #[arg(long, conflicts_with_all = ["batch", "schema"], requires = "program")]
    per_event: bool,
    /// Run the program once for up to N events; its exit with 0 acks them if it has read all of them
    #[arg(
        long,
        value_name = "N",
        value_parser = following::at_least_one,
        conflicts_with = "schema",
        requires = "program"
    )]
    batch: Option<usize>,
    /// The program that makes it, and its arguments
    #[arg(value_name = "PROGRAM", last = true, conflicts_with = "schema")]
    program: Vec<String>,
}

impl CreateArgs {
    pub(super) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let name: Identifier = self.name.parse().map_err(invalid)?;
        let definition = self.definition()?;
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        options.allow_programs |= self.allow;
        let mut store = global.open(environment, &options)?;
        let here = &environment.directory;
        let mut entry = ProjectionEntry::new(name.clone(), definition);
        if !self.program.is_empty() {
            store.give(&mut entry, self.program.clone(), here);
        } else if !entry.definition.program.is_empty() && entry.definition.directory.is_none() {
            entry.definition.directory = Some(store.directory_to_remember(here));
        }
        let created = signals.hold(|| store.create_projection(&entry));
        let created = created.map_err(|error| self.refused(error))?;
        let output = Output::new(global);
        let line = match output.format {
            Format::Table if global.quiet => Vec::new(),
            Format::Table if created => format!("{name}: created\n").into_bytes(),
            Format::Table => format!("{name}: is there already\n").into_bytes(),
            _ => {
                let created = Some(created);
                let json = DoneJson { projection: name.as_str(), created, ..DoneJson::default() };
                [to_line(&json)?, b"\n".into()].concat()
            }
        };
        output.done(&line)
    }

    /// Why it is not made. A program that a file names is allowed where the file is taken.
    fn refused(&self, error: anyhow::Error) -> anyhow::Error {
        match (&self.schema, error.downcast::<Error>()) {
            (Some(file), Ok(Error::NotAllowed(refused))) => {
                let file = file.to_string_lossy().into_owned();
                let error = Error::NotAllowed(refused);
                Refused::ForeignProgram { file, error }.into()
            }
            (_, Ok(error)) => error.into(),
            (_, Err(error)) => error,
        }
    }

    fn definition(&self) -> anyhow::Result<Definition> {
        if let Some(file) = &self.schema {
            let shown = file.to_string_lossy();
            let argument = if shown == "-" { "-".into() } else { format!("@{shown}") };
            let bytes = payload::read(&argument, payload::MOST_INPUT)?;
            let text = std::str::from_utf8(&bytes)
                .map_err(|error| invalid(format!("{shown}: {error}")))?;
            return Definition::parse(text)
                .map_err(|error| match error {
                    DefinitionError::Schema(error) => refuse(&error),
                    error => invalid(error),
                })
                .with_context(|| format!("{shown} describes no projection"));
        }
        let mut builder = SchemaBuilder::default();
        for field in &self.fields {
            builder.field(field).map_err(|error| refuse(&error))?;
        }
        for key in &self.key {
            builder.key(&names(key)).map_err(|error| refuse(&error))?;
        }
        self.unique.iter().for_each(|list| builder.unique(&names(list)));
        self.index.iter().for_each(|list| builder.index(&names(list)));
        let schema = builder.build().map_err(|error| refuse(&error))?;
        let mut definition = Definition::new(schema);
        definition.from.clone_from(&self.from);
        definition.batch = if self.per_event { Some(1) } else { self.batch };
        definition.per_event = self.per_event;
        Ok(definition)
    }
}

/// The names in a list.
fn names(list: &str) -> Vec<&str> {
    list.split(',').collect()
}

/// What is wrong with a schema, and what was meant.
fn refuse(error: &SchemaError) -> anyhow::Error {
    let near = match error {
        SchemaError::UnknownField { near, .. } => near.as_deref(),
        SchemaError::Field {
            error: FieldError::Type(FieldTypeError::Unknown { near, .. }),
            ..
        } => *near,
        _ => None,
    };
    let hint = near.map(|near| format!("did you mean `{near}`?").into());
    Refused::Invalid { message: error.to_string(), hint }.into()
}
