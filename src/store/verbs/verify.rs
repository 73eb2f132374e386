//! Verifying: the engine's part, and the files of projections.

use crate::store::verify::{Finding, FindingKind};
use crate::store::{Error, PlaceFault, ProjectionEntry, Store, Verification, Verified, Verifying};

impl Store {
    /// That the store holds all that was acknowledged. Writing to one that does not is refused.
    ///
    /// # Errors
    ///
    /// [`Error::LostEvents`], [`Error::LostChanges`].
    pub fn check(&self) -> Result<(), Error> {
        self.engine.check()
    }

    /// Verifies that what the store holds is what was stored: links from the first event to the head, payloads,
    /// sums, versions, what indexes say of events, states, decisions, checkpoints, what was acknowledged, and what
    /// SQLite says of its files. What is found, and how far it has come, is given to `tell`.
    ///
    /// It takes all processors, and no lock: others read and write meanwhile. What is stored meanwhile is not
    /// looked at. Nothing is changed.
    ///
    /// # Errors
    ///
    /// [`Error::BeyondHead`], [`Error::Interrupted`], and where the store can't be read at all. Damage is no error
    /// but a finding.
    pub fn verify(
        &self,
        asked: &Verification,
        tell: &mut dyn FnMut(Verifying),
    ) -> Result<Verified, Error> {
        let mut verified = self.engine.verify(asked, tell)?;
        // Names that can't be read were told of.
        if !asked.quick
            && let Ok(entries) = self.projections()
        {
            for entry in entries {
                if let Some(finding) = self.verify_projection(&entry)? {
                    verified.findings += 1;
                    tell(Verifying::Found(finding));
                }
            }
        }
        Ok(verified)
    }

    /// What is wrong with the file of a projection, as far as rows that have no sums can tell.
    fn verify_projection(&self, entry: &ProjectionEntry) -> Result<Option<Finding>, Error> {
        let name = entry.name.as_str();
        let checked = self.projection(name).and_then(|projection| {
            let place = projection.checkpoint()?;
            if let Some(what) = projection.table().check()? {
                return Ok(Some(Finding::new(FindingKind::Projection, what)));
            }
            match self.check_checkpoint(name, &place) {
                Err(error @ Error::OtherLog { .. }) => {
                    let finding = Finding::new(FindingKind::Projection, error.to_string());
                    Ok(Some(finding.at(place.position.0)))
                }
                checked => checked.map(|()| None),
            }
        });
        let found = match checked {
            Ok(found) => found,
            // It was dropped, or made anew, since it was listed; or it has no rows yet, as after a restore, or none
            // at all, as in a backup.
            Err(
                Error::Place { fault: PlaceFault::LeftOut { .. }, .. }
                | Error::ProjectionNotFound { .. }
                | Error::Superseded(_)
                | Error::Dropped(_)
                | Error::ProjectionLost { .. },
            ) => None,
            Err(error @ (Error::ProjectionDamaged { .. } | Error::Damaged { .. })) => {
                Some(Finding::new(FindingKind::Projection, error.to_string()))
            }
            Err(error) => return Err(error),
        };
        Ok(found.map(|finding| finding.named(name)))
    }
}
