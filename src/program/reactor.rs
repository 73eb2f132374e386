//! Programs that answer events with events.

use super::Program;
use super::runner::{Effects, FollowError, Following, Notice, Runner};
use super::told::{Acked, Cause};
use crate::event::{Chooser, Json, Link, NewEvent, Position};
use crate::store::{Error, Mark, Query, SealedEvent, Sealer, Stopped, Store, Subscription};
use crate::wire::{Reply, Role};

/// Has a program react to the events that a subscription follows, from its checkpoint on, up to `until`
/// where that is given.
///
/// The events that it answers with are committed with its acks, in one transaction with the checkpoint;
/// what is not acked is told again. An event that the subscription itself would follow is refused unless
/// `allow_loop`. `notice` is called where something should be known.
///
/// # Errors
///
/// [`FollowError`].
pub fn react(
    store: &mut Store,
    subscription: Subscription,
    until: Option<Position>,
    allow_loop: bool,
    program: Program,
    following: Following,
    notice: &mut dyn FnMut(Notice<'_>),
) -> Result<(), FollowError> {
    store.check_checkpoint(subscription.follows.name.as_str(), &subscription.checkpoint)?;
    let mut query = Query::by(subscription.follows.criteria.clone());
    query.until = until.map(Mark::Position);
    let own = (!allow_loop).then(|| Chooser::of(&query.criteria));
    let sealer = Sealer::new()?;
    let effects = Events {
        store,
        subscription,
        own,
        sealer,
        answered: Vec::new(),
        lines: Vec::new(),
        sealed: Vec::new(),
        done: None,
    };
    Runner { program, query, following, effects, notice }.run()
}

/// Events that a program answers with.
struct Events<'r> {
    store: &'r mut Store,
    subscription: Subscription,
    /// What is followed, where it must not be answered with.
    own: Option<Chooser>,
    sealer: Sealer,
    /// What was answered and is not acked.
    answered: Vec<NewEvent>,
    /// The line of each event, of those that are acked too.
    lines: Vec<u64>,
    /// What is acked.
    sealed: Vec<SealedEvent>,
    /// The event that was acked last, and what stands there, where that is known.
    done: Option<(Position, Option<Link>)>,
}

impl Effects for Events<'_> {
    const TELL_CAUSES: bool = true;

    fn store(&self) -> &Store {
        self.store
    }

    fn checkpoint(&self) -> Position {
        self.subscription.checkpoint.position
    }

    fn take(&mut self, reply: Reply<'_>, line: u64) -> Result<(), String> {
        let event = match reply {
            Reply::Append(line) => line.event,
            reply => return Err(reply.misplaced(Role::Reactor)),
        };
        let follows_itself = self.own.as_ref().is_some_and(|own| {
            let NewEvent { stream, event_type, tags, .. } = &event;
            own.item(stream.as_str(), event_type.as_str(), tags.borrow()).is_some()
        });
        if follows_itself {
            return Err(format!(
                "an event of `{}` is one that it follows, so it would react to itself; with --allow-loop it may",
                event.stream
            ));
        }
        if event.state.is_some() && !event.names_version() {
            let stream = event.stream.to_string();
            return Err(Error::StateWithoutVersion { stream }.to_string());
        }
        self.answered.push(event);
        self.lines.push(line);
        Ok(())
    }

    fn done(&mut self, acked: Acked) -> Result<(), Error> {
        self.done = Some(acked.place());
        // Where several events are acked at once, only the program knows which is the cause.
        let cause = if acked.events == 1 && !self.answered.is_empty() {
            match acked.told.and_then(|told| told.cause) {
                Some(cause) => Some(*cause),
                None => self.cause_at(acked.position)?,
            }
        } else {
            None
        };
        for mut event in self.answered.drain(..) {
            if let Some(cause) = &cause {
                event.metadata = Some(caused(event.metadata, cause));
            }
            self.sealed.push(self.sealer.seal(event));
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<Result<(), (u64, Error)>, Error> {
        let Some((position, link)) = self.done.take() else { return Ok(Ok(())) };
        let to = self.store.checkpoint_told(position, link)?;
        let events = std::mem::take(&mut self.sealed);
        let Subscription { follows, checkpoint } = &mut self.subscription;
        match self.store.react(&follows.name, &events, checkpoint.position, &to)? {
            Some(Stopped { index, error }) => Ok(Err((self.lines[index], error))),
            None => {
                *checkpoint = to;
                self.lines.drain(..events.len());
                Ok(Ok(()))
            }
        }
    }

    fn pass_over(&mut self, position: Position) -> Result<(), Error> {
        let to = self.store.checkpoint(position)?;
        let Subscription { follows, checkpoint } = &mut self.subscription;
        self.store.move_subscription(&follows.name, Some(checkpoint.position), &to)?;
        *checkpoint = to;
        Ok(())
    }

    fn forget(&mut self) {
        self.answered.clear();
        self.lines.clear();
        self.sealed.clear();
        self.done = None;
    }

    fn record(&mut self, failure: Option<&str>) -> Result<(), Error> {
        self.store.record_failure(self.subscription.follows.name.as_str(), failure)
    }
}

impl Events<'_> {
    /// The event at `position` as a cause, where nothing of it is kept.
    fn cause_at(&self, position: Position) -> Result<Option<Cause>, Error> {
        let mut query = Query::by(self.subscription.follows.criteria.clone());
        query.after = Some(Mark::Position(Position(position.0.saturating_sub(1))));
        query.until = Some(Mark::Position(position));
        let mut found = None;
        self.store.read(&query)?.next_batch(|event| found = Some(Cause::of(event)))?;
        Ok(found)
    }
}

/// Metadata that tells the cause, where it does not tell one itself.
fn caused(metadata: Option<Json>, cause: &Cause) -> Json {
    let mut metadata = metadata.unwrap_or_else(Json::empty_object);
    let (correlation, id) = (cause.correlation(), Some(&*cause.id));
    for (key, value) in [("correlation_id", correlation.as_deref()), ("causation_id", id)] {
        if let Some(value) = value {
            metadata = metadata.with_member(key, value).unwrap_or(metadata);
        }
    }
    metadata
}
