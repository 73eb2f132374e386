//! Looking at the store: one short transaction each, in which all that is found is durable.

use std::cell::{Cell, OnceCell};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use super::bell::{self, Acknowledged};
use super::failure::Failure;
use super::failure::failure;
use super::head::Head;
use super::writer::{Settled, settle};
use super::{Store, mark};
use crate::event::Position;
use crate::store::Error;

/// How often it is tried to have durable what is looked at, and how long a writer that is about to see
/// to it is given each time.
pub(super) const TRIES: u32 = 10;
pub(super) const WRITING: Duration = Duration::from_millis(5);

/// What the store is looked at by.
#[derive(Debug)]
pub(super) struct Looking {
    connection: Connection,
    /// That the store lost events, where it did.
    pub(super) lost: Option<Error>,
    /// Everything up to here is known to be durable.
    durable: Cell<Position>,
    /// That what was stored last may not be durable, where that could not be mended.
    pub(super) unsettled: OnceCell<Error>,
}

/// Why what is seen may not be durable.
#[derive(Debug, Clone, Copy)]
enum Doubt {
    /// The bell does not name the head.
    Head,
    /// A commit is under way, or was when its writer died.
    Mark,
}

impl Looking {
    /// Keeps the first reason why what is found may not be durable.
    fn warn(&self, error: Error) {
        let _ = self.unsettled.set(Error::NotDurable { source: Box::new(error) });
    }
}

impl Store {
    /// That the store holds all that was acknowledged.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Some(acknowledged) = bell::read(&self.layout) else { return Ok(()) };
        self.look(|connection| {
            let head = Head::read(connection, self.id())?;
            bell::check(connection, acknowledged, &head)
        })
    }

    pub(crate) fn head(&self) -> Result<Position, Error> {
        self.look(|connection| Ok(Head::read(connection, self.id())?.position))
    }

    /// Reads in one transaction, on a connection that is kept for the next time. What is found is
    /// durable, or [`Store::warning`] says that it may not be.
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
                    looking.warn(Error::Busy { waited: WRITING * TRIES });
                }
                (Settled::No(error), _) => {
                    looking.warn(error);
                    tries = TRIES;
                }
            }
        }
    }

    /// What looking needs. The bell is read before the first look, and compared in it.
    fn looking(&self) -> Result<&Looking, Error> {
        if let Some(looking) = self.looking.get() {
            return Ok(looking);
        }
        let acknowledged = bell::read(&self.layout);
        let connection = self.reading_connection()?;
        let lost = match acknowledged {
            Some(acknowledged) => {
                in_transaction(&connection, |connection| self.lost(connection, acknowledged))
                    .map_err(|failed| match failed {
                        Failure::Refused(error) => error,
                        Failure::Sqlite(error) => failure(&self.layout, "read the store", error),
                    })?
            }
            None => None,
        };
        Ok(self.looking.get_or_init(|| Looking {
            connection,
            lost,
            durable: Cell::new(Position(0)),
            unsettled: OnceCell::new(),
        }))
    }

    /// Why what is seen may not be durable, where that is so. The bell is read behind the snapshot.
    fn doubt(&self, looking: &Looking, tries: u32) -> Result<Option<Doubt>, Failure> {
        let head = Head::read(&looking.connection, self.id())?.position;
        if head > looking.durable.get() {
            if bell::read(&self.layout).is_none_or(|bell| bell.position < head) {
                return Ok(Some(Doubt::Head));
            }
            looking.durable.set(head);
        }
        let is_marked = tries == 0 && mark::seems_set(&self.layout);
        Ok(is_marked.then_some(Doubt::Mark))
    }

    /// That the store lost what was acknowledged, if it did.
    fn lost(
        &self,
        connection: &Connection,
        acknowledged: Acknowledged,
    ) -> Result<Option<Error>, Failure> {
        let head = Head::read(connection, self.id())?;
        match bell::check(connection, acknowledged, &head) {
            Ok(()) => Ok(None),
            Err(Failure::Refused(lost)) => Ok(Some(lost)),
            Err(failed) => Err(failed),
        }
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
