//! Making a projection anew: a file of the next generation, which serves once it is whole.
//!
//! The registry alone says which generation serves. What changes that, a rebuild or a drop, goes in four steps:
//! the new file is durable, with its name; the fence is put up in the old one; the registry changes, in one
//! durable commit; and the old file says that it serves no more, and goes once it is not read. Whoever comes
//! next does the last again, where a process was killed before it.

use super::Projection;
use super::file::{self, File};
use super::registered::{self, serves};
use crate::event::{Link, Position};
use crate::schema::Identifier;
use crate::store::sqlite::failure::Failure;
use crate::store::sqlite::runs::checkpoint_in;
use crate::store::sqlite::{Store, Turn};
use crate::store::{Checkpoint, Error, ProjectionEntry, Unfenced};

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
        // Whoever put it up and did not go on is gone. In a file that can't be read no one minds it.
        if let Ok(serving) = self.projection(name.as_str()) {
            let _ = serving.take_down();
        }
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
        self.change_serving(name, *generation, |store| {
            store.write(false, |transaction| {
                let connection = transaction.connection();
                match serves(connection, name.as_str()) {
                    Ok(serves) if serves + 1 == *generation => {
                        registered::put(connection, &rebuilt.entry)
                    }
                    Ok(_) | Err(Failure::Refused(Error::ProjectionNotFound { .. })) => {
                        Err(Error::Superseded(name.to_string()).into())
                    }
                    Err(failed) => Err(failed),
                }
            })
        })?;
        self.tidy(name, *generation)
    }

    /// Changes which generation of a projection serves, by `change`: `next` is to, or would. Writers of the
    /// one that serves are kept off before. Who calls this has the turn to rebuild.
    pub(super) fn change_serving(
        &mut self,
        name: &Identifier,
        next: u64,
        change: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let fenced = self.fence(name, next)?;
        // Whoever has the old one open where no fence could be put up, and will go on in it.
        let old = File::of(&self.layout, name, next - 1);
        let unfenced = if fenced.is_none() { old.users() } else { Vec::new() };
        let changed = change(self);
        if changed.is_ok() && !unfenced.is_empty() {
            let unfenced = Unfenced { path: old.path(), by: unfenced };
            self.options.warn(&Error::Unfenced(unfenced));
        }
        match (&changed, fenced) {
            // Whoever writes next finds out.
            (Ok(()) | Err(Error::OutcomeUnknown { .. }), _) | (_, None) => {}
            (Err(_), Some(serving)) => {
                // Whoever writes next does it as well.
                let _ = serving.take_down();
            }
        }
        changed
    }

    /// Puts up the fence in the file of the generation before `next`. A file that can't be read has no
    /// fence, and no rows to lose but those of who has it open.
    fn fence(&self, name: &Identifier, next: u64) -> Result<Option<Projection>, Error> {
        let serving = match self.projection(name.as_str()) {
            Ok(serving) => serving,
            Err(error @ (Error::Busy { .. } | Error::Interrupted | Error::Replaced { .. })) => {
                return Err(error);
            }
            Err(_) => return Ok(None),
        };
        if serving.entry.generation + 1 != next {
            return Ok(None);
        }
        match serving.put_up(next) {
            Err(Error::ProjectionDamaged { .. }) => Ok(None),
            put_up => put_up.map(|()| Some(serving)),
        }
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
                return Err(Error::Superseded(name.into()).into());
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
