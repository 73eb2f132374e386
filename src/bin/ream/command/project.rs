//! `ream project`.

mod allow;
mod change;
mod create;
mod drop;
mod expression;
mod rebuild;
mod run;
mod select;
mod set;
mod show;

use anyhow::Context as _;
use ream::Projection;

use super::definition::commands;
use crate::args::Global;
use crate::environment::Environment;

commands! {
    /// Make projections, fill them, search them
    ///
    /// A projection is a table with keys and indexes that holds what was made of events. Each is a
    /// SQLite file of its own below `projections` in the store, which other programs may read.
    enum ProjectCommand {
        "create" Create(create::CreateArgs),
        "drop" Drop(drop::DropArgs),
        "list" List(show::ListArgs),
        "show" Show(show::ShowArgs),
        "run" Run(run::RunArgs),
        "allow" Allow(allow::AllowArgs),
        "rebuild" Rebuild(rebuild::RebuildArgs),
        "set" Set(set::SetArgs),
        "select" Select(select::SelectArgs),
        "update" Update(change::UpdateArgs),
        "delete" Delete(change::DeleteArgs),
    }
}

impl ProjectCommand {
    /// Whether rows are selected, which have a format of their own.
    pub(crate) fn selects(&self) -> bool {
        matches!(self, Self::Select(_))
    }

    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        match self {
            Self::Create(args) => args.run(global, environment),
            Self::Drop(args) => args.run(global, environment),
            Self::List(args) => args.run(global, environment),
            Self::Show(args) => args.run(global, environment),
            Self::Run(args) => args.run(global, environment),
            Self::Allow(args) => args.run(global, environment),
            Self::Rebuild(args) => args.run(global, environment),
            Self::Set(args) => args.run(global, environment),
            Self::Select(args) => args.run(global, environment),
            Self::Update(args) => args.run(global, environment),
            Self::Delete(args) => args.run(global, environment),
        }
    }
}

/// Makes rows that were changed by hand durable: no events are there to make them of again.
fn settle(projection: &Projection) -> anyhow::Result<()> {
    projection.settle().context("the rows are stored, but a power loss may take them back")
}
