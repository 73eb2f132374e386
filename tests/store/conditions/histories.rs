//! Random histories of conditional appends: one store takes them unit by unit, one in groups, and both have to answer
//! and to hold what a naive store does, which looks at each event.
//!
//! `REAM_HISTORIES` says how many there are.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use ream::{
    AppendCondition, ConditionFault, Criteria, Criterion, Cursor, Error, Expect, Link, NewEvent,
    NoneOf, Position, Redaction, SealedEvent, Sealer, Stopped, Store, Tags, Version,
};

use super::event;
use crate::store;
use crate::support::{Build as _, everything};

const STREAMS: [&str; 4] = ["a", "b", "a-1", "a-2"];
const TYPES: [&str; 3] = ["T", "U", "V"];
const TAGS: [&str; 5] = ["x", "y", "z", "x:1", "é"];
const PATTERNS: [&str; 5] = ["a", "a*", "a-*", "*", "b"];

/// What is done: units one after another, each for itself, or something that erases.
#[derive(Debug, Clone)]
enum Step {
    Append(Vec<Vec<Asked>>),
    Remove(&'static str),
    /// The event at a position, which may be none, its tags too or not.
    Redact(u64, bool),
}

/// An event that is asked for.
#[derive(Debug, Clone)]
struct Asked {
    stream: &'static str,
    event_type: &'static str,
    tags: BTreeSet<&'static str>,
    id: Option<u8>,
    expect: Expect,
    condition: Option<Condition>,
}

#[derive(Debug, Clone)]
struct Condition {
    versions: Vec<(&'static str, Expect)>,
    none: Option<(Vec<Item>, Place)>,
}

#[derive(Debug, Clone)]
struct Item {
    types: Vec<&'static str>,
    tags: BTreeSet<&'static str>,
    streams: Vec<&'static str>,
}

/// A place in the log, counted back from the head as it is before the step.
#[derive(Debug, Clone, Copy)]
enum Place {
    Position(i64),
    Cursor { back: u64, is_other: bool },
}

fn an_expectation(any: u32) -> impl Strategy<Value = Expect> {
    prop_oneof![
        any => Just(Expect::Any),
        1 => Just(Expect::NoStream),
        1 => Just(Expect::Exists),
        2 => (0..4_u64).prop_map(|version| Expect::At(Version(version))),
    ]
}

fn some_tags() -> impl Strategy<Value = BTreeSet<&'static str>> {
    vec(select(&TAGS[..]), 0..3).prop_map(|tags| tags.into_iter().collect())
}

fn an_item() -> impl Strategy<Value = Item> {
    let given = (vec(select(&TYPES[..]), 0..2), some_tags(), vec(select(&PATTERNS[..]), 0..2));
    given.prop_map(|(types, tags, streams)| Item { types, tags, streams })
}

fn a_place() -> impl Strategy<Value = Place> {
    prop_oneof![
        (-2..12_i64).prop_map(Place::Position),
        (0..8_u64, weighted_bool(0.1))
            .prop_map(|(back, is_other)| Place::Cursor { back, is_other }),
    ]
}

fn weighted_bool(probability: f64) -> impl Strategy<Value = bool> {
    proptest::bool::weighted(probability)
}

fn a_condition() -> impl Strategy<Value = Condition> {
    let versions = vec((select(&STREAMS[..]), an_expectation(0)), 0..2);
    let none = weighted(0.8, (vec(an_item(), 1..3), a_place()));
    (versions, none).prop_map(|(versions, none)| Condition { versions, none })
}

fn an_event() -> impl Strategy<Value = Asked> {
    let id = weighted(0.15, 0..6_u8);
    let condition = weighted(0.6, a_condition());
    let given =
        (select(&STREAMS[..]), select(&TYPES[..]), some_tags(), id, an_expectation(12), condition);
    given.prop_map(|(stream, event_type, tags, id, expect, condition)| {
        let asked = Asked { stream, event_type, tags, id, expect, condition };
        // Most ids stand for the same event again and again.
        match id.map(usize::from) {
            Some(id @ ..5) => Asked {
                stream: STREAMS[id % STREAMS.len()],
                event_type: TYPES[id % TYPES.len()],
                tags: TAGS[id..].iter().take(1).copied().collect(),
                ..asked
            },
            _ => asked,
        }
    })
}

fn a_step() -> impl Strategy<Value = Step> {
    let unit = prop_oneof![3 => vec(an_event(), 1), 1 => vec(an_event(), 2..4)];
    prop_oneof![
        8 => vec(unit, 1..9).prop_map(Step::Append),
        1 => select(&STREAMS[..]).prop_map(Step::Remove),
        1 => (1..20_u64, any::<bool>()).prop_map(|(at, tags)| Step::Redact(at, tags)),
    ]
}

/// An event of the naive store.
#[derive(Debug, Clone)]
struct Kept {
    asked: Asked,
    version: u64,
    removed: bool,
    has_tags: bool,
    redacted: bool,
}

/// A store that looks at each event, whatever it is asked.
#[derive(Debug, Clone, Default)]
struct Naive(Vec<Option<Kept>>);

/// What came of a unit: where its events stand, or why not, and at which of them.
type Answer = Result<Vec<(u64, u64, bool)>, (usize, String)>;

impl Naive {
    fn version(&self, stream: &str) -> u64 {
        self.0.iter().flatten().filter(|kept| kept.asked.stream == stream).count() as u64
    }

    fn exists(&self, stream: &str) -> bool {
        self.0.iter().flatten().any(|kept| kept.asked.stream == stream && !kept.removed)
    }

    fn is(&self, stream: &str, expect: Expect) -> bool {
        match expect {
            Expect::Any => true,
            Expect::NoStream => !self.exists(stream),
            Expect::Exists => self.exists(stream),
            Expect::At(version) => self.version(stream) == version.0,
        }
    }

    fn head(&self) -> u64 {
        self.0.len() as u64
    }

    /// Why a condition does not hold; `head` is where the log ended before the step.
    fn unmet(&self, condition: &Condition, head: u64) -> Option<String> {
        if let Some((_, place)) = &condition.none {
            match *place {
                Place::Position(back) if position(back, head) > self.head() => {
                    return Some("beyond".into());
                }
                Place::Cursor { is_other: true, .. } => return Some("other".into()),
                _ => {}
            }
        }
        if let Some((name, _)) =
            condition.versions.iter().find(|(name, expect)| !self.is(name, *expect))
        {
            return Some(format!("version {name}"));
        }
        let (items, place) = condition.none.as_ref()?;
        let after = match *place {
            Place::Position(back) => position(back, head),
            Place::Cursor { back, .. } => head.saturating_sub(back),
        };
        let found = (1..).zip(&self.0).find(|(position, kept)| {
            let taken = |kept: &Kept| items.iter().any(|item| item.takes(kept));
            *position > after && kept.as_ref().is_some_and(|kept| !kept.removed && taken(kept))
        });
        found.map(|(position, _)| format!("found {position}"))
    }

    fn append(&mut self, unit: &[Asked], head: u64) -> Answer {
        let before = self.clone();
        let done = self.try_append(unit, &before, head);
        if done.is_err() {
            *self = before;
        }
        done
    }

    fn try_append(&mut self, unit: &[Asked], before: &Self, head: u64) -> Answer {
        let again = unit.iter().enumerate().position(|(index, asked)| {
            asked.id.is_some() && unit[..index].iter().any(|other| other.id == asked.id)
        });
        if let Some(index) = again {
            return Err((index, "same id".into()));
        }
        let mut places = Vec::new();
        let mut failed = None;
        for (index, asked) in unit.iter().enumerate() {
            let known = (1..).zip(&self.0).find_map(|(position, kept)| {
                let kept = kept.as_ref()?;
                (asked.id.is_some() && kept.asked.id == asked.id).then_some((position, kept))
            });
            if let Some((position, kept)) = known {
                let same_type = kept.removed || kept.asked.event_type == asked.event_type;
                let same_tags = kept.removed || kept.redacted || kept.asked.tags == asked.tags;
                if kept.asked.stream != asked.stream || !same_type || !same_tags {
                    failed = Some((index, "reused".to_owned()));
                    break;
                }
                places.push((position, kept.version, true));
                continue;
            }
            if !self.is(asked.stream, asked.expect) {
                failed = Some((index, format!("version {}", asked.stream)));
                break;
            }
            let version = self.version(asked.stream) + 1;
            let (asked, removed, has_tags, redacted) = (asked.clone(), false, true, false);
            self.0.push(Some(Kept { asked, version, removed, has_tags, redacted }));
            places.push((self.head(), version, false));
        }
        let first = places.iter().position(|(_, _, duplicate)| *duplicate);
        let all = places.len() == unit.len() && places.iter().all(|(_, _, duplicate)| *duplicate);
        if let Some((index, why)) = failed {
            return match first {
                Some(first) if why.starts_with("version") => Err((first, "partly".into())),
                _ => Err((index, why)),
            };
        }
        if let Some(first) = first.filter(|_| !all) {
            return Err((first, "partly".into()));
        }
        for (index, asked) in unit.iter().enumerate().filter(|(index, _)| !places[*index].2) {
            if let Some(why) =
                asked.condition.as_ref().and_then(|condition| before.unmet(condition, head))
            {
                return Err((index, why));
            }
        }
        Ok(places)
    }
}

/// The position so far back from the head, or beyond it; never before the first event.
fn position(back: i64, head: u64) -> u64 {
    u64::try_from(i64::try_from(head).unwrap() - back).unwrap_or_default()
}

impl Item {
    fn takes(&self, kept: &Kept) -> bool {
        let matches = |pattern: &&str| match pattern.strip_suffix('*') {
            Some(prefix) => kept.asked.stream.starts_with(prefix),
            None => kept.asked.stream == *pattern,
        };
        let has = |tag: &&str| kept.has_tags && kept.asked.tags.contains(*tag);
        (self.types.is_empty() || self.types.contains(&kept.asked.event_type))
            && self.tags.iter().all(has)
            && (self.streams.is_empty() || self.streams.iter().any(matches))
    }
}

impl Condition {
    fn of(&self, store: &Store, head: u64) -> AppendCondition {
        let item = |Item { types, tags, streams }: &Item| Criterion {
            types: types.iter().map(|text| text.parse().unwrap()).collect(),
            tags: Tags::new(tags).unwrap(),
            streams: streams.iter().map(|text| text.parse().unwrap()).collect(),
        };
        let place = |place: Place| -> Cursor {
            match place {
                Place::Position(back) => Position(position(back, head)).into(),
                Place::Cursor { back, is_other } => {
                    let position = Position(head.saturating_sub(back));
                    let link = store.checkpoint(position).unwrap().link();
                    let mut link: [u8; 16] = link.as_bytes().try_into().unwrap();
                    link[0] ^= u8::from(is_other);
                    Cursor::new(position, &Link::from(link))
                }
            }
        };
        let none = self.none.as_ref().map(|(items, at)| NoneOf {
            criteria: Criteria { items: items.iter().map(item).collect() },
            after: place(*at),
        });
        let versions = self.versions.iter().map(|(name, expect)| (name.parse().unwrap(), *expect));
        AppendCondition { versions: versions.collect(), none }
    }
}

impl Asked {
    fn of(&self, store: &Store, head: u64) -> NewEvent {
        event(self.stream, self.event_type).build(|event| {
            event.tags = Tags::new(&self.tags).unwrap();
            event.id = self.id.map(|id| format!("id {id}").parse().unwrap());
            event.expect = self.expect;
            event.condition =
                self.condition.as_ref().map(|condition| Box::new(condition.of(store, head)));
        })
    }
}

/// What a store answers, as the naive one words it.
fn answer(done: Result<Vec<ream::Appended>, Stopped>) -> Answer {
    let place = |one: &ream::Appended| (one.position.0, one.version.0, one.duplicate);
    let why = |error: &Error| match error {
        Error::WrongExpectedVersion { stream, .. } => format!("version {stream}"),
        Error::PartlyDuplicate { .. } => "partly".into(),
        Error::IdReused { .. } => "reused".into(),
        Error::SameId { .. } => "same id".into(),
        Error::BeyondHead { .. } => "beyond".into(),
        Error::Condition(fault) => match &**fault {
            ConditionFault::Found { position, .. } => format!("found {position}"),
            ConditionFault::OtherLog { .. } => "other".into(),
            fault => fault.to_string(),
        },
        error => error.to_string(),
    };
    done.map(|done| done.iter().map(place).collect())
        .map_err(|Stopped { index, error, .. }| (index, why(&error)))
}

/// Appends units, all in one transaction or each in its own.
fn append(store: &mut Store, asked: &[Vec<Asked>], grouped: bool) -> Vec<Answer> {
    let head = store.head().unwrap().0;
    let mut sealer = Sealer::new().unwrap();
    let units: Vec<Vec<SealedEvent>> = asked
        .iter()
        .map(|unit| unit.iter().map(|asked| sealer.seal(asked.of(store, head))).collect())
        .collect();
    let all: Vec<&[SealedEvent]> = units.iter().map(Vec::as_slice).collect();
    let done = if grouped {
        store.append_units(&all).unwrap()
    } else {
        all.iter().flat_map(|unit| store.append_units(&[*unit]).unwrap()).collect()
    };
    done.into_iter().map(answer).collect()
}

/// Does what erases on a store; the positions of the record of it.
fn erase(store: &mut Store, step: &Step) {
    match step {
        Step::Remove(name) => drop(store.remove(&[name.parse().unwrap()]).unwrap()),
        Step::Redact(at, takes_tags) => {
            let redaction = Redaction { takes_tags: *takes_tags, ..Redaction::default() };
            // One that is not there, or is removed, is refused.
            let _ = store.redact(&[Position(*at)], "asked for", redaction);
        }
        Step::Append(_) => {}
    }
}

/// What is in a store: position, stream, version, type and tags of each event.
fn held(store: &Store) -> Vec<(u64, String, u64, String, String)> {
    let one = |event: ream::Event| {
        let (stream, event_type) = (event.stream.to_string(), event.event_type.to_string());
        (event.position.0, stream, event.version.0, event_type, event.tags.to_string())
    };
    let all = everything(store).into_iter();
    // What ream records itself is not in the naive one.
    all.filter(|event| event.stream.as_str() != "$ream").map(one).collect()
}

impl Naive {
    /// Follows what a store erased, and the events that record it.
    fn erase(&mut self, step: &Step, head: u64) {
        match step {
            Step::Remove(name) => {
                for kept in self.0.iter_mut().flatten().filter(|kept| kept.asked.stream == *name) {
                    kept.removed = true;
                }
            }
            Step::Redact(at, takes_tags) => {
                let index = usize::try_from(*at).unwrap() - 1;
                if let Some(Some(kept)) = self
                    .0
                    .get_mut(index)
                    .filter(|kept| kept.as_ref().is_some_and(|kept| !kept.removed))
                {
                    kept.redacted = true;
                    kept.has_tags = kept.has_tags && !takes_tags;
                }
            }
            Step::Append(_) => {}
        }
        self.0.resize(usize::try_from(head).unwrap(), None);
    }

    fn held(&self) -> Vec<(u64, String, u64, String, String)> {
        let one = |(position, kept): (u64, &Option<Kept>)| {
            let kept = kept.as_ref().filter(|kept| !kept.removed)?;
            let tags: Vec<&str> =
                kept.asked.tags.iter().copied().filter(|_| kept.has_tags).collect();
            let (stream, event_type) = (kept.asked.stream.into(), kept.asked.event_type.into());
            Some((position, stream, kept.version, event_type, tags.join(" ")))
        };
        (1..).zip(&self.0).filter_map(one).collect()
    }
}

#[test]
fn what_is_stored_does_not_hang_on_how_it_is_grouped() {
    let histories = std::env::var("REAM_HISTORIES").map_or(1000, |number| number.parse().unwrap());
    let config = Config { cases: histories, failure_persistence: None, ..Config::default() };
    let done = TestRunner::new(config).run(&vec(a_step(), 1..10), |steps| {
        let (mut alone, mut grouped, mut naive) = (store(), store(), Naive::default());
        for step in &steps {
            if let Step::Append(units) = step {
                let head = naive.head();
                let expected: Vec<Answer> =
                    units.iter().map(|unit| naive.append(unit, head)).collect();
                prop_assert_eq!(&append(&mut grouped, units, true), &expected, "in one group");
                prop_assert_eq!(&append(&mut alone, units, false), &expected, "one by one");
            } else {
                for store in [&mut alone, &mut grouped] {
                    erase(store, step);
                }
                naive.erase(step, alone.head().unwrap().0);
            }
            prop_assert_eq!(held(&alone), naive.held());
            prop_assert_eq!(held(&grouped), naive.held());
        }
        Ok(())
    });
    done.unwrap_or_else(|error| panic!("{error}"));
}
