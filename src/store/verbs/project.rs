//! Projections: which there are; making, dropping and rebuilding them.
//!
//! The registry alone says which generation serves. What changes that, a rebuild or a drop, goes in four steps:
//! the new file is durable, with its name; the fence is put up in the old one; the registry changes, in one
//! durable commit; and the old file says that it serves no more, and goes once it is not read. Whoever comes
//! next does the last again, where a process was killed before it.

use crate::event::{Link, Position};
use crate::schema::{Identifier, OpenDefinition};
use crate::store::rules::Act;
use crate::store::rules::names::{self, Holder, Kind};
use crate::store::{Checkpoint, Error, Projection, ProjectionEntry, Rebuild, Store};

impl Store {
    /// The projections, by name, but for those whose fields have no types yet.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn projections(&self) -> Result<Vec<ProjectionEntry>, Error> {
        self.known(Kind::Projection, |name| match names::open_in(name) {
            Some(_) => Ok(None),
            None => names::projection_in(name).map(Some),
        })
        .map(|known| known.into_iter().flatten().collect())
    }

    /// The projection `name`, whatever has become of its file.
    ///
    /// # Errors
    ///
    /// [`Error::ProjectionNotFound`].
    pub fn projection_entry(&self, name: &str) -> Result<ProjectionEntry, Error> {
        let found = names::projection(self.name(name)?.as_ref(), name);
        found.map_err(|error| self.with_near(error))
    }

    /// Remembers what a projection is made from and by what, with the permit of a program that was given, and
    /// records that it changed.
    ///
    /// # Errors
    ///
    /// [`Error::ProjectionNotFound`].
    pub fn remember(&mut self, entry: &ProjectionEntry) -> Result<(), Error> {
        let name = entry.name.as_str();
        let done = self.act(|tx| {
            let found = tx.look().name(name)?;
            let generation = names::serves(found.as_ref(), name)?;
            let entry = ProjectionEntry { generation, ..entry.clone() };
            let made = names::made(found.as_ref(), &entry);
            if found.as_ref() == Some(&made) {
                return Ok(((), Vec::new()));
            }
            tx.put_name(&made)?;
            Ok(((), vec![Act::ProjectionChanged { name: name.into(), generation }]))
        });
        done.map_err(|error| self.with_near(error))
    }

    /// Makes a projection, without rows; whether it is new.
    pub(in crate::store) fn make_projection(
        &mut self,
        entry: &ProjectionEntry,
    ) -> Result<bool, Error> {
        let name = entry.name.as_str();
        let store = &self.engine;
        let _turn = store.take_making()?;
        let last = match names::create(self.name(name)?.as_ref(), entry)? {
            Holder::Known(known) if known.permit == entry.permit => return Ok(false),
            Holder::Known(_) => return self.remember(entry).map(|()| false),
            Holder::Nobody { generation } => generation,
        };
        let made = ProjectionEntry { generation: last + 1, ..entry.clone() };
        // What an earlier attempt left is in no one's use, and what a drop left is for readers of that.
        store.follow_up_drop(&entry.name, last)?;
        drop(store.make_table(&made.name, made.generation, &made.definition.schema)?);
        store.lead(&entry.name, made.generation)?;
        // From here on it is there: writers wait for no more than this.
        let done = self.act(|tx| {
            let found = tx.look().name(name)?;
            // A subscription may have come first.
            names::create(found.as_ref(), entry)?;
            tx.put_name(&names::made(found.as_ref(), &made))?;
            let (name, generation) = (name.to_owned(), made.generation);
            Ok((
                (),
                vec![match found.and_then(|found| found.kind) {
                    // Its fields have types from now on.
                    Some(_) => Act::ProjectionChanged { name, generation },
                    None => Act::ProjectionCreated { name, generation },
                }],
            ))
        });
        if let Err(Error::NameTaken { .. }) = done {
            let store = &self.engine;
            store.follow_up_drop(&entry.name, last)?;
        }
        done.map(|()| true)
    }

    /// Makes a projection whose fields have no types yet, as a name alone; whether it is new.
    ///
    /// # Errors
    ///
    /// [`Error::ProjectionExists`], [`Error::NameTaken`].
    pub fn create_open_projection(
        &mut self,
        name: &Identifier,
        open: &OpenDefinition,
    ) -> Result<bool, Error> {
        self.act(|tx| {
            let found = tx.look().name(name.as_str())?;
            match names::create_open(found.as_ref(), name, open)? {
                Holder::Known(()) => Ok((false, Vec::new())),
                Holder::Nobody { generation } => {
                    tx.put_name(&names::opened(name, open, generation))?;
                    let name = name.to_string();
                    Ok((true, vec![Act::ProjectionCreated { name, generation }]))
                }
            }
        })
    }

    /// The projections whose fields have no types yet, by name.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn open_projections(&self) -> Result<Vec<String>, Error> {
        let names = self.names(Kind::Projection)?.into_iter();
        Ok(names.filter(|name| names::open_in(name).is_some()).map(|name| name.text).collect())
    }

    /// What the projection `name` is made of, where its fields have no types yet.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn open_projection(&self, name: &str) -> Result<Option<OpenDefinition>, Error> {
        Ok(names::exactly(self.name(name)?.as_ref(), name).and_then(names::open_in))
    }

    /// Drops the projection `name` and its rows; whether there was one.
    ///
    /// # Errors
    ///
    /// Where the store can't be written.
    pub fn drop_projection(&mut self, name: &Identifier) -> Result<bool, Error> {
        let store = &self.engine;
        // Who makes it would go on in a file that no one finds.
        let _turns = store.take_projection(name)?;
        let found = self.name(name.as_str())?;
        let Ok(generation) = names::serves(found.as_ref(), name.as_str()) else {
            let last = names::last_generation(found.as_ref(), name.as_str());
            // What another one is called but for its case is left alone, also where files know no case.
            if found.is_some_and(|found| found.kind.is_some() && found.text != name.as_str()) {
                return Ok(false);
            }
            let is_any_left = store.has_tables(name)?;
            store.follow_up_drop(name, last)?;
            return Ok(is_any_left);
        };
        self.change_serving(name, generation + 1, |store| {
            store.give_back(name.as_str(), Kind::Projection).map(drop)
        })?;
        let store = &self.engine;
        store.follow_up_drop(name, generation)?;
        Ok(true)
    }

    /// Opens the projection `name`.
    ///
    /// # Errors
    ///
    /// [`Error::ProjectionNotFound`]; [`Error::ProjectionLost`] and [`Error::ProjectionDamaged`] where its
    /// file is not what it was: [`Store::begin_rebuild`] needs none.
    pub fn projection(&self, name: &str) -> Result<Projection, Error> {
        let entry = self.projection_entry(name)?;
        let store = &self.engine;
        match store.table(&entry.name, entry.generation, &entry.definition.schema) {
            Ok(table) => Ok(Projection::of(entry, table)),
            // It may have been rebuilt since it was looked up.
            Err(_) if self.projection_entry(name)?.generation != entry.generation => {
                self.projection(name)
            }
            Err(error) => Err(error),
        }
    }

    /// Begins to make a projection anew, by another definition or the one that it has: the next generation
    /// of it, without rows, which serves once it is whole, by [`Store::switch`]. What an earlier attempt
    /// left is removed.
    ///
    /// # Errors
    ///
    /// [`Error::Running`] where someone else does it, [`Error::ProjectionNotFound`].
    pub fn begin_rebuild(&mut self, entry: &ProjectionEntry) -> Result<Rebuild, Error> {
        let lock = self.take_rebuild(&entry.name)?;
        let serves = self.serves(&entry.name)?;
        let store = &self.engine;
        store.follow_up(&entry.name, serves)?;
        // Whoever put it up and did not go on is gone. In a file that can't be read no one minds it.
        if let Ok(serving) = self.projection(entry.name.as_str()) {
            let _ = serving.table().take_down();
        }
        let made = ProjectionEntry { generation: serves + 1, ..entry.clone() };
        let table = store.make_table(&made.name, made.generation, &made.definition.schema)?;
        Ok(Rebuild::new(Projection::of(made, table), lock))
    }

    /// Has a projection that was made anew serve, in one transaction; the one before it goes when nobody
    /// reads it any more, and who still writes to that is refused.
    ///
    /// # Errors
    ///
    /// [`Error::Superseded`] where another one serves by now.
    pub fn switch(&mut self, rebuild: &Rebuild) -> Result<(), Error> {
        let entry = rebuild.projection.entry();
        let (name, generation) = (&entry.name, entry.generation);
        // It has to be on the disk before it is relied on, and so has its name.
        rebuild.projection.settle()?;
        self.change_serving(name, generation, |store| {
            store.act(|tx| {
                let found = tx.look().name(name.as_str())?;
                tx.put_name(&names::switched(found.as_ref(), entry)?)?;
                Ok(((), vec![Act::ProjectionSwitched { name: name.to_string(), generation }]))
            })
        })?;
        let store = &self.engine;
        store.follow_up(name, generation)
    }

    /// A checkpoint at `position` for a projection that serves, or is to serve next.
    ///
    /// # Errors
    ///
    /// [`Error::Superseded`], [`Error::ProjectionNotFound`], [`Error::BeyondHead`].
    pub fn checkpoint_of(
        &self,
        projection: &Projection,
        position: Position,
    ) -> Result<Checkpoint, Error> {
        self.checkpoint_told_of(projection, position, None)
    }

    /// The same where the event there was read before, with this link. Where that is not known, it is
    /// looked up.
    pub(crate) fn checkpoint_told_of(
        &self,
        projection: &Projection,
        position: Position,
        link: Option<Link>,
    ) -> Result<Checkpoint, Error> {
        let entry = projection.entry();
        if self.serves(&entry.name)? > entry.generation {
            return Err(Error::Superseded(entry.name.to_string()));
        }
        self.checkpoint_told(position, link)
    }

    /// Changes which generation of a projection serves, by `change`: `next` is to, or would. Writers of the
    /// one that serves are kept off before. Who calls this has the turn to rebuild.
    fn change_serving(
        &mut self,
        name: &Identifier,
        next: u64,
        change: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let fenced = self.fence(name, next)?;
        let store = &self.engine;
        // Whoever has the old one open where no fence could be put up, and will go on in it.
        let unfenced = if fenced.is_none() { store.users(name, next - 1) } else { None };
        let changed = change(self);
        if let (Ok(()), Some(unfenced)) = (&changed, unfenced) {
            let store = &self.engine;
            store.options().warn(&Error::Unfenced(unfenced));
        }
        match (&changed, fenced) {
            // Whoever writes next finds out.
            (Ok(()) | Err(Error::OutcomeUnknown { .. }), _) | (_, None) => {}
            (Err(_), Some(serving)) => {
                // Whoever writes next does it as well.
                let _ = serving.table().take_down();
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
        if serving.entry().generation + 1 != next {
            return Ok(None);
        }
        match serving.table().put_up(next) {
            Err(Error::ProjectionDamaged { .. }) => Ok(None),
            put_up => put_up.map(|()| Some(serving)),
        }
    }

    /// The generation of a projection that serves.
    fn serves(&self, name: &Identifier) -> Result<u64, Error> {
        let serves = names::serves(self.name(name.as_str())?.as_ref(), name.as_str());
        serves.map_err(|error| self.with_near(error))
    }
}
