//! Making a projection anew: a file of the next generation, which serves once it is whole.
//!
//! The events' file records which generation serves. Until that record is changed, nobody knows the new
//! file; afterwards nobody looks for the old one.

use super::Projection;
use super::file::{self, File};
use super::registered::{self, serves};
use crate::event::{Link, Position};
use crate::schema::Identifier;
use crate::store::sqlite::failure::Failure;
use crate::store::sqlite::log::truncated;
use crate::store::sqlite::runs::checkpoint_in;
use crate::store::sqlite::{Store, Turn};
use crate::store::{Checkpoint, Error, ProjectionEntry};

impl Store {
    /// Makes the next generation of a projection, without rows, which no one else knows.
    pub(crate) fn begin_rebuild(
        &mut self,
        entry: &ProjectionEntry,
    ) -> Result<(Turn, Projection), Error> {
        let ProjectionEntry { name, definition, .. } = entry;
        let turn = self.take_rebuild(name)?;
        let serves = self.look(|connection| serves(connection, name.as_str()))?;
        self.tidy(name, serves)?;
        let generation = serves + 1;
        let (file, connection) = self.create_file(name, definition, generation)?;
        let entry = ProjectionEntry { generation, ..entry.clone() };
        Ok((turn, self.opened(entry, file, connection)))
    }

    /// Has a new generation serve.
    pub(crate) fn switch(&mut self, rebuilt: &Projection) -> Result<(), Error> {
        let ProjectionEntry { name, generation, .. } = &rebuilt.entry;
        // It has to be on the disk before it is relied on, and so has its name.
        rebuilt.settle()?;
        file::sync_names(&self.layout)?;
        self.write(false, |transaction| {
            let connection = transaction.connection();
            match serves(connection, name.as_str()) {
                Ok(serves) if serves + 1 == *generation => {
                    registered::put(connection, &rebuilt.entry)
                }
                Ok(_) | Err(Failure::Refused(Error::ProjectionNotFound { .. })) => {
                    Err(Error::Superseded { name: name.to_string() }.into())
                }
                Err(failed) => Err(failed),
            }
        })?;
        self.tidy(name, *generation)
    }

    /// Removes generations that do not serve, but those that are still read, and has the link lead to
    /// the one that does. Who calls this has the turn to rebuild.
    pub(super) fn tidy(&self, name: &Identifier, serves: u64) -> Result<(), Error> {
        file::point(&self.layout, name, serves)?;
        file::sync_names(&self.layout)?;
        for generation in file::generations(&self.layout, name)? {
            let file = File::of(&self.layout, name, generation);
            // Who has opened the old one and not yet its log would miss what is left there. In one that is
            // damaged there is nothing to miss.
            let whole = || match file.open(&self.layout, &self.options) {
                Ok(old) => truncated(&old),
                Err(error) => matches!(error, Error::Damaged { .. }),
            };
            if generation > serves || generation < serves && whole() {
                file.remove()?;
            }
        }
        Ok(())
    }

    /// A checkpoint for a generation of a projection that serves, or is to serve next; at an event that
    /// was read before, where its link is given.
    pub(crate) fn checkpoint_of(
        &self,
        entry: &ProjectionEntry,
        position: Position,
        link: Option<Link>,
    ) -> Result<Checkpoint, Error> {
        let name = entry.name.as_str();
        self.look(|connection| {
            if serves(connection, name)? > entry.generation {
                return Err(Error::Superseded { name: name.into() }.into());
            }
            match link {
                Some(link) => Ok(Checkpoint { position, link }),
                None => checkpoint_in(connection, &self.marker.id, position),
            }
        })
    }
}

impl Projection {
    /// Removes a generation that does not serve.
    pub(crate) fn discard(self) -> Result<(), Error> {
        let file = self.file.clone();
        drop(self);
        file.remove()
    }
}
