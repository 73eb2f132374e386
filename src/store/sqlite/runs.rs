//! Who runs what follows the log: checkpoints, and the locks of runners.

use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::failure::Failure;
use super::head::Head;
use super::lock::{Queue, Turn};
use super::payload::link;
use super::{Store, registry};
use crate::event::{Link, Position};
use crate::store::permit::Permit;
use crate::store::{Checkpoint, Error, Options, ProjectionEntry};

/// How often, and how long between, it is looked whether someone runs something.
const LOOKS: u32 = 3;
const LOOK: Duration = Duration::from_millis(1);

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
        Ok(Checkpoint { position, link })
    }

    pub(crate) fn check_checkpoint(
        &self,
        name: &str,
        checkpoint: &Checkpoint,
    ) -> Result<(), Error> {
        let Checkpoint { position, link } = checkpoint;
        let reason = match self.look(|connection| self.link_at(connection, *position))? {
            Ok(found) if found == *link => return Ok(()),
            // The first link is made from the store's id.
            Ok(_) if position.0 == 0 => "it is from another store",
            Ok(_) => "another event stands there now",
            Err(_) => "the store has lost what stood there",
        };
        let projection = self.look(|connection| registry::is_projection(connection, name))?;
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
        self.layout.place.make_directory("runners")?;
        let options = Options { lock_timeout: wait, ..self.options.clone() };
        let lock = run_lock(name);
        match Queue::of_runner(&self.layout, lock.clone()).enter(&options) {
            Ok(turn) => {
                let since = (self.options.clock)();
                turn.sign(&format!("process {} since {since}\n", std::process::id()))
                    .map_err(Error::io("write", &self.layout.place.path(&lock)))?;
                Ok(turn)
            }
            Err(Error::Busy { .. }) => {
                Err(Error::Running { name: name.to_string(), by: self.signature(&lock)? })
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn runner(&self, name: &str) -> Result<Option<String>, Error> {
        let lock = run_lock(name);
        if self.layout.place.identify(&lock)?.is_none() {
            return Ok(None);
        }
        let queue = Queue::of_runner(&self.layout, lock.clone());
        for _ in 0..LOOKS {
            if queue.try_enter()?.is_some() {
                return Ok(None);
            }
            // A process that gave up waiting for the lock may get it all the same, and gives it back.
            thread::sleep(LOOK);
        }
        self.signature(&lock).map(Some)
    }

    /// Who has signed a lock.
    fn signature(&self, lock: &str) -> Result<String, Error> {
        let signed = self.layout.place.read_small(lock)?.unwrap_or_default();
        let signed = signed.lines().next().unwrap_or_default();
        Ok(if signed.is_empty() { "another process".into() } else { signed.into() })
    }

    pub(crate) fn remember(&mut self, entry: &ProjectionEntry) -> Result<(), Error> {
        let ProjectionEntry { name, definition, permit, .. } = entry;
        let (json, permit) = (definition.to_json(), permit.as_ref().map(Permit::as_bytes));
        self.write(false, |transaction| {
            let connection = transaction.connection();
            registry::find_exactly(connection, name.as_str())?;
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
            let mut entry = registry::find_exactly(connection, name)?;
            let permit = entry.permit.insert(permit(&entry));
            let update = "UPDATE projections SET permit = ?2 WHERE name = ?1";
            connection.execute(update, params![name, permit.as_bytes()])?;
            Ok::<_, Failure>(entry)
        })
    }
}

/// The lock of who runs what is called `name`. Names that differ in nothing but case would be one file in
/// some file systems.
fn run_lock(name: &str) -> String {
    format!("runners/{}", name.to_ascii_lowercase())
}
