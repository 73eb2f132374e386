//! `ream project run`.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use ream::program::{Following, Program, project};
use ream::{Definition, Identifier, Pattern, Position, Projection, Store};

use crate::args::Global;
use crate::command::following::{self, FollowingArgs, HowArgs};
use crate::environment::Environment;
use crate::output::warn_of;
use crate::refused::{Refused, invalid, quote};
use crate::signals::Signals;
use crate::units;

/// Run the program that makes a projection
///
/// The program reads events from its standard input, one a line, and writes what they make of rows to
/// its standard output: `set`, `upsert`, `update`, `delete`, and `ack` when an event is done. Rows and
/// checkpoint are stored together, so each event counts once, whatever fails. Patterns and program are
/// remembered.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream project run users 'user-*' -- ./users.py     make it, and follow
  ream project run users                            the same again, from where it is
  ream project run users --until-caught-up          and end there
  ream project run users 'user-*' --per-event -- ./one.sh")]
pub(crate) struct RunArgs {
    /// The projection
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    made: MadeArgs,
    #[command(flatten)]
    following: FollowingArgs,
    /// Give the program TIME to end when ream is interrupted [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    grace: Option<Duration>,
}

/// What a projection is made from, and by what.
#[derive(Debug, Args)]
pub(super) struct MadeArgs {
    /// The streams that it is made from; `*` stands for any characters: 'user-*'
    #[arg(value_name = "PATTERN")]
    pub(super) patterns: Vec<Pattern>,
    /// The program, and its arguments
    #[arg(value_name = "PROGRAM", last = true)]
    pub(super) program: Vec<String>,
}

impl RunArgs {
    pub(super) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let name: Identifier = self.name.parse().map_err(invalid)?;
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        let mut store = global.open(environment, &options)?;
        store.projection(&self.name)?;
        warn_of(global, &store);
        let reached = signals.hold(|| {
            let _lock = store.take_run(&self.name, self.following.wait())?;
            let definition = self.definition(&mut store, &name, environment)?;
            let mut projection = store.projection(&self.name)?;
            let program = program(&store, &definition, environment, &signals)?;
            let mut following = self.following.following(self.grace);
            following::as_remembered(&mut following, &definition);
            follow(&mut store, &mut projection, program, following, global)?;
            anyhow::Ok(projection.checkpoint()?.position)
        })?;
        following::write_reached(global, "projection", name.as_str(), reached)
    }

    /// What the projection is made of, with what is given remembered; refuses what is given otherwise than
    /// it was, once something has been made.
    fn definition(
        &self,
        store: &mut Store,
        name: &Identifier,
        environment: &Environment,
    ) -> anyhow::Result<Definition> {
        let projection = store.projection(name.as_str())?;
        let was = &projection.entry().definition;
        let definition = self.made.definition(was, &self.following.how, store, environment);
        if definition == *was {
            return Ok(definition);
        }
        if projection.checkpoint()?.position > Position(0) {
            return Err(self.changed(name, was).into());
        }
        store.remember(name, &definition)?;
        Ok(definition)
    }

    /// That a projection is made from something else.
    fn changed(&self, name: &Identifier, was: &Definition) -> Refused {
        let from: Vec<String> = was.from.iter().map(|pattern| quote(pattern.as_str())).collect();
        let from = if from.is_empty() { "all streams".into() } else { from.join(" ") };
        let program: Vec<String> = was.program.iter().map(|word| quote(word)).collect();
        let once = match was.batch {
            None => String::new(),
            Some(_) if was.per_event => ", once an event".into(),
            Some(batch) => format!(", once for up to {batch} events"),
        };
        let mut again = format!("ream project rebuild {name}");
        self.made.patterns.iter().for_each(|pattern| {
            again.push(' ');
            again.push_str(&quote(pattern.as_str()));
        });
        match self.following.how.at_once() {
            None => {}
            Some(_) if self.following.how.per_event => again.push_str(" --per-event"),
            Some(batch) => drop(write!(again, " --batch {batch}")),
        }
        if !self.made.program.is_empty() {
            again.push_str(" --");
        }
        self.made.program.iter().for_each(|word| {
            again.push(' ');
            again.push_str(&quote(word));
        });
        Refused::Invalid {
            message: format!("`{name}` is made from {from} by {}{once}", program.join(" ")),
            hint: Some(format!(
                "go on with that: ream project run {name}; or make it anew: {again}"
            )),
        }
    }
}

impl MadeArgs {
    /// The definition `was` with what is given.
    pub(super) fn definition(
        &self,
        was: &Definition,
        how: &HowArgs,
        store: &Store,
        environment: &Environment,
    ) -> Definition {
        let mut definition = was.clone();
        if !self.patterns.is_empty() {
            definition.from.clone_from(&self.patterns);
        }
        if !self.program.is_empty() && was.program != self.program {
            let directory = following::to_remember(store.path(), &environment.directory);
            definition.program.clone_from(&self.program);
            definition.directory = Some(directory);
            (definition.batch, definition.per_event) = (None, false);
        }
        if let Some(events) = how.at_once() {
            (definition.batch, definition.per_event) = (Some(events), how.per_event);
        }
        definition
    }
}

/// The program that a projection remembers.
pub(super) fn program(
    store: &Store,
    definition: &Definition,
    environment: &Environment,
    signals: &Signals,
) -> anyhow::Result<Program> {
    let Some((file, args)) = definition.program.split_first() else {
        return Err(
            Refused::Usage("a program is needed: ream project run NAME -- PROGRAM".into()).into()
        );
    };
    let directory = match &definition.directory {
        Some(directory) => following::remembered(store.path(), directory),
        None => environment.directory.clone(),
    };
    let program = Program::new(file, args.iter().map(Into::into));
    Ok(program
        .in_directory(directory)
        .on_store(store.path())
        .interrupted_by(signals.flag())
        .passing_on(signals.number()))
}

/// Has a program make a projection.
pub(super) fn follow(
    store: &mut Store,
    projection: &mut Projection,
    program: Program,
    following: Following,
    global: &Global,
) -> anyhow::Result<()> {
    let name = projection.entry().name.to_string();
    let mut notice = |notice: ream::program::Notice<'_>| following::tell(global, &notice);
    project(store, projection, program.named(&name), following, &mut notice)
        .map_err(following::failed)
}
