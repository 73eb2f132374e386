//! `ream project update` and `ream project delete`.

use clap::Args;
use ream::{Assignments, Condition, Projection};
use serde::Serialize;

use super::expression::With;
use super::settle;
use crate::args::{Format, Global};
use crate::command::confirm::{self, plural};
use crate::environment::Environment;
use crate::output::{Output, note, to_line};
use crate::signals::Signals;

/// Set fields of rows
///
/// The expressions see each row as it was. An exact number is rounded to the digits that its field has
/// behind the point, halves away from zero.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream project update users --set 'position = \"manager\", salary = salary + 1000' --where 'city = \"London\"'
  ream project update users --set 'nickname = :name' --where 'id = :id' --with id=7 --with name=Zoe")]
pub(crate) struct UpdateArgs {
    /// The projection
    #[arg(value_name = "NAME")]
    name: String,
    /// What is set: 'field = expression, …'
    #[arg(long, value_name = "ASSIGNMENTS")]
    set: String,
    /// Only rows that this is true of
    #[arg(long = "where", value_name = "EXPR", allow_hyphen_values = true)]
    condition: Option<String>,
    #[command(flatten)]
    with: With,
    #[command(flatten)]
    sure: Sure,
}

/// Delete rows
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream project delete users 'city = \"London\" AND salary < 1000'
  ream project delete users TRUE --yes                    all rows")]
pub(crate) struct DeleteArgs {
    /// The projection
    #[arg(value_name = "NAME")]
    name: String,
    /// The rows that this is true of
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    condition: String,
    #[command(flatten)]
    with: With,
    #[command(flatten)]
    sure: Sure,
}

/// Whether to ask before.
#[derive(Debug, Args)]
struct Sure {
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Only tell how many rows it would be
    #[arg(long)]
    dry_run: bool,
}

/// How many rows were changed, or would be, as JSON.
#[derive(Serialize)]
struct ChangedJson<'p> {
    projection: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<u64>,
    dry_run: bool,
    /// Not said of what was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    erased: Option<bool>,
}

impl UpdateArgs {
    pub(super) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let parameters = self.with.parameters([Some(&*self.set), self.condition.as_deref()])?;
        let changing = Changing {
            name: &self.name,
            sure: &self.sure,
            doing: "updating",
            done: "updated",
            erases: false,
        };
        changing.run(global, environment, |projection, dry_run| {
            let schema = projection.schema();
            let assignments = Assignments::new(&self.set, schema, &parameters)?;
            let condition = self.condition.as_deref();
            let condition =
                condition.map(|text| Condition::new(text, schema, &parameters)).transpose()?;
            Ok(projection.update(&assignments, condition.as_ref(), dry_run)?)
        })
    }
}

impl DeleteArgs {
    pub(super) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let parameters = self.with.parameters([Some(&*self.condition)])?;
        let changing = Changing {
            name: &self.name,
            sure: &self.sure,
            doing: "deleting",
            done: "deleted",
            erases: true,
        };
        changing.run(global, environment, |projection, dry_run| {
            let condition = Condition::new(&self.condition, projection.schema(), &parameters)?;
            Ok(projection.delete(&condition, dry_run)?)
        })
    }
}

/// A change of rows: asked for first, told afterwards.
struct Changing<'c> {
    name: &'c str,
    sure: &'c Sure,
    doing: &'static str,
    done: &'static str,
    /// Whether no byte of what is gone shall be left.
    erases: bool,
}

impl Changing<'_> {
    /// Does `change`, which tells how many rows it changes; with `true` it changes none.
    fn run(
        &self,
        global: &Global,
        environment: &Environment,
        mut change: impl FnMut(&mut Projection, bool) -> anyhow::Result<u64>,
    ) -> anyhow::Result<()> {
        let Self { name, sure, doing, done, .. } = self;
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        let store = global.open(environment, &options)?;
        let mut projection = store.projection(name)?;
        let (changed, unfinished) = if sure.dry_run {
            (change(&mut projection, true)?, None)
        } else {
            if !sure.yes {
                let rows = change(&mut projection, true)?;
                if rows > 0 {
                    let what = format!("{doing} {} of {name}", plural(rows, "row"));
                    confirm::ask(&what)?;
                }
            }
            signals.hold(|| {
                let changed = change(&mut projection, false)?;
                settle(&projection)?;
                let unfinished = self.erases.then(|| store.erase_rows(&projection));
                anyhow::Ok((changed, unfinished))
            })?
        };
        let output = Output::new(global);
        let told = match output.format {
            Format::Table if global.quiet => Vec::new(),
            Format::Table => {
                let done = if sure.dry_run { format!("would be {done}") } else { (*done).into() };
                format!("{name}: {} {done}\n", plural(changed, "row")).into_bytes()
            }
            _ => {
                let counts = |what: &str| (*done == what).then_some(changed);
                let (updated, deleted) = (counts("updated"), counts("deleted"));
                let erased = unfinished.as_ref().map(Option::is_none);
                let json = ChangedJson {
                    projection: name,
                    updated,
                    deleted,
                    dry_run: sure.dry_run,
                    erased,
                };
                [to_line(&json)?, b"\n".into()].concat()
            }
        };
        let reported = output.done_or_planned(&told, sure.dry_run);
        if let Some(Some(error)) = unfinished {
            let message = format!(
                "the rows are deleted, and bytes of them are left in the projection's files: {error}; \
                 the same again tries again"
            );
            note(global, "warning:", &message);
        }
        reported?;
        Ok(signals.check()?)
    }
}
