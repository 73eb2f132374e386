//! Conditions: what they exclude is looked for before the turn to write, and then only in what came since.

use crate::event::{AppendCondition, NoneOf, Position, StreamName};
use crate::store::look::Look;
use crate::store::reader::Search;
use crate::store::rules::{Beside, ConditionFacts, Facts, On, Unit};
use crate::store::{Error, SealedEvent, Store};

/// What was found before the turn to write.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// All up to here was looked at.
    head: u64,
    /// Of each condition, in order, where the first event stands that it excludes.
    found: Vec<Option<Position>>,
}

/// The conditions of units, and which event asks for each; none for the boundary of a decision.
fn conditions<'u>(
    units: &'u [Unit<'_>],
) -> impl Iterator<Item = (Option<usize>, &'u AppendCondition)> {
    let mut asked = 0;
    units.iter().flat_map(move |unit| {
        let first = asked;
        asked += unit.asked();
        let of = |(index, sealed): (usize, &'u SealedEvent)| {
            Some((Some(index), sealed.event().condition.as_deref()?))
        };
        let boundary = match unit.beside {
            Some(Beside::Decision { on: On::Boundary(condition), .. }) => Some((None, condition)),
            _ => None,
        };
        (first..).zip(unit.events).filter_map(of).chain(boundary)
    })
}

impl Store {
    /// Looks for what conditions exclude in what is there by now: the log only grows, so that the turn to write is
    /// short. What is found may be removed before it.
    pub(super) fn look_ahead(&self, units: &[Unit<'_>]) -> Result<Ahead, Error> {
        let head = self.look(|look| Ok(look.head()?.position.0))?;
        let mut found = Vec::new();
        for (_, condition) in conditions(units) {
            let Some(none) = &condition.none else {
                found.push(None);
                continue;
            };
            let mut search = Search::new(&none.criteria, none.after.position.0, head);
            // Each look is short, so that none pins the log.
            while !self.look(|look| search.step(look))? {}
            found.push(search.found().map(|found| found.position));
        }
        Ok(Ahead { head, found })
    }
}

/// Has the facts tell of conditions: in the transaction, before anything is changed. Whether they do: without `ahead`
/// they don't where it takes long to find out.
pub(super) fn complete(
    facts: &mut Facts,
    look: &dyn Look,
    units: &[Unit<'_>],
    ahead: Option<&Ahead>,
) -> Result<bool, Error> {
    for (number, (asked, condition)) in conditions(units).enumerate() {
        let names: Vec<StreamName> =
            condition.versions.iter().map(|(name, _)| name.clone()).collect();
        let mut of =
            ConditionFacts { streams: look.stream_facts(&names)?, ..ConditionFacts::default() };
        if let Some(none) = &condition.none {
            of.link = look.link_at(none.after.position)?;
            let Some(mut search) = search_in_turn(look, none, facts.head.0, (ahead, number))?
            else {
                return Ok(false);
            };
            while !search.step(look)? {}
            of.found = search.found();
        }
        match asked {
            Some(asked) => facts.conditions.push((asked, of)),
            None => facts.boundary = Some(of),
        }
    }
    Ok(true)
}

/// What is left to be looked for in the turn; nothing where that would take long.
fn search_in_turn(
    look: &dyn Look,
    NoneOf { criteria, after }: &NoneOf,
    head: Position,
    (ahead, number): (Option<&Ahead>, usize),
) -> Result<Option<Search>, Error> {
    let Some(Ahead { head: looked, found }) = ahead else {
        return Search::short(look, criteria, after.position.0, head.0);
    };
    let begin = match found.get(number) {
        // It may have been removed, and others stand behind it.
        Some(Some(found)) => found.0 - 1,
        _ => (*looked).max(after.position.0),
    };
    Ok(Some(Search::new(criteria, begin, head.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Criteria, Criterion, EventType, NewEvent, Tags};
    use crate::store::{Options, SealedEvent, Sealer};

    fn tagged(stream: &str) -> NewEvent {
        let mut event = NewEvent::new(StreamName::stored(stream), EventType::stored("T"));
        event.tags = Tags::new(["x"]).unwrap();
        event
    }

    /// What is found in the turn, where it was looked ahead before `meanwhile`.
    fn found(store: &mut Store, meanwhile: impl FnOnce(&mut Store)) -> Option<u64> {
        let item = Criterion { tags: Tags::new(["x"]).unwrap(), ..Criterion::default() };
        let mut event = NewEvent::new(StreamName::stored("c"), EventType::stored("T"));
        let condition = AppendCondition::none(Criteria::of(item), Position(0));
        event.condition = Some(Box::new(condition));
        let events: [SealedEvent; 1] = [Sealer::new().unwrap().seal(event)];
        let units = [Unit { events: &events, ..Unit::default() }];
        let ahead = store.look_ahead(&units).unwrap();
        meanwhile(&mut store.again().unwrap());
        let found = store.transact(false, |tx| {
            let mut facts = tx.facts(&units)?;
            assert!(complete(&mut facts, &*tx.look(), &units, Some(&ahead))?);
            Ok(facts.conditions.remove(0).1.found)
        });
        found.unwrap().map(|found| found.position.0)
    }

    #[test]
    fn what_others_store_and_remove_meanwhile_counts() {
        let place = tempfile::tempdir().unwrap();
        let (kept, _) = Store::init(&place.path().join("store"), &Options::default()).unwrap();
        for mut store in [kept, Store::in_memory(&Options::default()).unwrap()] {
            assert_eq!(found(&mut store, |_| {}), None);
            let append =
                |name| move |other: &mut Store| drop(other.append(&[tagged(name)]).unwrap());
            assert_eq!(found(&mut store, append("a")), Some(1));
            append("b")(&mut store);
            let remove = |name: &'static str| {
                move |other: &mut Store| drop(other.remove(&[StreamName::stored(name)]).unwrap())
            };
            // The first that was found is gone by then, and the second was not looked at.
            assert_eq!(found(&mut store, remove("a")), Some(2));
            assert_eq!(found(&mut store, remove("b")), None);
        }
    }

    #[test]
    fn what_takes_long_is_not_looked_for_in_the_turn() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("store");
        let (mut store, _) = Store::init(&path, &Options::default()).unwrap();
        let mut plain = tagged("a");
        plain.tags = Tags::default();
        let of = |item: Criterion, after: u64| {
            let condition = AppendCondition::none(Criteria::of(item), Position(after));
            let mut event = tagged("c");
            event.condition = Some(Box::new(condition));
            [Sealer::new().unwrap().seal(event)]
        };
        let typed = || Criterion { types: vec![EventType::stored("U")], ..Criterion::default() };
        let with_tag = || Criterion { tags: Tags::new(["x"]).unwrap(), ..Criterion::default() };
        let is_short = |store: &mut Store, events: &[SealedEvent]| {
            let units = [Unit { events, ..Unit::default() }];
            let told = store.transact(false, |tx| {
                let mut facts = tx.facts(&units)?;
                complete(&mut facts, &*tx.look(), &units, None)
            });
            told.unwrap()
        };
        store.append(&vec![plain; 900]).unwrap();
        assert!(is_short(&mut store, &of(typed(), 0)));
        store.append(&vec![tagged("a"); 900]).unwrap();
        assert!(!is_short(&mut store, &of(typed(), 0)));
        assert!(is_short(&mut store, &of(typed(), 1500)));
        let rare = Criterion { tags: Tags::new(["x", "rare"]).unwrap(), ..Criterion::default() };
        assert!(is_short(&mut store, &of(rare, 0)));
        // Half of all have it: to look at each is no longer.
        assert!(!is_short(&mut store, &of(with_tag(), 0)));
    }
}
