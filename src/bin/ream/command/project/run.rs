//! `ream project run`.

use std::time::Duration;

use clap::Args;
use ream::program::{Following, Program, project};
use ream::{
    Definition, Identifier, Options, Pattern, Position, Projection, ProjectionEntry, Store,
};

use crate::args::Global;
use crate::command::following::{self, FollowingArgs, HowArgs};
use crate::environment::Environment;
use crate::hint::{Hint, quote, quote_all};
use crate::refused::{Refused, invalid};
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
  ream project run users 'user-*' --per-event -- ./one.sh
  ream project run users --allow                    even if its program was not allowed here")]
pub(crate) struct RunArgs {
    /// The projection
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    made: MadeArgs,
    #[command(flatten)]
    allow: Allow,
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
        self.allow.apply(&mut options);
        let mut store = global.open(environment, &options)?;
        store.projection(&self.name)?;
        let reached = signals.hold(|| {
            let _lock = store.take_run(&self.name, self.following.wait())?;
            let mut projection = store.projection(&self.name)?;
            let entry = self.entry(&projection, &store, environment)?;
            let program = program(&store, &entry, &signals)?;
            if entry != *projection.entry() {
                store.remember(&entry)?;
                projection = store.projection(&self.name)?;
            }
            let mut following = self.following.following(self.grace);
            following::as_remembered(&mut following, &entry.definition);
            follow(&mut store, &mut projection, program, following, global)?;
            anyhow::Ok(projection.checkpoint()?.position)
        })?;
        following::write_reached(global, "projection", name.as_str(), reached)
    }

    /// What the projection is made of, with what is given; refuses what is given otherwise than it was, once
    /// something has been made.
    fn entry(
        &self,
        projection: &Projection,
        store: &Store,
        environment: &Environment,
    ) -> anyhow::Result<ProjectionEntry> {
        let was = projection.entry();
        let entry = self.made.entry(was, &self.following.how, store, environment);
        // Where a program is run changes nothing of what it makes.
        let directory = was.definition.directory.clone();
        let made = Definition { directory, ..entry.definition.clone() };
        if made != was.definition && projection.checkpoint()?.position > Position(0) {
            return Err(Self::changed(&was.name, &was.definition).into());
        }
        Ok(entry)
    }

    /// That a projection is made from something else.
    fn changed(name: &Identifier, was: &Definition) -> Refused {
        let from: Vec<String> = was.from.iter().map(|pattern| quote(pattern.as_str())).collect();
        let from = if from.is_empty() { "all streams".into() } else { from.join(" ") };
        let program = quote_all(&was.program);
        let once = match was.batch {
            None => String::new(),
            Some(_) if was.per_event => ", once an event".into(),
            Some(batch) => format!(", once for up to {batch} events"),
        };
        let go_on = Hint::again("go on with that").without("PATTERN").without("PROGRAM");
        let go_on = go_on.without("--per-event").without("--batch");
        let anew = Hint::again("make it anew").named("rebuild");
        let anew = anew.without("--until-caught-up").without("--wait");
        Refused::Invalid {
            message: format!("`{name}` is made from {from} by {program}{once}"),
            hint: Some(go_on.or(anew)),
        }
    }
}

impl MadeArgs {
    /// The projection `was` with what is given.
    pub(super) fn entry(
        &self,
        was: &ProjectionEntry,
        how: &HowArgs,
        store: &Store,
        environment: &Environment,
    ) -> ProjectionEntry {
        let mut entry = was.clone();
        if !self.patterns.is_empty() {
            entry.definition.from.clone_from(&self.patterns);
        }
        let other = was.definition.program != self.program;
        if !self.program.is_empty() && other {
            (entry.definition.batch, entry.definition.per_event) = (None, false);
        }
        // The same program goes on where it was given, but not where someone else's store says.
        if !self.program.is_empty() && (other || !store.allows(was)) {
            store.give(&mut entry, self.program.clone(), &environment.directory);
        }
        if let Some(events) = how.at_once() {
            (entry.definition.batch, entry.definition.per_event) = (Some(events), how.per_event);
        }
        entry
    }
}

/// Whether a remembered program may run that was neither given nor allowed here.
#[derive(Debug, Args)]
pub(super) struct Allow {
    /// Run the remembered program this once, even if it was neither given nor allowed here
    #[arg(long)]
    allow: bool,
}

impl Allow {
    pub(super) fn is_given(&self) -> bool {
        self.allow
    }

    /// Has the store run such a program, where that is said.
    pub(super) fn apply(&self, options: &mut Options) {
        options.allow_programs |= self.allow;
    }
}

/// That a projection remembers a program that makes it.
pub(super) fn check_remembers(entry: &ProjectionEntry) -> Result<(), Refused> {
    if !entry.definition.program.is_empty() {
        return Ok(());
    }
    let name = &entry.name;
    Err(Refused::Invalid {
        message: format!("`{name}` remembers no program that makes it"),
        hint: Some(Hint::help("give it a program once, behind --", &["project", "run"])),
    })
}

/// The program that makes a projection.
pub(super) fn program(
    store: &Store,
    entry: &ProjectionEntry,
    signals: &Signals,
) -> anyhow::Result<Program> {
    match Program::remembered(store, entry)? {
        Some(program) => Ok(program.interrupted_by(signals.flag()).passing_on(signals.number())),
        None => Err(Refused::Usage("a program is needed: -- PROGRAM".into()).into()),
    }
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
