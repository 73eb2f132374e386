//! Writing: units of events, and what is stored with them.

use std::collections::HashMap;

use super::condition;
use super::expect::{self, Stood, is_same};
use super::{
    AfterRefusal, Beside, Changes, DecisionChange, Facts, Kept, Known, KnownDecision, On,
    StateAsked, StateChange, Stored, StreamFacts, Unit,
};
use crate::event::{
    AppendCondition, DataRef, Expect, Link, NewEvent, Position, Timestamp, Version,
};
use crate::store::{Appended, Decided, DecidedEvent, Error, SealedEvent, Stopped};

/// What comes of units.
#[derive(Debug, Default)]
pub(crate) struct Outcome<'u> {
    pub(crate) changes: Changes<'u>,
    /// Where the events of the units that are taken stand, in order.
    pub(crate) appended: Vec<Appended>,
    /// The units that are refused, and at which of their events.
    pub(crate) refused: Vec<(usize, Stopped)>,
    /// What came of the decision, where one was asked for.
    pub(crate) decided: Option<Decided>,
    /// The version that a state reflects which was set by itself, and that of its stream.
    pub(crate) state: Option<(Version, Version)>,
}

/// What comes of `units`, one after another; `before` is the version at which the event before the first of
/// them, in the same input, was stored or found.
pub(crate) fn write<'u>(
    facts: &Facts,
    before: Option<Version>,
    units: &'u [Unit<'u>],
    after: AfterRefusal,
) -> Outcome<'u> {
    let mut writing = Writing {
        facts,
        streams: facts.streams.clone(),
        head: facts.head,
        before,
        ids: HashMap::new(),
        asked: 0,
        known: 0,
        outcome: Outcome::default(),
    };
    for (index, unit) in units.iter().enumerate() {
        if after == AfterRefusal::GoOn {
            // Each is an input of its own.
            writing.before = None;
        }
        let place = writing.place();
        if let Err(stopped) = writing.unit(unit, &place) {
            writing.go_back(&place, unit);
            writing.outcome.refused.push((index, stopped));
            if after == AfterRefusal::Stop {
                break;
            }
        }
    }
    writing.outcome
}

/// How far it has come.
struct Writing<'f, 'u> {
    facts: &'f Facts,
    /// The streams as they are behind what is taken by now.
    streams: Vec<StreamFacts>,
    head: (Position, Link),
    /// The version at which the event before, in the same input, was stored or found.
    before: Option<Version>,
    /// Which of the new events has each id.
    ids: HashMap<&'u str, usize>,
    /// How many of what `Facts::of` lists are done, events among them.
    asked: usize,
    /// How many of `Facts::known` are done.
    known: usize,
    outcome: Outcome<'u>,
}

/// Where a unit begins.
struct Place {
    head: (Position, Link),
    before: Option<Version>,
    asked: usize,
    events: usize,
    states: usize,
    appended: usize,
}

impl<'u> Writing<'_, 'u> {
    fn place(&self) -> Place {
        let Outcome { changes, appended, .. } = &self.outcome;
        Place {
            head: self.head,
            before: self.before,
            asked: self.asked,
            events: changes.events.len(),
            states: changes.states.len(),
            appended: appended.len(),
        }
    }

    /// Takes back all of a unit that is refused, and passes over it.
    fn go_back(&mut self, place: &Place, unit: &Unit<'u>) {
        let Outcome { changes, appended, .. } = &mut self.outcome;
        for stored in changes.events.drain(place.events..) {
            self.streams[stored.stream as usize].version -= 1;
            if let Some(id) = &stored.sealed.event().id {
                self.ids.remove(id.as_str());
            }
        }
        // A decision and a checkpoint are noted last, where nothing refuses the unit any more.
        changes.states.truncate(place.states);
        appended.truncate(place.appended);
        (self.head, self.before) = (place.head, place.before);
        self.asked = place.asked + unit.asked();
    }

    fn unit(&mut self, unit: &'u Unit<'u>, place: &Place) -> Result<(), Stopped> {
        let alone = |error| Stopped { index: 0, error };
        if let Some(Beside::Decision { on, kept: Some(kept), .. }) = &unit.beside
            && self.is_decided(on.stream(), kept).map_err(alone)?
        {
            return Ok(());
        }
        if let Some(Beside::Checkpoint { name, from, .. }) = &unit.beside {
            self.check_checkpoint(name.as_str(), *from).map_err(alone)?;
        }
        let first = self.outcome.appended.len();
        for (index, sealed) in unit.events.iter().enumerate() {
            if let Err(error) = self.event(sealed) {
                let partly = || partly_duplicate(unit.events, &self.outcome.appended[first..]);
                return Err(match (&error, unit.whole.then(partly).flatten()) {
                    // Part of it is there already: that is the reason to tell.
                    (Error::WrongExpectedVersion { .. }, Some(partly)) => partly,
                    _ => Stopped { index, error },
                });
            }
        }
        let appended = &self.outcome.appended[first..];
        if unit.whole
            && !appended.iter().all(|one| one.duplicate)
            && let Some(partly) = partly_duplicate(unit.events, appended)
        {
            return Err(partly);
        }
        self.check_conditions(unit.events, place)?;
        match &unit.beside {
            Some(Beside::Decision { on, state, kept }) => {
                self.decide(unit.events, place, *on, *state, *kept).map_err(alone)
            }
            Some(Beside::State(asked)) => self.set_state(asked).map_err(alone),
            Some(Beside::Checkpoint { name, to, .. }) => {
                self.outcome.changes.checkpoint = Some((name, to));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// That the conditions of the events of a unit held before it, but for those that are stored already: the id
    /// goes before the condition, too.
    fn check_conditions(&self, events: &[SealedEvent], place: &Place) -> Result<(), Stopped> {
        if self.facts.conditions.is_empty() {
            return Ok(());
        }
        let Outcome { changes, appended, .. } = &self.outcome;
        let before = &changes.events[..place.events];
        for (index, (sealed, appended)) in
            events.iter().zip(&appended[place.appended..]).enumerate()
        {
            let asked = place.asked + index;
            let conditions = &self.facts.conditions;
            if let Some(condition) = &sealed.event().condition
                && !appended.duplicate
                && let Ok(at) = conditions.binary_search_by_key(&asked, |(asked, _)| *asked)
            {
                let checked = condition::check(condition, &conditions[at].1, before, place.head.0);
                checked.map_err(|error| Stopped { index, error })?;
            }
        }
        Ok(())
    }

    /// The stream of what is done next.
    fn next_stream(&mut self) -> u32 {
        self.asked += 1;
        self.facts.of[self.asked - 1]
    }

    /// Appends an event, or finds it.
    fn event(&mut self, sealed: &'u SealedEvent) -> Result<(), Error> {
        let stream = self.next_stream();
        let event = sealed.event();
        // The id goes before the expectation: a retry after a success must find its answer.
        if let Some(id) = &event.id
            && let Some(known) = self.find(id.as_str(), sealed)
        {
            let Known { position, version, link, removed, redacted, .. } = known;
            if !known.same {
                let (id, stream) = (id.to_string(), known.stream.into());
                return Err(Error::IdReused { id, position, stream, version, removed });
            }
            self.before = Some(version);
            let appended = Appended { position, version, link, duplicate: true, removed, redacted };
            self.outcome.appended.push(appended);
            return Ok(());
        }
        let recorded = self.facts.now;
        if let Some(time) = event.time
            && time > recorded.plus_micros(Timestamp::DAY)
        {
            return Err(Error::TimeAhead { time, recorded });
        }
        let name = event.stream.as_str();
        let expected = expect::expected(sealed, self.before)?;
        expect::check(name, expected, &self.streams[stream as usize])?;
        let names_a_version = matches!(expected, Expect::At(_)) || event.names_version();
        if event.state.is_some() && !names_a_version {
            return Err(Error::StateWithoutVersion { stream: name.into() });
        }
        self.store(sealed, stream);
        Ok(())
    }

    /// Stores a new event.
    fn store(&mut self, sealed: &'u SealedEvent, stream: u32) {
        let facts = &mut self.streams[stream as usize];
        facts.version += 1;
        let (position, version) = (self.head.0.next(), Version(facts.version));
        let link = sealed.link(&self.head.1, version, self.facts.now);
        let Changes { events, states, .. } = &mut self.outcome.changes;
        let event = sealed.event();
        if let Some(id) = &event.id {
            self.ids.insert(id.as_str(), events.len());
        }
        if let Some(data) = &event.state {
            let (position, data) = (Some(position), data.borrow());
            states.push(StateChange { stream, version, position, data });
        }
        events.push(Stored { sealed, stream, position, version, link });
        (self.head, self.before) = ((position, link), Some(version));
        let (duplicate, removed, redacted) = (false, false, false);
        let appended = Appended { position, version, link, duplicate, removed, redacted };
        self.outcome.appended.push(appended);
    }

    /// The event that is stored under this id, or is to be.
    fn find(&mut self, id: &str, sealed: &SealedEvent) -> Option<Known> {
        let event = self.asked - 1;
        let known = &self.facts.known;
        while known.get(self.known).is_some_and(|(asking, _)| *asking < event) {
            self.known += 1;
        }
        if let Some((asking, known)) = known.get(self.known)
            && *asking == event
        {
            return Some(known.clone());
        }
        let Stored { sealed: other, position, version, link, .. } =
            self.outcome.changes.events[*self.ids.get(id)?];
        Some(Known {
            position,
            version,
            link,
            stream: other.event().stream.as_str().into(),
            removed: false,
            redacted: false,
            same: is_same(&Stood::of(other.event()), sealed.event()),
        })
    }

    /// Whether the decision is kept already; then that is what came of it.
    fn is_decided(&mut self, stream: Option<&str>, kept: &Kept<'_>) -> Result<bool, Error> {
        let Some(known) = &self.facts.decision else { return Ok(false) };
        self.outcome.decided = Some(decided_before(known, stream, kept.id)?);
        Ok(true)
    }

    fn check_checkpoint(&self, name: &str, from: Option<Position>) -> Result<(), Error> {
        match (self.facts.checkpoint, from) {
            (None, _) => Err(Error::SubscriptionNotFound { name: name.into(), near: Vec::new() }),
            (Some(at), Some(expected)) if at != expected => {
                Err(Error::CheckpointMoved { name: name.into(), expected })
            }
            _ => Ok(()),
        }
    }

    /// What a decision stores beside its events, which begin at a place.
    fn decide(
        &mut self,
        events: &'u [SealedEvent],
        place: &Place,
        on: On<'u>,
        state: Option<DataRef<'u>>,
        kept: Option<Kept<'u>>,
    ) -> Result<(), Error> {
        if let On::Boundary(condition) = on {
            self.check_boundary(condition, place)?;
        } else if let On::Stream(stream, version) = on {
            let number = self.next_stream();
            if events.is_empty() {
                let facts = &self.streams[number as usize];
                expect::check(stream, Expect::At(version), facts)?;
                if let Some(data) = state {
                    let change = StateChange { stream: number, version, position: None, data };
                    self.outcome.changes.states.push(change);
                }
            }
        }
        let appended = &self.outcome.appended[place.appended..];
        let stream = match on {
            On::Stream(stream, version) => {
                Some((stream, appended.last().map_or(version, |last| last.version)))
            }
            On::Boundary(_) => None,
        };
        if let Some(kept) = kept {
            let positions = appended.iter().map(|one| one.position).collect();
            self.outcome.changes.decision = Some(DecisionChange { kept, stream, positions });
        }
        let decided = |(appended, sealed): (&Appended, &SealedEvent)| {
            let NewEvent { stream, id, .. } = sealed.event();
            DecidedEvent { stream: stream.clone(), appended: *appended, id: id.clone() }
        };
        let events = appended.iter().zip(events).map(decided).collect();
        let version = stream.map(|(_, version)| version).unwrap_or_default();
        let (duplicate, removed) = (false, false);
        self.outcome.decided = Some(Decided { version, events, duplicate, removed });
        Ok(())
    }

    /// That a boundary held before the events of the decision that was made on it, unless all of these are stored
    /// already.
    fn check_boundary(&self, condition: &AppendCondition, place: &Place) -> Result<(), Error> {
        let Outcome { changes, appended, .. } = &self.outcome;
        let appended = &appended[place.appended..];
        if !appended.is_empty() && appended.iter().all(|one| one.duplicate) {
            return Ok(());
        }
        match &self.facts.boundary {
            Some(facts) => {
                let before = &changes.events[..place.events];
                condition::check(condition, facts, before, place.head.0)
            }
            None => Ok(()),
        }
    }

    /// Stores a state without an event.
    fn set_state(&mut self, asked: &StateAsked<'u>) -> Result<(), Error> {
        let number = self.next_stream();
        let facts = &self.streams[number as usize];
        let StateAsked { stream, version, expect, data } = *asked;
        expect::check(stream, expect, facts)?;
        let actual = Version(facts.version);
        let version = version.unwrap_or(actual);
        if version > actual {
            return Err(Error::StateAhead { stream: stream.into(), version, actual });
        }
        if let Some(stored) = facts.state.filter(|stored| version < *stored) {
            return Err(Error::StateBehind { stream: stream.into(), version, stored });
        }
        self.outcome.state = Some((version, actual));
        let change = StateChange { stream: number, version, position: None, data };
        self.outcome.changes.states.push(change);
        Ok(())
    }
}

/// What came of the decision with this id, which has to be the same that is asked for on this stream, or on none.
pub(crate) fn decided_before(
    known: &KnownDecision,
    stream: Option<&str>,
    id: &str,
) -> Result<Decided, Error> {
    if known.same && known.stream.as_deref() == stream {
        return Ok(known.decided.clone());
    }
    let version = known.decided.version;
    let on = match known.stream.as_deref() {
        Some(stream) => format!("`{stream}`, which took it to version {version}"),
        None => "a query".into(),
    };
    Err(Error::DecisionIdReused { id: id.into(), on })
}

/// That events of a unit are stored already, told at the first of them; `None` where none is.
fn partly_duplicate(events: &[SealedEvent], appended: &[Appended]) -> Option<Stopped> {
    let index = appended.iter().position(|one| one.duplicate)?;
    let error = Error::PartlyDuplicate {
        duplicates: appended.iter().filter(|one| one.duplicate).count(),
        events: events.len(),
        id: events[index].event().id.as_ref().map(ToString::to_string).unwrap_or_default(),
        position: appended[index].position,
    };
    Some(Stopped { index, error })
}

#[cfg(test)]
mod tests;
