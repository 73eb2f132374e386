//! What an engine shows of a store as it is at one moment: what readers are made of.

use std::fmt;
use std::ops::ControlFlow;

use super::rules::StreamFacts;
use super::rules::names::Name;
use super::{Before, Error, EventEntry, State, StateEntry, Stream};
use crate::event::{EventRef, Link, Pattern, Position, StreamName, TagsRef, Timestamp, Version};

/// The last event of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) position: Position,
    pub(crate) recorded: Timestamp,
    pub(crate) link: Link,
}

impl Head {
    /// The head of a store without events.
    pub(crate) fn before_all(store_id: &str) -> Self {
        Self { position: Position(0), recorded: Timestamp::MIN, link: Link::genesis(store_id) }
    }
}

/// Which events a look gives.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Span<'s> {
    /// All behind the first position, up to the second.
    Between(u64, u64),
    /// The same, the last one first.
    Back(u64, u64),
    /// Those that are listed, in that order, of the streams with these names, if there are any.
    Listed(&'s [Listed], &'s [String]),
}

/// An event of a chosen stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) position: u64,
    pub(crate) version: u64,
    /// Which of the streams it belongs to.
    pub(crate) stream: u32,
}

impl Listed {
    /// An event of which nothing else is known.
    pub(crate) fn at(position: u64) -> Self {
        Self { position, version: 0, stream: 0 }
    }
}

/// Where events stand that are chosen.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// By position.
    pub(crate) events: Vec<Listed>,
    /// The streams that they are of; none where that is not known of them, nor their versions.
    pub(crate) streams: Vec<String>,
    /// All up to this position are listed.
    pub(crate) covered: u64,
}

/// What of the events behind a position, and up to another, is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'q> {
    /// Those of the streams that one of these matches.
    pub(crate) streams: &'q [Pattern],
    pub(crate) after: u64,
    pub(crate) end: u64,
    /// How many events the streams may have together, unless it is one stream.
    pub(crate) most: u64,
    /// A version up to which the events of the one stream are known to stand at `after` or before.
    pub(crate) known: Version,
}

/// How much of an index may be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// How many events may be listed.
    pub(crate) listed: u64,
    /// How many may be looked through for them.
    pub(crate) looked: u64,
}

/// What of an event is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// All of it, compared with its sum.
    All,
    /// What says which event it is, and its times. Its data and metadata are not read, so that it is not compared
    /// with its sum.
    NoData,
}

/// Takes events, and says whether there may be more: where each stands, and the event itself if it was not removed.
pub(crate) type Each<'e> = &'e mut dyn FnMut(u64, Option<&EventRef<'_>>) -> ControlFlow<()>;

/// A store as it is at one moment. What is found is as it was stored; where it is not, that is
/// [`Error::Damaged`].
pub(crate) trait Look {
    fn head(&self) -> Result<Head, Error>;

    /// The link of the event at a position, that of no event at 0; nothing behind the head.
    fn link_at(&self, position: Position) -> Result<Option<Link>, Error>;

    /// The position of the event `version` of a stream, and the stream's version; nothing where it has fewer.
    fn position_of(
        &self,
        stream: &str,
        version: Version,
    ) -> Result<(Option<Position>, Version), Error>;

    /// The position before the first event that was recorded at `time` or later; that of the head where none was.
    fn before_recorded(&self, time: Timestamp, head: u64) -> Result<u64, Error>;

    /// Where the events of the chosen streams stand, up to the head `head`; nothing where that is not known
    /// at less cost than that of looking at each event.
    fn positions(&self, asked: &Asked<'_>, head: u64) -> Result<Option<Listing>, Error>;

    /// Where the events with all of these tags stand, behind the first position and up to the second; nothing where
    /// that is more to list, or to look through, than it may be.
    fn positions_with(
        &self,
        tags: TagsRef<'_>,
        between: (u64, u64),
        most: Effort,
    ) -> Result<Option<Listing>, Error>;

    /// Gives events to `each`, until that has enough. Each position has to be there.
    fn events(&self, span: Span<'_>, want: Want, each: Each<'_>) -> Result<(), Error>;

    /// A stream, whether it holds an event or not; of version 0 where it never did.
    fn stream(&self, name: &str) -> Result<Stream, Error>;

    /// At most `limit` streams that hold an event and that `pattern` chooses, by name, those behind `after`.
    fn streams(
        &self,
        pattern: &Pattern,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Stream>, Error>;

    /// What the rules have to know of streams.
    fn stream_facts(&self, names: &[StreamName]) -> Result<Vec<StreamFacts>, Error>;

    /// The last versions of streams that stand before a place; that before the first event that is left where no
    /// more does.
    fn last_before(&self, names: &[StreamName], before: Before) -> Result<Vec<Version>, Error>;

    /// How many events of a stream have tags: of those behind a version, up to another.
    fn tagged(&self, stream: &str, after: Version, last: Version) -> Result<u64, Error>;

    /// What the rules have to know of events, each of which has to be there.
    fn event_facts(&self, positions: &[Position]) -> Result<Vec<EventEntry>, Error>;

    /// The position of the event with this id, given or derived.
    fn position_by_id(&self, id: &str) -> Result<Option<Position>, Error>;

    /// The streams that hold an event and whose names are nearest to `name`, or begin with it.
    fn near_streams(&self, name: &str) -> Result<Vec<String>, Error>;

    /// The state of a stream, where it has one.
    fn state(&self, name: &str) -> Result<Option<State>, Error>;

    /// At most `limit` states of the streams that `pattern` chooses, by name, those behind `after`.
    fn states(
        &self,
        pattern: &Pattern,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StateEntry>, Error>;

    /// Gives the stream of each state to `each`, in no order.
    fn stream_of_each_state(&self, each: &mut dyn FnMut(&str)) -> Result<(), Error>;

    /// The streams with a state whose names are nearest to `name`, or begin with it.
    fn near_states(&self, name: &str) -> Result<Vec<String>, Error>;

    /// What is kept of `name`, but for upper and lower case.
    fn name(&self, name: &str) -> Result<Option<Name>, Error>;

    /// What is kept of each name, by name.
    fn names(&self) -> Result<Vec<Name>, Error>;

    /// All settings: pattern, key and value of each.
    fn settings(&self) -> Result<Vec<(String, String, String)>, Error>;
}

/// Looks at a store again and again.
pub(crate) trait Reading: fmt::Debug + Send {
    /// Looks at the store. `work` is given the last position that is known to be durable: what lies behind it is
    /// not to be shown.
    fn look(
        &mut self,
        work: &mut dyn FnMut(&dyn Look, u64) -> Result<(), Error>,
    ) -> Result<(), Error>;

    /// Whether something may have been stored since this was last asked; that the store is still there is looked
    /// at as well.
    fn changed(&mut self) -> Result<bool, Error>;
}
