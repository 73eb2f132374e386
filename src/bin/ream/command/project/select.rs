//! `ream project select`.

mod fresh;
mod rows;

use std::time::Duration;

use clap::Args;
use ream::{Condition, FieldType, OrderBy, Position, Projection, Schema, Selection};
use serde::Serialize;

use self::fresh::CatchUp;
use self::rows::write_rows;
use super::expression::{With, field, fields};
use super::run::Allow;
use crate::args::{Format, Global};
use crate::command::following;
use crate::environment::Environment;
use crate::output::{Output, to_line, warn};
use crate::refused::Refused;
use crate::signals::Signals;
use crate::units;

/// Search a projection
///
/// Without an expression all rows are selected. What is selected stands as it was at one moment,
/// however long it takes to read.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream project select users 'city IN (\"London\", \"Rome\") AND salary > 1000'
  ream project select users 'email =~ \"@mail.com$\"' --fields id,email --order-by city,-salary
  ream project select users 'city = :city' --with city=London --count
  ream project select users --fresh      what is stored by now is in it; nothing has to run
  ream project select users --fresh --allow      even if its program was not allowed here
  ream project select users --at-least 1842 --wait 5s    what was stored at 1842 is in it
  ream project select users --format csv > users.csv")]
pub(crate) struct SelectArgs {
    /// The projection
    #[arg(value_name = "NAME")]
    name: String,
    /// Only rows that this is true of
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    condition: Option<String>,
    #[command(flatten)]
    with: With,
    /// Only these fields, in this order, with commas between them
    #[arg(long, value_name = "FIELDS")]
    fields: Option<String>,
    /// Order by these fields; the largest first behind a -; null goes before all others
    #[arg(long, value_name = "FIELDS", allow_hyphen_values = true)]
    order_by: Option<String>,
    /// At most N rows
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Pass over N rows
    #[arg(long, value_name = "N", default_value_t, hide_default_value = true)]
    offset: u64,
    /// Only how many rows
    #[arg(long, conflicts_with_all = ["fields", "order_by", "explain"])]
    count: bool,
    /// Only how the rows are found: by which index
    #[arg(long)]
    explain: bool,
    /// Wait until the projection has all that matters to it up to POSITION
    #[arg(long, value_name = "POSITION")]
    at_least: Option<u64>,
    /// Catch up first: run the program that makes the projection, or wait for who runs it
    #[arg(long, conflicts_with = "at_least")]
    fresh: bool,
    #[command(flatten)]
    allow: Allow,
    /// With --at-least or --fresh: wait at most TIME [default: 5s, with --fresh 30s]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    wait: Option<Duration>,
}

/// A number of rows, as JSON.
#[derive(Serialize)]
struct CountJson {
    count: u64,
}

/// How rows are found, as JSON.
#[derive(Serialize)]
struct ExplanationJson {
    plan: Vec<String>,
    statement: String,
}

impl SelectArgs {
    pub(super) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let mut options = global.options(environment);
        if self.wait.is_some() && !self.fresh && self.at_least.is_none() {
            return Err(Refused::Usage("--wait needs --at-least or --fresh".into()).into());
        }
        if self.allow.is_given() && !self.fresh {
            return Err(Refused::Usage("--allow needs --fresh".into()).into());
        }
        // To wait is all that a signal has to end; else it ends the program as ever.
        let waits = self.fresh || self.at_least.is_some();
        let signals = waits.then(Signals::take_over).transpose()?;
        options.interrupt = signals.as_ref().map(Signals::flag);
        self.allow.apply(&mut options);
        let mut store = global.open(environment, &options)?;
        let mut projection = store.projection(&self.name)?;
        self.selection(projection.schema())?;
        loop {
            if let Some(signals) = &signals {
                let mut catch_up =
                    CatchUp { store: &mut store, projection: &mut projection, signals };
                signals.hold(|| match self.at_least {
                    Some(position) => catch_up.wait_for(Position(position), self.wait),
                    None => catch_up.freshen(self.wait, global),
                })?;
            } else if let Some(mismatch) = following::mismatch(&store, &projection)? {
                warn(global, &mismatch);
            }
            match self.show(&projection, global) {
                // It was rebuilt since it was opened; nothing has been written.
                Err(error) if following::is_ended(&error) => {
                    projection = store.projection(&self.name)?;
                }
                shown => return shown,
            }
        }
    }

    fn show(&self, projection: &Projection, global: &Global) -> anyhow::Result<()> {
        let selection = self.selection(projection.schema())?;
        let output = Output::new(global);
        if self.explain {
            return explain(projection, &selection, &output);
        }
        if self.count {
            return count(projection, &selection, &output);
        }
        write_rows(projection, &selection, output, global)
    }

    fn selection(&self, schema: &Schema) -> anyhow::Result<Selection> {
        let mut selection = Selection::all(schema);
        let parameters = self.with.parameters([self.condition.as_deref()])?;
        let condition = self.condition.as_deref();
        selection.condition =
            condition.map(|text| Condition::new(text, schema, &parameters)).transpose()?;
        if let Some(list) = &self.fields {
            selection.fields = fields(schema, list)?;
        }
        for name in self.order_by.iter().flat_map(|list| list.split(',')).map(str::trim) {
            let descending = name.starts_with('-');
            let field = field(schema, name.strip_prefix('-').unwrap_or(name))?;
            if schema.fields()[field].field_type == FieldType::Json {
                let message = format!("`{name}` is json, which has no order");
                return Err(Refused::Invalid { message, hint: None }.into());
            }
            if selection.order.iter().any(|by| by.field == field) {
                let message = format!("--order-by names `{name}` twice");
                return Err(Refused::Invalid { message, hint: None }.into());
            }
            selection.order.push(OrderBy { field, descending });
        }
        selection.limit = self.limit;
        selection.offset = self.offset;
        Ok(selection)
    }
}

fn count(projection: &Projection, selection: &Selection, output: &Output) -> anyhow::Result<()> {
    let count = projection.count(selection)?;
    let shown = match output.format {
        Format::Table | Format::Csv => format!("{count}\n").into_bytes(),
        _ => [to_line(&CountJson { count })?, b"\n".into()].concat(),
    };
    output.write(&shown)
}

fn explain(projection: &Projection, selection: &Selection, output: &Output) -> anyhow::Result<()> {
    let explanation = projection.explain(selection)?;
    let (plan, statement) = (explanation.plan, explanation.statement);
    let shown = match output.format {
        Format::Table | Format::Csv => {
            let mut lines = plan;
            lines.push(format!("\n{statement}"));
            format!("{}\n", lines.join("\n")).into_bytes()
        }
        _ => [to_line(&ExplanationJson { plan, statement })?, b"\n".into()].concat(),
    };
    output.write(&shown)
}
