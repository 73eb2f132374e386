//! Making a projection anew: a file of the next generation, which serves once it is whole.
//!
//! The events' file records which generation serves. Until that record is changed, nobody knows the new
//! file; afterwards nobody looks for the old one.

use rusqlite::params;

use super::Projection;
use super::file::{self, File};
use crate::event::{Link, Position};
use crate::schema::Identifier;
use crate::store::permit::Permit;
use crate::store::sqlite::lock::MOMENT;
use crate::store::sqlite::log::truncated;
use crate::store::sqlite::registry::find_exactly;
use crate::store::sqlite::{Store, Turn};
use crate::store::{Checkpoint, Error, ProjectionEntry};

impl Store {
    /// The turn to rebuild a projection, which one has at a time.
    pub(super) fn take_rebuild(&self, name: &Identifier) -> Result<Turn, Error> {
        match self.take_run(&format!("{name}.rebuild"), MOMENT) {
            Err(Error::Running { by, .. }) => {
                Err(Error::Running { name: format!("the rebuild of {name}"), by })
            }
            taken => taken,
        }
    }

    /// Makes the next generation of a projection, without rows, which no one else knows.
    pub(crate) fn begin_rebuild(
        &mut self,
        entry: &ProjectionEntry,
    ) -> Result<(Turn, Projection), Error> {
        let ProjectionEntry { name, definition, .. } = entry;
        let turn = self.take_rebuild(name)?;
        let serves = self.look(|connection| find_exactly(connection, name.as_str()))?.generation;
        self.tidy(name, serves)?;
        let generation = serves + 1;
        let (file, connection) = self.create_file(name, definition, generation)?;
        let entry = ProjectionEntry { generation, ..entry.clone() };
        Ok((turn, self.opened(entry, file, connection)))
    }

    /// Has a new generation serve.
    pub(crate) fn switch(&mut self, rebuilt: &Projection) -> Result<(), Error> {
        let ProjectionEntry { name, definition, generation, permit, .. } = &rebuilt.entry;
        // It has to be on the disk before it is relied on, and so has its name.
        rebuilt.settle()?;
        file::sync_names(&self.layout)?;
        let (json, permit) = (definition.to_json(), permit.as_ref().map(Permit::as_bytes));
        self.write(false, |transaction| {
            let connection = transaction.connection();
            let update = "UPDATE projections SET generation = ?2, definition = ?3, permit = ?4 \
                          WHERE name = ?1 AND generation = ?2 - 1";
            match connection.execute(update, params![name.as_str(), generation, json, permit])? {
                0 => Err(Error::Superseded { name: name.to_string() }.into()),
                _ => Ok(()),
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
            // Who has opened the old one and not yet its log would miss what is left there.
            let whole = || file.open(&self.layout, &self.options).is_ok_and(|old| truncated(&old));
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
            let select = "SELECT generation FROM projections WHERE name = ?1";
            let serves = connection
                .prepare_cached(select)
                .and_then(|mut select| select.query_row([name], |row| row.get::<_, u64>(0)));
            match serves {
                Ok(serves) if serves > entry.generation => {
                    Err(Error::Superseded { name: name.into() }.into())
                }
                Ok(_) => match link {
                    Some(link) => Ok(Checkpoint { position, link }),
                    None => self.checkpoint_in(connection, position),
                },
                // Tells that it is not there, and what is near.
                Err(error) => Err(find_exactly(connection, name).err().unwrap_or(error.into())),
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
