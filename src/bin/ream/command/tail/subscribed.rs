//! `ream tail --as NAME`: a subscription, and a program that reacts.

use ream::program::{Notice, Program, react};
use ream::{Position, Store, SubscriptionName};

use super::TailArgs;
use crate::args::Global;
use crate::command::following;
use crate::environment::Environment;
use crate::output::warn_of;
use crate::refused::Refused;
use crate::signals::Signals;

impl TailArgs {
    /// Has a program react to what the subscription `name` follows.
    pub(super) fn run_as(
        &self,
        name: &SubscriptionName,
        global: &Global,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        let mut store = global.open(environment, &options)?;
        let (new, start, until) = self.choice.followed(name.clone())?;
        let reached = signals.hold(|| {
            let _lock = store.take_run(name.as_str(), self.following.wait())?;
            let start = self.start(&store, name, start)?;
            let subscription =
                store.subscribe(&new, start).map_err(|error| self.choice.as_asked(error))?;
            warn_of(global, &store);
            let program = self.program(&store, name, &signals)?;
            let following = self.following.following(self.grace);
            let mut notice = |notice: Notice<'_>| following::tell(global, &notice);
            let reacted = react(
                &mut store,
                subscription,
                until,
                self.allow_loop,
                program,
                following,
                &mut notice,
            );
            reacted.map_err(following::failed)?;
            anyhow::Ok(store.subscription(name.as_str())?.checkpoint.position)
        })?;
        following::write_reached(global, "subscription", name.as_str(), reached)
    }

    /// Where a new subscription begins. One that is there goes on where it is.
    fn start(
        &self,
        store: &Store,
        name: &SubscriptionName,
        start: Option<Position>,
    ) -> anyhow::Result<Position> {
        if (start.is_some() || self.only_new)
            && let Ok(found) = store.subscription(name.as_str())
        {
            let checkpoint = found.checkpoint.position;
            let place = start.map_or_else(|| "end".into(), |start| start.to_string());
            return Err(Refused::Invalid {
                message: format!(
                    "the subscription `{name}` is at position {checkpoint} and goes on there"
                ),
                hint: Some(format!("to move it: ream subscription seek {name} {place}")),
            }
            .into());
        }
        Ok(if self.only_new { store.status()?.head } else { start.unwrap_or(Position(0)) })
    }

    fn program(
        &self,
        store: &Store,
        name: &SubscriptionName,
        signals: &Signals,
    ) -> anyhow::Result<Program> {
        let Some((file, args)) = self.program.split_first() else {
            return Err(Refused::Usage("--as needs a program: -- PROGRAM".into()).into());
        };
        Ok(Program::new(file, args.iter().cloned())
            .on_store(store.path())
            .named(name.as_str())
            .interrupted_by(signals.flag())
            .passing_on(signals.number()))
    }
}
