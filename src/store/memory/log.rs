//! What a store in memory holds, and how it is shown.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::faults::Faults;
use crate::event::{
    ChosenStreams, Data, EventId, EventRef, EventType, Json, Link, Pattern, Position, StreamName,
    Tags, TagsRef, Timestamp, Version, position_in,
};
use crate::near::Nearest;
use crate::store::look::{Asked, Each, Effort, Head, Listed, Listing, Look, Span, Want};
use crate::store::rules::names::Name;
use crate::store::rules::{Kept, KnownDecision, StreamFacts};
use crate::store::{
    Before, Decided, DecidedEvent, Error, EventEntry, EventFault, Mark, State, StateEntry, Stream,
};
use crate::wire::write_derived_id;

/// An event.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) position: Position,
    pub(super) stream: StreamName,
    pub(super) version: Version,
    pub(super) recorded: Timestamp,
    pub(super) link: Link,
    pub(super) id: Option<EventId>,
    /// None where it is removed; then all that follow are none as well.
    pub(super) event_type: Option<EventType>,
    /// The time that the writer gave, where it did.
    pub(super) time: Option<Timestamp>,
    pub(super) tags: Tags,
    /// None where it is redacted or removed; then there is no metadata either.
    pub(super) data: Option<Data>,
    pub(super) metadata: Option<Json>,
}

impl Row {
    fn event(&self, want: Want) -> Option<EventRef<'_>> {
        let data = self.data.as_ref().filter(|_| want == Want::All).map(Data::borrow);
        Some(EventRef {
            position: self.position,
            stream: self.stream.as_str(),
            version: self.version,
            given_id: self.id.as_ref().map(EventId::as_str),
            event_type: self.event_type.as_ref()?.as_str(),
            time: self.time.unwrap_or(self.recorded),
            recorded: self.recorded,
            tags: self.tags.borrow(),
            data: data.unwrap_or(crate::event::DataRef::Json("{}")),
            metadata: self.metadata.as_ref().filter(|_| want == Want::All).map(Json::as_str),
            redacted: want == Want::All && self.data.is_none(),
            link: self.link,
        })
    }

    /// Its id, its own or the one that it is known by.
    fn known_by(&self) -> String {
        if let Some(id) = &self.id {
            return id.to_string();
        }
        let mut id = Vec::new();
        write_derived_id(&mut id, &self.link, self.position);
        String::from_utf8_lossy(&id).into_owned()
    }

    pub(super) fn is_removed(&self) -> bool {
        self.event_type.is_none()
    }

    pub(super) fn is_redacted(&self) -> bool {
        !self.is_removed() && self.data.is_none()
    }
}

/// A stream: where its events stand.
#[derive(Debug, Clone, Default)]
pub(super) struct StreamRow {
    pub(super) positions: Vec<u64>,
    /// The version up to which they are removed.
    pub(super) removed: u64,
    pub(super) protected: bool,
}

impl StreamRow {
    pub(super) fn version(&self) -> u64 {
        self.positions.len() as u64
    }

    fn exists(&self) -> bool {
        self.version() > self.removed
    }

    /// Where the event of a version stands; 0 for version 0.
    pub(super) fn position_of(&self, version: Version) -> u64 {
        let index = usize::try_from(version.0).unwrap_or(usize::MAX).checked_sub(1);
        index.and_then(|index| self.positions.get(index)).copied().unwrap_or_default()
    }
}

/// A state.
#[derive(Debug, Clone)]
pub(super) struct StateRow {
    pub(super) version: Version,
    pub(super) position: Position,
    pub(super) data: Data,
}

/// The answer to a command.
#[derive(Debug, Clone)]
pub(super) struct DecisionRow {
    /// The stream and its version after it; none where it was made on a boundary.
    pub(super) stream: Option<(String, Version)>,
    pub(super) positions: Vec<Position>,
    /// The command, until an event of it is removed or redacted.
    pub(super) command: Option<(Option<String>, String)>,
}

/// All that a store holds but the rows of projections. To copy it copies no event.
#[derive(Debug, Clone)]
pub(super) struct Log {
    /// What the link before the first event is.
    pub(super) genesis: Link,
    pub(super) events: Vec<Arc<Row>>,
    pub(super) streams: BTreeMap<String, Arc<StreamRow>>,
    /// The positions of the events that were given an id.
    pub(super) ids: HashMap<String, u64>,
    pub(super) states: BTreeMap<String, Arc<StateRow>>,
    pub(super) decisions: HashMap<String, Arc<DecisionRow>>,
    /// By name in lower case.
    pub(super) names: BTreeMap<String, Name>,
    /// By pattern and key.
    pub(super) settings: BTreeMap<(String, String), String>,
}

impl Log {
    pub(super) fn new(id: &str) -> Self {
        Self {
            genesis: Link::genesis(id),
            events: Vec::new(),
            streams: BTreeMap::new(),
            ids: HashMap::new(),
            states: BTreeMap::new(),
            decisions: HashMap::new(),
            names: BTreeMap::new(),
            settings: BTreeMap::new(),
        }
    }

    pub(super) fn head(&self) -> Head {
        match self.events.last() {
            Some(row) => Head { position: row.position, recorded: row.recorded, link: row.link },
            None => Head { position: Position(0), recorded: Timestamp::MIN, link: self.genesis },
        }
    }

    /// The event at a position.
    pub(super) fn event(&self, position: u64) -> Option<&Arc<Row>> {
        self.events.get(usize::try_from(position.checked_sub(1)?).ok()?)
    }

    pub(super) fn stream(&self, name: &str) -> StreamRow {
        self.streams.get(name).map(|row| StreamRow::clone(row)).unwrap_or_default()
    }

    pub(super) fn facts(&self, name: &str) -> StreamFacts {
        let row = self.streams.get(name);
        StreamFacts {
            version: row.map_or(0, |row| row.version()),
            removed: row.map_or(0, |row| row.removed),
            protected: row.is_some_and(|row| row.protected),
            has_state: self.states.contains_key(name),
            state: self.states.get(name).map(|state| state.version),
        }
    }

    pub(super) fn event_facts(&self, positions: &[Position]) -> Result<Vec<EventEntry>, Error> {
        let facts = positions.iter().map(|position| {
            let missing = || Error::Event(EventFault::NotFound { event: position.to_string() });
            let row = self.event(position.0).ok_or_else(missing)?;
            Ok(EventEntry {
                position: *position,
                stream: row.stream.clone(),
                version: row.version,
                removed: row.is_removed(),
                redacted: row.is_redacted(),
                tagged: !row.tags.is_empty(),
                id: row.known_by(),
            })
        });
        facts.collect()
    }

    /// The event with an id, given or derived.
    pub(super) fn by_id(&self, id: &str) -> Option<&Arc<Row>> {
        if let Some((prefix, position)) = position_in(id)
            && let Some(row) = self.event(position.0)
            && row.id.is_none()
            && row.link.prefix() == prefix.as_bytes()
        {
            return Some(row);
        }
        self.ids.get(id).and_then(|position| self.event(*position))
    }

    /// The last version of a stream that stands before a place; that before the first that is left where no more
    /// does.
    pub(super) fn last_before(&self, name: &str, before: Before) -> Version {
        let row = self.stream(name);
        let time =
            |position: &u64| self.event(*position).map(|row| row.time.unwrap_or(row.recorded));
        let left = (1..).zip(&row.positions).skip(usize::try_from(row.removed).unwrap_or(0));
        let last = match before {
            Before::Mark(Mark::Version(version)) => return Version(version.0.saturating_sub(1)),
            Before::Mark(Mark::Position(place)) => {
                left.take_while(|(_, position)| **position < place.0).last()
            }
            Before::Time(until) => {
                left.take_while(|(_, position)| time(position) < Some(until)).last()
            }
        };
        Version(last.map_or(row.removed, |(version, _)| version))
    }

    pub(super) fn settings(&self) -> Vec<(String, String, String)> {
        let each = self.settings.iter();
        each.map(|((pattern, key), value)| (pattern.clone(), key.clone(), value.clone())).collect()
    }

    pub(super) fn decision(&self, kept: &Kept<'_>) -> Option<KnownDecision> {
        let row = self.decisions.get(kept.id)?;
        let same = row.command.as_ref().is_none_or(|(query, command)| {
            query.as_deref() == kept.query && command == kept.command
        });
        let events = row.positions.iter().filter_map(|position| {
            let row = self.event(position.0)?;
            let mut event = DecidedEvent::found(
                row.stream.clone(),
                (row.position, row.version),
                row.link,
                row.id.clone(),
            );
            event.appended.removed = row.is_removed();
            event.appended.redacted = row.is_redacted();
            Some(event)
        });
        let events: Vec<DecidedEvent> = events.collect();
        // Its command is forgotten with one of its events that is redacted, too.
        let removed = row.command.is_none() && !events.iter().any(|event| event.appended.redacted);
        let (stream, version) = row.stream.clone().unzip();
        let version = version.unwrap_or_default();
        let decided = Decided { version, events, duplicate: true, removed };
        Some(KnownDecision { stream: stream.map(Into::into), same, decided })
    }

    pub(super) fn state_of(&self, name: &str) -> Option<State> {
        let row = self.states.get(name)?;
        Some(State {
            stream: StreamName::stored(name),
            version: row.version,
            stream_version: Version(self.stream(name).version()),
            position: row.position,
            data: row.data.clone(),
        })
    }

    fn shown(name: &str, row: &StreamRow) -> Stream {
        let version = Version(row.version());
        Stream {
            name: StreamName::stored(name),
            version,
            events: version.0 - row.removed,
            removed: Version(row.removed),
            last_position: Position(row.position_of(version)),
            protected: row.protected,
        }
    }

    /// What of a map is chosen, in order.
    fn chosen<'m, T>(
        map: &'m BTreeMap<String, T>,
        pattern: &'m Pattern,
        after: Option<&'m str>,
    ) -> impl Iterator<Item = (&'m String, &'m T)> {
        map.iter().filter(move |(name, _)| {
            pattern.matches(name) && after.is_none_or(|after| name.as_str() > after)
        })
    }
}

/// A log as it is at one moment.
pub(super) struct View<'v> {
    pub(super) log: &'v Log,
    pub(super) faults: &'v Faults,
}

impl View<'_> {
    /// What of the log is asked for, unless this is to fail.
    fn ask(&self) -> Result<&Log, Error> {
        self.faults.check("read the store")?;
        Ok(self.log)
    }
}

impl Look for View<'_> {
    fn head(&self) -> Result<Head, Error> {
        Ok(self.ask()?.head())
    }

    fn link_at(&self, position: Position) -> Result<Option<Link>, Error> {
        let log = self.ask()?;
        Ok(match position.0 {
            0 => Some(log.genesis),
            position => log.event(position).map(|row| row.link),
        })
    }

    fn position_of(
        &self,
        stream: &str,
        version: Version,
    ) -> Result<(Option<Position>, Version), Error> {
        let row = self.ask()?.stream(stream);
        let actual = Version(row.version());
        let found = (version <= actual).then(|| Position(row.position_of(version)));
        Ok((found, actual))
    }

    fn before_recorded(&self, time: Timestamp, head: u64) -> Result<u64, Error> {
        let before = self.ask()?.events.partition_point(|row| row.recorded < time);
        Ok(head.min(before as u64))
    }

    fn positions(&self, asked: &Asked<'_>, head: u64) -> Result<Option<Listing>, Error> {
        let log = self.ask()?;
        let streams = ChosenStreams::of(asked.streams);
        let mut listing = Listing { covered: head, ..Listing::default() };
        for (name, row) in log.streams.iter().filter(|(name, _)| streams.contains(name)) {
            let stream = u32::try_from(listing.streams.len()).unwrap_or(u32::MAX);
            listing.streams.push(name.clone());
            for (version, position) in (1..).zip(&row.positions) {
                if (asked.after + 1..=asked.end).contains(position) {
                    listing.events.push(Listed { position: *position, version, stream });
                }
            }
        }
        listing.events.sort_unstable_by_key(|event| event.position);
        Ok(Some(listing))
    }

    fn positions_with(
        &self,
        tags: TagsRef<'_>,
        (after, end): (u64, u64),
        _most: Effort,
    ) -> Result<Option<Listing>, Error> {
        let log = self.ask()?;
        let rows = (after + 1..=end).filter_map(|position| log.event(position));
        let tagged = rows.filter(|row| row.tags.borrow().contain(tags));
        let events = tagged.map(|row| Listed::at(row.position.0)).collect();
        Ok(Some(Listing { events, streams: Vec::new(), covered: end }))
    }

    fn events(&self, span: Span<'_>, want: Want, each: Each<'_>) -> Result<(), Error> {
        let log = self.ask()?;
        let mut give = |position: u64| match log.event(position) {
            Some(row) => each(position, row.event(want).as_ref()),
            None => ControlFlow::Break(()),
        };
        let _ = match span {
            Span::Between(after, end) => (after + 1..=end).try_for_each(&mut give),
            Span::Back(after, end) => (after + 1..=end).rev().try_for_each(&mut give),
            Span::Listed(events, _) => events.iter().try_for_each(|one| give(one.position)),
        };
        Ok(())
    }

    fn stream(&self, name: &str) -> Result<Stream, Error> {
        let log = self.ask()?;
        Ok(Log::shown(name, &log.stream(name)))
    }

    fn streams(
        &self,
        pattern: &Pattern,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Stream>, Error> {
        let log = self.ask()?;
        let chosen = Log::chosen(&log.streams, pattern, after).filter(|(_, row)| row.exists());
        Ok(chosen.take(limit).map(|(name, row)| Log::shown(name, row)).collect())
    }

    fn stream_facts(&self, names: &[StreamName]) -> Result<Vec<StreamFacts>, Error> {
        let log = self.ask()?;
        Ok(names.iter().map(|name| log.facts(name.as_str())).collect())
    }

    fn last_before(&self, names: &[StreamName], before: Before) -> Result<Vec<Version>, Error> {
        let log = self.ask()?;
        Ok(names.iter().map(|name| log.last_before(name.as_str(), before)).collect())
    }

    fn tagged(&self, stream: &str, after: Version, last: Version) -> Result<u64, Error> {
        let log = self.ask()?;
        let row = log.stream(stream);
        let events = (after.0 + 1..=last.0).map(|version| row.position_of(Version(version)));
        let tagged = |position: &u64| log.event(*position).is_some_and(|row| !row.tags.is_empty());
        Ok(events.filter(tagged).count() as u64)
    }

    fn event_facts(&self, positions: &[Position]) -> Result<Vec<EventEntry>, Error> {
        self.ask()?.event_facts(positions)
    }

    fn position_by_id(&self, id: &str) -> Result<Option<Position>, Error> {
        Ok(self.ask()?.by_id(id).map(|row| row.position))
    }

    fn near_streams(&self, name: &str) -> Result<Vec<String>, Error> {
        let mut near = Nearest::to(name);
        let there = self.ask()?.streams.iter();
        there
            .filter(|(name, row)| row.exists() && !name.starts_with('$'))
            .for_each(|(name, _)| near.add(name));
        Ok(near.names())
    }

    fn state(&self, name: &str) -> Result<Option<State>, Error> {
        Ok(self.ask()?.state_of(name))
    }

    fn states(
        &self,
        pattern: &Pattern,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StateEntry>, Error> {
        let log = self.ask()?;
        let entry = |(name, row): (&String, &Arc<StateRow>)| StateEntry {
            stream: StreamName::stored(name),
            version: row.version,
            stream_version: Version(log.stream(name).version()),
            bytes: row.data.len() as u64,
        };
        Ok(Log::chosen(&log.states, pattern, after).take(limit).map(entry).collect())
    }

    fn stream_of_each_state(&self, each: &mut dyn FnMut(&str)) -> Result<(), Error> {
        self.ask()?.states.keys().for_each(|name| each(name));
        Ok(())
    }

    fn near_states(&self, name: &str) -> Result<Vec<String>, Error> {
        let mut near = Nearest::to(name);
        self.ask()?.states.keys().for_each(|name| near.add(name));
        Ok(near.names())
    }

    fn name(&self, name: &str) -> Result<Option<Name>, Error> {
        Ok(self.ask()?.names.get(&name.to_ascii_lowercase()).cloned())
    }

    fn names(&self) -> Result<Vec<Name>, Error> {
        Ok(self.ask()?.names.values().cloned().collect())
    }

    fn settings(&self) -> Result<Vec<(String, String, String)>, Error> {
        Ok(self.ask()?.settings())
    }
}
