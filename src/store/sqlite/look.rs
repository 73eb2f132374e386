//! Looking at the store: one short transaction each, in which all that is found is durable.

use std::cell::Cell;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use super::Store;
use super::event_row::Head;
use super::failure::Failure;
use super::failure::failure;
use super::lock::seems_marked;
use super::records::{self, Acknowledged, Witness};
use super::registry;
use super::writer::{Settled, settle};
use crate::event::Position;
use crate::store::Error;
use crate::store::rules::names::Name;

/// How often it is tried to have durable what is looked at, and how long a writer that is about to see
/// to it is given each time.
pub(super) const TRIES: u32 = 10;
pub(super) const WRITING: Duration = Duration::from_millis(5);

/// What the store is looked at by.
#[derive(Debug)]
pub(super) struct Looking {
    connection: Connection,
    /// Everything up to here is known to be durable.
    durable: Cell<Position>,
    /// Whether it was warned of the store.
    has_warned: Cell<bool>,
    /// Whether the connection knows lists of numbers by now.
    pub(super) knows_lists: Cell<bool>,
}

/// Why what is seen may not be durable.
#[derive(Debug, Clone, Copy)]
enum Doubt {
    /// The bell does not name the head.
    Head,
    /// A commit is under way, or was when its writer died.
    Mark,
}

impl Store {
    /// That the store holds all that was acknowledged.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let witness = Witness::read(&self.layout);
        self.look(|connection| {
            let head = Head::read(connection, self.id())?;
            witness.check(connection, &self.layout, &head)
        })
    }

    pub(super) fn head(&self) -> Result<Position, Error> {
        self.look(|connection| Ok(Head::read(connection, self.id())?.position))
    }

    /// What is kept of `name`, but for upper and lower case.
    pub(super) fn name(&self, name: &str) -> Result<Option<Name>, Error> {
        self.look(|connection| Ok(registry::find(connection, name)?))
    }

    /// What is kept of each name, by name.
    pub(super) fn names(&self) -> Result<Vec<Name>, Error> {
        self.look(|connection| Ok(registry::all(connection)?))
    }

    /// Reads in one transaction, on a connection that is kept for the next time. What is found is
    /// durable, or it is warned that it may not be.
    pub(super) fn look<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        self.check_in_place()?;
        let looking = self.looking()?;
        let tell = |failed| match failed {
            Failure::Refused(error) => error,
            Failure::Sqlite(error) => failure(&self.layout, "read the store", error),
        };
        let connection = &looking.connection;
        let mut tries = 0;
        loop {
            begin(connection).map_err(|error| tell(error.into()))?;
            let doubt = if tries < TRIES { self.doubt(looking, tries) } else { Ok(None) };
            let Ok(Some(doubt)) = doubt else {
                let done = doubt.and_then(|_| work(connection));
                roll_back(connection);
                return done.map_err(tell);
            };
            roll_back(connection);
            tries += 1;
            match (settle(&self.layout, &self.marker, &self.options), doubt) {
                (Settled::Yes(durable), _) => looking.durable.set(durable),
                // While someone writes, the mark is set, and what can be seen is durable all the same.
                (Settled::Writing, Doubt::Mark) => {}
                (Settled::Writing, Doubt::Head) if tries < TRIES => thread::sleep(WRITING),
                (Settled::Writing, Doubt::Head) => {
                    self.warn_not_durable(looking, Error::Busy { waited: WRITING * TRIES });
                }
                (Settled::No(error), _) => {
                    self.warn_not_durable(looking, error);
                    tries = TRIES;
                }
            }
        }
    }

    /// What looking needs. The records are read before the first look, and compared in it.
    pub(super) fn looking(&self) -> Result<&Looking, Error> {
        if let Some(looking) = self.looking.get() {
            return Ok(looking);
        }
        let witness = Witness::read(&self.layout);
        let connection = self.reading_connection()?;
        let lost = in_transaction(&connection, |connection| {
            let head = Head::read(connection, self.id())?;
            witness.lost(connection, &self.layout, &head)
        });
        let lost = lost.map_err(|failed| match failed {
            Failure::Refused(error) => error,
            Failure::Sqlite(error) => failure(&self.layout, "read the store", error),
        })?;
        if let Some(lost) = &lost {
            self.options.warn(lost);
        }
        Ok(self.looking.get_or_init(|| Looking {
            connection,
            durable: Cell::new(Position(0)),
            has_warned: Cell::new(lost.is_some()),
            knows_lists: Cell::new(false),
        }))
    }

    /// Warns that what is found may not be durable, where it was not warned of the store before.
    fn warn_not_durable(&self, looking: &Looking, error: Error) {
        if !looking.has_warned.replace(true) {
            self.options.warn(&Error::NotDurable { source: Box::new(error) });
        }
    }

    /// Why what is seen may not be durable, where that is so. The bell is read behind the snapshot.
    fn doubt(&self, looking: &Looking, tries: u32) -> Result<Option<Doubt>, Failure> {
        let head = Head::read(&looking.connection, self.id())?.position;
        if head > looking.durable.get() {
            if records::read(&self.layout).is_none_or(|bell: Acknowledged| bell.position < head) {
                return Ok(Some(Doubt::Head));
            }
            looking.durable.set(head);
        }
        let is_marked = tries == 0 && seems_marked(&self.layout);
        Ok(is_marked.then_some(Doubt::Mark))
    }
}

fn in_transaction<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    begin(connection)?;
    let done = work(connection);
    roll_back(connection);
    done
}

fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN")?.execute([]).map(drop)
}

fn roll_back(connection: &Connection) {
    // Nothing was written: ending the transaction can't fail in a way that matters.
    let _ = connection.prepare_cached("ROLLBACK").and_then(|mut end| end.execute([]));
}
