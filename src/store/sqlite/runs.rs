//! Who runs what follows the log: checkpoints, and the locks of runners.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::lock::{Queue, Turn};
use super::transaction::{Failure, Head, link};
use super::{Store, projections};
use crate::event::Position;
use crate::platform;
use crate::store::remembered::Permit;
use crate::store::{Checkpoint, Error, Link, Options, ProjectionEntry};

/// How long is waited for who seems to run something: a process that was killed may have left a child that
/// has not yet become another program, and keeps the lock until it does.
pub(super) const MOMENT: Duration = Duration::from_millis(200);

impl Store {
    pub(crate) fn checkpoint(&self, position: Position) -> Result<Checkpoint, Error> {
        self.look(|connection| self.checkpoint_in(connection, position))
    }

    pub(super) fn checkpoint_in(
        &self,
        connection: &Connection,
        position: Position,
    ) -> Result<Checkpoint, Failure> {
        let link = match self.link_at(connection, position)? {
            Ok(link) => link,
            Err(head) => return Err(Error::BeyondHead { position, head }.into()),
        };
        let (store, incarnation) = (self.marker.id.clone(), self.marker.incarnation.clone());
        Ok(Checkpoint { position, link, store, incarnation })
    }

    pub(crate) fn check_checkpoint(
        &self,
        name: &str,
        checkpoint: &Checkpoint,
    ) -> Result<(), Error> {
        let Checkpoint { position, link, store, incarnation } = checkpoint;
        let reason = if *store != self.marker.id {
            "it is from another store"
        } else if *incarnation != self.marker.incarnation {
            "the store has been restored since"
        } else {
            match self.look(|connection| self.link_at(connection, *position))? {
                Ok(found) if found == *link => return Ok(()),
                Ok(_) => "another event stands there now",
                Err(_) => "the store has lost what stood there",
            }
        };
        let projection = self.look(|connection| projections::is_there(connection, name))?;
        Err(Error::OtherLog { name: name.into(), position: *position, reason, projection })
    }

    /// The link of the event at `position`; where there is none, the head.
    fn link_at(
        &self,
        connection: &Connection,
        position: Position,
    ) -> Result<Result<Link, Position>, Failure> {
        if position.0 == 0 {
            return Ok(Ok(Link::genesis(&self.marker.id)));
        }
        let mut select =
            connection.prepare_cached("SELECT link FROM events WHERE position = ?1")?;
        // Where no event can stand, none does.
        let number = i64::try_from(position.0).unwrap_or(i64::MAX);
        match select.query_row([number], |row| link(row, 0)).optional()? {
            Some(link) => Ok(Ok(link)),
            None => Ok(Err(Head::read(connection, &self.marker.id)?.position)),
        }
    }

    pub(crate) fn take_run(&self, name: &str, wait: Duration) -> Result<Turn, Error> {
        let made = platform::create_private_dir(&self.layout.runners);
        // Another may be faster.
        if let Err(error) = made
            && !self.layout.runners.is_dir()
        {
            return Err(Error::io("create", &self.layout.runners)(error));
        }
        let options = Options { lock_timeout: wait, ..self.options.clone() };
        let lock = self.run_lock(name);
        match Queue::of_runner(lock.clone()).enter(&options) {
            Ok(turn) => {
                let since = (self.options.clock)();
                turn.sign(&format!("process {} since {since}\n", std::process::id()))
                    .map_err(Error::io("write", &lock))?;
                Ok(turn)
            }
            Err(Error::Busy { .. }) => {
                Err(Error::Running { name: name.to_string(), by: signature(&lock) })
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn runner(&self, name: &str) -> Result<Option<String>, Error> {
        let lock = self.run_lock(name);
        if lock.symlink_metadata().is_err() {
            return Ok(None);
        }
        let free = Queue::of_runner(lock.clone()).try_enter()?.is_some();
        Ok((!free).then(|| signature(&lock)))
    }

    /// Names that differ in nothing but case would be one file in some file systems.
    fn run_lock(&self, name: &str) -> PathBuf {
        self.layout.runners.join(name.to_ascii_lowercase())
    }

    pub(crate) fn remember(&mut self, entry: &ProjectionEntry) -> Result<(), Error> {
        let ProjectionEntry { name, definition, permit, .. } = entry;
        let (json, permit) = (definition.to_json(), permit.as_ref().map(Permit::as_bytes));
        self.write(false, |transaction| {
            let connection = transaction.connection();
            projections::find_exactly(connection, name.as_str())?;
            let update = "UPDATE projections SET definition = ?2, permit = ?3 WHERE name = ?1";
            connection.execute(update, params![name.as_str(), json, permit])?;
            Ok::<_, Failure>(())
        })
    }

    /// Stores a permit with what the projection `name` remembers by then, which `permit` is made for.
    pub(crate) fn allow(
        &mut self,
        name: &str,
        permit: impl Fn(&ProjectionEntry) -> Permit,
    ) -> Result<ProjectionEntry, Error> {
        self.write(false, |transaction| {
            let connection = transaction.connection();
            let mut entry = projections::find_exactly(connection, name)?;
            let permit = entry.permit.insert(permit(&entry));
            let update = "UPDATE projections SET permit = ?2 WHERE name = ?1";
            connection.execute(update, params![name, permit.as_bytes()])?;
            Ok::<_, Failure>(entry)
        })
    }
}

/// Who has signed a lock.
fn signature(lock: &Path) -> String {
    let signed = fs::read_to_string(lock).unwrap_or_default();
    let signed = signed.lines().next().unwrap_or_default();
    if signed.is_empty() { "another process".into() } else { signed.into() }
}
