//! Importing states, which were made in another store.

use crate::event::{StreamName, Version};
use crate::store::rules::{self, AfterRefusal, Beside, RECORD, StateAsked, Unit};
use crate::store::{Error, ImportedState, NewState, Stopped, Store};

impl Store {
    /// Stores states that another store made of the events that their streams begin with, all in one transaction:
    /// each where the stream has no state, or one of an earlier version. What came of each, in order.
    ///
    /// The caller has made sure that the streams begin with these events, and that none of them was erased here,
    /// as of the version `acts` of the stream `$ream`. Where that is at another version by now, nothing is stored,
    /// and there is no answer: what was erased since then, a state would bring back.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] where a state is not what was stored, and where the store can't be written.
    pub fn import_states(
        &mut self,
        states: &[&NewState],
        acts: Version,
    ) -> Result<Option<Vec<ImportedState>>, Error> {
        let max = self.max_data_bytes();
        self.transact(false, |tx| {
            let record = tx.streams(&[StreamName::stored(RECORD)])?;
            if record.iter().any(|facts| facts.version != acts.0) {
                return Ok(None);
            }
            let mut imported = Vec::with_capacity(states.len());
            for state in states {
                imported.push(rules::import(tx.state(&state.stream)?.as_ref(), state, max));
            }
            let is_taken = |index: &usize| matches!(imported[*index], ImportedState::Stored);
            let taken: Vec<usize> = (0..states.len()).filter(is_taken).collect();
            let units: Vec<Unit<'_>> = taken.iter().map(|index| unit(states[*index])).collect();
            let facts = tx.facts(&units)?;
            let outcome = rules::write(&facts, None, &units, AfterRefusal::GoOn);
            tx.apply(&outcome.changes)?;
            for (unit, Stopped { error, .. }) in outcome.refused {
                imported[taken[unit]] = ImportedState::Refused(error);
            }
            Ok(Some(imported))
        })
    }
}

fn unit(state: &NewState) -> Unit<'_> {
    let NewState { stream, data, expect, version } = state;
    let (stream, data) = (stream.as_str(), data.borrow());
    let asked = StateAsked { stream, version: *version, expect: *expect, data };
    Unit { beside: Some(Beside::State(asked)), ..Unit::default() }
}
