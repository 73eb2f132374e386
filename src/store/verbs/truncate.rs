//! Truncating streams.

use crate::event::{Position, StreamName, Version};
use crate::store::look::Look;
use crate::store::rules::{Act, StreamFacts, truncations};
use crate::store::{Before, Error, Mark, Removal, Store, Truncated};

impl Store {
    /// What [`Store::truncate`] would take. Streams that hold no event before that place are left out.
    ///
    /// # Errors
    ///
    /// As for that.
    pub fn truncatable(
        &self,
        names: &[StreamName],
        before: Before,
    ) -> Result<Vec<Truncated>, Error> {
        self.look(|look| {
            let facts = facts_before(look, names, before)?;
            truncations_in(look, names, &facts, &look.last_before(names, before)?)
        })
    }

    /// Removes the events of streams that stand before a place, in one transaction, and records that in the stream
    /// `$ream`. With a time these are the ones before the first whose time it is, or later. A skeleton of each
    /// stays, and so do the states, which stand for them.
    ///
    /// Then it erases, as [`Store::remove`] does.
    ///
    /// # Errors
    ///
    /// [`Error::Protected`], [`Error::VersionNeedsStream`], [`Error::BeyondStream`] and [`Error::BeyondHead`]: then
    /// nothing is removed.
    pub fn truncate(
        &mut self,
        names: &[StreamName],
        before: Before,
    ) -> Result<Removal<Truncated>, Error> {
        // What is there by now stays there.
        self.look(|look| facts_before(look, names, before))?;
        let removed = self.act(|tx| {
            let look = tx.look();
            let last = look.last_before(names, before)?;
            let truncated = truncations_in(&*look, names, &look.stream_facts(names)?, &last)?;
            drop(look);
            tx.truncate(&truncated)?;
            let acts = truncated.iter().map(Act::truncation).collect();
            Ok((truncated, acts))
        })?;
        Ok(Removal { removed, unfinished: self.finish_erasure() })
    }
}

/// What a truncation takes from streams: see [`truncations`].
pub(super) fn truncations_in(
    look: &dyn Look,
    names: &[StreamName],
    facts: &[StreamFacts],
    last: &[Version],
) -> Result<Vec<Truncated>, Error> {
    let mut truncated = truncations(names, facts, last)?;
    for Truncated { stream, removed, events, tagged, .. } in &mut truncated {
        *tagged = look.tagged(stream.as_str(), Version(removed.0 - *events), *removed)?;
    }
    Ok(truncated)
}

/// What the store says about streams of which a part may go: the place up to which is none behind the next event.
fn facts_before(
    look: &dyn Look,
    names: &[StreamName],
    before: Before,
) -> Result<Vec<StreamFacts>, Error> {
    let facts = look.stream_facts(names)?;
    let versions: Vec<u64> = facts.iter().map(|facts| facts.version).collect();
    check_place(names, &versions, look.head()?.position, before)?;
    Ok(facts)
}

/// That a place is none behind the next event.
fn check_place(
    names: &[StreamName],
    versions: &[u64],
    head: Position,
    before: Before,
) -> Result<(), Error> {
    match before {
        Before::Mark(Mark::Version(version)) => {
            let ([stream], [actual]) = (names, versions) else {
                return Err(Error::VersionNeedsStream);
            };
            let (stream, actual) = (stream.to_string(), Version(*actual));
            if version > actual.next() {
                return Err(Error::BeyondStream { stream, version, actual });
            }
        }
        Before::Mark(Mark::Position(position)) if position > head.next() => {
            return Err(Error::BeyondHead { position, head });
        }
        _ => {}
    }
    Ok(())
}
