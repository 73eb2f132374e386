//! Looking: streams, states, names, and places in the log.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::event::{Data, Link, Pattern, Position, StreamName, Version};
use crate::store::look::{Asked, Look, Span, Want};
use crate::store::rules::names::{self, Kind, Name};
use crate::store::{Aggregate, Checkpoint, Error, State, StateCategory, StateEntry, Store, Stream};

/// How many bytes of state and events a decision is made of.
pub(super) const MOST_BYTES: usize = 64 * 1024 * 1024;

impl Store {
    /// Looks once. What is found is durable, or it is warned that it may not be.
    pub(in crate::store) fn look<T>(
        &self,
        work: impl FnOnce(&dyn Look) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (mut work, mut done) = (Some(work), None);
        self.engine.look(&mut |look| {
            if let Some(work) = work.take() {
                done = Some(work(look)?);
            }
            Ok(())
        })?;
        done.ok_or(Error::Interrupted)
    }

    /// At most `limit` streams that `pattern` chooses, by name, those after `after`.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn streams(
        &self,
        pattern: &Pattern,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Stream>, Error> {
        self.look(|look| look.streams(pattern, after, limit))
    }

    /// The stream `name`.
    ///
    /// # Errors
    ///
    /// [`Error::StreamNotFound`] where it holds no event.
    pub fn stream(&self, name: &str) -> Result<Stream, Error> {
        self.look(|look| {
            let found = look.stream(name)?;
            if found.events > 0 {
                return Ok(found);
            }
            Err(Error::StreamNotFound { stream: name.into(), near: look.near_streams(name)? })
        })
    }

    /// The version of the stream `name`: 0 where it never had an event, and kept by one whose events were
    /// removed.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn version(&self, name: &str) -> Result<Version, Error> {
        self.look(|look| Ok(look.stream(name)?.version))
    }

    /// The state of the stream `name`.
    ///
    /// # Errors
    ///
    /// [`Error::StateNotFound`]; [`Error::Damaged`] where it is not what was stored.
    pub fn state(&self, name: &str) -> Result<State, Error> {
        self.look(|look| match look.state(name)? {
            Some(state) => Ok(state),
            None => {
                Err(Error::StateNotFound { stream: name.into(), near: look.near_states(name)? })
            }
        })
    }

    /// At most `limit` states of the streams that `pattern` chooses, by name, those after `after`.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn states(
        &self,
        pattern: &Pattern,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StateEntry>, Error> {
        self.look(|look| look.states(pattern, after, limit))
    }

    /// How many states there are, by category.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn state_categories(&self) -> Result<Vec<StateCategory>, Error> {
        let mut categories = BTreeMap::<String, u64>::new();
        self.look(|look| {
            look.stream_of_each_state(&mut |stream| {
                let category = stream.split_once('-').map_or(stream, |(category, _)| category);
                match categories.get_mut(category) {
                    Some(states) => *states += 1,
                    None => drop(categories.insert(category.into(), 1)),
                }
            })
        })?;
        let entry = |(category, states)| StateCategory { category, states };
        Ok(categories.into_iter().map(entry).collect())
    }

    /// The stream `name` as an aggregator needs it, as it stands at one moment.
    ///
    /// # Errors
    ///
    /// [`Error::AggregateTooLarge`] where the state and the events behind it are more than a decision
    /// is made of; [`Error::Damaged`] where the state is not what was stored.
    pub fn load(&self, name: &StreamName) -> Result<Aggregate, Error> {
        self.look(|look| load(look, name))
    }

    /// A checkpoint at `position`.
    ///
    /// # Errors
    ///
    /// [`Error::BeyondHead`].
    pub fn checkpoint(&self, position: Position) -> Result<Checkpoint, Error> {
        self.look(|look| match look.link_at(position)? {
            Some(link) => Ok(Checkpoint { position, link }),
            None => Err(Error::BeyondHead { position, head: look.head()?.position }),
        })
    }

    /// The same where the event there was read before, with this link. Where that is not known, it is
    /// looked up.
    pub(crate) fn checkpoint_told(
        &self,
        position: Position,
        link: Option<Link>,
    ) -> Result<Checkpoint, Error> {
        match link {
            Some(link) => Ok(Checkpoint { position, link }),
            None => self.checkpoint(position),
        }
    }

    /// That `checkpoint`, of what is called `name`, is a place in this store's log.
    ///
    /// # Errors
    ///
    /// [`Error::OtherLog`].
    pub fn check_checkpoint(&self, name: &str, checkpoint: &Checkpoint) -> Result<(), Error> {
        let Checkpoint { position, link } = checkpoint;
        let reason = match self.look(|look| look.link_at(*position))? {
            Some(found) if found == *link => return Ok(()),
            // The first link is made from the store's id.
            Some(_) if position.0 == 0 => "it is from another store",
            Some(_) => "another event stands there now",
            None => "the store has lost what stood there",
        };
        let found = self.name(name)?;
        let projection = names::of_kind(found.as_ref(), name, Kind::Projection).is_some();
        Err(Error::OtherLog { name: name.into(), position: *position, reason, projection })
    }

    /// What the store keeps of `name`, but for upper and lower case.
    pub(in crate::store) fn name(&self, name: &str) -> Result<Option<Name>, Error> {
        self.look(|look| look.name(name))
    }

    /// What the store keeps of the names of a kind, by name.
    pub(in crate::store) fn names(&self, kind: Kind) -> Result<Vec<Name>, Error> {
        let mut names = self.look(|look| look.names())?;
        names.retain(|name| name.kind == Some(kind));
        Ok(names)
    }

    /// The position of the last event; 0 where there is none. It costs a look at one row.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn head(&self) -> Result<Position, Error> {
        self.look(|look| Ok(look.head()?.position))
    }
}

/// What a decision on a stream is made of.
fn load(look: &dyn Look, name: &StreamName) -> Result<Aggregate, Error> {
    let Stream { version, .. } = look.stream(name.as_str())?;
    let (state, state_version, after) = match look.state(name.as_str())? {
        Some(State { version, position, data, .. }) => (Some(data), version, position.0),
        None => (None, Version(0), 0),
    };
    let too_large = || {
        let stream = name.to_string();
        Error::AggregateTooLarge { stream, state_version, max: MOST_BYTES }
    };
    let Position(end) = look.head()?.position;
    let streams = [Pattern::of(name)];
    let asked = Asked { streams: &streams, after, end, most: end, known: state_version };
    let listing = look.positions(&asked, end)?.filter(|listing| listing.covered >= end);
    let listing = listing.ok_or_else(too_large)?;
    let mut bytes = state.as_ref().map_or(0, Data::len);
    let mut events = Vec::new();
    look.events(Span::Listed(&listing.events, &listing.streams), Want::All, &mut |_, event| {
        if let Some(event) = event {
            bytes += event.data.len() + event.metadata.map_or(0, str::len);
            events.push(event.to_event());
        }
        if bytes > MOST_BYTES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if bytes > MOST_BYTES {
        return Err(too_large());
    }
    Ok(Aggregate { stream: name.clone(), version, state, state_version, events })
}
