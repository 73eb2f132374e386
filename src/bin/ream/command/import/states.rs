//! The states of an import: stored behind the events, each where it reflects what its stream begins with here.

use ream::{
    DataRef, Error, EventRef, Expect, ImportedState, Mark, NewState, Pattern, Query, Version,
};
use serde::Deserialize;

use super::Importing;
use super::lines::OtherState;
use super::prefixes::LeftOut;
use crate::command::log::RECORD;
use crate::output::{escape, note};

/// How many of the states that are left out are named, one by one.
const NAMED: u64 = 20;

/// The acts that erase what events say.
const ERASING: [&str; 3] = ["StreamRemoved", "StreamTruncated", "EventRedacted"];

/// A state that waits to be stored.
pub(super) struct WaitingState {
    state: NewState,
    /// The version that it reflects in the exported store.
    version: Version,
    /// What was removed before there.
    removed: Option<(Version, String)>,
    line: u64,
}

impl WaitingState {
    pub(super) fn new(state: OtherState, line: u64) -> Self {
        let OtherState { stream, version, removed, data } = state;
        Self { state: NewState::new(stream, data), version, removed, line }
    }

    /// Gives it the version that it reflects here.
    fn place(&mut self, here: (Version, Expect)) {
        (self.state.version, self.state.expect) = (Some(here.0), here.1);
    }
}

impl Importing<'_> {
    /// Stores the states that wait, all in one transaction.
    pub(super) fn flush_states(&mut self) -> anyhow::Result<()> {
        let mut waiting = std::mem::take(&mut self.states);
        let Some(first) = waiting.first().map(|waiting| waiting.line) else { return Ok(()) };
        loop {
            let mut left_out = Vec::with_capacity(waiting.len());
            for WaitingState { state, version, removed, .. } in &waiting {
                let stream = state.stream.as_str();
                let removed = self.same_removed(stream, removed.as_ref())?;
                left_out.push(self.prefixes.version_here(stream, version.0, removed));
            }
            let left_out: Vec<Option<LeftOut>> = waiting
                .iter_mut()
                .zip(left_out)
                .map(|(waiting, here)| here.map(|here| waiting.place(here)).err())
                .collect();
            let fit = waiting.iter().zip(&left_out).filter(|(_, why)| why.is_none());
            let fit: Vec<&NewState> = fit.map(|(waiting, _)| &waiting.state).collect();
            let imported = self.signals.hold(|| self.store.import_states(&fit, self.acts));
            let imported = imported.map_err(|error| self.stopped_at(Some(first), error))?;
            let Some(imported) = imported else {
                self.hear_of_acts()?;
                continue;
            };
            let mut imported = imported.into_iter();
            for (waiting, why) in waiting.iter().zip(left_out) {
                let why = match why {
                    Some(why) => Some(why),
                    None => self.count_state(imported.next(), waiting.line)?,
                };
                if let Some(why) = why {
                    self.leave_out(waiting.state.stream.as_str(), why);
                }
            }
            return Ok(());
        }
    }

    /// The version up to which events of a stream were removed in the exported store, where the stream begins here with
    /// the same ones, and that matters.
    fn same_removed(
        &self,
        stream: &str,
        removed: Option<&(Version, String)>,
    ) -> Result<Option<u64>, Error> {
        match removed {
            Some((version, ids)) if self.prefixes.begins_behind(stream) => {
                let here = self.store.hash_of_ids(stream, *version)?;
                Ok((here.as_ref() == Some(ids)).then_some(version.0))
            }
            _ => Ok(None),
        }
    }

    /// Counts what came of a state; why it is left out, where it is.
    fn count_state(
        &mut self,
        imported: Option<ImportedState>,
        line: u64,
    ) -> anyhow::Result<Option<LeftOut>> {
        match imported {
            Some(ImportedState::Stored) => self.taken.states += 1,
            Some(ImportedState::AlreadyThere) => self.taken.states_there += 1,
            Some(ImportedState::Refused(Error::WrongExpectedVersion { .. })) => {
                return Ok(Some(LeftOut::OtherEvents));
            }
            Some(ImportedState::Refused(error)) => {
                return Err(self.stopped_at(Some(line), error.into()));
            }
            _ => return Ok(Some(LeftOut::OtherState)),
        }
        Ok(None)
    }

    /// Warns that a state was not taken.
    fn leave_out(&mut self, stream: &str, why: LeftOut) {
        self.taken.states_left_out += 1;
        if self.taken.states_left_out <= NAMED {
            let message =
                format!("the state of `{}` is left out: {}", escape(stream), why.reason());
            note(self.global, "warning:", &message);
        }
    }

    /// Warns of the states that were not taken and are not named.
    pub(super) fn sum_up_left_out(&self) {
        if let more @ 1.. = self.taken.states_left_out.saturating_sub(NAMED) {
            let message = format!("{more} more states are left out, for such reasons");
            note(self.global, "warning:", &message);
        }
    }

    /// Takes note of what was erased since that was last looked at.
    fn hear_of_acts(&mut self) -> anyhow::Result<()> {
        let mut query = Query::of(vec![Pattern::new(RECORD)?]);
        query.after = Some(Mark::Version(self.acts));
        let mut reader = self.store.read(&query)?;
        loop {
            let batch = reader.next_batch(|act| {
                self.acts = act.version;
                if ERASING.contains(&act.event_type)
                    && let Some(stream) = stream_of(act)
                {
                    self.prefixes.erase(&stream);
                }
            })?;
            if batch.caught_up {
                return Ok(());
            }
        }
    }
}

/// The stream that an act is about.
fn stream_of(act: &EventRef<'_>) -> Option<String> {
    #[derive(Deserialize)]
    struct OfStream {
        stream: String,
    }
    let DataRef::Json(json) = act.data else { return None };
    serde_json::from_str(json).ok().map(|OfStream { stream }| stream)
}
