//! Writing: units of events, and what is stored with them.

use std::collections::HashMap;

use super::expect::{self, Stood, is_same};
use super::{
    AfterRefusal, Beside, Changes, DecisionChange, Facts, Kept, Known, KnownDecision, StateAsked,
    StateChange, Stored, StreamFacts, Unit,
};
use crate::event::{DataRef, Expect, Link, Position, Timestamp, Version};
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
        if let Err(stopped) = writing.unit(unit) {
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
        let is_of_stream =
            matches!(unit.beside, Some(Beside::Decision { .. } | Beside::State { .. }));
        self.asked = place.asked + unit.events.len() + usize::from(is_of_stream);
    }

    fn unit(&mut self, unit: &'u Unit<'u>) -> Result<(), Stopped> {
        let alone = |error| Stopped { index: 0, error };
        if let Some(Beside::Decision { stream, kept: Some(kept), .. }) = &unit.beside
            && self.is_decided(stream, kept).map_err(alone)?
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
        match &unit.beside {
            Some(Beside::Decision { stream, version, state, kept }) => {
                self.decide(unit.events, first, (stream, *version), *state, *kept).map_err(alone)
            }
            Some(Beside::State(asked)) => self.set_state(asked).map_err(alone),
            Some(Beside::Checkpoint { name, to, .. }) => {
                self.outcome.changes.checkpoint = Some((name, to));
                Ok(())
            }
            None => Ok(()),
        }
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
        let names_a_version = matches!(expected, Expect::At(_) | Expect::NoStream);
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
    fn is_decided(&mut self, stream: &str, kept: &Kept<'_>) -> Result<bool, Error> {
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

    /// What a decision stores beside its events, the first of which is `first` of those appended.
    fn decide(
        &mut self,
        events: &'u [SealedEvent],
        first: usize,
        (stream, version): (&'u str, Version),
        state: Option<DataRef<'u>>,
        kept: Option<Kept<'u>>,
    ) -> Result<(), Error> {
        let number = self.next_stream();
        if events.is_empty() {
            let facts = &self.streams[number as usize];
            expect::check(stream, Expect::At(version), facts)?;
            if let Some(data) = state {
                let change = StateChange { stream: number, version, position: None, data };
                self.outcome.changes.states.push(change);
            }
        }
        let appended = &self.outcome.appended[first..];
        let version = appended.last().map_or(version, |last| last.version);
        if let Some(kept) = kept {
            let positions = appended.iter().map(|one| one.position).collect();
            self.outcome.changes.decision =
                Some(DecisionChange { kept, stream, version, positions });
        }
        let ids = events.iter().map(|event| event.event().id.clone());
        let stored = appended.iter().zip(ids);
        let events = stored.map(|(appended, id)| DecidedEvent { appended: *appended, id });
        let (events, duplicate, removed) = (events.collect(), false, false);
        self.outcome.decided = Some(Decided { version, events, duplicate, removed });
        Ok(())
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

/// What came of the decision with this id, which has to be the same that is asked for on this stream.
pub(crate) fn decided_before(
    known: &KnownDecision,
    stream: &str,
    id: &str,
) -> Result<Decided, Error> {
    if known.same && known.stream.as_deref() == Some(stream) {
        return Ok(known.decided.clone());
    }
    let stream = known.stream.as_deref().unwrap_or_default().into();
    Err(Error::DecisionIdReused { id: id.into(), stream, version: known.decided.version })
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
mod tests {
    use super::*;
    use crate::event::{Data, EventId, EventType, Json, NewEvent, StreamName};
    use crate::store::Sealer;

    /// An event of the stream `s`, in a few words.
    fn event(id: Option<&str>, expect: Expect) -> NewEvent {
        let mut event = NewEvent::new(StreamName::stored("s"), EventType::stored("T"));
        (event.id, event.expect) = (id.map(EventId::stored), expect);
        event
    }

    fn sealed(events: &[NewEvent]) -> Vec<SealedEvent> {
        let mut sealer = Sealer::new().unwrap();
        events.iter().map(|event| sealer.seal(event.clone())).collect()
    }

    /// A store whose stream `s` is at the version 3, behind 10 positions.
    fn facts(asked: usize) -> Facts {
        Facts {
            head: (Position(10), Link::genesis("x")),
            now: Timestamp::from_micros(0).unwrap(),
            streams: vec![StreamFacts { version: 3, ..StreamFacts::default() }],
            of: vec![0; asked],
            known: Vec::new(),
            decision: None,
            checkpoint: None,
        }
    }

    fn at(version: u64) -> Expect {
        Expect::At(Version(version))
    }

    /// Positions and versions of what is taken, and which units are refused.
    fn outcome(
        units: &[&[NewEvent]],
        whole: bool,
        after: AfterRefusal,
    ) -> (Vec<(u64, u64)>, Vec<usize>) {
        let events: Vec<Vec<SealedEvent>> = units.iter().map(|unit| sealed(unit)).collect();
        let units: Vec<Unit<'_>> =
            events.iter().map(|events| Unit { events, whole, beside: None }).collect();
        let facts = facts(events.iter().map(Vec::len).sum());
        let outcome = write(&facts, None, &units, after);
        let stored: Vec<(u64, u64)> =
            outcome.changes.events.iter().map(|one| (one.position.0, one.version.0)).collect();
        let new = outcome.appended.iter().filter(|one| !one.duplicate);
        assert_eq!(stored, new.map(|one| (one.position.0, one.version.0)).collect::<Vec<_>>());
        (stored, outcome.refused.into_iter().map(|(unit, _)| unit).collect())
    }

    #[test]
    fn units_follow_each_other_up_to_the_first_or_past_each_that_is_refused() {
        let good = [event(None, Expect::Any)];
        let half = [event(None, at(4)), event(None, at(4))];
        let behind = [event(None, at(4))];
        let units: [&[NewEvent]; 3] = [&good, &half, &behind];
        assert_eq!(outcome(&units, true, AfterRefusal::Stop), (vec![(11, 4)], vec![1]));
        assert_eq!(outcome(&units, true, AfterRefusal::GoOn), (vec![(11, 4), (12, 5)], vec![1]));
    }

    #[test]
    fn an_id_of_the_same_input_is_found_and_that_of_a_refused_unit_is_not() {
        let a = [event(Some("a"), Expect::Any)];
        let refused = [event(Some("b"), Expect::Any), event(None, at(99))];
        let b = [event(Some("b"), Expect::Any)];
        let units: [&[NewEvent]; 4] = [&a, &a, &refused, &b];
        assert_eq!(outcome(&units, true, AfterRefusal::GoOn), (vec![(11, 4), (12, 5)], vec![2]));
    }

    #[test]
    fn a_repeat_is_whole_or_each_for_itself() {
        let first = [event(Some("a"), Expect::Any)];
        let both = [event(Some("a"), Expect::Any), event(Some("b"), Expect::Any)];
        let units: [&[NewEvent]; 2] = [&first, &both];
        assert_eq!(outcome(&units, true, AfterRefusal::GoOn), (vec![(11, 4)], vec![1]));
        assert_eq!(outcome(&units, false, AfterRefusal::GoOn), (vec![(11, 4), (12, 5)], vec![]));
    }

    #[test]
    fn links_follow_each_other_and_states_stand_with_their_events() {
        let mut with_state = event(None, at(3));
        with_state.state = Some(Data::Json(Json::stored("{}")));
        let [first, second] = [with_state, event(None, Expect::Any)].map(|event| sealed(&[event]));
        let follow = |event: SealedEvent| event.following();
        let events: Vec<_> = first.into_iter().chain(second.into_iter().map(follow)).collect();
        let units = [Unit { events: &events, whole: true, beside: None }];
        let facts = facts(2);
        let Changes { events: stored, states, .. } =
            write(&facts, None, &units, AfterRefusal::Stop).changes;
        let link = events[0].link(&facts.head.1, Version(4), facts.now);
        assert_eq!(stored[0].link, link);
        assert_eq!(stored[1].link, events[1].link(&link, Version(5), facts.now));
        assert_eq!((states.len(), states[0].version), (1, Version(4)));
        assert_eq!(states[0].position, Some(Position(11)));
    }

    #[test]
    fn an_input_goes_on_behind_the_version_of_the_event_before_it() {
        let both = || {
            sealed(&[event(None, Expect::Any)]).into_iter().chain(sealed(&[event(None, at(99))]))
        };
        let events: Vec<_> = both().map(SealedEvent::following).collect();
        let units: Vec<Unit<'_>> =
            events.chunks(1).map(|events| Unit { events, whole: false, beside: None }).collect();
        let stored = |before: Option<u64>, after| {
            write(&facts(2), before.map(Version), &units, after).changes.events.len()
        };
        assert_eq!(stored(Some(3), AfterRefusal::Stop), 2);
        assert_eq!(stored(Some(2), AfterRefusal::Stop), 0);
        assert_eq!(stored(None, AfterRefusal::Stop), 0);
        // Each is an input of its own.
        assert_eq!(stored(Some(3), AfterRefusal::GoOn), 0);
    }

    #[test]
    fn states_set_by_themselves() {
        let data = DataRef::Json("{}");
        let set = |version: Option<u64>, expect, stored: Option<u64>| {
            let version = version.map(Version);
            let asked = StateAsked { stream: "s", version, expect, data };
            let units = [Unit { beside: Some(Beside::State(asked)), ..Unit::default() }];
            let mut facts = facts(1);
            facts.streams[0].state = stored.map(Version);
            let outcome = write(&facts, None, &units, AfterRefusal::Stop);
            let error = outcome.refused.into_iter().next().map(|(_, stopped)| stopped.error);
            error.map_or_else(|| Ok(outcome.state.unwrap().0.0), Err)
        };
        assert_eq!(set(None, Expect::Any, None).unwrap(), 3);
        assert_eq!(set(Some(2), at(3), Some(2)).unwrap(), 2);
        assert!(matches!(set(Some(4), Expect::Any, None), Err(Error::StateAhead { .. })));
        assert!(matches!(set(Some(1), Expect::Any, Some(2)), Err(Error::StateBehind { .. })));
        assert!(matches!(set(None, at(2), None), Err(Error::WrongExpectedVersion { .. })));
    }

    #[test]
    fn a_checkpoint_moves_from_where_it_is() {
        let name = "hook".parse().unwrap();
        let to = crate::store::Checkpoint { position: Position(9), link: Link::genesis("x") };
        let moved = |is: Option<u64>, from: Option<u64>| {
            let beside = Beside::Checkpoint { name: &name, from: from.map(Position), to: &to };
            let units = [Unit { beside: Some(beside), ..Unit::default() }];
            let facts = Facts { checkpoint: is.map(Position), ..facts(0) };
            let outcome = write(&facts, None, &units, AfterRefusal::Stop);
            assert_eq!(outcome.changes.checkpoint.is_some(), outcome.refused.is_empty());
            outcome.refused.into_iter().next().map(|(_, stopped)| stopped.error)
        };
        assert!(moved(Some(3), Some(3)).is_none());
        assert!(moved(Some(3), None).is_none());
        assert!(matches!(moved(Some(4), Some(3)), Some(Error::CheckpointMoved { .. })));
        assert!(matches!(moved(None, Some(3)), Some(Error::SubscriptionNotFound { .. })));
    }
}
