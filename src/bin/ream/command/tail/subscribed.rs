//! `ream tail --as NAME`: a subscription, and a program that reacts.

use std::io::{self, IsTerminal as _};

use ream::program::{Notice, Program, react};
use ream::{Error, NewSubscription, Position, Store, SubscriptionName};

use super::TailArgs;
use crate::args::Global;
use crate::command::following;
use crate::environment::Environment;
use crate::output::note;
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
        let (mut new, start, until) = self.choice.followed(name.clone())?;
        let reached = signals.hold(|| {
            let _lock = store.take_run(name.as_str(), self.following.wait())?;
            let start = self.start(&store, &mut new, start, global)?;
            let subscription =
                store.subscribe(&new, start).map_err(|error| self.choice.as_asked(error))?;
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

    /// Where a new subscription begins. One that is there goes on where it is, with what it follows where
    /// nothing is given to follow.
    fn start(
        &self,
        store: &Store,
        new: &mut NewSubscription,
        start: Option<Position>,
        global: &Global,
    ) -> anyhow::Result<Position> {
        let found = match store.subscription(new.name.as_str()) {
            Err(Error::SubscriptionNotFound { .. }) if self.only_new => {
                return Ok(store.head()?);
            }
            Err(Error::SubscriptionNotFound { .. }) => return Ok(start.unwrap_or(Position(0))),
            found => found?,
        };
        match (&mut new.criteria.items[..], &found.follows.criteria.items[..]) {
            ([], _) => new.criteria = found.follows.criteria,
            ([new], [found]) if new.streams.is_empty() => new.streams.clone_from(&found.streams),
            _ => {}
        }
        let place = found.checkpoint.position;
        if (start.is_some() || self.only_new) && io::stderr().is_terminal() {
            let message = format!(
                "`{}` goes on behind position {place}; --new, --after and --from are for a new subscription",
                new.name
            );
            note(global, "note:", &message);
        }
        Ok(place)
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
            .on_store(store)
            .named(name.as_str())
            .interrupted_by(signals.flag())
            .passing_on(signals.number()))
    }
}
