//! Importing states, which were made in another store.

use crate::event::{StreamName, Version};
use crate::store::hash::Fields;
use crate::store::rules::{self, AfterRefusal, Beside, RECORD, StateAsked, Unit};
use crate::store::{Error, ImportedState, NewState, Stopped, Store};

/// How many events are looked at together.
const AT_ONCE: u64 = 1000;

impl Store {
    /// What the first events of a stream are called, up to the version `last`, as a hash of their ids: of removed ones
    /// as well, of which nothing else is left. Two stores whose streams begin with the same events agree on it. Nothing
    /// where the stream has fewer events.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn hash_of_ids(&self, stream: &str, last: Version) -> Result<Option<String>, Error> {
        let mut fields = Fields::hashed(b"ream ids 1");
        let mut version = Version(0);
        while version < last {
            let end = Version(last.0.min(version.0 + AT_ONCE));
            let positions = self.look(|look| {
                let at = |version| Ok::<_, Error>(look.position_of(stream, Version(version))?.0);
                (version.0 + 1..=end.0).map(at).collect::<Result<Option<Vec<_>>, _>>()
            })?;
            let Some(positions) = positions else { return Ok(None) };
            version = end;
            for event in self.look(|look| look.event_facts(&positions))? {
                fields.text(&event.id);
            }
        }
        let mut first = [0; 16];
        first.copy_from_slice(&fields.hash()[..16]);
        Ok(Some(format!("{:032x}", u128::from_be_bytes(first))))
    }

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
            let record = tx.look().stream_facts(&[StreamName::stored(RECORD)])?;
            if record.iter().any(|facts| facts.version != acts.0) {
                return Ok(None);
            }
            let mut imported = Vec::with_capacity(states.len());
            for state in states {
                imported.push(rules::import(
                    tx.look().state(state.stream.as_str())?.as_ref(),
                    state,
                    max,
                ));
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
