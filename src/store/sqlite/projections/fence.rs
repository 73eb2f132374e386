//! The fence: no row is written to a generation that serves no more, and who waits for one goes on with
//! the next.
//!
//! Before the registry has another generation serve, or none, whoever changes it sets `next` in the file of
//! the old one. Every write reads that row in its own transaction, so that what is committed was committed
//! before the change. Where it is set, the registry says what came of it: whoever set it may have been killed
//! on the way.

use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::Projection;
use super::old::End;
use crate::deadline::Deadline;
use crate::store::Error;
use crate::store::sqlite::database;
use crate::store::sqlite::failure::failure;
use crate::store::sqlite::lock::Queue;
use crate::store::sqlite::registry::{self, Kind};
use crate::store::sqlite::runs::rebuild_lock;

/// How often a writer looks whether the one who is about to change what serves has done so.
const LOOK: Duration = Duration::from_millis(2);

/// What the registry says of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Serves,
    /// It serves, and someone is about to change that.
    Ending,
    Ended(End),
}

impl Projection {
    /// Begins a transaction that writes, where this generation serves.
    pub(super) fn begin(&self) -> Result<(), Error> {
        let deadline = Deadline::after(self.options.lock_timeout);
        let busy = || Error::Busy { waited: self.options.lock_timeout };
        let connection = &self.connection;
        loop {
            connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| {
                match error.sqlite_error_code() {
                    Some(ErrorCode::DatabaseBusy) => busy(),
                    _ => self.tell("begin to write", error),
                }
            })?;
            let next = next(connection);
            if next == Ok(None) {
                return Ok(());
            }
            // What failed is told; a rollback that fails as well adds nothing.
            let _ = connection.execute_batch("ROLLBACK");
            next.map_err(|error| self.misread("read the checkpoint", error))?;
            match self.standing()? {
                Standing::Serves => {}
                Standing::Ended(end) => return Err(end.error(&self.entry.name)),
                Standing::Ending if self.options.interrupted() => return Err(Error::Interrupted),
                Standing::Ending if deadline.is_over() => return Err(busy()),
                Standing::Ending => thread::sleep(LOOK.min(deadline.left())),
            }
        }
    }

    /// That this generation serves. Costs a look at one row of its file, where no one is about to change
    /// that.
    pub(crate) fn check_serves(&self) -> Result<(), Error> {
        match next(&self.connection) {
            Ok(None) => return Ok(()),
            Ok(Some(_)) => {}
            Err(error) => return Err(self.misread("read the checkpoint", error)),
        }
        match self.standing()? {
            Standing::Serves | Standing::Ending => Ok(()),
            Standing::Ended(end) => Err(end.error(&self.entry.name)),
        }
    }

    /// What the registry says, now that `next` is set. Where whoever set it is gone and has changed nothing,
    /// it is taken back.
    fn standing(&self) -> Result<Standing, Error> {
        self.layout.place.make_directory("runners")?;
        let lock = rebuild_lock(self.entry.name.as_str());
        // Who has the turn is the only one who changes the registry.
        let turn = Queue::of_runner(&self.layout, lock).try_enter()?;
        if let Some(end) = self.end()? {
            return Ok(Standing::Ended(end));
        }
        if turn.is_none() {
            return Ok(Standing::Ending);
        }
        self.take_down().map_err(|error| self.tell("write to the projection", error))?;
        Ok(Standing::Serves)
    }

    /// How this generation came to its end, where it did.
    fn end(&self) -> Result<Option<End>, Error> {
        let name = self.entry.name.as_str();
        let connection = database::open_to_read(&self.layout, &self.options)?;
        let found = registry::find_kind(&connection, name, Kind::Projection)
            .map_err(|error| failure(&self.layout, "read the store", error))?;
        Ok(match found {
            Some(found) if found.generation == self.entry.generation => None,
            // One of the same name may have been made since it was dropped.
            Some(_) if !self.says_dropped() => Some(End::Rebuilt),
            _ => Some(End::Dropped),
        })
    }

    /// Whether the file says that the projection was dropped.
    fn says_dropped(&self) -> bool {
        let view = End::Dropped.view(&self.entry.name);
        let select = "SELECT 1 FROM sqlite_schema WHERE sql = ?1";
        self.connection.query_row(select, [view], |_| Ok(())).is_ok()
    }

    /// Puts up the fence, before the generation `next` serves or would.
    pub(super) fn put_up(&self, next: u64) -> Result<(), Error> {
        // Who could pass it by has the file open, so a power loss that takes it takes them, too: it need
        // not be synced.
        let set = "UPDATE ream_checkpoint SET next = ?1";
        self.connection.execute(set, [next]).map(drop).map_err(|error| {
            match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy) => Error::Busy { waited: self.options.lock_timeout },
                _ => self.misread("write to the projection", error),
            }
        })
    }

    /// Takes the fence down, where there is one. The caller has the turn to rebuild, and knows that this
    /// generation serves.
    pub(super) fn take_down(&self) -> rusqlite::Result<()> {
        match next(&self.connection)? {
            None => Ok(()),
            Some(_) => {
                let clear = "UPDATE ream_checkpoint SET next = NULL";
                self.connection.execute(clear, []).map(drop)
            }
        }
    }

    /// What a failure of SQLite means that may come of the words which stand in the place of the rows.
    pub(super) fn ended(&self, error: &rusqlite::Error) -> Option<Error> {
        let message = error.to_string();
        let name = &self.entry.name;
        let end = End::ALL.into_iter().find(|end| message.contains(&end.sentence(name)))?;
        Some(end.error(name))
    }
}

/// The generation that is about to follow the one in this file.
fn next(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    connection.prepare_cached("SELECT next FROM ream_checkpoint")?.query_row([], |row| row.get(0))
}
