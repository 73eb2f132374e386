//! The engine, as the verbs know it.

use std::any::Any;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Store;
use super::table::Table;
use crate::event::Position;
use crate::platform::Origin;
use crate::schema::{Identifier, Schema};
use crate::store::engine::{self, Engine, Held, Tx};
use crate::store::look::{Look, Reading};
use crate::store::rows::{Applied, ChangeRef, RowRef};
use crate::store::rules::{Kept, KnownDecision};
use crate::store::watch;
use crate::store::{
    Backup, BackupProgress, Batched, Checkpoint, Compacted, Differences, Error, Explanation,
    NewBackup, Options, Selection, Status, Unfenced, Verification, Verified, Verifying, Vitals,
};

impl Engine for Store {
    fn id(&self) -> &str {
        self.id()
    }

    fn max_data_bytes(&self) -> usize {
        self.max_data_bytes()
    }

    fn path(&self) -> Option<&Path> {
        Some(self.path())
    }

    fn again(&self, options: &Options) -> Result<Box<dyn Engine>, Error> {
        Ok(Box::new(Self::open(self.path(), options)?))
    }

    fn options(&self) -> &Options {
        self.options()
    }

    #[cfg(all(feature = "serve", unix))]
    fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }

    fn look(&self, work: &mut dyn FnMut(&dyn Look) -> Result<(), Error>) -> Result<(), Error> {
        self.look_at(work)
    }

    fn reading(&self, follow: bool) -> Result<Box<dyn Reading>, Error> {
        Ok(Box::new(self.reading(follow)?))
    }

    fn watch(&self) -> Box<dyn watch::Watch> {
        Box::new(self.watch())
    }

    fn transact(
        &mut self,
        many: bool,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.transact(many, work)
    }

    #[cfg(all(feature = "serve", unix))]
    fn set_patient(&mut self, patient: bool) {
        self.set_patient(patient);
    }

    fn known_decision(&mut self, kept: &Kept<'_>) -> Result<Option<KnownDecision>, Error> {
        self.known_decision(kept)
    }

    fn queue(&mut self, names: &[&str]) -> Result<Option<Held>, Error> {
        Ok(self.queue(names)?.map(Held::new))
    }

    fn take_run(&self, name: &str, wait: Duration) -> Result<Held, Error> {
        Ok(Held::new(self.take_run(name, wait)?))
    }

    #[cfg(all(feature = "serve", unix))]
    fn take_server(&self) -> Result<Held, Error> {
        Ok(Held::new(self.take_server()?))
    }

    fn take_rebuild(&self, name: &Identifier) -> Result<Held, Error> {
        Ok(Held::new(self.take_rebuild(name)?))
    }

    fn take_making(&self) -> Result<Held, Error> {
        Ok(Held::new(self.take_making()?))
    }

    fn take_projection(&self, name: &Identifier) -> Result<Held, Error> {
        Ok(Held::new(self.take_projection(name)?))
    }

    fn runner(&self, name: &str) -> Result<Option<String>, Error> {
        self.runner(name)
    }

    fn make_table(
        &self,
        name: &Identifier,
        generation: u64,
        schema: &Schema,
    ) -> Result<Box<dyn engine::Table>, Error> {
        Ok(Box::new(self.make_table(name, generation, schema)?))
    }

    fn table(
        &self,
        name: &Identifier,
        generation: u64,
        schema: &Schema,
    ) -> Result<Box<dyn engine::Table>, Error> {
        Ok(Box::new(self.table(name, generation, schema)?))
    }

    fn has_tables(&self, name: &Identifier) -> Result<bool, Error> {
        self.has_tables(name)
    }

    fn users(&self, name: &Identifier, generation: u64) -> Option<Unfenced> {
        self.users(name, generation)
    }

    fn lead(&self, name: &Identifier, generation: u64) -> Result<(), Error> {
        self.lead(name, generation)
    }

    fn follow_up(&self, name: &Identifier, serves: u64) -> Result<(), Error> {
        self.follow_up(name, serves)
    }

    fn follow_up_drop(&self, name: &Identifier, last: u64) -> Result<(), Error> {
        self.follow_up_drop(name, last)
    }

    fn follow_up_older(&self, name: &Identifier, serves: u64) -> Result<(), Error> {
        self.follow_up_older(name, serves)
    }

    fn erase_rows(&self, table: &dyn engine::Table) -> Option<Error> {
        match own(table) {
            Some(table) => self.erase_rows(table),
            None => Some(Error::OtherSchema),
        }
    }

    fn finish_erasure(&mut self) -> Option<Error> {
        self.finish_erasure()
    }

    fn compact(&mut self, tell: &mut dyn FnMut(u64, u64)) -> Result<Compacted, Error> {
        self.compact(tell)
    }

    fn status(&self) -> Result<Status, Error> {
        self.status()
    }

    fn vitals(&self) -> Result<Vitals, Error> {
        self.vitals()
    }

    fn check(&self) -> Result<(), Error> {
        self.check()
    }

    fn verify(
        &self,
        asked: &Verification,
        tell: &mut dyn FnMut(Verifying),
    ) -> Result<Verified, Error> {
        self.verify(asked, tell)
    }

    fn backup(
        &self,
        path: &Path,
        new: &NewBackup,
        progress: &mut dyn FnMut(BackupProgress),
    ) -> Result<Backup, Error> {
        self.backup(path, new, progress)
    }

    fn is_backup(&self) -> bool {
        self.is_backup()
    }

    fn backups_of(&self, name: &str) -> Result<Vec<PathBuf>, Error> {
        self.backups_of(name)
    }

    fn origin(&self) -> Result<Origin, &'static str> {
        self.origin()
    }

    #[cfg(all(feature = "serve", unix))]
    fn own_token(&self) -> Result<(PathBuf, String), Error> {
        self.own_token()
    }

    fn mended(&self) -> usize {
        self.mended()
    }

    fn leave(self: Box<Self>) {
        (*self).leave();
    }
}

impl engine::Table for Table {
    fn place(&self) -> Result<Checkpoint, Error> {
        self.place()
    }

    fn size(&self) -> Result<(u64, u64), Error> {
        self.size()
    }

    fn apply(
        &mut self,
        changes: &mut dyn Iterator<Item = ChangeRef<'_>>,
        moves: Option<(Position, &Checkpoint)>,
        batched: Batched,
        dry_run: bool,
    ) -> Result<Applied, Error> {
        self.apply(changes, moves, batched, dry_run)
    }

    fn select(
        &self,
        selection: &Selection,
        each: &mut dyn FnMut(&RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.select(selection, |row| each(&RowRef::new(&row)))
    }

    fn count(&self, selection: &Selection) -> Result<u64, Error> {
        self.count(selection)
    }

    fn explain(&self, selection: &Selection) -> Result<Explanation, Error> {
        self.explain(selection)
    }

    fn differences(&self, old: &dyn engine::Table, shown: usize) -> Result<Differences, Error> {
        match own(old) {
            Some(old) => self.differences(old, shown),
            None => Err(Error::OtherSchema),
        }
    }

    fn check(&self) -> Result<Option<String>, Error> {
        self.check()
    }

    fn tidy(&self) -> Result<(), Error> {
        self.tidy()
    }

    fn settle(&self) -> Result<(), Error> {
        self.settle().map(drop)
    }

    fn check_serves(&self) -> Result<(), Error> {
        self.check_serves()
    }

    fn put_up(&self, next: u64) -> Result<(), Error> {
        self.put_up(next)
    }

    fn take_down(&self) -> Result<(), Error> {
        self.take_down()
    }

    fn discard(self: Box<Self>) -> Result<(), Error> {
        (*self).discard()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A table of this engine.
fn own(table: &dyn engine::Table) -> Option<&Table> {
    table.as_any().downcast_ref()
}
