//! Appending, in all its forms: each is units of events, and one rule.

use super::condition::{Ahead, complete};
use crate::event::{Data, NewEvent, Version};
use crate::store::rules::{self, AfterRefusal, Outcome, Unit};
use crate::store::seal::same_id;
use crate::store::{Appended, AppendedEach, Error, SealedEvent, Sealer, Stopped, Store};

/// What came of a unit: where its events stand, or which of them it was refused for.
#[cfg(all(feature = "serve", unix))]
type AppendedUnit = Result<Vec<Appended>, Stopped>;

impl Store {
    /// Appends events, all in one transaction or none.
    ///
    /// Durable when it returns: a crash or a power loss does not undo it. An event whose id is
    /// stored already is a duplicate, whatever it expects; when each one is, the answer is where
    /// they stand.
    ///
    /// # Errors
    ///
    /// [`Error::WrongExpectedVersion`], [`Error::PartlyDuplicate`], [`Error::IdReused`],
    /// [`Error::TooLarge`], [`Error::TimeAhead`], [`Error::LostEvents`] and [`Error::LostChanges`]: nothing is
    /// stored.
    /// [`Error::OutcomeUnknown`] where the commit failed half-way.
    pub fn append(&mut self, events: &[NewEvent]) -> Result<Vec<Appended>, Error> {
        let AppendedEach { appended, stopped } = self.append_all(events)?;
        match stopped {
            Some(stopped) => Err(stopped.error),
            None => Ok(appended),
        }
    }

    /// Appends as [`Store::append`] does, and tells which event was refused: then nothing is
    /// stored.
    ///
    /// # Errors
    ///
    /// Where no event is at fault.
    pub fn append_all(&mut self, events: &[NewEvent]) -> Result<AppendedEach, Error> {
        self.append_sealed(&seal(events)?)
    }

    /// Appends events of which each stands for itself: those before the first that is refused
    /// are stored, in one transaction.
    ///
    /// # Errors
    ///
    /// Where no event is at fault: then nothing is stored, but for [`Error::OutcomeUnknown`].
    pub fn append_each(&mut self, events: &[NewEvent]) -> Result<AppendedEach, Error> {
        self.append_sealed_each(&seal(events)?, None)
    }

    /// Appends events that have been sealed before, as [`Store::append_all`] does.
    ///
    /// # Errors
    ///
    /// As for that.
    pub fn append_sealed(&mut self, events: &[SealedEvent]) -> Result<AppendedEach, Error> {
        let stopped = same_id(events.iter().map(SealedEvent::event));
        if let Some(stopped) = stopped.or_else(|| self.too_large(events)) {
            return Ok(AppendedEach { appended: Vec::new(), stopped: Some(stopped) });
        }
        let units = [Unit { events, whole: true, beside: None }];
        let outcome = self.write(&units, AfterRefusal::Stop)?;
        let stopped = outcome.refused.into_iter().next().map(|(_, stopped)| stopped);
        Ok(AppendedEach { appended: outcome.appended, stopped })
    }

    /// Appends events that have been sealed before, as [`Store::append_each`] does. Where they go on with an
    /// input, the event before them was stored or found at the version `before`.
    ///
    /// # Errors
    ///
    /// As for that.
    pub fn append_sealed_each(
        &mut self,
        events: &[SealedEvent],
        before: Option<Version>,
    ) -> Result<AppendedEach, Error> {
        let unfit = self.too_large(events);
        let fit = &events[..unfit.as_ref().map_or(events.len(), |stopped| stopped.index)];
        let alone = |events| Unit { events, whole: false, beside: None };
        let units: Vec<Unit<'_>> = fit.chunks(1).map(alone).collect();
        let outcome = self.write_behind(before, &units, AfterRefusal::Stop)?;
        let refused = outcome.refused.into_iter().next();
        let stopped = refused.map(|(index, Stopped { error, .. })| Stopped { index, error });
        Ok(AppendedEach { appended: outcome.appended, stopped: stopped.or(unfit) })
    }

    /// Appends units of events, of which each is stored as a whole or not at all and stands for itself, in
    /// one transaction: one that is refused leaves no trace, and those after it are judged without it.
    /// What came of each, in order.
    ///
    /// # Errors
    ///
    /// Where no event is at fault: then nothing is stored, but for [`Error::OutcomeUnknown`].
    pub fn append_units(
        &mut self,
        units: &[&[SealedEvent]],
    ) -> Result<Vec<Result<Vec<Appended>, Stopped>>, Error> {
        let events: usize = units.iter().map(|events| events.len()).sum();
        self.append_gathered(events > 1, || units.to_vec())
    }

    /// The same of units that are gathered once the turn to write has come; `many` where they may have more
    /// than one event.
    pub(crate) fn append_gathered<'u>(
        &mut self,
        many: bool,
        gather: impl FnOnce() -> Vec<&'u [SealedEvent]>,
    ) -> Result<Vec<Result<Vec<Appended>, Stopped>>, Error> {
        let max = self.max_data_bytes();
        self.transact(many, |tx| {
            let units = gather();
            let unfit = |events: &[SealedEvent]| {
                same_id(events.iter().map(SealedEvent::event)).or_else(|| too_large(events, max))
            };
            let unfit: Vec<Option<Stopped>> = units.iter().map(|events| unfit(events)).collect();
            let fit: Vec<Unit<'_>> = units
                .iter()
                .zip(&unfit)
                .filter(|(_, unfit)| unfit.is_none())
                .map(|(events, _)| Unit { events, whole: true, beside: None })
                .collect();
            let mut facts = tx.facts(&fit)?;
            // Who gathers in the turn can't look ahead.
            complete(&mut facts, &*tx.look(), &fit, Some(&Ahead::default()))?;
            let outcome = rules::write(&facts, None, &fit, AfterRefusal::GoOn);
            tx.apply(&outcome.changes)?;
            Ok(each(&units, unfit, outcome))
        })
    }

    /// The same, unless something has to be waited for: another writer, a reader, or the log to be moved.
    /// Then nothing is stored, and there is no answer.
    ///
    /// # Errors
    ///
    /// As for that.
    #[cfg(all(feature = "serve", unix))]
    pub(crate) fn append_units_now(
        &mut self,
        units: &[&[SealedEvent]],
    ) -> Result<Option<Vec<AppendedUnit>>, Error> {
        self.set_patient(false);
        let done = self.append_gathered(true, || units.to_vec());
        self.set_patient(true);
        match done {
            Err(Error::Busy { .. }) => Ok(None),
            done => done.map(Some),
        }
    }

    #[cfg(all(feature = "serve", unix))]
    fn set_patient(&mut self, patient: bool) {
        self.engine.set_patient(patient);
    }

    /// Writes units, in one transaction.
    pub(super) fn write<'u>(
        &mut self,
        units: &'u [Unit<'u>],
        after: AfterRefusal,
    ) -> Result<Outcome<'u>, Error> {
        self.write_behind(None, units, after)
    }

    /// The same behind an event of the same input that was stored or found at the version `before`.
    fn write_behind<'u>(
        &mut self,
        before: Option<Version>,
        units: &'u [Unit<'u>],
        after: AfterRefusal,
    ) -> Result<Outcome<'u>, Error> {
        let events: usize = units.iter().map(|unit| unit.events.len()).sum();
        let mut ahead = None;
        loop {
            let outcome = self.transact(events > 1, |tx| {
                let mut facts = tx.facts(units)?;
                if !complete(&mut facts, &*tx.look(), units, ahead.as_ref())? {
                    return Ok(None);
                }
                let outcome = rules::write(&facts, before, units, after);
                tx.apply(&outcome.changes)?;
                Ok(Some(outcome))
            })?;
            match outcome {
                Some(outcome) => return Ok(outcome),
                None => ahead = Some(self.look_ahead(units)?),
            }
        }
    }

    /// The first event that can't be stored, whatever is there.
    pub(super) fn too_large(&self, events: &[SealedEvent]) -> Option<Stopped> {
        too_large(events, self.max_data_bytes())
    }
}

/// The first event of which a payload has more than `max` bytes.
fn too_large(events: &[SealedEvent], max: usize) -> Option<Stopped> {
    let bytes = |event: &SealedEvent| {
        let state = event.event().state.as_ref().map_or(0, Data::len);
        event.event().data.len().max(state)
    };
    let index = events.iter().position(|event| bytes(event) > max)?;
    Some(Stopped { index, error: Error::TooLarge { bytes: bytes(&events[index]), max } })
}

/// What came of each unit, where some are `unfit` and the `outcome` is that of the others.
fn each(
    units: &[&[SealedEvent]],
    unfit: Vec<Option<Stopped>>,
    outcome: Outcome<'_>,
) -> Vec<Result<Vec<Appended>, Stopped>> {
    let (mut refused, mut appended) =
        (outcome.refused.into_iter().peekable(), outcome.appended.into_iter());
    let mut asked = 0;
    let each = units.iter().zip(unfit).map(|(events, unfit)| {
        if let Some(unfit) = unfit {
            return Err(unfit);
        }
        asked += 1;
        match refused.next_if(|(unit, _)| *unit == asked - 1) {
            Some((_, stopped)) => Err(stopped),
            None => Ok(appended.by_ref().take(events.len()).collect()),
        }
    });
    each.collect()
}

fn seal(events: &[NewEvent]) -> Result<Vec<SealedEvent>, Error> {
    let mut sealer = Sealer::new()?;
    Ok(events.iter().map(|event| sealer.seal(event.clone())).collect())
}
